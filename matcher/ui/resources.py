"""What lives as long as the process: the one application object, handed out as the person of the page may use it."""

from __future__ import annotations

import streamlit as st

from matcher.config import load_settings
from matcher.services.bootstrap import Application, open_application
from matcher.ui import session


@st.cache_resource(show_spinner="正在打开数据……")
def process() -> Application:
    """The application of this process; opened once. Pages use ``application``.

    Raises:
        MatcherError: settings or database cannot be used.
    """
    return open_application(load_settings())


def application() -> Application:
    """The application for whoever uses this page.

    Raises:
        MatcherError: nobody is signed in, or settings or database cannot be used.
    """
    return session.bound(process())
