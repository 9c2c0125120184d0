"""Accounts: the bureau makes them, resets their passwords, and switches them off.

Owns the rule who may manage whom: the bureau manages firms and teams, only an administrator manages the bureau, and
there is always an administrator left. Passwords and sessions are ``entrance``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from matcher.errors import InputError
from matcher.models import Account, Person
from matcher.services.access import Access, denied, permits
from matcher.services.entrance import DEMO_BUREAU, check_person
from matcher.services.passwords import hash_password, new_password
from matcher.store.database import Database
from matcher.store.entries import AuditEvent
from matcher.store.repositories import Repositories
from matcher.vocab import Role
from matcher.workflow.permissions import Action, may

BUREAU = (Role.ADMIN, Role.OFFICIAL)


@dataclass(frozen=True, slots=True)
class NewPassword:
    """An account and the password to hand over; it is told once and stored nowhere."""

    account: Account
    password: str


class AccountService:
    """Every change is audited in its transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime], access: Access) -> None:
        self._database = database
        self._clock = clock
        self._access = access

    @permits(Action.MANAGE_ACCOUNTS)
    def list(self) -> tuple[Account, ...]:
        """Accounts the person may manage, by login."""
        with self._database.reading() as session:
            accounts = Repositories(session).accounts.all()
        return tuple(one for one in accounts if self._manages(one.person.role))

    @permits(Action.SEE_ENGAGEMENT)
    def officials(self) -> tuple[Person, ...]:
        """Who can follow a 对接: the bureau's accounts that are in use, by login; the person alone outside the bureau."""
        if not self._access.is_bureau:
            return (self._access.person,)
        with self._database.reading() as session:
            accounts = Repositories(session).accounts.all()
        found = [one.person for one in accounts if one.person.role in BUREAU and not one.disabled]
        in_demo = self._access.person in DEMO_BUREAU
        return tuple(found) or (DEMO_BUREAU if in_demo else (self._access.person,))

    @permits(Action.MANAGE_ACCOUNTS)
    def create(self, person: Person) -> NewPassword:
        """Make an account with a first password that must be changed.

        Raises:
            PermissionDenied: only an administrator makes accounts of the bureau.
            InputError: login or name cannot be used, or the owner is missing or unknown.
            ConflictError: the login is taken.
        """
        person = check_person(person)
        self._require(person.role)
        password = new_password()
        hashed = hash_password(password)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            person = _with_owner(stored, person)
            made = stored.accounts.add(person, hashed, must_change=True)
            self._audit(stored, "create", person)
        return NewPassword(made, password)

    @permits(Action.MANAGE_ACCOUNTS)
    def reset(self, login: str) -> NewPassword:
        """Give a new first password; the lock and every session end. Raises NotFoundError, PermissionDenied."""
        password = new_password()
        hashed = hash_password(password)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            account = self._managed(stored, login)
            stored.accounts.set_password(login, hashed, must_change=True)
            stored.sessions.drop_of(login)
            self._audit(stored, "reset_password", account.person)
            return NewPassword(stored.accounts.require(login), password)

    @permits(Action.MANAGE_ACCOUNTS)
    def set_disabled(self, login: str, disabled: bool) -> Account:
        """Switch an account off, which ends its sessions, or on again.

        Raises:
            InputError: it is the last administrator, or one's own.
        """
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            account = self._managed(stored, login)
            if disabled and login == self._access.actor:
                raise InputError("不能停用自己的账号。", "请让另一位管理员来做。")
            admins = [
                one
                for one in stored.accounts.all()
                if one.person.role is Role.ADMIN and not one.disabled and one.person.login != login
            ]
            if disabled and account.person.role is Role.ADMIN and not admins:
                raise InputError("这是最后一个管理员账号，不能停用。", "请先建立另一个管理员账号。")
            stored.accounts.set_disabled(login, disabled)
            if disabled:
                stored.sessions.drop_of(login)
            self._audit(stored, "disable" if disabled else "enable", account.person)
            return stored.accounts.require(login)

    @permits(Action.SEE_AUDIT)
    def audit(self, limit: int = 200) -> tuple[AuditEvent, ...]:
        """The latest lines of the audit log, newest first."""
        with self._database.reading() as session:
            return Repositories(session).audit.latest(limit)

    def _manages(self, role: Role) -> bool:
        return role not in BUREAU or may(self._access.person, Action.MANAGE_OFFICIALS)

    def _require(self, role: Role) -> None:
        if not self._manages(role):
            raise denied(Action.MANAGE_OFFICIALS)

    def _managed(self, stored: Repositories, login: str) -> Account:
        account = stored.accounts.require(login)
        self._require(account.person.role)
        return account

    def _audit(self, stored: Repositories, action: str, person: Person) -> None:
        stored.audit.add(self._access.actor, action, "account", person.login, {"role": person.role.value})


def _with_owner(stored: Repositories, person: Person) -> Person:
    """The person with the ids their role needs and no others."""
    bare = Person(person.login, person.name, person.role)
    if person.role is Role.FIRM:
        if stored.firms.get(person.firm_id) is None:
            raise InputError("企业账号要指定一家已登记的企业。", "请先在“数据”里登记这家企业，再选它。")
        return Person(bare.login, bare.name, bare.role, firm_id=person.firm_id)
    if person.role is Role.TEAM:
        expert = stored.experts.get(person.expert_id) if person.expert_id else None
        if person.expert_id and expert is None:
            raise InputError("没有这个专家（团队）。", "请重新选择。")
        institution_id = expert.institution_id if expert else person.institution_id
        if expert is None and stored.institutions.get(institution_id) is None:
            raise InputError("专家账号要指定一个团队，或一个已登记的单位。", "请重新选择。")
        return Person(
            bare.login, bare.name, bare.role, institution_id=institution_id, expert_id=person.expert_id
        )
    return bare
