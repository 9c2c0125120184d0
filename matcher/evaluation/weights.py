"""Channel weights: what each channel is worth, and a choice of weights measured where it was not made.

Owns the combinations of channels and the grid of weights. Signals are standardised over the whole pool before they
are weighed, so every weighing is one sum: no channel is scored again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.comparison import Difference, LeftOut, Values, choose_leaving_out, compare_paired
from matcher.evaluation.harness import Qrels, order_items
from matcher.evaluation.metrics import compute_interval, compute_ndcg, round_or_none
from matcher.retrieval.fusion import effective_weights, fuse
from matcher.vocab import Channel

MOST = 4
METRIC = "ndcg@10"

Signals = Mapping[Channel, NDArray[np.float64]]
"""Signal of each channel present, shape (needs, items), 0–1."""


def build_grid(channels: Sequence[Channel], most: int = MOST) -> dict[str, dict[Channel, float]]:
    """Every ratio of whole weights from 0 to ``most``, simplest first: "1:2:1" → weights, in the order of ``Channel``."""
    present = [channel for channel in Channel if channel in channels]
    ratios = [r for r in product(range(most + 1), repeat=len(present)) if math.gcd(*r) == 1]
    ratios.sort(key=lambda ratio: (sum(ratio), tuple(-weight for weight in ratio)))
    return {":".join(map(str, r)): dict(zip(present, map(float, r), strict=True)) for r in ratios}


def measure_weights(
    signals: Signals,
    weights: Mapping[Channel, float],
    item_ids: Sequence[str],
    need_ids: Sequence[str],
    qrels: Qrels,
) -> Values:
    """nDCG@10 of every need when the channels present are weighed so; ``item_ids`` in ascending order.

    Raises:
        ValueError: no channel present has a weight.
    """
    score, _ = fuse(signals, weights)
    rankings = [order_items(row, item_ids) for row in score]
    return np.array([compute_ndcg(r, qrels[need]) for r, need in zip(rankings, need_ids, strict=True)])


@dataclass(frozen=True)
class Ablation:
    """Some of the channels fused alone: nDCG@10 of every need, and what they lose against all channels together."""

    channels: tuple[Channel, ...]
    values: Values
    difference: Difference

    @property
    def interval(self) -> tuple[float, float]:
        return compute_interval(self.values)


def ablate_channels(
    signals: Signals,
    weights: Mapping[Channel, float],
    item_ids: Sequence[str],
    need_ids: Sequence[str],
    qrels: Qrels,
) -> list[Ablation]:
    """Every combination of the channels that have a weight, the largest first; weights keep their ratio."""
    used = [channel for channel in Channel if channel in signals and weights.get(channel, 0.0) > 0]
    whole = measure_weights(signals, weights, item_ids, need_ids, qrels)
    found = []
    for size in range(len(used), 0, -1):
        for kept in combinations(used, size):
            part = {channel: weights[channel] for channel in kept}
            values = measure_weights(signals, part, item_ids, need_ids, qrels)
            found.append(Ablation(kept, values, compare_paired(whole, values)))
    return found


@dataclass(frozen=True)
class SectorsLeftOut:
    """Leave-one-sector-out over channel weights.

    Attributes:
        channels: whose weights a ratio names, in order.
        left_out: the honest values and the ratio chosen without each sector.
        current: name of the weights in force and their value at every need.
        gain: honest choice − weights in force.
        sectors: sector of every need.
        n_tried: ratios in the grid.
    """

    channels: tuple[Channel, ...]
    left_out: LeftOut
    current: tuple[str, Values]
    gain: Difference
    sectors: tuple[str, ...]
    n_tried: int

    @property
    def by_sector(self) -> dict[str, dict[str, object]]:
        """Sector → n, ratio chosen without it, its mean under that ratio and under the weights in force."""
        found: dict[str, dict[str, object]] = {}
        for sector, ratio in self.left_out.chosen.items():
            here = np.array([name == sector for name in self.sectors])
            found[sector] = {
                "n": int(here.sum()),
                "weights": ratio,
                METRIC: round_or_none(float(self.left_out.values[here].mean())),
                "current": round_or_none(float(self.current[1][here].mean())),
            }
        return found

    def as_json(self) -> dict[str, object]:
        low, high = self.left_out.interval
        now_low, now_high = compute_interval(self.current[1])
        return {
            "metric": METRIC,
            "channels": [channel.value for channel in self.channels],
            "n_tried": self.n_tried,
            "mean": round_or_none(self.left_out.mean),
            "ci95": [round_or_none(low), round_or_none(high)],
            "best_on_all": {
                "weights": self.left_out.best,
                "mean": round_or_none(self.left_out.best_mean),
            },
            "current": {
                "weights": self.current[0],
                "mean": round_or_none(float(self.current[1].mean())),
                "ci95": [round_or_none(now_low), round_or_none(now_high)],
            },
            "gain_over_current": self.gain.as_json(),
            "sectors": self.by_sector,
        }


def leave_one_sector_out(
    signals: Signals,
    current: Mapping[Channel, float],
    item_ids: Sequence[str],
    need_ids: Sequence[str],
    qrels: Qrels,
    sectors: Sequence[str],
) -> SectorsLeftOut:
    """Choose the channel weights without each sector in turn.

    Args:
        signals: of every channel present.
        current: weights in force.
        item_ids: items of the signals, ascending.
        need_ids: needs of the signals.
        qrels: judgements.
        sectors: sector of every need.

    Raises:
        ValueError: the needs are all of one sector.
    """
    channels = tuple(channel for channel in Channel if channel in signals)
    settings = {
        name: measure_weights(signals, weights, item_ids, need_ids, qrels)
        for name, weights in build_grid(channels).items()
    }
    left_out = choose_leaving_out(settings, sectors)
    shares = effective_weights(current, frozenset(channels))
    in_force = measure_weights(signals, current, item_ids, need_ids, qrels)
    return SectorsLeftOut(
        channels,
        left_out,
        (describe_ratio([shares[channel] for channel in channels]), in_force),
        compare_paired(in_force, left_out.values),
        tuple(sectors),
        len(settings),
    )


def describe_ratio(weights: Sequence[float]) -> str:
    """Weights as the ratio people read: whole numbers up to twelve where they fit, else shares of one."""
    top = max(weights)
    for unit in range(1, 13):
        scaled = [weight / top * unit for weight in weights]
        whole = [round(value) for value in scaled]
        if all(abs(value - number) < 1e-6 for value, number in zip(scaled, whole, strict=True)):
            return ":".join(map(str, whole))
    return ":".join(f"{weight / sum(weights):.2f}" for weight in weights)
