"""The quiet line at the foot of each page: model and data; it refreshes the page once the model is there."""

from __future__ import annotations

import streamlit as st

from matcher.services.snapshot import EngineStatus
from matcher.ui import resources
from matcher.ui.components.html import show, tag

_SECONDS = 3


def step_text(step: tuple[str, int, int]) -> str:
    """One step of a long task in words."""
    what, done, total = step
    return f"{what} {done:,}/{total:,}" if total > 1 else f"{what}……"


def _busy(status: EngineStatus) -> bool:
    return status.busy or status.state == "loading"


def show_line() -> None:
    """Write the line; while a model is loaded or changed, the page is run again when that has ended."""
    status = resources.application().engine.status()
    busy = _busy(status)
    before = st.session_state.get("engine_busy")
    st.session_state["engine_busy"] = busy
    if before and not busy:
        st.rerun(scope="app")
    parts = [status.message]
    if status.progress and busy:
        parts.append(step_text(status.progress))
    if status.n_experts:
        parts.append(f"已编入 {status.n_experts} 个团队、{status.n_needs} 条需求")
    show(tag("div", "　".join(parts), cls="m-status"))


def show_polling() -> None:
    """``show_line``, every few seconds while a model is loaded or changed."""
    busy = _busy(resources.application().engine.status())
    st.fragment(show_line, run_every=_SECONDS if busy else None)()
