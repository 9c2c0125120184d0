"""为什么没有某团队？: the reason why an expert is not listed, asked for one expert at a time."""

from __future__ import annotations

import streamlit as st

from matcher.ranking.eligibility import ExpertFilter
from matcher.ui import guard, resources, texts
from matcher.ui.components import cards
from matcher.ui.components.html import md, show


def absence(page: str, need_id: str, wanted: ExpertFilter, top: int, *, practical: bool) -> None:
    """The question as a menu of the toolbar; ``wanted``, ``top`` and ``practical`` as in the ranking shown."""
    with st.popover("为什么没有某团队？", icon=":material/help:", key=f"{page}_absence"):
        _ask(page, need_id, wanted, top, practical)


@st.fragment
def _ask(page: str, need_id: str, wanted: ExpertFilter, top: int, practical: bool) -> None:
    app = resources.application()
    by_id = {expert.expert_id: expert for expert in app.records.experts()}

    def name(expert_id: str) -> str:
        expert = by_id[expert_id]
        badge = texts.SAMPLE_BADGE if expert.is_sample else ""
        return f"{expert.name}{badge}　{expert.institution}"

    chosen = st.selectbox(
        "团队",
        list(by_id),
        index=None,
        key=f"{page}_absence_expert",
        format_func=name,
        placeholder="选一个团队，或输入名称、单位查找",
    )
    # Only on the click: the question ranks once more.
    if st.button("查原因", key=f"{page}_absence_ask", disabled=chosen is None) and chosen:
        with guard.calm("absence"):
            found = app.matching.explain_absence(need_id, chosen, filter=wanted, top=top, practical=practical)
            st.info(f"**{md(found.kind)}**　{md(found.message)}")
            if found.match is not None:
                show(cards.match_html(found.match, cards.expert_who(by_id[chosen]), cards.Sides()))
