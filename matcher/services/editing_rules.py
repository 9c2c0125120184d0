"""Edited records beside what is stored, inside the caller's transaction.

Owns the table of a kind, the words for what is not there, ids of new records, and the history of a record told in
sentences. Deliberately checks no permission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from matcher.columns import RecordKind
from matcher.errors import InputError
from matcher.intake.identity import bare, derive_id, identity_key
from matcher.models import Firm, Institution, Record
from matcher.services.access import missing_expert, missing_need
from matcher.services.accounts import BUREAU
from matcher.services.editing_forms import changed_fields
from matcher.store import codec
from matcher.store.repositories import Repositories
from matcher.store.versioned import new_id

_PREFIX = {"experts": "E", "works": "W", "firms": "F", "institutions": "I", "cooperation": "C"}
SPECS: Mapping[str, Any] = {
    spec.kind.value: spec
    for spec in (
        codec.NEEDS,
        codec.EXPERTS,
        codec.WORKS,
        codec.FIRMS,
        codec.INSTITUTIONS,
        codec.COOPERATION,
    )
}
_NEAR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class PastChange:
    """One change of a record. ``at`` is UTC; ``who`` is empty where nobody was noted (an import); ``lines`` say
    “「标题」甲 → 乙”.
    """

    at: datetime
    who: str
    lines: tuple[str, ...]


def past_changes(
    stored: Repositories, kind: str, record_id: str, present: Record, *, bureau: bool
) -> tuple[PastChange, ...]:
    """What was changed in a record, the latest first; outside the bureau its officials are told as 科技局."""
    events = [e for e in stored.audit.of(kind, record_id) if e.action.startswith("record.")]
    if kind == RecordKind.NEEDS:
        events += [e for e in stored.audit.of("need", record_id) if e.action == "need.edit"]
        events.sort(key=lambda event: event.event_id)
    people = {one.person.login: one.person for one in stored.accounts.all()}
    changes, after = [], present
    for one in table_of(stored, kind).history(record_id):
        altered = sorted(changed_fields(one.record, after))
        # An event is written in the transaction of its change, within moments of it.
        event = next(
            (
                e
                for e in reversed(events)
                if _listed(e.detail.get("fields")) == altered and abs(e.at - one.replaced_at) < _NEAR
            ),
            None,
        )
        who = ""
        if event is not None:
            events.remove(event)
            person = people.get(event.actor)
            official = person is not None and person.role in BUREAU and not bureau
            who = "科技局" if official else (person.name if person else event.actor)
        lines = SPECS[kind].differences(one.record, after)
        if lines:
            changes.append(PastChange(one.replaced_at, who, lines))
        after = one.record
    return tuple(changes)


def _listed(value: object) -> list[str]:
    return sorted(map(str, value)) if isinstance(value, list | tuple) else []


def with_id(record: Record, record_id: str) -> Record:
    """The record under an id."""
    changed: dict[str, Any] = {fields(record)[0].name: record_id}
    return replace(record, **changed)


def table_of(stored: Repositories, kind: str) -> Any:
    return getattr(stored, str(RecordKind(kind).value))


def id_of(record: Record) -> str:
    return str(getattr(record, fields(record)[0].name))


def missing(kind: str, record_id: str) -> tuple[str, str]:
    if kind == RecordKind.NEEDS:
        return missing_need(record_id)
    if kind == RecordKind.EXPERTS:
        return missing_expert(record_id)
    return f"没有编号为“{record_id}”的{RecordKind(kind).label}，可能已被删除。", "请刷新列表后再试。"


def as_of(stored: Repositories, kind: str, present: Record, record_id: str, version: int) -> Record:
    """The record as it was at a version; as it is now when nobody knows."""
    table = table_of(stored, kind)
    if table.version(record_id) == version:
        return present
    return next((p.record for p in table.history(record_id) if p.version == version), present)


def with_old_name(made: Record, before: Record) -> Record:
    """A firm or institution that is renamed goes by its old name too: the 台账 knows it by that."""
    if isinstance(made, Firm | Institution) and isinstance(before, Firm | Institution):
        known = set(map(bare, (made.name, *made.aliases)))
        if bare(before.name) not in known:
            return replace(made, aliases=(*made.aliases, before.name))
    return made


def fresh_id(stored: Repositories, kind: str, made: Record) -> str:
    """An id for a new record. Raises InputError when one of the same name is stored already."""
    values = {item.name: getattr(made, item.name) for item in fields(made)}
    key = identity_key(kind, values)
    for other in table_of(stored, kind).all():
        if identity_key(kind, {item.name: getattr(other, item.name) for item in fields(other)}) == key:
            raise InputError(
                f"这条{RecordKind(kind).label}已经有了（{id_of(other)}）。", "请直接修改原来那一条。"
            )
    derived = derive_id(kind, values)
    return new_id(_PREFIX[kind]) if table_of(stored, kind).get(derived) is not None else derived
