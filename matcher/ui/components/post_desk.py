"""The bureau's side of the page of needs: what waits, filling in for a firm, and all needs."""

from __future__ import annotations

import streamlit as st

from matcher.models import Draft
from matcher.services.need_rows import WaitingRow
from matcher.services.need_text import has_words
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import records
from matcher.ui.components.html import join, sample_badge, show, tag
from matcher.ui.components.post_advice import checks_html
from matcher.ui.components.post_detail import change, row_html, step_button, when
from matcher.vocab import NeedStatus, Sector
from matcher.workflow.states import NEED_STEPS

PAGE = "post"
N_SHOWN, N_LISTED = 20, 50
TABS = {"waiting": "待受理", "behalf": "代录", "all": "全部"}


def show_desk() -> None:
    """The chosen part; the choice stands in the address."""
    waiting = resources.application().posting.waiting()
    wanted = navigation.param("tab")
    key = f"{PAGE}_tab"
    st.session_state[key] = wanted if wanted in TABS else "waiting"
    st.segmented_control(
        "看哪一部分",
        list(TABS),
        key=key,
        required=True,
        label_visibility="collapsed",
        format_func=lambda name: f"{TABS[name]}（{len(waiting)}）" if name == "waiting" else TABS[name],
        on_change=lambda: navigation.set_param("tab", str(st.session_state[key])),
    )
    match st.session_state[key]:
        case "behalf":
            _behalf()
        case "all":
            _all()
        case _:
            _waiting(waiting)


# ------------------------------------------------------------ what waits


def _waiting(rows: tuple[WaitingRow, ...]) -> None:
    if not rows:
        st.success("没有待受理的需求。企业提交后会出现在这里；也可以在“代录”里替企业填报。")
        return
    st.caption(f"有 {len(rows)} 条待受理，等得最久的在最前。看过内容后，受理并发布，或写明原因退回补充。")
    for row in rows[:N_SHOWN]:
        with st.container(border=True, key=f"{PAGE}_wait_{row.need.need_id}"):
            _waiting_row(row)
    if len(rows) > N_SHOWN:
        st.caption(f"先列出等得最久的 {N_SHOWN} 条，办完后接着出现其余 {len(rows) - N_SHOWN} 条。")


def _waiting_row(row: WaitingRow) -> None:
    need = row.need
    came = f"{when(row.since)} 提交" if row.since else "导入的"
    place = "　".join(part for part in (need.company, need.town, need.sector, came) if part)
    head = tag("div", need.title, records.markers_html(need), sample_badge(need.is_sample), cls="m-title")
    show(join((head, tag("div", place, cls="m-sub"), tag("div", row.missing, cls="m-sub"))))
    with st.container(horizontal=True, vertical_alignment="center"):
        for to in (NeedStatus.PUBLISHED, NeedStatus.RETURNED):
            step = NEED_STEPS[NeedStatus.WAITING, to]
            step_button(need.need_id, row.version, to, step, primary=to is NeedStatus.PUBLISHED)
        st.button("修改", key=f"{PAGE}_change_{need.need_id}", on_click=change, args=(need.need_id,))
        navigation.link(PAGE, "办理经过", {"need": need.need_id})
        navigation.link("needs", "看合适的团队", {"need": need.need_id})
    with st.expander("看全文", key=f"{PAGE}_whole_{need.need_id}"):
        show(records.need_html(need))
        show(checks_html(row.checks))


# ------------------------------------------------------------ for a firm


def _begin(firm_id: str) -> None:
    with guard.calm_action("start draft"):
        draft = resources.application().posting.start(firm_id)
        navigation.set_param("draft", draft.draft_id)


def _register() -> None:
    with guard.calm_action("register firm"):
        given = (str(st.session_state.get(f"{PAGE}_firm_{f}") or "") for f in ("name", "town", "sector"))
        firm = resources.application().posting.register_firm(*given)
        st.session_state[f"{PAGE}_firm"] = firm.firm_id
        for name in ("name", "town"):
            st.session_state[f"{PAGE}_firm_{name}"] = ""
        guard.say_done(f"“{firm.name}”已在企业名录里，可以开始填报了。")


