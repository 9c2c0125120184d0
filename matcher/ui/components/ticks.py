"""Tick pairings into a 候选合作清单: which list is current, and one box for each pairing."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from matcher.services.rankings import BEIJING, RankedPair, Ranking
from matcher.ui import guard, resources
from matcher.ui.resources import ACTOR

CURRENT = "ticks_current"
"""Session value: id of the list that ticks go to, on every page."""
_STARTED = "ticks_started"


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
    with st.popover("新建清单", icon=":material/add:", key=f"{page}_new"):
        st.text_input("清单名称", key=f"{page}_new_name", placeholder="例如：11月汽车机电对接会")
        st.button("建立", key=f"{page}_new_create", type="primary", on_click=_create, args=(page,))
    return str(st.session_state[CURRENT])


def _create(page: str) -> None:
    with guard.calm_action("create shortlist"):
        name = str(st.session_state[f"{page}_new_name"])
        made = resources.application().shortlists.create(name, ACTOR)
        st.session_state[CURRENT] = made.shortlist_id
        st.session_state[f"{page}_new_name"] = ""
        guard.say_done(f"已建立清单“{made.name}”。")


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
            made = shortlists.create(_first_name(ranking.run.created_at), ACTOR)
            list_id = st.session_state[CURRENT] = made.shortlist_id
            st.session_state[_STARTED] = True
        st.session_state[key] = not wanted  # stays so when the change is refused
        if wanted:
            shortlists.add(list_id, ranking, [pair], ACTOR)
        else:
            shortlists.remove(list_id, [(pair.match.need_id, pair.match.expert_id)], ACTOR)
        st.session_state[key] = wanted
        guard.say_done("已加入候选清单。" if wanted else "已从候选清单移除。")


def _first_name(now: datetime) -> str:
    return f"候选合作清单 {now + BEIJING:%Y-%m-%d}"
