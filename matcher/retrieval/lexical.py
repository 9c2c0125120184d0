"""Lexical channel: BM25 over words and character n-grams.

Owns the sparse matrix of BM25 weights. A document is a bag of features; scoring a query is one sparse product over
the whole collection, so filters applied later cannot change a score.

Source: Robertson & Zaragoza (2009), The Probabilistic Relevance Framework, eq. 3.15, with Lucene's non-negative idf.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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


class LexicalIndex:
    """BM25 weights of a collection, shape (documents, features)."""

    def __init__(self, weights: sparse.csr_array, idf: NDArray[np.float64], features: Sequence[str]) -> None:
        self._weights = weights
        self._transposed = weights.T.tocsr()
        self.idf = idf
        self.features = list(features)
        self._column = {feature: number for number, feature in enumerate(self.features)}

    @property
    def n_documents(self) -> int:
        return int(self._weights.shape[0])

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]], params: BM25Params | None = None) -> LexicalIndex:
        """Index documents given as lists of features; row i of every result is document i."""
        params = params or BM25Params()
        counts = [Counter(document) for document in documents]
        features = sorted(set().union(*counts)) if counts else []
        column = {feature: number for number, feature in enumerate(features)}
        lengths = np.array([len(document) for document in documents], dtype=np.float64)
        average = float(lengths.mean()) if len(documents) and lengths.any() else 1.0
        sizes = [len(count) for count in counts]
        rows = np.repeat(np.arange(len(documents)), sizes)
        columns = np.fromiter(
            (column[f] for count in counts for f in count), dtype=np.int64, count=sum(sizes)
        )
        tf = np.fromiter((n for count in counts for n in count.values()), dtype=np.float64, count=sum(sizes))
        n_holding = np.bincount(columns, minlength=len(features)).astype(np.float64)
        idf = np.log1p((len(documents) - n_holding + 0.5) / (n_holding + 0.5))
        norm = params.k1 * (1.0 - params.b + params.b * lengths / average)
        values = idf[columns] * tf * (params.k1 + 1.0) / (tf + norm[rows]) if len(rows) else tf
        shape = (len(documents), len(features))
        matrix = sparse.csr_array((values.astype(np.float32), (rows, columns)), shape=shape)
        matrix.sort_indices()
        return cls(matrix, idf, features)

    def score(self, queries: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
        """Score every document for every query.

        Args:
            queries: feature → weight; features the collection does not know are ignored.

        Returns:
            Shape (queries, documents), ≥ 0 for non-negative weights, unbounded, comparable within one query only.
        """
        if not queries or not self.features:
            return np.zeros((len(queries), self.n_documents))
        rows, columns, values = [], [], []
        for row, query in enumerate(queries):
            for feature in sorted(query):
                number = self._column.get(feature)
                if number is not None:
                    rows.append(row)
                    columns.append(number)
                    values.append(query[feature])
        shape = (len(queries), len(self.features))
        product = (
            sparse.csr_array((np.array(values, dtype=np.float64), (rows, columns)), shape=shape)
            @ self._transposed
        )
        return np.asarray(product.toarray(), dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write one ``.npz`` file; nothing in it is pickled."""
        np.savez(
            path,
            data=self._weights.data,
            indices=self._weights.indices,
            indptr=self._weights.indptr,
            shape=np.array(self._weights.shape),
            idf=self.idf,
            features=np.frombuffer("\n".join(self.features).encode(), dtype=np.uint8),
        )

    @classmethod
    def load(cls, path: Path) -> LexicalIndex:
        """Read what ``save`` wrote. Raises OSError, ValueError or KeyError when the file is not that."""
        with np.load(path, allow_pickle=False) as stored:
            matrix = sparse.csr_array(
                (stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"])
            )
            text = stored["features"].tobytes().decode()
            return cls(matrix, stored["idf"], text.split("\n") if text else [])
