"""Retrieval and similarity on pairs of texts: does a query find the one document it belongs to, do similar pairs score high.

Owns the arithmetic of both tasks and the two lexical peers a model is measured beside: the product's own lexical
channel, and plain BM25 over words. Reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from matcher.encoding.protocol import Encoder
from matcher.evaluation.metrics import compute_interval, round_or_none
from matcher.retrieval.expansion import query_weights
from matcher.retrieval.lexical import Counts, LexicalIndex, count_features
from matcher.text.normalise import has_content, normalise
from matcher.text.tokenise import Tokeniser

BATCH = 200
N_SAMPLES = 2_000


@dataclass(frozen=True)
class Measured:
    """One figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, object]:
        return {
            "value": round_or_none(self.value),
            "ci95": [round_or_none(self.low), round_or_none(self.high)],
        }


def compute_reciprocal_ranks(scores: NDArray[np.floating], first: int = 0) -> NDArray[np.float64]:
    """1 / rank of each query's own document; a document that scores as much stands before it.

    Args:
        scores: shape (queries, documents); the document of row i is column ``first + i``.
        first: column of the first row's document.
    """
    rows = np.arange(len(scores))
    own = scores[rows, first + rows][:, None]
    found: NDArray[np.float64] = 1.0 / (scores >= own).sum(axis=1)
    return found


def mean_reciprocal_rank(ranks: NDArray[np.float64]) -> Measured:
    """MRR of reciprocal ranks, one a query."""
    return Measured(float(ranks.mean()), *compute_interval(ranks))


def rank_by_meaning(
    encoder: Encoder, queries: Sequence[str], documents: Sequence[str]
) -> NDArray[np.float64]:
    """Reciprocal rank of every query's own document by cosine; query i belongs to document i."""
    asked, stored = encoder.encode_query(queries), encoder.encode_document(documents)
    cosines = np.round(asked.astype(np.float64) @ stored.astype(np.float64).T, 9)
    return compute_reciprocal_ranks(cosines)


def rank_by_words(
    queries: Sequence[Sequence[str]], documents: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    """The same by BM25 over features, each distinct feature of a query counted once."""
    index = LexicalIndex.build(documents)
    parts = []
    for start in range(0, len(queries), BATCH):
        asked = [query_weights(features) for features in queries[start : start + BATCH]]
        parts.append(compute_reciprocal_ranks(np.round(index.score(asked), 9), start))
    return np.concatenate(parts) if parts else np.zeros(0)


def plain_words(texts: Sequence[str]) -> list[list[str]]:
    """Words of jieba's own dictionary, without the thesaurus and without character n-grams."""
    Tokeniser()  # silences the warnings of jieba's first import
    import jieba

    return [[word for word in jieba.lcut(normalise(text)) if has_content(word)] for text in texts]


def compute_spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Spearman's rank correlation, −1…1, ties at their mean rank; NaN when one side is constant."""
    return float(_correlate(first[None, :], second[None, :])[0])


def correlate_with_interval(
    scores: NDArray[np.float64],
    labels: NDArray[np.float64],
    *,
    n_samples: int = N_SAMPLES,
    seed: int = 20240601,
) -> Measured:
    """Spearman's correlation with a bootstrap interval over pairs."""
    value = compute_spearman(scores, labels)
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(-(-n_samples // BATCH)):
        draws = rng.integers(0, len(scores), size=(BATCH, len(scores)))
        drawn.extend(_correlate(scores[draws], labels[draws]).tolist())
    low, high = np.nanpercentile(drawn[:n_samples], [2.5, 97.5])
    return Measured(value, float(low), float(high))


def _correlate(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of the ranks, row by row."""
    centred = []
    for values in (first, second):
        ranks = rankdata(values, axis=1)
        centred.append(ranks - ranks.mean(axis=1, keepdims=True))
    top = (centred[0] * centred[1]).sum(axis=1)
    size = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    found: NDArray[np.float64] = np.divide(top, size, out=np.full(len(top), np.nan), where=size > 0)
    return found


def meaning_cosines(encoder: Encoder, left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    """Cosine of every pair, both sides encoded as documents: similarity has no query."""
    first, second = encoder.encode_document(left), encoder.encode_document(right)
    found: NDArray[np.float64] = (first.astype(np.float64) * second.astype(np.float64)).sum(axis=1)
    return np.round(found, 9)


def feature_cosines(tokeniser: Tokeniser, left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    """Cosine of every pair's counts of lexical features; 0 where a side has none."""
    counts, _ = count_features([tokeniser.features(text) for text in (*left, *right)])
    first, second = counts[: len(left)], counts[len(left) :]

    def dot(one: Counts, other: Counts) -> NDArray[np.float64]:
        return np.asarray(one.multiply(other).sum(axis=1)).astype(np.float64)

    size = np.sqrt(dot(first, first) * dot(second, second))
    found = np.zeros(len(left))
    np.divide(dot(first, second), size, out=found, where=size > 0)
    return np.round(found, 9)
