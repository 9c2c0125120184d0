"""对接跟踪: what to follow up today, the board and the list, and one 对接 with its steps. Firms and teams look only."""

from __future__ import annotations

import streamlit as st

from matcher.models import Person
from matcher.services.following_views import EngagementFilter, EngagementRow, EngagementView, on_board
from matcher.services.reminders import Digest, DigestItem, day_of
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import follow_cards, follow_parts, layout, records
from matcher.ui.components.follow_edit import Forms
from matcher.ui.components.html import md, show
from matcher.vocab import Role, Stage
from matcher.workflow.permissions import Action, may

PAGE = "follow"
_OWNER, _ALL, _ID = "owner", "all", "id"
_FIRST = 6  # overdue ones shown at once, the rest on a click
_VIEWS = ("看板", "列表")


def _open(engagement_id: str) -> None:
    navigation.set_param(_ID, engagement_id)


def _back() -> None:
    navigation.set_param(_ID, "")


# ------------------------------------------------------------ the lists


def _owner(me: Person, rows: tuple[EngagementRow, ...]) -> str:
    """Whose 对接 are shown: one's own by default; empty for everybody's."""
    names = {row.engagement.owner: row.owner_name for row in rows if row.engagement.owner}
    names |= {person.login: person.name for person in resources.application().accounts.officials()}
    names[me.login] = f"{me.name}（我）"
    wanted = navigation.param(_OWNER) or me.login
    options = [_ALL, me.login, *sorted(names.keys() - {me.login}, key=names.__getitem__)]
    key = f"{PAGE}_owner"
    st.session_state[key] = wanted if wanted in options else me.login
    names[_ALL] = "全部经办人"
    st.selectbox(
        "经办人",
        options,
        key=key,
        format_func=names.__getitem__,
        on_change=lambda: navigation.set_param(_OWNER, str(st.session_state[key])),
    )
    chosen = str(st.session_state[key])
    return "" if chosen == _ALL else chosen


def _filter(owner: str, rows: tuple[EngagementRow, ...]) -> EngagementFilter:
    with st.expander("筛选", icon=":material/filter_list:", key=f"{PAGE}_filters"):
        left, right = st.columns(2)
        with left:
            stages = st.multiselect(
                "阶段", list(map(str, Stage)), key=f"{PAGE}_stage", placeholder="全部", bind="query-params"
            )
            text = st.text_input(
                "查找",
                key=f"{PAGE}_text",
                placeholder="企业、团队、需求、编号",
                type="search",
                bind="query-params",
            )
        with right:
            towns = sorted({row.town for row in rows if row.town})
            town = st.selectbox(
                "镇街", towns, index=None, key=f"{PAGE}_town", placeholder="全部", bind="query-params"
            )
            late = st.toggle("只看逾期的", key=f"{PAGE}_late", bind="query-params")
    return EngagementFilter(
        owner=owner, stages=frozenset(map(str, stages)), town=town or "", overdue=late, text=text or ""
    )


def _today(digest: Digest) -> None:
    app, items = resources.application(), [(o.name, item) for o in digest.owners for item in o.items]
    st.subheader(f"今天要跟进的 {len(items)} 项", anchor=False)
    if not items:
        st.success("没有逾期的对接。", icon=":material/check_circle:")
        return
    first, second, third = app.settings.workflow.remind_days
    st.caption(
        f"签约前超过 {first}、{second}、{third} 天没有动静，或期限已过的，列在这里。跟进后记一次联系、或改期限，就不再提醒。"
    )
    items.sort(key=lambda pair: (-pair[1].lateness.degree, -pair[1].lateness.n_days))
    for owner, item in items[:_FIRST]:
        _due(owner, item)
    if len(items) > _FIRST:
        with st.expander(f"另外 {len(items) - _FIRST} 项", key=f"{PAGE}_more"):
            for owner, item in items[_FIRST : _FIRST + 50]:
                _due(owner, item)
    owner_login = digest.owners[0].owner if len(digest.owners) == 1 else ""
    layout.export_menu(
        f"{PAGE}_digest",
        f"对接逾期提醒_{digest.scope}",
        lambda suffix: app.following.digest_file(owner_login, suffix),
        label="导出提醒",
    )


def _due(owner: str, item: DigestItem) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        show(follow_cards.due_html(item, owner))
        follow_cards.open_button(f"{PAGE}_due", item.engagement.engagement_id, _open)


