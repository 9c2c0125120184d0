"""Import: show what a file would do, then do all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from matcher.columns import RecordKind, fields_of
from matcher.config import Settings
from matcher.errors import InputError
from matcher.intake.identity import bare
from matcher.intake.mapping import read_by_hand
from matcher.intake.readers import read_table
from matcher.intake.schema import combine_mapping, propose_mapping
from matcher.intake.settling import Known, settle
from matcher.intake.validation import Parsed, parse_rows
from matcher.models import Cooperation, Institution, Issue, Record, Work
from matcher.services.access import Access, permits
from matcher.services.ownership import Owners, link_records
from matcher.services.rankings import BEIJING
from matcher.services.records import KINDS, SAMPLE_LOADED, delete_samples
from matcher.store.database import Database
from matcher.store.records import SAMPLE_WORK_KIND
from matcher.store.repositories import Repositories
from matcher.text.normalise import normalise
from matcher.vocab import CooperationKind, DataKind
from matcher.workflow.permissions import Action

N_SAMPLE = 20
SAMPLE_ACTOR = "系统"


@dataclass(frozen=True)
class ImportPreview:
    """What a file would do. ``issues`` name row, column, value and what to do; ``n_blocked`` rows stop the import.

    ``mapping`` is (header, label) of the columns that are read. ``targets`` are the columns a header
    may be given by hand, as (canonical column, label); ``chosen`` says for every header which one it
    has now, "" for none. ``remember`` is what a confirmed import keeps for the next file.
    """

    kind: str
    filename: str
    header_row: int
    mapping: tuple[tuple[str, str], ...]
    unmapped: tuple[str, ...]
    headers: tuple[str, ...]
    targets: tuple[tuple[str, str], ...]
    chosen: Mapping[str, str]
    issues: tuple[Issue, ...]
    n_rows: int
    n_new: int
    n_changed: int
    n_same: int
    n_blocked: int
    sample: tuple[Record, ...]
    notes: tuple[str, ...]
    remember: Mapping[str, str]
    token: Parsed


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did; ``n_skipped`` rows were left out because something is wrong with them."""

    n_new: int
    n_changed: int
    n_same: int
    n_skipped: int = 0


class ImportService:
    """Reads files as bureaus send them."""

    def __init__(self, database: Database, clock: Callable[[], datetime], access: Access) -> None:
        self._database = database
        self._clock = clock
        self._access = access

    @permits(Action.IMPORT)
    def preview(
        self,
        kind: str,
        data: bytes,
        filename: str,
        *,
        mapping: Mapping[str, str] | None = None,
        drop_samples: bool = False,
    ) -> ImportPreview:
        """Read a file without storing anything.

        A blank cell, or one that is not understood, keeps what is stored; so nothing can be cleared
        by import.

        Args:
            kind: the record kind.
            data: the whole file.
            filename: its name.
            mapping: header → canonical column by hand, "" to leave a column out; it goes before what
                was chosen for a header in an earlier import, and that before the aliases.
            drop_samples: what the file would do once the 示例 records are gone.

        Raises:
            InputError: the file cannot be read at all, or ``mapping`` names an unknown column.
        """
        check_kind(kind)
        table = read_table(data, filename, kind)
        labels = {field.name: field.label for field in fields_of(kind)}
        by_hand = read_by_hand(kind, table.headers, mapping or {})
        with self._database.reading() as session:
            stored = Repositories(session)
            earlier = {h: c for h, c in stored.mappings.recall(kind).items() if not c or c in labels}
            decided = combine_mapping(kind, table.headers, earlier, by_hand)
            parsed = parse_rows(kind, table, decided)
            known, dropped = _known(stored, kind, self._today(), drop_samples)
            settled = settle(parsed, known)
            repository: Any = getattr(stored, kind)
            outcome = repository.compare(Owners.of(stored).settle(settled.records, stored))
        issues = tuple(sorted((*parsed.issues, *settled.issues), key=lambda issue: issue.row))
        n_again = sum(record_id in dropped for record_id in (*outcome.changed, *outcome.same))
        proposal = propose_mapping(kind, table.headers).mapping
        return ImportPreview(
            kind=kind,
            filename=filename,
            header_row=table.header_row,
            mapping=tuple((header, labels[column]) for header, column in parsed.mapping.items()),
            unmapped=parsed.unmapped,
            headers=table.headers,
            targets=tuple(labels.items()),
            chosen={header: parsed.mapping.get(header, "") for header in table.headers},
            issues=issues,
            n_rows=len(table.rows),
            n_new=len(outcome.new) + n_again,
            n_changed=sum(record_id not in dropped for record_id in outcome.changed),
            n_same=sum(record_id not in dropped for record_id in outcome.same),
            n_blocked=_count_blocked(issues, table.header_row, len(table.rows)),
            sample=settled.records[:N_SAMPLE],
            notes=table.notes,
            remember={h: c for h, c in decided.items() if h in by_hand or proposal.get(h) != c},
            token=parsed,
        )

    @permits(Action.IMPORT)
    def confirm(
        self, preview: ImportPreview, *, drop_samples: bool = False, skip_blocked: bool = False
    ) -> ImportResult:
        """Store the previewed rows in one transaction; a second time it changes nothing.

        The rows are settled once more inside the transaction, against what is stored by now.

        Args:
            preview: as shown to the person.
            drop_samples: delete all 示例 records first, in the same transaction.
            skip_blocked: leave out the rows that something is wrong with; otherwise one such row
                stops the whole file.

        Raises:
            InputError: a row is blocked, or there is nothing to store; nothing was changed.
        """
        parsed = preview.token
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            if drop_samples:
                delete_samples(stored, self._access.actor)
            settled = settle(parsed, _known(stored, preview.kind, self._today())[0])
            n_blocked = _count_blocked((*parsed.issues, *settled.issues), parsed.header_row, preview.n_rows)
            if n_blocked and not (skip_blocked and settled.records):
                raise _blocked(n_blocked)
            if not settled.records:
                raise InputError("表格里没有可导入的数据行。", "请检查表头下面是否有内容。")
            repository: Any = getattr(stored, preview.kind)
            done = repository.upsert(Owners.of(stored).settle(settled.records, stored))
            if preview.kind in (RecordKind.FIRMS, RecordKind.INSTITUTIONS):
                link_records(stored)
            stored.mappings.remember(preview.kind, preview.remember)
            counts = {"new": len(done.new), "changed": len(done.changed), "same": len(done.same)}
            skipped = {"skipped": n_blocked} if n_blocked else {}
            stored.audit.add(self._access.actor, "import", preview.kind, preview.filename, counts | skipped)
        return ImportResult(counts["new"], counts["changed"], counts["same"], n_blocked)

    def _today(self) -> date:
        return (self._clock() + BEIJING).date()

    @permits(Action.IMPORT)
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
            link_records(stored)
            counts = {kind: len(rows.records) for kind, rows in parsed.items()}
            stored.settings.put(SAMPLE_LOADED, True)
            stored.audit.add(SAMPLE_ACTOR, "load_samples", "records", "", dict(counts))
        return counts


