"""What matching makes of the records. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from matcher.vocab import Channel, Direction, FacetKind, LineKind


@dataclass(frozen=True, slots=True)
class Facet:
    """One indexed line of an expert. ``record_id`` is the expert's or the work's id, ``position`` its place in the field."""

    facet_id: str
    expert_id: str
    record_id: str
    kind: FacetKind
    text: str
    position: int = 0
    year: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class RequirementLine:
    """One line of a need (or of free text): what evidence is looked up for."""

    line_id: str
    record_id: str
    kind: LineKind
    text: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Bridge:
    """A thesaurus bridge: ``phrase`` stands in the need, ``term`` in the expert's facet."""

    phrase: str
    term: str
    topic: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """匹配依据: requirement line ↔ facet. ``strength`` is 0–1, comparable within one need."""

    line: RequirementLine
    facet: Facet
    strength: float
    shared_terms: tuple[str, ...] = ()
    bridges: tuple[Bridge, ...] = ()


@dataclass(frozen=True, slots=True)
class PracticalSignal:
    """One practical consideration (ring, capacity, history …). ``value`` is 0–1; never part of ``Match.score``."""

    name: str
    label: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """One need × expert with its 匹配度.

    ``score`` is 0–1, comparable within one need and no probability. ``signals`` are 0–1 per channel;
    ``contributions`` are weight × signal and sum to ``score``.
    """

    need_id: str
    expert_id: str
    rank: int
    score: float
    signals: Mapping[Channel, float]
    contributions: Mapping[Channel, float]
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[RequirementLine, ...] = ()
    practical: tuple[PracticalSignal, ...] = ()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why an expert is not listed. ``kind`` is one of 排名靠后, 筛选条件, 回避, 勿联系, 无匹配依据."""

    expert_id: str
    kind: str
    message: str
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One ranking with its parameters: enough to say later what was shown and why."""

    run_id: str
    created_at: datetime
    direction: Direction
    query: str
    encoder: str
    data_revision: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Shortlist:
    """候选合作清单: a named list of pairings."""

    shortlist_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    note: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class ShortlistItem:
    """One ticked pairing, with the score and the run it was ticked from."""

    shortlist_id: str
    need_id: str
    expert_id: str
    score: float
    run_id: str
    added_at: datetime
    note: str = ""
    contributions: Mapping[Channel, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
