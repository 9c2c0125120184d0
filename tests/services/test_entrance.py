"""The door: passwords, lock-out, sessions that end, the first administrator and the demo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from matcher.config import EncoderSettings, Settings, WorkflowSettings
from matcher.errors import ConflictError, InputError, PermissionDenied
from matcher.models import Person
from matcher.services.bootstrap import Application, open_application
from matcher.services.passwords import hash_password, is_password
from matcher.vocab import Role

RULES = WorkflowSettings(session_hours=2, lockout_attempts=3, lockout_minutes=10)
GOOD = "wendeng-2026!"


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def app(tmp_path: Path, time: Time) -> Iterator[Application]:
    settings = Settings(
        tmp_path, f"sqlite:///{tmp_path / 'matcher.db'}", encoder=EncoderSettings("none"), workflow=RULES
    )
    with open_application(settings, time, samples=False) as opened:
        yield opened


@pytest.fixture
def admin(app: Application) -> Application:
    app.entrance.create_first("admin", "管理员", GOOD)
    return app


def _actions(app: Application) -> list[str]:
    return [event.action for event in reversed(app.accounts.audit())]


def test_the_first_start_offers_the_demo_or_the_first_administrator(app: Application) -> None:
    assert app.entrance.state() == "first"
    assert app.entrance.demo_people() == ()
    app.entrance.start_demo()
    assert app.entrance.state() == "demo"
    assert {person.role for person in app.entrance.demo_people()} >= {Role.ADMIN, Role.OFFICIAL}
    app.entrance.create_first("admin", "管理员", GOOD)
    assert app.entrance.state() == "accounts"
    assert app.entrance.demo_people() == (), "the demo ends with the first account"
    with pytest.raises(ConflictError, match="已经有账号"):
        app.entrance.create_first("second", "另一个", GOOD)
    with pytest.raises(ConflictError):
        app.entrance.start_demo()


def test_a_password_is_argon2id_and_stands_nowhere_in_the_clear(admin: Application) -> None:
    with admin.database.reading() as session:
        stored = session.execute(text("SELECT password_hash FROM accounts")).scalar_one()
    assert stored.startswith("$argon2id$")
    token = admin.entrance.sign_in("admin", GOOD).token
    admin.database.close()
    content = b"".join(p.read_bytes() for p in admin.settings.home.rglob("*") if p.is_file())
    assert GOOD.encode() not in content
    assert token.encode() not in content, "only the token's hash is stored"
    admin.database.open()


@pytest.mark.parametrize("bad", ["short1!", "12345678", "aaaaaaaaaa", "xxadminxx9", "p" * 201])
def test_passwords_guessed_first_are_refused(app: Application, bad: str) -> None:
    with pytest.raises(InputError):
        app.entrance.create_first("admin", "管理员", bad)
    assert app.entrance.state() == "first"


@pytest.mark.parametrize(
    ("login", "name"), [("", "名"), ("a", "名"), ("a b", "名"), ("ok", " "), ("x" * 41, "名")]
)
def test_logins_that_cannot_be_typed_are_refused(app: Application, login: str, name: str) -> None:
    with pytest.raises(InputError):
        app.entrance.create_first(login, name, GOOD)


def test_signing_in_and_out(admin: Application) -> None:
    signed = admin.entrance.sign_in(" admin ", GOOD)
    found = admin.entrance.account_of(signed.token)
    assert found is not None
    assert found.person == Person("admin", "管理员", Role.ADMIN)
    assert admin.entrance.account_of(signed.token + "x") is None
    assert admin.entrance.account_of("") is None
    admin.entrance.sign_out(signed.token)
    assert admin.entrance.account_of(signed.token) is None
    assert _actions(admin)[-2:] == ["sign_in", "sign_out"]


def test_wrong_login_and_wrong_password_are_told_alike(admin: Application) -> None:
    with pytest.raises(PermissionDenied) as unknown:
        admin.entrance.sign_in("nobody", GOOD)
    with pytest.raises(PermissionDenied) as wrong:
        admin.entrance.sign_in("admin", "wrong-password")
    assert str(unknown.value) == str(wrong.value)
    event = admin.accounts.audit(2)[1]
    assert (event.action, event.actor, event.object_id) == ("sign_in_failed", "", ""), (
        "what was typed as a login may be a password"
    )


def test_an_account_locks_after_wrong_passwords_and_opens_again(admin: Application, time: Time) -> None:
    for _ in range(RULES.lockout_attempts):
        with pytest.raises(PermissionDenied, match="登录名或密码不对"):
            admin.entrance.sign_in("admin", "wrong-password")
    with pytest.raises(PermissionDenied, match="暂时锁住") as locked:
        admin.entrance.sign_in("admin", GOOD)
    assert "09:10" in locked.value.hint, "the time in Beijing"
    time.pass_by(minutes=RULES.lockout_minutes + 1)
    assert admin.entrance.sign_in("admin", GOOD).token


def test_a_right_password_forgets_the_wrong_ones(admin: Application) -> None:
    for _ in range(3):
        for _ in range(RULES.lockout_attempts - 1):
            with pytest.raises(PermissionDenied):
                admin.entrance.sign_in("admin", "wrong-password")
        assert admin.entrance.sign_in("admin", GOOD).token


def test_a_session_ends_when_nobody_uses_it(admin: Application, time: Time) -> None:
    token = admin.entrance.sign_in("admin", GOOD).token
    for _ in range(4):
        time.pass_by(hours=1.5)
        assert admin.entrance.account_of(token), "in use it goes on"
    time.pass_by(hours=2, minutes=1)
    assert admin.entrance.account_of(token) is None


def test_a_new_password_ends_the_other_sessions(admin: Application) -> None:
    here, there = (admin.entrance.sign_in("admin", GOOD).token for _ in range(2))
    with pytest.raises(PermissionDenied, match="原密码不对"):
        admin.entrance.change_password(here, "wrong", "another-good-one")
    with pytest.raises(InputError, match="和原密码一样"):
        admin.entrance.change_password(here, GOOD, GOOD)
    admin.entrance.change_password(here, GOOD, "another-good-one")
    assert admin.entrance.account_of(here)
    assert admin.entrance.account_of(there) is None
    with pytest.raises(PermissionDenied):
        admin.entrance.sign_in("admin", GOOD)
    assert admin.entrance.sign_in("admin", "another-good-one")


def test_a_password_reset_while_it_is_checked_opens_nothing(
    admin: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = admin.accounts.create(Person("lisi", "李四", Role.OFFICIAL))

    def slow(stored_hash: str, password: str) -> bool:
        admin.accounts.reset("lisi")
        return is_password(stored_hash, password)

    monkeypatch.setattr("matcher.services.entrance.is_password", slow)
    with pytest.raises(PermissionDenied, match="登录名或密码不对"):
        admin.entrance.sign_in("lisi", made.password)


def test_a_reset_outlives_a_change_of_password_under_way(
    admin: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = admin.accounts.create(Person("lisi", "李四", Role.OFFICIAL))
    token = admin.entrance.sign_in("lisi", made.password).token
    fresh = []

    def slow(password: str) -> str:
        monkeypatch.undo()
        fresh.append(admin.accounts.reset("lisi").password)
        return hash_password(password)

    monkeypatch.setattr("matcher.services.entrance.hash_password", slow)
    with pytest.raises(PermissionDenied, match="登录已失效"):
        admin.entrance.change_password(token, made.password, "the-thief-s-own")
    assert admin.entrance.sign_in("lisi", fresh[0]).account.must_change


def test_guessing_the_old_password_locks_and_ends_the_session(admin: Application, time: Time) -> None:
    token = admin.entrance.sign_in("admin", GOOD).token
    for _ in range(RULES.lockout_attempts):
        with pytest.raises(PermissionDenied, match="原密码不对"):
            admin.entrance.change_password(token, "guess", "another-good-one")
    assert admin.entrance.account_of(token) is None
    with pytest.raises(PermissionDenied, match="锁住"):
        admin.entrance.sign_in("admin", GOOD)
    assert _actions(admin)[-2] == "change_password_failed"
    time.pass_by(minutes=RULES.lockout_minutes + 1)
    assert admin.entrance.sign_in("admin", GOOD)


def test_a_first_password_must_be_changed(admin: Application) -> None:
    made = admin.accounts.create(Person("zhang", "张科员", Role.OFFICIAL))
    assert made.account.must_change
    token = admin.entrance.sign_in("zhang", made.password).token
    admin.entrance.change_password(token, made.password, "my-own-password")
    account = admin.entrance.account_of(token)
    assert account
    assert not account.must_change


def test_a_switched_off_account_is_out_at_once(admin: Application) -> None:
    made = admin.accounts.create(Person("zhang", "张科员", Role.OFFICIAL))
    token = admin.entrance.sign_in("zhang", made.password).token
    admin.accounts.set_disabled("zhang", True)
    assert admin.entrance.account_of(token) is None
    with pytest.raises(PermissionDenied, match="已停用"):
        admin.entrance.sign_in("zhang", made.password)
    admin.accounts.set_disabled("zhang", False)
    assert admin.entrance.sign_in("zhang", made.password)


def test_an_empty_or_foreign_hash_opens_nothing() -> None:
    assert not is_password("", "")
    assert not is_password("not a hash", "x")
    assert is_password(hash_password("长一点的密码"), "长一点的密码")


def test_settings_are_the_rules(admin: Application) -> None:
    strict = replace(admin.settings, workflow=replace(RULES, session_hours=0.1))
    with open_application(strict, admin.clock, samples=False) as other:
        token = other.entrance.sign_in("admin", GOOD).token
        assert other.entrance.account_of(token)
