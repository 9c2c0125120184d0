"""Paired texts: reciprocal ranks by hand, correlation against scipy, cosines against the formula."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from matcher.encoding.protocol import Encoder
from matcher.evaluation.paired_texts import (
    compute_reciprocal_ranks,
    compute_spearman,
    correlate_with_interval,
    feature_cosines,
    mean_reciprocal_rank,
    meaning_cosines,
    plain_words,
    rank_by_meaning,
    rank_by_words,
)
from matcher.text.tokenise import Tokeniser

TITLES = ["轴承磨损规律", "海参苗种培育", "图像缺陷识别"]
TEXTS = ["研究轴承磨损的规律与润滑", "海参苗种在池塘中的培育", "用图像识别钢板的缺陷"]


def test_ranks_by_hand() -> None:
    scores = np.array([[0.9, 0.1, 0.2], [0.5, 0.4, 0.3], [0.1, 0.1, 0.1]])
    assert compute_reciprocal_ranks(scores).tolist() == [1.0, 0.5, 1 / 3], "equals stand before"
    assert compute_reciprocal_ranks(scores[1:], first=1).tolist() == [0.5, 1 / 3]
    found = mean_reciprocal_rank(np.array([1.0, 0.5]))
    assert found.value == 0.75
    assert 0.5 <= found.low <= found.value <= found.high <= 1.0


def test_both_searches_find_what_shares_its_words(
    make_encoder: Callable[..., Encoder], small_tokeniser: Tokeniser
) -> None:
    assert rank_by_meaning(make_encoder(dimension=512), TITLES, TEXTS).tolist() == [1.0, 1.0, 1.0]
    features = [[small_tokeniser.features(text) for text in texts] for texts in (TITLES, TEXTS)]
    assert rank_by_words(*features).tolist() == [1.0, 1.0, 1.0]
    assert rank_by_words(plain_words(["毫不相干"]), plain_words(TEXTS)).tolist() == [1 / 3]


def test_ranking_in_batches_is_ranking_at_once() -> None:
    rng = np.random.default_rng(0)
    documents = [[str(n) for n in rng.integers(0, 60, 12)] for _ in range(450)]
    queries = [document[:2] for document in documents]
    whole = rank_by_words(queries, documents)
    assert len(whole) == 450
    assert whole[430] == rank_by_words(queries[430:431], documents[430:] + documents[:430])[0]


def test_plain_words_know_no_thesaurus() -> None:
    assert plain_words(["轴承，磨损！"]) == [["轴承", "磨损"]]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30))
def test_spearman_is_scipy_s(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    found = compute_spearman(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)


def test_the_interval_of_a_correlation_holds_it_and_repeats() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 6, 120).astype(float)
    found = correlate_with_interval(labels + rng.normal(0, 2, 120), labels, n_samples=400)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.5
    perfect = correlate_with_interval(labels, labels, n_samples=400)
    assert (perfect.low, perfect.value, perfect.high) == pytest.approx((1.0, 1.0, 1.0))
    again = correlate_with_interval(labels, labels[::-1].copy(), n_samples=400)
    assert again == correlate_with_interval(labels, labels[::-1].copy(), n_samples=400)


def test_cosines_by_hand(make_encoder: Callable[..., Encoder], small_tokeniser: Tokeniser) -> None:
    left, right = ["轴承磨损", "海参", "，。"], ["轴承磨损", "相机看不清海参", "轴承"]
    found = feature_cosines(small_tokeniser, left, right)
    one, other = (Counter(small_tokeniser.features(text)) for text in ("海参", "相机看不清海参"))
    dot = sum(one[feature] * other[feature] for feature in one)
    size = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    assert found.tolist() == pytest.approx([1.0, dot / size, 0.0])
    encoder = make_encoder()
    expected = (encoder.encode_document(left) * encoder.encode_document(right)).sum(axis=1)
    np.testing.assert_allclose(meaning_cosines(encoder, left, right), expected, atol=1e-6)
