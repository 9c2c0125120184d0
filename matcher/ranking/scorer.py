"""匹配度: score every item of a pool for a query.

Owns the one formula behind every number on pages, in files and in ``evaluate``: three channel signals in 0–1,
computed on the whole pool, times fixed non-negative weights. Filters, paging and practical signals come later and
never change it. What a query gives by itself (``Asked``) outlives an edit of the pool; the statistics are taken anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from matcher.encoding.protocol import Encoder, Vectors
from matcher.models import Need, RequirementLine
from matcher.retrieval.expansion import CalledTopic, Expander, query_weights
from matcher.retrieval.fusion import fuse, standardise
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.pool import build_lines, build_text_lines
from matcher.retrieval.reuse import find_unchanged
from matcher.text.tokenise import Tokeniser
from matcher.vocab import Channel

WEAK_SCORE = 0.35  # below this a pair is shown as weak (docs/evaluation.md)
BATCH = 64  # queries scored at once: 64 × 40,000 facets × 4 bytes = 10 MB


def _default_weights() -> dict[Channel, float]:
    return {Channel.LEXICAL: 1 / 5, Channel.DENSE: 3 / 5, Channel.THESAURUS: 1 / 5}


@dataclass(frozen=True)
class ScoringParams:
    """Constants of the score, chosen on the development set (docs/evaluation.md).

    Attributes:
        weights: share of each channel; scaled to sum to one over the channels present.
        best_facets: an item's facet cosine is the mean over its best so many facets.
        facet_share: share of the facet cosine in the dense score; the rest is the cosine of the whole profile.
        evidence_threshold: strength from which a line ↔ facet pair counts as evidence.
    """

    weights: Mapping[Channel, float] = field(default_factory=_default_weights)
    best_facets: int = 3
    facet_share: float = 0.25
    evidence_threshold: float = 0.4


@dataclass(frozen=True)
class Query:
    """What is searched for, cut into requirement lines. ``query_id`` is a record id or ``text``."""

    query_id: str
    lines: tuple[RequirementLine, ...]

    @property
    def text(self) -> str:
        return "。".join(line.text for line in self.lines)


def need_query(need: Need) -> Query:
    return Query(need.need_id, tuple(build_lines(need)))


def text_query(text: str) -> Query:
    return Query("text", tuple(build_text_lines(text)))


@dataclass(frozen=True)
class PoolScores:
    """Scores of n queries over m items: every array has shape (n, m) and values in 0–1."""

    signals: Mapping[Channel, NDArray[np.float64]]
    contributions: Mapping[Channel, NDArray[np.float64]]
    score: NDArray[np.float64]

    @classmethod
    def pick(cls, rows: Sequence[tuple[PoolScores, int]]) -> PoolScores:
        """One query a row, taken from other scores over the same items and channels; at least one row."""
        first = rows[0][0]
        if [(id(scores), row) for scores, row in rows] == [(id(first), n) for n in range(len(first.score))]:
            return first

        def stack(channel: Channel, part: str) -> NDArray[np.float64]:
            return np.stack([getattr(scores, part)[channel][row] for scores, row in rows])

        return cls(
            {channel: stack(channel, "signals") for channel in first.signals},
            {channel: stack(channel, "contributions") for channel in first.contributions},
            np.stack([scores.score[row] for scores, row in rows]),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What one query gives whatever else is in the pool.

    Attributes:
        weights: its own features.
        topics: what the thesaurus adds.
        vector: shape (dimension,); None without an encoder.
        cosines: with every item and background text, shape (items + background,); None without an encoder.
    """

    weights: Mapping[str, float]
    topics: tuple[CalledTopic, ...]
    vector: Vectors | None
    cosines: NDArray[np.float64] | None


