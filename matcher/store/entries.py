"""What the store hands out besides the records of ``matcher.models``.

Owns small frozen values: the outcome of an import, a line of the change log, a review decision, an
audit event, a shortlist with its size. Deliberately without behaviour and without SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

from matcher.models import Shortlist

R = TypeVar("R")
Clock = Callable[[], datetime]
"""Gives the present time, with a time zone."""


def utc_now() -> datetime:
    """The system's time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """Ids by what happened to them, each in the order given."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    same: tuple[str, ...] = ()


class Change(NamedTuple):
    """One line of the change log. ``op`` is insert, update or delete."""

    revision: int
    kind: str
    record_id: str
    op: str


@dataclass(frozen=True, slots=True)
class PastRecord(Generic[R]):
    """What a record was as ``version``, until it was replaced."""

    version: int
    record: R
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """审核意见 on one pairing; ``kind`` is a ``DecisionKind``'s value, the latest one counts."""

    need_id: str
    expert_id: str
    kind: str
    reason: str
    note: str
    run_id: str
    decided_at: datetime
    decided_by: str
    decision_id: int = 0


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to which object, when."""

    event_id: int
    at: datetime
    actor: str
    action: str
    object_kind: str
    object_id: str
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShortlistSummary:
    """A shortlist and how many pairings it holds."""

    shortlist: Shortlist
    n_items: int


@dataclass(frozen=True, slots=True)
class AddResult:
    """(need_id, expert_id) pairs that were added, and those that stood there already."""

    added: tuple[tuple[str, str], ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
