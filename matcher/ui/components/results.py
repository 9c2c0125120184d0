"""A ranking on a page: what was asked, warnings, and its cards with their actions."""

from __future__ import annotations

import streamlit as st

from matcher.services.exporting import describe_filters
from matcher.services.rankings import RankedPair, Ranking
from matcher.ui import guard, navigation, texts
from matcher.ui.components import cards, ticks
from matcher.ui.components.html import Html, md, show
from matcher.vocab import Direction

N_OPEN = 5
N_TOPICS = 4
_SIDES = {
    Direction.TEXT_TO_EXPERTS: cards.Sides(query="您的文字"),
    Direction.TEXT_TO_NEEDS: cards.Sides(query="您的文字", item="需求内容"),
}
_BY_EXPERT = (Direction.NEED_TO_EXPERTS, Direction.TEXT_TO_EXPERTS)


def summary(ranking: Ranking) -> None:
    """One line on what the ranking covers, and a warning when it is not complete."""
    for sentence in ranking.degraded:
        st.warning(md(sentence), icon=":material/info:")
    by_expert = ranking.run.direction in _BY_EXPERT
    noun = "个团队" if by_expert else "条需求"
    parts = [f"从 {ranking.n_pool} {noun}中列出前 {len(ranking.pairs)} 位"]
    if ranking.n_filtered:
        parts.append(f"筛选排除 {ranking.n_filtered} 个")
    if ranking.n_forbidden:
        parts.append(f"因回避或勿联系排除 {ranking.n_forbidden} 个")
    filters = describe_filters(ranking.run.parameters)
    if filters:
        parts.append(filters)
    if ranking.topics:
        parts.append("由原话联想到的技术主题：" + "、".join(ranking.topics[:N_TOPICS]))
    parts.append(f"运行编号 {ranking.run.run_id}")
    st.caption(md("。".join(parts) + "。"))


def results(page: str, ranking: Ranking) -> None:
    """The cards: the first five open, the rest folded."""
    if not ranking.pairs:
        st.info(texts.NOTHING_LISTED)
        return
    by_expert = ranking.run.direction in _BY_EXPERT
    for number, pair in enumerate(ranking.pairs, 1):
        if number <= N_OPEN:
            holder = st.container(border=True, key=f"{page}_card_{number}")
        else:
            title = md(cards.pair_title(pair, by_expert=by_expert))
            holder = st.expander(title, key=f"{page}_card_{number}")
        with holder:
            show(_card(ranking, pair, by_expert=by_expert))
            _actions(page, ranking, pair)


def _card(ranking: Ranking, pair: RankedPair, *, by_expert: bool) -> Html:
    direction = ranking.run.direction
    if by_expert:
        who = cards.expert_who(pair.expert) if pair.expert else Html("")
    else:
        place = f"该团队在这条需求中排第 {pair.rank_in_need} 位" if pair.rank_in_need else ""
        who = cards.need_who(pair.need, place) if pair.need else Html("")
    sides = _SIDES.get(direction, cards.Sides())
    return cards.match_html(
        pair.match, who, sides, practical_on=bool(ranking.run.parameters.get("practical"))
    )


@st.fragment
def _actions(page: str, ranking: Ranking, pair: RankedPair) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if pair.match.need_id and pair.match.expert_id:
            ticks.tick_box(page, ranking, pair)
        if pair.expert and page != "experts":
            expert_id = pair.expert.expert_id
            navigation.link("experts", "团队详情", {"expert": expert_id}, icon=":material/school:")
        if pair.need and page != "needs":
            need_id = pair.need.need_id
            navigation.link("needs", "需求详情与全部团队", {"need": need_id}, icon=":material/factory:")
    guard.show_kept()
