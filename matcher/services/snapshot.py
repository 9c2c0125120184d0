"""One moment of the engine: records, scorers, and what the engine says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from matcher.errors import NotFoundError
from matcher.models import Cooperation, Expert, Firm, Institution, Need, Work
from matcher.ranking.eligibility import ForbiddenPairs, Names
from matcher.ranking.practical import History
from matcher.ranking.scorer import PoolScores, Scorer, need_query
from matcher.retrieval.expansion import Expander
from matcher.retrieval.index import PoolIndex
from matcher.text.thesaurus import Thesaurus
from matcher.text.tokenise import Tokeniser


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the engine is doing. ``state`` is ``loading``, ``ready``, ``lexical_only`` or ``failed``."""

    state: str
    message: str
    encoder: str
    n_experts: int
    n_needs: int
    n_facets: int
    revision: str
    progress: tuple[str, int, int] | None = None


@dataclass(frozen=True)
class Records:
    """All records of one data revision, by id in ascending order."""

    revision: int
    needs: Mapping[str, Need]
    experts: Mapping[str, Expert]
    works: tuple[Work, ...]
    cooperation: tuple[Cooperation, ...]
    firms: tuple[Firm, ...] = ()
    institutions: tuple[Institution, ...] = ()

    def need(self, need_id: str) -> Need:
        """Raises NotFoundError."""
        try:
            return self.needs[need_id]
        except KeyError:
            raise NotFoundError(
                f"没有编号为“{need_id}”的需求。", "请在“按需求看”里查找正确的编号。"
            ) from None

    def expert(self, expert_id: str) -> Expert:
        """Raises NotFoundError."""
        try:
            return self.experts[expert_id]
        except KeyError:
            message = f"没有编号为“{expert_id}”的专家（团队）。"
            raise NotFoundError(message, "请在“按专家看”里查找正确的编号。") from None

    @cached_property
    def works_by_expert(self) -> Mapping[str, tuple[Work, ...]]:
        grouped: dict[str, list[Work]] = {}
        for work in self.works:
            grouped.setdefault(work.expert_id, []).append(work)
        return {expert_id: tuple(works) for expert_id, works in grouped.items()}

    @cached_property
    def names(self) -> Names:
        return Names.build(self.firms, self.institutions)

    @cached_property
    def forbidden(self) -> ForbiddenPairs:
        return ForbiddenPairs.build(self.cooperation, self.names)

    @cached_property
    def history(self) -> History:
        return History.build(self.cooperation, self.names)


@dataclass(frozen=True)
class Words:
    """Word tools of one state of the thesaurus files."""

    key: tuple[object, ...]
    thesaurus: Thesaurus
    tokeniser: Tokeniser
    expander: Expander


@dataclass(frozen=True)
class Snapshot:
    """Everything one question needs, of one moment."""

    records: Records
    experts: Scorer
    needs: Scorer
    words: Words

    @property
    def indexes(self) -> dict[str, PoolIndex]:
        """Index by pool name."""
        return {"experts": self.experts.index, "needs": self.needs.index}

    @cached_property
    def need_ids(self) -> tuple[str, ...]:
        return tuple(self.records.needs)

    @cached_property
    def need_scores(self) -> PoolScores:
        """Scores of all needs over all experts, rows in the order of ``need_ids``."""
        return self.experts.score([need_query(need) for need in self.records.needs.values()])
