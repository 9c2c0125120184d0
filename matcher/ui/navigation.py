"""Pages, their addresses, and links between them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import streamlit as st
from streamlit.navigation.page import Page

from matcher.ui.components.html import md

_ASSETS = Path(__file__).parent / "assets"
LOGO = str(_ASSETS / "logo.svg")
ICON = str(_ASSETS / "icon.svg")
"""A file, because Streamlit fetches the picture of a named icon from the internet."""
_VIEWS = "matcher/ui/views"

_PAGES = (
    ("overview", "总览", ":material/dashboard:", "今天先做什么，今年签约到了哪一步。"),
    ("needs", "按需求看", ":material/factory:", "选一条技术需求，看最合适的团队和依据。"),
    ("experts", "按专家看", ":material/school:", "选一个团队，看它能答哪些需求。"),
    ("search", "自由检索", ":material/search:", "用一句话找团队或找需求。"),
    ("shortlists", "候选清单", ":material/checklist:", "整理、备注并导出候选合作清单。"),
    ("model", "语义模型", ":material/psychology:", "看现在用的模型，或换一个。"),
    ("data", "数据", ":material/database:", "浏览、导入数据，查看系统状态。"),
)


def path_of(name: str) -> str:
    """File of a page, as Streamlit wants it: relative to ``app.py``.

    Raises:
        ValueError: unknown page.
    """
    known = [page[0] for page in _PAGES]
    if name not in known:
        raise ValueError(f"unknown page {name!r}; known: {', '.join(known)}")
    return f"{_VIEWS}/{name}.py"


def build() -> Page:
    """Declare the pages and return the one that is open."""
    return st.navigation(
        [
            st.Page(
                path_of(name),
                title=title,
                icon=icon,
                help=help_text,
                url_path=name,
                default=name == "overview",
            )
            for name, title, icon, help_text in _PAGES
        ],
        position="top",
    )


def link(name: str, label: str, params: Mapping[str, str] | None = None, *, icon: str = "") -> None:
    """A link to another page; ``label`` may hold record text."""
    st.page_link(path_of(name), label=md(label), icon=icon, help="", query_params=dict(params or {}))


def go(name: str, params: Mapping[str, str] | None = None) -> None:
    """Open another page now."""
    st.switch_page(path_of(name), query_params=dict(params or {}))


def param(name: str) -> str:
    """A parameter of the address, or an empty string."""
    return str(st.query_params.get(name, ""))


def set_param(name: str, value: str) -> None:
    """Put a parameter into the address; an empty value takes it out."""
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def present_url(chosen: Mapping[str, str] | None = None) -> str:
    """The address of the page as it is now, with what was chosen without the address saying so."""
    base = str(st.context.url or "").split("?", 1)[0]
    pairs = [(key, value) for key in st.query_params for value in st.query_params.get_all(key)]
    named = {key for key, _ in pairs}
    pairs += [(key, value) for key, value in (chosen or {}).items() if key not in named]
    return f"{base}?{urlencode(pairs, quote_via=quote)}" if pairs else base
