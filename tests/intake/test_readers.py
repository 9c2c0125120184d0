"""Files as bureaus send them: encodings, delimiters, title rows, merged cells, footers, limits."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from matcher.errors import InputError
from matcher.intake import readers, workbook
from matcher.intake.readers import read_table

CSV = '企业名称,技术需求名称,主要问题\n甲厂,气孔多,"铸件,\n有气孔"\n\n乙厂,磨得快,刀具不耐用\n'


def workbook_bytes(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def need_book(rows: list[list[object]], title: str = "Sheet") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return book


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    table = read_table(CSV.encode(encoding), "需求.csv", "needs")
    assert table.headers == ("企业名称", "技术需求名称", "主要问题")
    # Excel shows the quoted line break inside one row, and the empty line as row 3.
    assert [row.row_number for row in table.rows] == [2, 4]
    assert table.rows[0].values["主要问题"] == "铸件,\n有气孔"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "，"])
def test_delimiters(delimiter: str) -> None:
    text = "单位名称|需求名称|问题描述\n甲厂|气孔|有气孔\n".replace("|", delimiter)
    table = read_table(text.encode(), "a.csv", "needs")
    assert dict(table.rows[0].values) == {"单位名称": "甲厂", "需求名称": "气孔", "问题描述": "有气孔"}


def test_undecodable_text() -> None:
    with pytest.raises(InputError, match="编码"):
        read_table(b"\x81\xff\xff\xfe abc", "a.csv", "needs")


def test_title_rows_footers_and_repeated_headers() -> None:
    header = ["序号", "企业名称", "技术需求名称", "主要问题"]
    book = need_book(
        [
            ["文登区企业技术需求征集表"],
            ["填报单位：（盖章）", None, "2026年3月"],
            header,
            [1, "甲厂", "气孔", "多"],
            header,
            [2, "乙厂", "磨损", "快"],
            [3, None, None, None],
            [None, None, None, None],
            ["合计", None, None, 2],
            ["填表说明：请如实填写"],
        ]
    )
    table = read_table(workbook_bytes(book), "需求.xlsx", "needs")
    assert table.header_row == 3
    assert [row.row_number for row in table.rows] == [4, 6]
    assert table.notes[0] == "第 5 行是重复的表头，已跳过。"
    assert table.notes[1] == "第 9 行是合计行，已跳过。"
    assert table.notes[2].startswith("第 10 行像表尾说明")


def test_merged_cells_and_two_row_header() -> None:
    book = need_book(
        [
            ["企业名称", "技术需求名称", "主要问题", "需求时限", None, "关键字", None],
            [None, None, None, "起", "止", 1, 2],
            ["甲厂", "气孔", "多", date(2026, 3, 1), "2027年", "铸造", "气孔"],
            [None, "磨损", "快", datetime(2026, 4, 1), 46_500, "刀具", None],
        ]
    )
    sheet = book.worksheets[0]
    for area in ("A1:A2", "B1:B2", "C1:C2", "D1:E1", "F1:G1", "A3:A4"):
        sheet.merge_cells(area)
    table = read_table(workbook_bytes(book), "需求.xlsx", "needs")
    assert table.headers[3:] == ("需求时限起", "需求时限止", "关键字1", "关键字2")
    assert table.header_row == 2
    assert [row.values["企业名称"] for row in table.rows] == ["甲厂", "甲厂"]
    assert table.rows[0].values["需求时限起"] == datetime(2026, 3, 1)
    assert table.rows[1].values["需求时限止"] == 46_500


def test_two_row_header_that_names_no_more_columns_than_its_upper_row() -> None:
    rows: list[list[object]] = [
        ["企业名称", "技术需求名称", "主要问题", "关键字", None],
        [None, None, None, "1", "2"],
        ["甲厂", "气孔", "多", "铸造", "气孔"],
    ]
    table = read_table(workbook_bytes(need_book(rows)), "需求.xlsx", "needs")
    assert table.headers[3:] == ("关键字1", "关键字2")
    assert len(table.rows) == 1


def test_best_sheet_is_taken_and_the_others_reported() -> None:
    book = need_book([["说明", "文字"], ["一", "二"]], "首页")
    sheet = book.create_sheet("需求")
    for row in [["企业名称", "技术需求名称", "主要问题"], ["甲厂", "气孔", "多"], ["乙厂", "磨损", "快"]]:
        sheet.append(row)
    other = book.create_sheet("去年")
    for row in [["企业名称", "技术需求名称", "主要问题"], ["丙厂", "裂纹", "有"]]:
        other.append(row)
    hidden = book.create_sheet("隐藏")
    hidden.sheet_state = "hidden"
    table = read_table(workbook_bytes(book), "需求.xlsx", "needs")
    assert (table.sheet, len(table.rows)) == ("需求", 2)
    assert [note[:8] for note in table.notes] == ["工作表「首页」没", "工作表「去年」另"]


def test_formula_without_stored_value_and_error_cells_are_told() -> None:
    rows: list[list[object]] = [
        ["企业名称", "技术需求名称", "主要问题", "预算"],
        ["甲厂", "气孔", "多", "=10+5"],
        ["乙厂", "磨损", "快", "#REF!"],
    ]
    table = read_table(workbook_bytes(need_book(rows)), "需求.xlsx", "needs")
    assert [row.values["预算"] for row in table.rows] == [None, None]
    assert "D2 的公式没有保存结果" in table.notes[0]
    assert "D3 是公式错误 #REF!" in table.notes[1]


def test_wrong_declared_range_does_not_matter() -> None:
    data = workbook_bytes(need_book([["企业名称", "技术需求名称", "主要问题"], ["甲", "乙", "丙"]]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for item in source.infolist():
            content = source.read(item).replace(b'ref="A1:C2"', b'ref="A1:XFD1048576"')
            target.writestr(item, content)
    assert len(read_table(buffer.getvalue(), "需求.xlsx", "needs").rows) == 1


UNKNOWN: list[list[object]] = [
    ["某街道报送表"],
    ["报送：某街道", "2026年", "共2条"],
    ["出题方", "想解决啥", "卡在哪", "钱"],
    ["甲厂", "漏油", "油封一个月就漏。", 20],
    ["乙厂", "起皮", "涂层起皮。", 5],
]


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_plausible_header_is_offered_when_no_column_is_known(suffix: str) -> None:
    text = "\n".join("\t".join(map(str, row)) for row in UNKNOWN)
    data = workbook_bytes(need_book(UNKNOWN)) if suffix == ".xlsx" else text.encode()
    table = read_table(data, f"表{suffix}", "needs")
    assert table.headers == ("出题方", "想解决啥", "卡在哪", "钱")
    assert (table.header_row, len(table.rows)) == (3, 2)
    assert "暂以第 3 行为表头" in table.notes[0]


def test_a_known_header_goes_before_a_plausible_one() -> None:
    book = need_book(UNKNOWN)
    sheet = book.create_sheet("需求")
    for row in [["企业名称", "技术需求名称", "主要问题"], ["甲厂", "气孔", "多"]]:
        sheet.append(row)
    assert read_table(workbook_bytes(book), "需求.xlsx", "needs").sheet == "需求"


@pytest.mark.parametrize(
    "text",
    ["甲,乙,丙\n", "1,2,3\n4,5,6\n", "甲,甲,乙\n1,2,3\n", f"{'长' * 30},乙,丙\n1,2,3\n", "一段话\n又一段\n"],
)
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="表头"):
        read_table(text.encode(), "a.csv", "needs")


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.csv", "空"),
        (b"x", "a.xls", "另存为 .xlsx"),
        (b"x", "a.pdf", "另存为 .xlsx"),
        (b"\xd0\xcf\x11\xe0 old", "a.xlsx", "旧的 .xls"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "a.xlsx", "密码"),
        (b"not a zip", "a.xlsx", "已损坏"),
        (b"PK\x03\x04broken", "a.xlsx", "已损坏"),
        (b"PK\x03\x04", "a.csv", "其实是 Excel"),
        ("甲,乙\n1,2\n".encode(), "a.csv", "企业名称、技术需求名称、主要问题"),
    ],
)
def test_unusable_files(data: bytes, name: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_table(data, name, "needs")
    assert words in str(caught.value)


def test_archive_that_is_no_workbook() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hello.txt", "x")
    with pytest.raises(InputError, match="已损坏"):
        read_table(buffer.getvalue(), "a.xlsx", "needs")


def test_truncated_workbook_part() -> None:
    data = workbook_bytes(need_book([["企业名称", "技术需求名称"], ["甲", "乙"]]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            cut = content[: len(content) // 2] if "sheet1" in item.filename else content
            target.writestr(item, cut)
    with pytest.raises(InputError, match="已损坏"):
        read_table(buffer.getvalue(), "a.xlsx", "needs")


def test_zip_bomb_is_refused_before_unpacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(InputError, match="过大"):
        read_table(workbook_bytes(need_book([["企业名称", "技术需求名称"]])), "a.xlsx", "needs")


def test_limits_of_size_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_ROWS", 3)
    with pytest.raises(InputError, match="超过 3 行"):
        read_table((CSV + "丙厂,a,b\n").encode(), "a.csv", "needs")
    monkeypatch.setattr(readers, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="超过"):
        read_table(CSV.encode(), "a.csv", "needs")
