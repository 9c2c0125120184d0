from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import openpyxl
import pytest

from matcher.errors import InputError
from matcher.services.bootstrap import Application


def workbook(rows: Sequence[Sequence[object]], merge: str = "") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    if merge:
        sheet.merge_cells(merge)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


FOREIGN = [
    ["2026年度企业技术需求征集汇总表", None, None, None, None, None, None],
    ["序号", "需求单位", "拟投入资金（万元）", "技术需求名称", "主要问题", "关键字1", "关键字2"],
    [
        1,
        "示例渔具企业99",
        "约50万元",
        "渔线轮主齿轮打齿",
        "大鱼一拉主齿就崩，换了三种料还是打齿，退货多。",
        "渔线轮",
        "打齿",
    ],
    [2, "示例渔具企业99", "面议", "碳素鱼竿涂层起泡", "南方夏天涂层起泡，客户退货。", "鱼竿", None],
]


def test_a_foreign_gbk_sheet_is_previewed_imported_and_matched(app: Application) -> None:
    text = "\r\n".join(",".join("" if v is None else str(v) for v in row) for row in FOREIGN)
    preview = app.imports.preview("needs", text.encode("gbk"), "征集表.csv")
    assert (preview.header_row, preview.n_rows, preview.n_new, preview.n_blocked) == (2, 2, 2, 0)
    assert ("需求单位", "企业") in [(h, label[:2]) for h, label in preview.mapping] or preview.mapping
    assert any("面议" in issue.message for issue in preview.issues)
    assert len(app.records.needs(text="示例渔具企业99")) == 0, "a preview stores nothing"
    done = app.imports.confirm(preview)
    assert (done.n_new, done.n_changed) == (2, 0)
    needs = app.records.needs(text="示例渔具企业99")
    assert {n.budget_wan for n in needs} == {50.0, None}
    gear = next(n for n in needs if "齿轮" in n.title)
    assert gear.keywords == ("渔线轮", "打齿")
    assert gear.status == "待受理"
    ranking = app.matching.for_need(gear.need_id, top=5)
    assert ranking.pairs[0].match.score > 0.2
    assert ranking.pairs[0].match.evidence


def test_importing_the_same_file_twice_changes_nothing(app: Application) -> None:
    data = workbook(FOREIGN, "A1:G1")
    app.imports.confirm(app.imports.preview("needs", data, "征集表.xlsx"))
    revision = app.engine.records().revision
    again = app.imports.preview("needs", data, "征集表.xlsx")
    assert (again.n_new, again.n_changed, again.n_same) == (0, 0, 2)
    app.imports.confirm(again)
    assert app.engine.records().revision == revision


def test_one_bad_row_stops_the_whole_file_and_names_it(app: Application) -> None:
    rows = [*FOREIGN, [3, "示例渔具企业99", 10, None, "没有名称的需求。", None, None]]
    preview = app.imports.preview("needs", workbook(rows), "征集表.xlsx")
    assert preview.n_blocked == 1
    bad = next(issue for issue in preview.issues if issue.blocking)
    assert bad.row == 5
    assert "5" in bad.message
    with pytest.raises(InputError):
        app.imports.confirm(preview)
    assert not app.records.needs(text="示例渔具企业99")


def test_works_must_belong_to_a_known_expert(app: Application) -> None:
    rows = [
        ["成果编号", "专家编号", "成果名称"],
        ["W-X", "E101", "新的成果"],
        ["W-Y", "E-不存在", "孤儿成果"],
    ]
    preview = app.imports.preview("works", workbook(rows), "成果.xlsx")
    assert preview.n_blocked == 1
    assert any("E-不存在" in issue.message for issue in preview.issues)


