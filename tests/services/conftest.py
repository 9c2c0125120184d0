"""One application over the shipped sample data, built once and copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from matcher.config import EncoderSettings, Settings
from matcher.services.bootstrap import Application, open_application

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


def settings_for(home: Path, encoder: str = "none") -> Settings:
    return Settings(
        home=home, database_url=f"sqlite:///{home / 'matcher.db'}", encoder=EncoderSettings(name=encoder)
    )


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("sample-home")
    with open_application(settings_for(home), lambda: NOW) as app:
        app.engine.snapshot()
    return home


@pytest.fixture
def home(sample_home: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(sample_home, copy)
    return copy


@pytest.fixture
def app(home: Path) -> Iterator[Application]:
    with open_application(settings_for(home), lambda: NOW) as application:
        yield application


@pytest.fixture
def empty_app(tmp_path: Path) -> Iterator[Application]:
    with open_application(settings_for(tmp_path / "empty"), lambda: NOW, samples=False) as application:
        yield application


@pytest.fixture
def reopen(home: Path) -> Iterator[Callable[[], Application]]:
    """Open the same home again, as another process would."""
    opened: list[Application] = []

    def open_again() -> Application:
        opened.append(open_application(settings_for(home), lambda: NOW))
        return opened[-1]

    yield open_again
    for application in opened:
        application.close()
