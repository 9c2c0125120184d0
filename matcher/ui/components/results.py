"""A ranking on a page: what was asked, warnings, and its cards with their actions."""

from __future__ import annotations

import streamlit as st

from matcher.services.exporting import describe_filters
from matcher.services.rankings import RankedPair, Ranking
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import cards, ticks
from matcher.ui.components.html import Html, md, show
from matcher.vocab import Direction

N_OPEN = 5
N_TOPICS = 3
_BY_EXPERT = (Direction.NEED_TO_EXPERTS, Direction.TEXT_TO_EXPERTS)
_FREE_TEXT = (Direction.TEXT_TO_EXPERTS, Direction.TEXT_TO_NEEDS)


def _by_expert(ranking: Ranking) -> bool:
    return ranking.run.direction in _BY_EXPERT


def summary(page: str, ranking: Ranking, *, note: str = texts.SCORE_NOTE) -> None:
    """One line on what the ranking covers with its explanation, and a warning when it is not complete."""
    for sentence in ranking.degraded:
        st.warning(md(sentence), icon=":material/info:")
    noun, unit = ("个团队", "位") if _by_expert(ranking) else ("条需求", "条")
    parts = [f"从 {ranking.n_pool} {noun}中列出前 {len(ranking.pairs)} {unit}"]
    filters, by_itself = _filters(ranking)
    if ranking.n_filtered:
        parts.append(f"筛选排除 {ranking.n_filtered} 个" if filters or not by_itself else by_itself)
    if ranking.n_forbidden:
        parts.append(f"因回避或勿联系排除 {ranking.n_forbidden} 个")
    if filters:
        parts.append(filters)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(md("。".join(parts) + "。" + note), width="content")
        _explanation(page, ranking)


def _filters(ranking: Ranking) -> tuple[str, str]:
    """The filters somebody set in words, and what is said when needs that are not open were left out unasked."""
    filters = ranking.run.parameters.get("filters")
    seeks_needs = ranking.run.direction in {Direction.EXPERT_TO_NEEDS, Direction.TEXT_TO_NEEDS}
    left_out = seeks_needs and not filters and ranking.n_filtered
    note = f"另有 {ranking.n_filtered} 条是草稿或已了结，不列" if left_out else ""
    return describe_filters(ranking.run.parameters), note


def _explanation(page: str, ranking: Ranking) -> None:
    """A menu on where the numbers come from: how they are made, what the words called to mind, the run id."""
    with st.popover("说明", type="tertiary", key=f"{page}_about"):
        st.caption(texts.SCORE_PARTS)
        if ranking.topics:
            st.caption(md("联想到：" + "、".join(ranking.topics[:N_TOPICS])))
        st.caption(md(f"运行编号 {ranking.run.run_id}"))


def results(page: str, ranking: Ranking) -> None:
    """The cards: the first five open, the others folded, the weak ones out of the way."""
    n_all = len(ranking.pairs)
    if not n_all:
        st.info(texts.NOTHING_LISTED)
        return
    n_good = n_all - ranking.n_weak
    for number, pair in enumerate(ranking.pairs[:n_good], 1):
        if number <= N_OPEN:
            with st.container(border=True, key=f"{page}_card_{number}"):
                _fill(page, ranking, pair)
        else:
            _folded(page, ranking, pair, number)
    if not ranking.n_weak:
        return
    if not n_good:
        st.info(texts.ALL_WEAK if _by_expert(ranking) else texts.ALL_WEAK_NEEDS, icon=":material/info:")
    # Without a good one, the weak ones are all there is to see.
    label = f"关联较弱的 {ranking.n_weak} 个（可不看）"
    with st.expander(label, expanded=not n_good, icon=":material/low_priority:", key=f"{page}_weak"):
        for number, pair in enumerate(ranking.pairs[n_good:], n_good + 1):
            _folded(page, ranking, pair, number)


def _folded(page: str, ranking: Ranking, pair: RankedPair, number: int) -> None:
    title = md(cards.pair_title(pair, by_expert=_by_expert(ranking)))
    with st.expander(title, key=f"{page}_card_{number}"):
        _fill(page, ranking, pair)


def _fill(page: str, ranking: Ranking, pair: RankedPair) -> None:
    show(_card(ranking, pair))
    _actions(page, ranking, pair)


def _sides(ranking: Ranking) -> cards.Sides:
    direction = ranking.run.direction
    if direction not in _FREE_TEXT:
        return cards.Sides()
    # The whole text stands over the results already; of a longer one each card says which part it answers.
    query = "您的文字" if len(ranking.query_lines) > 1 else ""
    if direction == Direction.TEXT_TO_NEEDS:
        return cards.Sides(query, "需求内容", gaps=False, kinds=False)
    return cards.Sides(query, gaps=False)


def _card(ranking: Ranking, pair: RankedPair) -> Html:
    if _by_expert(ranking):
        who = cards.expert_who(pair.expert) if pair.expert else Html("")
    else:
        place = _place(pair.rank_in_need) if pair.rank_in_need else ""
        who = cards.need_who(pair.need, place) if pair.need else Html("")
    return cards.match_html(
        pair.match, who, _sides(ranking), practical_on=bool(ranking.run.parameters.get("practical"))
    )


def _place(rank: int) -> str:
    """The place of a team for a need; re-reading, which may list it elsewhere there, is not in it."""
    if resources.application().rereader.in_force:
        return f"按匹配度排第 {rank} 位（未计精读）"
    return f"该团队在这条需求中排第 {rank} 位"


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
