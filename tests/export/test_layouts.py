"""Columns, badges and wording of exported tables."""

from dataclasses import replace
from datetime import UTC, datetime

from matcher.export.document import Document, EvidenceRow, PairRow, RunInfo
from matcher.export.layouts import (
    evidence_row,
    expert_header,
    need_header,
    ranking_document,
    records_sheet,
    shortlist_document,
)
from matcher.models import Bridge, Evidence, Expert, Facet, Firm, Need, RequirementLine
from matcher.vocab import Channel, FacetKind, LineKind

RUN = RunInfo("R-1", datetime(2026, 11, 25, 8, 30, tzinfo=UTC), "内置模型", "rev-7", "仅区内")
EVIDENCE = EvidenceRow(
    "主要问题", "刀具磨得快", "研究方向", "摩擦学", "E1", ("刀具",), ("磨得快 → 摩擦学",), "示例", 2025
)
SAMPLE = PairRow(
    1, "N1", "刀具寿命短", "示例厂01", "宋村镇", "汽车机电", "E1", "示例团队01", "某大学", "区内", 0.5678,
    {Channel.LEXICAL: 0.2, Channel.DENSE: 0.3, Channel.THESAURUS: 0.0678},
    (EVIDENCE,), ("成本低于 3 元",), ("有合作经历",), "接受", "先走访", True, True,
)  # fmt: skip
REAL = PairRow(2, "N2", "裂纹", "乙厂", "", "", "E2", "乙团队", "某大学", "全国", 0.25)


def column(document: Document, label: str, sheet: int = 0) -> list[object]:
    labels = [spec.label for spec in document.sheets[sheet].columns]
    return [row[labels.index(label)] for row in document.sheets[sheet].rows]


def test_shortlist_columns_in_order() -> None:
    document = shortlist_document("十一月", [SAMPLE, REAL], RUN, note="走访用")
    assert [spec.label for spec in document.sheets[0].columns] == [
        "序号", "需求编号", "技术需求", "企业", "镇街", "领域", "专家（团队）", "单位", "圈层", "匹配度",
        "其中：用词相同", "其中：语义相近", "其中：术语对应",
        "匹配依据", "未覆盖要求", "实际因素", "审核意见", "备注", "数据性质", "运行编号",
    ]  # fmt: skip
    assert [sheet.title for sheet in document.sheets] == ["候选合作清单", "匹配依据", "说明"]
    assert document.title == "候选合作清单：十一月"
    assert document.subtitle_lines[0] == "清单说明：走访用"


def test_numbers_badges_and_run_id() -> None:
    document = shortlist_document("十一月", [SAMPLE, REAL], RUN)
    assert column(document, "匹配度") == [56.8, 25.0]
    shown = [column(document, f"其中：{channel.label}") for channel in Channel]
    assert [part[0] for part in shown] == [20.0, 30.0, 6.8]
    assert [part[1] for part in shown] == [None, None, None]
    assert column(document, "技术需求") == ["刀具寿命短【示例】", "裂纹"]
    assert column(document, "企业") == ["示例厂01【示例】", "乙厂"]
    assert column(document, "专家（团队）") == ["示例团队01【示例】", "乙团队"]
    assert column(document, "数据性质") == ["示例", "非示例"]
    assert column(document, "运行编号") == ["R-1", "R-1"]
    own = shortlist_document("十一月", [replace(SAMPLE, run_id="R-7"), REAL], RUN)
    assert column(own, "运行编号") == ["R-7", "R-1"]


def test_evidence_and_explanation_sheets() -> None:
    document = ranking_document(("结果", ("企业：甲",)), [SAMPLE, REAL], RUN)
    line = "主要问题“刀具磨得快”↔ 研究方向“摩擦学”（共有词：刀具；术语对应：磨得快 → 摩擦学）"
    assert column(document, "匹配依据") == [line, ""]
    assert column(document, "专家资料原文", 1) == ["摩擦学"]
    assert column(document, "年份", 1) == [2025]
    words = dict(document.sheets[2].rows)  # type: ignore[arg-type]
    assert words["生成时间"] == "2026-11-25 16:30（北京时间）"
    assert words["筛选条件"] == "仅区内"
    assert words["数量"] == "共 2 对，其中含示例数据 1 对。"
    assert "不是成功概率" in str(words["匹配度"])


def test_evidence_row_of_a_match() -> None:
    line = RequirementLine("L1", "N1", LineKind.PROBLEM, "刀具磨得快")
    facet = Facet("F1", "E1", "W9", FacetKind.WORK, "摩擦学", 0, 2025, "示例")
    row = evidence_row(Evidence(line, facet, 0.7, ("刀具",), (Bridge("磨得快", "摩擦学", "磨损"),)))
    assert row == EvidenceRow(
        "主要问题", "刀具磨得快", "成果", "摩擦学", "W9", ("刀具",), ("磨得快 → 摩擦学",), "示例", 2025
    )


def test_contacts_only_when_asked() -> None:
    need = Need("N1", "甲厂", "气孔", "多", contact="王某", phone="1380000")
    labels = [spec.label for spec in records_sheet("needs", [need]).columns]
    assert "联系人" not in labels
    assert "联系电话" not in labels
    full = records_sheet("needs", [need], include_contacts=True)
    assert "王某" in full.rows[0]
    headers = need_header(need)
    assert "王某" not in repr(headers)


def test_record_cells_carry_badge_lists_and_booleans() -> None:
    firm = Firm("F1", "示例厂", aliases=("甲", "乙"), chain_leader=True, data_kind="示例")
    row = records_sheet("firms", [firm]).rows[0]
    assert row[:3] == ("F1", "示例厂【示例】", "甲；乙")
    assert "是" in row


def test_headers_carry_the_badge() -> None:
    expert = Expert("E1", "示例团队", "某大学", research_directions=("摩擦学",), data_kind="示例")
    title, lines = expert_header(expert)
    assert title == "专家匹配结果：示例团队【示例】"
    assert lines[2] == "研究方向：摩擦学"
