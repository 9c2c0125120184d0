"""Every repository over one transaction.

Owns the composition and the change log's reading side. A ``Repositories`` lives as long as the
session it was made from.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from matcher.store.codec import COOPERATION, EXPERTS, FIRMS, INSTITUTIONS, NEEDS
from matcher.store.entries import Change, Clock, utc_now
from matcher.store.journal import (
    AuditRepository,
    DecisionRepository,
    MappingRepository,
    RunRepository,
    SettingRepository,
)
from matcher.store.people import AccountRepository, SessionRepository
from matcher.store.records import RecordRepository, WorkRepository
from matcher.store.shortlists import ShortlistRepository
from matcher.store.tables import changes, experts, needs
from matcher.store.workday import (
    AttachmentRepository,
    DraftRepository,
    EngagementRepository,
    InterestRepository,
)


class Repositories:
    """What services read and write, by name."""

    def __init__(self, session: Connection, clock: Clock = utc_now) -> None:
        """Bind to a session of ``Database``; ``clock`` gives the time of everything written."""
        self._session = session
        self.needs = RecordRepository(session, NEEDS, clock)
        self.experts = RecordRepository(session, EXPERTS, clock)
        self.works = WorkRepository(session, clock)
        self.firms = RecordRepository(session, FIRMS, clock)
        self.institutions = RecordRepository(session, INSTITUTIONS, clock)
        self.cooperation = RecordRepository(session, COOPERATION, clock)
        self.runs = RunRepository(session)
        self.decisions = DecisionRepository(session, clock)
        self.shortlists = ShortlistRepository(session, clock)
        self.audit = AuditRepository(session, clock)
        self.mappings = MappingRepository(session, clock)
        self.settings = SettingRepository(session)
        self.accounts = AccountRepository(session, clock)
        self.sessions = SessionRepository(session, clock)
        self.drafts = DraftRepository(session, clock)
        self.engagements = EngagementRepository(session, clock)
        self.interests = InterestRepository(session, clock)
        self.attachments = AttachmentRepository(session, clock)

    def revision(self) -> int:
        """The number of the latest change of any record; 0 when there is none."""
        newest = self._session.execute(select(func.max(changes.c.revision))).scalar_one()
        return newest or 0

    def has_unowned(self) -> bool:
        """Whether a need or a profile has no owner yet: those of an earlier schema."""
        blank = (needs.c.need_id, needs.c.firm_id), (experts.c.expert_id, experts.c.institution_id)
        queries = (select(key).where(owner == "").limit(1) for key, owner in blank)
        return any(self._session.execute(query).first() is not None for query in queries)

    def changes_since(self, revision: int) -> tuple[Change, ...]:
        """Changes after a revision, oldest first; a record may occur several times."""
        query = select(changes.c.revision, changes.c.kind, changes.c.record_id, changes.c.op)
        rows = self._session.execute(query.where(changes.c.revision > revision).order_by(changes.c.revision))
        return tuple(Change(*row) for row in rows)
