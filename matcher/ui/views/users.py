"""用户: the bureau opens accounts, resets passwords, switches accounts off; administrators read the audit log."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from matcher.models import Account, Person
from matcher.services.accounts import NewPassword
from matcher.ui import guard, resources, session
from matcher.ui.components import layout
from matcher.ui.components.html import md, show, tag
from matcher.vocab import Role
from matcher.workflow.permissions import Action, may

PAGE = "users"
_HANDED = f"{PAGE}_handed"
_BEIJING = pd.Timedelta(hours=8)
_WHOLE_OFFICE = ""


def _hand_over(made: NewPassword) -> None:
    st.session_state[_HANDED] = (made.account.person.login, made.password)


def _create() -> None:
    with guard.calm_action("create account"):
        role = Role(st.session_state[f"{PAGE}_role"])
        person = Person(
            str(st.session_state[f"{PAGE}_login"]),
            str(st.session_state[f"{PAGE}_name"]),
            role,
            firm_id=str(st.session_state.get(f"{PAGE}_firm") or "") if role is Role.FIRM else "",
            institution_id=str(st.session_state.get(f"{PAGE}_institution") or "")
            if role is Role.TEAM
            else "",
            expert_id=str(st.session_state.get(f"{PAGE}_expert") or "") if role is Role.TEAM else "",
        )
        _hand_over(resources.application().accounts.create(person))
        for field in ("login", "name"):
            st.session_state[f"{PAGE}_{field}"] = ""


def _reset(login: str) -> None:
    with guard.calm_action("reset password"):
        _hand_over(resources.application().accounts.reset(login))


def _switch(login: str, disabled: bool) -> None:
    with guard.calm_action("disable account"):
        resources.application().accounts.set_disabled(login, disabled)
        guard.say_done("账号已停用。" if disabled else "账号已启用。")


def _show_handed() -> None:
    handed = st.session_state.pop(_HANDED, None)
    if handed is None:
        return
    login, password = handed
    st.success(f"请把登录名 {md(login)} 和初始密码当面或电话告诉本人。密码只显示这一次，首次登录必须更换。")
    st.code(password, language=None)


def _form(person: Person) -> None:
    app = resources.application()
    roles = [role for role in Role if role in (Role.FIRM, Role.TEAM) or may(person, Action.MANAGE_OFFICIALS)]
    default = roles.index(Role.FIRM)
    role = Role(st.selectbox("身份", roles, index=default, key=f"{PAGE}_role") or Role.FIRM)
    if role is Role.FIRM:
        firms = {firm.firm_id: firm.name for firm in app.records.firms()}
        st.selectbox(
            "企业",
            sorted(firms, key=firms.__getitem__),
            key=f"{PAGE}_firm",
            format_func=firms.__getitem__,
            index=None,
            placeholder="选一家企业",
        )
        st.caption("没有这家企业？先到“需求受理”的代录里登记。")
    elif role is Role.TEAM:
        places = {one.institution_id: one.name for one in app.records.institutions()}
        chosen = st.selectbox(
            "单位",
            sorted(places, key=places.__getitem__),
            key=f"{PAGE}_institution",
            format_func=places.__getitem__,
        )
        teams = {e.expert_id: e.name for e in app.records.experts() if e.institution_id == chosen}
        teams[_WHOLE_OFFICE] = "整个单位（科研管理部门）"
        st.selectbox("团队", list(teams), key=f"{PAGE}_expert", format_func=teams.__getitem__)
    st.text_input("登录名", key=f"{PAGE}_login", max_chars=40)
    st.text_input("姓名（单位名称）", key=f"{PAGE}_name", max_chars=60)
    st.button("开通账号", key=f"{PAGE}_create", type="primary", on_click=_create)


def _state(account: Account) -> str:
    if account.disabled:
        return "已停用"
    if account.locked_until is not None and account.locked_until > resources.process().clock():
        return "暂时锁住"
    return "待首次登录" if account.must_change else "正常"


def _accounts(person: Person) -> None:
    accounts = resources.application().accounts.list()
    if not accounts:
        st.info("还没有可管理的账号。先在“开通账号”里开通一个。")
        return
    wanted = st.text_input("查找账号", key=f"{PAGE}_text", placeholder="登录名、姓名或单位", type="search")
    shown = [
        a for a in accounts if (wanted or "") in f"{a.person.login} {a.person.name} {a.person.role.value}"
    ]
    for account in shown:
        login = account.person.login
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            last = account.signed_in_at
            seen = f"上次登录 {last + _BEIJING:%Y-%m-%d %H:%M}" if last else "还没有登录过"
            who = tag("b", account.person.name)
            show(
                tag(
                    "div",
                    who,
                    tag(
                        "div", f"{account.person.role.value}　{login}　{_state(account)}　{seen}", cls="m-sub"
                    ),
                )
            )
            st.button("重置密码", key=f"{PAGE}_reset_{login}", on_click=_reset, args=(login,))
            if login != person.login:
                label = "启用" if account.disabled else "停用"
                st.button(
                    label, key=f"{PAGE}_off_{login}", on_click=_switch, args=(login, not account.disabled)
                )


def _audit() -> None:
    events = resources.application().accounts.audit()
    st.caption("最近 200 条操作，最新的在前。被拒绝的操作也在其中（refuse）。")
    rows = [
        (
            f"{e.at + _BEIJING:%Y-%m-%d %H:%M:%S}",
            e.actor,
            e.action,
            e.object_kind,
            e.object_id,
            str(dict(e.detail)),
        )
        for e in events
    ]
    columns = ["时间（北京）", "谁", "动作", "对象", "编号", "内容"]
    st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True, key=f"{PAGE}_audit")


layout.heading("用户", "给企业、专家团队和同事开账号，重置密码，停用账号。")
with guard.calm("users"):
    me = resources.application().person
    if session.find(resources.process().entrance)[0] == "demo":
        st.info("现在是演示模式，账号不起作用。先在“我的账号”里建立第一个管理员账号。")
    _show_handed()
    tabs = ["账号", "开通账号"] + (["操作记录"] if may(me, Action.SEE_AUDIT) else [])
    tab = st.segmented_control(
        "看什么", tabs, default=tabs[0], required=True, key=f"{PAGE}_tab", label_visibility="collapsed"
    )
    with guard.calm(f"users {tab}"):
        if tab == tabs[0]:
            _accounts(me)
        elif tab == tabs[1]:
            _form(me)
        else:
            _audit()
