"""How people write amounts, dates, numbers and choices."""

from datetime import date, datetime

import pytest

from matcher.columns import CellType, Field, fields_of
from matcher.intake.tables import CellValue
from matcher.intake.values import (
    SYNONYMS,
    complain,
    parse_amount,
    parse_bool,
    parse_cell,
    parse_choice,
    parse_date,
    parse_decimal,
    parse_integer,
    text_of,
)


def need_field(name: str) -> Field:
    return next(field for field in fields_of("needs") if field.name == name)


@pytest.mark.parametrize(
    ("cell", "wan"),
    [
        (50, 50),
        ("50", 50),
        ("50万元", 50),
        ("５０ 万", 50),
        ("约50", 50),
        ("约 50 万元左右", 50),
        ("500,000元", 50),
        ("500000 元", 50),
        ("0.5亿元", 5000),
        ("5千元", 0.5),
        ("不超过30.5万元", 30.5),
        ("50万起", 50),
        (1e-5, 1e-5),
        (0, 0),
    ],
)
def test_amounts(cell: CellValue, wan: float) -> None:
    reading = parse_amount(cell)
    assert reading.value == wan
    assert not reading.complaint


@pytest.mark.parametrize(
    ("cell", "wan"),
    [("50-80万", 50), ("50万-80万元", 50), ("50~80", 50), ("500000-800000元", 50), ("80万至50万", 50)],
)
def test_amount_ranges_take_the_lower_and_say_so(cell: str, wan: float) -> None:
    reading = parse_amount(cell)
    assert reading.value == wan
    assert "较低的 50 万元" in reading.complaint


@pytest.mark.parametrize("cell", ["面议", "若干", "-5", "30 50", "一期50万二期30万", "5e3万x"])
def test_amounts_that_say_nothing(cell: str) -> None:
    reading = parse_amount(cell)
    assert reading.value is None
    assert reading.complaint


def test_amount_unit_of_the_header_and_doubtful_size() -> None:
    assert parse_amount(500_000, unit="").value == 50
    assert parse_amount("50万元", unit="").value == 50
    assert "请确认" in parse_amount(500_000).complaint


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026/3/1", date(2026, 3, 1)),
        ("2026.3.1", date(2026, 3, 1)),
        ("2026年3月1日", date(2026, 3, 1)),
        ("2026年3月", date(2026, 3, 1)),
        ("2026-03", date(2026, 3, 1)),
        ("20260301", date(2026, 3, 1)),
        (20260301, date(2026, 3, 1)),
        ("2026-03-01 08:30:00", date(2026, 3, 1)),
        (46082, date(2026, 3, 1)),
        ("46082", date(2026, 3, 1)),
        (46082.5, date(2026, 3, 1)),
        (datetime(2026, 3, 1, 9), date(2026, 3, 1)),
        (date(2026, 3, 1), date(2026, 3, 1)),
    ],
)
def test_dates(cell: CellValue, day: date) -> None:
    assert parse_date(cell).value == day


@pytest.mark.parametrize(
    "cell", ["2026-02-30", "长期", "3月1日", "2026", "26.3.1", "2026-13-01", 5, "1026-01-01"]
)
def test_no_dates(cell: CellValue) -> None:
    reading = parse_date(cell)
    assert reading.value is None
    assert reading.complaint


def test_a_month_ends_on_its_last_day_in_a_deadline() -> None:
    assert parse_cell("2028年2月", need_field("end_on")).value == date(2028, 2, 29)
    assert parse_cell("2028年2月", need_field("start_on")).value == date(2028, 2, 1)


def test_numbers() -> None:
    assert [parse_integer(cell, (0, 3000)).value for cell in (1.0, "2项", "2,000", "2023年", "３")] == [
        1,
        2,
        2000,
        2023,
        3,
    ]
    assert [parse_integer(cell, (0, 3000)).value for cell in (1.5, "-1", "两个")] == [None, None, None]
    assert [parse_decimal(cell, (0, 365)).value for cell in ("半天", "1.5天", 2)] == [0.5, 1.5, 2]
    assert parse_decimal("很久", (0, 365)).value is None


