"""年度目标: the numbers of a year, the lists behind them, and whether the audit log tells the same.

Owns reading what a year is counted from, and turning the ids behind a number into a table. How things are counted is
in ``year_counts``; the second way of counting is ``recount``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from matcher.config import Targets
from matcher.export.document import Cell, Column, Sheet
from matcher.export.layouts import badged, records_sheet
from matcher.export.writers import check_suffix, write_document
from matcher.services.access import Access, permits
from matcher.services.engine import Engine
from matcher.services.following_writes import names_of
from matcher.services.records import SAMPLE_ENGAGEMENTS
from matcher.services.recount import Recount, recount
from matcher.services.reminders import day_of
from matcher.services.snapshot import Records
from matcher.services.year_counts import Dashboard, YearSource, build_dashboard
from matcher.services.year_groups import CONTRACTS, NEEDS, PAIRS
from matcher.store.database import Database
from matcher.store.entries import AuditEvent, Decision
from matcher.store.repositories import Repositories
from matcher.workflow.permissions import Action

_PAIR_COLUMNS = (
    Column("需求编号", 10),
    Column("技术需求", 30),
    Column("企业", 22),
    Column("专家（团队）", 22),
    Column("单位", 22),
    Column("审核意见", 10),
    Column("意见理由", 16),
    Column("备注", 30),
    Column("审核人", 12),
    Column("审核日期", 12, "date"),
)


class YearService:
    """Needs no index and no model."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        targets: Targets,
        clock: Callable[[], datetime],
        access: Access,
    ) -> None:
        self._engine = engine
        self._database = database
        self._targets = targets
        self._clock = clock
        self._access = access

    @permits(Action.SEE_YEAR)
    def years(self) -> tuple[int, ...]:
        """Years one may look at, the latest first: the plan's, this one, and those with a contract."""
        first, last = self._targets.first_year, self._targets.last_year
        signed = {row.signed_on.year for row in self._engine.records().cooperation if row.signed_on}
        return tuple(sorted({*range(first, last + 1), day_of(self._clock()).year, *signed}, reverse=True))

    @permits(Action.SEE_YEAR)
    def dashboard(self, year: int | None = None) -> Dashboard:
        """All numbers of a year, this one by default, of one moment; three queries beside the records."""
        today = day_of(self._clock())
        records = self._engine.records()
        with self._database.reading() as session:
            stored = Repositories(session)
            source = YearSource(
                records,
                stored.decisions.latest_by_pair(),
                stored.audit.of("need"),
                stored.audit.of("engagement"),
            )
        return build_dashboard(source, self._targets, year or today.year, today)

    @permits(Action.SEE_YEAR)
    def rows(self, kind: str, ids: Sequence[str]) -> Sheet:
        """The list behind a number, in the order of its ids; what was deleted meanwhile is left out.

        Raises:
            ValueError: unknown kind.
        """
        return self._rows(kind, ids)

    @permits(Action.SEE_YEAR)
    def labels(self, kind: str, ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """(id, what to call it) of those that can be opened: needs, and rows of the 台账 that are 对接."""
        records = self._engine.records()
        if kind == NEEDS:
            needs = [records.needs[key] for key in ids if key in records.needs]
            return tuple((n.need_id, f"{n.company}：{badged(n.title, n.is_sample)}") for n in needs)
        if kind != CONTRACTS:
            return ()
        found = [records.engagements[key] for key in ids if key in records.engagements]
        return tuple(
            (e.engagement_id, f"{badged(e.firm, e.is_sample)} – {e.expert_name}：{e.need_title}")
            for e in found
        )

    @permits(Action.EXPORT)
    def file(self, title: str, kind: str, ids: Sequence[str], suffix: str) -> bytes:
        """The list behind a number as a file, without personal contacts; audited.

        Raises:
            ValueError: unknown kind.
            InputError: unknown suffix.
        """
        suffix = check_suffix(suffix)
        sheet = self._rows(kind, ids)
        data = write_document(sheet, suffix)
        with self._database.session() as session:
            detail = {"title": title, "kind": kind, "suffix": suffix, "rows": len(sheet.rows)}
            audit = Repositories(session, self._clock).audit
            audit.add(self._access.actor, "export", "year", "", detail)
        return data

    @permits(Action.SEE_YEAR)
    def recounted(self, year: int) -> Recount:
        """The year counted a second time, from the audit log and the imported 台账 alone."""
        with self._database.reading() as session:
            stored = Repositories(session)
            events = [event for kind in ("need", "pair") for event in stored.audit.of(kind)]
            events += _still_there(stored)
            return recount(events, stored.cooperation.all(), year)

    @permits(Action.SEE_YEAR)
    def differences(self, year: int) -> tuple[str, ...]:
        """Where the records and the audit log disagree on a year, in sentences; empty when they agree.

        The funnel is left out: needs that were imported have no events of their own.
        """
        board, counted = self.dashboard(year), self.recounted(year)
        reasons = (
            ("终止原因", board.end_reasons, counted.end_reasons),
            ("不合适的理由", board.reject_reasons, counted.reject_reasons),
        )
        pairs: list[tuple[str, object, object]] = [
            ("签约", board.signed.value, counted.signed),
            ("各月签约", tuple(number.value for number in board.by_month), counted.by_month),
            ("签约后落地", board.landed.value, counted.landed),
            ("签约后终止", board.ended.value, counted.ended),
            *((label, {name: n.value for name, n in here}, dict(there)) for label, here, there in reasons),
        ]
        return tuple(
            f"{year} 年{label}：数据里是 {_said(here)}，按操作记录重算是 {_said(there)}"
            for label, here, there in pairs
            if here != there
        )

    def _rows(self, kind: str, ids: Sequence[str]) -> Sheet:
        records = self._engine.records()
        if kind == NEEDS:
            return records_sheet(kind, [records.needs[key] for key in ids if key in records.needs])
        if kind == CONTRACTS:
            by_id = {row.cooperation_id: row for row in records.cooperation}
            return records_sheet(kind, [by_id[key] for key in ids if key in by_id])
        if kind != PAIRS:
            raise ValueError(f"unknown kind {kind!r}; known: {NEEDS}, {CONTRACTS}, {PAIRS}")
        with self._database.reading() as session:
            stored = Repositories(session)
            latest = stored.decisions.latest_by_pair({key.split("|")[0] for key in ids})
            names = names_of(stored)
        found = [latest[pair] for pair in map(_pair, ids) if pair in latest]
        return Sheet("审核意见", _PAIR_COLUMNS, tuple(_pair_row(one, records, names) for one in found))


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return "、".join(f"{name} {n}" for name, n in sorted(value.items())) or "没有"
    return "、".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _pair(key: str) -> tuple[str, str]:
    need_id, _, expert_id = key.partition("|")
    return need_id, expert_id


def _pair_row(one: Decision, records: Records, names: Mapping[str, str]) -> tuple[Cell, ...]:
    need, expert = records.needs.get(one.need_id), records.experts.get(one.expert_id)
    return (
        one.need_id,
        badged(need.title, need.is_sample) if need else "（需求已删除）",
        badged(need.company, need.is_sample) if need else "",
        badged(expert.name, expert.is_sample) if expert else "（团队已删除）",
        expert.institution if expert else "",
        one.kind,
        one.reason,
        one.note,
        names.get(one.decided_by, one.decided_by),
        day_of(one.decided_at),
    )


def _still_there(stored: Repositories) -> tuple[AuditEvent, ...]:
    """Events of 对接 without those that went with the 示例 data: that deletion is one event for all of them."""
    events = stored.audit.of("engagement")
    dropped = max(
        (e.event_id for e in stored.audit.of("records") if e.detail.get(SAMPLE_ENGAGEMENTS)), default=0
    )
    if not dropped:
        return events
    kept = {one.engagement_id for one in stored.engagements.all()}
    kept |= {event.object_id for event in events if event.event_id > dropped}
    return tuple(event for event in events if event.object_id in kept)
