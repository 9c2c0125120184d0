"""Reading an uploaded file into one table.

Owns what a file may be (type, size, encoding, delimiter) and the choice of the sheet. Cells keep
the type the file gives them. Deliberately understands no cell (``validation``) and looks for no
header itself (``tables``).
"""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import PurePath

from matcher.columns import RecordKind, fields_of, unguard_formula
from matcher.errors import InputError
from matcher.intake.tables import (
    HEADER_SEARCH_ROWS,
    GridRow,
    Header,
    Table,
    build_table,
    find_header,
    guess_header,
    header_hint,
)

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 200
_DELIMITERS = (",", "\t", ";", "，")
_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def read_table(data: bytes, filename: str, kind: str) -> Table:
    """The table of ``kind`` in an uploaded file.

    Where too few columns are known, the most plausible header row is taken and a note says so.

    Args:
        data: the whole file, at most ``MAX_BYTES``.
        filename: its name; only the suffix decides the format.
        kind: the record kind its header is searched for.

    Raises:
        InputError: the file is too big, broken, protected, of another type, or looks like no table.
        ValueError: unknown ``kind``.
    """
    fields_of(kind)
    name = PurePath(filename.replace("\\", "/")).name
    suffix = PurePath(name).suffix.lower()
    if not data:
        raise InputError(f"文件「{name}」是空的。", "请检查后重新上传。")
    if len(data) > MAX_BYTES:
        raise InputError(f"文件「{name}」超过 20 MB。", "请拆成几个文件再导入。")
    if suffix in _TEXT_SUFFIXES:
        return _read_text_table(data, name, kind)
    if suffix in (".xlsx", ".xlsm"):
        return _read_workbook_table(data, name, kind)
    raise InputError(f"不能读取「{suffix or name}」文件。", "请在 Excel 或 WPS 中另存为 .xlsx 再导入。")


def decode_text(data: bytes, name: str) -> str:
    """Text of a CSV file in UTF-8, UTF-16 or GB18030.

    Raises:
        InputError: none of them fits.
    """
    encodings = [encoding for bom, encoding in _BOMS if data.startswith(bom)]
    if not encodings and b"\x00" in data[:4096]:
        # Without a byte-order mark, ASCII delimiters show on which side their zero byte lies.
        even = data[:4096:2].count(0)
        encodings = ["utf-16-be" if even > data[1:4096:2].count(0) else "utf-16-le"]
    for encoding in encodings or ["utf-8", "gb18030"]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"看不懂文件「{name}」的文字编码。", "请在 Excel 中另存为 .xlsx 或 UTF-8 的 CSV。")


def _read_text_table(data: bytes, name: str, kind: str) -> Table:
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(f"「{name}」其实是 Excel 文件。", "请把扩展名改为 .xlsx，或另存为 .xlsx。")
    text = decode_text(data, name).replace("\x00", "")
    grid = _split_text(text, _find_delimiter(text, kind), name)
    header, notes = _header_of(kind, grid)
    if header is None:
        raise _no_header(name, kind)
    return build_table(name, "", grid, header, notes)


def _header_of(kind: str, grid: list[GridRow]) -> tuple[Header | None, list[str]]:
    """The recognised header, else a plausible one with a note, else None."""
    header = find_header(kind, grid)
    if header is not None:
        return header, []
    header = guess_header(grid)
    if header is None:
        return None, []
    row = grid[header.last][0]
    return header, [f"没有认出{RecordKind(kind).label}的表头，暂以第 {row} 行为表头，请逐列选定对应的项目。"]


def _find_delimiter(text: str, kind: str) -> str:
    """The delimiter under which the first rows hold the best header; the comma when none does."""
    start = text[:200_000]
    scores: dict[str, tuple[int, int]] = {}
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
        rows: list[GridRow] = []
        try:
            for number, cells in enumerate(reader, start=1):
                rows.append((number, cells))
                if number > HEADER_SEARCH_ROWS:
                    break
        except csv.Error:
            continue
        header, guess = find_header(kind, rows), guess_header(rows)
        scores[delimiter] = (header.score if header else 0, guess.score if guess else 0)
    return max(scores, key=lambda delimiter: scores[delimiter]) if scores else ","


def _split_text(text: str, delimiter: str, name: str) -> list[GridRow]:
    """Rows numbered as Excel numbers them: a quoted line break does not begin a new row."""
    grid: list[GridRow] = []
    filled = 0
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for number, cells in enumerate(reader, start=1):
            filled += any(cells)
            _check_rows(filled, name)
            grid.append((number, [unguard_formula(cell) for cell in cells[:MAX_COLUMNS]]))
    except csv.Error as error:
        raise InputError(
            f"文件「{name}」不是完好的 CSV（{error}）。", "请用 Excel 打开后另存为 .xlsx。"
        ) from error
    return grid


def _read_workbook_table(data: bytes, name: str, kind: str) -> Table:
    # openpyxl is slow to import and only this branch needs it.
    from matcher.intake.workbook import read_sheets

    best: Table | None = None
    best_rank = (False, 0, 0)
    others: list[str] = []
    sheets, notes = read_sheets(data, name, lambda n_rows: _check_rows(n_rows, name))
    for title, grid in sheets:
        header, odd = _header_of(kind, grid)
        if header is None:
            others += [f"工作表「{title}」没有可识别的表头，未读取。"] if grid else []
            continue
        table = build_table(name, title, grid, header, odd)
        rank = (not odd, header.score if table.rows else 0, len(table.rows))
        if best is None or rank > best_rank:
            if best is not None:
                others.append(_other_sheet(best))
            best, best_rank = table, rank
        else:
            others.append(_other_sheet(table))
    if best is None:
        raise _no_header(name, kind)
    return dataclasses.replace(best, notes=(*best.notes, *notes[best.sheet], *others))


def _other_sheet(table: Table) -> str:
    return f"工作表「{table.sheet}」另有 {len(table.rows)} 行，未读取；需要时请单独导入。"


def _check_rows(n_rows: int, name: str) -> None:
    if n_rows > MAX_ROWS:
        raise InputError(f"文件「{name}」超过 {MAX_ROWS:,} 行。", "请拆成几个文件再导入。")


def _no_header(name: str, kind: str) -> InputError:
    return InputError(f"在「{name}」里找不到{RecordKind(kind).label}的表头。", header_hint(kind))
