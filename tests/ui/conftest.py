"""The pages over a real application on a small copy of the sample data, without an embedding model."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from matcher.config import ROOT, EncoderSettings, Settings
from matcher.services.bootstrap import Application, open_application
from matcher.ui import resources

NEEDS = {"N001", *(f"N{n}" for n in range(101, 109)), "N112"}
EXPERTS = {f"E{n}" for n in range(101, 113)}
_KEPT = {
    "needs": lambda row: row["need_id"] in NEEDS,
    "experts": lambda row: row["expert_id"] in EXPERTS,
    "works": lambda row: row["expert_id"] in EXPERTS,
    "firms": lambda row: row["firm_id"] < "F120",
    "institutions": lambda row: True,
    "cooperation": lambda row: row["expert_id"] in EXPERTS or not row["expert_id"],
}


def _settings(home: Path, data: Path) -> Settings:
    return Settings(home, f"sqlite:///{home / 'matcher.db'}", data, EncoderSettings("none"))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data`` and a ``home`` that has been opened and indexed once."""
    folder = tmp_path_factory.mktemp("ui")
    data, home = folder / "data", folder / "home"
    (data / "thesaurus").mkdir(parents=True)
    home.mkdir()
    shutil.copy(ROOT / "data" / "thesaurus" / "auto.jsonl", data / "thesaurus")
    for kind, keep in _KEPT.items():
        with (ROOT / "data" / f"{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [row for row in reader if keep(row)]
            fields = list(reader.fieldnames or ())
        with (data / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows(rows)
    with open_application(_settings(home, data)) as app:
        app.matching.for_need("N101")
    return folder


@pytest.fixture
def app(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """The application the pages of this test talk to."""
    home = tmp_path / "home"
    shutil.copytree(prepared / "home", home)
    settings = _settings(home, prepared / "data")
    monkeypatch.setattr(resources, "load_settings", lambda: settings)
    st.cache_resource.clear()
    with open_application(settings) as opened:
        opened.entrance.start_demo()
        monkeypatch.setattr(resources, "open_application", lambda _: opened)
        yield opened
    st.cache_resource.clear()


OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(app: Application) -> OpenPage:
    """``open_page(name, **query_params)`` → the page after its first run."""

    def opened(name: str, **params: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
        if name != "overview":
            page.switch_page(f"matcher/ui/views/{name}.py")
        for key, value in params.items():
            page.query_params[key] = value
        return page.run()

    return opened


@pytest.fixture
def html_of() -> Callable[[AppTest], str]:
    """All HTML of a page."""
    return lambda page: "\n".join(str(block.value) for block in page.get("html"))


@pytest.fixture
def cards_of() -> Callable[[AppTest], list[str]]:
    """The HTML of the match cards, in their order."""
    return lambda page: [str(b.value) for b in page.get("html") if 'class="m-rank"' in str(b.value)]
