"""What moves during a working day: drafts, 对接, answers of teams, and files kept with a 对接.

Owns reading and checked writing of these four. Every change names the version it started from; a second writer gets
a ``ConflictError`` that says what the first one changed. Deliberately checks no permission and no transition.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from matcher.errors import ConflictError, NotFoundError
from matcher.models import Attachment, Draft, Engagement, Interest
from matcher.store.entries import Clock
from matcher.store.records import batches
from matcher.store.tables import changes
from matcher.store.versioned import VersionedRepository, new_id
from matcher.store.workday_tables import attachments, drafts, engagements, interests
from matcher.vocab import InterestState
from matcher.workflow.states import OPEN_STAGES


class DraftRepository(VersionedRepository[Draft]):
    """Unsent forms of needs."""

    cls, table, what = Draft, drafts, "草稿"

    def add(self, firm_id: str, author: str, content: Mapping[str, str], need_id: str = "") -> Draft:
        made = Draft(new_id("D"), need_id, firm_id, author, dict(content), self._clock())
        self._connection.execute(insert(drafts).values(**self._row(made)))
        return made

    def of_firm(self, firm_id: str) -> tuple[Draft, ...]:
        """Drafts of a firm, the latest first."""
        return self._where(drafts.c.firm_id == firm_id)

    def all(self) -> tuple[Draft, ...]:
        """Every draft, the latest first."""
        return self._where()

    def of_need(self, need_id: str) -> Draft | None:
        """The unsent change of a stored need, or None."""
        return next(iter(self._where(drafts.c.need_id == need_id)), None)

    def delete(self, draft_id: str) -> None:
        self._connection.execute(delete(drafts).where(drafts.c.draft_id == draft_id))

    def _where(self, *conditions: Any) -> tuple[Draft, ...]:
        query = select(drafts).where(*conditions).order_by(drafts.c.updated_at.desc(), drafts.c.draft_id)
        return tuple(self._decode(row) for row in self._connection.execute(query))


class EngagementRepository(VersionedRepository[Engagement]):
    """对接. Every change adds a line to the change log, so that other processes read them anew."""

    cls, table, what = Engagement, engagements, "对接"

    def add(self, engagement: Engagement) -> Engagement:
        """Begin a 对接.

        Raises:
            ConflictError: the pair has one that is not over.
        """
        open_one = self.open_of_pair(engagement.need_id, engagement.expert_id)
        if open_one is not None:
            raise ConflictError(
                f"这条需求与这个团队已经在对接，现在是“{open_one.stage}”，经办人 {open_one.owner or '未定'}。",
                "请到“对接跟踪”里打开它。",
            )
        try:
            self._connection.execute(insert(engagements).values(**self._row(engagement)))
        except IntegrityError as error:
            raise ConflictError("这条对接刚刚已由别人建立。", "请刷新后再看。") from error
        self._log(engagement.engagement_id, "insert")
        return engagement

    def update(self, changed: Engagement, expected_version: int) -> Engagement:
        stored = super().update(changed, expected_version)
        self._log(stored.engagement_id, "update")
        return stored

    def delete(self, engagement_id: str) -> None:
        """Take one away that was begun by mistake, with its files."""
        self._connection.execute(delete(attachments).where(attachments.c.engagement_id == engagement_id))
        self._connection.execute(delete(engagements).where(self._id == engagement_id))
        self._log(engagement_id, "delete")

    def all(self) -> tuple[Engagement, ...]:
        """Every 对接, ordered by id."""
        found = [self._decode(row) for row in self._connection.execute(select(engagements))]
        return tuple(sorted(found, key=lambda one: one.engagement_id))

    def open_of_pair(self, need_id: str, expert_id: str) -> Engagement | None:
        """The 对接 of the pair that is neither landed nor ended, or None."""
        cells = engagements.c
        query = select(engagements).where(
            cells.need_id == need_id, cells.expert_id == expert_id, cells.stage.in_(OPEN_STAGES)
        )
        row = self._connection.execute(query).first()
        return None if row is None else self._decode(row)

    def _log(self, engagement_id: str, op: str) -> None:
        row = {"kind": "engagements", "record_id": engagement_id, "op": op, "at": self._clock()}
        self._connection.execute(insert(changes).values(**row))


class InterestRepository(VersionedRepository[Interest]):
    """Answers of teams to published needs."""

    cls, table, what = Interest, interests, "揭榜申请"

    def add(self, interest: Interest) -> Interest:
        """Store an answer.

        Raises:
            ConflictError: the team has answered this need already.
        """
        open_states = (InterestState.SENT, InterestState.TAKEN)
        for one in self.of_pairs([(interest.need_id, interest.expert_id)]):
            if one.state in open_states:
                raise ConflictError("这个团队已经揭过这条榜。", "可以打开原来的申请修改或撤回。")
        try:
            self._connection.execute(insert(interests).values(**self._row(interest)))
        except IntegrityError as error:
            raise ConflictError("这个团队刚刚已经揭过这条榜。", "请刷新后再看。") from error
        return interest

    def all(self) -> tuple[Interest, ...]:
        """Every answer, the latest first."""
        return self._where()

    def of_need(self, need_id: str) -> tuple[Interest, ...]:
        return self._where(interests.c.need_id == need_id)

    def of_experts(self, expert_ids: Collection[str]) -> tuple[Interest, ...]:
        """Answers of some teams, the latest first."""
        found = [one for b in batches(expert_ids) for one in self._where(interests.c.expert_id.in_(b))]
        return tuple(sorted(found, key=lambda one: (one.sent_at, one.interest_id), reverse=True))

    def of_pairs(self, pairs: Collection[tuple[str, str]]) -> tuple[Interest, ...]:
        wanted = set(pairs)
        needs = sorted({need_id for need_id, _ in wanted})
        found = [one for b in batches(needs) for one in self._where(interests.c.need_id.in_(b))]
        return tuple(one for one in found if (one.need_id, one.expert_id) in wanted)

    def _where(self, *conditions: Any) -> tuple[Interest, ...]:
        order = (interests.c.sent_at.desc(), interests.c.interest_id)
        query = select(interests).where(*conditions).order_by(*order)
        return tuple(self._decode(row) for row in self._connection.execute(query))


class AttachmentRepository:
    """Files kept with a 对接: stored as they came, never opened."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def add(self, engagement_id: str, name: str, content: bytes, sha256: str, uploaded_by: str) -> Attachment:
        made = Attachment(new_id("A"), engagement_id, name, len(content), sha256, uploaded_by, self._clock())
        values = {item.name: getattr(made, item.name) for item in fields(made)}
        self._connection.execute(insert(attachments).values(**values, content=content))
        return made

    def of(self, engagement_id: str) -> tuple[Attachment, ...]:
        """Files of a 对接 without their content, oldest first."""
        columns = [attachments.c[item.name] for item in fields(Attachment)]
        query = select(*columns).where(attachments.c.engagement_id == engagement_id)
        rows = self._connection.execute(
            query.order_by(attachments.c.uploaded_at, attachments.c.attachment_id)
        )
        return tuple(Attachment(*row) for row in rows)

    def content(self, attachment_id: str) -> tuple[Attachment, bytes]:
        """A file with its content. Raises NotFoundError."""
        columns = [attachments.c[item.name] for item in fields(Attachment)]
        query = select(*columns, attachments.c.content).where(attachments.c.attachment_id == attachment_id)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFoundError("这个附件不存在，可能已被删除。", "请刷新后再看。")
        return Attachment(*row[:-1]), bytes(row[-1])

    def delete(self, attachment_id: str) -> None:
        self._connection.execute(delete(attachments).where(attachments.c.attachment_id == attachment_id))
