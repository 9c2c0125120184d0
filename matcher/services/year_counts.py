"""What the year looks like: every number of the dashboard with the ids of what it counts.

Owns the funnel, the days a stage takes and the reasons of refusals. Which row counts as a signed contract is decided in
``progress``, the groups are ``year_groups``'s. Pure: the service reads, and asks for permission.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from matcher.config import Targets
from matcher.models import Engagement, Need
from matcher.services.progress import signed_projects, year_share
from matcher.services.reminders import day_of
from matcher.services.snapshot import Records
from matcher.services.year_groups import CONTRACTS, NEEDS, NO_NAME, PAIRS, Groups, Number, Share, contracts
from matcher.store.entries import AuditEvent, Decision
from matcher.vocab import CooperationKind, DecisionKind, NeedStatus, Ring, Sector, Stage
from matcher.workflow.states import ACTIVE_STAGES

_PATH = (Stage.PROPOSED, Stage.CONTACT, Stage.TALKS, Stage.SIGNED, Stage.LANDED)
_FUNNEL = ("收集的需求", "已发布", "有接受的团队", "进入对接", "洽谈", "签约", "落地")
_WAS_PUBLISHED = (NeedStatus.PUBLISHED, NeedStatus.SOLVED)


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """Needs that came this far. The shares are 0–1, of the step before and of the first; None where that is empty."""

    label: str
    number: Number
    of_before: float | None
    of_first: float | None


@dataclass(frozen=True, slots=True)
class StageDays:
    """Median whole days spent in a stage by those who left it in the year; ``number.ids`` are those."""

    stage: str
    number: Number


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One year.

    ``expected`` is where the year must be by now, ``due_by_month`` where it must be at the end of each month, both in
    contracts. ``closest`` are those in 洽谈, ``under_way`` all before a signature. ``cells`` are by (sector,
    institution). ``undated`` are needs of no known year, left out of the funnel.
    """

    year: int
    today: date
    target: int
    expected: float
    signed: Number
    samples: int
    by_month: tuple[Number, ...]
    due_by_month: tuple[float, ...]
    landed: Number
    ended: Number
    closest: Number
    under_way: Number
    total: Number
    total_target: int
    total_years: tuple[int, int]
    total_landed: Number
    total_ended: Number
    funnel: tuple[FunnelStep, ...]
    undated: Number
    sectors: tuple[Share, ...]
    institutions: tuple[Share, ...]
    cells: Mapping[tuple[str, str], Share]
    towns: tuple[Share, ...]
    rings: tuple[Share, ...]
    stage_days: tuple[StageDays, ...]
    end_reasons: tuple[tuple[str, Number], ...]
    reject_reasons: tuple[tuple[str, Number], ...]


@dataclass(frozen=True, slots=True)
class YearSource:
    """What a year is counted from, of one moment; ``need_events`` and ``events`` (of 对接) are oldest first."""

    records: Records
    decisions: Mapping[tuple[str, str], Decision]
    need_events: Sequence[AuditEvent]
    events: Sequence[AuditEvent]


def build_dashboard(source: YearSource, targets: Targets, year: int, today: date) -> Dashboard:
    """All numbers of a year."""
    records = source.records
    signed = signed_projects(records.cooperation, year)
    first, last = targets.first_year, targets.last_year
    total = [
        row
        for row in signed_projects(records.cooperation)
        if row.signed_on and first <= row.signed_on.year <= last
    ]
    moving = [
        row
        for row in records.cooperation
        if row.kind == CooperationKind.COOPERATION and row.signed_on is None and row.stage in ACTIVE_STAGES
    ]
    share = year_share(today) if year == today.year else float(year < today.year)
    groups = Groups(records, signed, moving)
    steps, undated = _funnel(source, year)
    return Dashboard(
        year,
        today,
        targets.yearly,
        targets.yearly * share,
        contracts(signed),
        sum(row.is_sample for row in signed),
        tuple(
            contracts(r for r in signed if r.signed_on and r.signed_on.month == month)
            for month in range(1, 13)
        ),
        tuple(targets.yearly * month / 12 for month in range(1, 13)),
        contracts(row for row in signed if row.stage == Stage.LANDED),
        contracts(row for row in signed if row.stage == Stage.ENDED),
        contracts(row for row in moving if row.stage == Stage.TALKS),
        contracts(moving),
        contracts(total),
        targets.total,
        (first, last),
        contracts(row for row in total if row.stage == Stage.LANDED),
        contracts(row for row in total if row.stage == Stage.ENDED),
        steps,
        undated,
        groups.by("sector", list(Sector)),
        groups.by("institution"),
        groups.cells(),
        groups.by("town"),
        groups.by("ring", list(Ring)),
        _stage_days(source, year),
        _end_reasons(records.engagements.values(), year),
        _reject_reasons(source.decisions.values(), year),
    )


