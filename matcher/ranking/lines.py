"""Strength of single line ↔ facet pairs: the formula of the score, one level down.

Owns the measuring of requirement lines against facets. Every line is measured against the same sample of the pool's
facets, so a strength depends neither on the item looked at nor on what else is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.ranking.scorer import Query, Scorer
from matcher.retrieval.expansion import query_weights
from matcher.retrieval.fusion import fuse, standardise
from matcher.vocab import Channel

SAMPLE = 4_000  # facets measured against; smaller pools are taken whole

Raw = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Facet numbers → raw scores of one channel, shape (lines, numbers)."""


class LineScorer:
    """Measures the lines of one query."""

    def __init__(self, scorer: Scorer, query: Query) -> None:
        self._weights = scorer.params.weights
        self._n_lines = len(query.lines)
        self._raw = self._channels(scorer, query)
        last = scorer.index.facets.n_documents - 1
        sample = np.unique(np.linspace(0, max(last, 0), SAMPLE).astype(np.int64))
        sample = sample[: last + 1]
        self._reference = {channel: raw(sample) for channel, raw in self._raw.items()}

    @staticmethod
    def _channels(scorer: Scorer, query: Query) -> dict[Channel, Raw]:
        texts = [line.text for line in query.lines]
        features = [scorer.tokeniser.features(text) for text in texts]
        facets, vectors = scorer.index.facets, scorer.index.facet_vectors
        original = facets.prepare([query_weights(found) for found in features])
        encoded = scorer.encode(texts)
        topics = scorer.expander.call_topics(features, encoded)
        added = facets.prepare([scorer.expander.bundles(called, plain=scorer.plain) for called in topics])
        channels: dict[Channel, Raw] = {
            Channel.LEXICAL: lambda numbers: facets.score(original, numbers),
            Channel.THESAURUS: lambda numbers: facets.score(added, numbers),
        }
        if encoded is not None and vectors is not None:
            channels[Channel.DENSE] = lambda numbers: vectors.cosines_of(encoded, numbers)
        return channels

    def strengths(self, numbers: Sequence[int]) -> NDArray[np.float64]:
        """Strength of every line against some facets of the pool, shape (lines, numbers), 0–1."""
        if not self._n_lines or not len(numbers):
            return np.zeros((self._n_lines, len(numbers)))
        wanted = np.asarray(numbers, dtype=np.int64)
        signals = {
            channel: standardise(raw(wanted), self._reference[channel]) for channel, raw in self._raw.items()
        }
        return fuse(signals, self._weights)[0]
