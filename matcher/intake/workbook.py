"""The cells of an .xlsx file.

Owns what is peculiar to the format: protection and size guards, merged cells, cached formula
values, error cells. Deliberately looks for no header and chooses no sheet (``readers``).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import IO
from xml.etree import ElementTree

import openpyxl
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.workbook.workbook import Workbook

from matcher.columns import unguard_formula
from matcher.errors import InputError
from matcher.intake.tables import CellValue, GridRow

MAX_UNPACKED_BYTES = 300 * 1024 * 1024
MAX_MEMBERS = 2_000
MAX_COLUMNS = 200
MAX_MERGED_ROWS = 2_000
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
_RESAVE = "请用 Excel 或 WPS 打开，另存为 .xlsx 再导入。"

Sheet = tuple[str, list[GridRow]]
Notes = dict[str, list[str]]
Merged = dict[int, list[tuple[int, int]]]
"""First row → (column, last row) of each cell merged over several rows."""


def read_sheets(data: bytes, name: str, check_rows: Callable[[int], None]) -> tuple[list[Sheet], Notes]:
    """Visible sheets as (title, grid), and per sheet title what was odd about which cell.

    A merged cell gives its value to every row it covers (in its first column), because bureaus
    merge the firm's name over its several needs; formulas give their stored value.

    Args:
        data: the file.
        name: its name, for messages.
        check_rows: called with the running number of filled rows; raises when there are too many.

    Raises:
        InputError: protected, broken, or unpacking to more than ``MAX_UNPACKED_BYTES``.
    """
    _guard(data, name)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            paths = _sheet_paths(archive)
            return _read_visible(book, archive, paths, check_rows)
    except (
        zipfile.BadZipFile,
        ElementTree.ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        EOFError,
    ) as error:
        raise InputError(f"文件「{name}」已损坏或不是真正的 .xlsx。", _RESAVE) from error


def _guard(data: bytes, name: str) -> None:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise InputError(f"文件「{name}」有打开密码。", "请取消密码后另存为 .xlsx 再导入。")
        raise InputError(f"文件「{name}」是旧的 .xls 格式。", _RESAVE)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise InputError(f"文件「{name}」已损坏或不是真正的 .xlsx。", _RESAVE) from error
    # zipfile never unpacks more than the declared size, so the declared sizes can be trusted.
    if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED_BYTES:
        raise InputError(f"文件「{name}」解压后过大。", "请只保留需要的工作表和行，再导入。")


def _read_visible(
    book: Workbook,
    archive: zipfile.ZipFile,
    paths: dict[str, str],
    check_rows: Callable[[int], None],
) -> tuple[list[Sheet], Notes]:
    sheets: list[Sheet] = []
    notes: Notes = {}
    total = 0
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        # Some programs declare a wrong or huge used range; the rows themselves are the truth.
        sheet.reset_dimensions()
        merged, uncached = _scan(archive, paths[sheet.title])
        odd = [f"{ref} 的公式没有保存结果，按空白处理；{_RESAVE}" for ref in uncached]
        grid: list[GridRow] = []
        fill: dict[int, dict[int, CellValue]] = {}
        for number, cells in enumerate(sheet.iter_rows(min_row=1, values_only=True), start=1):
            row = [_plain(cell) for cell in cells[:MAX_COLUMNS]]
            for index, value in enumerate(row):
                if isinstance(value, str) and value in _ERRORS:
                    ref = f"{get_column_letter(index + 1)}{number}"
                    odd.append(f"{ref} 是公式错误 {value}，按空白处理。")
                    row[index] = None
            # A row that only lies under a merged cell holds nothing of its own.
            if all(value is None or value == "" for value in row):
                continue
            total += 1
            check_rows(total)
            _spread(number, row, merged, fill)
            grid.append((number, row))
        sheets.append((sheet.title, grid))
        notes[sheet.title] = odd
    return sheets, notes


def _spread(number: int, row: list[CellValue], merged: Merged, fill: dict[int, dict[int, CellValue]]) -> None:
    """Give a merged cell's value to the rows below it, and what came from above to this row."""
    for column, last_row in merged.get(number, ()):
        if column <= len(row):
            for below in range(number + 1, last_row + 1):
                fill.setdefault(below, {})[column] = row[column - 1]
    for column, value in fill.pop(number, {}).items():
        row.extend([None] * (column - len(row)))
        row[column - 1] = value


def _plain(value: object) -> CellValue:
    if isinstance(value, str):
        # A guarded CSV that Excel saved as .xlsx still carries the guard.
        return unguard_formula(value)
    if value is None or isinstance(value, bool | int | float | datetime | date):
        return value
    return str(value)


def _scan(archive: zipfile.ZipFile, path: str) -> tuple[Merged, list[str]]:
    """The merged cells of a sheet, and its formula cells without a stored value."""
    merged: Merged = {}
    uncached: list[str] = []
    with archive.open(path) as part:
        for element in _elements(part, ("c", "mergeCell")):
            if element.tag.endswith("}mergeCell"):
                left, top, _, bottom = range_boundaries(element.get("ref", ""))
                if left and top and bottom and 0 < bottom - top <= MAX_MERGED_ROWS:
                    merged.setdefault(top, []).append((left, bottom))
                continue
            parts = {child.tag.rpartition("}")[2]: child.text for child in element}
            if "f" in parts and not parts.get("v") and element.get("t") != "str":
                uncached.append(element.get("r", ""))
    return merged, uncached


def _sheet_paths(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet title → path of its part in the archive."""
    with archive.open("xl/_rels/workbook.xml.rels") as part:
        targets = {
            element.get("Id", ""): element.get("Target", "").lstrip("/").removeprefix("xl/")
            for element in _elements(part, ("Relationship",))
        }
    paths: dict[str, str] = {}
    with archive.open("xl/workbook.xml") as part:
        for element in _elements(part, ("sheet",)):
            ids = [value for key, value in element.attrib.items() if key.endswith("}id")]
            if ids and ids[0] in targets:
                paths[element.get("name", "")] = f"xl/{targets[ids[0]]}"
    return paths


def _elements(part: IO[bytes], names: tuple[str, ...]) -> Iterator[ElementTree.Element]:
    # expat itself limits entity expansion, and the parts are size-guarded.
    for _, element in ElementTree.iterparse(part):  # noqa: S314
        local = element.tag.rpartition("}")[2]
        if local in names:
            yield element
        # Rows are emptied as they end, so that a large sheet is never held as a tree.
        if local == "row":
            element.clear()
