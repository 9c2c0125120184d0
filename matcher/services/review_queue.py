"""Which pairings wait for a decision, in which order, with their evidence, and what to mind about each.

Owns the choice and the order of the 审核台, computed from one snapshot and the decisions so far. Deliberately reads no
database and writes nothing: ``review`` does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from matcher.models import Expert, Match, Need, Run
from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.ranking.evidence import EvidenceFinder
from matcher.ranking.practical import FRESH_DAYS, compute_practical
from matcher.ranking.scorer import WEAK_SCORE, PoolScores, need_query
from matcher.services.rankings import BEIJING, build_run, match_at, place_of, with_evidence
from matcher.services.snapshot import Records, Snapshot
from matcher.store.entries import Decision
from matcher.vocab import CallType, DecisionKind, Direction, NeedStatus, Stage

PER_NEED = 5
LIMIT = 50
RECENT_DAYS = 60
"""A team recommended to somebody else within so many days is worth a word."""
_URGENT = (CallType.BOTTLENECK, CallType.OPEN_CALL)

Pair = tuple[str, str]
"""(need id, expert id)"""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One suggested pairing.

    ``rank_in_need`` is the team's place among all teams for the need, ``seen`` the latest decision id of the pair (0
    when there is none): whoever decides says what they saw. ``run`` is the ranking the item was taken from.
    """

    need: Need
    expert: Expert
    match: Match
    rank_in_need: int
    seen: int
    capacity_left: int | None
    warnings: tuple[str, ...]
    run: Run

    @property
    def pair(self) -> Pair:
        return self.need.need_id, self.expert.expert_id


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits. ``items`` are the first of ``n_total`` suggestions for ``n_needs`` needs.

    ``n_without`` counts published needs for which no team stands out; ``degraded`` says what the ranking lacks.
    """

    items: tuple[QueueItem, ...]
    n_total: int
    n_needs: int
    n_without: int
    encoder: str
    data_revision: int
    degraded: tuple[str, ...]


def build_queue(
    snapshot: Snapshot,
    latest: Mapping[Pair, Decision],
    wanted: NeedFilter,
    need_id: str,
    *,
    per_need: int,
    limit: int,
    now: datetime,
    degraded: tuple[str, ...],
    skip: Collection[Pair] = (),
) -> Queue:
    """Suggestions for published needs, the most urgent need first, within a need by score.

    Evidence is looked up for the needs of the first ``limit`` items only, so the time does not grow with the pool.

    Args:
        latest: the decision that counts, by pair.
        need_id: only this need; empty for all.
        now: the present UTC time.
        skip: pairs that count as waiting but are not returned.
    """
    records = snapshot.records
    alive = frozenset(
        (e.need_id, e.expert_id) for e in records.engagements.values() if e.stage != Stage.ENDED
    )
    served = {taken for taken, _ in alive}
    needs = [
        need
        for need in records.needs.values()
        if need.status == NeedStatus.PUBLISHED and need_id in ("", need.need_id) and not wanted.reason(need)
    ]
    needs.sort(key=lambda need: _order(need, served))
    scores = snapshot.scores_of([need.need_id for need in needs])
    items: list[QueueItem] = []
    ids, today = snapshot.experts.index.pool.item_ids, (now + BEIJING).date()
    n_total = n_needs = n_without = 0
    for row, need in enumerate(needs):
        strong, waiting = _waiting(snapshot, latest, alive, _strong(scores, row, ids), need, per_need)
        n_total += len(waiting)
        n_needs += bool(waiting)
        n_without += not strong
        shown = [column for column in waiting if (need.need_id, ids[column]) not in skip]
        if shown and len(items) < limit:
            matches = _matches(snapshot, scores, row, need, shown, today)
            run = _run(snapshot, need, matches, now, degraded)
            items += [_item(records, latest, need, match, run, today) for match in matches]
    scorer = snapshot.experts
    encoder = scorer.encoder.name if scorer.encoder else ""
    return Queue(tuple(items[:limit]), n_total, n_needs, n_without, encoder, records.revision, degraded)


def _order(need: Need, served: set[str]) -> tuple[int, bool, date, str]:
    urgency = _URGENT.index(CallType(need.call_type)) if need.call_type in _URGENT else len(_URGENT)
    return urgency, need.need_id in served, need.posted_on or date.max, need.need_id


def _waiting(
    snapshot: Snapshot,
    latest: Mapping[Pair, Decision],
    alive: frozenset[Pair],
    strong: Sequence[int],
    need: Need,
    per_need: int,
) -> tuple[bool, list[int]]:
    """Whether any team stands out, and the columns of those to be decided on, best first.

    The best ``per_need`` teams are looked at; only when all of these are shelved or found unfit come the next ones, so
    that a queue ends and yet no need is left with nobody.
    """
    records, ids = snapshot.records, snapshot.experts.index.pool.item_ids
    waiting: list[int] = []
    n_looked = 0
    accepted = False
    for column in strong:
        pair = need.need_id, ids[column]
        if records.forbidden.kind(need.company, records.experts[ids[column]]):
            continue
        n_looked += 1
        decision = latest.get(pair)
        if pair in alive:
            accepted = True
        elif decision is None or decision.kind == DecisionKind.UNDONE:
            waiting.append(column)
        if n_looked % per_need == 0 and (waiting or accepted):
            break
    return n_looked > 0, waiting


def _strong(scores: PoolScores, row: int, ids: Sequence[str]) -> list[int]:
    """Columns that are not weak, best first, ties by id."""
    values = scores.score[row].round(6)
    found = (int(column) for column in np.flatnonzero(values >= WEAK_SCORE))
    return sorted(found, key=lambda column: (-values[column], ids[column]))


def _item(
    records: Records, latest: Mapping[Pair, Decision], need: Need, match: Match, run: Run, today: date
) -> QueueItem:
    expert = records.experts[match.expert_id]
    decision = latest.get((need.need_id, expert.expert_id))
    return QueueItem(
        need,
        expert,
        match,
        match.rank,
        decision.decision_id if decision else 0,
        records.history.capacity_left(expert),
        warn(records, need, expert, today),
        run,
    )


def rank_pairs(
    snapshot: Snapshot, need: Need, expert_ids: Sequence[str], *, now: datetime, degraded: tuple[str, ...]
) -> Run:
    """The run of a need as of now, holding its best teams and the given ones, each with evidence."""
    scorer = snapshot.experts
    scores, pool = scorer.score([need_query(need)]), scorer.index.pool
    best = _strong(scores, 0, pool.item_ids)[:PER_NEED]
    columns = dict.fromkeys([*best, *(pool.position[expert_id] for expert_id in expert_ids)])
    matches = _matches(snapshot, scores, 0, need, list(columns), (now + BEIJING).date())
    return _run(snapshot, need, sorted(matches, key=lambda match: match.rank), now, degraded)


def _matches(
    snapshot: Snapshot, scores: PoolScores, row: int, need: Need, columns: Sequence[int], today: date
) -> list[Match]:
    scorer, records = snapshot.experts, snapshot.records
    ids = scorer.index.pool.item_ids
    finder = EvidenceFinder(scorer, need_query(need))
    made = []
    for column in columns:
        expert = records.experts[ids[column]]
        match = match_at(scorer, scores, row, column, need.need_id, expert.expert_id)
        practical = compute_practical(expert, need.company, records.history, today)
        match = replace(match, rank=place_of(scores, row, column, ids), practical=practical)
        made.append(with_evidence(match, finder, column))
    return made


def _run(
    snapshot: Snapshot, need: Need, matches: Sequence[Match], now: datetime, degraded: tuple[str, ...]
) -> Run:
    return build_run(
        snapshot.experts,
        need_query(need),
        Direction.NEED_TO_EXPERTS,
        matches,
        created_at=now,
        revision=snapshot.records.revision,
        thesaurus=snapshot.words.thesaurus.fingerprint,
        degraded=degraded,
        wanted=ExpertFilter(),
        top=PER_NEED,
        practical=False,
    )


def warn(records: Records, need: Need, expert: Expert, today: date) -> tuple[str, ...]:
    """What to mind before this team is recommended: who else was offered it, its capacity, an old profile."""
    said = []
    same, others = [], []
    for one in records.engagements_by_expert.get(expert.expert_id, ()):
        began = (one.created_at + BEIJING).date()
        if one.need_id == need.need_id and one.stage == Stage.ENDED:
            same.append(f"这一对以前对接过，已终止（{one.end_reason or '未写原因'}）。")
        elif one.need_id != need.need_id and (today - began).days <= RECENT_DAYS:
            to = (
                "同一家企业的另一条需求"
                if _same_firm(one.firm_id, one.firm, need)
                else f"另一家企业“{one.firm}”"
            )
            others.append((began, f"这个团队{_month(began, today)}已推荐给{to}，现在是“{one.stage}”。"))
    said += same
    said += [sentence for _, sentence in sorted(others, reverse=True)[:2]]
    if len(others) > 2:
        said.append(f"最近 {RECENT_DAYS} 天里，这个团队一共被推荐了 {len(others)} 次。")
    left = records.history.capacity_left(expert)
    if left is not None and left <= 0:
        load = records.history.load(expert.expert_id)
        said.append(f"这个团队的名额已满：上限 {expert.capacity} 项，在办 {load} 项。")
    if expert.updated_on is not None and (today - expert.updated_on).days > FRESH_DAYS:
        said.append(f"团队资料上次更新是 {expert.updated_on:%Y-%m-%d}，超过一年，联系前请先核实。")
    return tuple(said)


def _same_firm(firm_id: str, firm: str, need: Need) -> bool:
    return firm_id == need.firm_id if firm_id and need.firm_id else firm == need.company


def _month(day: date, today: date) -> str:
    months = (today.year - day.year) * 12 + today.month - day.month
    return {0: "本月", 1: "上月"}.get(months, f" {day.month} 月")
