"""Rankings: the answer to one question, and the run that records how it came about.

Owns the shape of an answer and its run id. Equal questions over equal data give the same run id, so a list ticked
from a page, a file and a command line can be compared by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from matcher.config import RerankerSettings
from matcher.encoding.protocol import DEFAULT as BUILTIN
from matcher.errors import InputError
from matcher.models import Expert, Match, Need, RequirementLine, Run
from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.ranking.evidence import EvidenceFinder
from matcher.ranking.scorer import WEAK_SCORE, Asked, PoolScores, Query, Scorer
from matcher.services.snapshot import Snapshot
from matcher.text.normalise import has_content
from matcher.vocab import Channel, Direction, NeedStatus

BEIJING = timedelta(hours=8)
FREE_TEXT = "text"
MAX_TEXT = 5_000
FAR_COSINE = 0.27  # of the built-in model: below it no item is said to be near (docs/evaluation.md)
OPEN_STATUSES = frozenset({"", NeedStatus.WAITING, NeedStatus.RETURNED, NeedStatus.PUBLISHED})


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

    @property
    def n_weak(self) -> int:
        """How many of the last pairs are weak: a score below ``WEAK_SCORE``, or no evidence.

        Counted from the end, so that the strong ones stay together at the top.
        """
        strong = [n for n, pair in enumerate(self.pairs, 1) if not is_weak(pair.match)]
        return len(self.pairs) - max(strong, default=0)


def is_weak(match: Match) -> bool:
    """Say whether a pair is hardly more than chance: see docs/evaluation.md for where the line was drawn."""
    return match.score < WEAK_SCORE or not match.evidence


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
    """The filters a person set, as JSON values; the default statuses are nobody's choice."""
    values = ((name, getattr(wanted, name)) for name in wanted.__dataclass_fields__)
    return {
        name: sorted(v) if isinstance(v, frozenset) else v for name, v in values if v and v != OPEN_STATUSES
    }


def _trace(match: Match) -> list[object]:
    """Everything of a match that a file may show."""
    evidence = [[e.line.line_id, e.facet.facet_id, e.strength] for e in match.evidence]
    practical = [[signal.name, signal.text] for signal in match.practical]
    return [match.need_id, match.expert_id, match.score, evidence, [g.line_id for g in match.gaps], practical]


def build_run(
    scorer: Scorer,
    query: Query,
    direction: Direction,
    matches: Sequence[Match],
    *,
    created_at: datetime,
    revision: int,
    thesaurus: str,
    degraded: tuple[str, ...],
    wanted: ExpertFilter | NeedFilter,
    top: int,
    practical: bool,
    reranker: RerankerSettings | None = None,
) -> Run:
    """Record a ranking. The run id is a hash of question, parameters, data, model and result; time is not in it."""
    parameters: dict[str, object] = {
        "weights": {channel.value: weight for channel, weight in scorer.params.weights.items()},
        "best_facets": scorer.params.best_facets,
        "facet_share": scorer.params.facet_share,
        "evidence_threshold": scorer.params.evidence_threshold,
        "thesaurus": thesaurus,
        "filters": _filters_of(wanted),
        "top": top,
        "practical": practical,
    }
    if reranker is not None:
        parameters["reranker"] = asdict(reranker)
    shown = query.text if query.query_id == FREE_TEXT else query.query_id
    manifest = scorer.index.manifest
    identity = json.dumps(
        [direction, shown, parameters, manifest.pool, manifest.lexicon, manifest.encoder, revision, degraded]
        + [_trace(match) for match in matches],
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


def make_ranking(
    snapshot: Snapshot,
    degraded: tuple[str, ...],
    query: Query,
    direction: Direction,
    pairs: Sequence[RankedPair],
    scorer: Scorer,
    n_filtered: int,
    n_forbidden: int,
    wanted: ExpertFilter | NeedFilter,
    top: int,
    practical: bool,
    *,
    created_at: datetime,
    reranker: RerankerSettings | None = None,
) -> Ranking:
    """Put the pairs of an answer together with the run that records it."""
    run = build_run(
        scorer,
        query,
        direction,
        [pair.match for pair in pairs],
        created_at=created_at,
        revision=snapshot.records.revision,
        thesaurus=snapshot.words.thesaurus.fingerprint,
        degraded=degraded,
        wanted=wanted,
        top=top,
        practical=practical,
        reranker=reranker,
    )
    reverse = direction == Direction.EXPERT_TO_NEEDS
    return Ranking(
        run,
        tuple(pairs),
        len(snapshot.need_ids) if reverse else len(scorer.index.pool.item_ids),
        n_filtered,
        n_forbidden,
        tuple(called.topic.name for called in scorer.topics(query)) if query.lines else (),
        degraded,
        query.lines,
    )


def far_off(scorer: Scorer, asked: Asked) -> tuple[str, ...]:
    """A sentence when free text resembles nothing in the pool, as far as the built-in model can tell."""
    known = scorer.encoder is not None and scorer.encoder.name == BUILTIN
    n_items = len(scorer.index.pool.item_ids)
    if not known or asked.cosines is None or not n_items or asked.cosines[:n_items].max() >= FAR_COSINE:
        return ()
    said = "这段话和库里资料的说法都不接近，下面的结果可能都不相关。"
    return (said + "请写清楚：什么设备或产品、出了什么现象、要达到什么要求。",)


def open_needs(filter: NeedFilter | None) -> NeedFilter:
    """The filter, or where it names no status: needs somebody may still be found for."""
    wanted = filter or NeedFilter()
    return wanted if wanted.statuses else replace(wanted, statuses=OPEN_STATUSES)


def checked_text(text: str) -> str:
    if not has_content(text):
        raise InputError("还没有输入要查的内容。", "请写一句话，例如“刹车片磨得快”。")
    if len(text) > MAX_TEXT:
        raise InputError(f"文字太长（{len(text)} 字）。", f"请控制在 {MAX_TEXT} 字以内。")
    return text


def weakest_channel(match: Match, last: Match) -> str:
    """Label of the channel where the match falls furthest behind another one."""
    channel = max(
        last.contributions,
        key=lambda c: (last.contributions[c] - match.contributions.get(c, 0.0), c.value),
    )
    return channel.label
