"""One moment of the engine: records, scorers, the same with another model, and what the engine says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from matcher.encoding.protocol import Encoder, Vectors
from matcher.encoding.protocol import Progress as Count
from matcher.errors import NotFoundError
from matcher.models import Cooperation, Engagement, Expert, Firm, Institution, Need, Work
from matcher.ranking.eligibility import ForbiddenPairs, Names
from matcher.ranking.practical import History
from matcher.ranking.scorer import Asked, PoolScores, Scorer, need_query
from matcher.retrieval.expansion import Expander
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.reuse import Progress
from matcher.services.access import missing_expert, missing_need
from matcher.services.progress import as_cooperation
from matcher.services.shelf import IndexShelf
from matcher.store.repositories import Repositories
from matcher.text.thesaurus import Thesaurus
from matcher.text.tokenise import Tokeniser

STEP = 256
"""Texts encoded between two moments when a change of model can be stopped without losing what it did."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the engine is doing. ``state`` is ``loading``, ``ready``, ``lexical_only`` or ``failed``.

    ``busy`` says that a model is being loaded or changed, whatever serves meanwhile.
    """

    state: str
    message: str
    encoder: str
    n_experts: int
    n_needs: int
    n_facets: int
    revision: str
    progress: tuple[str, int, int] | None = None
    busy: bool = False


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
    engagements: Mapping[str, Engagement] = field(default_factory=dict)

    def need(self, need_id: str) -> Need:
        """Raises NotFoundError."""
        try:
            return self.needs[need_id]
        except KeyError:
            raise NotFoundError(*missing_need(need_id)) from None

    def expert(self, expert_id: str) -> Expert:
        """Raises NotFoundError."""
        try:
            return self.experts[expert_id]
        except KeyError:
            raise NotFoundError(*missing_expert(expert_id)) from None

    @cached_property
    def engagements_by_expert(self) -> Mapping[str, tuple[Engagement, ...]]:
        grouped: dict[str, list[Engagement]] = {}
        for engagement in self.engagements.values():
            grouped.setdefault(engagement.expert_id, []).append(engagement)
        return {expert_id: tuple(group) for expert_id, group in grouped.items()}

    @cached_property
    def engagements_by_need(self) -> Mapping[str, tuple[Engagement, ...]]:
        grouped: dict[str, list[Engagement]] = {}
        for engagement in self.engagements.values():
            grouped.setdefault(engagement.need_id, []).append(engagement)
        return {need_id: tuple(group) for need_id, group in grouped.items()}

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


def read_records(stored: Repositories) -> Records:
    """Everything that is stored now; every 对接 also stands as a row of the 台账, once, also when it was exported and
    imported again.
    """
    engagements = {engagement.engagement_id: engagement for engagement in stored.engagements.all()}
    imported = (row for row in stored.cooperation.all() if row.cooperation_id not in engagements)
    return Records(
        stored.revision(),
        {need.need_id: need for need in stored.needs.all()},
        {expert.expert_id: expert for expert in stored.experts.all()},
        stored.works.all(),
        (*imported, *map(as_cooperation, engagements.values())),
        stored.firms.all(),
        stored.institutions.all(),
        engagements,
    )


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
    def n_texts(self) -> int:
        """Distinct texts with a vector: lines and whole profiles of both pools, and the thesaurus topics."""
        indexes = self.indexes.values()
        texts = {text for index in indexes for text in (*index.facet_texts, *index.item_texts)}
        return len(texts) + len(self.words.thesaurus.topics)

    @cached_property
    def need_ids(self) -> tuple[str, ...]:
        return tuple(self.records.needs)

    @cached_property
    def _rows(self) -> dict[str, tuple[PoolScores, int]]:
        """What is scored so far: need id → scores, and the row in them."""
        return {}

    @cached_property
    def _asked(self) -> dict[str, Asked]:
        """What is known of needs whatever the other teams are, by id."""
        return {}

    def scores_of(self, need_ids: Sequence[str]) -> PoolScores:
        """Scores of some needs over all experts, a row for each id; each need is scored once a snapshot."""
        if not need_ids:
            return self.experts.rate([])
        missing = [need_id for need_id in need_ids if need_id not in self._rows]
        if missing:
            new = [need_id for need_id in missing if need_id not in self._asked]
            asked = self.experts.ask([need_query(self.records.needs[need_id]) for need_id in new])
            self._asked.update(zip(new, asked, strict=True))
            made = self.experts.rate([self._asked[need_id] for need_id in missing])
            self._rows.update({need_id: (made, row) for row, need_id in enumerate(missing)})
        return PoolScores.pick([self._rows[need_id] for need_id in need_ids])

    def inherit_scores(self, earlier: Snapshot) -> None:
        """Take over what still holds of needs that did not change; words and model must be the same."""
        needs, before = self.records.needs, earlier.records.needs
        # Other threads may go on scoring ``earlier`` meanwhile, so its keys are copied at once.
        same = [i for i in list(earlier._asked) if i in needs and needs[i] == before[i]]
        if self.experts is earlier.experts:
            self._asked.update({i: earlier._asked[i] for i in same})
            self._rows.update({i: earlier._rows[i] for i in same if i in earlier._rows})
        else:
            again = self.experts.ask_again([earlier._asked[i] for i in same], earlier.experts)
            self._asked.update(zip(same, again, strict=bool(again)))


def with_encoder(base: Snapshot, encoder: Encoder | None, shelf: IndexShelf, tell: Progress) -> Snapshot:
    """The snapshot with vectors of another model, those on disk when they fit, else new ones; None takes them away.

    ``base`` is not touched and may go on serving.
    """

    def change(name: str, label: str, scorer: Scorer) -> Scorer:
        known = scorer.index
        expected = replace(known.manifest, encoder=encoder.fingerprint if encoder else "")
        if encoder is None:
            index = replace(known, item_vectors=None, facet_vectors=None, manifest=expected)
        else:
            found = shelf.take(name, known.pool, expected, known.background)
            index = found or known.with_encoder(_Stepwise(encoder, label, tell))
        return Scorer(index, scorer.tokeniser, expander, encoder, scorer.params, plain=scorer.plain)

    expander = base.words.expander
    if encoder is not None:
        expander = expander.with_encoder(_Stepwise(encoder, "计算向量（术语）", tell))
    experts = change("experts", "计算向量（团队）", base.experts)
    return replace(base, experts=experts, needs=change("needs", "计算向量（需求）", base.needs))


class _Stepwise:
    """An encoder that works in small steps, longest texts first, and tells each; a cache may stand behind it.

    What is done is kept by that cache after every step, so that a stop or a crash costs little even with a model that
    needs hours; texts of like length together are what a transformer is fastest with.
    """

    def __init__(self, encoder: Encoder, what: str, tell: Progress) -> None:
        self.name, self.fingerprint, self.dimension = encoder.name, encoder.fingerprint, encoder.dimension
        self._encoder, self._what, self._tell = encoder, what, tell

    def encode_query(self, texts: Sequence[str], *, progress: Count | None = None) -> Vectors:
        return self._encoder.encode_query(texts, progress=progress)

    def encode_document(self, texts: Sequence[str], *, progress: Count | None = None) -> Vectors:
        ordered = sorted(set(texts), key=lambda text: (-len(text), text))
        vectors = np.zeros((len(ordered), self.dimension), dtype=np.float32)
        for start in range(0, len(ordered), STEP):

            def tell(done: int, total: int, start: int = start) -> None:
                del total
                self._tell(self._what, start + done, len(ordered))

            tell(0, 0)
            step = slice(start, start + STEP)
            vectors[step] = self._encoder.encode_document(ordered[step], progress=tell)
        if progress is not None and texts:
            progress(len(texts), len(texts))
        row_of = {text: row for row, text in enumerate(ordered)}
        return vectors[np.array([row_of[text] for text in texts], dtype=np.intp)]
