"""One entry for every file format.

Owns the choice of the writer by suffix. Each format library is imported only when asked for.
"""

from __future__ import annotations

from matcher.errors import InputError
from matcher.export.document import Document, Sheet

SUFFIXES = (".xlsx", ".csv", ".json", ".docx")


def check_suffix(suffix: str) -> str:
    """The suffix in its normal form. Raises InputError when no writer has it; the hint lists the known ones."""
    normal = "." + suffix.strip().lower().removeprefix(".")
    if normal not in SUFFIXES:
        raise InputError(f"不能导出「{suffix}」格式。", f"可用的格式：{'、'.join(SUFFIXES)}。")
    return normal


def write_document(content: Document | Sheet, suffix: str) -> bytes:
    """The bytes of a file.

    Args:
        content: a document, or one sheet of records.
        suffix: ``.xlsx``, ``.csv`` (one table: the flat one, else the first sheet), ``.json`` or ``.docx``; case and a
            missing dot do not matter.

    Raises:
        InputError: unknown suffix; the hint lists the known ones.
    """
    document = Document(content.title, (), (content,)) if isinstance(content, Sheet) else content
    match check_suffix(suffix):
        case ".xlsx":
            from matcher.export.excel import write_excel

            return write_excel(document)
        case ".csv":
            from matcher.export.csv_file import write_csv

            return write_csv(document.flat or document.sheets[0])
        case ".json":
            from matcher.export.json_file import write_json

            return write_json(document)
        case _ if document.grouping:
            from matcher.export.word_grouped import write_grouped_word

            return write_grouped_word(document)
        case _:
            from matcher.export.word import write_word

            return write_word(document)
