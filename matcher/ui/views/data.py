"""数据: browse every table, import files, and see the state of the system."""

from __future__ import annotations

import streamlit as st

from matcher.ui import guard, navigation
from matcher.ui.components import browser, editor, importer, layout, system

PAGE = "data"
_TABS = {"browse": "浏览", "import": "导入", "system": "系统"}


def _follow() -> None:
    navigation.set_param("tab", str(st.session_state[f"{PAGE}_tab"]))


layout.heading("数据", "看系统里有哪些数据，导入自己的表格，查看系统状态。")
wanted = navigation.param("tab")
tab = wanted if wanted in _TABS else "browse"
st.session_state[f"{PAGE}_tab"] = tab
st.segmented_control(
    "内容",
    list(_TABS),
    key=f"{PAGE}_tab",
    format_func=lambda name: _TABS[name],
    required=True,
    label_visibility="collapsed",
    on_change=_follow,
)
with guard.calm(f"data {tab}"):
    if tab == "browse":
        browser.browse(PAGE)
        editor.edit_any(PAGE, str(st.session_state[f"{PAGE}_kind"]))
    elif tab == "import":
        importer.import_file(PAGE)
    else:
        system.system(PAGE)