def test_institutions_short_name_becomes_the_registered_one_with_its_ring(app: Application) -> None:
    rows = [
        ["团队名称", "工作单位", "研究方向"],
        ["海藻精深加工课题组", "哈工大威海", "褐藻多糖酶解；海藻膳食纤维改性"],
    ]
    preview = app.imports.preview("experts", workbook(rows), "专家.xlsx")
    app.imports.confirm(preview)
    (expert,) = app.records.experts(text="海藻精深加工课题组")
    assert expert.institution == "哈尔滨工业大学（威海）"
    assert expert.ring == "周边区域"
    ranking = app.matching.experts_for_text("海藻膳食纤维口感粗，褐藻多糖酶解不彻底", top=3)
    assert expert.expert_id in {p.match.expert_id for p in ranking.pairs}


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"", "空.csv"), (b"\x00\x01\x02" * 50, "乱.xlsx"), (b"a,b\n1,2\n", "无关.csv"), (b"x", "旧.xls")],
)
def test_unusable_files_are_refused_with_what_to_do(app: Application, data: bytes, name: str) -> None:
    with pytest.raises(InputError) as caught:
        app.imports.preview("needs", data, name)
    assert caught.value.hint


def test_unknown_kind_lists_the_known_ones(app: Application) -> None:
    with pytest.raises(InputError, match="不认识"):
        app.imports.preview("people", b"", "x.csv")


def test_dropping_the_samples_keeps_own_and_public_records(app: Application) -> None:
    app.imports.confirm(app.imports.preview("needs", workbook(FOREIGN), "征集表.xlsx"))
    deleted = app.records.drop_samples()
    assert deleted["experts"] == 228
    assert {n.data_kind for n in app.records.needs()} == {"本地", "公开"}
    assert not app.records.experts()
    assert not app.records.works()
    assert app.imports.load_samples(app.settings) == {}, "dropped samples do not come back"
    assert app.overview.summary().year_signed == 0
    assert app.matching.for_need(app.records.needs()[0].need_id).pairs == ()


def test_a_file_without_some_columns_keeps_what_is_stored(app: Application) -> None:
    before = app.records.expert("E101")
    rows = [
        ["专家编号", "团队名称", "工作单位", "研究方向"],
        ["E101", before.name, before.institution, "全新的研究方向"],
    ]
    preview = app.imports.preview("experts", workbook(rows), "更新.xlsx")
    assert (preview.n_new, preview.n_changed) == (0, 1)
    app.imports.confirm(preview)
    after = app.records.expert("E101")
    assert after.research_directions == ("全新的研究方向",)
    assert (after.capacity, after.keywords) == (before.capacity, before.keywords)
    assert (before.data_kind, after.data_kind) == ("示例", "本地"), "never stays 示例 silently"


def test_an_unknown_confidentiality_or_relation_stops_the_row(app: Application) -> None:
    rows = [
        ["企业名称", "技术需求名称", "主要问题", "公开范围"],
        ["甲厂", "题目", "问题写在这里。", "内部掌握"],
    ]
    assert app.imports.preview("needs", workbook(rows), "n.xlsx").n_blocked == 1
    rows = [["企业", "高校院所", "关系类型"], ["甲厂", "乙校", "不要再联系了吧"]]
    assert app.imports.preview("cooperation", workbook(rows), "c.xlsx").n_blocked == 1


def test_dropping_and_importing_is_one_step_and_a_refused_one_changes_nothing(app: Application) -> None:
    works = [["成果编号", "专家编号", "成果名称"], ["W-X", "E101", "挂在示例团队下的成果"]]
    preview = app.imports.preview("works", workbook(works), "成果.xlsx")
    with pytest.raises(InputError):  # its team goes with the samples
        app.imports.confirm(preview, drop_samples=True)
    assert len(app.records.experts()) == 228
    done = app.imports.confirm(app.imports.preview("needs", workbook(FOREIGN), "n.xlsx"), drop_samples=True)
    assert done.n_new == 2
    assert {n.data_kind for n in app.records.needs()} == {"本地", "公开"}


