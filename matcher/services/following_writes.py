"""One writing transaction on 对接.

Owns reading what a write is checked against, and writing row and event together: every version of a 对接 has exactly one
event, which is how the second of two writers can be told what the first one did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from matcher.models import Engagement
from matcher.services.access import Access
from matcher.services.following_rules import as_last_seen
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.workflow.permissions import Action


class Writer:
    """Checked reading and writing inside one session."""

    def __init__(self, stored: Repositories, access: Access, clock: Callable[[], datetime]) -> None:
        self.stored = stored
        self._access = access
        self._clock = clock

    def current(
        self, engagement_id: str, version: int | None = None, action: Action = Action.EDIT_ENGAGEMENT
    ) -> Engagement:
        """The 对接 as stored now, if the person may do this to it and, when a version is given, saw it so.

        Raises:
            NotFoundError: there is none, or none for this person.
            ConflictError: somebody took a step or changed a field since ``version``.
        """
        found = self._access.engagement(self.stored.engagements.require(engagement_id), action)
        if version is not None:
            as_last_seen(self.stored, found, version, names_of(self.stored))
        return found

    def write(
        self, after: Engagement, before: Engagement, action: str, detail: Mapping[str, object]
    ) -> Engagement:
        """Store a change with its event; returns it with its new version."""
        written = self.stored.engagements.update(after, before.version)
        self.stored.audit.add(self._access.actor, action, "engagement", after.engagement_id, detail)
        return written

    def touch(self, before: Engagement, action: str, detail: Mapping[str, object]) -> Engagement:
        """Store that somebody did something with it, with the event."""
        return self.write(replace(before, touched_at=self._clock()), before, action, detail)


@contextmanager
def writing(database: Database, access: Access, clock: Callable[[], datetime]) -> Iterator[Writer]:
    """A ``Writer`` over a transaction of its own."""
    with database.session() as session:
        yield Writer(Repositories(session, clock), access, clock)


def names_of(stored: Repositories) -> dict[str, str]:
    """Login → name of everybody with an account."""
    return {one.person.login: one.person.name or one.person.login for one in stored.accounts.all()}
