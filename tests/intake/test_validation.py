"""Rows become records, and every problem is told with its row."""

import random
from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from matcher.intake.identity import derive_id, holds_id_card
from matcher.intake.tables import CellValue, RawRow, Table
from matcher.intake.validation import Parsed, parse_rows
from matcher.models import Cooperation, Expert, Firm, Need

HEADERS = ("企业名称", "技术需求名称", "主要问题")
ID_CARD = "11010519491231002X"  # the worked example of the standard GB 11643-1999


def table(headers: Sequence[str], *rows: Sequence[CellValue]) -> Table:
    raw = [RawRow(n, dict(zip(headers, cells, strict=True))) for n, cells in enumerate(rows, start=2)]
    return Table("征集表.xlsx", "Sheet1", tuple(headers), tuple(raw), header_row=1)


def blocking(parsed: Parsed) -> list[tuple[int, str]]:
    return [(issue.row, issue.column) for issue in parsed.issues if issue.blocking]


def test_need_with_defaults_and_derived_id() -> None:
    parsed = parse_rows(
        "needs", table((*HEADERS, "关键字1", "关键字2"), ["甲厂", "气孔", "多", "铸造，砂型", "气孔"])
    )
    (need,) = parsed.records
    assert isinstance(need, Need)
    assert need.keywords == ("铸造", "砂型", "气孔")
    assert (need.data_kind, need.source) == ("本地", "征集表.xlsx")
    assert need.need_id == derive_id("needs", {"company": "甲 厂", "title": "气孔。"})
    assert need.need_id.startswith("N-")
    assert len(need.need_id) == 12
    assert parsed.issues == ()


def test_missing_required_cells_block_the_row_only() -> None:
    parsed = parse_rows(
        "needs", table(HEADERS, ["甲厂", "", "多"], ["乙厂", "磨损", "无"], ["丙厂", "裂纹", "有"])
    )
    assert blocking(parsed) == [(2, "技术需求名称"), (3, "主要问题")]
    assert parsed.blocked_rows == (2, 3)
    assert parsed.rows == (4,)
    assert "第 2 行没有填「技术需求名称」，请补上。" in [issue.message for issue in parsed.issues]


def test_expert_needs_one_topic_and_merges_its_columns() -> None:
    headers = ("姓名", "工作单位", "专业特长", "研究方向", "职称", "职务")
    parsed = parse_rows(
        "experts",
        table(
            headers,
            ["甲团队", "某大学", "摩擦学", "1、耐磨涂层\n2、激光熔覆，增材制造", "教授", "院长"],
            ["乙团队", "某大学", "", "", "", ""],
        ),
    )
    (expert,) = parsed.records
    assert isinstance(expert, Expert)
    assert expert.research_directions == ("摩擦学", "耐磨涂层", "激光熔覆，增材制造")
    assert expert.position == "教授；院长"
    assert blocking(parsed) == [(3, "研究方向")]


def test_unreadable_cells_are_emptied_and_told() -> None:
    headers = (*HEADERS, "预算（元）", "需求时限起", "需求类型")
    parsed = parse_rows(
        "needs",
        table(headers, ["甲", "乙", "丙", 500_000, "长期", "随便"], ["丁", "戊", "己", "若干", "/", ""]),
    )
    first, second = parsed.records
    assert isinstance(first, Need)
    assert isinstance(second, Need)
    assert (first.budget_wan, first.start_on, first.call_type) == (50, None, "")
    assert second.budget_wan is None
    assert [(issue.row, issue.value, issue.blocking) for issue in parsed.issues] == [
        (2, "随便", False),
        (2, "长期", False),
        (3, "若干", False),
    ]


def test_an_unknown_word_of_a_strict_column_blocks_the_row() -> None:
    parsed = parse_rows(
        "needs", table((*HEADERS, "公开范围"), ["甲", "乙", "丙", "随便"], ["丁", "戊", "己", ""])
    )
    assert parsed.rows == (3,)
    assert [(issue.row, issue.blocking) for issue in parsed.issues] == [(2, True)]
    assert "请改填：公开、仅平台、保密" in parsed.issues[0].message


def test_equal_rows_merge_and_different_ones_block_each_other() -> None:
    parsed = parse_rows(
        "needs",
        table(
            HEADERS, ["甲", "气孔", "多"], ["甲", "气孔", "多"], ["乙", "磨损", "快"], ["乙", "磨损", "慢"]
        ),
    )
    assert parsed.rows == (2,)
    assert [(issue.row, issue.blocking) for issue in parsed.issues] == [(3, False), (4, True), (5, True)]
    assert "第 4、5 行" in parsed.issues[-1].message


def test_id_card_column_is_dropped_and_never_shown() -> None:
    number = ID_CARD
    parsed = parse_rows(
        "needs", table((*HEADERS, "联系人", "身份证号"), ["甲", "乙", "丙", f"王某 {number}", "1"])
    )
    (need,) = parsed.records
    assert isinstance(need, Need)
    assert need.contact == ""
    assert sum("不收集身份证号" in issue.message for issue in parsed.issues) == 2
    assert number not in repr(parsed)


