"""Tokenise and encode only what is new: counts and vectors of known texts come from an earlier index.

Owns the assembly of counts and vectors by text. The result is the same with and without an earlier index; an index
of another lexicon or another model lends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matcher.encoding.protocol import Encoder, Vectors
from matcher.retrieval.lexical import Counts, count_features
from matcher.retrieval.pool import Pool
from matcher.text.tokenise import Tokeniser

if TYPE_CHECKING:
    from matcher.retrieval.index import PoolIndex

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much is done, and how much there is."""
STEP = 500


def count_texts(
    texts: Sequence[str], tokeniser: Tokeniser, previous: PoolIndex | None, progress: Progress | None
) -> tuple[Counts, list[str]]:
    """Feature counts of texts, shape (texts, features), and the features in ascending order."""
    lender = previous if previous and previous.manifest.lexicon == tokeniser.fingerprint else None
    known = {text: row for row, text in enumerate(lender.facet_texts)} if lender else {}
    fresh = list(dict.fromkeys(text for text in texts if text not in known))
    documents = []
    for number, text in enumerate(fresh, 1):
        documents.append(tokeniser.features(text))
        if progress and (number % STEP == 0 or number == len(fresh)):
            progress("分词", number, len(fresh))
    counts, features = count_features(documents)
    if lender:
        both = sorted({*features, *lender.facets.features})
        column = {feature: number for number, feature in enumerate(both)}
        parts = [
            _move(lender.facets.counts, lender.facets.features, column),
            _move(counts, features, column),
        ]
        counts, features = sparse.csr_array(sparse.vstack(parts)), both
    start = lender.facets.n_documents if lender else 0
    row_of = {**known, **{text: start + place for place, text in enumerate(fresh)}}
    rows = np.fromiter((row_of[text] for text in texts), dtype=np.int64, count=len(texts))
    return sparse.csr_array(counts[rows]), features


def _move(counts: Counts, features: Sequence[str], column: dict[str, int]) -> Counts:
    """The same counts with the columns of another feature list."""
    moved = np.fromiter((column[f] for f in features), dtype=np.int64, count=len(features))
    indices = moved[counts.indices] if len(features) else counts.indices
    return sparse.csr_array((counts.data, indices, counts.indptr), shape=(counts.shape[0], len(column)))


def find_unchanged(index: PoolIndex, previous: PoolIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of items and background texts, ascending, that consist of the same facets as a row of an earlier index, and
    the rows they have there.
    """

    def bundles(one: PoolIndex) -> list[tuple[str, ...]]:
        return [tuple(one.facet_texts[start:end]) for start, end in pairwise(one.starts.tolist())]

    known = {bundle: row for row, bundle in enumerate(bundles(previous))}
    found = [(row, known[bundle]) for row, bundle in enumerate(bundles(index)) if bundle in known]
    kept = np.array(found, dtype=np.int64).reshape(-1, 2)
    return kept[:, 0], kept[:, 1]


def bundle_matrix(pool: Pool, n_background: int) -> sparse.csr_array:
    """0/1 matrix of shape (items + background, facets + background) that sums facets to items."""
    n_items, n_facets = len(pool.item_ids), len(pool.facets)
    owner = np.concatenate((pool.owner, np.arange(n_items, n_items + n_background)))
    ones = np.ones(n_facets + n_background, dtype=np.int32)
    shape = (n_items + n_background, n_facets + n_background)
    return sparse.csr_array((ones, (owner, np.arange(len(ones)))), shape=shape)


def encode_texts(
    item_texts: Sequence[str],
    facet_texts: Sequence[str],
    encoder: Encoder,
    previous: PoolIndex | None,
    progress: Progress | None,
) -> tuple[Vectors, Vectors]:
    """Vectors of items and of facets, rows in the order given."""
    known: dict[str, tuple[NDArray[np.float32], int]] = {}
    if previous and previous.manifest.encoder == encoder.fingerprint:
        for texts, index in (
            (previous.item_texts, previous.item_vectors),
            (previous.facet_texts, previous.facet_vectors),
        ):
            if index is not None:
                vectors = index.vectors
                known.update({text: (vectors, row) for row, text in enumerate(texts)})
    fresh = list(dict.fromkeys(text for text in (*item_texts, *facet_texts) if text not in known))

    def tell(done: int, total: int) -> None:
        if progress:
            progress("生成语义向量", done, total)

    made = encoder.encode_document(fresh, progress=tell)
    known.update({text: (made, row) for row, text in enumerate(fresh)})

    def gather(texts: Sequence[str]) -> Vectors:
        rows = [known[text] for text in texts]
        stacked = [vectors[row] for vectors, row in rows]
        empty = np.zeros((0, encoder.dimension), dtype=np.float32)
        return np.stack(stacked).astype(np.float32, copy=False) if stacked else empty

    return gather(item_texts), gather(facet_texts)
