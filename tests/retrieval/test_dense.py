"""FAISS against plain numpy cosines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matcher.retrieval.dense import DenseIndex


def unit_rows(seed: int, n: int, dimension: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(n, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 9999), st.integers(0, 40), st.integers(0, 30), st.integers(1, 48))
def test_cosines_are_exact(seed: int, n_facets: int, n_queries: int, dimension: int) -> None:
    facets, queries = unit_rows(seed, n_facets, dimension), unit_rows(seed + 1, n_queries, dimension)
    facets[::5] = 0.0  # blank texts
    index = DenseIndex.build(facets)
    assert (index.n_vectors, index.dimension) == (n_facets, dimension)
    exact = queries.astype(np.float64) @ facets.astype(np.float64).T
    found = index.cosines(queries)
    assert found.shape == (n_queries, n_facets)
    np.testing.assert_allclose(found, exact, atol=1e-6)


def test_a_vector_answers_the_same_alone_in_a_batch_and_twice_in_the_pool() -> None:
    """Bit for bit: otherwise the order of rows would decide between twins."""
    facets, queries = unit_rows(1, 601, 64), unit_rows(2, 70, 64)
    facets[301:601] = facets[:300]
    found = DenseIndex.build(facets).cosines(queries)
    np.testing.assert_array_equal(found[:, 301:601], found[:, :300])
    alone = np.concatenate([DenseIndex.build(facets).cosines(query[None]) for query in queries])
    np.testing.assert_array_equal(found, alone)


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    facets, queries = unit_rows(5, 30, 8), unit_rows(6, 3, 8)
    index = DenseIndex.build(facets)
    index.save(tmp_path / "索 引.faiss")
    loaded = DenseIndex.load(tmp_path / "索 引.faiss")
    np.testing.assert_array_equal(loaded.cosines(queries), index.cosines(queries))