def test_a_row_changed_between_preview_and_confirm_keeps_the_other_persons_edit(app: Application) -> None:
    name = app.records.expert("E101")
    rows = [["专家编号", "团队名称", "工作单位", "研究方向"], ["E101", name.name, name.institution, "方向甲"]]
    preview = app.imports.preview("experts", workbook(rows), "更新.xlsx")
    other = [
        ["专家编号", "团队名称", "工作单位", "研究方向", "承接上限"],
        ["E101", name.name, name.institution, "方向乙", 9],
    ]
    app.imports.confirm(app.imports.preview("experts", workbook(other), "别人.xlsx"))
    app.imports.confirm(preview)
    after = app.records.expert("E101")
    assert (after.research_directions, after.capacity) == (("方向甲",), 9)


TAKEN = [["专家编号", "姓名", "工作单位", "研究方向"], ["E101", "真实的张教授", "山东大学", "铸造充型模拟"]]


def test_a_real_team_never_inherits_the_id_of_a_sample(app: Application) -> None:
    preview = app.imports.preview("experts", workbook(TAKEN), "专家.xlsx")
    assert (preview.n_blocked, preview.n_new, preview.n_changed) == (1, 0, 0)
    assert any("编号 E101 已被示例数据“铸造充型与凝固示例团队101”占用" in i.message for i in preview.issues)
    with pytest.raises(InputError):
        app.imports.confirm(preview)
    needs = [["编号", "单位", "需求名称", "主要问题"], ["N001", "真实厂", "漏油", "油封一个月就漏油。"]]
    preview = app.imports.preview("needs", workbook(needs), "需求.xlsx")
    assert any("编号 N001 已被公开数据" in issue.message for issue in preview.issues if issue.blocking)
    assert app.imports.preview("needs", workbook(needs), "需求.xlsx", drop_samples=True).n_blocked == 1


def test_samples_that_go_first_do_not_block(app: Application) -> None:
    blocked = app.imports.preview("experts", workbook(TAKEN), "专家.xlsx")
    preview = app.imports.preview("experts", workbook(TAKEN), "专家.xlsx", drop_samples=True)
    assert (preview.n_blocked, preview.n_new, preview.n_changed) == (0, 1, 0)
    with pytest.raises(InputError):
        app.imports.confirm(preview)
    assert app.imports.confirm(blocked, drop_samples=True).n_new == 1
    (expert,) = app.records.experts()
    assert (expert.name, expert.keywords, expert.data_kind) == ("真实的张教授", (), "本地")


def test_dropped_samples_count_as_new_when_they_are_in_the_file(app: Application) -> None:
    data = app.exports.records("works", ".csv")
    assert app.imports.preview("works", data, "成果.csv").n_same == 764
    gone = app.imports.preview("works", data, "成果.csv", drop_samples=True)
    assert (gone.n_same, gone.n_blocked) == (0, 764)
    needs = app.imports.preview("needs", app.exports.records("needs", ".csv"), "n.csv", drop_samples=True)
    assert (needs.n_new, needs.n_changed, needs.n_same, needs.n_blocked) == (102, 0, 2, 0)


@pytest.mark.parametrize("kind", ["needs", "experts", "works", "firms", "institutions", "cooperation"])
def test_an_export_without_ids_changes_nothing(app: Application, kind: str) -> None:
    rows = list(csv.reader(io.StringIO(app.exports.records(kind, ".csv").decode("utf-8-sig"))))
    top = next(n for n, row in enumerate(rows) if len(row) > 5)
    without = workbook([row[1:] for row in rows[top:]])
    preview = app.imports.preview(kind, without, "导出.xlsx")
    assert (preview.n_new, preview.n_changed, preview.n_blocked) == (0, 0, 0)
    assert preview.n_same == len(rows) - top - 1


UNKNOWN = [["出题方", "想解决啥", "卡在哪"], ["甲厂", "漏油", "油封一个月就漏油。"]]
BY_HAND = {"出题方": "company", "想解决啥": "title", "卡在哪": "problem"}


