"""Record text never becomes markup."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as texts_of
from streamlit.testing.v1 import AppTest

from matcher.services.bootstrap import Application
from matcher.ui.components import html as html_module
from matcher.ui.components.html import Html, esc, join, mark, md, shortened, tag

EVIL = "<script>alert(1)</script>**粗**[x](javascript:alert(1))"


class _Reader(HTMLParser):
    """Collects tags and text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(content: str) -> _Reader:
    reader = _Reader()
    reader.feed(content)
    reader.close()
    return reader


plain = texts_of.text(texts_of.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


@given(plain, plain)
def test_children_and_attributes_stay_text(child: str, title: str) -> None:
    found = read(tag("p", child, title=title))
    assert found.tags == ["p"]
    assert found.text == child


@given(plain, texts_of.lists(plain, max_size=4))
def test_highlighting_changes_no_text(text: str, terms: list[str]) -> None:
    found = read(mark(text, terms))
    assert set(found.tags) <= {"mark"}
    assert found.text == text


def test_highlights_longest_term_whatever_the_case() -> None:
    assert mark("AGV小车和agv", ["agv", "agv小车"]) == "<mark>AGV小车</mark>和<mark>agv</mark>"


def test_only_a_long_text_is_cut_and_none_of_it_is_lost() -> None:
    assert shortened("短", esc("短"), 10) == "短"
    long = "<b>" * 10
    found = read(shortened(long, mark(long, ["b"]), 10))
    assert found.tags[:2] == ["details", "summary"]
    assert found.text == long


def test_html_is_not_escaped_twice() -> None:
    assert join([tag("b", "a<b"), "c&d"], "、") == "<b>a&lt;b</b>、c&amp;d"
    assert esc(Html("<i></i>")) == "<i></i>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**粗**", r"\*\*粗\*\*"),
        ("[a](b)", r"\[a\]\(b\)"),
        ("两\n行  字", "两 行 字"),
        ("<b>", r"\<b\>"),
        ("$x$ :red[y]", r"\$x\$ \:red\[y\]"),
        ("普通文字，100%", r"普通文字，100\%"),
    ],
)
def test_markdown_is_shown_as_it_is(text: str, shown: str) -> None:
    assert md(text) == shown


@pytest.fixture
def evil(app: Application) -> Application:
    """One need and one team whose every field tries to become markup."""
    needs = f"需求编号,企业名称,技术需求名称,主要问题,数据性质\nN900,{EVIL},{EVIL},针眼{EVIL},示例\n"
    experts = f"专家编号,专家（团队）名称,所属单位,研究方向\nE900,{EVIL},{EVIL},针眼{EVIL}\n"
    for kind, table in (("needs", needs), ("experts", experts)):
        preview = app.imports.preview(kind, table.encode(), f"{kind}.csv")
        app.imports.confirm(preview)
    return app


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("needs", {"need": "N900"}),
        ("experts", {"expert": "E900"}),
        ("search", {"q": f"针眼{EVIL}"}),
        ("search", {"q": f"针眼{EVIL}", "to": "needs"}),
        ("shortlists", {}),
    ],
)
def test_pages_show_markup_in_records_as_text(
    evil: Application, open_page: Callable[..., AppTest], name: str, params: dict[str, str]
) -> None:
    made = evil.shortlists.create(EVIL)
    ranking = evil.matching.for_need("N900")
    evil.shortlists.add(made.shortlist_id, ranking, ranking.pairs[:1])
    page = open_page(name, **params)
    assert not page.exception
    assert not page.error
    blocks = [str(block.value) for block in page.get("html")]
    assert any("&lt;script&gt;" in block for block in blocks)
    assert all("<script" not in block for block in blocks)
    markdown = [*page.markdown, *page.caption, *page.expander, *page.warning, *page.info]
    spoken = [str(getattr(part, "value", "") or getattr(part, "label", "")) for part in markdown]
    assert all("<script" not in part and "**粗" not in part for part in spoken)


def test_only_one_component_writes_html() -> None:
    package = Path(html_module.__file__).parent.parent
    for path in [*package.rglob("*.py"), package.parent.parent / "app.py"]:
        source = path.read_text(encoding="utf-8")
        if path.name == "html.py":
            assert source.count("unsafe_allow") == 1, "the cookie of a session, and nothing else"
        else:
            assert "unsafe_allow" not in source, path
            assert "st.html(" not in source, path
