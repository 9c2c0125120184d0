"""企业出题 and 需求受理: from a form somebody filled in to a published need, and back.

Owns handing forms in, the steps of a need, the lists of both sides and the register of firms for 代录. The form while it
is being filled in is ``posting_drafts``'. From handing in on, every change is an event in its transaction.
"""

from __future__ import annotations

from matcher.columns import RecordKind, clean_text
from matcher.errors import ConflictError, InputError
from matcher.intake.identity import bare, derive_id, holds_id_card
from matcher.models import Firm, Need
from matcher.services import drafting, posting_rules
from matcher.services.access import permits
from matcher.services.need_rows import HistoryLine, NeedRow, NeedView, Reader, WaitingRow
from matcher.services.posting_drafts import DraftDesk
from matcher.store.repositories import Repositories
from matcher.vocab import Sector
from matcher.workflow.permissions import Action

MAX_NAME, MAX_TOWN = 60, 20


class PostingService(DraftDesk):
    """Firms hand in and withdraw their own needs; the bureau accepts, returns and does all a firm may."""

    @permits(Action.POST_NEED)
    def submit(self, draft_id: str, version: int) -> Need:
        """Hand the form in: the need then waits for the bureau, and is found by the next query.

        A published need stays published when the bureau changes it.

        Raises:
            NotFoundError: no such draft.
            InputError: something is missing or cannot be read (names every field), or the firm has a need of this name.
            ConflictError: the draft, or the need it changes, was changed meanwhile. The draft is kept.
        """
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            work = self._work(stored, draft_id)
            if work.draft.version != version:
                raise ConflictError(
                    "这张表刚刚在别处被改过，还没有提交。", "请看一遍最新内容，没有问题再提交。"
                )
            made = posting_rules.send(stored, self._access, work)
        return self._access.shown_need(made)

    @permits(Action.POST_NEED)
    def move(self, need_id: str, to: str, version: int, reason: str = "") -> Need:
        """Take a need to another status; a firm may only hand in again or withdraw its own.

        Raises:
            NotFoundError: no such need.
            PermissionDenied: the step is the bureau's.
            InputError: there is no such step, or it lacks its reason.
            ConflictError: somebody changed the need since ``version``; says what.
        """
        with self._database.session() as session:
            stored, today = Repositories(session, self._clock), drafting.today_of(self._clock)
            moved = posting_rules.take_step(stored, self._access, need_id, to, version, reason, today)
        return self._access.shown_need(moved)

    @permits(Action.REVIEW_NEED)
    def undo(self, need_id: str, version: int) -> Need:
        """Put the previous content of a need back; its status stays. Undone twice, it is as before.

        Raises:
            NotFoundError: no such need.
            InputError: its content was never changed.
            ConflictError: somebody changed it since ``version``.
        """
        with self._database.session() as session:
            return posting_rules.restore(Repositories(session, self._clock), self._access, need_id, version)

    @permits(Action.POST_NEED)
    def mine(self) -> tuple[NeedRow, ...]:
        """The needs the person may work on: a firm's own, all for the bureau; what moved last first."""
        records = self._engine.records()
        with self._database.reading() as session:
            reader = Reader(session, self._access, records)
            own = [n for n in reader.needs.values() if self._access.sees_need(n, Action.POST_NEED)]
            return reader.rows(own)

    @permits(Action.REVIEW_NEED)
    def waiting(self) -> tuple[WaitingRow, ...]:
        """Needs that wait to be accepted, the longest waiting first."""
        records = self._engine.records()
        with self._database.reading() as session:
            return Reader(session, self._access, records).waiting()

    @permits(Action.POST_NEED)
    def open(self, need_id: str) -> NeedView:
        """One need with its history and the steps the person may take. Raises NotFoundError."""
        records = self._engine.records()
        with self._database.reading() as session:
            stored = Repositories(session)
            need = drafting.own_need(stored, self._access, need_id)
            reader = Reader(session, self._access, records)
            (row,) = reader.rows([need])
            undoes = self._access.is_bureau and posting_rules.previous(stored, need) is not None
            steps = posting_rules.steps_of(self._access, need)
            return NeedView(row, reader.history(need_id), steps, undoes)

    @permits(Action.POST_NEED)
    def history(self, need_id: str) -> tuple[HistoryLine, ...]:
        """What happened to a need, the newest first. Raises NotFoundError."""
        return self.open(need_id).history

    @permits(Action.EDIT_RECORD)
    def register_firm(self, name: str, town: str = "", sector: str = "") -> Firm:
        """Put a firm into the register, or give the one that goes by this name already.

        Raises:
            InputError: the name is missing, or something is too long or not in the list.
        """
        name, town = " ".join(clean_text(name).split()), " ".join(clean_text(town).split())
        today = drafting.today_of(self._clock)
        if not bare(name):
            raise InputError("还没有填企业名称。", "请填营业执照上的全称。")
        if len(name) > MAX_NAME or len(town) > MAX_TOWN:
            raise InputError(f"企业名称最多 {MAX_NAME} 个字，镇街最多 {MAX_TOWN} 个字。", "请精简后再试。")
        if holds_id_card(f"{name} {town}", today):
            raise InputError("里面有身份证号，没有保存。", "平台不收集身份证号，请删去后再试。")
        if sector and sector not in tuple(Sector):
            raise InputError("没有这个领域。", f"请从中选一个：{'、'.join(Sector)}。")
        firm = Firm(derive_id(RecordKind.FIRMS, {"name": name}), name, town=town, sector=sector)
        with self._database.session() as session:
            return posting_rules.register(Repositories(session, self._clock), self._access, firm)
