"""From a table to records, with every problem told to the person.

Owns the order of the checks and the wording of the problems. Deliberately stores nothing and looks
at no stored record: what an import changes is decided by the services.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from matcher.columns import (
    BADGED_FIELDS,
    LIST_SEPARATOR,
    SAMPLE_BADGE,
    CellType,
    Field,
    RecordKind,
    fields_of,
    split_list,
)
from matcher.intake.identity import derive_id
from matcher.intake.mapping import EXPERT_TOPICS, NO_ID_CARDS, about_missing, drop_id_cards, settle_columns
from matcher.intake.tables import CellValue, RawRow, Table
from matcher.intake.values import BLANK_WORDS, complain, is_blank, parse_cell, text_of
from matcher.models import Cooperation, Expert, Firm, Institution, Issue, Need, Record, Work
from matcher.vocab import DataKind

_RECORD_TYPES: Mapping[RecordKind, type[Record]] = {
    RecordKind.NEEDS: Need,
    RecordKind.EXPERTS: Expert,
    RecordKind.WORKS: Work,
    RecordKind.FIRMS: Firm,
    RecordKind.INSTITUTIONS: Institution,
    RecordKind.COOPERATION: Cooperation,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Parsed:
    """What an import would store.

    ``records`` are in file order and hold no row with a blocking issue; ``rows`` gives the row
    number of each, and ``stated`` the columns its row filled in and that were understood, without
    defaults. ``mapping`` is header → canonical column as used; ``unmapped`` are the headers that
    were not read. A problem of the whole file stands at ``header_row``; a blocking one there leaves
    no records.
    """

    kind: RecordKind
    records: tuple[Record, ...]
    rows: tuple[int, ...]
    stated: tuple[frozenset[str], ...]
    issues: tuple[Issue, ...]
    mapping: Mapping[str, str]
    unmapped: tuple[str, ...]
    header_row: int

    def header_of(self, column: str) -> str:
        """How the person's own table names a canonical column; its label when the table has none."""
        labels = {field.name: field.label for field in fields_of(self.kind)}
        return next((h for h, name in self.mapping.items() if name == column), labels[column])

    @property
    def blocked_rows(self) -> tuple[int, ...]:
        """Row numbers that cannot be stored as they are, ascending."""
        return tuple(sorted({issue.row for issue in self.issues if issue.blocking}))


def parse_rows(
    kind: str,
    table: Table,
    mapping: Mapping[str, str] | None = None,
    defaults: Mapping[str, str] | None = None,
) -> Parsed:
    """Records of ``kind`` in ``table`` and every problem found.

    Args:
        kind: the record kind.
        table: as read by ``read_table``.
        mapping: header → canonical column, "" for a column to leave out; None proposes one from
            the aliases. Headers the table does not have are ignored.
        defaults: text for empty cells by canonical column. Without one, ``data_kind`` is 本地
            (示例 where the name carries 【示例】) and ``source`` the file's name.

    Raises:
        ValueError: unknown kind or column; the message lists the known ones.
    """
    fields = fields_of(kind)
    by_name = {field.name: field for field in fields}
    defaults = {"source": table.filename} | dict(defaults or {})
    for name in [*filter(None, (mapping or {}).values()), *(set(defaults) - {"source"})]:
        if name not in by_name:
            raise ValueError(f"unknown column {name!r} of {kind}; known: {', '.join(by_name)}")
    used, unmapped, issues = settle_columns(kind, table, mapping)
    id_cards = drop_id_cards(table, used, by_name, issues)
    missing = about_missing(kind, table, used, defaults)
    sources = [(field, [h for h in table.headers if used.get(h) == field.name]) for field in fields]
    parsed: list[tuple[int, dict[str, Any], frozenset[str]]] = []
    for row in () if missing else table.rows:
        values, stated, problems = _parse_row(RecordKind(kind), row, sources, defaults, id_cards)
        issues += problems
        if not any(problem.blocking for problem in problems):
            parsed.append((row.row_number, values, stated))
    id_column = (sources[0][1] or [fields[0].label])[0]
    kept, repeats = find_repeats(id_column, [(n, values[fields[0].name], values) for n, values, _ in parsed])
    issues = sorted([*issues, *missing, *repeats], key=lambda issue: issue.row)
    record_type = _RECORD_TYPES[RecordKind(kind)]
    return Parsed(
        RecordKind(kind),
        tuple(record_type(**parsed[index][1]) for index in kept),
        tuple(parsed[index][0] for index in kept),
        tuple(parsed[index][2] for index in kept),
        tuple(issues),
        used,
        unmapped,
        table.header_row,
    )


