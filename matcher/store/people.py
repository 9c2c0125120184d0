"""Accounts and the sessions of people signed in.

Owns the stored hash of a password, the count of failures and the expiry of a session. Deliberately hashes nothing and
decides nothing: when an account is locked, and for how long, is the services' rule. A hash never leaves except by
``hash_of``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select
from sqlalchemy import update as sql_update

from matcher.errors import ConflictError, NotFoundError
from matcher.models import Account, Person
from matcher.store.entries import Clock
from matcher.store.workday_tables import accounts, sessions
from matcher.vocab import Role


class AccountRepository:
    """Local accounts, inside the caller's transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def add(self, person: Person, password_hash: str, *, must_change: bool) -> Account:
        """Store a new account.

        Raises:
            ConflictError: the login is taken.
        """
        if self.get(person.login) is not None:
            raise ConflictError(f"登录名“{person.login}”已经有人用了。", "请换一个登录名。")
        self._connection.execute(
            insert(accounts).values(
                login=person.login,
                name=person.name,
                role=person.role.value,
                firm_id=person.firm_id,
                institution_id=person.institution_id,
                expert_id=person.expert_id,
                password_hash=password_hash,
                must_change=must_change,
                disabled=False,
                failures=0,
                locked_until=None,
                created_at=self._clock(),
                signed_in_at=None,
                version=1,
            )
        )
        return self.require(person.login)

    def get(self, login: str) -> Account | None:
        """The account, or None."""
        row = self._connection.execute(select(accounts).where(accounts.c.login == login)).first()
        return None if row is None else _account(row)

    def require(self, login: str) -> Account:
        """The account. Raises NotFoundError."""
        found = self.get(login)
        if found is None:
            raise NotFoundError(f"没有登录名为“{login}”的账号。", "请在“用户”里查看已有的账号。")
        return found

    def all(self) -> tuple[Account, ...]:
        """Every account, ordered by login."""
        found = [_account(row) for row in self._connection.execute(select(accounts))]
        return tuple(sorted(found, key=lambda account: account.person.login))

    def hash_of(self, login: str) -> str:
        """The stored password hash, "" for an unknown login."""
        query = select(accounts.c.password_hash).where(accounts.c.login == login)
        return self._connection.execute(query).scalar_one_or_none() or ""

    def failures(self, login: str) -> int:
        """Wrong passwords since the last right one."""
        query = select(accounts.c.failures).where(accounts.c.login == login)
        return self._connection.execute(query).scalar_one_or_none() or 0

    def set_password(self, login: str, password_hash: str, *, must_change: bool) -> None:
        """Replace the hash and forget failures and lock."""
        self._change(
            login, password_hash=password_hash, must_change=must_change, failures=0, locked_until=None
        )

    def note_failure(self, login: str, failures: int, locked_until: datetime | None) -> None:
        """Keep the count of wrong passwords, and until when the account is locked."""
        self._change(login, failures=failures, locked_until=locked_until)

    def note_sign_in(self, login: str) -> None:
        """Somebody signed in now; failures are forgotten."""
        self._change(login, failures=0, locked_until=None, signed_in_at=self._clock())

    def set_disabled(self, login: str, disabled: bool) -> None:
        self._change(login, disabled=disabled)

    def _change(self, login: str, **values: object) -> None:
        version = accounts.c.version + 1
        done = self._connection.execute(
            sql_update(accounts).where(accounts.c.login == login).values(**values, version=version)
        )
        if not done.rowcount:
            self.require(login)


class SessionRepository:
    """Sessions by the hash of their token; the token itself is never stored."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def add(self, token_hash: str, login: str, expires_at: datetime) -> None:
        now = self._clock()
        self._connection.execute(
            insert(sessions).values(
                token_hash=token_hash, login=login, created_at=now, seen_at=now, expires_at=expires_at
            )
        )

    def login_of(self, token_hash: str) -> tuple[str, datetime] | None:
        """(login, when last seen) of a session that has not expired, else None."""
        cells = sessions.c
        query = select(cells.login, cells.seen_at).where(
            cells.token_hash == token_hash, cells.expires_at > self._clock()
        )
        row = self._connection.execute(query).first()
        return None if row is None else (row.login, row.seen_at)

    def touch(self, token_hash: str, expires_at: datetime) -> None:
        """The session is in use now and lasts until then."""
        self._connection.execute(
            sql_update(sessions)
            .where(sessions.c.token_hash == token_hash)
            .values(seen_at=self._clock(), expires_at=expires_at)
        )

    def drop(self, token_hash: str) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    def drop_of(self, login: str, *, but: str = "") -> int:
        """End every session of an account, but one; returns how many."""
        cells = sessions.c
        query = delete(sessions).where(cells.login == login, cells.token_hash != but)
        return self._connection.execute(query).rowcount

    def drop_expired(self) -> int:
        return self._connection.execute(
            delete(sessions).where(sessions.c.expires_at <= self._clock())
        ).rowcount


def _account(row: Row[Any]) -> Account:
    return Account(
        Person(row.login, row.name, Role(row.role), row.firm_id, row.institution_id, row.expert_id),
        row.must_change,
        row.disabled,
        row.locked_until,
        row.created_at,
        row.signed_in_at,
        row.version,
    )
