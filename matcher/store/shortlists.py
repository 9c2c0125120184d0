"""候选合作清单: named lists of pairings.

Owns the lists and their items. Deliberately keeps need and expert as plain ids: a list survives
the deletion of what it points to, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, select
from sqlalchemy import update as sql_update

from matcher.errors import ConflictError, InputError, NotFoundError
from matcher.models import Shortlist, ShortlistItem
from matcher.store.codec import decode_channels, encode_channels
from matcher.store.entries import AddResult, Clock, ShortlistSummary
from matcher.store.tables import shortlist_items, shortlists

Pair = tuple[str, str]
"""(need_id, expert_id)"""


def _new_id() -> str:
    return f"S-{uuid4().hex[:12]}"


class ShortlistRepository:
    """Shortlists, inside the caller's transaction."""

    def __init__(self, connection: Connection, clock: Clock, new_id: Callable[[], str] = _new_id) -> None:
        self._connection = connection
        self._clock = clock
        self._new_id = new_id

    def create(self, name: str, note: str = "") -> Shortlist:
        """Start an empty list; spaces around the name are dropped.

        Raises:
            InputError: the name is blank.
            ConflictError: another list has the name.
        """
        name = self._free_name(name)
        now = self._clock()
        made = Shortlist(self._new_id(), name, now, now, note)
        self._connection.execute(
            insert(shortlists).values(
                shortlist_id=made.shortlist_id,
                name=name,
                created_at=now,
                updated_at=now,
                note=note,
                version=made.version,
            )
        )
        return made

    def all(self) -> tuple[ShortlistSummary, ...]:
        """Every list with its size, the most recently touched first."""
        items = shortlist_items.c
        query = (
            select(shortlists, func.count(items.need_id))
            .outerjoin(shortlist_items, items.shortlist_id == shortlists.c.shortlist_id)
            .group_by(*shortlists.c)
            .order_by(shortlists.c.updated_at.desc(), shortlists.c.name)
        )
        return tuple(ShortlistSummary(_shortlist(row), row[-1]) for row in self._connection.execute(query))

    def get(self, shortlist_id: str) -> Shortlist | None:
        """The list, or None."""
        query = select(shortlists).where(shortlists.c.shortlist_id == shortlist_id)
        row = self._connection.execute(query).first()
        return None if row is None else _shortlist(row)

    def update(
        self,
        shortlist_id: str,
        expected_version: int,
        *,
        name: str | None = None,
        note: str | None = None,
    ) -> Shortlist:
        """Rename a list or change its note; None leaves the part as it is.

        Raises:
            NotFoundError: no such list.
            InputError: the new name is blank.
            ConflictError: somebody changed it meanwhile, or another list has the name.
        """
        stored = self._existing(shortlist_id)
        if stored.version != expected_version:
            raise ConflictError(
                f"清单刚刚被别人改过，您的修改没有保存。现在的名称是“{stored.name}”，"
                f"备注是“{stored.note or '（空）'}”",
                "请刷新后再改一次",
            )
        name = stored.name if name is None else self._free_name(name, shortlist_id)
        note = stored.note if note is None else note
        if (name, note) == (stored.name, stored.note):
            return stored
        now, version = self._clock(), stored.version + 1
        self._connection.execute(
            sql_update(shortlists)
            .where(shortlists.c.shortlist_id == shortlist_id)
            .values(name=name, note=note, updated_at=now, version=version)
        )
        return Shortlist(shortlist_id, name, stored.created_at, now, note, version)

    def delete(self, shortlist_id: str) -> None:
        """Remove a list with its items.

        Raises:
            NotFoundError: no such list.
        """
        self._existing(shortlist_id)
        self._connection.execute(delete(shortlists).where(shortlists.c.shortlist_id == shortlist_id))

    def items(self, shortlist_id: str) -> tuple[ShortlistItem, ...]:
        """Pairings by need id, then score from high to low, then expert id.

        Raises:
            NotFoundError: no such list.
        """
        self._existing(shortlist_id)
        query = select(shortlist_items).where(shortlist_items.c.shortlist_id == shortlist_id)
        found = [_item(row) for row in self._connection.execute(query)]
        return tuple(sorted(found, key=lambda item: (item.need_id, -item.score, item.expert_id)))

    def pairs(self) -> dict[str, frozenset[Pair]]:
        """(need id, expert id) of every pairing by list id, in one query; empty lists are left out."""
        items = shortlist_items.c
        query = select(items.shortlist_id, items.need_id, items.expert_id)
        grouped: dict[str, set[Pair]] = {}
        for shortlist_id, need_id, expert_id in self._connection.execute(query):
            grouped.setdefault(shortlist_id, set()).add((need_id, expert_id))
        return {shortlist_id: frozenset(found) for shortlist_id, found in grouped.items()}

    def add_items(self, shortlist_id: str, items: Iterable[ShortlistItem]) -> AddResult:
        """Add pairings; one that is on the list already stays as it is, note included.

        Raises:
            NotFoundError: no such list.
            ValueError: an item belongs to another list.
        """
        self._existing(shortlist_id)
        present = self._pairs(shortlist_id)
        added: dict[Pair, ShortlistItem] = {}
        kept: dict[Pair, None] = {}
        for item in items:
            if item.shortlist_id != shortlist_id:
                raise ValueError(f"the item belongs to {item.shortlist_id!r}, not {shortlist_id!r}")
            pair = (item.need_id, item.expert_id)
            if pair in present or pair in added:
                kept[pair] = None
            else:
                added[pair] = item
        if added:
            self._connection.execute(insert(shortlist_items), [_item_row(item) for item in added.values()])
            self._touch(shortlist_id)
        return AddResult(tuple(added), tuple(kept))

    def remove_items(self, shortlist_id: str, pairs: Iterable[Pair]) -> tuple[Pair, ...]:
        """Take pairings off the list; those not on it are passed over.

        Returns:
            The pairs that were there, in the order given.

        Raises:
            NotFoundError: no such list.
        """
        self._existing(shortlist_id)
        present = self._pairs(shortlist_id)
        removed = tuple(pair for pair in dict.fromkeys(pairs) if pair in present)
        if removed:
            self._connection.execute(
                delete(shortlist_items).where(*_bound_pair(shortlist_id)),
                [{"_need": need_id, "_expert": expert_id} for need_id, expert_id in removed],
            )
            self._touch(shortlist_id)
        return removed

    def set_note(self, shortlist_id: str, need_id: str, expert_id: str, note: str) -> None:
        """Replace the note of one pairing.

        Raises:
            NotFoundError: no such list, or the pairing is not on it.
        """
        self._existing(shortlist_id)
        done = self._connection.execute(
            sql_update(shortlist_items).where(*_bound_pair(shortlist_id)).values(note=note),
            {"_need": need_id, "_expert": expert_id},
        )
        if not done.rowcount:
            raise NotFoundError("这一对不在清单里，可能已被移出", "请刷新清单后再试")
        self._touch(shortlist_id)

    def _free_name(self, name: str, own_id: str = "") -> str:
        name = name.strip()
        if not name:
            raise InputError("清单名称不能为空", "请给清单起一个名字")
        query = select(shortlists.c.shortlist_id).where(
            shortlists.c.name == name, shortlists.c.shortlist_id != own_id
        )
        if self._connection.execute(query).first() is not None:
            raise ConflictError(f"已有名为“{name}”的清单", "请换一个名称，或打开已有的清单")
        return name

    def _existing(self, shortlist_id: str) -> Shortlist:
        found = self.get(shortlist_id)
        if found is None:
            raise NotFoundError("这份清单不存在，可能已被删除", "请回到清单列表刷新后再试")
        return found

    def _pairs(self, shortlist_id: str) -> set[Pair]:
        items = shortlist_items.c
        query = select(items.need_id, items.expert_id).where(items.shortlist_id == shortlist_id)
        return {(need_id, expert_id) for need_id, expert_id in self._connection.execute(query)}

    def _touch(self, shortlist_id: str) -> None:
        # The version stays: ticking a pairing must not disturb somebody who renames the list.
        self._connection.execute(
            sql_update(shortlists)
            .where(shortlists.c.shortlist_id == shortlist_id)
            .values(updated_at=self._clock())
        )


def _bound_pair(shortlist_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        shortlist_items.c.shortlist_id == shortlist_id,
        shortlist_items.c.need_id == bindparam("_need"),
        shortlist_items.c.expert_id == bindparam("_expert"),
    )


def _shortlist(row: Row[Any]) -> Shortlist:
    return Shortlist(row.shortlist_id, row.name, row.created_at, row.updated_at, row.note, row.version)


def _item_row(item: ShortlistItem) -> dict[str, object]:
    return {
        "shortlist_id": item.shortlist_id,
        "need_id": item.need_id,
        "expert_id": item.expert_id,
        "score": item.score,
        "run_id": item.run_id,
        "added_at": item.added_at,
        "note": item.note,
        "contributions": encode_channels(item.contributions),
        "evidence": list(item.evidence),
    }


def _item(row: Row[Any]) -> ShortlistItem:
    return ShortlistItem(
        shortlist_id=row.shortlist_id,
        need_id=row.need_id,
        expert_id=row.expert_id,
        score=row.score,
        run_id=row.run_id,
        added_at=row.added_at,
        note=row.note,
        contributions=decode_channels(row.contributions),
        evidence=tuple(row.evidence),
    )
