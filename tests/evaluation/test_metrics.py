"""Metrics against ``ir_measures`` and scikit-learn, and by hand where those have no opinion."""

from __future__ import annotations

import math

import ir_measures
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ir_measures import RR, P, R, nDCG
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from matcher.evaluation.metrics import METRICS, compute_interval, compute_kappa, compute_ndcg

IDS = [f"E{number:02}" for number in range(16)]
GRADES = st.dictionaries(st.sampled_from(IDS), st.integers(0, 3), min_size=1)
RANKING = st.permutations(IDS).flatmap(lambda ids: st.integers(1, len(ids)).map(lambda n: ids[:n]))
GAINS = {0: 0, 1: 1, 2: 3, 3: 7}  # 2^grade − 1; plain nDCG of trec_eval takes the grade itself
PEERS = {
    "ndcg@10": nDCG(gains=GAINS) @ 10,
    "recall@5": R(rel=2) @ 5,
    "recall@10": R(rel=2) @ 10,
    "mrr": RR(rel=2),
    "p@1": P(rel=2) @ 1,
}
VALUES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=25).map(np.array)


@settings(max_examples=150)
@given(GRADES, RANKING)
def test_metrics_are_those_of_ir_measures(grades: dict[str, int], ranking: list[str]) -> None:
    run = {"N1": {item: float(len(ranking) - place) for place, item in enumerate(ranking)}}
    expected = ir_measures.calc_aggregate(PEERS.values(), {"N1": grades}, run)
    assert set(METRICS) == set(PEERS)
    for name, compute in METRICS.items():
        found = compute(ranking, grades)
        if name.startswith("recall") and not any(grade >= 2 for grade in grades.values()):
            assert math.isnan(found)  # trec_eval says 0; a need nobody fits says nothing about recall
        else:
            assert found == pytest.approx(expected[PEERS[name]], abs=1e-9), name


def test_ndcg_by_hand() -> None:
    grades = {"a": 3, "b": 2, "c": 1}
    dcg = 3 / 1 + 0 + 7 / 2  # b, unjudged, a: discounts log2(2), log2(3), log2(4)
    ideal = 7 / 1 + 3 / math.log2(3) + 1 / 2
    assert compute_ndcg(["b", "x", "a"], grades) == pytest.approx(dcg / ideal)
    assert compute_ndcg(["b", "x", "a"], grades, k=1) == pytest.approx(3 / 7)
    assert compute_ndcg(["a", "b", "c", "x"], grades) == 1.0
    assert compute_ndcg(["a"], {"a": 0}) == 0.0
    assert compute_ndcg([], grades) == 0.0


def test_nobody_ranked() -> None:
    assert {name: compute([], {"a": 3}) for name, compute in METRICS.items()} == dict.fromkeys(METRICS, 0.0)


@given(GRADES, st.permutations(IDS))
def test_moving_a_better_one_up_never_costs(grades: dict[str, int], ranking: list[str]) -> None:
    swaps = [i for i in range(len(ranking) - 1) if grades.get(ranking[i], 0) < grades.get(ranking[i + 1], 0)]
    assume(swaps)
    better = list(ranking)
    better[swaps[0]], better[swaps[0] + 1] = better[swaps[0] + 1], better[swaps[0]]
    for name, compute in METRICS.items():
        if not math.isnan(compute(ranking, grades)):
            assert compute(better, grades) >= compute(ranking, grades) - 1e-12, name


@settings(max_examples=25)
@given(VALUES)
def test_the_interval_holds_the_mean_and_lies_within_the_values(values: NDArray[np.float64]) -> None:
    low, high = compute_interval(values, n_samples=2000)
    assert values.min() - 1e-12 <= low <= high <= values.max() + 1e-12
    assert low <= values.mean() + 1e-9
    assert values.mean() - 1e-9 <= high
    assert compute_interval(values, n_samples=2000) == (low, high)


@settings(max_examples=15)
@given(VALUES, st.integers(1, 4))
def test_needs_without_a_value_are_left_out_of_the_interval(
    values: NDArray[np.float64], n_missing: int
) -> None:
    with_gaps = np.concatenate([[math.nan] * n_missing, values])
    assert compute_interval(with_gaps, n_samples=500) == compute_interval(values, n_samples=500)


def test_interval_of_equal_values_and_of_none() -> None:
    assert compute_interval(np.full(9, 0.25)) == (0.25, 0.25)
    assert all(map(math.isnan, compute_interval(np.array([]))))
    assert all(map(math.isnan, compute_interval(np.array([math.nan]))))


def test_interval_is_near_the_normal_one_and_narrows_with_more_needs() -> None:
    values = np.random.default_rng(5).random(400)
    low, high = compute_interval(values)
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 10)
    few_low, few_high = compute_interval(values[:40])
    assert few_high - few_low > 2 * (high - low)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_kappa_is_scikit_learn_s(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    if len({*first, *second}) == 1:
        assert compute_kappa(first, second) == 1.0  # undefined by the formula; both always agree
        return
    expected = cohen_kappa_score(first, second, labels=[0, 1, 2, 3], weights="quadratic")
    assert compute_kappa(first, second) == pytest.approx(expected, abs=1e-12)
    assert compute_kappa(second, first) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([1], [1, 2]), ([1, 2], []), ([4], [3]), ([-1], [3]), ([0, 3], [0, -1])]
)
def test_kappa_refuses_what_are_no_gradings(first: list[int], second: list[int]) -> None:
    """−1 would silently count as the highest grade."""
    with pytest.raises(ValueError, match=r"."):
        compute_kappa(first, second)
