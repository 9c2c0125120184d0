"""The only place where pages write HTML.

Owns escaping: ``tag`` escapes every child and attribute that is not ``Html`` already, so record text cannot become
markup. ``md`` does the same for labels and messages that Streamlit reads as Markdown.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_VOID = frozenset({"br"})
_STYLES = Path(__file__).parent.parent / "assets" / "styles.css"


class Html(str):
    """Text that is HTML: literals of this package, or escaped."""

    __slots__ = ()


def esc(text: object) -> Html:
    """``text`` with everything escaped that HTML would read."""
    return text if isinstance(text, Html) else Html(html.escape(str(text), quote=True))


def join(parts: Iterable[str], separator: str = "") -> Html:
    """Parts one after another, each escaped unless it is HTML."""
    return Html(esc(separator).join(esc(part) for part in parts))


def tag(
    name: str,
    *children: str,
    cls: str = "",
    title: str = "",
    style: str = "",
    label: str = "",
    role: str = "",
) -> Html:
    """An element. ``label`` is what a screen reader says; empty attributes are left out."""
    given = {"class": cls, "title": title, "style": style, "aria-label": label, "role": role}
    attributes = "".join(f' {key}="{esc(value)}"' for key, value in given.items() if value)
    if name in _VOID:
        return Html(f"<{name}{attributes}>")
    return Html(f"<{name}{attributes}>{join(children)}</{name}>")


def mark(text: str, terms: Iterable[str]) -> Html:
    """``text`` with every occurrence of the terms highlighted, longest first, whatever their case."""
    wanted = sorted({term for term in terms if term.strip()}, key=lambda term: (-len(term), term))
    if not wanted:
        return esc(text)
    pattern = re.compile("(" + "|".join(re.escape(term) for term in wanted) + ")", re.IGNORECASE)
    pieces = pattern.split(text)
    return join(tag("mark", piece) if i % 2 else piece for i, piece in enumerate(pieces))


def md(text: str) -> str:
    """``text`` on one line, so that Markdown shows it as it is."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def shortened(text: str, content: Html, limit: int) -> Html:
    """``content``, cut to two lines with the rest on a click when its ``text`` has more than ``limit`` characters."""
    if len(text) <= limit:
        return content
    return tag("details", tag("summary", content), cls="m-long")


def badge(text: str, kind: str = "plain", title: str = "") -> Html:
    """A small label; ``kind`` is ``plain``, ``ring``, ``sample``, ``good``, ``quiet`` or ``limited``."""
    return tag("span", text, cls=f"m-badge m-{kind}", title=title)


def sample_badge(is_sample: bool) -> Html:
    """【示例】 when the record is illustrative, else nothing."""
    return badge("【示例】", "sample") if is_sample else Html("")


def show(content: Html) -> None:
    """Write HTML onto the page."""
    st.html(content)


def show_styles() -> None:
    """Write the style sheet; once a run."""
    st.html(_STYLES)


def set_cookie(name: str, value: str) -> None:
    """Give the browser a cookie for this site alone, or take it back when ``value`` is empty.

    The only script of the pages; it holds nothing a person typed.
    """
    age = "" if value else "; Max-Age=0"
    text = json.dumps(f"{name}={value}; Path=/; SameSite=Strict{age}")
    secure = "(location.protocol === 'https:' ? '; Secure' : '')"
    st.html(f"<script>document.cookie = {text} + {secure};</script>", unsafe_allow_javascript=True)
