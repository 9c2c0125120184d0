"""Browse records: lists with filters, single records, the values filters offer, and dropping the sample data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from matcher.errors import HiddenError
from matcher.models import Cooperation, Engagement, Expert, Firm, Institution, Need, Work
from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.services.access import Access, missing_expert, permits
from matcher.services.engine import Engine
from matcher.store.database import Database
from matcher.store.records import SAMPLE_WORK_KIND
from matcher.store.repositories import Repositories
from matcher.text.normalise import normalise
from matcher.vocab import CallType, DataKind, NeedStatus, Ring, Sector
from matcher.workflow.permissions import Action

SAMPLE_LOADED = "sample_loaded"
SAMPLE_ENGAGEMENTS = "示例对接"
OWN_WORKS = "挂在示例团队下的自有成果"
KINDS = ("needs", "experts", "works", "firms", "institutions", "cooperation")


@dataclass(frozen=True, slots=True)
class Options:
    """Values present in the data, in the vocabulary's order where there is one, else alphabetical."""

    sectors: tuple[str, ...]
    towns: tuple[str, ...]
    rings: tuple[str, ...]
    institutions: tuple[str, ...]
    disciplines: tuple[str, ...]
    statuses: tuple[str, ...]
    call_types: tuple[str, ...]


def _ordered(values: Iterable[str], vocabulary: Iterable[str] = ()) -> tuple[str, ...]:
    present = {value for value in values if value}
    known = [word for word in vocabulary if word in present]
    return (*known, *sorted(present - set(known)))


def _holds(text: str, *fields: str) -> bool:
    wanted = normalise(text).split()
    content = normalise(" ".join(fields))
    return all(word in content for word in wanted)


class RecordsService:
    """Reads go through the engine's snapshot, so a list and a ranking of one moment agree."""

    def __init__(
        self, engine: Engine, database: Database, clock: Callable[[], datetime], access: Access
    ) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._access = access

    @permits(Action.SEE_NEED)
    def needs(self, filter: NeedFilter | None = None, text: str = "") -> tuple[Need, ...]:
        """Needs passing the filter and holding every word of ``text``, by id."""
        wanted = filter or NeedFilter()
        visible = (n for n in self._engine.records().needs.values() if self._access.sees_need(n))
        return tuple(
            need
            for need in map(self._access.shown_need, visible)  # a search must not find what is not shown
            if not wanted.reason(need)
            and _holds(
                text, need.need_id, need.title, need.company, need.problem, need.key_tech, *need.keywords
            )
        )

    @permits(Action.SEE_EXPERT)
    def experts(self, filter: ExpertFilter | None = None, text: str = "") -> tuple[Expert, ...]:
        """Experts passing the filter and holding every word of ``text``, by id."""
        wanted, records = filter or ExpertFilter(), self._engine.records()
        return tuple(
            e
            for e in records.experts.values()
            if self._access.sees_expert(e)
            and not wanted.reason(e, records.history.capacity_left(e))
            and _holds(
                text,
                e.expert_id,
                e.name,
                e.institution,
                e.department,
                *e.disciplines,
                *e.research_directions,
                *e.achievements,
                *e.keywords,
            )
        )

    @permits(Action.SEE_NEED)
    def need(self, need_id: str) -> Need:
        """Raises NotFoundError."""
        return self._access.shown_need(self._access.need(self._engine.records().need(need_id)))

    @permits(Action.SEE_EXPERT)
    def expert(self, expert_id: str) -> Expert:
        """Raises NotFoundError."""
        return self._access.expert(self._engine.records().expert(expert_id))

    @permits(Action.SEE_EXPERT)
    def capacity_left(self, expert_id: str) -> int | None:
        """Capacity less cooperations under way; None when the capacity is unknown. Raises NotFoundError."""
        records = self._engine.records()
        return records.history.capacity_left(self._access.expert(records.expert(expert_id)))

    @permits(Action.SEE_DATA)
    def works(self) -> tuple[Work, ...]:
        return self._engine.records().works

    @permits(Action.SEE_EXPERT)
    def works_of(self, expert_id: str) -> tuple[Work, ...]:
        records = self._engine.records()
        expert = records.experts.get(expert_id)
        if expert is not None:
            self._access.expert(expert)
        elif not self._access.is_bureau:
            raise HiddenError(*missing_expert(expert_id))
        return records.works_by_expert.get(expert_id, ()) if expert else ()

    @permits(Action.SEE_DATA)
    def cooperation(self) -> tuple[Cooperation, ...]:
        return self._engine.records().cooperation

    @permits(Action.SEE_DATA)
    def firms(self) -> tuple[Firm, ...]:
        with self._database.reading() as session:
            return Repositories(session).firms.all()

    @permits(Action.SEE_DATA)
    def institutions(self) -> tuple[Institution, ...]:
        with self._database.reading() as session:
            return Repositories(session).institutions.all()

    @permits(Action.SEE_DATA)
    def options(self) -> Options:
        """What the filters of the pages offer."""
        records = self._engine.records()
        needs, experts = records.needs.values(), records.experts.values()
        return Options(
            _ordered((need.sector for need in needs), Sector),
            _ordered(need.town for need in needs),
            _ordered((expert.ring for expert in experts), Ring),
            _ordered(expert.institution for expert in experts),
            _ordered(d for expert in experts for d in expert.disciplines),
            _ordered((need.status for need in needs), NeedStatus),
            _ordered((need.call_type for need in needs), CallType),
        )

    @permits(Action.DROP_SAMPLES)
    def drop_samples(self) -> dict[str, int]:
        """Delete every 示例 record and the works of 示例 teams; the sample is not loaded again.

        Ticked pairings stay in their lists with what was shown of them.

        Returns:
            Deleted records per kind; the bureau's own works that went with a 示例 team are counted apart,
            as ``OWN_WORKS``, when there are any.
        """
        with self._database.session() as session:
            return delete_samples(Repositories(session, clock=self._clock), self._access.actor)


