"""Import: show what a file would do, then do all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from matcher.columns import RecordKind, fields_of
from matcher.config import Settings
from matcher.errors import InputError
from matcher.intake.readers import read_table
from matcher.intake.validation import Parsed, parse_rows
from matcher.models import Expert, Institution, Issue, Need, Record, Work
from matcher.services.records import KINDS, SAMPLE_LOADED, delete_samples
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.text.normalise import normalise
from matcher.vocab import NeedStatus

N_SAMPLE = 20
SAMPLE_ACTOR = "系统"


@dataclass(frozen=True)
class ImportPreview:
    """What a file would do. ``issues`` name row, column, value and what to do; ``n_blocked`` rows stop the import."""

    kind: str
    filename: str
    header_row: int
    mapping: tuple[tuple[str, str], ...]
    unmapped: tuple[str, ...]
    issues: tuple[Issue, ...]
    n_rows: int
    n_new: int
    n_changed: int
    n_same: int
    n_blocked: int
    sample: tuple[Record, ...]
    notes: tuple[str, ...]
    token: Parsed


@dataclass(frozen=True, slots=True)
class ImportResult:
    n_new: int
    n_changed: int
    n_same: int


class ImportService:
    """Reads files as bureaus send them."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def preview(self, kind: str, data: bytes, filename: str) -> ImportPreview:
        """Read a file without storing anything; the column mapping used last time for these headers is kept.

        Raises:
            InputError: the file cannot be read at all.
        """
        check_kind(kind)
        table = read_table(data, filename, kind)
        with self._database.reading() as session:
            stored = Repositories(session)
            remembered = stored.mappings.recall(kind)
            known = {h: c for h, c in remembered.items() if h in table.headers}
            parsed = parse_rows(kind, table)
            if known and any(parsed.mapping.get(h) != c for h, c in known.items()):
                parsed = parse_rows(kind, table, {**parsed.mapping, **known})
            records, references = _settle(stored, parsed)
            repository: Any = getattr(stored, kind)
            outcome = repository.compare(records)
        issues = (*parsed.issues, *references)
        labels = {field.name: field.label for field in fields_of(kind)}
        return ImportPreview(
            kind=kind,
            filename=filename,
            header_row=table.header_row,
            mapping=tuple((header, labels[column]) for header, column in parsed.mapping.items() if column),
            unmapped=parsed.unmapped,
            issues=issues,
            n_rows=len(table.rows),
            n_new=len(outcome.new),
            n_changed=len(outcome.changed),
            n_same=len(outcome.same),
            n_blocked=len({issue.row for issue in issues if issue.blocking}),
            sample=records[:N_SAMPLE],
            notes=table.notes,
            token=parsed,
        )

    def confirm(self, preview: ImportPreview, actor: str, *, drop_samples: bool = False) -> ImportResult:
        """Store the previewed rows, all or none; a second time it changes nothing.

        The rows are settled once more inside the transaction, against what is stored by now.

        Args:
            preview: as shown to the person.
            actor: who confirms.
            drop_samples: delete all 示例 records first, in the same transaction.

        Raises:
            InputError: a row is blocked, or there is nothing to store; nothing was changed.
        """
        if preview.n_blocked:
            raise _blocked(preview.n_blocked)
        if not preview.token.records:
            raise InputError("表格里没有可导入的数据行。", "请检查表头下面是否有内容。")
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            if drop_samples:
                delete_samples(stored, actor)
            records, references = _settle(stored, preview.token)
            if any(issue.blocking for issue in references):
                raise _blocked(len({issue.row for issue in references if issue.blocking}))
            repository: Any = getattr(stored, preview.kind)
            done = repository.upsert(records)
            stored.mappings.remember(preview.kind, dict(preview.token.mapping))
            counts = {"new": len(done.new), "changed": len(done.changed), "same": len(done.same)}
            stored.audit.add(actor, "import", preview.kind, preview.filename, counts)
        return ImportResult(counts["new"], counts["changed"], counts["same"])

    def load_samples(self, settings: Settings) -> dict[str, int]:
        """Load the shipped sample data into an empty system, once; returns the records stored per kind."""
        with self._database.reading() as session:
            stored = Repositories(session)
            if stored.settings.get(SAMPLE_LOADED) or stored.revision():
                return {}
        parsed: dict[str, Parsed] = {}
        for kind in KINDS:
            path = settings.data / f"{kind}.csv"
            if not path.exists():
                raise InputError(f"缺少示例数据文件 {path.name}。", "请从项目仓库恢复 data 文件夹。")
            parsed[kind] = parse_rows(kind, read_table(path.read_bytes(), path.name, kind))
            blocking = [issue for issue in parsed[kind].issues if issue.blocking]
            if blocking:
                raise InputError(
                    f"示例数据 {path.name} 有误：{blocking[0].message}", "请从项目仓库恢复 data 文件夹。"
                )
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            if stored.revision():
                return {}
            for kind, rows in parsed.items():
                repository: Any = getattr(stored, kind)
                repository.upsert(rows.records)
            counts = {kind: len(rows.records) for kind, rows in parsed.items()}
            stored.settings.put(SAMPLE_LOADED, True)
            stored.audit.add(SAMPLE_ACTOR, "load_samples", "records", "", dict(counts))
        return counts


