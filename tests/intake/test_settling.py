"""What a row would store beside what is stored: identity, kept values, references."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from matcher.intake.settling import Known, Settled, settle
from matcher.intake.tables import CellValue, RawRow, Table
from matcher.intake.validation import parse_rows
from matcher.models import Cooperation, Expert, Firm, Institution, Need, Record, Work

INSTITUTIONS = (Institution("I1", "青岛农业大学", ("青农",), ring="周边区域"), Institution("I2", "山东大学"))
STORED_NEED = Need(
    "N001",
    "银泽生物",
    "海马育苗",
    "育苗成活率低。",
    sector="海洋生物",
    budget_wan=30.0,
    call_type="揭榜挂帅",
    status="已发布",
    posted_on=date(2026, 3, 1),
    data_kind="本地",
    source="去年",
)


def read(kind: str, headers: Sequence[str], *rows: Sequence[CellValue]):  # type: ignore[no-untyped-def]
    raw = [RawRow(n, dict(zip(headers, cells, strict=True))) for n, cells in enumerate(rows, start=2)]
    return parse_rows(kind, Table("表.xlsx", "", tuple(headers), tuple(raw), header_row=1))


def known(*records: Record, **values: object) -> Known:
    by_id = {getattr(r, next(iter(r.__dataclass_fields__))): r for r in records}
    shipped = {key: r.data_kind for key, r in by_id.items() if getattr(r, "data_kind", "本地") != "本地"}
    shipped |= {key: "" for key, r in by_id.items() if isinstance(r, Institution)}
    return Known(by_id, shipped, **values)  # type: ignore[arg-type]


def blocking(settled: Settled) -> list[tuple[int, str]]:
    return [(issue.row, issue.column) for issue in settled.issues if issue.blocking]


# ---------------------------------------------------------------- 1: identity


@pytest.mark.parametrize("data_kind", ["示例", "公开"])
def test_a_shipped_id_is_not_given_to_another_need(data_kind: str) -> None:
    stored = Need("N001", "银泽生物", "海马育苗", "难。", status="已发布", data_kind=data_kind)
    parsed = read("needs", ("编号", "单位", "需求名称", "主要问题"), ["N001", "真实厂", "漏油", "油封漏油。"])
    settled = settle(parsed, known(stored))
    assert (settled.records, blocking(settled)) == ((), [(2, "编号")])
    message = settled.issues[0].message
    assert f"编号 N001 已被{data_kind}数据“海马育苗”占用；请换一个编号" in message
    assert ("先删除示例数据" in message) == (data_kind == "示例")


@pytest.mark.parametrize(
    ("headers", "cells", "stored"),
    [
        (("团队编号", "姓名", "单位", "研究方向"), ["E101", "张三", "山东大学", "涂层"],
         Expert("E101", "示例团队", "山东大学", data_kind="示例")),
        (("企业编号", "企业名称"), ["F001", "真实厂"], Firm("F001", "示例厂", ("示例",), data_kind="示例")),
        (("单位编号", "单位名称"), ["I2", "清华大学"], Institution("I2", "山东大学")),
        (("编号", "企业", "高校", "项目名称"), ["C1", "真实厂", "山东大学", "涂层"],
         Cooperation("C1", "示例厂", "山东大学", title="涂层", data_kind="示例")),
    ],
    ids=["experts", "firms", "institutions", "cooperation"],
)  # fmt: skip
def test_a_shipped_id_is_not_given_away_in_any_table(
    headers: tuple[str, ...], cells: list[CellValue], stored: Record
) -> None:
    kind = {Expert: "experts", Firm: "firms", Institution: "institutions"}.get(type(stored), "cooperation")
    settled = settle(read(kind, headers, cells), known(stored, institutions=INSTITUTIONS))
    assert blocking(settled) == [(2, headers[0])]


def test_own_records_may_be_renamed_under_their_id() -> None:
    parsed = read("needs", ("编号", "企业", "需求名称", "主要问题"), ["N001", "银泽生物", "海马繁育", "低。"])
    settled = settle(parsed, known(STORED_NEED))
    assert [r.title for r in settled.records if isinstance(r, Need)] == ["海马繁育"]


def test_the_same_need_is_an_update_and_becomes_the_bureaus_own() -> None:
    stored = Need("N001", "银泽生物", "海马育苗", "难。", data_kind="示例", source="示例数据（虚构）")
    headers = ("编号", "企业", "需求名称", "主要问题")
    settled = settle(read("needs", headers, ["N001", "银泽 生物", "海马育苗。", "难！"]), known(stored))
    (need,) = settled.records
    assert isinstance(need, Need)
    assert (need.data_kind, need.source) == ("本地", "表.xlsx")
    assert any("有 1 条原为示例或公开数据" in issue.message for issue in settled.issues)
    said = read("needs", (*headers, "数据性质"), ["N001", "银泽生物", "海马育苗", "难！", "示例"])
    (need,) = settle(said, known(stored)).records
    assert isinstance(need, Need)
    assert (need.data_kind, need.source) == ("示例", "示例数据（虚构）")


# ---------------------------------------------------------------- 2: kept values


def test_blank_and_unreadable_cells_keep_what_is_stored() -> None:
    headers = ("编号", "企业", "需求名称", "主要问题", "领域", "预算", "需求类型", "状态", "发布日期", "来源")
    row = ["N001", "银泽生物", "海马育苗", "新的问题。", "", "若干", "随便", None, "不详", ""]
    (need,) = settle(read("needs", headers, row), known(STORED_NEED)).records
    assert isinstance(need, Need)
    assert need.problem == "新的问题。"
    assert (need.sector, need.budget_wan, need.call_type, need.status, need.posted_on, need.source) == (
        "海洋生物",
        30.0,
        "揭榜挂帅",
        "已发布",
        date(2026, 3, 1),
        "去年",
    )


def test_waiting_is_the_status_of_new_needs_only() -> None:
    old = Need("N1", "甲", "乙", "丙", data_kind="本地")
    headers = ("编号", "企业", "需求名称", "主要问题", "状态")
    rows = ["N1", "甲", "乙", "丙", ""], ["N2", "甲", "丁", "丙", ""]
    settled = settle(read("needs", headers, *rows), known(old))
    assert [r.status for r in settled.records if isinstance(r, Need)] == ["", "待受理"]


# ---------------------------------------------------------------- 5: rows without an id


@pytest.mark.parametrize(
    ("headers", "cells", "stored"),
    [
        (("企业", "需求名称", "主要问题"), ["银泽 生物", "海马育苗。", "低。"], STORED_NEED),
        (
            ("姓名", "单位", "研究方向"),
            ["张三", "青农食品学院", "果蔬"],
            Expert("E9", "张三", "青岛农业大学"),
        ),
        (
            ("姓名", "单位", "研究方向"),
            ["张三", "青岛农业大学", "果蔬"],
            Expert("E9", "张三", "青农食品学院"),
        ),
        (("专家编号", "成果名称"), ["E9", "一种方法"], Work("W9", "E9", "专利", "一种方法")),
        (("企业名称",), ["银泽"], Firm("F9", "银泽生物", ("银泽",))),
        (("单位名称",), ["青农"], INSTITUTIONS[0]),
        (("企业", "高校", "项目名称"), ["甲", "乙", "丙"], Cooperation("C9", "甲", "乙", title="丙")),
    ],
)
def test_a_row_without_id_is_the_stored_record_of_the_same_name(
    headers: tuple[str, ...], cells: list[CellValue], stored: Record
) -> None:
    names = ("needs", "experts", "works", "firms", "institutions", "cooperation")
    kind = names[(Need, Expert, Work, Firm, Institution, Cooperation).index(type(stored))]
    settled = settle(
        read(kind, headers, cells), known(stored, institutions=INSTITUTIONS, experts=frozenset({"E9"}))
    )
    (record,) = settled.records
    id_name = next(iter(stored.__dataclass_fields__))
    assert getattr(record, id_name) == getattr(stored, id_name)
    if isinstance(record, Firm | Institution):
        assert record == stored, "found by its alias, it keeps its registered name"


def test_two_stored_records_of_one_name_ask_for_the_id() -> None:
    first, second = (Need(key, "甲", "乙", "丙") for key in ("N1", "N2"))
    settled = settle(
        read("needs", ("企业", "需求名称", "主要问题"), ["甲", "乙", "丁"]), known(first, second)
    )
    assert blocking(settled) == [(2, "需求编号")]
    assert "N1、N2" in settled.issues[0].message


def test_a_name_and_its_alias_in_one_file_are_one_record() -> None:
    firm = Firm("F9", "银泽生物", ("银泽",))
    same = settle(read("firms", ("企业名称",), ["银泽"], ["银泽生物"]), known(firm))
    assert [r.name for r in same.records if isinstance(r, Firm)] == ["银泽生物"]
    other = settle(read("firms", ("企业名称", "镇街"), ["银泽", "泽头"], ["银泽生物", "张家产"]), known(firm))
    assert blocking(other) == [(2, "企业编号"), (3, "企业编号")]


def test_a_prohibition_never_takes_the_place_of_a_cooperation() -> None:
    stored = Cooperation("C9", "甲", "山东大学", stage="签约", kind="合作")
    parsed = read("cooperation", ("企业", "高校", "关系"), ["甲", "山东大学", "回避"])
    (record,) = settle(parsed, known(stored, institutions=INSTITUTIONS)).records
    assert isinstance(record, Cooperation)
    assert record.cooperation_id != "C9"


# ---------------------------------------------------------------- 6: institutions, sectors


def test_the_rest_of_the_institution_cell_is_the_department() -> None:
    headers = ("姓名", "单位", "院系", "研究方向")
    rows = ["甲", "青岛农业大学食品学院", "", "果蔬"], ["乙", "青岛农业大学食品学院", "果蔬系", "果蔬"]
    settled = settle(read("experts", headers, *rows), known(institutions=INSTITUTIONS))
    found = [(r.institution, r.department, r.ring) for r in settled.records if isinstance(r, Expert)]
    assert found == [("青岛农业大学", "食品学院", "周边区域"), ("青岛农业大学", "果蔬系", "周边区域")]


def test_needs_without_sector_are_told_once() -> None:
    rows = [["甲", f"题{n}", "丙", "电子信息" if n == 0 else ""] for n in range(4)]
    settled = settle(read("needs", ("企业", "需求名称", "主要问题", "领域"), *rows), known())
    told = [issue for issue in settled.issues if issue.column == "领域"]
    assert [(issue.row, issue.blocking) for issue in told] == [(1, False)]
    assert "有 3 条需求没有领域" in told[0].message


# ---------------------------------------------------------------- 8: prohibitions


@pytest.mark.parametrize("kind", ["回避", "勿联系"])
def test_a_prohibition_of_an_unknown_expert_is_blocked(kind: str) -> None:
    headers = ("企业", "高校", "团队编号", "关系")
    rows = ["甲厂", "山东大学", "E1", kind], ["甲厂", "山东大学", "E404", kind]
    settled = settle(
        read("cooperation", headers, *rows),
        known(institutions=INSTITUTIONS, experts=frozenset({"E1"}), firms=frozenset({"甲厂"})),
    )
    assert (settled.rows, blocking(settled)) == ((2,), [(3, "团队编号")])


def test_a_prohibition_of_unknown_names_says_that_it_goes_by_name() -> None:
    headers = ("企业", "高校", "关系")
    rows = ["甲厂", "青农", "回避"], ["某厂", "山东大", "回避"], ["某厂", "山东大", "合作"]
    settled = settle(
        read("cooperation", headers, *rows), known(institutions=INSTITUTIONS, firms=frozenset({"甲厂"}))
    )
    assert len(settled.records) == 3
    assert [(i.row, i.column, i.blocking) for i in settled.issues] == [(3, "企业", False), (3, "高校", False)]
    assert "只按这个名称生效" in settled.issues[0].message


# ---------------------------------------------------------------- 9: contracts


def test_a_contract_that_would_count_wrongly_is_told_before_it_is_stored() -> None:
    headers = ("企业", "高校", "阶段", "签约日期", "合同编号", "关系")
    rows = (
        ["甲厂", "山东大学", "签约", "2026-03-01", "HT-1", "合作"],
        ["乙厂", "山东大学", "签约", "2026-12-30", "HT-2", "合作"],
        ["丙厂", "山东大学", "洽谈", "2026-03-01", "HT-3", "合作"],
        ["丁厂", "山东大学", "签约", "2026-04-01", "ｈｔ－1", "合作"],
        ["戊厂", "山东大学", "签约", "2026-04-01", "HT-8", "合作"],
        ["甲厂", "青岛农业大学", "签约", "2026-04-01", "HT-1", "合作"],
    )
    stored = known(institutions=INSTITUTIONS, today=date(2026, 11, 25), contracts={"ht-8": "己厂"})
    settled = settle(read("cooperation", headers, *rows), stored)
    assert settled.rows == (2, 5, 6, 7)
    assert blocking(settled) == [(3, "签约日期"), (4, "签约日期")]
    told = {issue.row: issue.message for issue in settled.issues}
    assert "还没有到（今天是 2026-11-25）" in told[3]
    assert "合作阶段是“洽谈”，却有签约日期" in told[4]
    assert "已登记给“甲厂”" in told[5]
    assert "已登记给“己厂”" in told[6]
    assert 7 not in told
