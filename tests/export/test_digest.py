"""The reminder digest lists what is overdue and counts it for each owner, in every format."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import docx
import openpyxl

from matcher.export.digest import NOTHING_OVERDUE, DigestRow, overdue_document
from matcher.export.document import RunInfo
from matcher.export.writers import write_document

INFO = RunInfo("", datetime(2026, 11, 24, 17, 30, tzinfo=UTC), "", "", "超过 21 天")
LATE = DigestRow(
    "于某",
    "对接中",
    "示例厂01",
    "刀具寿命短",
    "示例团队01",
    "某大学",
    date(2026, 11, 3),
    22,
    "打电话",
    "22 天没有进展",
    True,
)
LESS = replace(LATE, days_overdue=9, is_sample=False, firm="=乙厂")
NOBODYS = replace(LATE, owner="", due_on=None, days_overdue=45)
LABELS = [
    "经办人", "对接状态", "企业", "技术需求", "专家（团队）", "单位", "应办日期", "逾期天数", "下一步", "提醒原因",
]  # fmt: skip
DOCUMENT = overdue_document("逾期提醒", [LATE, LESS, NOBODYS], INFO)


def csv_rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_workbook_lists_rows_and_owners() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_document(DOCUMENT, ".xlsx")))
    assert book.sheetnames == ["逾期提醒", "按经办人"]
    page = book.worksheets[0]
    top = next(n for n in range(1, 10) if page.cell(n, 1).value == "经办人")
    assert [cell.value for cell in page[top]] == LABELS
    assert [cell.value for cell in page[top + 1]] == [
        "于某", "对接中", "示例厂01【示例】", "刀具寿命短【示例】", "示例团队01【示例】", "某大学",
        datetime(2026, 11, 3), 22, "打电话", "22 天没有进展",
    ]  # fmt: skip
    assert page.freeze_panes == f"A{top + 1}"
    assert page.print_title_rows == f"${top}:${top}"
    assert list(book.worksheets[1].iter_rows(3, values_only=True)) == [("于某", 2, 22), ("未指定", 1, 45)]


def test_csv_json_and_word_say_the_same() -> None:
    rows = csv_rows(write_document(DOCUMENT, ".csv"))
    assert rows[0] == LABELS
    assert [row[7] for row in rows[1:]] == ["22", "9", "45"]
    assert (rows[2][2], rows[3][0], rows[3][6]) == ("'=乙厂", "未指定", "")
    body = json.loads(write_document(DOCUMENT, ".json"))
    assert body["subtitle"] == ["共 3 件逾期。", "范围：超过 21 天", "生成时间：2026-11-25 01:30（北京时间）"]
    assert body["sheets"][0]["rows"][0]["应办日期"] == "2026-11-03"
    word = docx.Document(io.BytesIO(write_document(DOCUMENT, ".docx")))
    assert [cell.text for cell in word.tables[0].rows[0].cells] == LABELS
    assert len(word.tables[0].rows) == 4
    assert word.core_properties.created == datetime(2026, 11, 24, 17, 30, tzinfo=UTC)


def test_nothing_overdue_is_said_in_every_format() -> None:
    empty = overdue_document("逾期提醒", [], INFO)
    assert csv_rows(write_document(empty, ".csv"))[1][0] == NOTHING_OVERDUE
    assert json.loads(write_document(empty, ".json"))["subtitle"][0] == NOTHING_OVERDUE
    word = docx.Document(io.BytesIO(write_document(empty, ".docx")))
    assert NOTHING_OVERDUE in [paragraph.text for paragraph in word.paragraphs]
    page = openpyxl.load_workbook(io.BytesIO(write_document(empty, ".xlsx"))).worksheets[0]
    assert page.cell(2, 1).value == NOTHING_OVERDUE