def test_columns_are_mapped_by_hand_once(app: Application) -> None:
    data = workbook(UNKNOWN)
    preview = app.imports.preview("needs", data, "表.xlsx")
    assert (preview.headers, preview.n_blocked) == (("出题方", "想解决啥", "卡在哪"), 1)
    assert dict(preview.chosen) == dict.fromkeys(preview.headers, "")
    assert ("company", "企业名称") in preview.targets
    by_hand = app.imports.preview("needs", data, "表.xlsx", mapping=BY_HAND)
    assert (dict(by_hand.chosen), by_hand.n_new, by_hand.n_blocked) == (BY_HAND, 1, 0)
    app.imports.confirm(by_hand)
    more = [*UNKNOWN, ["乙厂", "起皮", "涂层起皮。"]]
    again = app.imports.preview("needs", workbook(more), "再来.xlsx")
    assert (dict(again.chosen), again.n_new, again.n_same) == (BY_HAND, 1, 1)
    left_out = app.imports.preview("needs", data, "表.xlsx", mapping={"想解决啥": ""})
    assert left_out.chosen["想解决啥"] == ""
    with pytest.raises(InputError, match="company（企业名称）"):
        app.imports.preview("needs", data, "表.xlsx", mapping={"出题方": "企业的名字"})


def test_a_column_left_out_by_hand_stays_left_out(app: Application) -> None:
    data = workbook(FOREIGN)
    preview = app.imports.preview("needs", data, "征集表.xlsx", mapping={"拟投入资金（万元）": ""})
    app.imports.confirm(preview)
    assert {n.budget_wan for n in app.records.needs(text="示例渔具企业99")} == {None}
    assert app.imports.preview("needs", data, "征集表.xlsx").chosen["拟投入资金（万元）"] == ""


def test_bad_rows_can_be_left_out(app: Application) -> None:
    rows = [*FOREIGN, [3, "示例渔具企业99", 10, None, "没有名称的需求。", None, None]]
    preview = app.imports.preview("needs", workbook(rows), "征集表.xlsx")
    done = app.imports.confirm(preview, skip_blocked=True)
    assert (done.n_new, done.n_skipped) == (2, 1)
    assert len(app.records.needs(text="示例渔具企业99")) == 2
    works = [["成果编号", "专家编号", "成果名称"], ["W-X", "E101", "甲"], ["W-Y", "E-不存在", "乙"]]
    done = app.imports.confirm(app.imports.preview("works", workbook(works), "成果.xlsx"), skip_blocked=True)
    assert (done.n_new, done.n_skipped) == (1, 1)
    only_bad = app.imports.preview("works", workbook([works[0], works[2]]), "成果.xlsx")
    with pytest.raises(InputError, match="1 行不能导入"):
        app.imports.confirm(only_bad, skip_blocked=True)


def test_a_prohibition_of_an_unknown_team_is_refused(app: Application) -> None:
    rows = [
        ["企业", "高校院所", "专家编号", "关系类型"],
        ["没有的厂", "没有的校", None, "勿联系"],
        ["银泽生物", "鲁东大学", "E-不存在", "回避"],
    ]
    preview = app.imports.preview("cooperation", workbook(rows), "台账.xlsx")
    told = [(issue.row, issue.column, issue.blocking) for issue in preview.issues if issue.row > 1]
    assert told == [(2, "企业", False), (2, "高校院所", False), (3, "专家编号", True)]


def test_huge_numbers_never_reach_the_database(app: Application) -> None:
    rows = [["姓名", "工作单位", "研究方向", "承接上限"], ["张三", "山东大学", "涂层", "9" * 30]]
    done = app.imports.confirm(app.imports.preview("experts", workbook(rows), "专家.xlsx"))
    assert done.n_new == 1
    assert [e.capacity for e in app.records.experts(text="张三")] == [None]
