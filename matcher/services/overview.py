"""总览: what is in the system, where the year stands against its target, and what to do today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from matcher.config import Targets
from matcher.models import Cooperation, Firm
from matcher.ranking.practical import FRESH_DAYS
from matcher.services.access import Access, permits
from matcher.services.engine import Engine
from matcher.services.progress import count_by_month, count_stage, signed_projects, year_share
from matcher.services.rankings import BEIJING
from matcher.services.snapshot import Records
from matcher.store.database import Database
from matcher.store.records import SAMPLE_WORK_KIND
from matcher.store.repositories import Repositories
from matcher.vocab import CooperationKind, NeedStatus, Ring, Sector, Stage
from matcher.workflow.permissions import Action


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing to do, with the page and parameters that lead there."""

    kind: str
    title: str
    detail: str
    count: int
    page: str
    params: Mapping[str, str] = field(default_factory=dict)


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
        clock: Callable[[], datetime],
        access: Access,
    ) -> None:
        self._engine = engine
        self._database = database
        self._targets = targets
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
            todo=self._todo(records, ticked, len(this_year), share),
            by_sector=tuple((s, sectors[s], covered[s]) for s in Sector if sectors[s]),
            by_ring=tuple((ring, rings[ring]) for ring in Ring if rings[ring]),
        )

    def _todo(self, records: Records, ticked: set[str], signed: int, share: float) -> tuple[Todo, ...]:
        if not records.needs or not records.experts:
            missing = "需求" if not records.needs else "专家"
            return (
                Todo(
                    "import",
                    f"先导入{missing}",
                    f"系统里还没有{missing}，导入表格后即可匹配。",
                    0,
                    "data",
                    {"tab": "import"},
                ),
            )
        needs = records.needs.values()
        waiting = [n for n in needs if n.status == NeedStatus.WAITING]
        open_needs = [n for n in needs if n.status == NeedStatus.PUBLISHED and n.need_id not in ticked]
        active = [c for c in records.cooperation if c.kind == CooperationKind.COOPERATION and not c.signed_on]
        talks = [c for c in active if c.stage == Stage.TALKS]
        today = (self._clock() + BEIJING).date()
        old = [
            e
            for e in records.experts.values()
            if e.updated_on is not None and (today - e.updated_on).days > FRESH_DAYS
        ]
        behind = self._targets.yearly * share - signed
        todo = []
        if open_needs:
            first = open_needs[0]
            todo.append(
                Todo(
                    "match",
                    f"为 {len(open_needs)} 条已发布需求挑选团队",
                    f"它们还没有候选团队，可从“{first.title}”开始。",
                    len(open_needs),
                    "needs",
                    {"need": first.need_id},
                )
            )
        if talks:
            detail = (
                f"今年按进度还差 {behind:.0f} 项，这些最接近签约。" if behind >= 1 else "这些最接近签约。"
            )
            todo.append(
                Todo(
                    "talks",
                    f"推动 {len(talks)} 项洽谈签约",
                    detail,
                    len(talks),
                    "data",
                    {"kind": "cooperation", "stage": Stage.TALKS},
                )
            )
        if waiting:
            todo.append(
                Todo(
                    "waiting",
                    f"{len(waiting)} 条需求待受理",
                    "先看是否写清楚，再对外发布。",
                    len(waiting),
                    "needs",
                    {"needs_status": NeedStatus.WAITING, "need": waiting[0].need_id},
                )
            )
        if old:
            todo.append(
                Todo(
                    "stale",
                    f"{len(old)} 个团队资料超过一年未更新",
                    "联系前请先核实方向与承接名额。",
                    len(old),
                    "experts",
                    {"stale": "1"},
                )
            )
        return tuple(todo)
