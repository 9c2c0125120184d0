"""From a grid of cells to a table: where the header is, and which rows are data.

Owns header detection (title rows above, two-row headers, a plausible row when too few columns are
known), skipping of empty rows, footers and
repeated headers. Deliberately knows no file format (``readers``) and no cell meaning
(``validation``).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from matcher.columns import clean_text, fields_of
from matcher.intake.schema import ROW_NUMBER_HEADERS, columns_meant, normalise_header

CellValue = str | int | float | bool | date | datetime | None
GridRow = tuple[int, Sequence[CellValue]]
"""One row of a sheet: its number as the person sees it (1-based), and its cells from column 1."""

HEADER_SEARCH_ROWS = 20
MIN_HEADER_FIELDS = 2
MIN_GUESSED_CELLS = 3
_LONGEST_GUESSED = 20
_NO_HEADER_CELL = re.compile(r"[:：。；;]|^[\d\s.,%/年月日()（）-]+$")
_FOOTER_NOTE = re.compile(
    r"^(填表说明|填报说明|填写说明|说明|注|备注|填表人|填报人|审核人|负责人|制表|联系人|单位盖章|附件)"
    r"\s*[:：（(]|^(填表说明|填报说明|填写说明)"
)
_FOOTER_TOTAL = re.compile(r"^[（(]?(合\s*计|总\s*计|小\s*计|共\s*计)")


@dataclass(frozen=True, slots=True)
class RawRow:
    """One data row. ``row_number`` is as the person sees it in the file; ``values`` by header."""

    row_number: int
    values: Mapping[str, CellValue]


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it stands in a file, before any cell is understood.

    ``header_row`` is the last row of the header; ``notes`` say in Chinese what was left out.
    """

    filename: str
    sheet: str
    headers: tuple[str, ...]
    rows: tuple[RawRow, ...]
    header_row: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """A header found in a grid: its first and last row index, its cells, and its score."""

    first: int
    last: int
    cells: tuple[str, ...]
    score: int


def find_header(kind: str, grid: Sequence[GridRow]) -> Header | None:
    """The best header among the first rows, or None when no row names two columns of ``kind``.

    The score is the number of different canonical columns named, required ones counted twice. The
    upper row wins a tie. Two rows are one header when together they name more columns than either
    alone, or when below a header row stands nothing but header cells.
    """
    best: Header | None = None
    texts = [tuple(_text_of(cell) for cell in cells) for _, cells in grid[: HEADER_SEARCH_ROWS + 1]]
    singles = [_score(kind, cells) for cells in texts]
    for index, score in enumerate(singles[:HEADER_SEARCH_ROWS]):
        if score and (best is None or score > best.score):
            best = Header(index, index, texts[index], score)
    for index, (upper, lower) in enumerate(itertools.pairwise(texts)):
        joined, only_headers = _joined_header(kind, upper, lower)
        score = _score(kind, joined) + (only_headers and singles[index] > 0)
        if score and (best is None or score > best.score):
            best = Header(index, index + 1, joined, score)
    return best


def guess_header(grid: Sequence[GridRow]) -> Header | None:
    """The first row that looks like a header whatever its words, for a person to map by hand.

    At least three short, different text cells with rows of data below; the score is their number.
    """
    for index, (_, cells) in enumerate(grid[:HEADER_SEARCH_ROWS]):
        texts = [text for cell in cells if (text := _text_of(cell))]
        below = [sum(bool(_text_of(cell)) for cell in row) for _, row in grid[index + 1 : index + 3]]
        if (
            len(texts) >= MIN_GUESSED_CELLS
            and len({normalise_header(text) for text in texts}) == len(texts)
            and all(isinstance(cell, str) for cell in cells if _text_of(cell))
            and all(len(text) <= _LONGEST_GUESSED and not _NO_HEADER_CELL.search(text) for text in texts)
            and max(below, default=0) >= MIN_HEADER_FIELDS
        ):
            return Header(index, index, tuple(_text_of(cell) for cell in cells), len(texts))
    return None


def build_table(
    filename: str, sheet: str, grid: Sequence[GridRow], header: Header, first_notes: Sequence[str] = ()
) -> Table:
    """The table below ``header`` in ``grid``; ``first_notes`` go before its own."""
    headers = _unique(header.cells)
    numbering = {h for h in headers if h and normalise_header(h) in ROW_NUMBER_HEADERS}
    rows: list[RawRow] = []
    notes = list(first_notes)
    for number, cells in grid[header.last + 1 :]:
        pairs = itertools.zip_longest(headers, cells[: len(headers)])
        values = {name: value for name, value in pairs if name}
        filled = {name: text for name, value in values.items() if (text := _text_of(value))}
        only_number = not filled.keys() - numbering
        if only_number and all(text.isdecimal() for text in filled.values()):
            continue
        reason = _reason_to_skip(filled) or ("只在序号列有文字" if only_number else "")
        if reason:
            notes.append(f"第 {number} 行{reason}，已跳过。")
        else:
            rows.append(RawRow(number, values))
    named = tuple(name for name in headers if name)
    return Table(filename, sheet, named, tuple(rows), grid[header.last][0], tuple(notes))


def header_hint(kind: str) -> str:
    """What to do when no header was found: the columns this table must have."""
    required = [field.label for field in fields_of(kind) if field.required]
    return f"请保留表头行，至少写明这些列：{'、'.join(required)}。"


def _text_of(value: CellValue) -> str:
    return clean_text(value) if isinstance(value, str) else "" if value is None else str(value)


def _score(kind: str, cells: Sequence[str]) -> int:
    named = {meant[0] for cell in cells if cell and len(meant := columns_meant(kind, cell)) == 1}
    if len(named) < MIN_HEADER_FIELDS:
        return 0
    return len(named) + sum(field.required for field in fields_of(kind) if field.name in named)


def _joined_header(kind: str, upper: Sequence[str], lower: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """A two-row header (a group name above, its parts below), and whether all below are parts."""
    joined: list[str] = []
    group = ""
    only_headers = any(lower)
    for above, below in itertools.zip_longest(upper, lower, fillvalue=""):
        group = above or (group if below else "")
        if not below or below == group:
            joined.append(above)
        elif columns_meant(kind, group + below) or not columns_meant(kind, below):
            joined.append(group + below)
            only_headers &= bool(columns_meant(kind, group + below))
        else:
            joined.append(below)
    return tuple(joined), only_headers


def _unique(cells: Sequence[str]) -> list[str]:
    """Headers made different by a bracketed number, which header comparison ignores."""
    seen: dict[str, int] = {}
    unique: list[str] = []
    for raw in cells:
        cell = raw.replace("\n", "")
        seen[cell] = seen.get(cell, 0) + 1
        unique.append(f"{cell}（{seen[cell]}）" if cell and seen[cell] > 1 else cell)
    return unique


def _reason_to_skip(filled: Mapping[str, str]) -> str:
    first = next(iter(filled.values()))
    if _FOOTER_TOTAL.match(first):
        return "是合计行"
    if len(set(filled.values())) <= MIN_HEADER_FIELDS and _FOOTER_NOTE.match(first):
        return f"像表尾说明（{first[:12]}…）"
    if len(filled) > 1 and all(normalise_header(t) == normalise_header(h) for h, t in filled.items()):
        return "是重复的表头"
    return ""
