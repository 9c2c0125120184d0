"""Turn raw channel scores into 0–1 signals over the whole pool, and add them up.

Owns the two formulas every score goes through; whole pools and single evidence pairs use the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matcher.vocab import Channel

CEILING = 5.0  # standard deviations above the pool's mean that count as a full signal (docs/evaluation.md)
DECIMALS = 6  # signals are rounded so that the last bits of a float never decide an order


def standardise(
    raw: NDArray[np.floating], reference: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Signal in 0–1: how far above the pool a score stands, as a share of ``CEILING`` standard deviations.

    Args:
        raw: shape (queries, n); each row is standardised by itself.
        reference: shape (queries, m), the scores whose mean and deviation are taken; ``raw`` itself when None.

    Returns:
        The shape of ``raw``. A row whose reference has no spread is all zero.
    """
    values = np.asarray(raw, dtype=np.float64)
    behind = values if reference is None else np.asarray(reference, dtype=np.float64)
    if not values.size or not behind.size:
        return np.zeros_like(values)
    centred = values - behind.mean(axis=1, keepdims=True)
    spread = behind.std(axis=1, keepdims=True)
    z = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-9)
    signal: NDArray[np.float64] = np.round(np.clip(z / CEILING, 0.0, 1.0), DECIMALS)
    return signal


def effective_weights(weights: Mapping[Channel, float], present: frozenset[Channel]) -> dict[Channel, float]:
    """Non-negative weights of the channels present, scaled to sum to one.

    Raises:
        ValueError: a negative weight, or none left above zero.
    """
    if not all(0.0 <= weight < math.inf for weight in weights.values()):
        raise ValueError("channel weights must be finite and not negative")
    kept = {channel: weights.get(channel, 0.0) for channel in Channel if channel in present}
    total = sum(kept.values())
    if total <= 0:
        raise ValueError("no channel with a positive weight is present")
    return {channel: weight / total for channel, weight in kept.items()}


def fuse(
    signals: Mapping[Channel, NDArray[np.float64]], weights: Mapping[Channel, float]
) -> tuple[NDArray[np.float64], dict[Channel, NDArray[np.float64]]]:
    """Weighted sum of signals.

    Returns:
        The scores (0–1) and the contribution of each channel; the contributions sum to the score.
    """
    shares = effective_weights(weights, frozenset(signals))
    contributions = {
        channel: np.trunc(shares[channel] * signals[channel] * 10**DECIMALS + 1e-3) / 10**DECIMALS
        for channel in shares
    }
    return np.sum(list(contributions.values()), axis=0), contributions
