"""What was decided, to be looked up or taken back; and pairing any need with any team by hand.

Owns the lists of shelved and decided pairs, and the question why a team is not suggested.
"""

from __future__ import annotations

import streamlit as st

from matcher.ranking.eligibility import NeedFilter
from matcher.services.review_rules import MAX_NOTE, Decided
from matcher.ui import guard, navigation, resources
from matcher.ui.components import cards, review_tray
from matcher.ui.components.html import md, show
from matcher.ui.components.records import need_title
from matcher.ui.components.review_card import decided_html
from matcher.ui.components.review_tray import PAGE
from matcher.ui.texts import SAMPLE_BADGE
from matcher.vocab import DecisionKind, NeedStatus

_SHOWN = 50
_ALL = "全部"


def _undo(one: Decided) -> None:
    with guard.calm_action("undo decision"):
        resources.application().review.undo(one.decision.decision_id)
        review_tray.put_away()
        guard.say_done("已撤销，配对回到待审核。")


def _accept(one: Decided) -> None:
    with guard.calm_action("accept shelved"):
        decision = one.decision
        resources.application().review.decide(
            decision.need_id,
            decision.expert_id,
            DecisionKind.ACCEPT,
            note=decision.note,
            seen=decision.decision_id,
        )
        review_tray.put_away()
        guard.say_done("已接受，开始对接。")


def shelved() -> None:
    """Pairs put aside, each to be accepted or put back into the queue."""
    found = resources.application().review.decided(DecisionKind.SHELVE, _SHOWN)
    if not found:
        st.info("没有搁置的配对。审核时按“搁置”的会列在这里，随时可以再接受。")
        return
    st.caption(f"搁置 {len(found)} 条，最近的在前。")
    for one in found:
        with st.container(border=True):
            show(decided_html(one))
            with st.container(horizontal=True):
                number = one.decision.decision_id
                st.button("接受", key=f"{PAGE}_take_{number}", on_click=_accept, args=(one,))
                st.button("放回待审核", key=f"{PAGE}_put_back_{number}", on_click=_undo, args=(one,))


def decided() -> None:
    """The latest decisions, each to be taken back."""
    app = resources.application()
    options = (_ALL, DecisionKind.ACCEPT.value, DecisionKind.REJECT.value)
    chosen = st.segmented_control(
        "只看", options, key=f"{PAGE}_kind", default=_ALL, required=True, label_visibility="collapsed"
    )
    found = app.review.decided(None if chosen == _ALL else DecisionKind(str(chosen)), _SHOWN)
    if not found:
        st.info("还没有审核意见。到“逐个审核”里，从第一条开始。")
        return
    st.caption(f"最近 {len(found)} 条。接受后还没有办理的，撤销时一并取消对接。")
    for one in found:
        with st.container(border=True):
            show(decided_html(one))
            with st.container(horizontal=True):
                number = one.decision.decision_id
                st.button(
                    "撤销", key=f"{PAGE}_undo_{number}", icon=":material/undo:", on_click=_undo, args=(one,)
                )
                if one.engagement and navigation.offers(app.person, "follow"):
                    params = {"id": one.engagement.engagement_id}
                    navigation.link("follow", "去对接跟踪", params, icon=":material/handshake:")


def by_hand(need_id: str) -> None:
    """Why a team is not suggested, and pairing any published need with any team."""
    app = resources.application()
    needs = {n.need_id: n for n in app.records.needs(NeedFilter(statuses=frozenset({NeedStatus.PUBLISHED})))}
    experts = {expert.expert_id: expert for expert in app.records.experts()}
    if not needs or not experts:
        st.info("先要有已发布的需求和团队，才能配对。")
        return
    listed = list(needs)
    first, second = st.columns(2)
    with first:
        need = st.selectbox(
            "需求",
            listed,
            index=listed.index(need_id) if need_id in needs else None,
            key=f"{PAGE}_hand_need",
            format_func=lambda one: f"{need_title(needs[one])}　{needs[one].company}",
            placeholder="选一条需求，或输入名称、企业查找",
        )
    with second:
        expert = st.selectbox(
            "团队",
            list(experts),
            index=None,
            key=f"{PAGE}_hand_expert",
            format_func=lambda one: (
                f"{experts[one].name}{SAMPLE_BADGE * experts[one].is_sample}　{experts[one].institution}"
            ),
            placeholder="选一个团队，或输入名称、单位查找",
        )
    st.text_input(
        "备注（配对时写明缘由）", key=f"{PAGE}_hand_note", max_chars=MAX_NOTE, placeholder="例如：企业点名"
    )
    missing = need is None or expert is None
    with st.container(horizontal=True):
        asked = st.button(
            "为什么没有推荐这个团队？", key=f"{PAGE}_why", icon=":material/help:", disabled=missing
        )
        st.button(
            "配对并开始对接", key=f"{PAGE}_hand_pair", type="primary", disabled=missing, on_click=_pair,
            args=(need, expert),
        )  # fmt: skip
    if asked and need and expert:
        with guard.calm("why not"):
            found = app.review.why_not(need, expert)
            st.info(f"**{md(found.kind)}**　{md(found.message)}")
            if found.match is not None:
                show(cards.match_html(found.match, cards.expert_who(experts[expert]), cards.Sides()))


def _pair(need_id: str, expert_id: str) -> None:
    with guard.calm_action("pair by hand"):
        resources.application().review.pair(
            need_id, expert_id, str(st.session_state[f"{PAGE}_hand_note"] or "")
        )
        review_tray.put_away()
        st.session_state[f"{PAGE}_hand_note"] = ""
        guard.say_done("已配对，开始对接，由您经办。")
