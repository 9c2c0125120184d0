"""年度目标: count signed projects from the 台账.

Owns the counting rule: a project counts once per contract, in the calendar year of ``signed_on``; 落地 is counted
beside it, and a later 终止 is listed and still counted. Pure functions.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from datetime import date

from matcher.models import Cooperation, Engagement
from matcher.text.normalise import normalise
from matcher.vocab import CooperationKind, Stage


def signed_projects(rows: Iterable[Cooperation], year: int | None = None) -> tuple[Cooperation, ...]:
    """One row per signed contract, by date then id: the first row of a contract stands for it.

    Args:
        rows: the 台账.
        year: calendar year, or all years.
    """
    first: dict[str, Cooperation] = {}
    for row in sorted(rows, key=lambda row: (row.signed_on or date.max, row.cooperation_id)):
        if row.kind == CooperationKind.COOPERATION and row.signed_on is not None:
            contract = normalise(row.contract_no)
            first.setdefault(f"no:{contract}" if contract else f"id:{row.cooperation_id}", row)
    return tuple(row for row in first.values() if row.signed_on and year in (None, row.signed_on.year))


def as_cooperation(engagement: Engagement) -> Cooperation:
    """A 对接 as a row of the 台账: counts, capacity and history then need to know only one kind of row."""
    return Cooperation(
        engagement.engagement_id,
        engagement.firm,
        engagement.institution,
        engagement.expert_id,
        engagement.need_title,
        engagement.stage,
        engagement.signed_on,
        engagement.contract_no,
        engagement.signed_wan,
        CooperationKind.COOPERATION.value,
        engagement.data_kind,
        "对接跟踪",
    )


def count_by_month(projects: Sequence[Cooperation]) -> tuple[int, ...]:
    """Signed projects by month, January first, 12 numbers."""
    months = [0] * 12
    for project in projects:
        if project.signed_on is not None:
            months[project.signed_on.month - 1] += 1
    return tuple(months)


def count_stage(projects: Iterable[Cooperation], stage: Stage) -> int:
    return sum(project.stage == stage for project in projects)


def year_share(today: date) -> float:
    """Part of the year gone at the end of ``today``, 0–1."""
    days = 366 if calendar.isleap(today.year) else 365
    return today.timetuple().tm_yday / days
