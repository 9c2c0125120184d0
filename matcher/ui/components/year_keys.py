"""Every number of the year's page by the key it has in the address, with the title of the list behind it."""

from __future__ import annotations

from collections.abc import Iterator

from matcher.services.year_counts import Dashboard
from matcher.services.year_groups import Number, Share

GROUPS = {"sector": "领域", "institution": "单位", "town": "镇街", "ring": "圈层"}
"""Kinds of groups, with their Chinese word; the values of ``group_key``."""


def shares_of(board: Dashboard, kind: str) -> tuple[Share, ...]:
    """The groups of one of the kinds of ``GROUPS``."""
    return {
        "sector": board.sectors,
        "institution": board.institutions,
        "town": board.towns,
        "ring": board.rings,
    }[kind]


def group_key(kind: str, label: str, *, signed: bool) -> str:
    return f"{kind}:{'s' if signed else 'u'}:{label}"


def cell_key(sector: str, institution: str) -> str:
    return f"cell:{sector}|{institution}"


def joined(share: Share) -> Number:
    """What is signed and what is under way in a group, together."""
    ids = (*share.signed.ids, *share.under_way.ids)
    return Number(len(ids), ids, share.signed.kind)


def named(board: Dashboard) -> dict[str, tuple[str, Number]]:
    """Key → (title of the list, number)."""
    return {key: (title, number) for key, title, number in _all(board)}


def _all(board: Dashboard) -> Iterator[tuple[str, str, Number]]:
    first, last = board.total_years
    plan, year = f"{first}–{last} 年", f"{board.year} 年"
    yield "signed", f"{year}签约", board.signed
    yield "landed", f"{year}签约、已落地", board.landed
    yield "ended", f"{year}签约、后来终止", board.ended
    yield "closest", "正在洽谈", board.closest
    yield "under_way", "正在推进", board.under_way
    yield "total", f"{plan}签约", board.total
    yield "total_landed", f"{plan}签约、已落地", board.total_landed
    yield "total_ended", f"{plan}签约、后来终止", board.total_ended
    yield "undated", "没有日期的需求", board.undated
    for month, number in enumerate(board.by_month, 1):
        yield f"month:{month}", f"{year} {month} 月签约", number
    for place, step in enumerate(board.funnel):
        yield f"funnel:{place}", f"{year}的需求：{step.label}", step.number
    for kind, word in GROUPS.items():
        for share in shares_of(board, kind):
            yield (
                group_key(kind, share.label, signed=True),
                f"{year}签约，{word}：{share.label}",
                share.signed,
            )
            yield (
                group_key(kind, share.label, signed=False),
                f"正在推进，{word}：{share.label}",
                share.under_way,
            )
    for (sector, institution), share in board.cells.items():
        yield cell_key(sector, institution), f"{sector} × {institution}：{year}签约和正在推进", joined(share)
    for days in board.stage_days:
        yield f"days:{days.stage}", f"{year}走完“{days.stage}”阶段", days.number
    for reason, number in board.end_reasons:
        yield f"end:{reason}", f"{year}终止：{reason}", number
    for reason, number in board.reject_reasons:
        yield f"reject:{reason}", f"{year}审核为不合适：{reason}", number
