"""Errors as calm sentences.

Owns the only broad ``except`` of the pages: what the services refuse is shown with what to do next, anything else is
logged with its traceback and shown without details.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import streamlit as st

from matcher.errors import MatcherError
from matcher.ui import texts
from matcher.ui.components.html import md

_LOG = logging.getLogger(__name__)
_FLASH, _DONE = "guard_flash", "guard_done"


def _show(message: str, hint: str) -> None:
    st.error(f"{md(message)}  \n{md(hint)}" if hint else md(message), icon=":material/error:")


def _keep(message: str, hint: str) -> None:
    st.session_state[_FLASH] = (message, hint)


@contextmanager
def calm(place: str, report: Callable[[str, str], None] = _show) -> Iterator[None]:
    """Run a part of a page; when it fails, say so and let the rest of the page go on.

    Args:
        place: English name of the part, for the log.
        report: gets the sentence and what to do next.
    """
    try:
        yield
    except MatcherError as error:
        _LOG.info("%s: %s", place, error)
        report(error.user_message, error.hint)
    except Exception:  # the last line before the person: logged in full, shown calmly
        _LOG.exception("%s failed", place)
        report(texts.UNEXPECTED, texts.UNEXPECTED_HINT)


def calm_action(place: str) -> AbstractContextManager[None]:
    """``calm`` for a widget's callback: the message is kept for ``show_kept``, since callbacks run before the page."""
    return calm(place, _keep)


def say_done(sentence: str) -> None:
    """Keep a short confirmation for ``show_kept``; for callbacks, which cannot show it themselves."""
    st.session_state[_DONE] = sentence


def show_kept() -> None:
    """Show what a callback left to say, once."""
    done = st.session_state.pop(_DONE, "")
    if done:
        st.toast(md(done), icon=":material/check:")
    kept = st.session_state.pop(_FLASH, None)
    if kept is not None:
        _show(*kept)
        # The sentence stands at the top; who pressed a button far below sees it in the corner too.
        st.toast(md(kept[0]), icon=":material/error:")
