"""Compare systems and settings over the same needs, with intervals.

Owns paired differences and the honest choice of constants: a constant is chosen on all groups but one and measured
on the one left out. Works on arrays of metric values, one value a need; knows no channel and no scorer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.metrics import compute_interval, round_or_none

Values = NDArray[np.float64]
"""A metric of every need, shape (needs,), NaN where the need has no value."""

DECIMALS = 9  # the last bits of a mean never decide which setting is chosen


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of second − first over needs with its 95 % bootstrap interval; a gain when ``low`` is above zero."""

    mean: float
    low: float
    high: float

    def as_json(self) -> dict[str, object]:
        return {
            "mean": round_or_none(self.mean),
            "ci95": [round_or_none(self.low), round_or_none(self.high)],
        }


def compare_paired(first: Values, second: Values) -> Difference:
    """Difference of two systems over the same needs, in the same order; a need with a NaN in either is left out.

    Needs are drawn with their pair of values, so that hard needs widen no interval by being hard for both.

    Raises:
        ValueError: the arrays are not of one length.
    """
    if first.shape != second.shape:
        raise ValueError("both systems must be measured on the same needs")
    gained = second - first
    known = gained[~np.isnan(gained)]
    low, high = compute_interval(gained)
    return Difference(float(known.mean()) if len(known) else math.nan, low, high)


@dataclass(frozen=True)
class LeftOut:
    """What a choice of constants is worth on needs it was not made on.

    Attributes:
        values: metric of every need, under the setting chosen without its group.
        chosen: group → name of that setting.
        best: name of the setting chosen on all groups together.
        best_mean: its mean on the same groups, an optimistic figure.
    """

    values: Values
    chosen: Mapping[str, str]
    best: str
    best_mean: float

    @property
    def mean(self) -> float:
        """The honest mean over needs."""
        return float(np.nanmean(self.values))

    @property
    def interval(self) -> tuple[float, float]:
        return compute_interval(self.values)


def choose_leaving_out(settings: Mapping[str, Values], groups: Sequence[str]) -> LeftOut:
    """Choose a setting for each group by the mean over the needs of the other groups; the first of equals wins.

    Args:
        settings: name → metric of every need.
        groups: group of every need; at least two different ones.

    Raises:
        ValueError: there is no setting, one group only, or an array of another length.
    """
    names = list(settings)
    of_need = np.asarray(groups)
    if not names or len(set(groups)) < 2:
        raise ValueError("at least one setting and two groups are needed")
    if any(settings[name].shape != of_need.shape for name in names):
        raise ValueError("every setting must be measured on the needs the groups belong to")
    matrix = np.stack([settings[name] for name in names])
    values = np.empty(len(of_need))
    chosen: dict[str, str] = {}
    for group in sorted(set(groups)):
        here = of_need == group
        best = _best(matrix[:, ~here])
        chosen[group] = names[best]
        values[here] = matrix[best, here]
    top = _best(matrix)
    return LeftOut(values, chosen, names[top], float(np.nanmean(matrix[top])))


def _best(matrix: NDArray[np.float64]) -> int:
    """Row of the highest mean, shape (settings, needs); a setting without any value is the worst."""
    known = ~np.isnan(matrix)
    sums = np.where(known, matrix, 0.0).sum(axis=1)
    counts = known.sum(axis=1)
    means = np.divide(sums, counts, out=np.full(len(matrix), -np.inf), where=counts > 0)
    return int(np.argmax(np.round(means, DECIMALS)))
