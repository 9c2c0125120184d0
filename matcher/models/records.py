"""Records as they are stored and imported. Rules: see the package."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matcher.vocab import DataKind


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
    firm_id: str = ""
    """Who owns the need: permissions go by it, never by the name. Not a column of the files."""

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
    institution_id: str = ""
    """Whose the profile is: permissions go by it, never by the name. Not a column of the files."""

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
