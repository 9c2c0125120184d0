"""What lives as long as the process: the one application object the pages talk to."""

from __future__ import annotations

import streamlit as st

from matcher.config import load_settings
from matcher.services.bootstrap import Application, open_application

ACTOR = "科技局"
"""Who is said to have made a change while there is no sign-in."""


@st.cache_resource(show_spinner="正在打开数据……")
def application() -> Application:
    """The application of this process; opened once.

    Raises:
        MatcherError: settings or database cannot be used.
    """
    return open_application(load_settings())
