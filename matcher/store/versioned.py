"""Rows whose every change names the version it started from.

Owns the checked update, and what the second of two writers is told. ``workday`` has the tables it is used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Generic, TypeVar
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select
from sqlalchemy import update as sql_update

from matcher.errors import ConflictError, NotFoundError
from matcher.models import Draft, Engagement, Interest
from matcher.store.entries import Clock

E = TypeVar("E", Draft, Engagement, Interest)

LABELS: Mapping[str, str] = {
    "stage": "阶段",
    "owner": "经办人",
    "next_action": "下一步",
    "due_on": "期限",
    "contract_kind": "合同类别",
    "contract_no": "技术合同登记编号",
    "signed_on": "签约日期",
    "signed_wan": "合同金额（万元）",
    "paid_wan": "到账金额（万元）",
    "landed_on": "落地日期",
    "ended_on": "终止日期",
    "end_reason": "终止原因",
    "note": "备注",
    "data_kind": "数据性质",
    "state": "状态",
    "reply": "答复",
    "approach": "技术思路",
    "foundation": "已有基础",
    "plan": "工作安排",
    "terms": "合作条件",
}
"""Chinese names of the fields a conflict may be about."""


def new_id(prefix: str) -> str:
    """A fresh id such as ``G-3f2a91c07b12``."""
    return f"{prefix}-{uuid4().hex[:12]}"


class VersionedRepository(Generic[E]):
    """Rows of one table whose changes are checked against their version."""

    cls: type[E]
    table: Table
    what: str

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._names = [item.name for item in fields(self.cls)]
        self._id = self.table.c[self._names[0]]

    def get(self, key: str) -> E | None:
        """The entry, or None."""
        row = self._connection.execute(select(self.table).where(self._id == key)).first()
        return None if row is None else self._decode(row)

    def require(self, key: str) -> E:
        """The entry. Raises NotFoundError."""
        found = self.get(key)
        if found is None:
            raise NotFoundError(f"没有编号为“{key}”的{self.what}，可能已被删除。", "请刷新列表后再试。")
        return found

    def update(self, changed: E, expected_version: int) -> E:
        """Overwrite an entry if nobody changed it since ``expected_version``.

        Returns:
            The entry as stored, with its new version.

        Raises:
            NotFoundError: it is gone.
            ConflictError: it has another version by now; says how it differs from ``changed``.
        """
        key = getattr(changed, self._names[0])
        stored = replace(changed, version=expected_version + 1)
        done = self._connection.execute(
            sql_update(self.table)
            .where(self._id == key, self.table.c.version == expected_version)
            .values(**{name: getattr(stored, name) for name in self._names[1:]})
        )
        if not done.rowcount:
            raise self.conflict(self.require(key), changed)
        return stored

    def conflict(self, current: E, wanted: E) -> ConflictError:
        """What to tell the second of two writers."""
        pairs = [
            (label, getattr(current, name), getattr(wanted, name))
            for name, label in LABELS.items()
            if hasattr(current, name)
        ]
        lines = [f"「{label}」现在是“{_shown(now)}”" for label, now, own in pairs if now != own]
        detail = f"。{'；'.join(lines)}" if lines else ""
        return ConflictError(
            f"这条{self.what}刚刚被别人改过，您的修改没有保存{detail}", "请刷新后在最新内容上再改一次。"
        )

    def _decode(self, row: Row[Any]) -> E:
        return self.cls(**{name: getattr(row, name) for name in self._names})

    def _row(self, entry: E) -> dict[str, object]:
        return {name: getattr(entry, name) for name in self._names}


def _shown(value: object) -> str:
    if value in (None, ""):
        return "（空）"
    return f"{value:g}" if isinstance(value, float) else str(value)
