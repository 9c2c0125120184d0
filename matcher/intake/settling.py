"""From what a file says to what would be stored, beside what is stored already.

Owns which stored record a row means, what a row leaves unsaid and therefore keeps, and what is
wrong with what it points to. A cell that is blank or was not understood never changes a stored
value, so that a list without contacts deletes no contact; clearing a value on purpose is not
possible by import. Deliberately reads no file and no database: the stored records are given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from matcher.columns import RecordKind, fields_of
from matcher.intake.identity import PROHIBITIONS, bare, derive_id, identity_key
from matcher.intake.ledger import shared_number, unsound
from matcher.intake.registry import Registry
from matcher.intake.validation import Parsed, find_repeats
from matcher.models import Cooperation, Expert, Firm, Institution, Issue, Need, Record, Work
from matcher.text.normalise import normalise
from matcher.vocab import DataKind, NeedStatus

_SHOWN_NAME: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.NEEDS: ("title",),
    RecordKind.COOPERATION: ("title", "firm"),
    RecordKind.WORKS: ("title",),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored, as far as the rows of one kind can point to it.

    ``records`` are those of the kind itself, by id. ``shipped`` gives the data kind of each that came
    with the product (示例 or 公开): no other firm or team may take over its id. ``firms`` holds every
    known name of a firm in comparable form (``identity.bare``). ``contracts`` says which firm has a contract number
    (normalised), ``today`` which signings have happened.
    """

    records: Mapping[str, Record]
    shipped: Mapping[str, str]
    institutions: Sequence[Institution] = ()
    experts: frozenset[str] = frozenset()
    firms: frozenset[str] = frozenset()
    contracts: Mapping[str, str] = field(default_factory=dict)
    today: date = date.max


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows as they would be stored, without the blocked ones; ``rows`` are their numbers."""

    records: tuple[Record, ...]
    rows: tuple[int, ...]
    issues: tuple[Issue, ...]


def settle(parsed: Parsed, known: Known) -> Settled:
    """What the rows of a file would store now.

    A row without an id is the stored record of the same firm and title (institution and name, expert
    and title, name or alias …), if there is one. Columns the row does not state keep what is stored;
    only ``data_kind`` becomes what the file says, 本地 when it says nothing.
    """
    return _Settling(parsed, known).run()


class _Settling:
    def __init__(self, parsed: Parsed, known: Known) -> None:
        self._parsed = parsed
        self._kind = parsed.kind
        self._known = known
        self._registry = Registry(known.institutions)
        self._names = [field.name for field in fields_of(parsed.kind)]
        self._has_data_kind = "data_kind" in self._names
        self._issues: list[Issue] = []
        self._contracts = dict(known.contracts)
        # Weaker keys (aliases) count only where no stored record has the name itself.
        self._by_key: tuple[dict[tuple[str, ...], list[str]], ...] = (defaultdict(list), defaultdict(list))
        for record_id, record in known.records.items():
            keys = self._keys(record)
            for strength, group in enumerate((keys[:1], keys[1:])):
                for key in dict.fromkeys(group):
                    self._by_key[strength][key].append(record_id)

    def run(self) -> Settled:
        parsed = self._parsed
        settled: list[tuple[int, Record]] = []
        for row, record, stated in zip(parsed.rows, parsed.records, parsed.stated, strict=True):
            found = self._settle_row(row, record, stated)
            if found is not None:
                settled.append((row, found))
        id_name = self._names[0]
        kept, repeats = find_repeats(
            parsed.header_of(id_name), [(row, getattr(record, id_name), record) for row, record in settled]
        )
        self._issues += repeats
        settled = [settled[index] for index in kept]
        self._note_file([record for _, record in settled])
        return Settled(
            tuple(record for _, record in settled), tuple(row for row, _ in settled), tuple(self._issues)
        )

    def _settle_row(self, row: int, record: Record, stated: frozenset[str]) -> Record | None:
        id_name = self._names[0]
        record, stated = self._with_registered_institution(record, stated)
        if id_name not in stated:
            ids = self._stored_ids(record)
            if len(ids) > 1:
                text = f"第 {row} 行与库里的 {'、'.join(ids)} 都对得上，请写明编号。"
                self._block(row, id_name, "", text)
                return None
            named: Any = {id_name: ids[0] if ids else derive_id(self._kind, asdict(record))}
            record = replace(record, **named)
        record_id = getattr(record, id_name)
        stored = self._known.records.get(record_id)
        if stored is not None:
            if self._takes_over(record, stored):
                self._block(row, id_name, record_id, self._taken(row, record_id, stored))
                return None
            record = self._merged(record, stored, stated)
        record = self._with_defaults(record, stored)
        return record if self._check_references(row, record) else None

    def _with_registered_institution(
        self, record: Record, stated: frozenset[str]
    ) -> tuple[Record, frozenset[str]]:
        if not isinstance(record, Expert):
            return record, stated
        found, rest = self._registry.find(record.institution)
        if found is None:
            return record, stated
        record = replace(record, institution=found.name)
        if rest and not record.department:
            return replace(record, department=rest), stated | {"department"}
        return record, stated

    def _keys(self, record: Record) -> list[tuple[str, ...]]:
        """Comparable names of a record, the strongest first."""
        if isinstance(record, Firm | Institution):
            return [(bare(name),) for name in (record.name, *record.aliases)]
        if isinstance(record, Expert):
            found, _ = self._registry.find(record.institution)
            record = replace(record, institution=found.name if found else record.institution)
        return [identity_key(self._kind, asdict(record))]

    def _stored_ids(self, record: Record) -> Sequence[str]:
        key = self._keys(record)[0]
        return next((ids for group in self._by_key if (ids := group.get(key, []))), [])

    def _takes_over(self, record: Record, stored: Record) -> bool:
        """Whether a shipped record would silently become another firm's, team's or institution's."""
        if getattr(stored, self._names[0]) not in self._known.shipped:
            return False
        return set(self._keys(record)).isdisjoint(self._keys(stored))

    def _taken(self, row: int, record_id: str, stored: Record) -> str:
        origin = self._known.shipped[record_id]
        names = _SHOWN_NAME.get(self._kind, ("name",))
        name = next((text for each in names if (text := getattr(stored, each))), record_id)
        what = f"{origin}数据" if origin else "库里的"
        more = "，或先删除示例数据" if origin == DataKind.SAMPLE else ""
        if isinstance(stored, Institution | Firm):
            more += "，确是改名则把原名写进别名"
        return f"第 {row} 行的编号 {record_id} 已被{what}“{name}”占用；请换一个编号{more}。"

    def _merged(self, record: Record, stored: Record, stated: frozenset[str]) -> Record:
        kept = {name for name in self._names[1:] if name not in stated}
        if self._has_data_kind:
            kept.discard("data_kind")
            if getattr(record, "data_kind", "") != getattr(stored, "data_kind", ""):
                # The source named the earlier data; it would call the bureau's own record fictitious.
                kept.discard("source")
        if isinstance(record, Firm | Institution) and not {self._names[0]} & stated:
            # Found by an alias: the registered name stays.
            kept.add("name")
        if isinstance(record, Expert) and record.institution != getattr(stored, "institution", ""):
            kept.discard("ring")
        return replace(record, **{name: getattr(stored, name) for name in kept})

    def _with_defaults(self, record: Record, stored: Record | None) -> Record:
        if isinstance(record, Need) and not record.status and stored is None:
            # A need that comes without a status was collected and waits to be accepted.
            return replace(record, status=NeedStatus.WAITING.value)
        if isinstance(record, Expert) and not record.ring:
            found, _ = self._registry.find(record.institution)
            return replace(record, ring=found.ring) if found else record
        return record

    def _check_references(self, row: int, record: Record) -> bool:
        """Whether the row may be stored; tells what it points to and is not there."""
        prohibits = isinstance(record, Cooperation) and record.kind in PROHIBITIONS
        expert_id = record.expert_id if isinstance(record, Work | Cooperation) else ""
        if (isinstance(record, Work) or (prohibits and expert_id)) and expert_id not in self._known.experts:
            text = f"第 {row} 行的专家编号“{expert_id}”不在系统中；请先导入专家，或改正编号。"
            self._block(row, "expert_id", expert_id, text)
            return False
        if isinstance(record, Cooperation) and prohibits:
            self._note_unknown_names(row, record)
        if isinstance(record, Cooperation) and (wrong := unsound(record, self._known.today)):
            self._block(row, "signed_on", str(record.signed_on), f"第 {row} 行的{wrong}")
            return False
        if isinstance(record, Cooperation) and (said := shared_number(record, self._contracts)):
            self._note(row, "contract_no", record.contract_no, f"第 {row} 行的{said}。")
        if isinstance(record, Cooperation) and record.contract_no:
            self._contracts.setdefault(normalise(record.contract_no), record.firm)
        if isinstance(record, Expert) and not record.ring and self._is_unregistered(record):
            text = f"第 {row} 行的单位“{record.institution}”不在高校院所名录中，圈层留空；可在名录中补充。"
            self._note(row, "institution", record.institution, text)
        return True

    def _is_unregistered(self, expert: Expert) -> bool:
        return bool(self._known.institutions) and self._registry.find(expert.institution)[0] is None

    def _note_unknown_names(self, row: int, record: Cooperation) -> None:
        unknown = []
        if bare(record.firm) not in self._known.firms:
            unknown.append(("firm", record.firm, "企业"))
        if not record.expert_id and self._registry.exact(record.institution) is None:
            unknown.append(("institution", record.institution, "单位"))
        for column, name, label in unknown:
            text = (
                f"第 {row} 行的{label}“{name}”在系统中没有登记，“{record.kind}”只按这个名称生效；请核对写法。"
            )
            self._note(row, column, name, text)

    def _note_file(self, records: Sequence[Record]) -> None:
        n_without = sum(isinstance(record, Need) and not record.sector for record in records)
        if n_without:
            text = f"有 {n_without} 条需求没有领域，已留空；按领域筛选时不会列出。"
            self._note(self._parsed.header_row, "sector", "", text)
        n_turned = sum(self._turns_own(record) for record in records)
        if n_turned:
            text = f"有 {n_turned} 条原为示例或公开数据，导入后成为本地数据；要保留请写明「数据性质」。"
            self._note(self._parsed.header_row, "data_kind", "", text)

    def _turns_own(self, record: Record) -> bool:
        stored = self._known.records.get(getattr(record, self._names[0]))
        before, after = getattr(stored, "data_kind", ""), getattr(record, "data_kind", "")
        return before in (DataKind.SAMPLE, DataKind.PUBLIC) and after == DataKind.OWN

    def _block(self, row: int, column: str, value: str, text: str) -> None:
        self._issues.append(Issue(row, self._parsed.header_of(column), value, text))

    def _note(self, row: int, column: str, value: str, text: str) -> None:
        self._issues.append(Issue(row, self._parsed.header_of(column), value, text, blocking=False))
