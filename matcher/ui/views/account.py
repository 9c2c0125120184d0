"""我的账号: change one's own password; in the demo, make the first account."""

from __future__ import annotations

import streamlit as st

from matcher.ui import gate, guard, resources, session
from matcher.ui.components import layout

with guard.calm("account"):
    person = resources.application().person
    state, _, account = session.find(resources.process().entrance)
    if state == "demo":
        layout.heading(
            "转为正式使用",
            "建立第一个管理员账号后，演示模式结束，以后都要登录。示例数据仍在，可在“数据”里删除。",
        )
        gate.first_account_form("account_first")
    else:
        layout.heading("我的账号", f"{person.name}，{person.role.value}，登录名 {person.login}")
        gate.password_form("更换密码")
        st.button("退出登录", key="account_leave", on_click=gate.leave, icon=":material/logout:")
