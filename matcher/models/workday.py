"""People, and what moves during a working day. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from matcher.vocab import DataKind, Role


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, as far as permissions go.

    A firm's account carries ``firm_id``; a team's carries ``institution_id`` and, unless it is the institution's own
    office, the ``expert_id`` of its profile.
    """

    login: str
    name: str
    role: Role
    firm_id: str = ""
    institution_id: str = ""
    expert_id: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A local account without its password hash. ``locked_until`` is UTC; ``must_change`` forces a new password."""

    person: Person
    must_change: bool
    disabled: bool
    locked_until: datetime | None
    created_at: datetime
    signed_in_at: datetime | None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Engagement:
    """对接: one accepted pairing on its way to a contract.

    ``stage`` is a ``Stage``; ``owner`` the login of the official who follows it. ``firm``, ``institution``,
    ``need_title`` and ``expert_name`` are as they were when it began, so that it survives its records.
    """

    engagement_id: str
    need_id: str
    expert_id: str
    firm_id: str
    institution_id: str
    firm: str
    institution: str
    need_title: str
    expert_name: str
    stage: str
    owner: str
    created_at: datetime
    stage_since: datetime
    touched_at: datetime
    next_action: str = ""
    due_on: date | None = None
    contract_kind: str = ""
    contract_no: str = ""
    signed_on: date | None = None
    signed_wan: float | None = None
    paid_wan: float | None = None
    landed_on: date | None = None
    ended_on: date | None = None
    end_reason: str = ""
    note: str = ""
    run_id: str = ""
    data_kind: str = DataKind.OWN
    version: int = 1

    @property
    def is_sample(self) -> bool:
        return self.data_kind == DataKind.SAMPLE


@dataclass(frozen=True, slots=True)
class Interest:
    """揭榜: a team's one-page answer to a published need. ``state`` is an ``InterestState``."""

    interest_id: str
    need_id: str
    expert_id: str
    institution_id: str
    approach: str
    foundation: str
    plan: str
    terms: str
    state: str
    sent_by: str
    sent_at: datetime
    updated_at: datetime
    reply: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsent form of a need: ``content`` holds texts by canonical column, as typed.

    ``need_id`` names the stored need it changes, or is empty for a new one.
    """

    draft_id: str
    need_id: str
    firm_id: str
    author: str
    content: Mapping[str, str]
    updated_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file kept with an engagement; ``size`` in bytes, ``sha256`` in hex."""

    attachment_id: str
    engagement_id: str
    name: str
    size: int
    sha256: str
    uploaded_by: str
    uploaded_at: datetime
