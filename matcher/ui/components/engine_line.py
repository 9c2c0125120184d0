"""The quiet line at the foot of each page: model and data; it refreshes the page once the model is there."""

from __future__ import annotations

import streamlit as st

from matcher.ui import resources
from matcher.ui.components.html import show, tag

_SECONDS = 3


def show_line() -> None:
    """Write the line; while the model loads, the page is run again when it is there."""
    status = resources.application().engine.status()
    loading = status.state == "loading"
    before = st.session_state.get("engine_state")
    st.session_state["engine_state"] = status.state
    if before == "loading" and not loading:
        st.rerun(scope="app")
    parts = [status.message]
    if status.progress and loading:
        what, done, total = status.progress
        parts.append(f"{what} {done}/{total}")
    if status.n_experts:
        parts.append(f"已编入 {status.n_experts} 个团队、{status.n_needs} 条需求")
    show(tag("div", "　".join(parts), cls="m-status"))


def show_polling() -> None:
    """``show_line``, every few seconds while the model loads."""
    loading = resources.application().engine.status().state == "loading"
    st.fragment(show_line, run_every=_SECONDS if loading else None)()
