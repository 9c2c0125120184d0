"""The nouns: records as they are stored, and what matching makes of them.

Everything here is a frozen dataclass without behaviour beyond trivial properties; no input/output, no third-party
import. Dates are calendar dates (``_on``), times are UTC (``_at``), money is 万元 (``_wan``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from matcher.vocab import Channel, DataKind, Direction, FacetKind, LineKind

# ---------------------------------------------------------------- records


@dataclass(frozen=True, slots=True)
class Need:
    """技术需求: one technical problem posed by a firm."""

    need_id: str
    company: str
    title: str
    problem: str
    town: str = ""
    sector: str = ""
    key_tech: str = ""
    goal: str = ""
    keywords: tuple[str, ...] = ()
    solution_mode: str = ""
    call_type: str = ""
    intended_partner: str = ""
    budget_wan: float | None = None
    start_on: date | None = None
    end_on: date | None = None
    confidentiality: str = ""
    contact: str = ""
    phone: str = ""
    status: str = ""
    posted_on: date | None = None
    data_kind: str = DataKind.OWN
    source: str = ""

    @property
    def is_sample(self) -> bool:
        return self.data_kind == DataKind.SAMPLE


@dataclass(frozen=True, slots=True)
class Expert:
    """专家（团队）: a team or a person of an institution."""

    expert_id: str
    name: str
    institution: str
    department: str = ""
    ring: str = ""
    position: str = ""
    disciplines: tuple[str, ...] = ()
    research_directions: tuple[str, ...] = ()
    achievements: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    industry_experience: str = ""
    capacity: int | None = None
    contact: str = ""
    homepage: str = ""
    data_kind: str = DataKind.OWN
    source: str = ""
    updated_on: date | None = None

    @property
    def is_sample(self) -> bool:
        return self.data_kind == DataKind.SAMPLE


@dataclass(frozen=True, slots=True)
class Work:
    """成果: a paper, patent, project or contract of an expert."""

    work_id: str
    expert_id: str
    kind: str
    title: str
    year: int | None = None
    abstract: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Firm:
    firm_id: str
    name: str
    aliases: tuple[str, ...] = ()
    credit_code: str = ""
    town: str = ""
    sector: str = ""
    size: str = ""
    chain_leader: bool = False
    data_kind: str = DataKind.OWN
    source: str = ""

    @property
    def is_sample(self) -> bool:
        return self.data_kind == DataKind.SAMPLE


@dataclass(frozen=True, slots=True)
class Institution:
    institution_id: str
    name: str
    aliases: tuple[str, ...] = ()
    city: str = ""
    ring: str = ""
    travel_days: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Cooperation:
    """One row of the 台账: past or present cooperation, a conflict, or a do-not-contact pair."""

    cooperation_id: str
    firm: str
    institution: str
    expert_id: str = ""
    title: str = ""
    stage: str = ""
    signed_on: date | None = None
    contract_no: str = ""
    amount_wan: float | None = None
    kind: str = ""
    data_kind: str = DataKind.OWN
    source: str = ""

    @property
    def is_sample(self) -> bool:
        return self.data_kind == DataKind.SAMPLE


Record = Need | Expert | Work | Firm | Institution | Cooperation

# ---------------------------------------------------------------- import


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem in one imported row.

    ``row`` is the line number as the person sees it in the file (1-based, header included); ``blocking`` says that
    the row cannot be stored as it is.
    """

    row: int
    column: str
    value: str
    message: str
    blocking: bool = True


# ---------------------------------------------------------------- matching


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
