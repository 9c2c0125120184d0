"""The grouped 候选合作清单 says the same in every format, and holds nothing it was told to leave out."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from matcher.export.document import Document, EvidenceRow, PairRow, RunInfo
from matcher.export.grouped import CONTACTS_INSIDE, NO_PAIRS, grouped_document
from matcher.export.writers import SUFFIXES, write_document
from matcher.vocab import Channel

# 17:30 UTC is already the next day in Beijing.
RUN = RunInfo("R-1", datetime(2026, 11, 24, 17, 30, tzinfo=UTC), "内置模型", "rev-7")
EVIDENCE = EvidenceRow(
    "主要问题", "刀具磨得快", "研究方向", "摩擦学", "E1#2", ("刀具",), ("磨得快 → 摩擦学",), "官网", 2025
)
FIRST = PairRow(
    9, "N1", "刀具寿命短", "示例厂01", "宋村镇", "汽车机电", "E1", "示例团队01", "某大学", "区内", 0.5678,
    {Channel.LEXICAL: 0.2, Channel.DENSE: 0.3, Channel.THESAURUS: 0.0678},
    (EVIDENCE,), ("成本低于 3 元",), ("有合作经历",), "接受", "先走访", True, True,
    decision_reason="方向对口", status="已推荐", owner="于某", confidentiality="仅平台",
    contact="张三丰", phone="13800001111", expert_contact="li@team.example", problem="一班换三次刀",
)  # fmt: skip
SECOND = PairRow(
    9, "N2", "裂纹", "乙厂", "葛家镇", "汽车机电", "E2", "乙团队", "某大学", "全国", 0.25,
    decision="搁置", run_id="R-7", run_at=date(2026, 10, 1),
)  # fmt: skip
THIRD = replace(FIRST, need_id="N3", sector="海洋生物", decision="", status="", owner="")
GROUPS = [("汽车机电", [FIRST, SECOND]), ("海洋生物", [THIRD])]
OMITTED = ("2 条保密需求未列入",)
SECRETS = ("张三丰", "13800001111", "li@team.example")
PRINTED = [
    "序号", "技术需求", "企业", "镇街", "专家（团队）", "单位", "圈层", "匹配度", "主要依据", "未覆盖要求",
    "审核意见", "对接状态", "备注",
]  # fmt: skip
CONTACT_HEADER = ["企业联系人", "联系电话", "团队联系方式"]
BESIDE = [
    "需求编号", "领域", "其中：用词相同", "其中：语义相近", "其中：术语对应", "意见理由", "经办人", "公开范围",
    "数据性质", "运行编号", "运行日期",
]  # fmt: skip
HEADER = [*PRINTED, *BESIDE]


def made(with_contacts: bool = False) -> Document:
    return grouped_document(
        "十一月对接会", GROUPS, RUN, by="领域", note="走访用", with_contacts=with_contacts, omitted=OMITTED
    )


def book_of(document: Document) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(write_document(document, ".xlsx")))


def csv_of(document: Document) -> list[list[str]]:
    text = write_document(document, ".csv").decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def word_of(document: Document) -> "docx.document.Document":
    return docx.Document(io.BytesIO(write_document(document, ".docx")))


def word_text(document: Document) -> str:
    word = word_of(document)
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in word.paragraphs] + cells)


def everything_in(content: bytes) -> str:
    """All text of a file, zipped or not."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content.decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def header_row(page: Worksheet) -> int:
    return next(n for n in range(1, 20) if page.cell(n, 1).value == "序号")


def records(page: Worksheet) -> list[dict[str, object]]:
    top = header_row(page)
    labels = [str(cell.value) for cell in page[top]]
    return [dict(zip(labels, row, strict=True)) for row in page.iter_rows(top + 1, values_only=True)]


