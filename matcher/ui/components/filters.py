"""Filter widgets; each keeps its value in the address, so a filtered page can be linked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from matcher.models import Expert
from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.ranking.practical import FRESH_DAYS
from matcher.services.rankings import BEIJING
from matcher.services.records import Options

TOPS = (10, 20, 50)


def _several(label: str, options: Sequence[str], key: str) -> frozenset[str]:
    chosen = st.multiselect(
        label, options, key=key, placeholder="全部", bind="query-params", select_all=False
    )
    return frozenset(str(value) for value in chosen)


def expert_filter(options: Options, page: str) -> ExpertFilter:
    """Ring, institution, discipline and capacity."""
    first, second, third = st.columns(3)
    with first:
        rings = _several("圈层", options.rings, f"{page}_ring")
    with second:
        institutions = _several("单位", options.institutions, f"{page}_institution")
    with third:
        disciplines = _several("学科", options.disciplines, f"{page}_discipline")
    capacity = st.toggle("只看还有承接名额的", key=f"{page}_capacity", bind="query-params")
    return ExpertFilter(rings, institutions, disciplines, capacity)


def need_filter(options: Options, page: str) -> NeedFilter:
    """Sector, town, status and type."""
    first, second = st.columns(2)
    with first:
        sectors = _several("领域", options.sectors, f"{page}_sector")
        statuses = _several("状态", options.statuses, f"{page}_status")
    with second:
        towns = _several("镇街", options.towns, f"{page}_town")
        call_types = _several("类型", options.call_types, f"{page}_type")
    return NeedFilter(sectors, towns, statuses, call_types)


def stale(experts: Sequence[Expert]) -> tuple[Expert, ...]:
    """Experts whose profile was not updated for a year, as the to-do of the first page counts them."""
    today = (datetime.now(UTC) + BEIJING).date()
    return tuple(e for e in experts if e.updated_on is not None and (today - e.updated_on).days > FRESH_DAYS)


def top_choice(page: str) -> int:
    """How many results to show."""
    chosen = st.selectbox("显示数量", TOPS, index=1, key=f"{page}_top", bind="query-params")
    return int(chosen or TOPS[1])
