"""The two formulas every score goes through."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from matcher.retrieval.fusion import effective_weights, fuse, standardise
from matcher.vocab import Channel

RAW = arrays(
    np.float64, st.tuples(st.integers(1, 3), st.integers(1, 12)), elements=st.integers(-9, 9).map(float)
)
UNIT = arrays(np.float64, (2, 4), elements=st.integers(0, 1_000_000).map(lambda n: n / 1_000_000))
WEIGHT = st.one_of(st.just(0.0), st.floats(0.001, 100.0))
WEIGHTS = st.fixed_dictionaries(dict.fromkeys(Channel, WEIGHT))
SUBSETS = [frozenset(c) for n in (1, 2, 3) for c in itertools.combinations(Channel, n)]


@given(RAW)
def test_signal_is_the_z_score_as_a_share_of_five(raw: NDArray[np.float64]) -> None:
    found = standardise(raw)
    for row, values in zip(found, raw.tolist(), strict=True):
        mean = math.fsum(values) / len(values)
        spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))
        z = [(v - mean) / spread if spread > 1e-9 else 0.0 for v in values]
        np.testing.assert_allclose(row, [min(1.0, max(0.0, v / 5.0)) for v in z], atol=1e-6)


@given(RAW, st.floats(0.1, 50.0), st.floats(-20.0, 20.0))
def test_signal_does_not_depend_on_the_channel_s_unit(
    raw: NDArray[np.float64], scale: float, shift: float
) -> None:
    np.testing.assert_allclose(standardise(raw * scale + shift), standardise(raw), atol=2e-6)


@pytest.mark.parametrize(
    "raw", [np.zeros((1, 5)), np.full((2, 7), 0.1), np.array([[3.7]]), np.full((1, 3), 1e12)]
)
def test_no_spread_no_signal(raw: NDArray[np.float64]) -> None:
    np.testing.assert_array_equal(standardise(raw), 0.0)


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 0)])
def test_nothing_stays_nothing(shape: tuple[int, int]) -> None:
    assert standardise(np.zeros(shape)).shape == shape


def test_one_of_a_hundred_reaches_the_ceiling() -> None:
    raw = np.zeros((1, 100))
    raw[0, 3] = 1.0  # z = 99 / sqrt(99) = 9.95
    assert standardise(raw)[0, 3] == 1.0


@given(WEIGHTS, st.sampled_from(SUBSETS))
def test_weights_of_the_channels_present_sum_to_one(
    weights: dict[Channel, float], present: frozenset[Channel]
) -> None:
    total = sum(weights[channel] for channel in present)
    assume(total > 0)
    shares = effective_weights(weights, present)
    assert set(shares) == present
    assert sum(shares.values()) == pytest.approx(1.0)
    for channel in present:
        assert shares[channel] == pytest.approx(weights[channel] / total)


@pytest.mark.parametrize(
    "weights",
    [
        {Channel.LEXICAL: -0.1, Channel.DENSE: 1.0},
        {Channel.LEXICAL: 1.0, Channel.THESAURUS: -1.0},
        {Channel.LEXICAL: 0.0, Channel.DENSE: 0.0},
        {Channel.THESAURUS: 1.0},
        {},
        {Channel.LEXICAL: math.nan, Channel.DENSE: 1.0},
        {Channel.LEXICAL: math.inf, Channel.DENSE: 1.0},
    ],
)
def test_weights_that_make_no_score_are_refused(weights: dict[Channel, float]) -> None:
    with pytest.raises(ValueError, match="weight"):
        effective_weights(weights, frozenset({Channel.LEXICAL, Channel.DENSE}))


@given(WEIGHTS, st.fixed_dictionaries(dict.fromkeys(Channel, UNIT)), st.sampled_from(SUBSETS))
def test_contributions_are_weight_times_signal_and_sum_to_the_score(
    weights: dict[Channel, float],
    all_signals: dict[Channel, NDArray[np.float64]],
    present: frozenset[Channel],
) -> None:
    total = sum(weights[channel] for channel in present)
    assume(total > 0)
    signals = {channel: all_signals[channel] for channel in Channel if channel in present}
    score, contributions = fuse(signals, weights)
    np.testing.assert_allclose(sum(contributions.values()), score, atol=1e-9)
    for channel in present:
        np.testing.assert_allclose(
            contributions[channel], weights[channel] / total * signals[channel], atol=1e-6
        )
    assert (score >= 0.0).all()
    assert (score <= 1.0 + 2e-6).all()


@pytest.mark.parametrize("shares", [(1, 1, 4), (1, 1, 1), (2, 3, 2), (1, 5, 0)])
def test_three_full_signals_are_never_more_than_one(shares: tuple[int, int, int]) -> None:
    """1/6 + 1/6 + 4/6, each rounded up, would show 100.0001."""
    full = {channel: np.ones((1, 1)) for channel in Channel}
    score, _ = fuse(full, dict(zip(Channel, map(float, shares), strict=True)))
    assert score[0, 0] <= 1.0
    assert score[0, 0] == pytest.approx(1.0, abs=3e-6)
