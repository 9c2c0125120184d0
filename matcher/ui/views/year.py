"""年度目标: where the year stands, every number with its list, and the 候选合作清单 as a file."""

from __future__ import annotations

import streamlit as st

from matcher.services.reminders import day_of
from matcher.services.year_counts import Dashboard
from matcher.ui import guard, navigation, resources
from matcher.ui.components import layout, year_board, year_list
from matcher.ui.components.candidate_export import candidate_export
from matcher.ui.components.html import show, tag
from matcher.ui.components.year_board import PAGE, SHOW
from matcher.ui.components.year_keys import named

_YEAR = "year"


def _pick_year() -> int:
    years = resources.application().year.years()
    asked = navigation.param(_YEAR)
    wanted = next((year for year in years if str(year) == asked), None)
    key = f"{PAGE}_year"
    st.session_state[key] = wanted or day_of(resources.application().clock()).year
    st.selectbox(
        "年度",
        years,
        key=key,
        width=160,
        format_func=lambda year: f"{year} 年",
        on_change=lambda: navigation.set_param(_YEAR, str(st.session_state[key])),
    )
    return int(st.session_state[key])


def _board(board: Dashboard) -> None:
    year_board.big_numbers(board)
    left, right = st.columns(2, gap="large")
    with left:
        year_board.months(board)
    with right:
        year_board.funnel(board)
    year_board.matrix(board)
    left, right = st.columns(2, gap="large")
    with left:
        for kind in ("sector", "ring", "town"):
            year_board.groups(board, kind)
    with right:
        year_board.groups(board, "institution")
        year_board.stage_days(board)
        year_board.reasons(board)


layout.heading("年度目标", "签约到了哪一步，差在哪里；点任何一个数字看名单。")
with guard.calm("year"):
    with st.container(horizontal=True, vertical_alignment="bottom"):
        year = _pick_year()
        layout.link_menu(PAGE)
    shown = resources.application().year.dashboard(year)
    wanted = named(shown).get(navigation.param(SHOW))
    if wanted is not None:
        year_list.behind(*wanted)
    else:
        show(tag("div", year_board.sentence(shown), cls="m-lead"))
        _board(shown)
        with guard.calm("candidates"), st.container(border=True, key=f"{PAGE}_candidates"):
            candidate_export(year)