def check_kind(kind: str) -> None:
    if kind not in KINDS:
        known = "、".join(f"{k}（{RecordKind(k).label}）" for k in KINDS)
        raise InputError(f"不认识的数据种类“{kind}”。", f"可用的有：{known}。")


def _blocked(n_rows: int) -> InputError:
    return InputError(f"还有 {n_rows} 行不能导入，没有写入任何数据。", "请按提示改好表格后重新上传。")


def _settle(stored: Repositories, parsed: Parsed) -> tuple[tuple[Record, ...], tuple[Issue, ...]]:
    """The rows as they would be stored now, and what is wrong with what they point to."""
    records = _resolve_institutions(parsed.records, stored.institutions.all())
    mapped = frozenset(filter(None, parsed.mapping.values()))
    records = _keep_unmapped(parsed.kind, records, getattr(stored, parsed.kind), mapped)
    records = tuple(_with_defaults(record) for record in records)
    return records, _check_references(stored, replace(parsed, records=records))


def _with_defaults(record: Record) -> Record:
    """A need that comes without a status was collected and waits to be accepted."""
    if isinstance(record, Need) and not record.status:
        return replace(record, status=NeedStatus.WAITING)
    return record


def _check_references(stored: Repositories, parsed: Parsed) -> tuple[Issue, ...]:
    """Rows that point to nothing (blocking for works), and experts whose institution is not registered (a note)."""
    issues: list[Issue] = []
    if parsed.kind == RecordKind.WORKS:
        known = set(stored.experts.ids())
        for row, record in zip(parsed.rows, parsed.records, strict=True):
            if isinstance(record, Work) and record.expert_id not in known:
                message = f"第 {row} 行的专家编号“{record.expert_id}”不在系统中；请先导入专家，或改正编号。"
                issues.append(Issue(row, "专家编号", record.expert_id, message))
    if parsed.kind == RecordKind.EXPERTS:
        names = {i.name for i in stored.institutions.all()}
        for row, record in zip(parsed.rows, parsed.records, strict=True):
            if isinstance(record, Expert) and names and record.institution not in names and not record.ring:
                message = (
                    f"第 {row} 行的单位“{record.institution}”不在高校院所名录中，圈层留空；可在名录中补充。"
                )
                issues.append(Issue(row, "单位", record.institution, message, blocking=False))
    return tuple(issues)


def _keep_unmapped(
    kind: str, records: tuple[Record, ...], repository: Any, mapped: frozenset[str]
) -> tuple[Record, ...]:
    """Records already stored keep what the file has no column for: a list without contacts deletes no contact."""
    names = [field.name for field in fields_of(kind)]
    stored: Mapping[str, Record] = repository.get_many([getattr(record, names[0]) for record in records])

    def keep(record: Record) -> Record:
        old = stored.get(getattr(record, names[0]))
        if old is None:
            return record
        return replace(record, **{name: getattr(old, name) for name in names[1:] if name not in mapped})

    return tuple(keep(record) for record in records)


def _resolve_institutions(records: tuple[Record, ...], known: Sequence[Institution]) -> tuple[Record, ...]:
    """Experts get the registered full name of their institution, and its ring where theirs is empty."""
    by_name = {normalise(name): i for i in known for name in (*i.aliases, i.name)}

    def resolve(record: Record) -> Record:
        if not isinstance(record, Expert):
            return record
        found = by_name.get(normalise(record.institution))
        if found is None:
            return record
        return replace(record, institution=found.name, ring=record.ring or found.ring)

    return tuple(resolve(record) for record in records)
