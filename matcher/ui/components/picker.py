"""Choose one record from a list. The choice lives in the address; the list only mirrors it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from matcher.ui import navigation
from matcher.ui.components.html import md

MAX_LISTED = 200
T = TypeVar("T")


def pick(
    page: str,
    param: str,
    records: Sequence[T],
    *,
    id_of: Callable[[T], str],
    title_of: Callable[[T], str],
    caption_of: Callable[[T], str],
    unit: str,
) -> str:
    """Show the list and return the chosen id; without a choice the first record's, without records an empty one.

    An id from the address is returned even when the list, being filtered, does not hold it.

    Args:
        page: prefix of the widget keys.
        param: parameter of the address that holds the id.
        records: the filtered list.
        id_of, title_of, caption_of: id, first and second line of a record.
        unit: measure word and noun of the count, such as ``条需求``.
    """
    listed = {id_of(record): record for record in records[:MAX_LISTED]}
    chosen = navigation.param(param) or next(iter(listed), "")
    more = f"，列出前 {MAX_LISTED} 个，请用筛选缩小范围" if len(records) > MAX_LISTED else ""
    st.caption(f"共 {len(records)} {unit}{more}")
    key = f"{page}_choice"
    if not listed:
        return chosen
    st.session_state[key] = chosen if chosen in listed else None

    def follow() -> None:
        navigation.set_param(param, str(st.session_state[key] or ""))

    with st.container(key=f"{page}_list"):
        st.radio(
            unit,
            list(listed),
            index=None,
            key=key,
            format_func=lambda record_id: md(title_of(listed[record_id])),
            captions=[md(caption_of(record)) for record in listed.values()],
            label_visibility="collapsed",
            on_change=follow,
        )
    return chosen
