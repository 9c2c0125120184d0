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
from matcher.intake.identity import derive_id, holds_id_card
from matcher.intake.schema import (
    ID_CARD_HEADERS,
    ROW_NUMBER_HEADERS,
    normalise_header,
    propose_mapping,
)
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
_EXPERT_TOPICS = ("disciplines", "research_directions", "achievements")
_NO_ID_CARDS = "不收集身份证号"


@dataclasses.dataclass(frozen=True, slots=True)
class Parsed:
    """What an import would store.

    ``records`` are in file order and hold no row with a blocking issue; ``rows`` gives the row
    number of each. ``mapping`` is header → canonical column as used; ``unmapped`` are the headers
    that were not read.
    """

    kind: RecordKind
    records: tuple[Record, ...]
    rows: tuple[int, ...]
    issues: tuple[Issue, ...]
    mapping: Mapping[str, str]
    unmapped: tuple[str, ...]

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
    used, unmapped, issues = _settle_mapping(kind, table, mapping, by_name)
    id_cards = _find_id_cards(table, used, by_name, issues)
    sources = [(field, [h for h in table.headers if used.get(h) == field.name]) for field in fields]
    parsed: list[tuple[int, dict[str, Any]]] = []
    for row in table.rows:
        values, problems = _parse_row(RecordKind(kind), row, sources, defaults, id_cards)
        issues += problems
        if not any(problem.blocking for problem in problems):
            parsed.append((row.row_number, values))
    kept, repeats = _without_repeats(fields[0], parsed)
    issues = sorted([*issues, *repeats], key=lambda issue: issue.row)
    record_type = _RECORD_TYPES[RecordKind(kind)]
    records = tuple(record_type(**values) for _, values in kept)
    rows = tuple(number for number, _ in kept)
    return Parsed(RecordKind(kind), records, rows, tuple(issues), used, unmapped)


def _settle_mapping(
    kind: str, table: Table, mapping: Mapping[str, str] | None, by_name: Mapping[str, Field]
) -> tuple[dict[str, str], tuple[str, ...], list[Issue]]:
    """Columns to read, headers left out, and what to tell about those."""
    issues: list[Issue] = []
    proposal = propose_mapping(kind, table.headers)
    if mapping is None:
        used = dict(proposal.mapping)
        for header, meant in proposal.ambiguous.items():
            labels = "、".join(by_name[name].label for name in meant)
            issues.append(_about_column(table, header, f"可能是{labels}，请在列对应中选定"))
        unknown = "没有对应的项目，未读取；需要时请手工对应"
        issues += [_about_column(table, header, unknown) for header in proposal.unmapped]
    else:
        used = {h: mapping[h] for h in table.headers if mapping.get(h)}
    for header in table.headers:
        if normalise_header(header) in ID_CARD_HEADERS:
            used.pop(header, None)
            issues.append(_about_column(table, header, f"已整列去掉：{_NO_ID_CARDS}"))
    silent = ROW_NUMBER_HEADERS | ID_CARD_HEADERS
    unmapped = tuple(h for h in table.headers if h not in used and normalise_header(h) not in silent)
    return used, unmapped, issues


def _about_column(table: Table, header: str, text: str) -> Issue:
    return Issue(table.header_row, header, "", f"「{header}」这一列{text}。", blocking=False)


def _find_id_cards(
    table: Table, used: dict[str, str], by_name: Mapping[str, Field], issues: list[Issue]
) -> set[tuple[int, str]]:
    """Drop the columns that hold ID-card numbers from ``used``.

    The column of a required field stays, because without it no row could be stored; there the
    (row, header) of each such cell is returned.
    """
    cells: set[tuple[int, str]] = set()
    for header, name in list(used.items()):
        rows = [
            row.row_number
            for row in table.rows
            if (value := row.values.get(header)) is not None and holds_id_card(text_of(value))
        ]
        if rows and by_name[name].required:
            cells.update((number, header) for number in rows)
        elif rows:
            del used[header]
            text = f"第 {rows[0]} 行等 {len(rows)} 处有身份证号，已整列去掉：{_NO_ID_CARDS}"
            issues.append(_about_column(table, header, text))
    return cells


def _parse_row(
    kind: RecordKind,
    row: RawRow,
    sources: Sequence[tuple[Field, list[str]]],
    defaults: Mapping[str, str],
    id_cards: set[tuple[int, str]],
) -> tuple[dict[str, Any], list[Issue]]:
    values: dict[str, Any] = {}
    issues: list[Issue] = []
    number = row.row_number
    for field, headers in sources:
        cells: list[tuple[str, CellValue]] = []
        for header in headers:
            if (number, header) in id_cards:
                text = f"第 {number} 行「{header}」含身份证号，请删去后再导入：{_NO_ID_CARDS}。"
                issues.append(Issue(number, field.label, "", text))
            elif not is_blank(row.values.get(header)):
                cells.append((header, row.values[header]))
        if not cells and defaults.get(field.name):
            cells = [("", defaults[field.name])]
        if field.type is CellType.TEXT:
            values[field.name] = ""
        if cells:
            values[field.name] = _value_of(field, cells, number, issues)
    _mark_sample(kind, values)
    id_name = sources[0][0].name
    for field, headers in sources:
        named = any((number, header) in id_cards for header in headers)
        if field.required and not values.get(field.name) and not named:
            text = f"第 {number} 行没有填「{field.label}」，请补上。"
            issues.append(Issue(number, field.label, "", text))
    if kind is RecordKind.EXPERTS and not any(values.get(name) for name in _EXPERT_TOPICS):
        text = f"第 {number} 行没有学科、研究方向或研究成果，请至少填一项，否则无法匹配。"
        issues.append(Issue(number, "研究方向", "", text))
    if not values.get(id_name):
        values[id_name] = derive_id(kind, values)
    return {name: value for name, value in values.items() if value is not None}, issues


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
        issues.append(complain(row, field, cell, reading.complaint, blocking=blocking))
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


def _without_repeats(
    id_field: Field, parsed: Sequence[tuple[int, dict[str, Any]]]
) -> tuple[list[tuple[int, dict[str, Any]]], list[Issue]]:
    """Rows with ids made unique: equal rows once, rows that differ under one id not at all."""
    by_id: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for number, values in parsed:
        by_id[values[id_field.name]].append((number, values))
    kept: list[tuple[int, dict[str, Any]]] = []
    issues: list[Issue] = []
    for record_id, rows in by_id.items():
        first = rows[0]
        numbers = "、".join(str(number) for number, _ in rows)
        if all(values == first[1] for _, values in rows):
            kept.append(first)
            for number, _ in rows[1:]:
                text = f"第 {number} 行与第 {first[0]} 行完全相同，只保留一条。"
                issues.append(Issue(number, id_field.label, record_id, text, blocking=False))
        else:
            text = f"第 {numbers} 行是同一条记录（编号 {record_id}）但内容不同，请只留一行或改编号。"
            issues += [Issue(number, id_field.label, record_id, text) for number, _ in rows]
    return kept, issues
