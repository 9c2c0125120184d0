"""The recipe of the training, and the batches it draws from texts already cut into pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matcher.encoding.corpora import PairSource
from matcher.encoding.loop import Ids
from matcher.text.thesaurus import Topic


@dataclass(frozen=True)
class Recipe:
    """Every constant of the training; chosen on the development set and on held-out topics."""

    unit: str = "subwords"
    """What a text is cut into: "subwords", or "ngrams" of characters (for comparison; cannot be saved)."""
    vocabulary: int = 16_000
    dimension: int = 512
    start: str = "idf"
    """Vectors before training: "idf", random directions as long as the piece is rare, or "cooccurrence",
    directions from the factorised co-occurrence of pieces."""
    thesaurus_weight: int = 20
    """How often the thesaurus counts when the vocabulary is chosen."""
    pair_limit: int = 60_000
    """Most pairs taken from one corpus."""
    count_limit: int = 15_000
    """Most texts of one pair source counted for vocabulary and importance."""
    steps: tuple[int, int] = (600, 2000)
    batch: tuple[int, int] = (512, 512)
    mixed_batch: int = 256
    """Pairs of phase 1 beside each batch of phase 2."""
    mixed_share: float = 0.5
    """Weight of their loss."""
    temperature: tuple[float, float] = (0.05, 0.1)
    drop_share: tuple[float, float] = (0.1, 0.4)
    """Pieces left out of each text, by phase."""
    learning_rate: tuple[float, float] = (0.003, 0.003)
    statement_share: float = 0.3
    """How often a topic's batch row is made of a written statement rather than of phrases."""
    decoy_share: float = 0.5
    """Rows of a topic batch with a decoy beside them: the same object, the terms of another discipline."""
    topic_share: float = 1.0
    """Share of the topics used, for the learning curve."""
    query_pieces: int = 60
    document_pieces: int = 80


SMOKE = replace(
    Recipe(),
    vocabulary=6_000,
    dimension=32,
    pair_limit=300,
    count_limit=300,
    steps=(10, 10),
    batch=(32, 32),
    mixed_batch=16,
)
"""Runs the whole pipeline in seconds; the model is of no use."""


class PairSampler:
    """Draws batches of related texts, one source at a time, long documents cut at random."""

    def __init__(
        self,
        sources: Sequence[PairSource],
        to_ids: Callable[[Sequence[str]], list[Ids]],
        recipe: Recipe,
        rng: np.random.Generator,
    ) -> None:
        self._recipe, self._rng = recipe, rng
        self._pairs: list[list[tuple[Ids, Ids]]] = []
        for source in sources:
            firsts, seconds = zip(*source.pairs, strict=True)
            encoded = zip(to_ids(firsts), to_ids(seconds), strict=True)
            self._pairs.append([(a, b) for a, b in encoded if len(a) and len(b)])
        shares = np.array([source.share for source in sources])
        self._shares = shares / shares.sum()

    def counted(self) -> list[Ids]:
        """Second texts, as many as the recipe counts."""
        return [b for pairs in self._pairs for _, b in pairs[: self._recipe.count_limit]]

    def draw(self, size: int) -> tuple[list[Ids], list[Ids]]:
        pairs = self._pairs[self._rng.choice(len(self._pairs), p=self._shares)]
        queries, documents = [], []
        for index in self._rng.integers(len(pairs), size=size):
            query, document = pairs[index]
            start = int(self._rng.integers(max(1, len(document) - self._recipe.document_pieces + 1)))
            queries.append(query[: self._recipe.query_pieces])
            documents.append(document[start : start + self._recipe.document_pieces])
        return queries, documents