# ---------------------------------------------------------------- what every format says


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_contacts_are_in_the_file_only_when_asked(suffix: str) -> None:
    plain = everything_in(write_document(made(), suffix))
    asked = everything_in(write_document(made(with_contacts=True), suffix))
    for secret in SECRETS:
        assert secret not in plain
        assert secret in asked
    for label in CONTACT_HEADER:
        assert label not in plain


def test_contacts_are_dropped_before_any_writer_sees_them() -> None:
    assert not [secret for secret in SECRETS if secret in repr(made())]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_says_what_is_left_out_and_how_things_stand(suffix: str) -> None:
    text = everything_in(write_document(made(), suffix))
    for words in (*OMITTED, "R-1", "R-7", "刀具寿命短【示例】", "示例厂01【示例】", "示例团队01【示例】"):
        assert words in text
    for words in ("方向对口", "已推荐", "于某", "仅平台", "先走访", "成本低于 3 元", "56.8", "摩擦学"):
        assert words in text


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_groups_is_a_valid_file_that_says_so(suffix: str) -> None:
    document = grouped_document("空", [], RUN, by="镇街", omitted=OMITTED)
    content = write_document(document, suffix)
    assert NO_PAIRS in everything_in(content)
    assert OMITTED[0] in everything_in(content)
    if suffix == ".xlsx":
        assert book_of(document).sheetnames == ["汇总", "说明"]
    if suffix == ".docx":
        assert NO_PAIRS in word_text(document)
    if suffix == ".json":
        assert json.loads(content)["groups"] == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_document_is_the_same_bytes(suffix: str) -> None:
    first = write_document(made(), suffix)
    if suffix == ".docx":
        assert everything_in(first) == everything_in(write_document(made(), suffix))
    else:
        assert first == write_document(made(), suffix)


def test_numbers_run_through_the_file_and_runs_fill_in() -> None:
    document = made()
    assert [pair.rank for pair in document.pairs] == [1, 2, 3]
    assert [(pair.run_id, pair.run_at) for pair in document.pairs] == [
        ("R-1", date(2026, 11, 25)), ("R-7", date(2026, 10, 1)), ("R-1", date(2026, 11, 25)),
    ]  # fmt: skip
    unknown_day = grouped_document("题", [("甲", [replace(SECOND, run_at=None)])], RUN, by="领域")
    assert unknown_day.pairs[0].run_at is None


def test_many_runs_are_counted_in_the_heading() -> None:
    pairs = [replace(SECOND, run_id=f"R-{n}") for n in range(4)]
    document = grouped_document("题", [("甲", pairs)], RUN, by="领域")
    assert "运行编号：共 4 次，见每一对的运行编号" in document.subtitle_lines


def test_what_a_group_is_must_be_said() -> None:
    with pytest.raises(ValueError, match="by must say"):
        grouped_document("题", [], RUN, by=" ")


# ---------------------------------------------------------------- .xlsx


def test_workbook_counts_and_links_its_groups() -> None:
    book = book_of(made())
    assert book.sheetnames == ["汇总", "汽车机电", "海洋生物", "说明"]
    page = book["汇总"]
    lines = [page.cell(n, 1).value for n in range(1, header_row(page))]
    assert lines[:3] == [
        "十一月对接会",
        "科技局",
        "分组：按领域；共 2 组、3 对，涉及 3 条技术需求、2 家企业、2 个团队（跨组的只计一次）。",
    ]
    assert {"清单说明：走访用", *OMITTED} <= set(lines)
    assert records(page) == [
        {"序号": 1, "领域": "汽车机电", "配对数": 2, "技术需求数": 2, "企业数": 2, "团队数": 2, "其中接受": 1,
         "其中含示例": 1},
        {"序号": 2, "领域": "海洋生物", "配对数": 1, "技术需求数": 1, "企业数": 1, "团队数": 1, "其中接受": 0,
         "其中含示例": 1},
    ]  # fmt: skip
    links = [page.cell(header_row(page) + n, 2).hyperlink for n in (1, 2)]
    assert [link.location for link in links if link] == ["'汽车机电'!A1", "'海洋生物'!A1"]


