"""Rankings: the answer to one question, and the run that records how it came about.

Owns the shape of an answer and its run id. Equal questions over equal data give the same run id, so a list ticked
from a page, a file and a command line can be compared by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from matcher.models import Expert, Match, Need, RequirementLine, Run
from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.ranking.evidence import EvidenceFinder
from matcher.ranking.scorer import PoolScores, Query, Scorer
from matcher.vocab import Channel, Direction

BEIJING = timedelta(hours=8)
FREE_TEXT = "text"


@dataclass(frozen=True, slots=True)
class RankedPair:
    """One line of a ranking. ``rank_in_need`` is the expert's place among all experts for that need."""

    match: Match
    need: Need | None = None
    expert: Expert | None = None
    capacity_left: int | None = None
    rank_in_need: int | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer to one question. ``run.matches`` are the matches of ``pairs``, in the same order."""

    run: Run
    pairs: tuple[RankedPair, ...]
    n_pool: int
    n_filtered: int
    n_forbidden: int
    topics: tuple[str, ...]
    degraded: tuple[str, ...]
    query_lines: tuple[RequirementLine, ...]


def match_at(
    scorer: Scorer, scores: PoolScores, query: int, item: int, need_id: str, expert_id: str
) -> Match:
    """The match of one cell of the score matrix, without rank and evidence."""
    return Match(
        need_id,
        expert_id,
        0,
        round(float(scores.score[query, item]), 6),
        {c: float(scores.signals[c][query, item]) for c in Channel if c in scorer.channels},
        {c: float(scores.contributions[c][query, item]) for c in Channel if c in scorer.channels},
    )


def with_evidence(match: Match, finder: EvidenceFinder, row: int) -> Match:
    return replace(match, evidence=finder.find(row), gaps=finder.gaps(row))


def place_of(scores: PoolScores, query: int, item: int, ids: Sequence[str]) -> int:
    """Place of an item among all items of the pool, ties by id, from 1."""
    own = round(float(scores.score[query, item]), 6)
    row = scores.score[query].round(6)
    ahead = int((row > own).sum())
    return 1 + ahead + sum(1 for i in (row == own).nonzero()[0] if ids[i] < ids[item])


def _filters_of(wanted: ExpertFilter | NeedFilter) -> dict[str, object]:
    """The filters that are set, as JSON values."""
    values = ((name, getattr(wanted, name)) for name in wanted.__dataclass_fields__)
    return {name: sorted(v) if isinstance(v, frozenset) else v for name, v in values if v}


def build_run(
    scorer: Scorer,
    query: Query,
    direction: Direction,
    matches: Sequence[Match],
    *,
    created_at: datetime,
    revision: int,
    degraded: tuple[str, ...],
    wanted: ExpertFilter | NeedFilter,
    top: int,
    practical: bool,
) -> Run:
    """Record a ranking. The run id is a hash of question, parameters, data, model and result; time is not in it."""
    parameters: dict[str, object] = {
        "weights": {channel.value: weight for channel, weight in scorer.params.weights.items()},
        "filters": _filters_of(wanted),
        "top": top,
        "practical": practical,
    }
    shown = query.text if query.query_id == FREE_TEXT else query.query_id
    manifest = scorer.index.manifest
    identity = json.dumps(
        [direction, shown, parameters, manifest.pool, manifest.lexicon, manifest.encoder, revision, degraded]
        + [[m.need_id, m.expert_id, m.score] for m in matches],
        ensure_ascii=False,
        sort_keys=True,
    )
    return Run(
        "R" + hashlib.sha256(identity.encode()).hexdigest()[:10].upper(),
        created_at,
        direction,
        shown,
        scorer.encoder.name if scorer.encoder else "",
        f"{revision}-{manifest.pool[:8]}",
        parameters,
        degraded,
        tuple(matches),
    )