class Scorer:
    """Scores queries on one pool index.

    Args:
        index: the pool; without vectors, or without an encoder, the dense channel is left out.
        tokeniser: the one the index was built with.
        expander: thesaurus of the query.
        encoder: the one the index was built with.
        params: constants.
        plain: the pool holds plain words (needs), so the expansion adds plain words.
    """

    def __init__(
        self,
        index: PoolIndex,
        tokeniser: Tokeniser,
        expander: Expander,
        encoder: Encoder | None = None,
        params: ScoringParams | None = None,
        *,
        plain: bool = False,
    ) -> None:
        self.index = index
        self.tokeniser = tokeniser
        self.expander = expander
        self.encoder = encoder if index.facet_vectors is not None else None
        self.params = params or ScoringParams()
        self.plain = plain

    @property
    def channels(self) -> frozenset[Channel]:
        """Channels present."""
        return frozenset(Channel) if self.encoder else frozenset({Channel.LEXICAL, Channel.THESAURUS})

    def score(self, queries: Sequence[Query]) -> PoolScores:
        """Score every item for every query."""
        return self.rate(self.ask(queries))

    def ask(self, queries: Sequence[Query]) -> list[Asked]:
        """What each query gives by itself."""
        asked: list[Asked] = []
        for start in range(0, len(queries), BATCH):
            texts = [query.text for query in queries[start : start + BATCH]]
            features, vectors = [self.tokeniser.features(text) for text in texts], self.encode(texts)
            called = zip(features, self.expander.call_topics(features, vectors), strict=True)
            made = [Asked(query_weights(words), tuple(topics), None, None) for words, topics in called]
            if vectors is not None:
                found = zip(made, vectors, self._cosines(vectors), strict=True)
                made = [replace(one, vector=vector, cosines=row) for one, vector, row in found]
            asked += made
        return asked

    def rate(self, asked: Sequence[Asked]) -> PoolScores:
        """The scores of queries; ``asked`` was made by this scorer."""
        parts = [self._signals(asked[i : i + BATCH]) for i in range(0, len(asked), BATCH)]
        n_items = len(self.index.pool.item_ids)
        signals = {
            channel: np.concatenate([part[channel] for part in parts]) if parts else np.zeros((0, n_items))
            for channel in Channel
            if channel in self.channels
        }
        score, contributions = fuse(signals, self.params.weights)
        return PoolScores(signals, contributions, score)

    def ask_again(self, asked: Sequence[Asked], earlier: Scorer) -> list[Asked]:
        """What ``earlier`` gave, for the items there are now; it must have had the same words and encoder.

        Only items whose texts changed are compared anew, so nothing is returned when most of them did.
        """
        if self.encoder is None:
            return list(asked)
        kept, source = find_unchanged(self.index, earlier.index)
        changed = np.setdiff1d(np.arange(len(self.index.item_texts)), kept)
        if not asked or len(changed) > len(kept):
            return []
        vectors = np.stack([one.vector for one in asked if one.vector is not None])
        rows = np.empty((len(asked), len(kept) + len(changed)))
        rows[:, kept] = np.stack([one.cosines for one in asked if one.cosines is not None])[:, source]
        rows[:, changed] = self._cosines(vectors, changed)
        return [replace(one, cosines=row) for one, row in zip(asked, rows, strict=True)]

    def _signals(self, asked: Sequence[Asked]) -> dict[Channel, NDArray[np.float64]]:
        items = self.index.items
        raw: dict[Channel, NDArray[np.float64]] = {
            Channel.LEXICAL: items.score([one.weights for one in asked]),
            Channel.THESAURUS: items.score(
                [self.expander.bundles(o.topics, plain=self.plain) for o in asked]
            ),
        }
        if self.encoder is not None:
            raw[Channel.DENSE] = self._heard(
                np.stack([one.cosines for one in asked if one.cosines is not None])
            )
        n_items = len(self.index.pool.item_ids)
        return {channel: standardise(values)[:, :n_items] for channel, values in raw.items()}

    def encode(self, texts: Sequence[str]) -> Vectors | None:
        """Vectors of queries, or None without an encoder."""
        return self.encoder.encode_query(texts) if self.encoder is not None else None

    def _heard(self, cosines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cosines in which items without a word stand last: a zero vector is no likeness and must not beat a negative."""
        silent = np.diff(self.index.starts) == 0
        if silent.any() and not silent.all():
            cosines[:, silent] = cosines[:, ~silent].min(axis=1, keepdims=True)
        return cosines

    def _cosines(self, queries: Vectors, rows: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Cosine of queries and items, shape (queries, items + background): whole profile and best facets, mixed.

        ``rows``: only these items and background texts, ascending.
        """
        assert self.index.item_vectors is not None
        assert self.index.facet_vectors is not None
        share, starts = self.params.facet_share, self.index.starts
        whole, facets = self.index.item_vectors, self.index.facet_vectors
        if rows is not None:
            sizes = np.diff(starts)
            theirs = np.isin(np.repeat(np.arange(len(sizes)), sizes), rows)
            whole, facets = whole.part(rows), facets.part(np.flatnonzero(theirs))
            starts = np.concatenate([[0], np.cumsum(sizes[rows])])
        cosines = whole.cosines(queries).astype(np.float64)
        if not share:
            return cosines
        return (1.0 - share) * cosines + share * self._best_mean(facets.cosines(queries), starts)

    def _best_mean(self, cosines: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean cosine of each item's best facets, shape (queries, items); zero for an item without facets."""
        sizes = np.diff(starts)
        best = np.zeros((len(cosines), len(sizes)))
        n_best = self.params.best_facets
        for width in np.unique(sizes[sizes > 0]):
            rows = np.flatnonzero(sizes == width)
            block = cosines[:, starts[rows][:, None] + np.arange(width)]
            kept = min(n_best, int(width))
            top = np.sort(block, axis=2)[:, :, -kept:].astype(np.float64)
            best[:, rows] = top.sum(axis=2) / kept
        return best

    def topics(self, query: Query) -> list[CalledTopic]:
        """Thesaurus topics the query calls up, best first."""
        return self.expander.call_topics([self.tokeniser.features(query.text)], self.encode([query.text]))[0]