def test_group_sheet_has_the_columns_and_values() -> None:
    page = book_of(made())["汽车机电"]
    first, second = records(page)
    assert list(first) == HEADER
    assert (first["匹配度"], first["其中：语义相近"], first["审核意见"]) == (56.8, 30.0, "接受")
    assert first["意见理由"] == "方向对口"
    assert (first["对接状态"], first["经办人"], first["公开范围"]) == ("已推荐", "于某", "仅平台")
    assert (
        first["主要依据"]
        == "主要问题“刀具磨得快”↔ 研究方向“摩擦学”（共有词：刀具；术语对应：磨得快 → 摩擦学）"
    )
    assert (first["数据性质"], second["数据性质"]) == ("示例", "非示例")
    assert (second["运行编号"], second["运行日期"]) == ("R-7", datetime(2026, 10, 1))
    asked = records(book_of(made(with_contacts=True))["汽车机电"])[0]
    assert list(asked) == PRINTED + CONTACT_HEADER + BESIDE
    assert [asked[label] for label in CONTACT_HEADER] == list(SECRETS)


def test_every_sheet_is_ready_to_print() -> None:
    for page in book_of(made()).worksheets[:-1]:
        top = header_row(page)
        assert page.freeze_panes == f"A{top + 1}"
        assert page.print_title_rows == f"${top}:${top}"
        assert page.auto_filter.ref.startswith(f"A{top}:")
        assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 9)
        fit = page.sheet_properties.pageSetUpPr
        assert fit and fit.fitToPage
        assert (page.page_setup.fitToWidth or 1, page.page_setup.fitToHeight) == (1, 0)
        assert page.oddFooter
        footer = page.oddFooter.center
        assert footer and footer.text == "第 &P 页 共 &N 页"
    group = book_of(made())["汽车机电"]
    assert group.auto_filter.ref == f"A{header_row(group)}:X{header_row(group) + 2}"


@pytest.mark.parametrize("with_contacts", [False, True])
def test_printed_columns_fit_an_a4_page_at_a_legible_scale(with_contacts: bool) -> None:
    page = book_of(made(with_contacts))["汽车机电"]
    printed = PRINTED + (CONTACT_HEADER if with_contacts else [])
    last = "M" if not with_contacts else "P"
    assert page.print_area == f"'汽车机电'!$A$1:${last}${header_row(page) + 2}"
    widths = [page.column_dimensions[get_column_letter(n)].width for n in range(1, len(printed) + 1)]
    # 149 characters fill landscape A4 at full size; at less than two thirds of that 10 pt are hard to read.
    assert sum(widths) < 1.5 * 149


@pytest.mark.parametrize(
    ("names", "sheets"),
    [
        (["甲" * 31, "甲" * 40], ["甲" * 31, "甲" * 29 + " 2"]),
        (["a/b", "a?b", "A:B"], ["a b", "a b 2", "A B 3"]),
        (["", " \n "], ["未填", "未填 2"]),
        (["汇总", "说明", "History"], ["汇总 2", "说明", "History 2"]),
        (["[]:*?/\\", "'甲'"], ["表", "甲"]),
        (["𠮷" * 20], ["𠮷" * 15]),
    ],
)
def test_sheet_names_are_legal_unique_and_linked(names: list[str], sheets: list[str]) -> None:
    book = book_of(grouped_document("题", [(name, [SECOND]) for name in names], RUN, by="高校"))
    assert book.sheetnames[1:-1] == sheets
    page = book["汇总"]
    links = [page.cell(header_row(page) + n, 2).hyperlink for n in range(1, len(names) + 1)]
    assert [link.location for link in links if link] == [f"'{name}'!A1" for name in sheets]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(alphabet="甲a[]:*?/\\'\n \x07𠮷", max_size=40), max_size=4))
