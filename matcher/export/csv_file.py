"""CSV that opens in Excel: UTF-8 with a byte-order mark, CRLF, no cell that runs as a formula.

Owns the text of each cell in CSV. A CSV holds one table, so of a document the first sheet.
"""

from __future__ import annotations

import csv
import io
from datetime import date

from matcher.columns import guard_formula
from matcher.export.document import Cell, Sheet, plain_number


def write_csv(sheet: Sheet) -> bytes:
    """The table with its labels in the first line; numbers stay numbers, dates are ISO dates."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([guard_formula(column.label) for column in sheet.columns])
    writer.writerows([_text(cell) for cell in row] for row in sheet.rows)
    # A lone surrogate is no character; it must not stop the whole file.
    return buffer.getvalue().encode("utf-8-sig", errors="replace")


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return guard_formula(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return plain_number(cell)
