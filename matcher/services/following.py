"""对接跟踪: list, open, move, note and hand over what was accepted, until it is signed and lands.

Owns the use cases; each write is one transaction with its event, and every version of a 对接 has exactly one event.
What a step may say is ``following_rules``', how it is shown ``following_views``', what is overdue ``reminders``'.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime

from matcher.config import WorkflowSettings
from matcher.errors import ConflictError, InputError, StoreError
from matcher.export.document import Document, Sheet
from matcher.export.writers import write_document
from matcher.models import Attachment, Engagement
from matcher.services import enclosures
from matcher.services.access import Access, permits
from matcher.services.contracts import checked_day, same_contract
from matcher.services.engine import Engine
from matcher.services.following_rules import (
    WAYS,
    Typed,
    after_step,
    changed_fields,
    checked_owner,
    checked_text,
)
from matcher.services.following_views import (
    BoardColumn,
    EngagementFilter,
    EngagementRow,
    EngagementView,
    build_row,
    expert_seen,
    in_order,
    need_seen,
    on_board,
    rows_sheet,
    team_elsewhere,
)
from matcher.services.following_writes import Writer, names_of, writing
from matcher.services.reminders import Digest, build_digest, day_of, digest_document
from matcher.services.timeline import contacts, timeline
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.vocab import Stage
from matcher.workflow.permissions import Action, may
from matcher.workflow.states import check_stage_step, next_stages


class FollowingService:
    """Lists come from the engine's records; whatever guards a write is read in the transaction that writes."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        rules: WorkflowSettings,
        clock: Callable[[], datetime],
        access: Access,
    ) -> None:
        self._engine = engine
        self._database = database
        self._rules = rules
        self._clock = clock
        self._access = access

    # ------------------------------------------------------------ look

    @permits(Action.SEE_ENGAGEMENT)
    def list(self, filter: EngagementFilter | None = None) -> tuple[EngagementRow, ...]:
        """The 对接 the person may see and the filter lets pass, the most overdue first."""
        return self._listed(filter)

    @permits(Action.SEE_ENGAGEMENT)
    def board(self, filter: EngagementFilter | None = None) -> tuple[BoardColumn, ...]:
        """The same by stage, every stage in the order of the work."""
        return on_board(self._listed(filter))

    @permits(Action.SEE_ENGAGEMENT)
    def open(self, engagement_id: str) -> EngagementView:
        """Everything the person may see of one 对接. Raises NotFoundError."""
        records, access, today = self._engine.records(), self._access, self._today
        with self._database.reading() as session:
            stored = Repositories(session)
            one = access.engagement(stored.engagements.require(engagement_id))
            need, expert = stored.needs.get(one.need_id), stored.experts.get(one.expert_id)
            events = stored.audit.of("engagement", engagement_id)
            names = names_of(stored)
            others = [e.engagement_id for e in records.engagements_by_expert.get(one.expert_id, ())]
            noted = stored.audit.of_many("engagement", others, "engagement.contact")
            files = stored.attachments.of(engagement_id)
        bureau = access.is_bureau
        forbidden = records.forbidden.kind(one.firm, expert) if bureau and expert else ""
        can_edit = may(access.person, Action.EDIT_ENGAGEMENT)
        return EngagementView(
            row=build_row(access, one, need, names, today, self._rules.remind_days),
            need=need_seen(access, need),
            expert=expert_seen(access, expert),
            steps=next_stages(one.stage) if can_edit else (),
            timeline=timeline(events, names, whole=bureau),
            contacts=contacts(events, names) if bureau else (),
            attachments=files if bureau else (),
            elsewhere=team_elsewhere(records, one, noted, today) if bureau else (),
            warnings=(f"台账里这家企业与该团队（单位）标为“{forbidden}”。",) if forbidden else (),
            can_edit=can_edit,
        )

    # ------------------------------------------------------------ change

    @permits(Action.EDIT_ENGAGEMENT)
    def move(
        self,
        engagement_id: str,
        to: Stage,
        version: int,
        *,
        reason: str = "",
        on: date | None = None,
        contract_kind: str = "",
        contract_no: str = "",
        signed_wan: float | None = None,
        paid_wan: float | None = None,
    ) -> Engagement:
        """Take one step of the stage table.

        Args:
            version: the one the person saw.
            reason: an ``EndReason`` for 终止, a sentence for a step back.
            on: day of signing, landing or ending; ending takes today by default.
            contract_kind: a ``ContractKind``, required for 签约; number and amounts may follow later.

        Raises:
            NotFoundError: no such 对接.
            InputError: no such step, or something it needs is missing or wrong.
            ConflictError: somebody took a step or changed a field since; says what.
        """
        why = checked_text("reason", reason)
        typed = Typed(why, on, contract_kind, contract_no, signed_wan, paid_wan)
        with self._writing() as writer:
            current = writer.current(engagement_id, version)
            check_stage_step(current.stage, to, why)
            after, said = after_step(writer.stored, current, to, typed, self._today)
            now = self._clock()
            after = replace(after, stage=str(to), stage_since=now, touched_at=now)
            detail = {"from": current.stage, "to": after.stage, "why": why, **said}
            return writer.write(after, current, "engagement.step", detail)

    @permits(Action.EDIT_ENGAGEMENT)
    def edit(self, /, engagement_id: str, version: int, **fields: object) -> Engagement:
        """Change next_action, due_on, owner, note, or what a signed one says of its contract.

        Raises: as ``move``; ValueError for another field.
        """
        with self._writing() as writer:
            current = writer.current(engagement_id, version)
            after, changes = changed_fields(writer.stored, self._access, current, fields, self._today)
            if not changes:
                return current
            if changes.keys() != {"owner"}:
                after = replace(after, touched_at=self._clock())
            return writer.write(after, current, "engagement.edit", {"changes": changes})

    @permits(Action.EDIT_ENGAGEMENT)
    def contact(self, engagement_id: str, on: date, way: str, text: str) -> Engagement:
        """Note a contact with the firm or the team. Raises NotFoundError, InputError."""
        if way not in WAYS:
            raise InputError(f"没有“{way}”这种联系方式。", f"可以选：{'、'.join(WAYS)}。")
        on, text = checked_day("联系日期", on, self._today), checked_text("text", text, required=True)
        detail = {"on": on.isoformat(), "way": way, "text": text}
        with self._writing() as writer:
            return writer.touch(writer.current(engagement_id), "engagement.contact", detail)

    @permits(Action.EDIT_ENGAGEMENT)
    def contract_notice(self, engagement_id: str, contract_no: str) -> str:
        """What to know about a contract number before it is registered: that it counts once. Raises InputError."""
        with self._database.reading() as session:
            stored = Repositories(session)
            current = Writer(stored, self._access, self._clock).current(engagement_id)
            return same_contract(stored, current, contract_no)

    @permits(Action.HAND_OVER)
    def hand_over(self, from_login: str, to_login: str, ids: Collection[str] | None = None) -> int:
        """Give what one official follows to another, all in one step; returns how many.

        Handing over is no following up: nothing becomes less overdue by it.

        Args:
            from_login: whose they are now; empty for those without an owner.
            ids: only these; None for all that are not 终止.

        Raises:
            InputError: the other cannot follow a 对接, or is the same.
            ConflictError: one of ``ids`` is somebody else's by now; nothing is handed over.
        """
        if from_login == to_login:
            raise InputError("移出和移入的是同一个人。", "请重新选择。")
        detail = {"from": from_login, "to": to_login}
        with self._writing() as writer:
            checked_owner(writer.stored, self._access, to_login)
            every = () if ids is not None else writer.stored.engagements.all()
            wanted = [e.engagement_id for e in every if e.owner == from_login and e.stage != Stage.ENDED]
            for one_id in dict.fromkeys(wanted if ids is None else ids):
                one = writer.current(one_id, action=Action.HAND_OVER)
                if one.owner != from_login:
                    raise ConflictError(
                        f"“{one.firm}”的对接现在由 {one.owner or '（无）'} 经办，一项都没有移交。",
                        "请刷新后重新选择。",
                    )
                writer.write(replace(one, owner=to_login), one, "engagement.hand_over", detail)
        return len(set(wanted if ids is None else ids))

    # ------------------------------------------------------------ files kept with a 对接

    @permits(Action.EDIT_ENGAGEMENT)
    def attach(self, engagement_id: str, name: str, data: bytes) -> Attachment:
        """Keep a file. Raises NotFoundError, and InputError for its kind, size, name or number."""
        name = enclosures.clean_name(name)
        sha256 = enclosures.check_content(name, data, self._rules.max_upload_mib)
        with self._writing() as writer:
            current, files = writer.current(engagement_id), writer.stored.attachments
            enclosures.check_room(files.of(engagement_id), sha256)
            made = files.add(engagement_id, name, data, sha256, self._access.actor)
            writer.touch(current, "engagement.attach", {"attachment": made.attachment_id, "name": name})
        return made

    @permits(Action.EDIT_ENGAGEMENT)
    def download(self, attachment_id: str) -> tuple[Attachment, bytes]:
        """A file as it was uploaded. Raises NotFoundError, and StoreError when it is damaged."""
        with self._database.reading() as session:
            stored = Repositories(session)
            found, data = stored.attachments.content(attachment_id)
            Writer(stored, self._access, self._clock).current(found.engagement_id)
        if enclosures.fingerprint(data) != found.sha256:
            raise StoreError(f"附件“{found.name}”在库里已损坏。", "请用最近的备份恢复，或重新上传。")
        return found, data

    @permits(Action.EDIT_ENGAGEMENT)
    def detach(self, attachment_id: str) -> None:
        """Delete a file. Raises NotFoundError."""
        with self._writing() as writer:
            found, _ = writer.stored.attachments.content(attachment_id)
            current = writer.current(found.engagement_id)
            writer.stored.attachments.delete(attachment_id)
            writer.touch(current, "engagement.detach", {"attachment": attachment_id, "name": found.name})

    # ------------------------------------------------------------ overdue, and lists as files

    @permits(Action.EDIT_ENGAGEMENT)
    def digest(self, owner: str = "") -> Digest:
        """What is overdue, by owner; only one login's, or everybody's."""
        with self._database.reading() as session:
            names = names_of(Repositories(session))
        mine = [e for e in self._engine.records().engagements.values() if self._access.sees_engagement(e)]
        return build_digest(mine, names, self._clock(), self._rules.remind_days, owner)

    @permits(Action.EXPORT)
    def digest_file(self, owner: str, suffix: str) -> bytes:
        """The digest as a file. Raises InputError for an unknown suffix."""
        digest = self.digest(owner)
        return self._exported("digest", digest_document(digest), suffix, len(digest.items))

    @permits(Action.EXPORT)
    def list_file(self, filter: EngagementFilter | None, suffix: str) -> bytes:
        """The list as a file. Raises InputError for an unknown suffix."""
        rows = self._listed(filter)
        return self._exported("engagements", rows_sheet(rows, self._today), suffix, len(rows))

    # ------------------------------------------------------------ parts

    @property
    def _today(self) -> date:
        return day_of(self._clock())

    def _listed(self, filter: EngagementFilter | None) -> tuple[EngagementRow, ...]:
        wanted, records, access = filter or EngagementFilter(), self._engine.records(), self._access
        with self._database.reading() as session:
            names = names_of(Repositories(session))
        given = names, self._today, self._rules.remind_days
        rows = (
            build_row(access, one, records.needs.get(one.need_id), *given)
            for one in records.engagements.values()
            if access.sees_engagement(one)
        )
        return in_order(row for row in rows if wanted.passes(row))

    def _writing(self) -> AbstractContextManager[Writer]:
        return writing(self._database, self._access, self._clock)

    def _exported(self, what: str, content: Document | Sheet, suffix: str, n_rows: int) -> bytes:
        data = write_document(content, suffix)
        with self._database.session() as session:
            audit = Repositories(session, self._clock).audit
            audit.add(self._access.actor, "export", what, "", {"suffix": suffix, "rows": n_rows})
        return data
