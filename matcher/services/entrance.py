"""The door: signing in and out, whose session a token is, the first administrator, and the demo mode.

Owns lock-out and the life of a session; ``accounts`` manages the accounts themselves. These are the only
service calls that ask no permission, because nobody is anybody before them.

Passwords are hashed with argon2id (argon2-cffi's defaults). A session is a random token of 256 bits, of which only the
SHA-256 is stored; it ends when it is not used for ``session_hours``, when the password changes, or when the account is
disabled. A wrong password and an unknown login take equally long and are told in the same words; a lock
tells that its login exists.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from matcher.config import WorkflowSettings
from matcher.errors import ConflictError, InputError, PermissionDenied
from matcher.models import Account, Person
from matcher.services.passwords import (
    MAX_PASSWORD,
    check_new_password,
    digest,
    hash_password,
    is_password,
)
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.vocab import Role

DEMO = "demo_mode"
DEMO_BUREAU = (
    Person("演示管理员", "演示管理员", Role.ADMIN),
    Person("演示科技局", "演示科技局", Role.OFFICIAL),
)
TOUCH_EVERY = timedelta(minutes=5)
BEIJING = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun. ``token`` is told once and stored nowhere."""

    token: str
    account: Account


class Entrance:
    """Who is at the door."""

    def __init__(self, database: Database, rules: WorkflowSettings, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock

    # ------------------------------------------------------------ the first start

    def state(self) -> str:
        """``first`` (no accounts yet), ``demo`` or ``accounts``."""
        with self._database.reading() as session:
            stored = Repositories(session)
            if stored.accounts.all():
                return "accounts"
            return "demo" if stored.settings.get(DEMO) else "first"

    def start_demo(self) -> None:
        """Let everybody on this machine look around as any role. Raises ConflictError once there are accounts."""
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            _refuse_beside_accounts(stored)
            stored.settings.put(DEMO, True)
            stored.audit.add("本机", "start_demo", "settings", DEMO)

    def demo_people(self) -> tuple[Person, ...]:
        """Who one may be in the demo: one person of each role; nobody outside the demo.

        The firm and the team are 示例 records, when there are any.
        """
        with self._database.reading() as session:
            stored = Repositories(session)
            if stored.accounts.all() or not stored.settings.get(DEMO):
                return ()
            needs = [n for n in stored.needs.all() if n.firm_id]
            experts = [e for e in stored.experts.all() if e.institution_id]
        people = list(DEMO_BUREAU)
        if needs:
            need = next((n for n in needs if n.is_sample), needs[0])
            people.append(Person("演示企业", need.company, Role.FIRM, firm_id=need.firm_id))
        if experts:
            expert = next((e for e in experts if e.is_sample), experts[0])
            people.append(
                Person(
                    "演示团队",
                    expert.name,
                    Role.TEAM,
                    institution_id=expert.institution_id,
                    expert_id=expert.expert_id,
                )
            )
        return tuple(people)

    def create_first(self, login: str, name: str, password: str) -> Account:
        """Make the first administrator; the demo ends.

        Raises:
            ConflictError: there are accounts already.
            InputError: login, name or password cannot be used.
        """
        person = check_person(Person(login, name, Role.ADMIN))
        check_new_password(password, person.login)
        hashed = hash_password(password)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            _refuse_beside_accounts(stored)
            made = stored.accounts.add(person, hashed, must_change=False)
            stored.settings.put(DEMO, False)
            stored.audit.add(person.login, "create_first", "account", person.login)
        return made

    # ------------------------------------------------------------ sessions

    def sign_in(self, login: str, password: str) -> SignedIn:
        """Begin a session.

        Raises:
            PermissionDenied: wrong login or password, locked or disabled; the failure is audited.
        """
        login = login.strip()
        with self._database.reading() as session:
            stored_hash = Repositories(session).accounts.hash_of(login)
        right = is_password(
            stored_hash, password[:MAX_PASSWORD]
        )  # slow on purpose, so outside the transaction
        now = self._clock()
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            right = (
                right and stored.accounts.hash_of(login) == stored_hash
            )  # it may have been reset meanwhile
            refusal = self._refusal(stored, login, right, now)
            if refusal is None:
                stored.accounts.note_sign_in(login)
                stored.sessions.drop_expired()
                token = secrets.token_urlsafe(32)
                stored.sessions.add(digest(token), login, now + self._session_length)
                stored.audit.add(login, "sign_in", "account", login)
                return SignedIn(token, stored.accounts.require(login))
        raise refusal

    def _refusal(
        self, stored: Repositories, login: str, right: bool, now: datetime
    ) -> PermissionDenied | None:
        """Why somebody may not come in, written into the account and the audit log; None when they may."""
        account = stored.accounts.get(login)
        if account is None:
            stored.audit.add("", "sign_in_failed", "account", "", {"why": "unknown"})
            return _wrong()
        locked = account.locked_until is not None and account.locked_until > now
        if locked and account.locked_until is not None:
            stored.audit.add(login, "sign_in_failed", "account", login, {"why": "locked"})
            until = f"{account.locked_until + BEIJING:%H:%M}"
            return PermissionDenied(
                "密码错的次数太多，账号暂时锁住了。", f"请在 {until} 以后再试，或请科技局重置密码。"
            )
        if not right:
            self._note_wrong(stored, login, now, "sign_in_failed")
            return _wrong()
        if account.disabled:
            stored.audit.add(login, "sign_in_failed", "account", login, {"why": "disabled"})
            return PermissionDenied("这个账号已停用。", "需要时请联系科技局。")
        return None

    def _note_wrong(self, stored: Repositories, login: str, now: datetime, action: str) -> bool:
        """Count a wrong password, in the account and the audit log; whether it locks the account."""
        failures = stored.accounts.failures(login) + 1
        full = failures >= self._rules.lockout_attempts
        until = now + timedelta(minutes=self._rules.lockout_minutes) if full else None
        stored.accounts.note_failure(login, 0 if full else failures, until)
        stored.audit.add(login, action, "account", login, {"why": "password", "locked": full})
        return full

    def account_of(self, token: str) -> Account | None:
        """The account a token belongs to, or None when the session is over; keeps a used session alive."""
        if not token:
            return None
        with self._database.reading() as session:
            stored = Repositories(session, self._clock)
            found = stored.sessions.login_of(digest(token))
            account = stored.accounts.get(found[0]) if found else None
        if found is None or account is None or account.disabled:
            return None
        if self._clock() - found[1] > TOUCH_EVERY:
            with self._database.session() as session:
                Repositories(session, self._clock).sessions.touch(
                    digest(token), self._clock() + self._session_length
                )
        return account

    def sign_out(self, token: str) -> None:
        """End a session; an unknown token does nothing."""
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            found = stored.sessions.login_of(digest(token))
            stored.sessions.drop(digest(token))
            if found is not None:
                stored.audit.add(found[0], "sign_out", "account", found[0])

    def change_password(self, token: str, old: str, new: str) -> None:
        """Replace one's own password; every other session of the account ends.

        Raises:
            PermissionDenied: the session is over, or the old password is wrong; too many wrong ones end every session.
            InputError: the new password cannot be used.
        """
        account = self.account_of(token)
        if account is None:
            raise PermissionDenied("登录已失效。", "请重新登录。")
        login = account.person.login
        with self._database.reading() as session:
            stored_hash = Repositories(session).accounts.hash_of(login)
        if not is_password(stored_hash, old[:MAX_PASSWORD]):
            with self._database.session() as session:
                stored = Repositories(session, self._clock)
                if self._note_wrong(stored, login, self._clock(), "change_password_failed"):
                    stored.sessions.drop_of(login)  # somebody guesses at an unattended desk
            raise PermissionDenied("原密码不对。", "请重新输入原密码。")
        if new == old:
            raise InputError("新密码和原密码一样。", "请换一个新密码。")
        check_new_password(new, login)
        hashed = hash_password(new)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            alive = (
                stored.sessions.login_of(digest(token)) is not None
                and not stored.accounts.require(login).disabled
            )
            if not alive or stored.accounts.hash_of(login) != stored_hash:  # reset or switched off meanwhile
                raise PermissionDenied("登录已失效。", "请重新登录。")
            stored.accounts.set_password(login, hashed, must_change=False)
            stored.sessions.drop_of(login, but=digest(token))
            stored.audit.add(login, "change_password", "account", login)

    @property
    def _session_length(self) -> timedelta:
        return timedelta(hours=self._rules.session_hours)


def check_person(person: Person) -> Person:
    """The person with trimmed texts. Raises InputError for a login or a name that cannot be used."""
    login, name = person.login.strip(), person.name.strip()
    allowed = login.replace("_", "").replace("-", "").replace(".", "").isalnum()
    if not 2 <= len(login) <= 40 or not allowed:
        raise InputError("登录名要有 2 到 40 个字，只用字母、数字、汉字和 . _ -。", "请换一个登录名。")
    if not 1 <= len(name) <= 60:
        raise InputError("姓名（单位名称）不能为空，也不要超过 60 个字。", "请填写姓名或单位名称。")
    return replace(person, login=login, name=name)


def _refuse_beside_accounts(stored: Repositories) -> None:
    if stored.accounts.all():
        raise ConflictError("已经有账号了。", "请用已有的账号登录；忘了密码请找管理员重置。")


def _wrong() -> PermissionDenied:
    return PermissionDenied("登录名或密码不对。", "请检查后再试；忘了密码请联系科技局重置。")
