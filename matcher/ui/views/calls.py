"""揭榜: teams read the published needs that fit them and answer with one page; the bureau settles the answers."""

from __future__ import annotations

import streamlit as st

from matcher.services.answering_rules import AnswerRow, CallRow
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import call_page, cards, layout, records
from matcher.ui.components.html import Html, badge, join, md, sample_badge, show, tag
from matcher.vocab import CallType, InterestState
from matcher.workflow.permissions import Action, may

PAGE = "calls"
_N_SHOWN, _N_OTHERS, _N_SETTLED = 20, 20, 30
_PARTS = {"fit": "适合我们的需求", "mine": "我们的申请"}


def _back() -> None:
    navigation.set_param("need", "")


# ------------------------------------------------------------ the team


def _profile() -> str:
    """The profile asked for; empty for all of the institution. Kept in the address."""
    profiles = resources.application().answering.profiles()
    if len(profiles) < 2:
        return ""
    names = {"": "本单位全部团队", **{expert.expert_id: expert.name for expert in profiles}}
    wanted = navigation.param("expert")
    key = f"{PAGE}_expert"
    st.session_state[key] = wanted if wanted in names else ""
    st.selectbox(
        "按哪个团队看",
        list(names),
        key=key,
        format_func=names.__getitem__,
        on_change=lambda: navigation.set_param("expert", str(st.session_state[key])),
    )
    return str(st.session_state[key])


def _call_html(row: CallRow, *, with_team: bool) -> Html:
    need = row.need
    budget = f"拟投入 {need.budget_wan:g} 万元" if need.budget_wan is not None else ""
    parts = (need.company, need.sector, budget, call_page.days_text(row.days_left))
    call = badge(need.call_type, "ring") if need.call_type not in ("", CallType.GENERAL) else Html("")
    state = badge(f"申请{row.interest.state}", "good") if row.interest else Html("")
    why = row.match.evidence[0] if row.match.evidence else None
    lines = ["　".join(p for p in parts if p)]
    if with_team:
        lines.append(f"最合适的团队：{row.expert.name}")
    if why is not None:
        lines.append(f"依据：{why.line.text} ↔ {why.facet.text}")
    head = tag("div", need.title, call, sample_badge(need.is_sample), state, cls="m-title")
    score = tag("div", tag("b", cards.score_text(row.match.score)), tag("span", "匹配度"), cls="m-score")
    about = tag("div", head, *(tag("div", line, cls="m-sub") for line in lines), cls="m-title")
    return tag("div", about, score, cls="m-head")


def _card(row: CallRow, *, with_team: bool) -> None:
    with st.container(border=True, key=f"{PAGE}_row_{row.need.need_id}"):
        show(_call_html(row, with_team=with_team))
        target = {"need": row.need.need_id, "expert": row.expert.expert_id}
        label = "看申请" if row.interest else "看需求，写揭榜申请"
        navigation.link(PAGE, label, target, icon=":material/arrow_forward:")


def _calls() -> None:
    expert_id = _profile()
    text = st.text_input(
        "查找需求", key=f"{PAGE}_text", type="search", placeholder="需求里的词，可用空格隔开几个"
    )
    rows = resources.application().answering.calls(expert_id, text or "", _N_SHOWN + _N_OTHERS)
    fitting = [row for row in rows if row.fits][:_N_SHOWN]
    others = [row for row in rows if not row.fits][:_N_OTHERS]
    if not rows:
        said = (
            "没有含这些词的需求。请换个词。" if text else "现在没有可以揭榜的需求。有新需求发布后会列在这里。"
        )
        st.info(said)
        return
    several = not expert_id and len({row.expert.expert_id for row in rows}) > 1
    st.caption(f"最适合的排在最前。{texts.SCORE_NOTE}企业没有选“公开”的，看不到企业名称。")
    if not fitting:
        st.info("已发布的需求里没有明显适合的。把“我的资料”写得更具体，会更容易对上。")
        navigation.link("profile", "去完善资料", icon=":material/badge:")
    for row in fitting:
        _card(row, with_team=several)
    if others:
        with st.expander(f"关联较弱的（{len(others)}）", key=f"{PAGE}_others"):
            for row in others:
                _card(row, with_team=several)


