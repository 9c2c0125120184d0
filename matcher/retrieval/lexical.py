"""Lexical channel: BM25 over words and character n-grams.

Owns the sparse matrix of BM25 weights. A document is a bag of features; scoring a query is one sparse product over
the whole collection, so filters applied later cannot change a score.

Source: Robertson & Zaragoza (2009), The Probabilistic Relevance Framework, eq. 3.15, with Lucene's non-negative idf.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


@dataclass(frozen=True, slots=True)
class BM25Params:
    """Saturation ``k1`` and length normalisation ``b``. The textbook values; others gained nothing on the development set."""

    k1: float = 1.2
    b: float = 0.75


Bundle = tuple[frozenset[str], float]
"""Features that share one weight."""

Counts = sparse.csr_array
"""How often each feature stands in each document, shape (documents, features), int32."""


def count_features(documents: Sequence[Sequence[str]]) -> tuple[Counts, list[str]]:
    """Counts of documents given as lists of features, and the features in ascending order, one a column."""
    counters = [Counter(document) for document in documents]
    features = sorted(set().union(*counters)) if counters else []
    column = {feature: number for number, feature in enumerate(features)}
    sizes = [len(counter) for counter in counters]
    rows = np.repeat(np.arange(len(counters)), sizes)
    columns = np.fromiter((column[f] for c in counters for f in c), dtype=np.int64, count=sum(sizes))
    values = np.fromiter((n for c in counters for n in c.values()), dtype=np.int32, count=sum(sizes))
    return sparse.csr_array((values, (rows, columns)), shape=(len(counters), len(features))), features


class LexicalIndex:
    """BM25 over a collection.

    Args:
        counts: shape (documents, features); features no document holds are dropped.
        features: name of each column, ascending.
        params: saturation and length normalisation.
    """

    def __init__(self, counts: Counts, features: Sequence[str], params: BM25Params | None = None) -> None:
        self.params = params or BM25Params()
        n_holding = np.bincount(counts.indices, minlength=counts.shape[1]).astype(np.float64)
        used = n_holding > 0
        if not used.all():
            counts, n_holding = sparse.csr_array(counts[:, used]), n_holding[used]
            features = [feature for feature, kept in zip(features, used, strict=True) if kept]
        counts.sort_indices()
        self.counts = counts
        self.features = list(features)
        self.idf = np.log1p((self.n_documents - n_holding + 0.5) / (n_holding + 0.5))
        self._column = {feature: number for number, feature in enumerate(self.features)}
        self._columns_of: dict[frozenset[str], NDArray[np.int64]] = {}
        self._weights = self._weigh(counts)
        self._by_feature = self._weights.T.tocsr()

    @property
    def n_documents(self) -> int:
        return int(self.counts.shape[0])

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]], params: BM25Params | None = None) -> LexicalIndex:
        """Index documents given as lists of features; row i of every result is document i."""
        return cls(*count_features(documents), params)

    def _weigh(self, counts: Counts) -> sparse.csr_array:
        lengths = np.asarray(counts.sum(axis=1), dtype=np.float64)
        average = float(lengths.mean()) if lengths.any() else 1.0
        norm = self.params.k1 * (1.0 - self.params.b + self.params.b * lengths / average)
        tf = counts.data.astype(np.float64)
        rows = np.repeat(np.arange(self.n_documents), np.diff(counts.indptr))
        values = self.idf[counts.indices] * tf * (self.params.k1 + 1.0) / (tf + norm[rows])
        return sparse.csr_array(
            (values.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape
        )

    def prepare(self, queries: Sequence[Mapping[str, float] | Sequence[Bundle]]) -> sparse.csr_array:
        """Queries as a matrix of shape (queries, features); features the collection does not know are ignored.

        Args:
            queries: feature → weight, or bundles, whose columns are remembered and whose weights add up.
        """
        columns: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
        values: list[NDArray[np.float64]] = [np.zeros(0)]
        ends = [0]
        for query in queries:
            if isinstance(query, Mapping):
                columns.append(self._numbers(query))
                values.append(np.fromiter(query.values(), np.float64, count=len(query)))
                size = len(query)
            else:
                found = [(self._bundle(features), weight) for features, weight in query]
                columns += [numbers for numbers, _ in found]
                values += [np.full(len(numbers), weight) for numbers, weight in found]
                size = sum(len(numbers) for numbers, _ in found)
            ends.append(ends[-1] + size)
        number, weight = np.concatenate(columns), np.concatenate(values)
        places, known = np.repeat(np.arange(len(queries)), np.diff(ends)), number >= 0
        shape = (len(queries), len(self.features))
        wanted = sparse.csr_array((weight[known], (places[known], number[known])), shape=shape)
        wanted.sum_duplicates()  # in ascending columns: sums do not depend on the order of a query's features
        return wanted

    def _bundle(self, features: frozenset[str]) -> NDArray[np.int64]:
        if features not in self._columns_of:
            self._columns_of[features] = np.sort(self._numbers(features))
        return self._columns_of[features]

    def _numbers(self, features: Collection[str]) -> NDArray[np.int64]:
        return np.fromiter((self._column.get(f, -1) for f in features), np.int64, count=len(features))

    def score(
        self,
        queries: Sequence[Mapping[str, float] | Sequence[Bundle]] | sparse.csr_array,
        rows: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Score documents for every query.

        Args:
            queries: as ``prepare`` takes or returns them.
            rows: score only these documents; all of them when None.

        Returns:
            Shape (queries, documents or rows), ≥ 0 for non-negative weights, unbounded, comparable within one query.
        """
        wanted = queries if isinstance(queries, sparse.csr_array) else self.prepare(queries)
        n_wanted = self.n_documents if rows is None else len(rows)
        if not wanted.nnz or not n_wanted:
            return np.zeros((wanted.shape[0], n_wanted))
        if rows is None:
            return np.asarray((wanted @ self._by_feature).toarray(), dtype=np.float64)
        return np.asarray((self._weights[rows] @ wanted.T).toarray().T, dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write one ``.npz`` file; nothing in it is pickled."""
        np.savez(
            path,
            data=self.counts.data,
            indices=self.counts.indices,
            indptr=self.counts.indptr,
            shape=np.array(self.counts.shape),
            params=np.array([self.params.k1, self.params.b]),
            features=np.frombuffer("\n".join(self.features).encode(), dtype=np.uint8),
        )

    @classmethod
    def load(cls, path: Path) -> LexicalIndex:
        """Read what ``save`` wrote. Raises OSError, ValueError or KeyError when the file is not that."""
        with np.load(path, allow_pickle=False) as stored:
            counts = sparse.csr_array(
                (stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"])
            )
            text = stored["features"].tobytes().decode()
            k1, b = stored["params"].tolist()
        return cls(counts, text.split("\n") if text else [], BM25Params(k1, b))
