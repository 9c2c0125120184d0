"""Which column of a file means what: one drop-down a column, the doubtful ones first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from matcher.services.importing import ImportPreview
from matcher.ui.components.html import md

_CHOSEN, _FRONT = "data_mapping", "data_mapping_front"
_LEFT_OUT = "（不导入）"


def given(token: str) -> Mapping[str, str]:
    """What was chosen by hand for the file ``token``: header → canonical column, ``""`` to leave it out."""
    state = st.session_state.get(_CHOSEN, {})
    return dict(state.get(token, {}))


def _doubtful(token: str, preview: ImportPreview) -> list[str]:
    """Columns without a meaning and columns a problem is reported for; one that was shown once stays in sight."""
    reported = {issue.column for issue in preview.issues if issue.row == preview.header_row}
    remembered = st.session_state.get(_FRONT, {}).get(token, ())
    front = [
        header
        for header in preview.headers
        if header in preview.unmapped or header in reported or header in remembered
    ]
    st.session_state[_FRONT] = {token: tuple(front)}
    return front


def _follow(token: str, header: str, key: str) -> None:
    chosen = {**given(token), header: str(st.session_state[key] or "")}
    st.session_state[_CHOSEN] = {token: chosen}


def _drop_downs(token: str, preview: ImportPreview, headers: Sequence[str]) -> None:
    labels = {"": _LEFT_OUT, **dict(preview.targets)}
    columns = st.columns(3)
    for number, header in enumerate(headers):
        key = f"data_map_{token}_{preview.headers.index(header)}"
        st.session_state[key] = preview.chosen.get(header, "")
        with columns[number % len(columns)]:
            st.selectbox(
                md(f"“{header}”是"),
                list(labels),
                key=key,
                format_func=lambda name: labels.get(name, name),
                on_change=_follow,
                args=(token, header, key),
            )


def columns_by_hand(token: str, preview: ImportPreview) -> None:
    """Drop-downs for the doubtful columns, and for all others under a fold; a change is previewed at once.

    Args:
        token: names the uploaded file; a new file starts afresh.
        preview: of the file with ``given(token)``.
    """
    doubtful = _doubtful(token, preview)
    if doubtful:
        st.markdown(f"**这 {len(doubtful)} 列请看一下对应得对不对**")
        _drop_downs(token, preview, doubtful)
    others = [header for header in preview.headers if header not in doubtful]
    if others:
        with st.expander(
            f"调整其他列（{len(others)}）", icon=":material/table_view:", key="data_mapping_all"
        ):
            _drop_downs(token, preview, others)