def _behalf() -> None:
    st.caption("企业来电、来访提出的难题，可以替它填报；提交后同样进入待受理。")
    firms = {firm.firm_id: firm for firm in resources.application().records.firms()}

    def name(firm_id: str) -> str:
        firm = firms[firm_id]
        return firm.name + (texts.SAMPLE_BADGE if firm.is_sample else "")

    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "替哪家企业填报",
            sorted(firms, key=name),
            index=None,
            key=f"{PAGE}_firm",
            format_func=name,
            placeholder="选一家企业，或输入名称查找",
        )
        st.button(
            "开始填报",
            key=f"{PAGE}_begin",
            type="primary",
            disabled=not chosen,
            on_click=_begin,
            args=(chosen or "",),
        )
    with (
        st.expander("名录里没有？登记新企业", icon=":material/add_business:", key=f"{PAGE}_new_firm"),
        st.form(f"{PAGE}_firm_form", border=False),
    ):
        st.text_input("企业全称", key=f"{PAGE}_firm_name", max_chars=60)
        left, right = st.columns(2)
        left.text_input("镇街", key=f"{PAGE}_firm_town", max_chars=20)
        right.selectbox("领域", list(Sector), index=None, key=f"{PAGE}_firm_sector", placeholder="（未选）")
        st.form_submit_button("登记", key=f"{PAGE}_register", on_click=_register)
    show_drafts(resources.application().posting.drafts(), {i: firm.name for i, firm in firms.items()})


def show_drafts(drafts: tuple[Draft, ...], firms: dict[str, str] | None = None) -> None:
    """Forms not handed in yet, each with the way back to it; ``firms`` adds whose they are."""
    drafts = tuple(draft for draft in drafts if draft.need_id or has_words(draft.content))
    if not drafts:
        return
    st.subheader(f"还没提交的（{len(drafts)}）", anchor=False)
    for draft in drafts[:N_LISTED]:
        what = draft.content.get("title") or "（还没写名称）"
        kind = "对已有需求的修改" if draft.need_id else "新需求"
        whose = (firms or {}).get(draft.firm_id, "")
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            about = "　".join(part for part in (whose, kind, f"{when(draft.updated_at)} 保存") if part)
            show(tag("div", tag("div", what, cls="m-title"), tag("div", about, cls="m-sub")))
            navigation.link(PAGE, "继续填写", {"draft": draft.draft_id}, icon=":material/edit:")


# ------------------------------------------------------------ all


def _all() -> None:
    rows = resources.application().posting.mine()
    left, right = st.columns([1, 2])
    status = left.selectbox(
        "状态", list(NeedStatus), index=None, key=f"{PAGE}_status", placeholder="全部", bind="query-params"
    )
    text = right.text_input(
        "查找", key=f"{PAGE}_text", type="search", placeholder="名称、企业里的词", bind="query-params"
    )
    words = (text or "").split()
    found = [
        row
        for row in rows
        if (not status or (row.need.status or NeedStatus.WAITING) == status)
        and all(word in f"{row.need.need_id} {row.need.title} {row.need.company}" for word in words)
    ]
    if not found:
        st.info(texts.NOTHING_LISTED if rows else texts.NO_RECORDS)
        return
    more = f"，列出前 {N_LISTED} 条，请用筛选缩小范围" if len(found) > N_LISTED else ""
    st.caption(f"共 {len(found)} 条，最近有变动的在前{more}。")
    for row in found[:N_LISTED]:
        with st.container(border=True, key=f"{PAGE}_row_{row.need.need_id}"):
            show(tag("div", row_html(row), tag("div", row.need.company, cls="m-sub")))
            navigation.link(PAGE, "打开", {"need": row.need.need_id}, icon=":material/arrow_forward:")
