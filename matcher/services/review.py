"""审核台: go through suggested pairings, decide on them one by one or many at once, and take a decision back.

Owns the use cases: accepting begins the 对接 in the same transaction, and every decision is kept with the run it was
made from, as a judgement to learn from later. What is suggested is ``review_queue``'s, what a decision may say and when
it may be made ``review_rules``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from matcher.errors import ConflictError, InputError, MatcherError, NotFoundError
from matcher.models import Exclusion, Run
from matcher.ranking.eligibility import NeedFilter
from matcher.services.access import Access, missing_expert, missing_need, permits
from matcher.services.engaging import begin_engagement
from matcher.services.engine import Engine
from matcher.services.matching import MatchingService
from matcher.services.review_queue import LIMIT, PER_NEED, Pair, Queue, build_queue, rank_pairs
from matcher.services.review_rules import (
    BulkPreview,
    Chosen,
    Decided,
    Opinion,
    cancel_untouched,
    check_seen,
    checked_opinion,
    crowded,
    pair_key,
    why_not_begin,
    why_not_suggested,
    with_records,
)
from matcher.store.database import Database
from matcher.store.entries import Decision
from matcher.store.repositories import Repositories
from matcher.vocab import DecisionKind
from matcher.workflow.permissions import Action

MAX_BULK = 200


class ReviewService:
    """Every change writes its audit event in the same transaction."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        clock: Callable[[], datetime],
        access: Access,
        matching: MatchingService,
    ) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._access = access
        self._matching = matching

    @permits(Action.SEE_QUEUE)
    def queue(
        self,
        filter: NeedFilter | None = None,
        *,
        need_id: str = "",
        per_need: int = PER_NEED,
        limit: int = LIMIT,
        skip: Collection[Pair] = (),
    ) -> Queue:
        """Suggested pairings that wait for a decision, the most urgent need first.

        Args:
            filter: which needs; only those 已发布 are looked at.
            need_id: only this need.
            per_need: how many of its best teams are suggested at a time.
            limit: how many items are returned; the counts cover all.
            skip: pairs not to return, because they are on the page already.
        """
        snapshot, degraded = self._engine.question()
        with self._database.reading() as session:
            latest = Repositories(session).decisions.latest_by_pair()
        given = {"per_need": per_need, "limit": limit}
        wanted, now = filter or NeedFilter(), self._clock()
        return build_queue(snapshot, latest, wanted, need_id, **given, now=now, degraded=degraded, skip=skip)

    @permits(Action.DECIDE)
    def decide(
        self,
        need_id: str,
        expert_id: str,
        kind: DecisionKind,
        *,
        reason: str = "",
        note: str = "",
        seen: int = 0,
        run: Run | None = None,
    ) -> Decision:
        """Record 接受, 搁置 or 不合适; accepting begins the 对接.

        Args:
            reason: a ``DecisionReason``; required unless accepting.
            seen: the latest decision id of the pair when it was looked at, 0 for none.
            run: the ranking it was looked at in; made anew when not given.

        Raises:
            NotFoundError: no such need or team.
            InputError: the reason is missing or unknown, the note too long, or the 对接 may not begin.
            ConflictError: somebody decided on the pair meanwhile; says who and what.
        """
        opinion = checked_opinion(kind, reason, note)
        run = self._run(need_id, [expert_id], run)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            check_seen(stored, stored.decisions.latest_by_pair([need_id]).get((need_id, expert_id)), seen)
            return self._put(stored, need_id, expert_id, opinion, run)

    @permits(Action.DECIDE)
    def pair(self, need_id: str, expert_id: str, note: str = "", reason: str = "") -> Decision:
        """Accept any need and any team, whatever was decided before, and begin their 对接. Raises as ``decide``."""
        opinion = checked_opinion(DecisionKind.ACCEPT, reason, note)
        run = self._run(need_id, [expert_id], None)
        with self._database.session() as session:
            return self._put(Repositories(session, self._clock), need_id, expert_id, opinion, run)

    @permits(Action.DECIDE)
    def preview(
        self,
        pairs: Iterable[tuple[str, str, int]],
        kind: DecisionKind,
        reason: str = "",
        note: str = "",
        *,
        runs: Mapping[str, Run] | None = None,
    ) -> BulkPreview:
        """Say what deciding on many pairs at once would do; nothing is written.

        Args:
            pairs: (need id, expert id, decision id seen).
            runs: the ranking each need was looked at in, by need id.

        Raises:
            InputError: nothing or too much is chosen, or the reason or note is refused as in ``decide``.
        """
        opinion, chosen = checked_opinion(kind, reason, note), tuple(dict.fromkeys(pairs))
        if not chosen:
            raise InputError("还没有选中任何配对。", "请先勾选要一起处理的配对。")
        if len(chosen) > MAX_BULK:
            raise InputError(f"一次最多处理 {MAX_BULK} 条，现在选了 {len(chosen)} 条。", "请分几次处理。")
        records = self._engine.records()
        can: list[Chosen] = []
        cannot: list[tuple[Chosen, str]] = []
        with self._database.reading() as session:
            stored = Repositories(session)
            latest = stored.decisions.latest_by_pair({need_id for need_id, _, _ in chosen})
            for need_id, expert_id, seen in chosen:
                one = Chosen(need_id, expert_id, seen)
                try:
                    need = self._access.need(records.need(need_id), Action.DECIDE)
                    expert = self._access.expert(records.expert(expert_id), Action.DECIDE)
                    one = Chosen(need_id, expert_id, seen, need.title, expert.name)
                    check_seen(stored, latest.get((need_id, expert_id)), seen)
                    why = why_not_begin(records, need, expert) if opinion.kind is DecisionKind.ACCEPT else ""
                except MatcherError as error:
                    why = error.user_message
                if why:
                    cannot.append((one, why))
                else:
                    can.append(one)
        notices = crowded(records, can) if opinion.kind is DecisionKind.ACCEPT else ()
        return BulkPreview(opinion, tuple(can), tuple(cannot), notices, dict(runs or {}))

    @permits(Action.DECIDE)
    def confirm(self, preview: BulkPreview) -> tuple[Decision, ...]:
        """Decide on all of ``preview.can``, or on none.

        Raises:
            ConflictError: something changed since the preview; names the pair, and nothing is written.
        """
        asked = preview.opinion
        opinion = checked_opinion(asked.kind, asked.reason, asked.note)
        if not preview.can:
            raise InputError("没有可以处理的配对。", "请重新勾选后再预览。")
        made: list[Decision] = []
        runs: dict[str, Run] = {}
        try:
            runs = self._runs(preview)
            with self._database.session() as session:
                stored = Repositories(session, self._clock)
                latest = stored.decisions.latest_by_pair(runs)
                for one in preview.can:
                    check_seen(stored, latest.get((one.need_id, one.expert_id)), one.seen)
                    made.append(self._put(stored, one.need_id, one.expert_id, opinion, runs[one.need_id]))
        except (InputError, ConflictError, NotFoundError) as error:
            which = f"{preview.can[len(made)].name}：" if runs else ""
            raise ConflictError(
                f"预览之后情况有变，整批都没有保存。{which}{error.user_message}",
                "请重新预览一次，其余的可以照常处理。",
            ) from error
        return tuple(made)

    @permits(Action.DECIDE)
    def undo(self, decision_id: int) -> Decision:
        """Put a pair back into the queue; an accept takes its untouched 对接 with it.

        Raises:
            ConflictError: it is not the decision that counts (any more).
            InputError: the 对接 has been worked on.
        """
        actor = self._access.actor
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            latest = stored.decisions.latest_by_pair().values()
            counts = next((one for one in latest if one.decision_id == decision_id), None)
            if counts is None or counts.kind == DecisionKind.UNDONE:
                raise ConflictError("这条审核意见已经撤销，或已有更新的意见。", "请刷新后再看。")
            need = stored.needs.get(counts.need_id)
            if need is not None:
                self._access.need(need, Action.DECIDE)
            accepted = counts.kind == DecisionKind.ACCEPT
            engagement = cancel_untouched(stored, actor, counts, self._clock()) if accepted else ""
            made = stored.decisions.put(
                counts.need_id, counts.expert_id, DecisionKind.UNDONE, decided_by=actor
            )
            detail = {"was": counts.kind, "engagement": engagement}
            stored.audit.add(actor, "pair.undo", "pair", pair_key(counts), detail)
        return made

    @permits(Action.SEE_QUEUE)
    def decided(self, kind: DecisionKind | None = None, limit: int = 50) -> tuple[Decided, ...]:
        """Decisions that count, the latest first; of one kind, or all but those taken back."""
        records = self._engine.records()
        with self._database.reading() as session:
            stored = Repositories(session)
            latest = stored.decisions.latest_by_pair().values()
            counted = [d for d in latest if d.kind != DecisionKind.UNDONE and kind in (None, d.kind)]
            counted.sort(key=lambda one: (one.decided_at, one.decision_id), reverse=True)
            return with_records(stored, records, counted[:limit])

    @permits(Action.SEE_QUEUE)
    def why_not(self, need_id: str, expert_id: str) -> Exclusion:
        """Say why a team is not suggested for a need: decided, in 对接, forbidden, weak, or further down."""
        found = self._matching.explain_absence(need_id, expert_id, top=PER_NEED)
        records = self._engine.records()
        need = self._access.need(records.need(need_id))
        expert = self._access.expert(records.expert(expert_id))
        with self._database.reading() as session:
            stored = Repositories(session)
            latest = stored.decisions.latest_by_pair([need_id]).get((need_id, expert_id))
            kind, message = why_not_suggested(stored, records, need, expert, latest, found)
        return replace(found, kind=kind, message=message)

    # ------------------------------------------------------------ parts

    def _run(self, need_id: str, expert_ids: Sequence[str], shown: Run | None) -> Run:
        """The run to keep with a decision: the one shown when it holds the pairs, else one of now."""
        if shown is not None and shown.query == need_id:
            held = {match.expert_id for match in shown.matches}
            if held.issuperset(expert_ids):
                return shown
        snapshot, degraded = self._engine.question()
        need = self._access.need(snapshot.records.need(need_id), Action.DECIDE)
        for expert_id in expert_ids:
            self._access.expert(snapshot.records.expert(expert_id), Action.DECIDE)
        return rank_pairs(snapshot, need, expert_ids, now=self._clock(), degraded=degraded)

    def _runs(self, preview: BulkPreview) -> dict[str, Run]:
        by_need: dict[str, list[str]] = {}
        for one in preview.can:
            by_need.setdefault(one.need_id, []).append(one.expert_id)
        return {need: self._run(need, ids, preview.runs.get(need)) for need, ids in by_need.items()}

    def _put(
        self, stored: Repositories, need_id: str, expert_id: str, opinion: Opinion, run: Run
    ) -> Decision:
        """Write one decision with its run and event, and begin the 对接 when it accepts."""
        need, expert = stored.needs.get(need_id), stored.experts.get(expert_id)
        if need is None:
            raise NotFoundError(*missing_need(need_id))
        if expert is None:
            raise NotFoundError(*missing_expert(expert_id))
        self._access.need(need, Action.DECIDE)
        self._access.expert(expert, Action.DECIDE)
        engagement = ""
        if opinion.kind is DecisionKind.ACCEPT:
            engagement = begin_engagement(
                stored, self._access, self._clock, need, expert, run_id=run.run_id, note=opinion.note
            ).engagement_id
        if stored.runs.get(run.run_id) is None:
            stored.runs.save(run)
        said = {"reason": opinion.reason, "note": opinion.note, "run_id": run.run_id}
        actor = self._access.actor
        made = stored.decisions.put(need_id, expert_id, opinion.kind, **said, decided_by=actor)
        detail = {"kind": made.kind, "reason": made.reason, "note": made.note}
        detail |= {"run": run.run_id, "engagement": engagement}
        stored.audit.add(actor, "pair.decide", "pair", pair_key(made), detail)
        return made
