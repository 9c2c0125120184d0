"""What a file holds, whatever its format.

Owns the format-free ``Document`` of ``Sheet``s of ``Column``s, and the plain rows a pairing is
exported from. Deliberately decides no wording of a layout (``layouts``) and writes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from matcher.vocab import Channel

Cell = str | float | int | date | None
ColumnKind = Literal["text", "number", "percent", "date", "int"]
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``width`` is in characters; ``decimals`` None shows a number as it is."""

    label: str
    width: int = 14
    kind: ColumnKind = "text"
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; ``notes`` stand under the title; only the first ``n_printed`` columns are printed, all when 0.

    Raises:
        ValueError: a row has another length than ``columns``, or a number is not finite.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    n_printed: int = 0

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} cells, not {len(self.columns)}")
            if any(isinstance(cell, float) and not math.isfinite(cell) for cell in row):
                raise ValueError(f"row {number} holds a number that is not finite")


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Which ranking a file comes from; ``filters`` in Chinese words, ``created_at`` in UTC."""

    run_id: str
    created_at: datetime
    encoder: str
    data_revision: str
    filters: str = ""
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One requirement line ↔ facet; ``bridges`` are written like “磨得快 → 摩擦学”."""

    line_label: str
    line_text: str
    facet_kind: str
    facet_text: str
    source_id: str
    shared: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    source: str = ""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class PairRow:
    """One need × expert as it is exported.

    ``rank`` is the 序号 in the file. ``run_id`` and ``run_at`` are set where a file joins pairings
    of several runs. ``problem`` is the need's 主要问题 as the reader may see it; ``contact`` and
    ``phone`` are the firm's, ``expert_contact`` the team's, filled only when an official ticked it.
    ``score`` is 0–1 and comparable within one need; ``contributions`` sum to it, or are empty when
    they were not kept.

    Raises:
        ValueError: ``score`` outside 0–1, or contributions that are negative or do not sum to it.
    """

    rank: int
    need_id: str
    need_title: str
    company: str
    town: str
    sector: str
    expert_id: str
    expert_name: str
    institution: str
    ring: str
    score: float
    contributions: Mapping[Channel, float] = field(default_factory=dict)
    evidence: tuple[EvidenceRow, ...] = ()
    gaps: tuple[str, ...] = ()
    practical: tuple[str, ...] = ()
    decision: str = ""
    note: str = ""
    is_sample_need: bool = False
    is_sample_expert: bool = False
    run_id: str = ""
    decision_reason: str = ""
    status: str = ""
    owner: str = ""
    confidentiality: str = ""
    run_at: date | None = None
    contact: str = ""
    phone: str = ""
    expert_contact: str = ""
    problem: str = ""

    def __post_init__(self) -> None:
        parts = self.contributions.values()
        if not 0 <= self.score <= 1 + SUM_TOLERANCE or any(not part >= 0 for part in parts):
            raise ValueError(f"score {self.score} or a contribution is outside 0–1")
        if parts and abs(sum(parts) - self.score) > SUM_TOLERANCE:
            raise ValueError(f"contributions sum to {sum(parts)}, not to the score {self.score}")


@dataclass(frozen=True, slots=True)
class PairGroup:
    """The pairings of one 领域, 镇街, 高校 or 企业, in the order shown."""

    name: str
    pairs: tuple[PairRow, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """How a 候选合作清单 is cut into groups.

    ``by`` is the Chinese word for what a group is. ``omitted`` are sentences on what the file leaves
    out. Pairings carry contacts only when ``with_contacts``.
    """

    by: str
    groups: tuple[PairGroup, ...]
    bureau: str = ""
    note: str = ""
    omitted: tuple[str, ...] = ()
    with_contacts: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file.

    ``pairs`` and ``run`` are set when its sheets show pairings, ``grouping`` when those stand in
    groups: then the first sheet counts them and one sheet for each group follows, in the same
    order. ``flat`` is the table of a format that holds only one; None takes the first sheet.
    ``made_at`` (UTC) is for files that come from no run.
    """

    title: str
    subtitle_lines: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    pairs: tuple[PairRow, ...] = ()
    run: RunInfo | None = None
    grouping: Grouping | None = None
    flat: Sheet | None = None
    made_at: datetime | None = None

    @property
    def stamp(self) -> datetime:
        """The time written into a file's properties; fixed where none is known, so that the same
        document is the same bytes."""
        return self.made_at or (self.run.created_at if self.run else datetime(2026, 1, 1, tzinfo=UTC))


def plain_number(number: float) -> str:
    """A number in full, without exponent and without ``.0``."""
    if isinstance(number, int) or number.is_integer():
        return str(int(number))
    return format(Decimal(repr(number)), "f")


def shown_score(score: float) -> float:
    """匹配度 as every page and file shows it: ×100 with one decimal."""
    return round(score * 1000) / 10


def shown_contributions(pair: PairRow) -> dict[Channel, float]:
    """Contributions ×100 with one decimal that sum exactly to the shown 匹配度.

    Every part is rounded down to a tenth; the tenths still missing go to the largest remainders
    (largest-remainder method), ties to the channel named first in ``Channel``.
    """
    channels = [channel for channel in Channel if channel in pair.contributions]
    exact = {channel: pair.contributions[channel] * 1000 for channel in channels}
    tenths = {channel: math.floor(exact[channel]) for channel in channels}
    missing = round(pair.score * 1000) - sum(tenths.values())
    by_remainder = sorted(channels, key=lambda channel: tenths[channel] - exact[channel])
    for channel in by_remainder[: max(missing, 0)]:
        tenths[channel] += 1
    return {channel: tenths[channel] / 10 for channel in channels}
