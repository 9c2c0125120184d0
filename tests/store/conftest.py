"""A SQLite database in a temporary folder, and a clock that ticks by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matcher.store.database import Database


class TickingClock:
    """One second later at every call, from 2026-03-01 08:00 UTC."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    return tmp_path / "数据 库" / "matcher.db"


@pytest.fixture
def database(database_path: Path) -> Iterator[Database]:
    with Database(f"sqlite:///{database_path}") as opened:
        yield opened
