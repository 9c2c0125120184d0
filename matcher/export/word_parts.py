"""The parts Word documents are made of: fonts, page, page fields, tables.

Owns how they look. East Asian fonts are set beside the Latin ones, because Word ignores a font name
for Chinese text otherwise. Deliberately knows no pairing and no layout (``word``, ``word_grouped``).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from docx.document import Document as WordFile
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Length, Pt, RGBColor
from docx.table import Table, _Row
from docx.text.paragraph import Paragraph

from matcher.columns import clean_text
from matcher.export.document import Cell, Column, Document, plain_number

A4_SHORT, A4_LONG = Cm(21.0), Cm(29.7)
_SIZES = {"Normal": 10.5, "Title": 20.0, "Heading 1": 14.0, "Heading 2": 12.0}


def set_properties(word: WordFile, document: Document) -> None:
    """Title and time of the file; no author, so that no account name leaves the office."""
    word.core_properties.title = clean_text(document.title)
    word.core_properties.author = ""
    word.core_properties.created = word.core_properties.modified = document.stamp.replace(tzinfo=None)


def set_fonts(word: WordFile) -> None:
    """宋体 for text, 黑体 for headings, Times New Roman for Latin, all black."""
    for name, size in _SIZES.items():
        style: Any = word.styles[name]
        style.font.name = "Times New Roman"
        style.font.size = Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        # Theme fonts of the template would win over the names.
        for attribute in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{attribute}"), None)
        fonts.set(qn("w:eastAsia"), "宋体" if name == "Normal" else "黑体")


def add_page_field(paragraph: Paragraph, instruction: str) -> None:
    """A field such as ``PAGE`` or ``NUMPAGES``; it shows 1 until the reader's program counts."""
    for kind, text in (("begin", ""), ("", instruction), ("separate", ""), ("shown", "1"), ("end", "")):
        run = paragraph.add_run()
        if kind == "shown":
            run.text = text
            continue
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)


def add_table(
    word: WordFile, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: Length
) -> Table:
    """A ruled table of ``width`` whose header row is repeated on every page."""
    table: Table = word.add_table(rows=1 + len(rows), cols=len(columns))
    table.style = "Table Grid"
    table.autofit = False
    total = sum(column.width for column in columns)
    widths = [Length(round(width * column.width / total)) for column in columns]
    for grid, one in zip(table.columns, widths, strict=True):
        grid.width = one
    labels = [column.label for column in columns]
    texts = [[cell_text(c, column) for c, column in zip(r, columns, strict=True)] for r in rows]
    for index, (row, cells) in enumerate(zip(table.rows, [labels, *texts], strict=True)):
        for cell, text, one in zip(row.cells, cells, widths, strict=True):
            cell.width = one
            run = cell.paragraphs[0].add_run(text)
            run.font.size = Pt(9)
            run.font.bold = True if index == 0 else None
    mark_row(table.rows[0], "w:tblHeader")
    word.add_paragraph()
    return table


def mark_row(row: _Row, name: str) -> None:
    """Switch a property of a row on, such as ``w:tblHeader`` or ``w:cantSplit``."""
    element = OxmlElement(name)
    element.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(element)


def shade(element: Any, colour: str) -> None:
    """Fill the background of a table cell with a colour such as ``F2F2F2``."""
    shading = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shading.set(qn(f"w:{name}"), value)
    element.get_or_add_tcPr().append(shading)


def cell_text(cell: Cell, column: Column) -> str:
    """A cell as it is printed."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return clean_text(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    if column.kind == "percent":
        return f"{cell:.1%}"
    return f"{cell:.{column.decimals}f}" if column.decimals is not None else plain_number(cell)


def saved(word: WordFile) -> bytes:
    """The bytes of the file."""
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()
