"""Paired differences and the honest choice of a setting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.evaluation.comparison import choose_leaving_out, compare_paired
from matcher.evaluation.metrics import compute_interval

VALUES = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20).map(np.array)


@settings(max_examples=25)
@given(VALUES)
def test_a_system_does_not_differ_from_itself(values: np.ndarray) -> None:
    found = compare_paired(values, values)
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)


@settings(max_examples=25)
@given(VALUES, st.integers(0, 99))
def test_swapping_the_systems_turns_the_sign(first: np.ndarray, seed: int) -> None:
    second = np.random.default_rng(seed).random(len(first))
    one, other = compare_paired(first, second), compare_paired(second, first)
    assert one.mean == pytest.approx(second.mean() - first.mean())
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low))
    assert one.low <= one.mean + 1e-9
    assert one.mean <= one.high + 1e-9


def test_pairing_sees_a_small_steady_gain_that_two_intervals_do_not() -> None:
    first = np.random.default_rng(1).random(40)
    second = first + 0.02
    found = compare_paired(first, second)
    assert found.low == pytest.approx(0.02)
    assert compute_interval(first)[1] > compute_interval(second)[0]


def test_a_need_without_a_value_in_either_is_left_out() -> None:
    found = compare_paired(np.array([0.1, math.nan, 0.3]), np.array([0.4, 0.5, math.nan]))
    assert found.mean == pytest.approx(0.3)
    assert found.as_json() == {"mean": 0.3, "ci95": [0.3, 0.3]}
    nothing = compare_paired(np.array([math.nan]), np.array([1.0]))
    assert nothing.as_json() == {"mean": None, "ci95": [None, None]}


def test_systems_on_other_needs_are_refused() -> None:
    with pytest.raises(ValueError, match="same needs"):
        compare_paired(np.zeros(3), np.zeros(4))


GROUPS = ["a", "a", "b", "b", "c"]
SETTINGS = {
    "x": np.array([0.9, 0.9, 0.2, 0.2, 0.5]),
    "y": np.array([0.1, 0.3, 0.8, 0.8, 0.5]),
    "z": np.array([0.4, 0.4, 0.4, 0.4, 0.4]),
}


def test_each_group_is_measured_under_the_choice_of_the_others() -> None:
    """Without a: y 2.1/3, x 0.9/3. Without b: x 2.3/3, y 0.9/3. Without c: x 2.2/4, y 2.0/4."""
    found = choose_leaving_out(SETTINGS, GROUPS)
    assert found.chosen == {"a": "y", "b": "x", "c": "x"}
    assert found.values.tolist() == [0.1, 0.3, 0.2, 0.2, 0.5]
    assert found.mean == pytest.approx(0.26)
    assert (found.best, found.best_mean) == ("x", pytest.approx(0.54))
    assert found.mean < found.best_mean, "what was chosen on the same needs looks better than it is"
    low, high = found.interval
    assert low <= found.mean <= high


def test_of_equals_the_first_wins_and_a_last_bit_decides_nothing() -> None:
    values = np.array([0.3, 0.3, 0.3, 0.3])
    found = choose_leaving_out({"simple": values, "other": values + 1e-13}, ["a", "a", "b", "b"])
    assert set(found.chosen.values()) == {found.best} == {"simple"}


def test_a_missing_value_never_makes_a_setting_win() -> None:
    settings = {"gaps": np.array([math.nan, math.nan, math.nan]), "poor": np.array([0.0, 0.1, math.nan])}
    found = choose_leaving_out(settings, ["a", "b", "b"])
    assert found.best == "poor"
    assert found.best_mean == pytest.approx(0.05)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 4))
def test_a_group_never_speaks_for_itself(seed: int, n_settings: int, n_groups: int) -> None:
    """Whatever stands in a group, the setting chosen for it stays."""
    rng = np.random.default_rng(seed)
    groups = [f"g{number % n_groups}" for number in range(12)]
    table = {f"s{number}": rng.random(12) for number in range(n_settings)}
    before = choose_leaving_out(table, groups)
    here = np.array(groups) == "g0"
    for values in table.values():
        values[here] = rng.random(int(here.sum()))
    assert choose_leaving_out(table, groups).chosen["g0"] == before.chosen["g0"]


@pytest.mark.parametrize(
    ("table", "groups"),
    [({}, ["a", "b"]), ({"x": np.zeros(2)}, ["a", "a"]), ({"x": np.zeros(3)}, ["a", "b"])],
)
def test_what_leaves_no_choice_is_refused(table: dict[str, np.ndarray], groups: list[str]) -> None:
    with pytest.raises(ValueError, match="setting"):
        choose_leaving_out(table, groups)
