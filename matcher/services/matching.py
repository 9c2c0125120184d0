"""Matching: need → experts, expert → needs, free text → either, and why somebody is not listed.

Owns turning scores into a ``Ranking``: forbidden pairs and filters applied, evidence found for the pairs shown, the
run recorded. Scores themselves come from ``matcher.ranking``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from matcher.export.document import shown_score
from matcher.models import Exclusion, Expert, Need, PracticalSignal
from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.ranking.evidence import EvidenceFinder
from matcher.ranking.practical import REORDER_WEIGHT, compute_practical, practical_mean
from matcher.ranking.scorer import Query, need_query, text_query
from matcher.services.access import Access, permits
from matcher.services.engine import Engine
from matcher.services.rankings import (
    BEIJING,
    RankedPair,
    Ranking,
    checked_text,
    far_off,
    make_ranking,
    match_at,
    open_needs,
    place_of,
    weakest_channel,
    with_evidence,
)
from matcher.services.reranking import Rereader
from matcher.services.snapshot import Snapshot
from matcher.vocab import Direction
from matcher.workflow.permissions import Action


class MatchingService:
    """All four ways to ask.

    Args:
        engine: gives snapshots.
        clock: gives the present UTC time.
        rereader: puts the first results into a better order, when that is switched on.
    """

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], rereader: Rereader, access: Access
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._access = access
        self._rereader = rereader

    @permits(Action.MATCH_NEED)
    def for_need(
        self, need_id: str, *, filter: ExpertFilter | None = None, top: int = 20, practical: bool = False
    ) -> Ranking:
        """Experts for a stored need, best first.

        Raises:
            NotFoundError: no such need.
        """
        snapshot, lacks = self._engine.question()
        need = self._access.need(snapshot.records.need(need_id), Action.MATCH_NEED)
        wanted, direction = filter or ExpertFilter(), Direction.NEED_TO_EXPERTS
        return self._experts(snapshot, lacks, need_query(need), need, direction, wanted, top, practical)

    @permits(Action.SEARCH)
    def experts_for_text(
        self, text: str, *, filter: ExpertFilter | None = None, top: int = 20, practical: bool = False
    ) -> Ranking:
        """Experts for free text. Raises InputError when the text is empty or too long."""
        query = text_query(checked_text(text))
        snapshot, lacks = self._engine.question()
        wanted, direction = filter or ExpertFilter(), Direction.TEXT_TO_EXPERTS
        return self._experts(snapshot, lacks, query, None, direction, wanted, top, practical)

    @permits(Action.SEARCH)
    def needs_for_text(self, text: str, *, filter: NeedFilter | None = None, top: int = 20) -> Ranking:
        """Needs for free text. Raises InputError when the text is empty or too long."""
        query, wanted = text_query(checked_text(text)), open_needs(filter)
        snapshot, lacks = self._engine.question()
        scorer, needs = snapshot.needs, snapshot.records.needs
        asked = scorer.ask([query])
        scores = scorer.rate(asked)
        ids = scorer.index.pool.item_ids
        order = sorted(range(len(ids)), key=lambda i: (-round(float(scores.score[0, i]), 6), ids[i]))
        reading, unread = self._rereader.reread(scorer, query, scores.score[0])
        if reading:
            order.sort(key=reading.place.__getitem__)
        kept = [row for row in order if not wanted.reason(needs[ids[row]])]
        finder = EvidenceFinder(scorer, query) if ids else None
        pairs = []
        for rank, row in enumerate(kept[:top], 1):
            match = replace(match_at(scorer, scores, 0, row, ids[row], ""), rank=rank)
            match = replace(match, practical=reading.signal(row)) if reading else match
            pairs.append(
                RankedPair(with_evidence(match, finder, row) if finder else match, needs[ids[row]], None)
            )
        return make_ranking(
            snapshot,
            lacks + unread + far_off(scorer, asked[0]),
            query,
            Direction.TEXT_TO_NEEDS,
            pairs,
            scorer,
            len(order) - len(kept),
            0,
            wanted,
            top,
            False,
            created_at=self._clock(),
            reranker=self._rereader.params if reading else None,
        )

    @permits(Action.MATCH_EXPERT)
    def for_expert(self, expert_id: str, *, filter: NeedFilter | None = None, top: int = 20) -> Ranking:
        """Needs for a stored expert, by the same score each pair has from the need's side.

        Raises:
            NotFoundError: no such expert.
        """
        (snapshot, lacks), wanted = self._engine.question(), open_needs(filter)
        expert = self._access.expert(snapshot.records.expert(expert_id), Action.MATCH_EXPERT)
        scorer, needs = snapshot.experts, snapshot.records.needs
        column = scorer.index.pool.position[expert_id]
        seen = [i for i in snapshot.need_ids if self._access.sees_need(needs[i])]
        allowed = [i for i in seen if not snapshot.records.forbidden.kind(needs[i].company, expert)]
        ids = [i for i in allowed if not wanted.reason(self._access.shown_need(needs[i]))]
        scores = snapshot.scores_of(ids)
        order = sorted(range(len(ids)), key=lambda i: (-round(float(scores.score[i, column]), 6), ids[i]))
        capacity = snapshot.records.history.capacity_left(expert)
        pairs = []
        for rank, i in enumerate(order[:top], 1):
            need = needs[ids[i]]
            match = match_at(scorer, scores, i, column, need.need_id, expert_id)
            # What a team has had to do with a firm would name a firm it may not know.
            signals = self._practical(snapshot, expert, need.company) if self._access.is_bureau else ()
            match = replace(match, rank=rank, practical=signals)
            match = with_evidence(match, EvidenceFinder(scorer, need_query(need)), column)
            place = place_of(scores, i, column, scorer.index.pool.item_ids)
            match = self._access.shown_match(match, need)
            pairs.append(RankedPair(match, self._access.shown_need(need), expert, capacity, place))
        query = Query(expert_id, ())
        return make_ranking(
            snapshot,
            lacks,
            query,
            Direction.EXPERT_TO_NEEDS,
            pairs,
            scorer,
            len(allowed) - len(ids),
            len(seen) - len(allowed) if self._access.is_bureau else 0,
            wanted,
            top,
            False,
            created_at=self._clock(),
        )

    @permits(Action.SEE_QUEUE)
    def explain_absence(
        self,
        need_id: str,
        expert_id: str,
        *,
        filter: ExpertFilter | None = None,
        top: int = 20,
        practical: bool = False,
    ) -> Exclusion:
        """Say why an expert is not among the first ``top`` for a need, with the pair's own match.

        The rank named is the one among the experts who may be listed at all, before any filter.
        """
        (snapshot, lacks), wanted = self._engine.question(), filter or ExpertFilter()
        need, expert = snapshot.records.need(need_id), snapshot.records.expert(expert_id)
        scorer = snapshot.experts
        row = scorer.index.pool.position[expert_id]
        forbidden = snapshot.records.forbidden.kind(need.company, expert)
        everyone = self._experts(
            snapshot, lacks, need_query(need), need, Direction.NEED_TO_EXPERTS, ExpertFilter(),
            len(snapshot.records.experts), practical, explain=(row,),
        )  # fmt: skip
        match = next((p.match for p in everyone.pairs if p.match.expert_id == expert_id), None)
        if match is None:
            message = f"台账里这家企业与该团队（单位）标为“{forbidden}”，不再推荐。"
            return Exclusion(expert_id, forbidden, message)
        reason = wanted.reason(expert, snapshot.records.history.capacity_left(expert))
        if reason:
            return Exclusion(expert_id, "筛选条件", f"{reason}；不加任何筛选时排第 {match.rank} 位。", match)
        history = snapshot.records.history
        listed = [
            p.match
            for p in everyone.pairs
            if p.expert and not wanted.reason(p.expert, history.capacity_left(p.expert))
        ]
        place = next(n for n, other in enumerate(listed, 1) if other.expert_id == expert_id)
        if place <= top:
            return Exclusion(expert_id, "已列出", f"该团队已在名单中，排第 {place} 位。", match)
        last = listed[top - 1]
        message = (
            f"匹配度 {shown_score(match.score):.1f}，在可列的 {len(listed)} 个团队中排第 {place} 位；"
            f"名单末位为 {shown_score(last.score):.1f}，差距主要在“{weakest_channel(match, last)}”。"
        )
        if everyone.run.parameters.get("reranker"):
            message += "前几位的先后按精读得分调整过。"
        if not match.evidence:
            return Exclusion(expert_id, "无匹配依据", message + "团队资料中没有与需求对得上的内容。", match)
        return Exclusion(expert_id, "排名靠后", message, match)

    # ------------------------------------------------------------ parts

    def _experts(
        self,
        snapshot: Snapshot,
        lacks: tuple[str, ...],
        query: Query,
        need: Need | None,
        direction: Direction,
        wanted: ExpertFilter,
        top: int,
        practical: bool,
        explain: Sequence[int] | None = None,
    ) -> Ranking:
        """Rank the experts; evidence is found for those in the rows ``explain``, or for all listed."""
        scorer, records = snapshot.experts, snapshot.records
        asked = scorer.ask([query])
        scores, far = scorer.rate(asked), () if need else far_off(scorer, asked[0])
        ids = scorer.index.pool.item_ids
        company = need.company if need else ""
        reading, unread = self._rereader.reread(scorer, query, scores.score[0])
        order_score = reading.order_score if reading else scores.score[0]
        kept: list[tuple[float, int, str, int, tuple[PracticalSignal, ...]]] = []
        n_filtered = n_forbidden = 0
        for row, expert_id in enumerate(ids):
            expert = records.experts[expert_id]
            if company and records.forbidden.kind(company, expert):
                n_forbidden += 1
            elif wanted.reason(self._access.shown_expert(expert), records.history.capacity_left(expert)):
                n_filtered += 1
            else:
                signals = self._practical(snapshot, expert, company) if practical else ()
                key = round(float(order_score[row]) + REORDER_WEIGHT * practical_mean(signals), 6)
                kept.append((-key, reading.place[row] if reading else 0, expert_id, row, signals))
        finder = EvidenceFinder(scorer, query) if kept else None
        pairs = []
        for rank, (_, _, expert_id, row, signals) in enumerate(sorted(kept)[:top], 1):
            expert = records.experts[expert_id]
            match = match_at(scorer, scores, 0, row, need.need_id if need else "", expert_id)
            shown = signals or self._practical(snapshot, expert, company)
            shown = (*reading.signal(row), *shown) if reading else shown
            match = replace(match, rank=rank, practical=shown)
            if finder and (explain is None or row in explain):
                match = with_evidence(match, finder, row)
            match, shown_expert = self._access.shown_match(match), self._access.shown_expert(expert)
            pairs.append(RankedPair(match, need, shown_expert, records.history.capacity_left(expert)))
        return make_ranking(
            snapshot,
            lacks + unread + far,
            query,
            direction,
            pairs,
            scorer,
            n_filtered,
            n_forbidden,
            wanted,
            top,
            practical,
            created_at=self._clock(),
            reranker=self._rereader.params if reading else None,
        )

    def _practical(self, snapshot: Snapshot, expert: Expert, company: str) -> tuple[PracticalSignal, ...]:
        today = (self._clock() + BEIJING).date()
        return compute_practical(expert, company, snapshot.records.history, today)
