"""候选合作清单: named lists of ticked pairings, each with the score and the run it was ticked from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from matcher.errors import InputError
from matcher.models import Evidence, Expert, Need, Shortlist, ShortlistItem
from matcher.services.access import Access, permits
from matcher.services.engine import Engine
from matcher.services.rankings import RankedPair, Ranking
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.workflow.permissions import Action

Pair = tuple[str, str]
MAX_NAME = 60
MAX_NOTE = 1_000


@dataclass(frozen=True, slots=True)
class ShortlistSummary:
    shortlist: Shortlist
    n_items: int
    n_needs: int
    n_experts: int


@dataclass(frozen=True, slots=True)
class ShortlistRow:
    """One ticked pairing; ``need`` or ``expert`` is None when the record was deleted since."""

    item: ShortlistItem
    need: Need | None
    expert: Expert | None


@dataclass(frozen=True, slots=True)
class ShortlistView:
    shortlist: Shortlist
    items: tuple[ShortlistRow, ...]


def quote_evidence(evidence: Evidence) -> str:
    """One evidence pair as a line of text, ending with the record it comes from."""
    return f"{evidence.line.text} ↔ {evidence.facet.text}（{evidence.facet.record_id}）"


class ShortlistService:
    """Every change writes its audit event in the same transaction."""

    def __init__(
        self, engine: Engine, database: Database, clock: Callable[[], datetime], access: Access
    ) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._access = access

    @permits(Action.SEE_LISTS)
    def list(self) -> tuple[ShortlistSummary, ...]:
        """All lists, the most recently touched first."""
        with self._database.reading() as session:
            stored = Repositories(session).shortlists
            pairs = stored.pairs()
            return tuple(
                ShortlistSummary(
                    summary.shortlist,
                    summary.n_items,
                    len({need for need, _ in pairs.get(summary.shortlist.shortlist_id, ())}),
                    len({expert for _, expert in pairs.get(summary.shortlist.shortlist_id, ())}),
                )
                for summary in stored.all()
            )

    @permits(Action.EDIT_LISTS)
    def create(self, name: str) -> Shortlist:
        """Start an empty list. Raises InputError for a blank or long name, ConflictError for a taken one."""
        _check_length("清单名称", name, MAX_NAME)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            made = stored.shortlists.create(name)
            stored.audit.add(
                self._access.actor, "create", "shortlist", made.shortlist_id, {"name": made.name}
            )
        return made

    @permits(Action.SEE_LISTS)
    def open(self, shortlist_id: str) -> ShortlistView:
        """A list with its pairings, by need, then score from high to low. Raises NotFoundError."""
        with self._database.reading() as session:
            stored = Repositories(session).shortlists
            items = stored.items(shortlist_id)
            shortlist = stored.get(shortlist_id)
        assert shortlist is not None, "items() raises NotFoundError for an unknown list"
        records = self._engine.records()
        rows = (
            ShortlistRow(i, records.needs.get(i.need_id), records.experts.get(i.expert_id)) for i in items
        )
        return ShortlistView(shortlist, tuple(rows))

    @permits(Action.SEE_LISTS)
    def ticked(self, shortlist_id: str) -> frozenset[Pair]:
        """(need id, expert id) of every pairing on the list."""
        with self._database.reading() as session:
            return frozenset(
                (item.need_id, item.expert_id)
                for item in Repositories(session).shortlists.items(shortlist_id)
            )

    @permits(Action.EDIT_LISTS)
    def add(self, shortlist_id: str, ranking: Ranking, pairs: Sequence[RankedPair]) -> int:
        """Tick pairings of a ranking and save its run.

        Returns:
            How many were added; those already on the list keep their note.

        Raises:
            InputError: a pairing without a stored need or expert (free text names no need).
        """
        if any(not pair.match.need_id or not pair.match.expert_id for pair in pairs):
            raise InputError(
                "自由检索的结果没有对应的需求，不能加入清单。",
                "请先把这段文字作为需求导入，再从“按需求看”里勾选。",
            )
        now = self._clock()
        items = [
            ShortlistItem(
                shortlist_id,
                pair.match.need_id,
                pair.match.expert_id,
                pair.match.score,
                ranking.run.run_id,
                now,
                contributions=dict(pair.match.contributions),
                evidence=tuple(quote_evidence(evidence) for evidence in pair.match.evidence),
            )
            for pair in pairs
        ]
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            if stored.runs.get(ranking.run.run_id) is None:
                stored.runs.save(ranking.run)
            added = stored.shortlists.add_items(shortlist_id, items).added
            stored.audit.add(
                self._access.actor,
                "add",
                "shortlist",
                shortlist_id,
                {"pairs": [list(p) for p in added], "run": ranking.run.run_id},
            )
        return len(added)

    @permits(Action.EDIT_LISTS)
    def remove(self, shortlist_id: str, pairs: Sequence[Pair]) -> int:
        """Take pairings off the list; returns how many were on it."""
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            removed = stored.shortlists.remove_items(shortlist_id, pairs)
            stored.audit.add(
                self._access.actor, "remove", "shortlist", shortlist_id, {"pairs": [list(p) for p in removed]}
            )
        return len(removed)

    @permits(Action.EDIT_LISTS)
    def set_note(self, shortlist_id: str, need_id: str, expert_id: str, note: str) -> None:
        """Replace the note of one pairing."""
        _check_length("备注", note, MAX_NOTE)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            stored.shortlists.set_note(shortlist_id, need_id, expert_id, note.strip())
            stored.audit.add(
                self._access.actor, "note", "shortlist", shortlist_id, {"pair": [need_id, expert_id]}
            )

    @permits(Action.EDIT_LISTS)
    def rename(self, shortlist_id: str, name: str, note: str, version: int) -> Shortlist:
        """Change name and note. Raises ConflictError when somebody changed them since ``version``."""
        _check_length("清单名称", name, MAX_NAME)
        _check_length("备注", note, MAX_NOTE)
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            changed = stored.shortlists.update(shortlist_id, version, name=name, note=note)
            stored.audit.add(self._access.actor, "rename", "shortlist", shortlist_id, {"name": changed.name})
        return changed

    @permits(Action.EDIT_LISTS)
    def delete(self, shortlist_id: str) -> None:
        """Delete a list with its ticks. Raises NotFoundError."""
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            gone = stored.shortlists.get(shortlist_id)
            stored.shortlists.delete(shortlist_id)
            stored.audit.add(
                self._access.actor, "delete", "shortlist", shortlist_id, {"name": gone.name if gone else ""}
            )


def _check_length(label: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise InputError(f"{label}太长（{len(text)} 字）。", f"请控制在 {limit} 字以内。")
