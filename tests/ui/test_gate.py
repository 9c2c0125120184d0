"""Before the pages: first start, sign-in, forced change, and that a forged session or address gains nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from matcher.config import ROOT
from matcher.models import Person
from matcher.services.bootstrap import Application
from matcher.services.entrance import DEMO
from matcher.store.repositories import Repositories
from matcher.ui import session as ui_session
from matcher.vocab import Role

GOOD = "wendeng-2026!"


def _open() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()


@pytest.fixture
def first(app: Application) -> Application:
    """A system nobody has started yet."""
    with app.database.session() as session:
        Repositories(session).settings.put(DEMO, False)
    return app


@pytest.fixture
def closed(first: Application) -> Application:
    """A system with an administrator."""
    first.entrance.create_first("admin", "管理员", GOOD)
    return first


def _sign_in(page: AppTest, login: str, password: str) -> AppTest:
    page.text_input(key="gate_login").set_value(login)
    page.text_input(key="gate_password").set_value(password)
    return page.button(key="gate_enter").click().run()


def _titles(page: AppTest) -> str:
    return "\n".join(str(block.value) for block in page.get("html"))


def test_the_first_start_lets_choose_the_demo(first: Application) -> None:
    page = _open()
    assert "欢迎使用" in _titles(page)
    assert not page.dataframe
    page.button(key="gate_demo").click().run()
    assert first.entrance.state() == "demo"
    assert "演示模式" in _titles(page)
    assert "今天先做什么" in page.subheader[0].value


def test_the_demo_says_so_on_every_page_and_plays_every_role(app: Application) -> None:
    page = _open()
    roles = {app.entrance.demo_people()[i].login for i in range(4)}
    assert roles == {"演示管理员", "演示科技局", "演示企业", "演示团队"}
    for login in sorted(roles):
        page.selectbox(key="bar_role").set_value(login).run()
        assert "演示模式" in _titles(page), login
        assert not page.exception, login
        assert not page.error, login


def test_the_demo_refuses_to_be_seen_from_elsewhere(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui_session, "is_local", lambda: False)
    page = _open()
    assert "只能在安装平台的这台电脑上使用" in page.error[0].value
    assert not page.subheader


def test_listening_beyond_this_machine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    page = AppTest.from_string("""
import streamlit as st
from matcher.ui.session import is_local
st.write(f"local: {is_local()}")
""")
    assert page.run().markdown[0].value == "local: True"
    before = st.get_option("server.address")
    st.config.set_option("server.address", "0.0.0.0")
    try:
        assert page.run().markdown[0].value == "local: False"
    finally:
        st.config.set_option("server.address", before)


def test_the_first_administrator_is_made_on_the_first_page(first: Application) -> None:
    page = _open()
    for field, value in (("login", "admin"), ("name", "李主任"), ("password", GOOD), ("again", GOOD + "x")):
        page.text_input(key=f"gate_first_{field}").set_value(value)
    page.button(key="gate_first_create").click().run()
    assert "两次输入的密码不一样" in page.error[0].value
    assert first.entrance.state() == "first"
    page.text_input(key="gate_first_again").set_value(GOOD)
    page.button(key="gate_first_create").click().run()
    assert first.entrance.state() == "accounts"
    assert "李主任（管理员）" in _titles(page)


def test_nobody_sees_a_page_before_signing_in(closed: Application) -> None:
    page = _open()
    assert "登录" in _titles(page)
    assert not page.subheader
    _sign_in(page, "admin", "wrong-password")
    assert "登录名或密码不对" in page.error[0].value
    _sign_in(page, "admin", GOOD)
    assert not page.error
    assert "今天先做什么" in page.subheader[0].value
    page.button(key="bar_leave").click().run()
    assert "登录" in _titles(page)
    assert not page.subheader


def test_a_forged_token_or_address_gains_nothing(closed: Application) -> None:
    page = _open()
    page.session_state["session_token"] = "forged"
    page.session_state["session_demo"] = "演示管理员"
    page.query_params["need"] = "N101"
    page.run()
    assert "登录" in _titles(page)
    assert "N101" not in _titles(page)
    assert not page.subheader


def test_a_first_password_is_changed_before_anything_else(closed: Application) -> None:
    made = closed.accounts.create(Person("zhang", "张科员", Role.OFFICIAL))
    page = _sign_in(_open(), "zhang", made.password)
    assert "先换一个自己的密码" in _titles(page)
    assert not page.subheader
    page.text_input(key="gate_old").set_value(made.password)
    page.text_input(key="gate_new").set_value("my-own-password")
    page.text_input(key="gate_new_again").set_value("my-own-password")
    page.button(key="gate_save").click().run()
    assert "张科员（科技局）" in _titles(page)
    assert page.subheader


def test_a_session_that_ended_is_out(closed: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui_session, "_TRUSTED_S", 0.0)
    page = _sign_in(_open(), "admin", GOOD)
    assert page.subheader
    with closed.database.session() as session:
        Repositories(session).sessions.drop_of("admin")
    page.run()
    assert "登录" in _titles(page)
    assert not page.subheader


def test_each_role_is_offered_its_own_pages(app: Application) -> None:
    from matcher.ui.navigation import pages_of

    offered = {p.role: [page.name for page in pages_of(p)] for p in app.entrance.demo_people()}
    assert "users" in offered[Role.OFFICIAL]
    for role in (Role.FIRM, Role.TEAM):
        assert not {"overview", "review", "needs", "experts", "search", "shortlists", "year"} & set(
            offered[role]
        )
        assert not {"data", "users", "model"} & set(offered[role])
    assert "account" in offered[Role.FIRM]


def test_an_official_opens_an_account_and_hands_over_the_password(
    app: Application, open_page: Callable[..., AppTest]
) -> None:
    page = open_page("users")
    page.segmented_control(key="users_tab").set_value("开通账号").run()
    page.text_input(key="users_login").set_value("example-firm")
    page.text_input(key="users_name").set_value("示例企业账号")
    page.button(key="users_create").click().run()
    assert "企业" in page.error[0].value, "no firm is chosen for somebody by its place in the list"
    firm = page.selectbox(key="users_firm")
    firm.set_value(firm.options[0]).run()
    page.button(key="users_create").click().run()
    assert not page.error
    password = page.code[0].value
    assert len(password) == 12
    page.run()
    assert all(password != block.value for block in page.code), "shown once"
    found = app.entrance.sign_in("example-firm", password).account
    assert found.person.role is Role.FIRM
    assert found.person.firm_id
    assert found.must_change
