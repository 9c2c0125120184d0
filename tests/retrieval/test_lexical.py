"""BM25 against the textbook, and what a saved index gives back."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.retrieval.lexical import BM25Params, LexicalIndex

FEATURE = st.sampled_from(["磨", "损", "w:磨损", "l:plc", "海", "参", "空 格", "é"])
DOCUMENTS = st.lists(st.lists(FEATURE, max_size=8), max_size=7)
QUERY = st.dictionaries(st.one_of(FEATURE, st.just("nobody knows")), st.floats(0.0, 3.0), max_size=6)


def textbook_bm25(documents: list[list[str]], query: dict[str, float], k1: float, b: float) -> list[float]:
    """Robertson & Zaragoza (2009), one document and one word at a time, Lucene's idf."""
    n = len(documents)
    average = sum(map(len, documents)) / n if n else 0.0
    scores = []
    for document in documents:
        score = 0.0
        for word, weight in query.items():
            tf = document.count(word)
            if tf:
                holding = sum(word in other for other in documents)
                idf = math.log(1.0 + (n - holding + 0.5) / (holding + 0.5))
                norm = k1 * (1.0 - b + b * len(document) / average)
                score += weight * idf * tf * (k1 + 1.0) / (tf + norm)
        scores.append(score)
    return scores


@given(DOCUMENTS, st.lists(QUERY, max_size=3), st.floats(0.1, 3.0), st.floats(0.0, 1.0))
def test_scores_are_the_textbook_s(
    documents: list[list[str]], queries: list[dict[str, float]], k1: float, b: float
) -> None:
    found = LexicalIndex.build(documents, BM25Params(k1, b)).score(queries)
    assert found.shape == (len(queries), len(documents))
    for row, query in zip(found, queries, strict=True):
        np.testing.assert_allclose(row, textbook_bm25(documents, query, k1, b), rtol=1e-5, atol=1e-6)


def test_default_parameters_by_hand() -> None:
    index = LexicalIndex.build([["a", "a", "b"], ["b"]])
    idf = math.log(1.0 + (2 - 1 + 0.5) / (1 + 0.5))
    expected = idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    np.testing.assert_allclose(index.score([{"a": 1.0}]), [[expected, 0.0]], rtol=1e-6)
    np.testing.assert_allclose(index.score([{"a": 2.5}]), [[2.5 * expected, 0.0]], rtol=1e-6)


@given(DOCUMENTS, QUERY, st.randoms(use_true_random=False))
def test_the_order_of_documents_and_words_never_matters(
    documents: list[list[str]], query: dict[str, float], random: object
) -> None:
    order = list(range(len(documents)))
    random.shuffle(order)  # type: ignore[attr-defined]
    plain = LexicalIndex.build(documents).score([query])
    moved = LexicalIndex.build([list(reversed(documents[i])) for i in order]).score(
        [dict(reversed(query.items()))]
    )
    np.testing.assert_array_equal(moved, plain[:, order])


@given(DOCUMENTS, st.lists(QUERY, min_size=1, max_size=3))
def test_a_query_scores_the_same_alone_and_in_a_batch(
    documents: list[list[str]], queries: list[dict[str, float]]
) -> None:
    index = LexicalIndex.build(documents)
    alone = np.concatenate([index.score([query]) for query in queries])
    np.testing.assert_array_equal(index.score(queries), alone)


@given(documents=DOCUMENTS, query=QUERY)
def test_saved_and_loaded_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[str]], query: dict[str, float]
) -> None:
    path = tmp_path_factory.mktemp("lexical") / "索 引.npz"
    index = LexicalIndex.build(documents)
    index.save(path)
    loaded = LexicalIndex.load(path)
    assert loaded.n_documents == index.n_documents == len(documents)
    assert loaded.features == index.features
    np.testing.assert_array_equal(loaded.idf, index.idf)
    np.testing.assert_array_equal(loaded.score([query]), index.score([query]))


def test_nothing_in_the_file_is_pickled(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    LexicalIndex.build([["磨", "损"]]).save(path)
    with np.load(path, allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)