def test_any_names_give_sheets_excel_accepts(names: list[str]) -> None:
    book = book_of(grouped_document("题", [(name, []) for name in names], RUN, by="企业"))
    titles = book.sheetnames
    assert len(titles) == len(names) + 2
    assert len({title.casefold() for title in titles}) == len(titles)
    for title in titles:
        assert 0 < len(title.encode("utf-16-le")) // 2 <= 31
        assert not set(title) & set("[]:*?/\\\n")
        assert title == title.strip("'")


def test_an_apostrophe_in_a_name_keeps_its_link() -> None:
    page = book_of(grouped_document("题", [("O'Neil", [SECOND])], RUN, by="企业"))["汇总"]
    link = page.cell(header_row(page) + 1, 2).hyperlink
    assert link
    assert link.location == "'O''Neil'!A1"


def test_an_illustrative_firm_keeps_its_badge_as_a_group() -> None:
    document = grouped_document("题", [("示例厂01", [FIRST]), ("乙厂", [SECOND])], RUN, by="企业")
    assert document.grouping
    assert [group.name for group in document.grouping.groups] == ["示例厂01【示例】", "乙厂"]


# ---------------------------------------------------------------- .csv, .json, formulas


def test_csv_is_one_table_with_its_group() -> None:
    rows = csv_of(made())
    assert write_document(made(), ".csv").startswith(b"\xef\xbb\xbf")
    assert rows[0] == ["分组", *HEADER]
    assert [row[:2] for row in rows[1:]] == [
        ["汽车机电", "1"], ["汽车机电", "2"], ["海洋生物", "3"], ["说明：2 条保密需求未列入", ""],
    ]  # fmt: skip
    assert rows[1][rows[0].index("运行日期")] == "2026-11-25"
    assert csv_of(made(with_contacts=True))[0] == ["分组", *PRINTED, *CONTACT_HEADER, *BESIDE]


def test_json_has_groups_runs_and_what_is_left_out() -> None:
    body = json.loads(write_document(made(), ".json"))
    assert (body["by"], body["bureau"], body["omitted"], body["n_pairs"]) == ("领域", "科技局", [*OMITTED], 3)
    assert body["run"]["run_id"] == "R-1"
    assert [(group["name"], group["n_pairs"]) for group in body["groups"]] == [
        ("汽车机电", 2),
        ("海洋生物", 1),
    ]
    first, second = body["groups"][0]["pairs"]
    assert (first["score"], first["score_shown"], first["run_at"]) == (0.5678, 56.8, "2026-11-25")
    assert (first["decision"], first["status"], first["problem"]) == ("接受", "已推荐", "一班换三次刀")
    assert first["evidence"][0]["source_id"] == "E1#2"
    assert (second["run_id"], second["run_at"]) == ("R-7", "2026-10-01")
    assert "contact" not in first
    asked = json.loads(write_document(made(with_contacts=True), ".json"))["groups"][0]["pairs"][0]
    assert [asked[key] for key in ("contact", "phone", "expert_contact")] == list(SECRETS)


def test_no_text_of_a_user_runs_as_a_formula() -> None:
    risky = '=HYPERLINK("http://x","y")'
    pair = replace(
        SECOND, need_title=risky, company="+1", town="-1", expert_name="@a", institution=risky, note=risky,
        decision_reason=risky, status=risky, owner=risky, contact=risky, phone="+86 1", expert_contact="=1",
        gaps=(risky,), evidence=(replace(EVIDENCE, line_text=risky),), problem=risky, run_id="=1",
    )  # fmt: skip
    document = grouped_document(
        risky, [(risky, [pair])], RUN, by=risky, note=risky, with_contacts=True, omitted=[risky], bureau=risky
    )
    for row in csv_of(document):
        assert not [cell for cell in row if cell.startswith(("=", "+", "@"))]
        assert not [cell for cell in row if cell.startswith("-")]
    with zipfile.ZipFile(io.BytesIO(write_document(document, ".xlsx"))) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name]
        assert len(sheets) == 3
        assert not [part for part in sheets if b"<f>" in part or b"<f " in part]
        relations = [archive.read(name) for name in archive.namelist() if name.endswith(".rels")]
        assert not [part for part in relations if b"http://x" in part]
    page = book_of(document).worksheets[1]
    assert records(page)[0]["技术需求"] == risky
    assert {cell.data_type for cell in page[header_row(page) + 1]} <= {"s", "n", "d"}


