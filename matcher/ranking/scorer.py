"""匹配度: score every item of a pool for a query.

Owns the one formula behind every number on pages, in files and in ``evaluate``: three channel signals in 0–1,
computed on the whole pool, times fixed non-negative weights. Filters, paging and practical signals come later and
never change it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher.encoding.protocol import Encoder, Vectors
from matcher.models import Need, RequirementLine
from matcher.retrieval.expansion import CalledTopic, Expander, query_weights
from matcher.retrieval.fusion import fuse, standardise
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.pool import build_lines, build_text_lines
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

        def stack(channel: Channel, part: str) -> NDArray[np.float64]:
            return np.stack([getattr(scores, part)[channel][row] for scores, row in rows])

        return cls(
            {channel: stack(channel, "signals") for channel in first.signals},
            {channel: stack(channel, "contributions") for channel in first.contributions},
            np.stack([scores.score[row] for scores, row in rows]),
        )


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
        parts = [self._signals(queries[i : i + BATCH]) for i in range(0, len(queries), BATCH)]
        n_items = len(self.index.pool.item_ids)
        signals = {
            channel: np.concatenate([part[channel] for part in parts]) if parts else np.zeros((0, n_items))
            for channel in Channel
            if channel in self.channels
        }
        score, contributions = fuse(signals, self.params.weights)
        return PoolScores(signals, contributions, score)

    def _signals(self, queries: Sequence[Query]) -> dict[Channel, NDArray[np.float64]]:
        features = [self.tokeniser.features(query.text) for query in queries]
        vectors = self.encode([query.text for query in queries])
        topics = self.expander.call_topics(features, vectors)
        items = self.index.items
        raw: dict[Channel, NDArray[np.float64]] = {
            Channel.LEXICAL: items.score([query_weights(f) for f in features]),
            Channel.THESAURUS: items.score([self.expander.expand(t, plain=self.plain) for t in topics]),
        }
        if vectors is not None:
            raw[Channel.DENSE] = self._cosines(vectors)
        n_items = len(self.index.pool.item_ids)
        return {channel: standardise(values)[:, :n_items] for channel, values in raw.items()}

    def encode(self, texts: Sequence[str]) -> Vectors | None:
        """Vectors of queries, or None without an encoder."""
        return self.encoder.encode_query(texts) if self.encoder is not None else None

    def _cosines(self, queries: Vectors) -> NDArray[np.float64]:
        """Cosine of queries and items, shape (queries, items + background): whole profile and best facets, mixed."""
        assert self.index.item_vectors is not None
        assert self.index.facet_vectors is not None
        share = self.params.facet_share
        whole = self.index.item_vectors.cosines(queries).astype(np.float64)
        silent = np.flatnonzero(np.diff(self.index.pool.starts) == 0)
        if len(silent) and whole.size:  # a zero vector is no likeness: it must not beat a negative cosine
            whole[:, silent] = whole.min(axis=1, keepdims=True)
        if not share:
            return whole
        n_items, n_facets = len(self.index.pool.item_ids), len(self.index.pool.facets)
        best = whole.copy()  # a background text is its own only facet
        best[:, :n_items] = self._best_mean(self.index.facet_vectors.cosines(queries)[:, :n_facets])
        return (1.0 - share) * whole + share * best

    def _best_mean(self, cosines: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean cosine of each item's best facets, shape (queries, items); an item without facets gets the row's minimum."""
        starts = self.index.pool.starts
        sizes = np.diff(starts)
        floor = cosines.min(axis=1, keepdims=True) if cosines.size else np.zeros((len(cosines), 1))
        best = np.repeat(floor.astype(np.float64), len(sizes), axis=1)
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
