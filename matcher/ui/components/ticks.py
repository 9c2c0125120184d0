"""Tick pairings into a 候选合作清单: which list is current, and one box for each pairing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from matcher.services.rankings import BEIJING, RankedPair, Ranking
from matcher.ui import guard, resources, texts
from matcher.ui.components.html import md

CURRENT = "ticks_current"
"""Session value: id of the list that ticks go to, on every page."""
_STARTED = "ticks_started"
_MADE, _N_MADE = "ticks_made", "ticks_n_made"


def current_list(page: str) -> str:
    """Choose or create the list ticks go to; returns its id, empty when there is none yet."""
    shortlists = resources.application().shortlists
    names = {summary.shortlist.shortlist_id: summary.shortlist.name for summary in shortlists.list()}
    if st.session_state.get(CURRENT) not in names:
        st.session_state[CURRENT] = next(iter(names), "")
    key = f"{page}_shortlist"
    st.session_state[key] = st.session_state[CURRENT] or None
    if names:
        st.selectbox(
            "加入到清单",
            list(names),
            key=key,
            format_func=lambda list_id: names.get(list_id, ""),
            on_change=lambda: st.session_state.update({CURRENT: st.session_state[key]}),
        )
    new_list(page)
    return str(st.session_state[CURRENT])


def new_list(page: str, on_made: Callable[[str], None] | None = None) -> None:
    """A menu with one field that starts a list and makes it the current one; Enter is enough.

    ``on_made`` gets the id of the list.
    """
    made = st.session_state.get(_N_MADE, 0)
    # A list made changes the key, and the menu comes back closed.
    with (
        st.container(key=f"{page}_new", width="content"),
        st.popover("新建清单", icon=":material/add:", key=f"{page}_new_menu_{made}"),
        st.form(f"{page}_new_form", border=False),
    ):
        st.text_input("清单名称", key=f"{page}_new_name", placeholder="例如：11月汽车机电对接会")
        st.form_submit_button(
            "建立", key=f"{page}_new_create", type="primary", on_click=_create, args=(page, on_made)
        )


def _create(page: str, on_made: Callable[[str], None] | None) -> None:
    with guard.calm_action("create shortlist"):
        name = str(st.session_state[f"{page}_new_name"])
        made = resources.application().shortlists.create(name)
        st.session_state[CURRENT] = made.shortlist_id
        st.session_state[f"{page}_new_name"] = ""
        st.session_state[_N_MADE] = st.session_state.get(_N_MADE, 0) + 1
        st.session_state[_MADE] = made.name
        if on_made:
            on_made(made.shortlist_id)


def show_made() -> None:
    """Say once that a list was made, on a line of its own."""
    name = st.session_state.pop(_MADE, "")
    # The container is always there, so that what follows keeps its place and is not drawn anew.
    with st.container():
        if name:
            st.success(md(f"“{name}”{texts.LIST_MADE}"), icon=":material/check_circle:")


def _key(page: str, pair: RankedPair) -> str:
    return f"{page}_tick_{pair.match.need_id}_{pair.match.expert_id}"


def mirror(page: str, ranking: Ranking, ticked: frozenset[tuple[str, str]]) -> None:
    """Set the boxes of a page to what the list holds, before they are shown."""
    for pair in ranking.pairs:
        st.session_state[_key(page, pair)] = (pair.match.need_id, pair.match.expert_id) in ticked


def tick_box(page: str, ranking: Ranking, pair: RankedPair) -> None:
    """The box of one pairing; a first tick without any list starts one, and the page then shows it."""
    if st.session_state.pop(_STARTED, False):
        st.rerun(scope="app")
    key = _key(page, pair)
    st.checkbox("加入候选清单", key=key, on_change=_changed, args=(key, ranking, pair))


def _changed(key: str, ranking: Ranking, pair: RankedPair) -> None:
    with guard.calm_action("tick"):
        shortlists = resources.application().shortlists
        wanted = bool(st.session_state[key])
        list_id = str(st.session_state.get(CURRENT, ""))
        if wanted and not list_id:
            made = shortlists.create(_first_name(ranking.run.created_at))
            list_id = st.session_state[CURRENT] = made.shortlist_id
            st.session_state[_STARTED] = True
        st.session_state[key] = not wanted  # stays so when the change is refused
        if wanted:
            shortlists.add(list_id, ranking, [pair])
        else:
            shortlists.remove(list_id, [(pair.match.need_id, pair.match.expert_id)])
        st.session_state[key] = wanted
        guard.say_done("已加入候选清单。" if wanted else "已从候选清单移除。")


def _first_name(now: datetime) -> str:
    return f"候选合作清单 {now + BEIJING:%Y-%m-%d}"
