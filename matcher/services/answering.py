"""揭榜: teams see the published needs that fit them and answer with one page; the bureau takes an answer or declines it.

Owns the use cases and their events. Taking an answer is a decision and the beginning of a 对接, in one transaction. What
a page may say, and how rows look, is ``answering_rules``'.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from matcher.errors import ConflictError, InputError, NotFoundError
from matcher.models import Expert, Interest, Need, Run
from matcher.ranking.eligibility import ForbiddenPairs, Names
from matcher.services import answering_rules as rules
from matcher.services.access import Access, missing_expert, missing_need, permits
from matcher.services.answering_rules import AnswerRow, CallRow
from matcher.services.engaging import begin_engagement
from matcher.services.engine import Engine
from matcher.services.rankings import BEIJING
from matcher.services.review_queue import rank_pairs
from matcher.services.review_rules import name_of, pair_key
from matcher.services.snapshot import Records
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.store.versioned import new_id
from matcher.vocab import DecisionKind, InterestState
from matcher.workflow.permissions import Action, is_open

TOP = 20
TAKEN_NOTE = "采纳揭榜申请"


class AnsweringService:
    """A team answers for its own profiles; the bureau settles."""

    def __init__(
        self, engine: Engine, database: Database, clock: Callable[[], datetime], access: Access
    ) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._access = access

    @permits(Action.DECLARE)
    def profiles(self) -> tuple[Expert, ...]:
        """The profiles the person may answer for, by id."""
        return self._own("")[1]

    @permits(Action.DECLARE)
    def calls(self, expert_id: str = "", text: str = "", top: int = TOP) -> tuple[CallRow, ...]:
        """Published needs for a profile, best first; without one for all own profiles, each need by the best of them.

        Args:
            text: only needs that hold all of its words, as far as the team may read them.

        Raises:
            NotFoundError: no such profile among the own ones.
        """
        records, own = self._own(expert_id)
        open_needs = (n for n in records.needs.values() if is_open(n) and self._access.sees_need(n))
        return self._rows(own, tuple(open_needs), text, top)

    @permits(Action.DECLARE)
    def call(self, need_id: str, expert_id: str = "") -> CallRow:
        """One published need, with how the profile (or the best of the own ones) fits it.

        Raises:
            NotFoundError: no such need or profile, as far as the team may know; also for a forbidden pair.
        """
        need = self._access.need(self._engine.records().need(need_id))
        _, own = self._own(expert_id)
        rows = self._rows(own, (need,), "", 1)
        if rows:
            return rows[0]
        raise NotFoundError(*missing_need(need_id))

    @permits(Action.DECLARE)
    def declare(
        self,
        need_id: str,
        expert_id: str,
        approach: str,
        foundation: str = "",
        plan: str = "",
        terms: str = "",
    ) -> Interest:
        """Answer a published need for an own profile.

        Raises:
            NotFoundError: no such need or profile, as far as the team may know.
            InputError: the page cannot be kept as it is, or the need takes no answer of this team.
            ConflictError: the team has answered it already.
        """
        given = {"approach": approach, "foundation": foundation, "plan": plan, "terms": terms}
        with self._database.session() as session:
            stored, now = Repositories(session, self._clock), self._clock()
            need, expert = self._pair(stored, need_id, expert_id)
            texts = rules.checked_page(given, self._today())
            self._refuse_pair(stored, need, expert)
            made = stored.interests.add(
                Interest(
                    interest_id=new_id("J"),
                    need_id=need.need_id,
                    expert_id=expert.expert_id,
                    institution_id=expert.institution_id,
                    approach=texts["approach"],
                    foundation=texts["foundation"],
                    plan=texts["plan"],
                    terms=texts["terms"],
                    state=InterestState.SENT.value,
                    sent_by=self._access.actor,
                    sent_at=now,
                    updated_at=now,
                )
            )
            detail = {"need": need.need_id, "expert": expert.expert_id}
            stored.audit.add(self._access.actor, "interest.send", "interest", made.interest_id, detail)
        return made

    @permits(Action.DECLARE)
    def edit(
        self,
        interest_id: str,
        version: int,
        approach: str,
        foundation: str = "",
        plan: str = "",
        terms: str = "",
    ) -> Interest:
        """Change an answer nobody has settled yet.

        Raises:
            NotFoundError: no such answer.
            InputError: the page cannot be kept as it is, or the answer is settled or withdrawn.
            ConflictError: it was changed since ``version``; says what.
        """
        given = {"approach": approach, "foundation": foundation, "plan": plan, "terms": terms}
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            present = self._open(stored, interest_id, "修改")
            texts = rules.checked_page(given, self._today())
            changed = rules.moved(present, self._clock(), **texts)
            names = [name for name, text in texts.items() if text != getattr(present, name)]
            if not names and present.version == version:
                return present
            made = stored.interests.update(changed, version)
            stored.audit.add(self._access.actor, "interest.edit", "interest", interest_id, {"fields": names})
        return made

    @permits(Action.DECLARE)
    def withdraw(self, interest_id: str, version: int) -> Interest:
        """Take an answer back that nobody has settled yet; the team may answer again.

        Raises:
            NotFoundError: no such answer.
            InputError: it is settled or withdrawn.
            ConflictError: it was changed since ``version``.
        """
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            present = self._open(stored, interest_id, "撤回")
            rules.check_read(present, version)
            changed = rules.moved(present, self._clock(), state=InterestState.WITHDRAWN.value)
            made = stored.interests.update(changed, version)
            stored.audit.add(self._access.actor, "interest.withdraw", "interest", interest_id, {})
        return made

    @permits(Action.SEE_INTEREST)
    def mine(self) -> tuple[AnswerRow, ...]:
        """The answers the person may see, the latest first; a team's are its own."""
        return self._answers("", "")

    @permits(Action.SEE_INTEREST)
    def answers(self, state: str = "", need_id: str = "") -> tuple[AnswerRow, ...]:
        """Answers in one state and to one need, or all; the latest first."""
        return self._answers(state, need_id)

    @permits(Action.SETTLE_INTEREST)
    def settle(self, interest_id: str, version: int, take: bool, reply: str = "") -> Interest:
        """Take an answer, which begins the 对接, or decline it with a sentence.

        Raises:
            NotFoundError: no such answer, or its need or team is gone.
            InputError: it is settled or withdrawn, declined without a reply, or the 对接 cannot begin.
            ConflictError: it was changed since ``version``, or the pair is in 对接 already.
        """
        reply = rules.checked_reply(reply, self._today(), required=not take)
        state = InterestState.TAKEN.value if take else InterestState.DECLINED.value
        run = self._run(interest_id) if take else None
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            present = self._open(stored, interest_id, "答复", Action.SETTLE_INTEREST)
            rules.check_read(present, version)
            changed = rules.moved(present, self._clock(), state=state, reply=reply)
            made = stored.interests.update(changed, version)
            engagement = self._begin(stored, present, run) if take else ""
            said = {"to": state, "reply": reply, "engagement": engagement}
            stored.audit.add(self._access.actor, "interest.settle", "interest", interest_id, said)
        return made

    # ------------------------------------------------------------ parts

    def _today(self) -> date:
        return (self._clock() + BEIJING).date()

    def _own(self, expert_id: str) -> tuple[Records, tuple[Expert, ...]]:
        """The records of now, and the profile, or all own ones. Raises NotFoundError, HiddenError."""
        records = self._engine.records()
        if expert_id:
            return records, (self._access.expert(records.expert(expert_id), Action.DECLARE),)
        experts = records.experts.values()
        return records, tuple(e for e in experts if self._access.sees_expert(e, Action.DECLARE))

    def _rows(
        self, own: tuple[Expert, ...], needs: tuple[Need, ...], text: str, top: int
    ) -> tuple[CallRow, ...]:
        if not own:
            return ()
        snapshot, _ = self._engine.question()
        shown = {need.need_id: self._access.shown_need(need) for need in needs}
        found = rules.rank_calls(snapshot, own, shown, text, top)
        real = snapshot.records.needs
        found = tuple((n, e, self._access.shown_match(m, real[n.need_id])) for n, e, m in found)
        with self._database.reading() as session:
            answers = Repositories(session).interests.of_experts([expert.expert_id for expert in own])
        return rules.call_rows(snapshot.records, found, answers, self._today())

    def _answers(self, state: str, need_id: str) -> tuple[AnswerRow, ...]:
        records = self._engine.records()
        with self._database.reading() as session:
            stored = Repositories(session)
            found = stored.interests.of_need(need_id) if need_id else stored.interests.all()
            seen = [i for i in found if self._access.sees_interest(i) and state in ("", i.state)]
            return rules.answer_rows(stored, self._access, records, seen)

    def _pair(self, stored: Repositories, need_id: str, expert_id: str) -> tuple[Need, Expert]:
        need, expert = stored.needs.get(need_id), stored.experts.get(expert_id)
        if need is None:
            raise NotFoundError(*missing_need(need_id))
        self._access.need(need)
        if expert is None:
            raise NotFoundError(*missing_expert(expert_id))
        return need, self._access.expert(expert, Action.DECLARE)

    def _refuse_pair(self, stored: Repositories, need: Need, expert: Expert) -> None:
        """Raise InputError when the pair is in 对接 already or the 台账 forbids it; why is not told to a team."""
        if stored.engagements.open_of_pair(need.need_id, expert.expert_id) is not None:
            raise InputError("贵团队已经在对接这条需求，不用再揭榜。", "请到“对接跟踪”里看进展。")
        names = Names.build(stored.firms.all(), stored.institutions.all())
        if ForbiddenPairs.build(stored.cooperation.all(), names).kind(need.company, expert):
            raise InputError("这条需求不接受贵团队在线揭榜。", "有疑问请联系科技局。")

    def _open(
        self, stored: Repositories, interest_id: str, what: str, action: Action = Action.DECLARE
    ) -> Interest:
        """The answer while nobody has settled it. Raises NotFoundError, HiddenError, InputError."""
        present = self._access.interest(stored.interests.require(interest_id), action)
        if present.state == InterestState.SENT:
            return present
        said = f"这份揭榜申请现在是“{present.state}”，不能再{what}。"
        if action is Action.SETTLE_INTEREST:
            settled = [e for e in stored.audit.of("interest", interest_id) if e.action == "interest.settle"]
            who = f"{name_of(stored, settled[-1].actor)}已经答复，" if settled else ""
            raise ConflictError(f"{who}{said}", "请刷新后再看。")
        raise InputError(
            said, "需要时请联系科技局。" if present.state == InterestState.TAKEN else "请刷新后再看。"
        )

    def _run(self, interest_id: str) -> Run | None:
        """The ranking to keep with the decision, made before the transaction; None when a record is gone."""
        with self._database.reading() as session:
            asked = Repositories(session).interests.require(interest_id)
        snapshot, lacks = self._engine.question()
        need = snapshot.records.needs.get(asked.need_id)
        if need is None or asked.expert_id not in snapshot.records.experts:
            return None
        return rank_pairs(snapshot, need, [asked.expert_id], now=self._clock(), degraded=lacks)

    def _begin(self, stored: Repositories, interest: Interest, run: Run | None) -> str:
        """Decide for the pair and begin its 对接; returns the 对接's id."""
        need, expert = stored.needs.get(interest.need_id), stored.experts.get(interest.expert_id)
        if need is None:
            raise NotFoundError(*missing_need(interest.need_id))
        if expert is None:
            raise NotFoundError(*missing_expert(interest.expert_id))
        run_id = run.run_id if run else ""
        if run is not None and stored.runs.get(run_id) is None:
            stored.runs.save(run)
        begun = begin_engagement(
            stored, self._access, self._clock, need, expert, run_id=run_id, note=TAKEN_NOTE
        )
        actor, said = self._access.actor, {"note": TAKEN_NOTE, "run_id": run_id}
        made = stored.decisions.put(
            need.need_id, expert.expert_id, DecisionKind.ACCEPT, **said, decided_by=actor
        )
        detail = {"kind": made.kind, "reason": "", "note": TAKEN_NOTE}
        detail |= {"run": run_id, "engagement": begun.engagement_id}
        stored.audit.add(actor, "pair.decide", "pair", pair_key(made), detail)
        return begun.engagement_id
