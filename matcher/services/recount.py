"""年度目标, counted a second time: from the audit log alone, and the 台账 as it was imported.

Owns walking the events one by one. Deliberately shares nothing with the dashboard but the vocabulary, so that the two
agree only when both are right; it knows no records, no store and no pages.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from matcher.models import Cooperation
from matcher.store.entries import AuditEvent
from matcher.vocab import CooperationKind, DecisionKind, NeedStatus, Stage

_CHINA = timedelta(hours=8)
_ORDER = (Stage.PROPOSED, Stage.CONTACT, Stage.TALKS, Stage.SIGNED, Stage.LANDED)
_LABELS = ("收集的需求", "已发布", "有接受的团队", "进入对接", "洽谈", "签约", "落地")


@dataclass(frozen=True, slots=True)
class Recount:
    """Numbers of one year. ``by_month`` has 12; ``funnel`` counts needs first posted in the year.

    ``landed`` and ``ended`` are of the contracts signed in the year. ``end_reasons`` and ``reject_reasons`` are
    (reason, count), the most frequent first.
    """

    year: int
    signed: int
    by_month: tuple[int, ...]
    landed: int
    ended: int
    funnel: tuple[tuple[str, int], ...]
    end_reasons: tuple[tuple[str, int], ...]
    reject_reasons: tuple[tuple[str, int], ...]


@dataclass
class _Walk:
    """One 对接 on its way through its events; ``top`` is how far it is on ``_ORDER`` now, or was when it ended."""

    need: str = ""
    stage: str = ""
    top: int = -1
    signed_on: date | None = None
    contract_no: str = ""
    ended_on: date | None = None
    why: str = ""

    def step(self, detail: Mapping[str, object]) -> None:
        self.stage = str(detail.get("to", ""))
        if self.stage == Stage.ENDED:
            self.ended_on, self.why = _day(detail.get("ended_on")), str(detail.get("why", ""))
            return
        self.top = _ORDER.index(Stage(self.stage))
        if self.stage == Stage.SIGNED and "signed_on" in detail:
            self.signed_on, self.contract_no = (
                _day(detail["signed_on"]),
                str(detail.get("contract_no") or ""),
            )
        if self.top < _ORDER.index(Stage.SIGNED):
            self.signed_on, self.contract_no = None, ""

    def edit(self, changes: object) -> None:
        if isinstance(changes, Mapping) and "contract_no" in changes:
            self.contract_no = str(changes["contract_no"][-1] or "")
        if isinstance(changes, Mapping) and "signed_on" in changes:
            self.signed_on = _day(changes["signed_on"][-1])


@dataclass
class _Log:
    """What the events leave behind."""

    posted: dict[str, date] = field(default_factory=dict)
    statuses: dict[str, set[str]] = field(default_factory=dict)
    decisions: dict[str, tuple[str, str, date]] = field(default_factory=dict)
    walks: dict[str, _Walk] = field(default_factory=dict)

    def read(self, event: AuditEvent) -> None:
        detail, key = event.detail, event.object_id
        match event.action:
            case "need.post" | "need.step":
                if event.action == "need.post":
                    self.posted.setdefault(key, _china_day(event.at))
                self.statuses.setdefault(key, set()).add(str(detail.get("to", "")))
            case "pair.decide":
                said = str(detail.get("kind", "")), str(detail.get("reason", ""))
                self.decisions[key] = (*said, _china_day(event.at))
            case "pair.undo":
                self.decisions.pop(key, None)
            case "engagement.begin":
                self.walks[key] = _Walk(str(detail.get("need", "")), Stage.PROPOSED, 0)
            case "engagement.step":
                self.walks.setdefault(key, _Walk()).step(detail)
            case "engagement.edit":
                self.walks.setdefault(key, _Walk()).edit(detail.get("changes"))
            case "engagement.cancel":
                self.walks.pop(key, None)


def recount(events: Iterable[AuditEvent], imported: Iterable[Cooperation], year: int) -> Recount:
    """Count a year from what happened.

    Args:
        events: of needs, pairs and 对接, in any order; other events are passed over.
        imported: rows of the 台账 that were imported, without the 对接.
        year: the calendar year in China.
    """
    log = _Log()
    for event in sorted(events, key=lambda event: event.event_id):
        log.read(event)
    contracts = _contracts(log, imported, year)
    months = Counter(day.month for day, _ in contracts)
    ended = Counter(
        walk.why
        for walk in log.walks.values()
        if walk.stage == Stage.ENDED and walk.ended_on is not None and walk.ended_on.year == year
    )
    rejected = Counter(
        reason
        for kind, reason, day in log.decisions.values()
        if kind == DecisionKind.REJECT and day.year == year
    )
    return Recount(
        year,
        len(contracts),
        tuple(months[month] for month in range(1, 13)),
        sum(stage == Stage.LANDED for _, stage in contracts),
        sum(stage == Stage.ENDED for _, stage in contracts),
        _funnel(log, year),
        _by_count(ended),
        _by_count(rejected),
    )


def _contracts(log: _Log, imported: Iterable[Cooperation], year: int) -> list[tuple[date, str]]:
    """(day, present stage) of every contract of the year; what is registered twice counts once, the earliest."""
    rows = [
        (row.signed_on, row.cooperation_id, row.contract_no, row.stage)
        for row in imported
        if row.kind == CooperationKind.COOPERATION
        and row.signed_on is not None
        and row.cooperation_id not in log.walks  # exported from here and imported again
    ]
    rows += [
        (walk.signed_on, key, walk.contract_no, walk.stage)
        for key, walk in log.walks.items()
        if walk.signed_on is not None
    ]
    known: set[str] = set()
    counted = []
    for day, key, number, stage in sorted(rows):
        plain = " ".join(unicodedata.normalize("NFKC", number).lower().split())
        contract = f"number {plain}" if plain else f"row {key}"
        if contract not in known:
            known.add(contract)
            counted.append((day, stage))
    return [(day, stage) for day, stage in counted if day.year == year]


def _funnel(log: _Log, year: int) -> tuple[tuple[str, int], ...]:
    collected = {
        need
        for need, day in log.posted.items()
        if day.year == year and log.statuses[need] != {NeedStatus.DRAFT.value}
    }
    farthest: dict[str, int] = {}
    for walk in log.walks.values():
        farthest[walk.need] = max(farthest.get(walk.need, 0), walk.top)
    taken = {key.split("|")[0] for key, said in log.decisions.items() if said[0] == DecisionKind.ACCEPT}
    accepted = taken | farthest.keys()
    published = {n for n, seen in log.statuses.items() if seen & {NeedStatus.PUBLISHED, NeedStatus.SOLVED}}
    steps = [collected, published | accepted, accepted]
    steps += [{need for need, top in farthest.items() if top >= level} for level in range(1, len(_ORDER))]
    return tuple((label, len(step & collected)) for label, step in zip(_LABELS, steps, strict=True))


def _by_count(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _china_day(moment: datetime) -> date:
    return (moment + _CHINA).date()


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)) if text else None