class TopicSampler:
    """Makes up a need and a profile of one topic: plain phrases or a statement ↔ terms or a profile line."""

    def __init__(
        self,
        topics: Sequence[Topic],
        statements: Mapping[str, Sequence[tuple[str, str]]],
        to_ids: Callable[[Sequence[str]], list[Ids]],
        recipe: Recipe,
        rng: np.random.Generator,
    ) -> None:
        self._rng, self._share = rng, recipe.statement_share
        self._topics = [
            {
                "name": to_ids([topic.name]),
                "lay": to_ids(topic.lay),
                "terms": to_ids(topic.terms),
                "objects": to_ids(topic.objects),
                "disciplines": to_ids(topic.disciplines),
                "needs": to_ids([need for need, _ in statements.get(topic.name, ())]),
                "profiles": to_ids([profile for _, profile in statements.get(topic.name, ())]),
            }
            for topic in topics
        ]
        self._decoys = recipe.decoy_share
        self._disciplines = [frozenset(topic.disciplines) for topic in topics]

    def all(self) -> list[Ids]:
        """Every plain phrase, term, statement and profile line."""
        keys = ("lay", "terms", "needs", "profiles")
        return [ids for topic in self._topics for key in keys for ids in topic[key]]

    def draw(self, size: int) -> tuple[list[Ids], list[Ids], list[Ids]]:
        """Queries, documents and decoys, row by row; at most one pair of each topic, so that no two rows mean the same.

        A row without a decoy has an empty one; without any the list is empty.
        """
        chosen = self._rng.permutation(len(self._topics))[:size]
        pairs = [self._make(self._topics[index]) for index in chosen]
        n_decoys = round(self._decoys * len(chosen))
        none = np.zeros(0, dtype=np.int64)
        decoys = [self._decoy(chosen, row) if row < n_decoys else none for row in range(len(chosen))]
        return [query for query, _ in pairs], [document for _, document in pairs], decoys if n_decoys else []

    def _decoy(self, chosen: NDArray[np.int64], row: int) -> Ids:
        """A profile about the objects of this row's topic, in the terms of a topic of other disciplines."""
        own, other = int(chosen[row]), int(chosen[int(self._rng.integers(len(chosen)))])
        if not self._topics[own]["objects"] or self._disciplines[own] & self._disciplines[other]:
            return np.zeros(0, dtype=np.int64)
        parts = self._some(self._topics[other]["terms"], 4) + self._some(self._topics[own]["objects"], 2)
        return np.concatenate(parts)

    def _make(self, topic: dict[str, list[Ids]]) -> tuple[Ids, Ids]:
        if not topic["needs"] or self._rng.random() >= self._share:
            return self._from_phrases(topic)
        number = int(self._rng.integers(len(topic["needs"])))
        need, way = topic["needs"][number], self._rng.random()
        if way < 0.5:  # as written
            return need, topic["profiles"][number]
        terms = self._from_phrases(topic)[1]
        if way < 0.75:  # the statement ↔ terms
            return need, terms
        line = topic["profiles"][int(self._rng.integers(len(topic["profiles"])))]
        return need, np.concatenate([line, terms])  # the statement ↔ a longer profile

    def _from_phrases(self, topic: dict[str, list[Ids]]) -> tuple[Ids, Ids]:
        query = self._some(topic["lay"], 4) + self._maybe(topic["objects"], 0.3)
        document = (
            self._some(topic["terms"], 4)
            + self._maybe(topic["objects"], 0.3)
            + self._maybe(topic["disciplines"], 0.3)
            + self._maybe(topic["name"], 0.2)
        )
        return np.concatenate(query), np.concatenate(document)

    def _some(self, phrases: list[Ids], most: int) -> list[Ids]:
        """One to `most` different phrases in random order."""
        count = 1 + int(self._rng.integers(most))
        return [phrases[index] for index in self._rng.permutation(len(phrases))[:count]]

    def _maybe(self, phrases: list[Ids], probability: float) -> list[Ids]:
        if not phrases or self._rng.random() >= probability:
            return []
        return [phrases[int(self._rng.integers(len(phrases)))]]
