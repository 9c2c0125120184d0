"""Excel workbooks ready to print: A4 landscape, frozen and repeated header, real numbers and dates.

Owns the look of a sheet. Every text is written as a string, so that none can run as a formula.
"""

from __future__ import annotations

import io
import re
import unicodedata
from datetime import date

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from matcher.columns import clean_text, guard_formula
from matcher.export.document import Cell, Column, Document, Sheet

MAX_CELL_CHARACTERS = 32_000
MAX_SHEET_NAME = 31
_TOO_LONG = "…（内容过长，全文见 JSON 导出）"
_FORBIDDEN_IN_TITLE = re.compile(r"[\[\]:*?/\\]")
_EXCEL_FIRST_YEAR = 1900
_BLUE = "#1F4E79"
_Formats = dict[str, Format]


def write_excel(document: Document) -> bytes:
    """A workbook with one worksheet for each sheet of ``document``."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    title = clean_text(document.title)
    book.set_properties({"title": title, "created": document.stamp.replace(tzinfo=None)})
    styles = _styles(book)
    # Excel keeps this name for itself and refuses a file that has it.
    used = {"history"}
    names = [_sheet_name(sheet.title, used) for sheet in document.sheets]
    for index, (name, sheet) in enumerate(zip(names, document.sheets, strict=True)):
        lines = [clean_text(document.title), *document.subtitle_lines] if index == 0 else []
        heading = [*(lines or [sheet.title]), *sheet.notes]
        page = book.add_worksheet(name)
        _write_sheet(page, sheet, heading, styles)
        if index == 0 and document.grouping:
            _link_groups(page, len(heading) + 1, sheet, names[1:], styles["link"])
    book.close()
    return buffer.getvalue()


def _styles(book: Workbook) -> _Formats:
    base = {"font_name": "宋体", "font_size": 10, "valign": "top", "border": 1}
    header = {"font_name": "黑体", "bold": True, "bg_color": _BLUE, "font_color": "#FFFFFF"}
    look = {"align": "center", "valign": "vcenter", "text_wrap": True, "border": 1}
    return {
        "title": book.add_format({"font_name": "黑体", "font_size": 16, "bold": True}),
        "line": book.add_format({"font_name": "宋体", "font_size": 10, "font_color": "#595959"}),
        "header": book.add_format({**header, **look, "font_size": 10}),
        "text": book.add_format({**base, "text_wrap": True}),
        "link": book.add_format({**base, "text_wrap": True, "font_color": "#0563C1", "underline": 1}),
        "int": book.add_format({**base, "num_format": "0"}),
        "number": book.add_format({**base, "num_format": "General"}),
        "number1": book.add_format({**base, "num_format": "0.0"}),
        "percent": book.add_format({**base, "num_format": "0.0%"}),
        "date": book.add_format({**base, "num_format": "yyyy-mm-dd", "align": "left"}),
    }


def _write_sheet(sheet: Worksheet, content: Sheet, heading: list[str], styles: _Formats) -> None:
    for row, line in enumerate(heading):
        sheet.write_string(row, 0, _safe(line), styles["title" if row == 0 else "line"])
    sheet.set_row(0, 26)
    top = len(heading)
    last_column = max(len(content.columns) - 1, 0)
    for column, spec in enumerate(content.columns):
        sheet.set_column(column, column, spec.width)
        sheet.write_string(top, column, _safe(spec.label), styles["header"])
    sheet.set_row(top, 32)
    for row, cells in enumerate(content.rows, start=top + 1):
        for column, (cell, spec) in enumerate(zip(cells, content.columns, strict=True)):
            _write_cell(sheet, row, column, cell, _style(spec, cell, styles))
        sheet.set_row(row, _row_height(cells, content.columns))
    sheet.freeze_panes(top + 1, 0)
    sheet.autofilter(top, 0, top + max(len(content.rows), 1), last_column)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    if content.n_printed:
        sheet.print_area(0, 0, top + max(len(content.rows), 1), content.n_printed - 1)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
    sheet.set_footer("&C第 &P 页 共 &N 页")


def _style(column: Column, cell: Cell, styles: _Formats) -> Format:
    if isinstance(cell, str) or cell is None:
        return styles["text"]
    if column.kind == "number" and column.decimals == 1:
        return styles["number1"]
    return styles[column.kind]


def _write_cell(sheet: Worksheet, row: int, column: int, cell: Cell, style: Format) -> None:
    if cell is None or cell == "":
        sheet.write_blank(row, column, None, style)
    elif isinstance(cell, str):
        sheet.write_string(row, column, _safe(cell), style)
    elif isinstance(cell, date):
        if cell.year < _EXCEL_FIRST_YEAR:
            sheet.write_string(row, column, cell.isoformat(), style)
        else:
            sheet.write_datetime(row, column, cell, style)
    else:
        sheet.write_number(row, column, cell, style)


def _safe(text: str) -> str:
    """Text without characters XML forbids, of a length Excel keeps.

    A string cell never runs, so a formula character stays as it is; only a text that already
    begins like a guarded one is guarded again, because an import takes one guard off.
    """
    text = clean_text(text)
    if text.startswith("'"):
        text = guard_formula(text)
    return text if len(text) <= MAX_CELL_CHARACTERS else text[:MAX_CELL_CHARACTERS] + _TOO_LONG


def _row_height(cells: tuple[Cell, ...], columns: tuple[Column, ...]) -> float:
    """Points for the cell with most lines: Excel does not fit rows of a generated file itself."""
    lines = 1
    for cell, column in zip(cells, columns, strict=True):
        if isinstance(cell, str):
            parts = cell.split("\n")
            lines = max(lines, sum(max(1, -(-_width(part) // column.width)) for part in parts))
    return min(lines * 13.5 + 3, 400.0)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)


def _link_groups(page: Worksheet, top: int, sheet: Sheet, names: list[str], style: Format) -> None:
    """Make the second column of the counting sheet lead to the sheet of its group."""
    for row, (cells, name) in enumerate(zip(sheet.rows, names, strict=False), start=top):
        target = name.replace("'", "''")
        page.write_url(row, 1, f"internal:'{target}'!A1", style, _safe(str(cells[1])), "打开这一组")


def _sheet_name(title: str, used: set[str]) -> str:
    base = _FORBIDDEN_IN_TITLE.sub(" ", clean_text(title).replace("\n", " ")).strip("' ")
    name, number = _cut(base, "") or "表", 1
    while name.casefold() in used:
        number += 1
        name = _cut(base or "表", f" {number}")
    used.add(name.casefold())
    return name


def _cut(base: str, ending: str) -> str:
    """A sheet name of the length Excel allows, which it counts in UTF-16 units."""
    room = MAX_SHEET_NAME - len(ending)
    while len(base.encode("utf-16-le")) // 2 > room:
        base = base[:-1]
    return base.rstrip("' ") + ending