@pytest.mark.parametrize(
    ("kind", "name", "lowest", "highest"),
    [
        ("experts", "capacity", 0, 1000),
        ("works", "year", 1900, 2100),
        ("institutions", "travel_days", 0, 365),
        ("needs", "budget_wan", 0, 10_000_000),
        ("cooperation", "amount_wan", 0, 10_000_000),
    ],
)
def test_numbers_have_sane_bounds(kind: str, name: str, lowest: int, highest: int) -> None:
    field = next(field for field in fields_of(kind) if field.name == name)
    assert [parse_cell(n, field).value for n in (lowest, highest)] == [lowest, highest]
    for cell in (lowest - 1, highest + 1, "9" * 30, "9" * 5000, 1e308, -5):
        reading = parse_cell(cell, field)
        assert (reading.value, bool(reading.complaint)) == (None, True), cell


@pytest.mark.parametrize(
    ("cell", "wan"),
    [
        ("二十万", 20),
        ("五十万元", 50),
        ("一百二十万", 120),
        ("约十五万元左右", 15),
        ("一万五千元", 1.5),
        ("一万五", 1.5),
        ("一百零五万", 105),
        ("一千五百万元", 1500),
        ("一亿二千万", 12_000),
        ("壹拾万元整", 10),
        ("两百", 200),
        ("三千元", 0.3),
    ],
)
def test_amounts_in_chinese_numerals(cell: str, wan: float) -> None:
    reading = parse_amount(cell)
    assert (reading.value, reading.complaint) == (wan, "")


@pytest.mark.parametrize("cell", ["几十万", "三十多万", "五六十万", "十十万", "一百千万", "百", "二〇二六"])
def test_numerals_with_two_readings_are_not_guessed(cell: str) -> None:
    assert parse_amount(cell).value is None


def test_a_range_in_chinese_numerals_takes_the_lower() -> None:
    assert parse_amount("五十到八十万").value == 50


def test_booleans() -> None:
    assert [parse_bool(cell).value for cell in ("是", "√", True, 1.0, "否", "N", 0)] == [True] * 4 + [
        False
    ] * 3
    assert parse_bool("大概").complaint


@pytest.mark.parametrize(
    ("name", "cell", "word"),
    [
        ("solution_mode", "合作开发", "合作开发"),
        ("solution_mode", "联合 攻关", "合作开发"),
        ("solution_mode", "☑委托开发 □合作开发", "委托开发"),
        ("sector", "新材料", "新能源新材料"),
        ("confidentiality", "不公开", "保密"),
        ("call_type", "“卡脖子”", "卡脖子"),
    ],
)
def test_choices(name: str, cell: str, word: str) -> None:
    reading = parse_choice(cell, need_field(name))
    assert (reading.value, reading.complaint) == (word, "")


def test_ring_synonyms_and_unknown_choice() -> None:
    ring = next(field for field in fields_of("experts") if field.name == "ring")
    assert [parse_choice(cell, ring).value for cell in ("区属", "本地", "周边")] == [
        "区内",
        "区内",
        "周边区域",
    ]
    reading = parse_choice("火星", ring)
    assert reading.value == ""
    assert "可填：区内、周边区域、全国" in reading.complaint


def test_synonyms_name_words_of_the_vocabulary_once() -> None:
    for name, words in SYNONYMS.items():
        kinds = ("needs", "experts", "cooperation")
        fields = [
            f for kind in kinds for f in fields_of(kind) if f.name == name and f.type is CellType.CHOICE
        ]
        assert set(words) <= set(fields[0].vocabulary)
        listed = [synonym for synonyms in words.values() for synonym in synonyms.split()]
        assert len(listed) == len(set(listed))


def test_text_of_numbers_and_dates() -> None:
    cells: list[CellValue] = [13800000000.0, 0.1, datetime(2026, 3, 1), True, None, " a\x00b\u200b\r\nc "]
    assert [text_of(cell) for cell in cells] == ["13800000000", "0.1", "2026-03-01", "是", "", "ab\nc"]


def test_complaint_says_where_what_and_what_to_do() -> None:
    field = need_field("budget_wan")
    issue = complain(5, field, "若干", parse_amount("若干").complaint)
    assert (
        issue.message == "第 5 行「拟投入资金（万元）」填的是“若干”，看不出金额；请填数字（万元），或留空。"
    )
    assert not issue.blocking


def test_parse_cell_refuses_text_fields() -> None:
    with pytest.raises(ValueError, match="needs no parsing"):
        parse_cell("x", need_field("title"))
