"""The wording gap: the same needs said plainly and in technical language.

Owns the comparison of two wordings of the same needs, with the thesaurus channel and without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matcher.evaluation.comparison import Difference, Values, compare_paired
from matcher.evaluation.harness import Qrels
from matcher.evaluation.metrics import compute_interval, round_or_none
from matcher.evaluation.weights import METRIC, Signals, measure_weights
from matcher.vocab import Channel


@dataclass(frozen=True)
class Gap:
    """nDCG@10 of every need in both wordings, by one system."""

    given: Values
    reworded: Values

    @property
    def difference(self) -> Difference:
        """Reworded − given over the same needs."""
        return compare_paired(self.given, self.reworded)

    def as_json(self) -> dict[str, object]:
        def measured(values: Values) -> dict[str, object]:
            low, high = compute_interval(values)
            return {
                "mean": round_or_none(float(values.mean())),
                "ci95": [round_or_none(low), round_or_none(high)],
            }

        return {
            "given": measured(self.given),
            "reworded": measured(self.reworded),
            "difference": self.difference.as_json(),
        }


@dataclass(frozen=True)
class Wording:
    """Gaps of the fused score with the thesaurus and without it, and of each channel by itself.

    ``without`` is None when nothing but the thesaurus has a weight.
    """

    n_needs: int
    fused: Gap
    without: Gap | None
    channels: Mapping[Channel, Gap]

    @property
    def closed(self) -> Difference | None:
        """By how much the thesaurus narrows the gap: gap without it − gap with it."""
        if self.without is None:
            return None
        return compare_paired(
            self.fused.reworded - self.fused.given, self.without.reworded - self.without.given
        )

    def as_json(self) -> dict[str, object]:
        closed = self.closed
        return {
            "metric": METRIC,
            "n_needs": self.n_needs,
            "with_thesaurus": self.fused.as_json(),
            "without_thesaurus": self.without.as_json() if self.without else None,
            "narrowed_by_thesaurus": closed.as_json() if closed else None,
            "channels": {channel.value: gap.as_json() for channel, gap in self.channels.items()},
        }


def compare_wordings(
    given: Signals,
    reworded: Signals,
    weights: Mapping[Channel, float],
    item_ids: Sequence[str],
    need_ids: Sequence[str],
    qrels: Qrels,
) -> Wording:
    """Measure both wordings.

    Args:
        given: signals of the needs as they are, shape (needs, items).
        reworded: signals of the same needs, in the same order, in other words.
        weights: of the fused score; without the thesaurus the others keep their ratio.
        item_ids: items of the signals, ascending.
        need_ids: needs of the signals.
        qrels: judgements.
    """

    def gap(by: Mapping[Channel, float]) -> Gap:
        first, second = (
            measure_weights(signals, by, item_ids, need_ids, qrels) for signals in (given, reworded)
        )
        return Gap(first, second)

    others = {**weights, Channel.THESAURUS: 0.0}
    plain = any(others.get(channel, 0.0) > 0 for channel in given)
    return Wording(
        len(need_ids),
        gap(weights),
        gap(others) if plain else None,
        {channel: gap({channel: 1.0}) for channel in Channel if channel in given},
    )