def _farthest(source: YearSource) -> dict[str, int]:
    """Need id → how far its 对接 have come, as a place in ``_PATH``; one that ended counts where it stood before."""
    before_end: dict[str, str] = {}
    for event in source.events:
        if event.action == "engagement.step" and event.detail.get("to") == Stage.ENDED:
            before_end[event.object_id] = str(event.detail.get("from", ""))
    farthest: dict[str, int] = {}
    for one in source.records.engagements.values():
        stage = one.stage
        if stage == Stage.ENDED:
            stage = Stage.SIGNED if one.signed_on else before_end.get(one.engagement_id) or Stage.PROPOSED
        farthest[one.need_id] = max(farthest.get(one.need_id, 0), _PATH.index(Stage(stage)))
    return farthest


def _funnel(source: YearSource, year: int) -> tuple[tuple[FunnelStep, ...], Number]:
    posted: dict[str, date] = {}
    published: set[str] = set()
    for event in source.need_events:
        if event.action == "need.post":
            posted.setdefault(event.object_id, day_of(event.at))
        if event.action in ("need.post", "need.step") and event.detail.get("to") in _WAS_PUBLISHED:
            published.add(event.object_id)
    needs = {key: n for key, n in source.records.needs.items() if n.status != NeedStatus.DRAFT}

    def day(need: Need) -> date | None:
        return posted.get(need.need_id) or need.posted_on

    collected = [key for key, need in needs.items() if (on := day(need)) is not None and on.year == year]
    undated = tuple(key for key, need in needs.items() if day(need) is None)
    farthest = _farthest(source)
    accepted = {n for (n, _), said in source.decisions.items() if said.kind == DecisionKind.ACCEPT}
    accepted |= farthest.keys()
    published |= accepted | {key for key, need in needs.items() if need.status in _WAS_PUBLISHED}
    reached = [set(collected), published, accepted]
    reached += [{n for n, level in farthest.items() if level >= least} for least in range(1, len(_PATH))]
    steps: list[FunnelStep] = []
    for label, those in zip(_FUNNEL, reached, strict=True):
        ids = tuple(key for key in collected if key in those)
        before, first = (steps[-1].number.value, steps[0].number.value) if steps else (0, 0)
        steps.append(
            FunnelStep(
                label,
                Number(len(ids), ids, NEEDS),
                len(ids) / before if before else None,
                len(ids) / first if first else None,
            )
        )
    return tuple(steps), Number(len(undated), undated, NEEDS)


def _stage_days(source: YearSource, year: int) -> tuple[StageDays, ...]:
    since: dict[str, tuple[str, datetime]] = {}
    stays: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in source.events:
        key = event.object_id
        if key not in source.records.engagements or event.action not in (
            "engagement.begin",
            "engagement.step",
        ):
            continue
        if key in since and day_of(event.at).year == year:
            stage, began = since[key]
            stays[stage].append(((day_of(event.at) - day_of(began)).days, key))
        since[key] = str(event.detail.get("to", "")), event.at
    return tuple(
        StageDays(
            stage,
            Number(median(n for n, _ in stays[stage]), tuple(dict.fromkeys(k for _, k in stays[stage]))),
        )
        for stage in _PATH
        if stays[stage]
    )


def _end_reasons(engagements: Iterable[Engagement], year: int) -> tuple[tuple[str, Number], ...]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in engagements:
        if one.stage == Stage.ENDED and one.ended_on is not None and one.ended_on.year == year:
            found[one.end_reason or NO_NAME].append(one.engagement_id)
    return _counted(found, CONTRACTS)


def _reject_reasons(decisions: Iterable[Decision], year: int) -> tuple[tuple[str, Number], ...]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in decisions:
        if one.kind == DecisionKind.REJECT and day_of(one.decided_at).year == year:
            found[one.reason or NO_NAME].append(f"{one.need_id}|{one.expert_id}")
    return _counted(found, PAIRS)


def _counted(found: Mapping[str, Sequence[str]], kind: str) -> tuple[tuple[str, Number], ...]:
    numbers = [(reason, Number(len(ids), tuple(ids), kind)) for reason, ids in found.items()]
    return tuple(sorted(numbers, key=lambda pair: (-pair[1].value, pair[0])))
