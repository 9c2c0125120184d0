"""Who is using the page: the demo's role, or the account whose session the browser holds.

Owns the cookie and the gate before every page. Deliberately decides no permission: the person found here is handed to
the services, which check. The person is looked up anew at most ``_TRUSTED_S`` seconds later, so that a session that
ended, or an account switched off, is out at once.
"""

from __future__ import annotations

import time

import streamlit as st

from matcher.errors import PermissionDenied
from matcher.models import Account, Person
from matcher.services.access import OPERATOR
from matcher.services.bootstrap import Application
from matcher.services.entrance import Entrance
from matcher.ui.components.html import set_cookie

COOKIE, DEMO_COOKIE = "matcher_session", "matcher_demo_role"
_TOKEN, _SEND, _SEEN, _DEMO = "session_token", "session_send_cookie", "session_seen", "session_demo"
_TRUSTED_S = 2.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXIED = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


def is_local() -> bool:
    """Whether the program listens on this machine only and the browser runs on it."""
    headers = st.context.headers
    host = str(headers.get("Host") or "localhost")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return (
        st.get_option("server.address") in _LOOPBACK
        and name.strip("[]") in _LOOPBACK
        and not any(headers.get(header) for header in _PROXIED)
    )


def token() -> str:
    """The session's token: of this tab, else of the browser's cookie."""
    return str(st.session_state.get(_TOKEN) or st.context.cookies.get(COOKIE) or "")


def find(entrance: Entrance) -> tuple[str, Person | None, Account | None]:
    """(state of the system, who uses the page, their account); both None when nobody does."""
    key, seen = token(), st.session_state.get(_SEEN)
    if seen is not None and seen[0] == key and time.monotonic() - seen[1] < _TRUSTED_S:
        found: tuple[str, Person | None, Account | None] = seen[2]
        return found
    state = entrance.state()
    if state == "accounts":
        account = entrance.account_of(key)
        found = (state, account.person if account else None, account)
    elif state == "demo" and is_local():
        found = (state, _demo_person(entrance), None)
    else:
        found = (state, None, None)
    st.session_state[_SEEN] = (key, time.monotonic(), found)
    return found


def forget() -> None:
    """Look the person up anew at the next call."""
    st.session_state.pop(_SEEN, None)


def bound(application: Application) -> Application:
    """The application as the person of this page may use it.

    Raises:
        PermissionDenied: nobody is signed in (any more).
    """
    if application.person != OPERATOR:
        return application
    _, person, account = find(application.entrance)
    if person is None or (account is not None and account.must_change):
        raise PermissionDenied("登录已失效。", "请刷新页面重新登录；刚才填写的内容请先复制下来。")
    return application.as_person(person)


def begin(new_token: str) -> None:
    """Keep a new session in this tab and, with the next page, in the browser."""
    st.session_state[_TOKEN] = new_token
    st.session_state[_SEND] = (COOKIE, new_token)
    forget()


def end(entrance: Entrance) -> None:
    """Sign out, here and in the browser."""
    entrance.sign_out(token())
    for key in list(st.session_state.keys()):
        del st.session_state[key]
    st.session_state[_SEND] = (COOKIE, "")


def send_cookie() -> None:
    """Hand a new or ended session, or the demo's role, to the browser; once.

    Scripts of another site never get to send it. It has a place of its own at every run: what comes and goes at the
    head of a page moves, and so draws anew, all that follows.
    """
    name, value = st.session_state.pop(_SEND, ("", ""))
    with st.empty():
        if name:
            set_cookie(name, value)


def demo_people(entrance: Entrance) -> tuple[Person, ...]:
    """Whom one may play in the demo, looked up once a tab."""
    people = st.session_state.get("session_people")
    if not people:
        people = st.session_state["session_people"] = entrance.demo_people()
    return tuple(people)


def choose_demo(login: str) -> None:
    """Play another person of the demo, also after the page is loaded anew."""
    st.session_state[_DEMO] = login
    role = next((p.role.name for p in st.session_state.get("session_people", ()) if p.login == login), "")
    st.session_state[_SEND] = (DEMO_COOKIE, role)
    forget()


def _demo_person(entrance: Entrance) -> Person | None:
    people = demo_people(entrance)
    login, role = st.session_state.get(_DEMO), st.context.cookies.get(DEMO_COOKIE)
    chosen = [p for p in people if p.login == login] or [p for p in people if p.role.name == role]
    return next(iter((*chosen, *people)), None)
