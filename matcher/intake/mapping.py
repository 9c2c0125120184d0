"""Which columns of a table are read, and what the person is told about the others.

Owns columns left out because nobody knows them, because they are missing, or because they hold
ID-card numbers, and the mapping by hand. Deliberately knows no aliases (``schema``) and parses no
cell (``validation``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matcher.columns import Field, RecordKind, fields_of
from matcher.errors import InputError
from matcher.intake.identity import holds_id_card
from matcher.intake.schema import (
    ID_CARD_HEADERS,
    ROW_NUMBER_HEADERS,
    columns_meant,
    normalise_header,
    propose_mapping,
)
from matcher.intake.tables import Table
from matcher.intake.values import text_of
from matcher.models import Issue

EXPERT_TOPICS = ("disciplines", "research_directions", "achievements")
"""An expert without any of these cannot be matched."""
NO_ID_CARDS = "不收集身份证号"
_NUMBERS_ALIKE = ("信用代码", "机构代码")
"""Columns of numbers that are as long as an ID-card number and may pass its check by chance."""


def read_by_hand(kind: str, headers: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """A mapping as a person writes it, as header of the table → canonical column ("" leaves out).

    Headers are compared as aliases are; a column may be named by its label. Headers the table does
    not have are passed over; of two for a column that takes one source only the later counts.

    Raises:
        InputError: an unknown column; the known ones are listed.
    """
    fields = fields_of(kind)
    names = {f.name: f.name for f in fields} | {normalise_header(f.label): f.name for f in fields}
    by_name = {field.name: field for field in fields}
    chosen: dict[str, str] = {}
    for written, target in mapping.items():
        column = names.get(target.strip()) or names.get(normalise_header(target)) if target.strip() else ""
        if column is None:
            known = "、".join(f"{field.name}（{field.label}）" for field in fields)
            raise InputError(f"没有名为“{target}”的项目。", f"可用的有：{known}。")
        for header in find_headers(headers, written):
            for other in [h for h, c in chosen.items() if column and c == column and h != header]:
                if not by_name[column].merges:
                    chosen[other] = ""
            chosen[header] = column
    return chosen


def find_headers(headers: Sequence[str], written: str) -> tuple[str, ...]:
    """The header written exactly so, else those that differ in spaces, width or notes only."""
    if written in headers:
        return (written,)
    return tuple(h for h in headers if normalise_header(h) == normalise_header(written))


def settle_columns(
    kind: str, table: Table, mapping: Mapping[str, str] | None
) -> tuple[dict[str, str], tuple[str, ...], list[Issue]]:
    """Header → canonical column to read, headers left out, and what to tell about those.

    ``mapping`` decides alone; with None the aliases do.
    """
    labels = {field.name: field.label for field in fields_of(kind)}
    proposal = propose_mapping(kind, table.headers)
    decided = proposal.mapping if mapping is None else mapping
    used = {header: decided[header] for header in table.headers if decided.get(header)}
    issues: list[Issue] = []
    for header in table.headers:
        if normalise_header(header) in ID_CARD_HEADERS:
            used.pop(header, None)
            issues.append(about_column(table, header, f"已整列去掉：{NO_ID_CARDS}"))
        elif header not in decided and header in proposal.ambiguous:
            choices = "、".join(labels[name] for name in proposal.ambiguous[header])
            issues.append(about_column(table, header, f"可能是{choices}，请在列对应中选定"))
        elif header not in decided and normalise_header(header) not in ROW_NUMBER_HEADERS:
            meant = columns_meant(kind, header)
            other = next((h for h, name in used.items() if meant and name == meant[0]), "")
            reason = f"未读取：「{other}」已对应到{labels[meant[0]]}" if other else "没有对应的项目，未读取"
            issues.append(about_column(table, header, f"{reason}；需要时请手工对应"))
    silent = ROW_NUMBER_HEADERS | ID_CARD_HEADERS
    unmapped = tuple(h for h in table.headers if h not in used and normalise_header(h) not in silent)
    return used, unmapped, issues


def about_missing(
    kind: str, table: Table, used: Mapping[str, str], defaults: Mapping[str, str]
) -> list[Issue]:
    """One blocking problem for each required field that no column feeds: every row would lack it."""
    fed = {*used.values(), *(name for name, text in defaults.items() if text)}
    missing = [field.label for field in fields_of(kind) if field.required and field.name not in fed]
    if kind == RecordKind.EXPERTS and fed.isdisjoint(EXPERT_TOPICS):
        missing.append("研究方向")
    return [
        Issue(
            table.header_row,
            label,
            "",
            f"表里没有对应「{label}」的列，请在列对应中选定，或在表里补上这一列。",
        )
        for label in missing
    ]


def drop_id_cards(
    table: Table, used: dict[str, str], by_name: Mapping[str, Field], issues: list[Issue]
) -> set[tuple[int, str]]:
    """Drop the columns that hold ID-card numbers from ``used``.

    The column of a required field stays, because without it no row could be stored; there the
    (row, header) of each such cell is returned. Columns of credit codes hold no ID-card numbers.
    """
    cells: set[tuple[int, str]] = set()
    for header, name in list(used.items()):
        if name == "credit_code" or any(word in header for word in _NUMBERS_ALIKE):
            continue
        rows = [
            row.row_number
            for row in table.rows
            if (value := row.values.get(header)) is not None and holds_id_card(text_of(value))
        ]
        if rows and by_name[name].required:
            cells.update((number, header) for number in rows)
        elif rows:
            del used[header]
            text = f"第 {rows[0]} 行等 {len(rows)} 处有身份证号，已整列去掉：{NO_ID_CARDS}"
            issues.append(about_column(table, header, text))
    return cells


def about_column(table: Table, header: str, text: str) -> Issue:
    """A note on a whole column, at the header's row."""
    return Issue(table.header_row, header, "", f"「{header}」这一列{text}。", blocking=False)
