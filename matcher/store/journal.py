"""Runs, review decisions, the audit log, remembered column mappings and settings.

Owns what is mostly written once and read newest first. Deliberately judges nothing: which reasons
a decision may have and who may read the audit log is decided by services.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from matcher.errors import ConflictError
from matcher.models import Run
from matcher.store.codec import decode_match, encode_match
from matcher.store.entries import AuditEvent, Clock, Decision
from matcher.store.records import batches
from matcher.store.tables import audit_events, column_mappings, decisions, runs, settings
from matcher.vocab import DecisionKind, Direction


class RunRepository:
    """Saved rankings. A run never changes once saved."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, run: Run) -> None:
        """Store a run with its matches.

        ``parameters`` must be JSON values with text keys; tuples come back as lists.

        Raises:
            ConflictError: a run with that id is stored already.
        """
        if self.get(run.run_id) is not None:
            raise ConflictError(f"运行编号“{run.run_id}”已经存在", "请重新运行一次匹配")
        self._connection.execute(
            insert(runs).values(
                run_id=run.run_id,
                created_at=run.created_at,
                direction=run.direction.value,
                query=run.query,
                encoder=run.encoder,
                data_revision=run.data_revision,
                parameters=dict(run.parameters),
                degraded=list(run.degraded),
                matches=[encode_match(match) for match in run.matches],
            )
        )

    def get(self, run_id: str) -> Run | None:
        """The run with its matches, or None."""
        row = self._connection.execute(select(runs).where(runs.c.run_id == run_id)).first()
        return None if row is None else _run(row)

    def get_many(self, run_ids: Collection[str]) -> dict[str, Run]:
        """Runs with their matches by id; unknown ids are left out."""
        found = (
            row
            for batch in batches(dict.fromkeys(run_ids))
            for row in self._connection.execute(select(runs).where(runs.c.run_id.in_(batch)))
        )
        return {row.run_id: _run(row) for row in found}

    def latest(self, limit: int) -> tuple[Run, ...]:
        """The most recent runs with their matches, newest first; ties by id."""
        order = (runs.c.created_at.desc(), runs.c.run_id)
        rows = self._connection.execute(select(runs).order_by(*order).limit(limit))
        return tuple(_run(row) for row in rows)


