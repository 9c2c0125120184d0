"""Export: turn rankings, lists and records into files whose numbers equal those on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from matcher.columns import RecordKind
from matcher.export.document import PairRow, RunInfo
from matcher.export.layouts import (
    evidence_row,
    expert_header,
    marked,
    need_header,
    ranking_document,
    records_sheet,
    shortlist_document,
)
from matcher.export.writers import SUFFIXES, write_document
from matcher.models import Cooperation, Expert, Match, Need, Run
from matcher.services.access import Access, permits
from matcher.services.engine import Engine
from matcher.services.importing import check_kind
from matcher.services.rankings import BEIJING, Ranking
from matcher.services.shortlists import ShortlistRow, ShortlistService
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.vocab import Direction
from matcher.workflow.permissions import Action

_FILTER_LABELS = {
    "rings": "圈层",
    "institutions": "单位",
    "disciplines": "学科",
    "only_with_capacity": "只看有承接名额",
    "sectors": "领域",
    "towns": "镇街",
    "statuses": "状态",
    "call_types": "类型",
}


def describe_filters(parameters: Mapping[str, object]) -> str:
    """The filters of a run in words; empty when none was set."""
    filters = parameters.get("filters")
    parts = []
    if isinstance(filters, Mapping):
        for name, value in filters.items():
            label = _FILTER_LABELS.get(str(name), str(name))
            parts.append(f"{label}：{'、'.join(map(str, value))}" if isinstance(value, list) else label)
    if parameters.get("practical"):
        parts.append("已按实际因素调整顺序")
    reranker = parameters.get("reranker")
    if isinstance(reranker, Mapping):
        parts.append(f"前 {reranker['top']} 位的先后已按精读模型 {reranker['name']} 调整")
    return "；".join(parts)


def _run_info(run: Run) -> RunInfo:
    return RunInfo(
        run.run_id,
        run.created_at,
        run.encoder or "未使用",
        run.data_revision,
        describe_filters(run.parameters),
        run.degraded,
    )


def _pair_row(
    match: Match, need: Need | None, expert: Expert | None, rank: int, note: str = "", run_id: str = ""
) -> PairRow:
    return PairRow(
        rank=rank,
        need_id=match.need_id,
        need_title=marked(need) if need else "（自由检索）" if not match.need_id else "（需求已删除）",
        company=need.company if need else "",
        town=need.town if need else "",
        sector=need.sector if need else "",
        expert_id=match.expert_id,
        expert_name=expert.name if expert else "" if not match.expert_id else "（团队已删除）",
        institution=expert.institution if expert else "",
        ring=expert.ring if expert else "",
        score=match.score,
        contributions=dict(match.contributions),
        evidence=tuple(evidence_row(evidence) for evidence in match.evidence),
        gaps=tuple(line.text for line in match.gaps),
        practical=tuple(signal.text for signal in match.practical),
        note=note,
        run_id=run_id,
        is_sample_need=bool(need and need.is_sample),
        is_sample_expert=bool(expert and expert.is_sample),
    )


class ExportService:
    """Every exported ranking is saved as a run first: the run id in the file can be looked up later."""

    suffixes = SUFFIXES

    def __init__(
        self,
        engine: Engine,
        database: Database,
        shortlists: ShortlistService,
        clock: Callable[[], datetime],
        access: Access,
    ) -> None:
        self._engine = engine
        self._database = database
        self._shortlists = shortlists
        self._clock = clock
        self._access = access

    def file_name(self, stem: str, suffix: str) -> str:
        """``<stem>_20260131.xlsx`` with the date in Beijing; characters no file system takes become ``_``."""
        day = (self._clock() + BEIJING).strftime("%Y%m%d")
        return "".join("_" if c in '\\/:*?"<>|\n\t' else c for c in stem).strip()[:80] + f"_{day}{suffix}"

    @permits(Action.EXPORT)
    def ranking(self, ranking: Ranking, suffix: str) -> bytes:
        """A ranking as a file.

        Raises:
            InputError: an unknown suffix.
        """
        rows = [_pair_row(p.match, p.need, p.expert, p.match.rank) for p in ranking.pairs]
        data = write_document(ranking_document(self._header(ranking), rows, _run_info(ranking.run)), suffix)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            if stored.runs.get(ranking.run.run_id) is None:
                stored.runs.save(ranking.run)
        return data

    def _header(self, ranking: Ranking) -> tuple[str, tuple[str, ...]]:
        run, records = ranking.run, self._engine.records()
        if run.direction == Direction.NEED_TO_EXPERTS and run.query in records.needs:
            return need_header(records.needs[run.query])
        if run.direction == Direction.EXPERT_TO_NEEDS and run.query in records.experts:
            return expert_header(records.experts[run.query])
        return (f"{run.direction.value}结果", (f"检索文本：{run.query}",))

    @permits(Action.EXPORT)
    def shortlist(self, shortlist_id: str, suffix: str) -> bytes:
        """A 候选合作清单 as a file, with scores, evidence and run ids as they were ticked.

        Raises:
            NotFoundError: no such list.
            InputError: an unknown suffix.
        """
        view = self._shortlists.open(shortlist_id)
        with self._database.reading() as session:
            stored = Repositories(session).runs
            runs = {run_id: stored.get(run_id) for run_id in {row.item.run_id for row in view.items}}
        found = [run for run in runs.values() if run is not None]
        rows = [
            _pair_row(_ticked_match(row, runs), row.need, row.expert, number, row.item.note, row.item.run_id)
            for number, row in enumerate(view.items, 1)
        ]
        info = RunInfo(
            "、".join(sorted(run.run_id for run in found)) or "—",
            self._clock(),
            "、".join(sorted({run.encoder or "未使用" for run in found})) or "—",
            "、".join(sorted({run.data_revision for run in found})) or "—",
            degraded=tuple(sorted({sentence for run in found for sentence in run.degraded})),
        )
        return write_document(
            shortlist_document(view.shortlist.name, rows, info, note=view.shortlist.note), suffix
        )

    @permits(Action.EXPORT)
    def records(self, kind: str, suffix: str) -> bytes:
        """All records of a kind, without personal contacts; the file can be imported again."""
        check_kind(kind)
        if kind == RecordKind.COOPERATION:  # with every 对接, as the pages list and count them
            return write_document(records_sheet(kind, self._engine.records().cooperation), suffix)
        with self._database.reading() as session:
            repository: Any = getattr(Repositories(session), kind)
            return write_document(records_sheet(kind, repository.all()), suffix)

    @permits(Action.EXPORT)
    def cooperation_rows(self, rows: Sequence[Cooperation], suffix: str) -> bytes:
        """Some rows of the 台账, as they are listed on a page."""
        return write_document(records_sheet(RecordKind.COOPERATION, rows), suffix)

    @permits(Action.IMPORT)
    def template(self, kind: str) -> bytes:
        """An empty form with the Chinese headers, to be filled and imported."""
        check_kind(kind)
        return write_document(records_sheet(kind, (), include_contacts=True), ".xlsx")


def _ticked_match(row: ShortlistRow, runs: Mapping[str, Run | None]) -> Match:
    """The match as it was ticked; when its run is gone, what the list itself kept."""
    item, run = row.item, runs.get(row.item.run_id)
    for match in run.matches if run else ():
        if (match.need_id, match.expert_id) == (item.need_id, item.expert_id):
            return match
    return Match(item.need_id, item.expert_id, 0, item.score, {}, dict(item.contributions))