def check_kind(kind: str) -> None:
    if kind not in KINDS:
        known = "、".join(f"{k}（{RecordKind(k).label}）" for k in KINDS)
        raise InputError(f"不认识的数据种类“{kind}”。", f"可用的有：{known}。")


def _blocked(n_rows: int) -> InputError:
    return InputError(
        f"还有 {n_rows} 行不能导入，没有写入任何数据。", "请按提示改好表格后重新上传，或跳过这些行。"
    )


def _count_blocked(issues: tuple[Issue, ...], header_row: int, n_rows: int) -> int:
    """Rows that cannot be stored; all of them when something is wrong with the header."""
    rows = {issue.row for issue in issues if issue.blocking}
    return n_rows if header_row in rows else len(rows)


def _known(
    stored: Repositories, kind: str, today: date, drop_samples: bool = False
) -> tuple[Known, frozenset[str]]:
    """What the rows of a kind are settled against, and the ids that go when the samples are dropped."""
    repository: Any = getattr(stored, kind)
    records: dict[str, Record] = {getattr(r, fields_of(kind)[0].name): r for r in repository.all()}
    experts = stored.experts.all() if kind in (RecordKind.WORKS, RecordKind.COOPERATION) else ()
    samples = {expert.expert_id for expert in experts if expert.is_sample}
    shipped = {
        record_id: origin for record_id, r in records.items() if (origin := _shipped_as(r)) is not None
    }
    dropped: frozenset[str] = frozenset()
    if drop_samples:
        dropped = frozenset(
            record_id
            for record_id, r in records.items()
            if shipped.get(record_id) == DataKind.SAMPLE or (isinstance(r, Work) and r.expert_id in samples)
        )
    names: list[str] = []
    if kind == RecordKind.COOPERATION:
        firms = [firm for firm in stored.firms.all() if not (drop_samples and firm.is_sample)]
        names = [name for firm in firms for name in (firm.name, *firm.aliases)]
        names += [need.company for need in stored.needs.all() if not (drop_samples and need.is_sample)]
    return Known(
        {record_id: r for record_id, r in records.items() if record_id not in dropped},
        shipped,
        stored.institutions.all() if kind in (RecordKind.EXPERTS, RecordKind.COOPERATION) else (),
        frozenset(e.expert_id for e in experts if not (drop_samples and e.is_sample)),
        frozenset(map(bare, names)),
        _contracts(stored, records, dropped) if kind == RecordKind.COOPERATION else {},
        today,
    ), dropped


def _contracts(stored: Repositories, rows: Mapping[str, Record], dropped: frozenset[str]) -> dict[str, str]:
    """Which firm has a contract number, in the 台账 and the 对接."""
    held = [r for key, r in rows.items() if key not in dropped and isinstance(r, Cooperation)]
    own = [row for row in held if row.kind == CooperationKind.COOPERATION]
    numbered = [(row.contract_no, row.firm) for row in own]
    numbered += [(one.contract_no, one.firm) for one in stored.engagements.all()]
    return {normalise(number): firm for number, firm in numbered if number}


def _shipped_as(record: Record) -> str | None:
    """示例 or 公开 for what came with the product, "" where the kind does not say, None for the bureau's own."""
    if isinstance(record, Institution):
        return ""
    if isinstance(record, Work):
        return DataKind.SAMPLE if record.kind == SAMPLE_WORK_KIND else None
    return record.data_kind if record.data_kind != DataKind.OWN else None
