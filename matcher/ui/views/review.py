"""审核台: go through the suggested pairings and decide on each, one by one or many at once."""

from __future__ import annotations

import streamlit as st

from matcher.ranking.eligibility import NeedFilter
from matcher.services.records import Options
from matcher.ui import guard, navigation, resources
from matcher.ui.components import layout, review_bulk, review_desk, review_past, review_tray
from matcher.ui.components.html import md
from matcher.ui.components.records import need_title
from matcher.ui.components.review_tray import PAGE, Tray

DESK, BULK, SHELVED, DECIDED, BY_HAND = "逐个审核", "批量审核", "搁置", "已决定", "手工配对"
TABS = (DESK, BULK, SHELVED, DECIDED, BY_HAND)


def _several(label: str, options: tuple[str, ...], key: str) -> frozenset[str]:
    chosen = st.multiselect(
        label, options, key=f"{PAGE}_{key}", placeholder="全部", bind="query-params", select_all=False
    )
    return frozenset(str(value) for value in chosen)


def _filter(options: Options) -> NeedFilter:
    """What part of the needs to look at; the menu's name says when it is not all of them."""
    narrowed = any(st.session_state.get(f"{PAGE}_{key}") for key in ("sector", "town", "type"))
    label = "筛选（已选）" if narrowed else "筛选"
    with st.popover(label, icon=":material/filter_list:", key=f"{PAGE}_filters"):
        sectors = _several("领域", options.sectors, "sector")
        towns = _several("镇街", options.towns, "town")
        call_types = _several("类型", options.call_types, "type")
    return NeedFilter(sectors=sectors, towns=towns, call_types=call_types)


def _held(wanted: NeedFilter, need_id: str) -> Tray:
    if need_id:
        title = need_title(resources.application().records.need(need_id))
        layout.removable_note(md(f"只看需求“{title}”。"), "need", f"{PAGE}_all_needs")
    return review_tray.tray(wanted, need_id)


layout.heading(
    "审核台", "系统为每条已发布的需求推荐几个团队：接受就开始对接；搁置（以后再看）或不合适，请选原因。"
)
with guard.calm("review"):
    narrowing = NeedFilter()
    with st.container(horizontal=True, vertical_alignment="center"):
        tab = st.segmented_control(
            "看什么",
            TABS,
            default=DESK,
            required=True,
            key=f"{PAGE}_tab",
            label_visibility="collapsed",
            bind="query-params",
        )
        if tab in (DESK, BULK):
            narrowing = _filter(resources.application().records.options())
    chosen = navigation.param("need")
    if tab == DESK:
        review_desk.desk(_held(narrowing, chosen))
    elif tab == BULK:
        review_bulk.bulk(_held(narrowing, chosen))
    elif tab == SHELVED:
        review_past.shelved()
    elif tab == DECIDED:
        review_past.decided()
    else:
        review_past.by_hand(chosen)
