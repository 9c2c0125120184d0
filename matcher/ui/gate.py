"""What stands before the pages: first start, sign-in, forced change of the password, and the bar that says who one is.

Owns these forms. Who may come in is decided by ``services.entrance``.
"""

from __future__ import annotations

import streamlit as st

from matcher.errors import InputError
from matcher.models import Person
from matcher.services.demo import tell_stories
from matcher.ui import guard, resources, session, texts
from matcher.ui.components import layout
from matcher.ui.components.html import md, show, tag

_ONLY_HERE = "平台还没有账号，又不是在本机打开的，所以不能从这里开始。"
_ONLY_HERE_HINT = (
    "请在服务器上运行：python -m matcher users add 登录名 --role 管理员 --name 姓名，再用它登录。"
)
_DEMO_AWAY = "演示模式只能在安装平台的这台电脑上使用。"
_DEMO_AWAY_HINT = "请在本机用 http://localhost 打开；要给别人用，请先建立管理员账号。"


def admitted() -> Person | None:
    """The person who may see the pages; None when a form was shown instead."""
    entrance = resources.process().entrance
    state, person, account = session.find(entrance)
    session.send_cookie()
    guard.show_kept()
    if state == "accounts":
        if account is None:
            _sign_in()
            return None
        if account.must_change:
            password_form("首次登录，请先换一个自己的密码", forced=True)
            return None
        return person
    if not session.is_local():
        first = state == "first"
        st.error(f"{_ONLY_HERE if first else _DEMO_AWAY}  \n{_ONLY_HERE_HINT if first else _DEMO_AWAY_HINT}")
        return None
    if state == "first":
        _welcome()
        return None
    return person


# ------------------------------------------------------------ first start


def _welcome() -> None:
    layout.heading(
        "欢迎使用产学研智能匹配平台", "第一次打开，请选一种方式开始。以后可以随时从演示转为正式使用。"
    )
    left, right = st.columns(2, gap="large")
    with left.container(border=True, height="stretch"):
        st.subheader("先看看（演示模式）", anchor=False)
        st.write(
            "不用登录，用示例数据试用全部功能，可以换着以科技局、企业、专家团队的身份看。只能在这台电脑上使用。"
        )
        st.button("进入演示模式", key="gate_demo", type="primary", on_click=_start_demo)
    with right.container(border=True, height="stretch"):
        st.subheader("正式使用", anchor=False)
        st.write("建立第一个管理员账号。之后由管理员给同事、企业和专家团队开账号。")
        first_account_form("gate_first")


def _start_demo() -> None:
    with guard.calm_action("start demo"):
        app = resources.process()
        app.entrance.start_demo()
        tell_stories(app)
        session.forget()


def first_account_form(key: str) -> None:
    """Make the first administrator; also from the demo."""
    with st.form(f"{key}_form", border=False):
        st.text_input("登录名", key=f"{key}_login", max_chars=40, autocomplete="username")
        st.text_input("姓名", key=f"{key}_name", max_chars=60)
        st.text_input(
            "密码（至少 8 个字符）", key=f"{key}_password", type="password", autocomplete="new-password"
        )
        st.text_input("再输一遍密码", key=f"{key}_again", type="password", autocomplete="new-password")
        st.form_submit_button("建立管理员账号", key=f"{key}_create", on_click=_create_first, args=(key,))


def _create_first(key: str) -> None:
    with guard.calm_action("create first account"):
        entrance = resources.process().entrance
        login, name, password = (str(st.session_state[f"{key}_{f}"]) for f in ("login", "name", "password"))
        if password != str(st.session_state[f"{key}_again"]):
            raise InputError("两次输入的密码不一样。", "请重新输入。")
        entrance.create_first(login, name, password)
        session.begin(entrance.sign_in(login, password).token)
        guard.say_done("管理员账号已建立，您已登录。")


# ------------------------------------------------------------ sign-in


def _sign_in() -> None:
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle.container(border=True):
        layout.heading("登录", texts.PRODUCT)
        with st.form("gate_sign_in", border=False):
            st.text_input("登录名", key="gate_login", max_chars=40, autocomplete="username")
            st.text_input("密码", key="gate_password", type="password", autocomplete="current-password")
            st.form_submit_button("登录", key="gate_enter", type="primary", on_click=_enter, width="stretch")
        st.caption("没有账号或忘了密码，请联系科技局：由科技局开通和重置。")


def _enter() -> None:
    with guard.calm_action("sign in"):
        entrance = resources.process().entrance
        signed = entrance.sign_in(str(st.session_state["gate_login"]), str(st.session_state["gate_password"]))
        st.session_state.pop("gate_password", None)
        session.begin(signed.token)


def password_form(title: str, *, forced: bool = False) -> None:
    """Change one's own password."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle.container(border=True):
        layout.heading(title, "至少 8 个字符，不要含登录名。换好后，别处的登录会失效。")
        with st.form("gate_change", border=False, clear_on_submit=True):
            st.text_input("原密码", key="gate_old", type="password", autocomplete="current-password")
            st.text_input("新密码", key="gate_new", type="password", autocomplete="new-password")
            st.text_input(
                "再输一遍新密码", key="gate_new_again", type="password", autocomplete="new-password"
            )
            st.form_submit_button("保存新密码", key="gate_save", type="primary", on_click=_change)
        if forced:
            st.button("退出", key="gate_leave", on_click=leave)


def _change() -> None:
    with guard.calm_action("change password"):
        old, new, again = (str(st.session_state[k]) for k in ("gate_old", "gate_new", "gate_new_again"))
        if new != again:
            raise InputError("两次输入的新密码不一样。", "请重新输入。")
        resources.process().entrance.change_password(session.token(), old, new)
        session.forget()
        guard.say_done("密码已更换。")


def leave() -> None:
    """Sign out."""
    with guard.calm_action("sign out"):
        session.end(resources.process().entrance)


# ------------------------------------------------------------ who one is


def show_bar(person: Person) -> None:
    """One line above every page: who is signed in; in the demo, that it is one."""
    entrance = resources.process().entrance
    state, _, _ = session.find(entrance)
    if state == "demo":
        _demo_bar(person)
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        show(tag("div", f"{person.name}（{person.role.value}）", cls="m-who"))
        st.button("退出", key="bar_leave", on_click=leave, type="tertiary", icon=":material/logout:")


def _demo_bar(person: Person) -> None:
    people = {one.login: one for one in session.demo_people(resources.process().entrance)}
    with st.container(key="bar_demo", horizontal=True, vertical_alignment="center"):
        show(tag("div", texts.DEMO_NOTE, cls="m-demo"))
        st.session_state["bar_role"] = person.login
        st.selectbox(
            "以谁的身份看",
            list(people),
            key="bar_role",
            format_func=lambda login: f"{people[login].role.value}：{md(people[login].name)}",
            label_visibility="collapsed",
            width=260,
            on_change=lambda: session.choose_demo(str(st.session_state["bar_role"])),
        )
