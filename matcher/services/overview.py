"""总览: what is in the system, where the year stands against its target, and what to do today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from matcher.config import Targets
from matcher.models import Cooperation, Firm, Interest
from matcher.services.access import Access, permits
from matcher.services.engine import Engine
from matcher.services.progress import count_by_month, count_stage, signed_projects, year_share
from matcher.services.rankings import BEIJING
from matcher.services.snapshot import Records
from matcher.services.todos import Situation, Todo, build_todos
from matcher.store.database import Database
from matcher.store.records import SAMPLE_WORK_KIND
from matcher.store.repositories import Repositories
from matcher.vocab import InterestState, NeedStatus, Ring, Sector, Stage
from matcher.workflow.permissions import Action


@dataclass(frozen=True, slots=True)
class Overview:
    """Numbers of the first page. ``expected_by_now`` is the year's target times the part of the year gone.

    ``by_sector`` is (sector, published needs, those of them with a candidate) and ``by_ring`` (ring,
    experts), both in the vocabulary's order and without empty groups.
    """

    counts: Mapping[str, int]
    n_sample: int
    year: int
    year_signed: int
    year_target: int
    total_signed: int
    total_target: int
    total_years: tuple[int, int]
    year_share: float
    expected_by_now: float
    signed_by_month: tuple[int, ...]
    signed_sample: int
    landed: int
    ended: int
    todo: tuple[Todo, ...]
    by_sector: tuple[tuple[str, int, int], ...]
    by_ring: tuple[tuple[str, int], ...]


def _count_samples(records: Records, firms: Iterable[Firm]) -> int:
    """示例 records of every kind, as many as dropping the samples would delete.

    Works have no data kind: those of 示例 teams count, and illustrative ones wherever they hang.
    """
    groups = (records.needs.values(), records.experts.values(), records.cooperation, firms)
    n_works = sum(
        work.kind == SAMPLE_WORK_KIND
        or (work.expert_id in records.experts and records.experts[work.expert_id].is_sample)
        for work in records.works
    )
    return n_works + sum(record.is_sample for group in groups for record in group)


class OverviewService:
    """Needs no index and no model: it answers while they load."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        targets: Targets,
        remind_days: Sequence[int],
        clock: Callable[[], datetime],
        access: Access,
    ) -> None:
        self._engine = engine
        self._database = database
        self._targets = targets
        self._remind_days = remind_days
        self._clock = clock
        self._access = access

    @permits(Action.SEE_OVERVIEW)
    def signed(self, year: int | None = None) -> tuple[Cooperation, ...]:
        """The contracts behind the number of a year, or of the plan's years."""
        projects = signed_projects(self._engine.records().cooperation, year)
        if year is not None:
            return projects
        first, last = self._targets.first_year, self._targets.last_year
        return tuple(p for p in projects if p.signed_on and first <= p.signed_on.year <= last)

    @permits(Action.SEE_OVERVIEW)
    def summary(self) -> Overview:
        """All numbers of the page, of one moment."""
        records = self._engine.records()
        today = (self._clock() + BEIJING).date()
        with self._database.reading() as session:
            stored = Repositories(session)
            lists = stored.shortlists.all()
            decided = frozenset(need_id for need_id, _ in stored.decisions.latest_by_pair())
            interests = stored.interests.all()
            firms = stored.firms.all()
            ticked = {need_id for pairs in stored.shortlists.pairs().values() for need_id, _ in pairs}
            counts = {
                "needs": len(records.needs),
                "experts": len(records.experts),
                "works": len(records.works),
                "firms": len(firms),
                "institutions": stored.institutions.count(),
                "shortlists": len(lists),
            }
        this_year, total = self.signed(today.year), self.signed()
        share = year_share(today)
        behind = self._targets.yearly * share - len(this_year)
        published = [n for n in records.needs.values() if n.status == NeedStatus.PUBLISHED]
        sectors = Counter(need.sector for need in published)
        covered = Counter(need.sector for need in published if need.need_id in ticked)
        rings = Counter(expert.ring for expert in records.experts.values())
        return Overview(
            counts=counts,
            n_sample=_count_samples(records, firms),
            year=today.year,
            year_signed=len(this_year),
            year_target=self._targets.yearly,
            total_signed=len(total),
            total_target=self._targets.total,
            total_years=(self._targets.first_year, self._targets.last_year),
            year_share=share,
            expected_by_now=self._targets.yearly * share,
            signed_by_month=count_by_month(this_year),
            signed_sample=sum(project.is_sample for project in this_year),
            landed=count_stage(total, Stage.LANDED),
            ended=count_stage(total, Stage.ENDED),
            todo=build_todos(self._situation(records, ticked, decided, interests), behind),
            by_sector=tuple((s, sectors[s], covered[s]) for s in Sector if sectors[s]),
            by_ring=tuple((ring, rings[ring]) for ring in Ring if rings[ring]),
        )

    def _situation(
        self, records: Records, ticked: set[str], decided: frozenset[str], interests: Iterable[Interest]
    ) -> Situation:
        return Situation(
            records,
            frozenset(ticked),
            decided,
            sum(one.state == InterestState.SENT for one in interests),
            self._access.actor,
            (self._clock() + BEIJING).date(),
            tuple(self._remind_days),
        )