# ---------------------------------------------------------------- .docx


def test_word_has_a_page_for_each_pairing_after_cover_and_lists() -> None:
    word = word_of(made())
    breaking = [p.text for p in word.paragraphs if p.paragraph_format.page_break_before]
    assert breaking == [
        "合作清单",
        "1．刀具寿命短【示例】 — 示例团队01【示例】",
        "2．裂纹 — 乙团队",
        "3．刀具寿命短【示例】 — 示例团队01【示例】",
        "说明",
    ]
    first_break = next(i for i, p in enumerate(word.paragraphs) if p.paragraph_format.page_break_before)
    cover = [p.text for p in word.paragraphs[:first_break]]
    assert cover == [
        "十一月对接会",
        "分组方式：按领域",
        "配对数量：3 对，2 组",
        "运行编号：R-1、R-7",
        "清单说明：走访用",
        *OMITTED,
        "科技局",
        "2026年11月25日",
    ]


def test_word_lists_all_pairings_of_a_group_in_a_table() -> None:
    tables = word_of(made()).tables
    listed = [[[cell.text for cell in row.cells] for row in table.rows] for table in tables[:2]]
    assert listed[0][0] == [
        "序号", "技术需求", "企业", "专家（团队）", "单位", "匹配度", "审核意见", "对接状态",
    ]  # fmt: skip
    assert [row[0] for row in listed[0][1:]] == ["1", "2"]
    assert listed[1][1] == [
        "3", "刀具寿命短【示例】", "示例厂01【示例】", "示例团队01【示例】", "某大学", "56.8", "", "",
    ]  # fmt: skip
    assert tables[0].rows[0]._tr.get_or_add_trPr().find(qn("w:tblHeader")) is not None


def test_word_page_shows_numbers_evidence_gaps_and_place_to_sign() -> None:
    text = word_text(made())
    for words in (
        "56.8 = 用词相同 20.0 + 语义相近 30.0 + 术语对应 6.8",
        "一班换三次刀",
        "主要问题：刀具磨得快",
        "研究方向：摩擦学（官网，2025）",
        "刀具；磨得快 → 摩擦学",
        "E1#2",
        "成本低于 3 元",
        "没有可列出的匹配依据。",
    ):
        assert words in text
    tables = word_of(made()).tables
    signed = [
        t
        for t in tables
        if [c.text for c in t.rows[0].cells] == ["企业代表", "团队代表", "科技局经办人", "日期"]
    ]
    assert len(signed) == 3
    assert all(table.rows[1].height.cm > 1.5 for table in signed if table.rows[1].height)
    assert CONTACTS_INSIDE not in text
    assert CONTACTS_INSIDE in word_text(made(with_contacts=True))


def test_word_page_setup() -> None:
    section = word_of(made()).sections[0]
    assert (round(section.page_width.cm, 1), round(section.page_height.cm, 1)) == (21.0, 29.7)  # type: ignore[union-attr]
    assert section.left_margin.cm == pytest.approx(2.5, abs=0.01)  # type: ignore[union-attr]
    assert section.different_first_page_header_footer
    assert section.header.paragraphs[0].text == "十一月对接会"
    codes = [e.text for e in section.footer._element.iter(qn("w:instrText"))]
    assert codes == ["PAGE", "NUMPAGES"]
    kinds = [e.get(qn("w:fldCharType")) for e in section.footer._element.iter(qn("w:fldChar"))]
    assert kinds == ["begin", "separate", "end"] * 2
    fonts = word_of(made()).styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "宋体"
