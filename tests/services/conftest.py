"""One application over the shipped sample data, built once and copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from matcher.config import ROOT, EncoderSettings, Settings
from matcher.services.bootstrap import Application, open_application
from matcher.store.repositories import Repositories

SMALL = {"N301", "N302", "N303", "N304", *(f"E{n}" for n in (*range(101, 106), *range(330, 345)))}
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


@pytest.fixture(scope="session")
def small_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a few records and one thesaurus file, where a whole index is made in a moment."""
    folder = tmp_path_factory.mktemp("small")
    shutil.copytree(sample_home, folder / "home")
    (folder / "data" / "thesaurus").mkdir(parents=True)
    some = min((ROOT / "data" / "thesaurus").glob("*.jsonl"))
    shutil.copy(some, folder / "data" / "thesaurus")
    with open_application(small_settings(folder), lambda: NOW) as app, app.database.session() as session:
        stored = Repositories(session)
        stored.experts.delete([i for i in stored.experts.ids() if i not in SMALL])
        stored.needs.delete([i for i in stored.needs.ids() if i not in SMALL])
    return folder


def small_settings(folder: Path) -> Settings:
    return replace(settings_for(folder / "home"), data=folder / "data")


@pytest.fixture
def small_app(small_home: Path, tmp_path: Path) -> Iterator[Application]:
    """An application over ``small_home``, without a model."""
    folder = tmp_path / "small"
    shutil.copytree(small_home, folder)
    with open_application(small_settings(folder), lambda: NOW) as application:
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
