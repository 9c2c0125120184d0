"""What the tables are made of: the metadata, three column types, and short ways to declare columns.

Owns how a time, a JSON value and a list of texts lie in a column. Holds no table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
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


def key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def serial(name: str) -> Column[int]:
    return Column(name, Integer, primary_key=True, autoincrement=True)


def texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def text_list(name: str) -> Column[tuple[str, ...]]:
    return Column(name, TextList, nullable=False)


def json_value(name: str) -> Column[object]:
    return Column(name, JsonText, nullable=False)


def moment(name: str) -> Column[datetime]:
    return Column(name, UtcDateTime, nullable=False)


def bookkeeping() -> list[Column[str] | Column[int] | Column[datetime]]:
    return [
        Column("content_hash", Text, nullable=False),
        Column("version", Integer, nullable=False),
        moment("created_at"),
        moment("updated_at"),
    ]