class DecisionRepository:
    """审核意见; every decision is kept, the latest one of a pairing counts."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def put(
        self,
        need_id: str,
        expert_id: str,
        kind: DecisionKind,
        *,
        reason: str = "",
        note: str = "",
        run_id: str = "",
        decided_by: str,
    ) -> Decision:
        """Record a decision as made now."""
        made = Decision(
            need_id,
            expert_id,
            DecisionKind(kind).value,
            reason,
            note,
            run_id,
            self._clock(),
            decided_by,
        )
        done = self._connection.execute(
            insert(decisions).values(
                need_id=need_id,
                expert_id=expert_id,
                kind=made.kind,
                reason=reason,
                note=note,
                run_id=run_id,
                decided_at=made.decided_at,
                decided_by=decided_by,
            )
        )
        (decision_id,) = done.inserted_primary_key or (0,)
        return replace(made, decision_id=decision_id)

    def latest_by_pair(self, need_ids: Collection[str] | None = None) -> dict[tuple[str, str], Decision]:
        """The decision that counts, by (need_id, expert_id); of all needs when None."""
        cells = decisions.c
        newest = select(func.max(cells.decision_id)).group_by(cells.need_id, cells.expert_id)
        query = select(decisions)
        if need_ids is None:
            queries = [query.where(cells.decision_id.in_(newest))]
        else:
            queries = [
                query.where(cells.decision_id.in_(newest.where(cells.need_id.in_(batch))))
                for batch in batches(dict.fromkeys(need_ids))
            ]
        found = [_decision(row) for each in queries for row in self._connection.execute(each)]
        return {
            (item.need_id, item.expert_id): item
            for item in sorted(found, key=lambda item: (item.need_id, item.expert_id))
        }


class AuditRepository:
    """The audit log: lines are added, never changed."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def add(
        self,
        actor: str,
        action: str,
        object_kind: str,
        object_id: str,
        detail: Mapping[str, object] | None = None,
    ) -> AuditEvent:
        """Record that ``actor`` did ``action`` now; ``detail`` holds JSON values."""
        at, kept = self._clock(), dict(detail or {})
        done = self._connection.execute(
            insert(audit_events).values(
                at=at,
                actor=actor,
                action=action,
                object_kind=object_kind,
                object_id=object_id,
                detail=kept,
            )
        )
        (event_id,) = done.inserted_primary_key or (0,)
        return AuditEvent(event_id, at, actor, action, object_kind, object_id, kept)

    def latest(self, limit: int) -> tuple[AuditEvent, ...]:
        """The most recent events, newest first."""
        query = select(audit_events).order_by(audit_events.c.event_id.desc()).limit(limit)
        return tuple(_event(row) for row in self._connection.execute(query))

    def of(self, object_kind: str, object_id: str | None = None) -> tuple[AuditEvent, ...]:
        """Events of one object, or of all objects of a kind, oldest first."""
        cells = audit_events.c
        query = select(audit_events).where(cells.object_kind == object_kind)
        if object_id is not None:
            query = query.where(cells.object_id == object_id)
        return tuple(_event(row) for row in self._connection.execute(query.order_by(cells.event_id)))

    def of_many(self, object_kind: str, ids: Collection[str], action: str) -> tuple[AuditEvent, ...]:
        """Events of one action on any of the objects, oldest first."""
        cells = audit_events.c
        found: list[AuditEvent] = []
        for batch in batches(dict.fromkeys(ids)):
            query = select(audit_events).where(
                cells.object_kind == object_kind, cells.object_id.in_(batch), cells.action == action
            )
            found += [_event(row) for row in self._connection.execute(query)]
        return tuple(sorted(found, key=lambda event: event.event_id))


class MappingRepository:
    """Which column a header of an imported file was taken for."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def remember(self, kind: str, mapping: Mapping[str, str]) -> None:
        """Keep header → column for a record kind; a header met before is overwritten."""
        cells = column_mappings.c
        now = self._clock()
        for batch in batches(mapping.items()):
            headers = [header for header, _ in batch]
            self._connection.execute(
                delete(column_mappings).where(cells.kind == kind, cells.header.in_(headers))
            )
            self._connection.execute(
                insert(column_mappings),
                [
                    {"kind": kind, "header": header, "column_name": column, "used_at": now}
                    for header, column in batch
                ],
            )

    def recall(self, kind: str) -> dict[str, str]:
        """Every remembered header → column of a record kind, ordered by header."""
        cells = column_mappings.c
        query = select(cells.header, cells.column_name).where(cells.kind == kind)
        return dict(sorted((h, column) for h, column in self._connection.execute(query)))


class SettingRepository:
    """Settings changed while the program runs: key → JSON value."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str, default: object = None) -> object:
        """The stored value, or ``default``."""
        query = select(settings.c.value).where(settings.c.key == key)
        row = self._connection.execute(query).first()
        return default if row is None else row.value

    def put(self, key: str, value: object) -> None:
        """Store a JSON value under the key, in place of an older one."""
        self._connection.execute(delete(settings).where(settings.c.key == key))
        self._connection.execute(insert(settings).values(key=key, value=value))


def _run(row: Row[Any]) -> Run:
    return Run(
        run_id=row.run_id,
        created_at=row.created_at,
        direction=Direction(row.direction),
        query=row.query,
        encoder=row.encoder,
        data_revision=row.data_revision,
        parameters=row.parameters,
        degraded=tuple(row.degraded),
        matches=tuple(decode_match(match) for match in row.matches),
    )


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        row.need_id,
        row.expert_id,
        row.kind,
        row.reason,
        row.note,
        row.run_id,
        row.decided_at,
        row.decided_by,
        row.decision_id,
    )


def _event(row: Row[Any]) -> AuditEvent:
    return AuditEvent(row.event_id, row.at, row.actor, row.action, row.object_kind, row.object_id, row.detail)
