"""Entry of the pages: ``streamlit run app.py``. Page settings and navigation; no logic."""

from __future__ import annotations

import streamlit as st

from matcher.ui import guard, navigation
from matcher.ui.components import engine_line, html

st.set_page_config(page_title="产学研智能匹配平台", page_icon=navigation.ICON, layout="wide")
st.logo(navigation.LOGO, size="large")
html.show_styles()

page = navigation.build()
with guard.calm(f"page {page.url_path or 'overview'}"):
    page.run()
with guard.calm("engine line"):
    engine_line.show_polling()