def _one(need_id: str) -> None:
    st.button("返回列表", key=f"{PAGE}_back", icon=":material/arrow_back:", type="tertiary", on_click=_back)
    row = resources.application().answering.call(need_id, navigation.param("expert"))
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        with st.container(border=True, key=f"{PAGE}_need"):
            show(records.need_html(row.need))
        with st.container(border=True, key=f"{PAGE}_why"):
            why = (
                tag("div", f"为什么适合“{row.expert.name}”", cls="m-title"),
                cards.bar_html(row.match.score, row.match.contributions),
                cards.evidence_html(row.match.evidence, cards.Sides()),
                cards.gaps_html(row.match.gaps),
            )
            show(join(why))
    with right:
        st.subheader("揭榜申请", anchor=False)
        st.caption(md(f"以“{row.expert.name}”的名义，写一页就够。"))
        for sentence in row.warnings:
            st.warning(md(sentence), icon=":material/warning:")
        call_page.write_page(row)


def _mine(rows: tuple[AnswerRow, ...]) -> None:
    if not rows:
        st.info("还没有提交过申请。在“适合我们的需求”里打开一条，写一页就可以揭榜。")
        return
    for row in rows:
        one = row.interest
        with st.container(border=True, key=f"{PAGE}_mine_{one.interest_id}"):
            show(call_page.answer_head(row, bureau=False))
            st.caption(call_page.standing(one))
            show(call_page.interest_html(one))
            if row.need is not None and one.state == InterestState.SENT:
                target = {"need": one.need_id, "expert": one.expert_id}
                navigation.link(PAGE, "修改或撤回", target, icon=":material/edit:")


def _team() -> None:
    need_id = navigation.param("need")
    if need_id:
        _one(need_id)
        return
    own = resources.application().answering.mine()
    wanted = navigation.param("tab")
    key = f"{PAGE}_tab"
    st.session_state[key] = wanted if wanted in _PARTS else "fit"
    st.segmented_control(
        "看哪一部分",
        list(_PARTS),
        key=key,
        required=True,
        label_visibility="collapsed",
        format_func=lambda name: f"{_PARTS[name]}（{len(own)}）" if name == "mine" else _PARTS[name],
        on_change=lambda: navigation.set_param("tab", str(st.session_state[key])),
    )
    if st.session_state[key] == "mine":
        _mine(own)
    else:
        _calls()


# ------------------------------------------------------------ the bureau


def _bureau() -> None:
    rows = resources.application().answering.answers(need_id=navigation.param("need"))
    if navigation.param("need"):
        layout.removable_note("只看一条需求的申请", "need", f"{PAGE}_all")
    waiting = [row for row in reversed(rows) if row.interest.state == InterestState.SENT]
    settled = [row for row in rows if row.interest.state != InterestState.SENT]
    if not waiting:
        st.success("没有待答复的揭榜申请。团队提交后会出现在这里。", icon=":material/check_circle:")
    else:
        st.caption(f"有 {len(waiting)} 份待答复，等得最久的在最前。采纳后马上建立对接。")
    for row in waiting[:_N_SHOWN]:
        one = row.interest
        with st.container(border=True, key=f"{PAGE}_wait_{one.interest_id}"):
            show(call_page.answer_head(row, bureau=True))
            show(join((call_page.warnings_html(row.warnings), call_page.interest_html(one))))
            with st.container(horizontal=True):
                navigation.link("needs", "看需求", {"need": one.need_id}, icon=":material/factory:")
                navigation.link("experts", "看团队", {"expert": one.expert_id}, icon=":material/school:")
            call_page.settle_form(row)
    if len(waiting) > _N_SHOWN:
        st.caption(f"先列出等得最久的 {_N_SHOWN} 份，答复后接着出现其余 {len(waiting) - _N_SHOWN} 份。")
    if settled:
        with st.expander(f"已答复和已撤回的（{len(settled)}）", key=f"{PAGE}_settled"):
            for row in settled[:_N_SETTLED]:
                with st.container(border=True):
                    show(call_page.answer_head(row, bureau=True))
                    show(call_page.interest_html(row.interest))


person = resources.application().person
if may(person, Action.SETTLE_INTEREST):
    layout.heading("揭榜申请", "团队提交的揭榜申请：采纳就开始对接，不采纳请写一句答复。")
else:
    layout.heading("揭榜", "看企业发布的难题里哪些适合您，写一页申请来揭榜。")
with guard.calm("calls"):
    if may(person, Action.SETTLE_INTEREST):
        _bureau()
    else:
        _team()
