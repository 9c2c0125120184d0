"""One entry for every file format.

Owns the choice of the writer by suffix. Each format library is imported only when asked for.
"""

from __future__ import annotations

from matcher.errors import InputError
from matcher.export.document import Document, Sheet

SUFFIXES = (".xlsx", ".csv", ".json", ".docx")


def write_document(content: Document | Sheet, suffix: str) -> bytes:
    """The bytes of a file.

    Args:
        content: a document, or one sheet of records.
        suffix: ``.xlsx``, ``.csv`` (the first sheet only), ``.json`` or ``.docx``; case and a
            missing dot do not matter.

    Raises:
        InputError: unknown suffix; the hint lists the known ones.
    """
    document = Document(content.title, (), (content,)) if isinstance(content, Sheet) else content
    match "." + suffix.strip().lower().removeprefix("."):
        case ".xlsx":
            from matcher.export.excel import write_excel

            return write_excel(document)
        case ".csv":
            from matcher.export.csv_file import write_csv

            return write_csv(document.sheets[0])
        case ".json":
            from matcher.export.json_file import write_json

            return write_json(document)
        case ".docx":
            from matcher.export.word import write_word

            return write_word(document)
        case _:
            raise InputError(f"不能导出「{suffix}」格式。", f"可用的格式：{'、'.join(SUFFIXES)}。")