def test_id_card_in_a_required_cell_blocks_that_row() -> None:
    number = ID_CARD
    parsed = parse_rows("needs", table(HEADERS, ["甲", "乙", f"找 {number}"], ["丁", "戊", "己"]))
    assert blocking(parsed) == [(2, "主要问题")]
    assert parsed.rows == (3,)
    assert number not in repr(parsed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ID_CARD, True),
        ("110105 19491231 002x", True),
        (f"A{ID_CARD}", False),
        ("110105194913310020", False),
        ("91371000123456789X", False),
        ("123456789012345678", False),
    ],
)
def test_id_card_needs_birth_date_and_check_digit(text: str, expected: bool) -> None:
    assert holds_id_card(text) is expected


def test_a_wrong_check_digit_is_no_id_card() -> None:
    others = [ID_CARD[:17] + check for check in "0123456789"]
    assert not any(holds_id_card(other) for other in others)


@pytest.mark.parametrize(
    ("year", "expected"), [("1899", False), ("1900", True), ("2026", True), ("2027", False)]
)
def test_a_birth_date_lies_between_1900_and_today(year: str, expected: bool) -> None:
    start = f"110105{year}0101001"
    assert any(holds_id_card(f"{start}{check}", date(2026, 11, 25)) for check in "0123456789X") is expected


@pytest.mark.parametrize("header", ["信用代码", "代码"])
def test_credit_codes_are_no_id_cards(header: str) -> None:
    drawn = random.Random(7)
    codes = ["".join(drawn.choices("0123456789", k=18)) for _ in range(300)] + [ID_CARD]
    firms = table(("企业名称", header), *([f"厂{n}", code] for n, code in enumerate(codes)))
    parsed = parse_rows("firms", firms, {"企业名称": "name", header: "credit_code"})
    assert [r.credit_code for r in parsed.records if isinstance(r, Firm)] == codes
    assert parsed.issues == ()


def test_problems_name_the_column_as_the_person_does() -> None:
    headers = ("单位", "需求名称", "主要问题", "经费预算（万元）")
    parsed = parse_rows("needs", table(headers, ["", "乙", "丙", "若干"]))
    assert [issue.column for issue in parsed.issues] == ["经费预算（万元）", "单位"]
    assert "第 2 行「经费预算（万元）」填的是“若干”" in parsed.issues[0].message
    assert "第 2 行没有填「单位」" in parsed.issues[1].message


def test_a_missing_required_column_is_told_once() -> None:
    parsed = parse_rows("needs", table(("企业名称", "主要问题"), *(["甲", "乙"] for _ in range(5))))
    assert blocking(parsed) == [(1, "技术需求名称")]
    assert parsed.records == ()
    assert blocking(parse_rows("experts", table(("姓名", "单位"), ["甲", "乙"]))) == [(1, "研究方向")]


def test_what_a_row_states_itself() -> None:
    headers = (*HEADERS, "领域", "预算")
    parsed = parse_rows("needs", table(headers, ["甲", "乙", "丙", "随便", 0], ["甲", "丁", "丙", "", ""]))
    assert parsed.stated == (
        frozenset({"company", "title", "problem", "budget_wan"}),
        frozenset({"company", "title", "problem"}),
    )


def test_unknown_and_ambiguous_columns_are_told() -> None:
    parsed = parse_rows("needs", table((*HEADERS, "时间", "颜色", "序号"), ["甲", "乙", "丙", "x", "y", 1]))
    assert parsed.unmapped == ("时间", "颜色")
    assert [issue.column for issue in parsed.issues] == ["时间", "颜色"]
    assert "发布日期、需求时限起、需求时限止" in parsed.issues[0].message


def test_given_mapping_is_used_as_it_is() -> None:
    mapping: Mapping[str, str] = {
        "企业名称": "company",
        "x": "title",
        "主要问题": "problem",
        "预算": "",
        "没有": "goal",
    }
    parsed = parse_rows("needs", table(("企业名称", "x", "主要问题", "预算"), ["甲", "乙", "丙", 5]), mapping)
    (need,) = parsed.records
    assert isinstance(need, Need)
    assert (need.title, need.budget_wan) == ("乙", None)
    assert parsed.unmapped == ("预算",)
    with pytest.raises(ValueError, match="known: need_id, company"):
        parse_rows("needs", table(HEADERS), {"企业名称": "firm"})


def test_badge_makes_a_record_sample_when_no_column_says_so() -> None:
    parsed = parse_rows("firms", table(("企业名称", "链主企业"), ["示例厂【示例】", "是"]))
    (firm,) = parsed.records
    assert isinstance(firm, Firm)
    assert (firm.name, firm.data_kind, firm.chain_leader) == ("示例厂", "示例", True)


def test_cooperation_kind_and_defaults() -> None:
    parsed = parse_rows(
        "cooperation",
        table(("企业名称", "高校院所", "类型"), ["甲厂", "某大学", "请勿联系"]),
        defaults={"source": "台账", "stage": "对接中"},
    )
    (row,) = parsed.records
    assert isinstance(row, Cooperation)
    assert (row.kind, row.stage, row.source) == ("勿联系", "对接中", "台账")


def test_control_characters_go_and_formula_text_stays_text() -> None:
    parsed = parse_rows("needs", table(HEADERS, ["甲\x07厂", "=1+1", " ‘e\u0301’\u200b "]))
    (need,) = parsed.records
    assert isinstance(need, Need)
    assert (need.company, need.title, need.problem) == ("甲厂", "=1+1", "‘é’")


def test_derived_ids_keep_their_parts_apart() -> None:
    one = derive_id("experts", {"institution": "甲", "name": "乙丙"})
    two = derive_id("experts", {"institution": "甲乙", "name": "丙"})
    assert one != two
    assert one.startswith("E-")
