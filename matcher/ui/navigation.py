"""Pages, their addresses, and links between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import streamlit as st
from streamlit.navigation.page import Page

from matcher.models import Person
from matcher.ui.components.html import md
from matcher.vocab import Role
from matcher.workflow.permissions import Action, may

_ASSETS = Path(__file__).parent / "assets"
LOGO = str(_ASSETS / "logo.svg")
ICON = str(_ASSETS / "icon.svg")
"""A file, because Streamlit fetches the picture of a named icon from the internet."""
_VIEWS = "matcher/ui/views"
_HOME, _OPEN = "navigation_home", "navigation_open"


@dataclass(frozen=True, slots=True)
class Entry:
    """One page: offered to those who may do ``action``, in one of the menus ("" is the bar itself)."""

    name: str
    title: str
    icon: str
    help: str
    action: Action
    menu: str = ""
    roles: tuple[Role, ...] = tuple(Role)


_BUREAU = (Role.ADMIN, Role.OFFICIAL)
_PAGES = (
    Entry("overview", "总览", "dashboard", "今天先做什么，今年签约到了哪一步。", Action.SEE_OVERVIEW),
    Entry("post", "我的需求", "edit_note", "提出技术难题，看进展。", Action.POST_NEED, roles=(Role.FIRM,)),
    Entry("review", "审核台", "fact_check", "逐个审核系统推荐的配对。", Action.SEE_QUEUE),
    Entry("needs", "按需求看", "factory", "选一条技术需求，看最合适的团队和依据。", Action.SEE_QUEUE),
    Entry("experts", "按专家看", "school", "选一个团队，看它能答哪些需求。", Action.SEE_QUEUE),
    Entry("search", "自由检索", "search", "用一句话找团队或找需求。", Action.SEARCH),
    Entry("shortlists", "候选清单", "checklist", "整理、备注并导出候选合作清单。", Action.SEE_LISTS),
    Entry("calls", "揭榜", "campaign", "看适合的需求，提交揭榜申请。", Action.DECLARE, roles=(Role.TEAM,)),
    Entry(
        "profile", "我的资料", "badge", "维护团队资料和承接名额。", Action.EDIT_PROFILE, roles=(Role.TEAM,)
    ),
    Entry("follow", "对接跟踪", "handshake", "从推荐到签约、落地。", Action.SEE_ENGAGEMENT),
    Entry("year", "年度目标", "flag", "今年签约与目标、漏斗、导出。", Action.SEE_YEAR),
    Entry("post", "需求受理", "inbox", "受理、退回、代录技术需求。", Action.REVIEW_NEED, "收件", _BUREAU),
    Entry("calls", "揭榜申请", "campaign", "答复团队的揭榜申请。", Action.SETTLE_INTEREST, "收件", _BUREAU),
    Entry("data", "数据", "database", "浏览、导入数据，查看系统状态。", Action.SEE_DATA, "管理"),
    Entry("users", "用户", "group", "开通、停用账号，重置密码。", Action.MANAGE_ACCOUNTS, "管理"),
    Entry("model", "语义模型", "psychology", "看现在用的模型，或换一个。", Action.SEE_MODEL, "管理"),
    Entry("account", "我的账号", "person", "换密码、退出。", Action.OWN_ACCOUNT, "管理", _BUREAU),
    Entry(
        "account", "我的账号", "person", "换密码、退出。", Action.OWN_ACCOUNT, roles=(Role.FIRM, Role.TEAM)
    ),
)


def path_of(name: str) -> str:
    """File of a page, as Streamlit wants it: relative to ``app.py``.

    Raises:
        ValueError: unknown page.
    """
    known = list(dict.fromkeys(page.name for page in _PAGES))
    if name not in known:
        raise ValueError(f"unknown page {name!r}; known: {', '.join(known)}")
    return f"{_VIEWS}/{name}.py"


def pages_of(person: Person) -> tuple[Entry, ...]:
    """The pages a person is offered, in order; the first one opens."""
    return tuple(page for page in _PAGES if person.role in page.roles and may(person, page.action))


def build(person: Person | None) -> Page:
    """Declare the pages of a person and return the one that is open.

    Before somebody is signed in every address is known and no menu is shown, so that a link still leads there after.
    """
    offered = pages_of(person) if person else tuple({page.name: page for page in _PAGES}.values())
    menus: dict[str, list[Page]] = {}
    for number, page in enumerate(offered):
        declared = st.Page(
            path_of(page.name),
            title=page.title,
            icon=f":material/{page.icon}:",
            help=page.help,
            url_path=page.name,
            default=number == 0,
        )
        menus.setdefault(page.menu, []).append(declared)
    opened = st.navigation(menus, position="top" if person else "hidden")
    st.session_state[_HOME] = offered[0].name
    st.session_state[_OPEN] = opened.url_path or offered[0].name
    return opened


def offers(person: Person, name: str) -> bool:
    """Whether a person is offered the page."""
    return any(page.name == name for page in pages_of(person))


def link(name: str, label: str, params: Mapping[str, str] | None = None, *, icon: str = "") -> None:
    """A link to another page; ``label`` may hold record text.

    The page that opens first has no name in the address, and Streamlit forgets the parameters of a link from it to
    itself: there the link is a button that sets them.
    """
    given = dict(params or {})
    if name == st.session_state.get(_HOME) == st.session_state.get(_OPEN):
        key = f"{name}_link_{label}_{sorted(given.items())}"
        st.button(md(label), key=key, type="tertiary", icon=icon or None, on_click=_turn, args=(given,))
        return
    st.page_link(path_of(name), label=md(label), icon=icon, help="", query_params=dict(params or {}))


def _turn(params: Mapping[str, str]) -> None:
    st.query_params.from_dict(dict(params))


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
