"""Every page opens, says what it is for, and fails calmly."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from matcher.config import ROOT
from matcher.errors import NotFoundError
from matcher.services.bootstrap import Application
from matcher.ui import texts

HtmlOf = Callable[[AppTest], str]
PAGES = {
    "overview": "总览",
    "needs": "按需求看",
    "experts": "按专家看",
    "search": "自由检索",
    "shortlists": "候选清单",
    "model": "语义模型",
    "data": "数据",
}


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_without_error(open_page: Callable[..., AppTest], name: str, html_of: HtmlOf) -> None:
    page = open_page(name)
    assert not page.exception
    assert not page.error
    assert f"<h1>{PAGES[name]}</h1>" in html_of(page)


@pytest.mark.parametrize("tab", ["browse", "import", "system"])
def test_each_part_of_data_opens(open_page: Callable[..., AppTest], tab: str) -> None:
    page = open_page("data", tab=tab)
    assert not page.exception
    assert not page.error


def test_refused_request_is_shown_with_its_hint(open_page: Callable[..., AppTest]) -> None:
    page = open_page("needs", need="N999")
    assert not page.exception
    assert "没有编号为“N999”的需求" in page.error[0].value
    assert page.radio(key="needs_choice").options  # the list still serves


def test_unexpected_failure_is_calm_and_logged(
    open_page: Callable[..., AppTest],
    app: Application,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(type(app.overview), "summary", broken)
    with caplog.at_level(logging.ERROR):
        page = open_page("overview")
    assert not page.exception
    assert texts.UNEXPECTED in page.error[0].value
    assert "disk on fire" not in page.error[0].value
    assert "disk on fire" in caplog.text


def test_refused_action_is_shown_after_the_click(
    open_page: Callable[..., AppTest], app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotFoundError("这里出了*点*事。", "请重来。")

    monkeypatch.setattr(type(app.shortlists), "create", refuse)
    page = open_page("shortlists")
    page.text_input(key="shortlists_new_name").set_value("清单")
    page.button(key="shortlists_new_create").click().run()
    assert page.error[0].value == "这里出了\\*点\\*事。  \n请重来。"


def test_every_widget_key_has_its_page(open_page: Callable[..., AppTest]) -> None:
    for name in PAGES:
        page = open_page(name)
        kinds = (page.button, page.checkbox, page.selectbox, page.multiselect, page.text_input, page.toggle)
        keys = [widget.key for kind in kinds for widget in kind]
        assert all(key and key.startswith((f"{name}_", "bar_")) for key in keys), name


def test_page_is_run_again_once_the_model_is_there(
    open_page: Callable[..., AppTest], app: Application, monkeypatch: pytest.MonkeyPatch, html_of: HtmlOf
) -> None:
    ready = app.engine.status()
    loading = replace(ready, state="loading", message="语义模型正在加载。", progress=("编码", 3, 9))
    monkeypatch.setattr(app.engine, "status", lambda: loading)
    page = open_page("overview")
    assert "编码 3/9" in html_of(page)
    monkeypatch.setattr(app.engine, "status", lambda: replace(ready, state="ready", message="已就绪。"))
    page.run()
    assert page.session_state["engine_busy"] is False
    assert "已就绪。" in html_of(page)
    assert not page.exception


@pytest.fixture
def emptied(app: Application, monkeypatch: pytest.MonkeyPatch) -> Application:
    """A system without needs and teams."""
    app.records.drop_samples()
    for name in ("needs", "experts"):
        monkeypatch.setattr(type(app.records), name, lambda *_, **__: ())
    return app


@pytest.mark.parametrize(
    ("name", "params", "kind"),
    [
        ("needs", {}, "needs"),
        ("experts", {}, "experts"),
        ("search", {"q": "针眼"}, "experts"),
        ("search", {"to": "needs"}, "needs"),
        ("shortlists", {}, "needs"),
        ("data", {"kind": "works"}, "works"),
    ],
)
def test_an_empty_system_says_what_to_import(
    emptied: Application, open_page: Callable[..., AppTest], name: str, params: dict[str, str], kind: str
) -> None:
    page = open_page(name, **params)
    assert not page.exception
    assert not page.error
    assert page.info
    links = [link.proto for link in page.get("page_link")]
    assert any(f"kind={kind}" in link.query_string and "tab=import" in link.query_string for link in links)
    assert not any("从 0 个" in one.value for one in page.caption)


def test_tables_have_no_export_of_their_own() -> None:
    with (ROOT / ".streamlit" / "config.toml").open("rb") as file:
        assert tomllib.load(file)["client"]["disableDataExport"] is True