def _parse_row(
    kind: RecordKind,
    row: RawRow,
    sources: Sequence[tuple[Field, list[str]]],
    defaults: Mapping[str, str],
    id_cards: set[tuple[int, str]],
) -> tuple[dict[str, Any], frozenset[str], list[Issue]]:
    """The row's values, the columns it states itself, and its problems."""
    values: dict[str, Any] = {}
    issues: list[Issue] = []
    stated: set[str] = set()
    number = row.row_number
    for field, headers in sources:
        cells: list[tuple[str, CellValue]] = []
        for header in headers:
            if (number, header) in id_cards:
                text = f"第 {number} 行「{header}」含身份证号，请删去后再导入：{NO_ID_CARDS}。"
                issues.append(Issue(number, header, "", text))
            elif not is_blank(row.values.get(header)):
                cells.append((header, row.values[header]))
        by_default = not cells
        if not cells and defaults.get(field.name):
            cells = [("", defaults[field.name])]
        if field.type is CellType.TEXT:
            values[field.name] = ""
        if cells:
            values[field.name] = _value_of(field, cells, number, issues)
            if not by_default and values[field.name] not in (None, "", ()):
                stated.add(field.name)
    _mark_sample(kind, values)
    id_name = sources[0][0].name
    for field, headers in sources:
        named = any((number, header) in id_cards for header in headers)
        if field.required and not values.get(field.name) and not named:
            column = (headers or [field.label])[0]
            text = f"第 {number} 行没有填「{column}」，请补上。"
            issues.append(Issue(number, column, "", text))
    if kind is RecordKind.EXPERTS and not any(values.get(name) for name in EXPERT_TOPICS):
        text = f"第 {number} 行没有学科、研究方向或研究成果，请至少填一项，否则无法匹配。"
        issues.append(Issue(number, "研究方向", "", text))
    if not values.get(id_name):
        values[id_name] = derive_id(kind, values)
    known = {name: value for name, value in values.items() if value is not None}
    return known, frozenset(stated), issues


def _value_of(field: Field, cells: Sequence[tuple[str, CellValue]], row: int, issues: list[Issue]) -> object:
    if field.type is CellType.LIST:
        items = (i for _, c in cells for i in split_list(text_of(c), commas=field.commas))
        return tuple(dict.fromkeys(item for item in items if item not in BLANK_WORDS))
    if field.type is CellType.TEXT:
        return LIST_SEPARATOR.join(dict.fromkeys(text_of(cell) for _, cell in cells))
    header, cell = cells[0]
    reading = parse_cell(cell, field, unit=_unit_of(header))
    if reading.complaint:
        blocking = field.strict and not reading.value
        issues.append(complain(row, field, cell, reading.complaint, header=header, blocking=blocking))
    return reading.value


def _unit_of(header: str) -> str:
    """The unit a header gives to bare numbers: 万元 unless it says （元）, （千元） or （亿元）."""
    text = unicodedata.normalize("NFKC", header).replace(" ", "").replace("单位:", "")
    for unit, word in (("", "(元)"), ("千", "(千元)"), ("亿", "(亿元)"), ("百万", "(百万元)")):
        if word in text or text.endswith(f"/{word[1:-1]}"):
            return unit
    return "万"


def _mark_sample(kind: RecordKind, values: dict[str, Any]) -> None:
    """Take 【示例】 off the names; a badge is never lost for want of a 数据性质 column."""
    badged = False
    for name in BADGED_FIELDS[kind]:
        text = values.get(name, "")
        if text.endswith(SAMPLE_BADGE):
            values[name] = text.removesuffix(SAMPLE_BADGE).strip()
            badged = True
    has_kind = any(field.name == "data_kind" for field in fields_of(kind))
    if has_kind and not values.get("data_kind"):
        values["data_kind"] = DataKind.SAMPLE.value if badged else DataKind.OWN.value


def find_repeats(id_column: str, rows: Sequence[tuple[int, str, object]]) -> tuple[list[int], list[Issue]]:
    """Which rows to keep so that ids are unique: equal rows once, rows that differ under one id not at all.

    Args:
        id_column: the id's column as the person knows it.
        rows: row number, id and content of each row.

    Returns:
        Positions in ``rows`` to keep, and what to tell about the others.
    """
    by_id: dict[str, list[int]] = defaultdict(list)
    for index, (_, record_id, _) in enumerate(rows):
        by_id[record_id].append(index)
    kept: list[int] = []
    issues: list[Issue] = []
    for record_id, indexes in by_id.items():
        first, *others = (rows[index] for index in indexes)
        if all(content == first[2] for _, _, content in others):
            kept.append(indexes[0])
            for number, _, _ in others:
                text = f"第 {number} 行与第 {first[0]} 行完全相同，只保留一条。"
                issues.append(Issue(number, id_column, record_id, text, blocking=False))
        else:
            numbers = "、".join(str(number) for number, _, _ in (first, *others))
            text = f"第 {numbers} 行是同一条记录（编号 {record_id}）但内容不同，请只留一行或改编号。"
            issues += [Issue(number, id_column, record_id, text) for number, _, _ in (first, *others)]
    return sorted(kept), issues
