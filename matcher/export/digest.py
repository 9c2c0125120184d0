"""The reminder digest: which cooperations are overdue, and whose turn it is.

Owns its columns and counts. Deliberately decides nothing about what is overdue: the services do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from matcher.export.document import Cell, Column, Document, RunInfo, Sheet
from matcher.export.layouts import badged, beijing_time

NOTHING_OVERDUE = "没有逾期事项。"
NO_OWNER = "未指定"
_COLUMNS = (
    Column("经办人", 10),
    Column("对接状态", 9),
    Column("企业", 22),
    Column("技术需求", 26),
    Column("专家（团队）", 22),
    Column("单位", 20),
    Column("应办日期", 11, "date"),
    Column("逾期天数", 9, "int"),
    Column("下一步", 24),
    Column("提醒原因", 26),
)


@dataclass(frozen=True, slots=True)
class DigestRow:
    """One overdue cooperation as it is listed.

    ``state`` is the stage, ``days_overdue`` whole days past ``due_on`` or past the limit of the
    stage, ``reason`` the sentence on why it is listed.
    """

    owner: str
    state: str
    firm: str
    need_title: str
    expert_name: str
    institution: str
    due_on: date | None
    days_overdue: int
    next_action: str = ""
    reason: str = ""
    is_sample: bool = False


def overdue_document(title: str, rows: Sequence[DigestRow], info: RunInfo) -> Document:
    """The digest with a count for each owner.

    Args:
        title: what the file is called, in words.
        rows: in the order shown.
        info: ``created_at`` is the time of the digest and ``filters`` what was chosen, in words;
            ``run_id`` is printed when it is not empty.
    """
    lines = [f"共 {len(rows)} 件逾期。" if rows else NOTHING_OVERDUE]
    lines += [f"范围：{info.filters}"] if info.filters else []
    lines += [f"运行编号：{info.run_id}"] if info.run_id else []
    lines.append(f"生成时间：{beijing_time(info.created_at)}")
    listed = Sheet("逾期提醒", _COLUMNS, tuple(_cells(row) for row in rows))
    nothing: tuple[Cell, ...] = (NOTHING_OVERDUE, *(None for _ in _COLUMNS[1:]))
    flat = None if rows else Sheet(listed.title, _COLUMNS, (nothing,))
    sheets = (listed, _by_owner(rows))
    return Document(title, tuple(lines), sheets, flat=flat, made_at=info.created_at)


def _cells(row: DigestRow) -> tuple[Cell, ...]:
    return (
        row.owner or NO_OWNER,
        row.state,
        badged(row.firm, row.is_sample),
        badged(row.need_title, row.is_sample),
        badged(row.expert_name, row.is_sample),
        row.institution,
        row.due_on,
        row.days_overdue,
        row.next_action,
        row.reason,
    )


def _by_owner(rows: Sequence[DigestRow]) -> Sheet:
    """Owners with most overdue first; ties by name."""
    days: dict[str, list[int]] = {}
    for row in rows:
        days.setdefault(row.owner or NO_OWNER, []).append(row.days_overdue)
    ordered = sorted(days.items(), key=lambda item: (-len(item[1]), item[0]))
    columns = (Column("经办人", 16), Column("逾期件数", 12, "int"), Column("最长逾期天数", 14, "int"))
    return Sheet("按经办人", columns, tuple((owner, len(each), max(each)) for owner, each in ordered))