def delete_samples(stored: Repositories, actor: str) -> dict[str, int]:
    """Delete the 示例 records inside the caller's transaction; returns deleted records per kind.

    A work cannot stay without its team, so works a person added to a 示例 team go too: they are
    counted apart and named in the audit log.
    """
    engagements = _sample_engagements(stored, actor)
    before = {work.work_id: work for work in stored.works.all()}
    gone = [before[work_id] for work_id in stored.works.delete_where_sample()]
    own = [work for work in gone if work.kind != SAMPLE_WORK_KIND]
    kinds = ("needs", "experts", "firms", "cooperation")
    deleted = {kind: len(getattr(stored, kind).delete_where_sample()) for kind in kinds}
    deleted["works"] = len(gone) - len(own)
    if own:
        deleted[OWN_WORKS] = len(own)
    for engagement in engagements:
        stored.engagements.delete(engagement.engagement_id)
        stored.audit.add(actor, "engagement.cancel", "engagement", engagement.engagement_id)
    if engagements:
        deleted[SAMPLE_ENGAGEMENTS] = len(engagements)
    stored.settings.put(SAMPLE_LOADED, True)
    named = {"own_works": [f"{work.work_id} {work.title}" for work in own]} if own else {}
    stored.audit.add(actor, "drop_samples", "records", "", {**deleted, **named})
    return deleted


def _sample_engagements(stored: Repositories, actor: str) -> list[Engagement]:
    """The 对接 that go with the samples: their need or team is one, or gone.

    One begun with samples that have become the bureau's own since then is its own from now on.
    """
    needs = {need.need_id for need in stored.needs.all() if not need.is_sample}
    experts = {expert.expert_id for expert in stored.experts.all() if not expert.is_sample}
    going = []
    for one in stored.engagements.all():
        if one.data_kind != DataKind.SAMPLE:
            continue
        if one.need_id in needs and one.expert_id in experts:
            own = DataKind.OWN.value
            stored.engagements.update(replace(one, data_kind=own), one.version)
            detail = {"changes": {"data_kind": [one.data_kind, own]}}
            stored.audit.add(actor, "engagement.edit", "engagement", one.engagement_id, detail)
        else:
            going.append(one)
    return going
