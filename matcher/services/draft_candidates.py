"""Candidate teams for a need that is not stored: the same scores and evidence it will have once it is.

Owns that ranking alone. It knows neither filters nor re-reading: a form being typed is ranked after every field.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from matcher.models import Need
from matcher.ranking.eligibility import ExpertFilter
from matcher.ranking.evidence import EvidenceFinder
from matcher.ranking.practical import compute_practical
from matcher.ranking.scorer import need_query
from matcher.services.access import Access
from matcher.services.rankings import BEIJING, RankedPair, Ranking, make_ranking, match_at, with_evidence
from matcher.services.snapshot import Snapshot
from matcher.vocab import Direction


def rank_draft(
    snapshot: Snapshot, lacks: tuple[str, ...], access: Access, need: Need, top: int, *, now: datetime
) -> Ranking:
    """The best teams for a need that need not be stored, without the pairs the 台账 forbids.

    Args:
        snapshot: records and scorers of one moment.
        lacks: sentences saying what the ranking lacks.
        access: teams are shown as this person may see them.
        need: may be unfinished; without any text the ranking is empty.
        top: at most so many.
        now: UTC.
    """
    query, scorer, records = need_query(need), snapshot.experts, snapshot.records
    ids = scorer.index.pool.item_ids
    pairs: list[RankedPair] = []
    n_forbidden = 0
    if query.lines and ids:
        scores = scorer.score([query])
        score = scores.score[0].round(6)
        free = [r for r, i in enumerate(ids) if not records.forbidden.kind(need.company, records.experts[i])]
        n_forbidden = len(ids) - len(free)
        finder, today = EvidenceFinder(scorer, query), (now + BEIJING).date()
        for rank, row in enumerate(sorted(free, key=lambda r: (-float(score[r]), ids[r]))[:top], 1):
            expert = records.experts[ids[row]]
            match = match_at(scorer, scores, 0, row, need.need_id, expert.expert_id)
            practical = compute_practical(expert, need.company, records.history, today)
            match = with_evidence(replace(match, rank=rank, practical=practical), finder, row)
            capacity = records.history.capacity_left(expert)
            shown = access.shown_match(match), need, access.shown_expert(expert), capacity
            pairs.append(RankedPair(*shown))
    direction = Direction.NEED_TO_EXPERTS
    return make_ranking(
        snapshot, lacks, query, direction, pairs, scorer, 0, n_forbidden, ExpertFilter(), top, False, created_at=now
    )  # fmt: skip
