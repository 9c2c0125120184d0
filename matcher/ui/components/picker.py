"""Choose one record from a list. The choice lives in the address; the list only mirrors it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import streamlit as st

from matcher.ui import navigation
from matcher.ui.components.html import md, show, tag

MAX_LISTED = 200
T = TypeVar("T")


def _open_key(page: str) -> str:
    return f"{page}_side_open"


@contextmanager
def side(page: str, param: str, another: str) -> Iterator[None]:
    """The column of the list. On a phone it is folded once something is chosen.

    Everything is always drawn and the style sheet folds it, since the width of the screen is not known here.

    Args:
        page: prefix of the keys.
        param: parameter of the address that holds the choice.
        another: label of the button that opens the list again.
    """
    key = _open_key(page)
    folded = bool(navigation.param(param)) and not st.session_state.get(key, False)
    with st.container(key=f"{page}_side"):
        show(tag("span", "", cls="m-folded" if folded else "m-unfolded"))
        st.button(
            another,
            key=f"{page}_another",
            icon=":material/swap_horiz:",
            on_click=lambda: st.session_state.update({key: True}),
        )
        with st.container(key=f"{page}_pick"):
            yield


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
    key = f"{page}_choice"
    if not listed:
        return chosen
    st.caption(f"共 {len(records)} {unit}{more}")
    st.session_state[key] = chosen if chosen in listed else None

    def follow() -> None:
        navigation.set_param(param, str(st.session_state[key] or ""))
        st.session_state[_open_key(page)] = False

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
