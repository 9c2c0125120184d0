"""The layouts of what is exported: records, rankings, the 候选合作清单.

Owns columns, wording and order of every exported table. Deliberately knows no file format, and
takes plain rows, so that no store and no ranking is needed to make a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from matcher.columns import (
    BADGED_FIELDS,
    SAMPLE_BADGE,
    CellType,
    Field,
    RecordKind,
    fields_of,
    join_list,
)
from matcher.export.document import (
    Cell,
    Column,
    ColumnKind,
    Document,
    EvidenceRow,
    PairRow,
    RunInfo,
    Sheet,
    shown_contributions,
    shown_score,
)
from matcher.models import Evidence, Expert, Need, Record
from matcher.vocab import Channel, Confidentiality, DataKind

SCORE_MEANING = (
    "匹配度（0–100）只反映技术内容的契合程度，由各分项相加得到；同一需求内可以比较，"
    "不同需求之间不宜直接比较，也不是成功概率。"
)
BEST_EVIDENCE = 3
_PAIR_COLUMNS = (
    Column("序号", 6, "int"),
    Column("需求编号", 12),
    Column("技术需求", 28),
    Column("企业", 22),
    Column("镇街", 10),
    Column("领域", 12),
    Column("专家（团队）", 24),
    Column("单位", 20),
    Column("圈层", 9),
    Column("匹配度", 9, "number", 1),
)
_PAIR_TAIL = (
    Column("匹配依据", 46),
    Column("未覆盖要求", 26),
    Column("实际因素", 24),
    Column("审核意见", 10),
    Column("备注", 18),
    Column("数据性质", 12),
    Column("运行编号", 16),
)
_EVIDENCE_COLUMNS = (
    Column("序号", 6, "int"),
    Column("需求编号", 12),
    Column("技术需求", 26),
    Column("专家（团队）", 24),
    Column("要求类别", 10),
    Column("需求原文", 40),
    Column("依据类别", 10),
    Column("专家资料原文", 40),
    Column("共有词", 18),
    Column("术语对应", 22),
    Column("依据编号", 14),
    Column("来源", 18),
    Column("年份", 8, "int"),
)
_KIND_OF_TYPE: dict[CellType, ColumnKind] = {
    CellType.AMOUNT_WAN: "number",
    CellType.NUMBER: "number",
    CellType.INT: "int",
    CellType.DATE: "date",
}


BEIJING = timezone(timedelta(hours=8), "北京时间")


def badged(name: str, is_sample: bool) -> str:
    """A name with 【示例】 when the record is illustrative."""
    return f"{name}{SAMPLE_BADGE}" if is_sample else name


def marked(need: Need) -> str:
    """The title with 【保密】 in front when nobody outside the bureau may read it."""
    return f"【保密】{need.title}" if need.confidentiality == Confidentiality.CONFIDENTIAL else need.title


# ---------------------------------------------------------------- records


def records_sheet(kind: str, records: Sequence[Record], *, include_contacts: bool = False) -> Sheet:
    """Records as a table that can be imported again, under the Chinese labels.

    Args:
        kind: the record kind.
        records: records of that kind, in the order wanted.
        include_contacts: also write the personal contact columns; off unless an official ticks it.

    Raises:
        ValueError: unknown kind.
    """
    fields = [f for f in fields_of(kind) if include_contacts or not f.contact]
    columns = tuple(Column(f.label, f.width, _KIND_OF_TYPE.get(f.type, "text")) for f in fields)
    rows = tuple(tuple(_record_cell(kind, record, field) for field in fields) for record in records)
    return Sheet(RecordKind(kind).label, columns, rows)


def _record_cell(kind: str, record: Record, field: Field) -> Cell:
    value = getattr(record, field.name)
    if field.type is CellType.LIST:
        return join_list(value, commas=field.commas)
    if field.type is CellType.BOOL:
        return "是" if value else "否"
    is_sample = getattr(record, "data_kind", "") == DataKind.SAMPLE
    if is_sample and value and field.name in BADGED_FIELDS[RecordKind(kind)]:
        return badged(value, is_sample)
    cell: Cell = value
    return cell


# ---------------------------------------------------------------- pairings


def evidence_row(evidence: Evidence) -> EvidenceRow:
    """The exported row of one ``models.Evidence``."""
    line, facet = evidence.line, evidence.facet
    return EvidenceRow(
        line_label=line.kind.value,
        line_text=line.text,
        facet_kind=facet.kind.value,
        facet_text=facet.text,
        source_id=facet.record_id,
        shared=evidence.shared_terms,
        bridges=tuple(f"{bridge.phrase} → {bridge.term}" for bridge in evidence.bridges),
        source=facet.source,
        year=facet.year,
    )


def need_header(need: Need) -> tuple[str, tuple[str, ...]]:
    """Title and subtitle lines of a ranking of experts for one need."""
    lines = (
        f"企业：{badged(need.company, need.is_sample)}",
        f"技术需求：{badged(marked(need), need.is_sample)}（编号 {need.need_id}）",
        f"主要问题：{need.problem}",
    )
    return f"技术需求匹配结果：{badged(marked(need), need.is_sample)}", lines


def expert_header(expert: Expert) -> tuple[str, tuple[str, ...]]:
    """Title and subtitle lines of a ranking of needs for one expert."""
    name = badged(expert.name, expert.is_sample)
    directions = "；".join(expert.research_directions)
    lines = [f"专家（团队）：{name}（编号 {expert.expert_id}）", f"单位：{expert.institution}"]
    lines += [f"研究方向：{directions}"] if directions else []
    return f"专家匹配结果：{name}", tuple(lines)


def ranking_document(header: tuple[str, tuple[str, ...]], rows: Sequence[PairRow], run: RunInfo) -> Document:
    """One saved ranking.

    Args:
        header: title and subtitle lines, from ``need_header``, ``expert_header`` or free text.
        rows: the pairings in the order shown.
        run: the run they come from.
    """
    title, lines = header
    return _pair_document("匹配结果", title, lines, rows, run)


def shortlist_document(name: str, rows: Sequence[PairRow], run: RunInfo, *, note: str = "") -> Document:
    """The 候选合作清单 called ``name``, with its 匹配依据 and 说明."""
    lines = (f"清单说明：{note}",) if note else ()
    return _pair_document("候选合作清单", f"候选合作清单：{name}", lines, rows, run)


def _pair_document(
    sheet_title: str, title: str, lines: tuple[str, ...], rows: Sequence[PairRow], run: RunInfo
) -> Document:
    channels = [c for c in Channel if any(c in row.contributions for row in rows)]
    columns = (
        *_PAIR_COLUMNS,
        *(Column(f"其中：{channel.label}", 10, "number", 1) for channel in channels),
        *_PAIR_TAIL,
    )
    pairs = Sheet(
        sheet_title,
        columns,
        tuple(_pair_cells(row, channels, run.run_id) for row in rows),
        (f"运行编号 {run.run_id}；共 {len(rows)} 对。{SCORE_MEANING}",),
    )
    evidence = Sheet(
        "匹配依据",
        _EVIDENCE_COLUMNS,
        tuple(_evidence_cells(row, item) for row in rows for item in row.evidence),
    )
    subtitle = (*lines, f"运行编号：{run.run_id}", f"生成时间：{beijing_time(run.created_at)}")
    sheets = (pairs, evidence, explanation_sheet(rows, channels, run))
    return Document(title, subtitle, sheets, tuple(rows), run)


def _pair_cells(row: PairRow, channels: Sequence[Channel], run_id: str) -> tuple[Cell, ...]:
    shown = shown_contributions(row)
    return (
        row.rank,
        row.need_id,
        badged(row.need_title, row.is_sample_need),
        badged(row.company, row.is_sample_need),
        row.town,
        row.sector,
        badged(row.expert_name, row.is_sample_expert),
        row.institution,
        row.ring,
        shown_score(row.score),
        *(shown.get(channel) for channel in channels),
        "\n".join(evidence_line(item) for item in row.evidence[:BEST_EVIDENCE]),
        "\n".join(row.gaps),
        "；".join(row.practical),
        row.decision,
        row.note,
        data_nature(row),
        row.run_id or run_id,
    )


def _evidence_cells(row: PairRow, item: EvidenceRow) -> tuple[Cell, ...]:
    return (
        row.rank,
        row.need_id,
        badged(row.need_title, row.is_sample_need),
        badged(row.expert_name, row.is_sample_expert),
        item.line_label,
        item.line_text,
        item.facet_kind,
        item.facet_text,
        "、".join(item.shared),
        "；".join(item.bridges),
        item.source_id,
        item.source,
        item.year,
    )


def evidence_line(item: EvidenceRow) -> str:
    """One piece of evidence as a sentence for a table cell."""
    reasons = [f"共有词：{'、'.join(item.shared)}"] if item.shared else []
    reasons += [f"术语对应：{'；'.join(item.bridges)}"] if item.bridges else []
    why = f"（{'；'.join(reasons)}）" if reasons else ""
    return f"{item.line_label}“{item.line_text}”↔ {item.facet_kind}“{item.facet_text}”{why}"


def data_nature(row: PairRow) -> str:
    """数据性质 of a pairing: which side of it is illustrative."""
    if row.is_sample_need and row.is_sample_expert:
        return "示例"
    if row.is_sample_need or row.is_sample_expert:
        return "需求为示例" if row.is_sample_need else "专家为示例"
    return "非示例"


def explanation_sheet(rows: Sequence[PairRow], channels: Sequence[Channel], run: RunInfo) -> Sheet:
    """说明: what the numbers mean and which ranking they come from."""
    n_sample = sum(row.is_sample_need or row.is_sample_expert for row in rows)
    parts = "、".join(channel.label for channel in channels)
    items = [
        ("匹配度", SCORE_MEANING),
        ("分项", f"匹配度 = {parts.replace('、', ' + ')}。" if parts else "未保存分项。"),
        ("运行编号", run.run_id),
        ("生成时间", beijing_time(run.created_at)),
        ("语义模型", run.encoder),
        ("数据版本", run.data_revision),
        ("筛选条件", run.filters or "无"),
        ("降级说明", "；".join(run.degraded) or "无"),
        ("数量", f"共 {len(rows)} 对，其中含示例数据 {n_sample} 对。"),
        ("示例数据", f"名称后有{SAMPLE_BADGE}的是演示用的虚构内容，不代表任何真实单位或成果。"),
    ]
    return Sheet("说明", (Column("项目", 14), Column("内容", 90)), tuple(items))


def in_beijing(moment: datetime) -> datetime:
    """A moment by the clock here; without a time zone it is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(BEIJING)


def beijing_time(moment: datetime) -> str:
    """A moment as people here read it."""
    return in_beijing(moment).strftime("%Y-%m-%d %H:%M（北京时间）")
