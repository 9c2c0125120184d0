"""Files in every format: nothing runs as a formula, numbers stay numbers, pages are set up."""

import csv
import io
import json
from datetime import UTC, date, datetime

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from matcher.columns import clean_text, guard_formula, unguard_formula
from matcher.errors import InputError
from matcher.export.document import Cell, Column, Document, EvidenceRow, PairRow, RunInfo, Sheet
from matcher.export.layouts import records_sheet, shortlist_document
from matcher.export.writers import write_document
from matcher.models import Need
from matcher.vocab import Channel

NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)
DANGER = "=+-@＝＋－＠\t\r"
RISKY = st.tuples(st.sampled_from([*DANGER, "'=", "''+", " =", "\n@"]), st.text(max_size=20)).map("".join)
RUN = RunInfo("R-1", datetime(2026, 11, 25, tzinfo=UTC), "内置模型", "rev-7")
PAIR = PairRow(
    1, "N1", "刀具\x07寿命短", "示例厂01", "宋村镇", "汽车机电", "E1", "示例团队01", "某大学", "区内", 2 / 3,
    {Channel.LEXICAL: 1 / 3, Channel.DENSE: 1 / 3},
    (EvidenceRow("主要问题", "=磨得快", "研究方向", "摩擦学", "E1"),),
    ("成本",), ("有合作",), "接受", "备注", True, True,
)  # fmt: skip
SHORTLIST = shortlist_document("十一月", [PAIR], RUN)


def one_sheet(*cells: Cell) -> Sheet:
    kinds = {str: "text", float: "number", int: "int", date: "date"}
    columns = tuple(Column(f"列{n}", kind=kinds.get(type(c), "text")) for n, c in enumerate(cells))  # type: ignore[arg-type]
    return Sheet("表", columns, (cells,))


def csv_rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@settings(max_examples=60, deadline=None, phases=NO_SHRINK)
@given(RISKY | st.text(max_size=20))
def test_no_csv_cell_runs(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    shown = csv_rows(write_document(one_sheet(text), ".csv"))[1:]
    cell = shown[0][0] if shown and shown[0] else ""
    assert not cell.lstrip(" \u00a0\u3000").startswith(tuple(DANGER))
    assert unguard_formula(cell) == text


@settings(max_examples=40, deadline=None, phases=NO_SHRINK)
@given(RISKY)
def test_no_xlsx_cell_runs(text: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_document(one_sheet(text), ".xlsx")))
    cell = book.worksheets[0].cell(3, 1)
    assert cell.data_type in ("s", "n", "inlineStr")
    if clean_text(text):
        assert cell.data_type != "n"
        assert unguard_formula(str(cell.value)) == unguard_formula(guard_formula(clean_text(text)))
    content = write_document(one_sheet(text), ".xlsx")
    assert b"<f>" not in b"".join(part for part in parts_of(content))


def parts_of(content: bytes) -> list[bytes]:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist() if "worksheets/" in name]


def test_numbers_and_dates_stay_what_they_are() -> None:
    sheet = one_sheet("-5", -5.5, -7, date(2026, 3, 1), None)
    assert csv_rows(write_document(sheet, ".csv"))[1] == ["'-5", "-5.5", "-7", "2026-03-01", ""]
    page = openpyxl.load_workbook(io.BytesIO(write_document(sheet, ".xlsx"))).worksheets[0]
    values = [page.cell(3, n).value for n in range(1, 6)]
    assert values == ["-5", -5.5, -7, datetime(2026, 3, 1), None]
    assert json.loads(write_document(sheet, ".json"))["sheets"][0]["rows"] == [
        {"列0": "-5", "列1": -5.5, "列2": -7, "列3": "2026-03-01", "列4": None}
    ]


def test_csv_has_mark_and_crlf() -> None:
    content = write_document(one_sheet("a\nb"), "csv")
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b'"a\nb"\r\n')


def test_workbook_is_ready_to_print() -> None:
    content = write_document(SHORTLIST, ".XLSX")
    assert content == write_document(SHORTLIST, ".xlsx")
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["候选合作清单", "匹配依据", "说明"]
    page = book.worksheets[0]
    header = next(n for n in range(1, 10) if page.cell(n, 1).value == "序号")
    assert page.cell(1, 1).value == "候选合作清单：十一月"
    assert page.freeze_panes == f"A{header + 1}"
    assert page.auto_filter.ref == f"A{header}:S{header + 1}"
    assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 9)
    assert page.page_setup.fitToHeight == 0
    assert page.print_title_rows == f"${header}:${header}"
    score = page.cell(header + 1, 10)
    assert (score.value, score.number_format) == (66.7, "0.0")
    parts = [page.cell(header + 1, n).value for n in (11, 12)]
    assert sorted(parts) == [33.3, 33.4]
    assert page.cell(header + 1, 3).value == "刀具寿命短【示例】"


def test_overlong_text_is_cut_with_a_word_about_it() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_document(one_sheet("长" * 40_000), ".xlsx")))
    assert str(book.worksheets[0].cell(3, 1).value).endswith("全文见 JSON 导出）")


def test_sheet_names_are_legal_and_different() -> None:
    sheets = tuple(Sheet(title, (Column("a"),), ()) for title in ("a/b:c", "a/b:c", "长" * 40, ""))
    book = openpyxl.load_workbook(io.BytesIO(write_document(Document("题", (), sheets), ".xlsx")))
    assert book.sheetnames == ["a b c", "a b c 2", "长" * 31, "表"]


def test_json_gives_full_and_shown_numbers() -> None:
    body = json.loads(write_document(SHORTLIST, ".json"))
    assert body["run"]["created_at"] == "2026-11-25T00:00:00+00:00"
    (pair,) = body["pairs"]
    assert pair["score"] == 2 / 3
    assert pair["score_shown"] == 66.7
    assert pair["contributions"] == {"lexical": 1 / 3, "dense": 1 / 3}
    assert sum(round(part * 10) for part in pair["contributions_shown"].values()) == 667
    assert pair["expert_name"] == "示例团队01【示例】"


def word_text(content: bytes) -> str:
    word = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in word.paragraphs] + cells)


def test_word_shows_the_same_numbers_badges_and_evidence() -> None:
    text = word_text(write_document(SHORTLIST, ".docx"))
    assert "候选合作清单：十一月" in text
    assert "匹配度：66.7 = 用词相同 33.4 + 语义相近 33.3" in text
    assert "刀具寿命短【示例】" in text
    assert "主要问题：=磨得快" in text
    assert "R-1" in text


def test_word_sets_east_asian_fonts_and_repeats_the_header() -> None:
    word = docx.Document(io.BytesIO(write_document(SHORTLIST, ".docx")))
    fonts = {
        name: word.styles[name].element.rPr.rFonts.get(qn("w:eastAsia"))  # type: ignore[attr-defined]
        for name in ("Normal", "Title", "Heading 1")
    }
    assert fonts == {"Normal": "宋体", "Title": "黑体", "Heading 1": "黑体"}
    assert word.tables[0].rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert word.sections[0].page_width > word.sections[0].page_height  # type: ignore[operator]


def test_word_prints_wide_records_as_blocks() -> None:
    need = Need("N1", "甲厂", "气孔", "多", budget_wan=1234567.5, start_on=date(2026, 3, 1))
    text = word_text(write_document(records_sheet("needs", [need]), ".docx"))
    assert "拟投入资金（万元）：1234567.5" in text
    assert "需求时限起：2026-03-01" in text


def test_unknown_suffix_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        write_document(SHORTLIST, ".pdf")
    assert ".xlsx、.csv、.json、.docx" in caught.value.hint
