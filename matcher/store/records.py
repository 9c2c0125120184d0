"""Repositories of the six record kinds.

Owns reading, bulk import, checked updates and deletion of records, and the change log and the earlier versions written
with them. Deliberately opens no transaction and checks no permission. The number of statements grows
with the number of 500-row batches, never with single rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, insert, or_, select
from sqlalchemy import update as sql_update

from matcher.errors import ConflictError, NotFoundError
from matcher.models import Work
from matcher.store.codec import WORKS, R, RecordSpec
from matcher.store.entries import Clock, PastRecord, UpsertResult
from matcher.store.tables import changes, experts
from matcher.store.workday_tables import record_history
from matcher.vocab import DataKind

T = TypeVar("T")
BATCH = 500
"""Ids in one IN list: below SQLite's oldest limit of 999 bound values."""
SAMPLE_WORK_KIND = "示例成果"
"""Works have no data kind; illustrative ones are of this kind."""


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of at most ``size`` items, in order."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


class RecordRepository(Generic[R]):
    """Records of one kind, inside the caller's transaction."""

    def __init__(self, connection: Connection, spec: RecordSpec[R], clock: Clock) -> None:
        self._connection = connection
        self._spec = spec
        self._clock = clock
        self._table = spec.table
        self._id = spec.table.c[spec.id_name]
        self._columns = [spec.table.c[name] for name in spec.names]

    def get(self, record_id: str) -> R | None:
        """The record, or None."""
        return self.get_many([record_id]).get(record_id)

    def get_many(self, ids: Iterable[str]) -> dict[str, R]:
        """Those of the records that exist, by id, in the order asked for."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, R] = {}
        for batch in batches(wanted):
            for record in self._select(self._id.in_(batch)):
                found[self._spec.id_of(record)] = record
        return {record_id: found[record_id] for record_id in wanted if record_id in found}

    def all(self) -> tuple[R, ...]:
        """Every record, ordered by id (code points, alike on every database)."""
        return tuple(sorted(self._select(), key=self._spec.id_of))

    def ids(self) -> tuple[str, ...]:
        """Every id, ordered as ``all``."""
        return tuple(sorted(self._connection.execute(select(self._id)).scalars()))

    def count(self) -> int:
        return self._connection.execute(select(func.count()).select_from(self._table)).scalar_one()

    def version(self, record_id: str) -> int:
        """The stored version, from 1; it never returns to a value it had, even after deletion.

        Raises:
            NotFoundError: no such record.
        """
        return self._state(record_id)[1]

    def versions(self, ids: Collection[str]) -> dict[str, int]:
        """The stored version of those that exist, in the order given."""
        return {key: version for key, (_, version) in self._states(ids).items()}

    def upsert(self, records: Iterable[R]) -> UpsertResult:
        """Insert what is new, overwrite what differs, leave the rest untouched.

        Each inserted or changed record adds one line to the change log.

        Raises:
            ValueError: a blank id, a number that is not finite, or one id with two contents;
                nothing is written.
        """
        result, by_id, versions = self._sort_out(records)
        digests = {key: self._spec.content_hash(record) for key, record in by_id.items()}
        self._insert([by_id[key] for key in result.new], digests)
        bumped = {key: versions[key] + 1 for key in result.changed}
        self._overwrite([by_id[key] for key in result.changed], digests, bumped)
        return result

    def compare(self, records: Iterable[R]) -> UpsertResult:
        """What ``upsert`` would do, without writing. Raises ValueError as ``upsert`` does."""
        return self._sort_out(records)[0]

    def _sort_out(self, records: Iterable[R]) -> tuple[UpsertResult, dict[str, R], dict[str, int]]:
        """Records by what would happen to them, by id, and the stored versions."""
        by_id: dict[str, R] = {}
        for record in records:
            record_id = self._spec.id_of(record)
            if by_id.setdefault(record_id, record) != record:
                raise ValueError(f"two different records of {self._spec.kind} named {record_id!r}")
        stored = self._states(by_id)
        new = tuple(key for key in by_id if key not in stored)
        known = [
            (key, stored[key][0] == self._spec.content_hash(by_id[key])) for key in by_id if key in stored
        ]
        changed = tuple(key for key, equal in known if not equal)
        same = tuple(key for key, equal in known if equal)
        return UpsertResult(new, changed, same), by_id, {key: state[1] for key, state in stored.items()}

    def update(self, record: R, expected_version: int, *, base: R | None = None) -> int:
        """Overwrite one record if nobody changed it since the caller read it.

        Args:
            record: the new content.
            expected_version: the version the caller started from.
            base: what the caller started from; with it a conflict names what the other person
                changed, without it what differs from the caller's content.

        Returns:
            The new version; ``expected_version`` when nothing differs and nothing was written.

        Raises:
            NotFoundError: the record does not exist (any more).
            ConflictError: it has another version by now; lists the fields, old → new.
        """
        record_id = self._spec.id_of(record)
        digest = self._spec.content_hash(record)
        stored_digest, version = self._state(record_id)
        if version != expected_version:
            raise self._conflict(record, base)
        if digest == stored_digest:
            return version
        self._overwrite([record], {record_id: digest}, {record_id: version + 1})
        return version + 1

    def history(self, record_id: str) -> tuple[PastRecord[R], ...]:
        """What the record was before each of its changes, the latest first."""
        cells = record_history.c
        query = select(cells.version, cells.content, cells.replaced_at).order_by(cells.history_id.desc())
        rows = self._connection.execute(query.where(self._past_of([record_id])))
        return tuple(PastRecord(version, self._spec.from_json(content), at) for version, content, at in rows)

    def delete(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Remove records and what they were before; ids that do not exist are passed over.

        Returns:
            The ids that were there, in the order given.
        """
        present = tuple(self._states(dict.fromkeys(ids)))
        for batch in batches(present):
            self._connection.execute(delete(self._table).where(self._id.in_(batch)))
            self._connection.execute(delete(record_history).where(self._past_of(batch)))
        self._log(present, "delete")
        return present

    def _past_of(self, ids: Sequence[str]) -> ColumnElement[bool]:
        return and_(record_history.c.kind == self._spec.kind.value, record_history.c.record_id.in_(ids))

    def delete_where_sample(self) -> tuple[str, ...]:
        """Remove every 示例 record, and return their ids; kinds that cannot be illustrative lose nothing."""
        condition = self._is_sample()
        if condition is None:
            return ()
        return self.delete(sorted(self._connection.scalars(select(self._id).where(condition))))

    def _is_sample(self) -> ColumnElement[bool] | None:
        kind = self._table.c.get("data_kind")
        return None if kind is None else kind == DataKind.SAMPLE.value

    def _select(self, *conditions: ColumnElement[bool]) -> list[R]:
        rows = self._connection.execute(select(*self._columns).where(*conditions))
        return [self._spec.decode(row) for row in rows]

    def _states(self, ids: Collection[str]) -> dict[str, tuple[str, int]]:
        """(content hash, version) of those that exist, in the order given."""
        found: dict[str, tuple[str, int]] = {}
        columns = (self._id, self._table.c.content_hash, self._table.c.version)
        for batch in batches(ids):
            for key, digest, version in self._connection.execute(select(*columns).where(self._id.in_(batch))):
                found[key] = (digest, version)
        return {key: found[key] for key in ids if key in found}

    def _state(self, record_id: str) -> tuple[str, int]:
        state = self._states([record_id]).get(record_id)
        if state is None:
            raise NotFoundError(
                f"{self._spec.kind.label}“{record_id}”不存在，可能已被删除", "请刷新列表后再试"
            )
        return state

    def _insert(self, records: Sequence[R], digests: Mapping[str, str]) -> None:
        now = self._clock()
        keys = [self._spec.id_of(record) for record in records]
        logged = self._logged(keys)
        rows = [
            self._spec.encode(record)
            | {"content_hash": digests[key], "version": logged.get(key, 0) + 1}
            | {"created_at": now, "updated_at": now}
            for key, record in zip(keys, records, strict=True)
        ]
        self._many(insert(self._table), rows)
        self._log(keys, "insert")

    def _overwrite(
        self, records: Sequence[R], digests: Mapping[str, str], versions: Mapping[str, int]
    ) -> None:
        now = self._clock()
        keys = [self._spec.id_of(record) for record in records]
        self._keep_history(keys, versions)
        rows = [
            {name: value for name, value in self._spec.encode(record).items() if name != self._id.name}
            | {"content_hash": digests[key], "version": versions[key], "updated_at": now}
            | {"_key": key}
            for key, record in zip(keys, records, strict=True)
        ]
        self._many(sql_update(self._table).where(self._id == bindparam("_key")), rows)
        self._log(keys, "update")

    def _keep_history(self, keys: Sequence[str], versions: Mapping[str, int]) -> None:
        """Copy the present content of records that are about to change; ``versions`` are those to come."""
        now, kind = self._clock(), self._spec.kind.value
        rows = [
            {"kind": kind, "record_id": key, "version": versions[key] - 1, "replaced_at": now}
            | {"content": self._spec.to_json(record)}
            for key, record in self.get_many(keys).items()
        ]
        self._many(insert(record_history), rows)

    def _logged(self, keys: Sequence[str]) -> dict[str, int]:
        """Changes ever logged by id: the highest version a deleted record can have had."""
        counts: dict[str, int] = {}
        for batch in batches(keys):
            query = select(changes.c.record_id, func.count()).where(
                changes.c.kind == self._spec.kind.value, changes.c.record_id.in_(batch)
            )
            for key, n in self._connection.execute(query.group_by(changes.c.record_id)):
                counts[key] = n
        return counts

    def _log(self, keys: Sequence[str], op: str) -> None:
        now = self._clock()
        kind = self._spec.kind.value
        rows = [{"kind": kind, "record_id": key, "op": op, "at": now} for key in keys]
        self._many(insert(changes), rows)

    def _many(self, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
        for batch in batches(rows):
            self._connection.execute(statement, batch)

    def _conflict(self, record: R, base: R | None) -> ConflictError:
        record_id = self._spec.id_of(record)
        current = self.get_many([record_id])[record_id]
        lines = self._spec.differences(base or current, current if base else record)
        lead = "对方的改动" if base else "库中内容与您填写的不同"
        detail = f"。{lead}：{'；'.join(lines)}" if lines else ""
        return ConflictError(
            f"{self._spec.kind.label}“{record_id}”刚刚被别人改过，您的修改没有保存{detail}",
            "请刷新后在最新内容上再改一次",
        )


class WorkRepository(RecordRepository[Work]):
    """成果, and their tie to experts."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        super().__init__(connection, WORKS, clock)

    def by_expert(self, expert_ids: Iterable[str]) -> dict[str, tuple[Work, ...]]:
        """Works of each expert asked for, ordered by work id; () for an expert without any."""
        found: dict[str, list[Work]] = {expert_id: [] for expert_id in expert_ids}
        for batch in batches(found):
            for work in self._select(self._table.c.expert_id.in_(batch)):
                found[work.expert_id].append(work)
        return {key: tuple(sorted(items, key=self._spec.id_of)) for key, items in found.items()}

    def orphans(self) -> dict[str, str]:
        """Works whose expert is not stored: work id → the missing expert's id, ordered."""
        query = select(self._id, self._table.c.expert_id).where(
            self._table.c.expert_id.not_in(select(experts.c.expert_id))
        )
        return dict(sorted((work_id, expert_id) for work_id, expert_id in self._connection.execute(query)))

    def _is_sample(self) -> ColumnElement[bool]:
        sample_experts = select(experts.c.expert_id).where(experts.c.data_kind == DataKind.SAMPLE.value)
        return or_(self._table.c.kind == SAMPLE_WORK_KIND, self._table.c.expert_id.in_(sample_experts))
