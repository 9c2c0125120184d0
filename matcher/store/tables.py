"""The database's tables, as SQLAlchemy Core sees them.

Owns names, types, constraints and indexes of the newest schema; ``migrations`` brings a file there.
Columns of the six record tables are named as the dataclass fields of ``matcher.models``.
Deliberately holds no queries and nothing that only one database understands. Works have no
foreign key to experts: the order of imports is free, and ``WorkRepository.orphans`` finds what is
left over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored as naive UTC so that both databases sort and compare it alike."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class JsonText(TypeDecorator[object]):
    """Any JSON value as text; NaN and infinities are refused, Chinese stays readable."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        return None if value is None else json.loads(value)


class TextList(TypeDecorator[tuple[str, ...]]):
    """A list field of a record as a JSON array of strings."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str:
        return json.dumps(list(value or ()), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        return tuple(json.loads(value or "[]"))


def _id(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _serial(name: str) -> Column[int]:
    return Column(name, Integer, primary_key=True, autoincrement=True)


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _list(name: str) -> Column[tuple[str, ...]]:
    return Column(name, TextList, nullable=False)


def _json(name: str) -> Column[object]:
    return Column(name, JsonText, nullable=False)


def _time(name: str) -> Column[datetime]:
    return Column(name, UtcDateTime, nullable=False)


def _bookkeeping() -> list[Column[str] | Column[int] | Column[datetime]]:
    return [
        Column("content_hash", Text, nullable=False),
        Column("version", Integer, nullable=False),
        _time("created_at"),
        _time("updated_at"),
    ]


needs = Table(
    "needs",
    metadata,
    _id("need_id"),
    *_texts("company", "title", "problem", "town", "sector", "key_tech", "goal"),
    _list("keywords"),
    *_texts("solution_mode", "call_type", "intended_partner"),
    Column("budget_wan", Double),
    Column("start_on", Date),
    Column("end_on", Date),
    *_texts("confidentiality", "contact", "phone", "status"),
    Column("posted_on", Date),
    *_texts("data_kind", "source"),
    *_bookkeeping(),
    Index(None, "company"),
    Index(None, "status"),
)

experts = Table(
    "experts",
    metadata,
    _id("expert_id"),
    *_texts("name", "institution", "department", "ring", "position"),
    *(_list(name) for name in ("disciplines", "research_directions", "achievements", "keywords")),
    *_texts("industry_experience"),
    Column("capacity", Integer),
    *_texts("contact", "homepage", "data_kind", "source"),
    Column("updated_on", Date),
    *_bookkeeping(),
    Index(None, "institution"),
)

works = Table(
    "works",
    metadata,
    _id("work_id"),
    *_texts("expert_id", "kind", "title"),
    Column("year", Integer),
    *_texts("abstract", "source"),
    *_bookkeeping(),
    Index(None, "expert_id"),
)

firms = Table(
    "firms",
    metadata,
    _id("firm_id"),
    *_texts("name"),
    _list("aliases"),
    *_texts("credit_code", "town", "sector", "size"),
    Column("chain_leader", Boolean, nullable=False),
    *_texts("data_kind", "source"),
    *_bookkeeping(),
    Index(None, "name"),
)

institutions = Table(
    "institutions",
    metadata,
    _id("institution_id"),
    *_texts("name"),
    _list("aliases"),
    *_texts("city", "ring"),
    Column("travel_days", Double),
    *_texts("source"),
    *_bookkeeping(),
    Index(None, "name"),
)

cooperation = Table(
    "cooperation",
    metadata,
    _id("cooperation_id"),
    *_texts("firm", "institution", "expert_id", "title", "stage"),
    Column("signed_on", Date),
    *_texts("contract_no"),
    Column("amount_wan", Double),
    *_texts("kind", "data_kind", "source"),
    *_bookkeeping(),
    Index(None, "firm"),
    Index(None, "expert_id"),
)

changes = Table(
    "changes",
    metadata,
    _serial("revision"),
    *_texts("kind", "record_id", "op"),
    _time("at"),
    Index(None, "kind", "record_id"),
)

decisions = Table(
    "decisions",
    metadata,
    _serial("decision_id"),
    *_texts("need_id", "expert_id", "kind", "reason", "note", "run_id"),
    _time("decided_at"),
    *_texts("decided_by"),
    Index(None, "need_id", "expert_id"),
    Index(None, "expert_id"),
)

runs = Table(
    "runs",
    metadata,
    _id("run_id"),
    _time("created_at"),
    *_texts("direction", "query", "encoder", "data_revision"),
    *(_json(name) for name in ("parameters", "degraded", "matches")),
    Index(None, "created_at"),
)

shortlists = Table(
    "shortlists",
    metadata,
    _id("shortlist_id"),
    *_texts("name"),
    _time("created_at"),
    _time("updated_at"),
    *_texts("note"),
    Column("version", Integer, nullable=False),
    UniqueConstraint("name"),
)

shortlist_items = Table(
    "shortlist_items",
    metadata,
    Column(
        "shortlist_id",
        Text,
        ForeignKey(shortlists.c.shortlist_id, ondelete="CASCADE"),
        primary_key=True,
    ),
    _id("need_id"),
    _id("expert_id"),
    Column("score", Double, nullable=False),
    *_texts("run_id"),
    _time("added_at"),
    *_texts("note"),
    _json("contributions"),
    _json("evidence"),
    Index(None, "need_id", "expert_id"),
)

audit_events = Table(
    "audit_events",
    metadata,
    _serial("event_id"),
    _time("at"),
    *_texts("actor", "action", "object_kind", "object_id"),
    _json("detail"),
    Index(None, "object_kind", "object_id"),
)

column_mappings = Table(
    "column_mappings",
    metadata,
    _id("kind"),
    _id("header"),
    *_texts("column_name"),
    _time("used_at"),
)

settings = Table("settings", metadata, _id("key"), _json("value"))
