"""Entry of the pages: ``streamlit run app.py``. Page settings, sign-in and navigation; no logic."""

from __future__ import annotations

import streamlit as st

from matcher.ui import gate, guard, navigation, resources
from matcher.ui.components import engine_line, html
from matcher.workflow.permissions import Action, may

st.set_page_config(page_title="产学研智能匹配平台", page_icon=navigation.ICON, layout="wide")
st.logo(navigation.LOGO, size="large")
html.show_styles()

person = None
with guard.calm("gate"):
    person = gate.admitted()
page = navigation.build(person)
if person is not None:
    gate.show_bar(person)
    with guard.calm(f"page {page.url_path or 'overview'}"):
        page.run()
    if may(person, Action.SEE_MODEL):
        with guard.calm("engine line"):
            engine_line.show_polling()
else:
    with guard.calm("engine"):
        resources.process().engine.start()