def _bureau(me: Person) -> None:
    app = resources.application()
    everything = app.following.list()
    if not everything:
        st.info("还没有对接。在“审核台”接受一个推荐的配对，对接就从这里开始。")
        if navigation.offers(me, "review"):
            navigation.link("review", "去审核台", icon=":material/fact_check:")
        _past()
        return
    owner = _owner(me, everything)
    _today(app.following.digest(owner))
    wanted = _filter(owner, everything)
    rows = tuple(row for row in everything if wanted.passes(row))
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "显示方式", _VIEWS, default=_VIEWS[0], required=True, key=f"{PAGE}_view", bind="query-params"
        )
        layout.export_menu(
            f"{PAGE}_list",
            "对接跟踪",
            lambda suffix: app.following.list_file(wanted, suffix),
            label="导出列表",
        )
        layout.link_menu(PAGE)
    st.caption(f"共 {len(rows)} 项。{texts.SAMPLE_NOTE}")
    if not rows:
        st.info("没有符合条件的对接。请换一位经办人，或放宽筛选。")
    elif view == _VIEWS[1]:
        follow_cards.table(PAGE, rows)
    else:
        follow_cards.board(PAGE, on_board(rows), _open)
    if may(me, Action.HAND_OVER):
        follow_parts.hand_over(PAGE, everything)
    _past()


def _past() -> None:
    st.caption("以前已经签约的项目不用逐个补录：把台账表格导入即可，同一合同编号只计一次。")
    params = {"tab": "import", "kind": "cooperation"}
    navigation.link("data", "导入以前的签约台账", params, icon=":material/upload_file:")


def _outside(me: Person) -> None:
    rows = resources.application().following.list()
    if not rows:
        whose = "您的需求有了合适的团队" if me.role is Role.FIRM else "您的团队被推荐给企业"
        st.info(f"还没有对接。{whose}、并由科技局确认后，进展会显示在这里。")
        return
    st.caption(f"共 {len(rows)} 项。进展由科技局登记，有疑问请联系经办人。")
    for row in rows:
        follow_cards.card(f"{PAGE}_own", row, _open, stage=True)


# ------------------------------------------------------------ one 对接


def _detail(view: EngagementView) -> None:
    one = view.engagement
    with st.container(border=True, key=f"{PAGE}_head"):
        show(follow_cards.head_html(view))
    for sentence in view.warnings:
        st.warning(md(sentence), icon=":material/warning:")
    if not view.can_edit:
        _about(view)
        st.subheader("经过", anchor=False)
        show(follow_cards.timeline_html(view.timeline))
        return
    recent = [other.text for other in view.elsewhere if other.recent]
    if recent:
        st.info("联系前请留意，这个团队近来还有别的企业：  \n" + "  \n".join(map(md, recent)))
    today = day_of(resources.application().clock())
    forms = Forms(PAGE, view, today)
    st.subheader("下一步", anchor=False)
    forms.steps()
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        st.subheader("安排与合同" if one.signed_on else "安排", anchor=False)
        forms.edit()
        st.subheader("联系记录", anchor=False)
        follow_parts.contacts(PAGE, view, today)
    with right:
        st.subheader("附件", anchor=False)
        follow_parts.files(PAGE, view)
        st.subheader("经过", anchor=False)
        show(follow_cards.timeline_html(view.timeline))
        _elsewhere(view)
        _about(view)


def _elsewhere(view: EngagementView) -> None:
    if view.elsewhere:
        with st.expander(f"这个团队与别的企业（{len(view.elsewhere)}）", key=f"{PAGE}_elsewhere"):
            for other in view.elsewhere:
                st.markdown(f"- {md(other.text)}")


def _about(view: EngagementView) -> None:
    person = resources.application().person
    if view.need is not None:
        with st.expander("技术需求", key=f"{PAGE}_need"):
            show(records.need_html(view.need))
            if navigation.offers(person, "needs"):
                navigation.link("needs", "看这条需求的全部团队", {"need": view.need.need_id})
    if view.expert is not None:
        with st.expander("专家（团队）", key=f"{PAGE}_expert"):
            show(records.expert_html(view.expert, (), None))
            if navigation.offers(person, "experts"):
                navigation.link("experts", "看这个团队能答的需求", {"expert": view.expert.expert_id})


layout.heading("对接跟踪", "从推荐到签约、落地：先看今天要做的，再看每一项走到哪一步。")
with guard.calm("follow"):
    user = resources.application().person
    chosen = navigation.param(_ID)
    if chosen:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("返回列表", key=f"{PAGE}_back", icon=":material/arrow_back:", on_click=_back)
            layout.link_menu(PAGE)
        with guard.calm("engagement"):
            _detail(resources.application().following.open(chosen))
    elif may(user, Action.EDIT_ENGAGEMENT):
        _bureau(user)
    else:
        _outside(user)
