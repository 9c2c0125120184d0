"""The form while it is being filled in: saved field by field, with what it still lacks and whom it would find.

Owns the use cases of drafts. What is typed and not sent is nobody's record yet: it leaves no event but its beginning and
its end. Sending it is ``posting``'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from matcher.intake.coaching import Check, check_need
from matcher.models import Draft, Expert, Need
from matcher.services import drafting
from matcher.services.access import Access, permits
from matcher.services.coaching import Effect, SimilarNeed, find_similar, measure_effect
from matcher.services.draft_candidates import rank_draft
from matcher.services.engine import Engine
from matcher.services.need_text import EMPTY_FORM, REMEMBERED, FieldProblem, checked, form_texts
from matcher.services.rankings import Ranking
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.vocab import FacetKind
from matcher.workflow.permissions import Action


@dataclass(frozen=True, slots=True)
class Measured:
    """The effect of a rewrite, and the teams it names as the person may see them, by id."""

    effect: Effect
    experts: Mapping[str, Expert]


class DraftDesk:
    """Firms work on their own drafts, the bureau on all."""

    def __init__(
        self, engine: Engine, database: Database, clock: Callable[[], datetime], access: Access
    ) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._access = access

    @permits(Action.POST_NEED)
    def start(self, firm_id: str = "", need_id: str = "") -> Draft:
        """Begin a new need, or the change of a stored one; an unsent change, or an empty form, is taken up again.

        Args:
            firm_id: for whom; a firm always begins its own.
            need_id: the need to change.

        Raises:
            NotFoundError: no such firm or need.
            InputError: a firm wants to change a need that is solved.
        """
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            known = {draft.draft_id for draft in stored.drafts.all()}
            draft = drafting.begin(stored, self._access, firm_id, need_id, EMPTY_FORM)
            if draft.draft_id not in known:
                detail = {"firm": draft.firm_id, "need": draft.need_id}
                stored.audit.add(self._access.actor, "draft.start", "draft", draft.draft_id, detail)
            return draft

    @permits(Action.POST_NEED)
    def save(self, draft_id: str, field: str, value: str, version: int, base: str | None = None) -> Draft:
        """Keep what was typed into one field, however unfinished.

        Args:
            version: of the draft when the field was shown.
            base: what the field said then. With it, what another person meanwhile typed into other fields is kept and
                is no conflict; without it, any other change is.

        Raises:
            NotFoundError: no such draft.
            InputError: no such field, too long, or it holds an ID-card number.
            ConflictError: another person changed the field; says what they typed.
        """
        text = checked(field, value, drafting.today_of(self._clock))
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            draft = drafting.own_draft(stored, self._access, draft_id)
            changed = drafting.with_field(self._access, draft, field, text, version, base)
            return draft if changed is draft else self._put(stored, changed)

    @permits(Action.POST_NEED)
    def draft(self, draft_id: str) -> Draft:
        """Raises NotFoundError."""
        with self._database.reading() as session:
            return drafting.own_draft(Repositories(session), self._access, draft_id)

    @permits(Action.POST_NEED)
    def drafts(self) -> tuple[Draft, ...]:
        """Unsent forms, the latest first: a firm's own, all for the bureau."""
        with self._database.reading() as session:
            drafts = Repositories(session).drafts
            return drafts.all() if self._access.is_bureau else drafts.of_firm(self._access.person.firm_id)

    @permits(Action.POST_NEED)
    def discard(self, draft_id: str) -> None:
        """Throw an unsent form away; the need it would have changed stays as it is. Raises NotFoundError."""
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            draft = drafting.own_draft(stored, self._access, draft_id)
            stored.drafts.delete(draft.draft_id)
            detail = {"firm": draft.firm_id, "need": draft.need_id}
            stored.audit.add(self._access.actor, "draft.discard", "draft", draft_id, detail)

    @permits(Action.POST_NEED)
    def remember(self, draft_id: str) -> Draft:
        """Note the text down as it is, to measure later changes from (记下这一版). Raises NotFoundError."""
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            draft = drafting.own_draft(stored, self._access, draft_id)
            noted = json.dumps(form_texts(draft.content), ensure_ascii=False)
            return self._put(stored, replace(draft, content={**draft.content, REMEMBERED: noted}))

    @permits(Action.POST_NEED)
    def merge(self, draft_id: str) -> Draft:
        """Take over what others changed in the stored need since the draft began; what the draft changed stays.

        Raises:
            NotFoundError: no such draft, or the need is gone.
        """
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            work = self._work(stored, draft_id)
            return self._put(stored, drafting.merged(stored, work)) if work.is_behind else work.draft

    @permits(Action.POST_NEED)
    def is_behind(self, draft_id: str) -> bool:
        """Whether the stored need was changed since the draft began. Raises NotFoundError."""
        return self._read(draft_id).is_behind

    # ------------------------------------------------------------ what a draft still lacks, and whom it finds

    @permits(Action.POST_NEED)
    def preview(self, draft_id: str) -> Need:
        """The need as the draft has it now, unfinished or not. Raises NotFoundError."""
        return self._read(draft_id).need

    @permits(Action.POST_NEED)
    def problems(self, draft_id: str) -> tuple[FieldProblem, ...]:
        """What would keep the draft from being sent, in the order of the form. Raises NotFoundError."""
        return self._read(draft_id).reading.problems

    @permits(Action.POST_NEED)
    def checklist(self, draft_id: str) -> tuple[Check, ...]:
        """需求凝练: what an expert would still have to ask. Raises NotFoundError."""
        return check_need(self._read(draft_id).need)

    @permits(Action.POST_NEED)
    def similar(self, draft_id: str) -> tuple[SimilarNeed, ...]:
        """Needs that say much the same: a firm's own, all for the bureau. Raises NotFoundError."""
        need = self._read(draft_id).need
        snapshot = self._engine.snapshot()
        needs = snapshot.records.needs.values()
        allowed = [one.need_id for one in needs if self._access.sees_need(one, Action.POST_NEED)]
        return find_similar(snapshot, need, allowed=allowed)

    @permits(Action.MATCH_NEED)
    def effect(self, draft_id: str) -> Measured | None:
        """What the changes so far do in matching; None for a new draft of which no text was noted down.

        Raises:
            NotFoundError: no such draft.
        """
        work = self._read(draft_id)
        if work.earlier is None:
            return None
        snapshot = self._engine.snapshot()
        found = measure_effect(snapshot, work.earlier, work.need)
        naming = (FacetKind.NAME, FacetKind.INDUSTRY)
        if self._access.masks:
            lines = (replace(e, facet_text="") if e.facet_kind in naming else e for e in found.lines)
            found = replace(found, lines=tuple(lines))
        ids = {*found.entered, *found.left, *(m[0] for m in found.moved)}
        ids |= {line.best_expert_id for line in found.lines if line.best_expert_id}
        experts = snapshot.records.experts
        return Measured(found, {i: self._access.shown_expert(experts[i]) for i in sorted(ids)})

    @permits(Action.MATCH_NEED)
    def candidates(self, draft_id: str, top: int = 5) -> Ranking:
        """Teams for the text as it is, with their evidence; nothing is stored. Raises NotFoundError."""
        need = self._read(draft_id).need
        snapshot, lacks = self._engine.question()
        return rank_draft(snapshot, lacks, self._access, need, top, now=self._clock())

    # ------------------------------------------------------------ parts

    def _work(self, stored: Repositories, draft_id: str) -> drafting.Unsent:
        draft = drafting.own_draft(stored, self._access, draft_id)
        return drafting.unsent(stored, draft, drafting.today_of(self._clock))

    def _read(self, draft_id: str) -> drafting.Unsent:
        with self._database.reading() as session:
            return self._work(Repositories(session), draft_id)

    def _put(self, stored: Repositories, changed: Draft) -> Draft:
        """Store a draft changed in this transaction."""
        return stored.drafts.update(replace(changed, updated_at=self._clock()), changed.version)
