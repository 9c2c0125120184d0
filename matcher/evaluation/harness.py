"""Score judged needs with the product's own scorer and report quality per channel.

Owns the comparison of channels with the fused score. Works on records in memory; touches no database and no file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.metrics import METRICS, compute_interval, round_or_none
from matcher.models import Need
from matcher.ranking.scorer import PoolScores, Scorer, need_query
from matcher.vocab import Channel

FUSED = "fused"
Qrels = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Report:
    """Metrics per system (three channels and ``fused``): means, 95 % intervals, and the values per need."""

    need_ids: tuple[str, ...]
    means: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, Mapping[str, tuple[float, float]]]
    per_need: Mapping[str, Mapping[str, NDArray[np.float64]]]

    def as_json(self, system: str) -> dict[str, object]:
        """Metrics of one system, rounded, with its intervals under ``ci95``; None where no need has a value."""
        intervals = {
            metric: [round_or_none(low), round_or_none(high)]
            for metric, (low, high) in self.intervals[system].items()
        }
        means = {metric: round_or_none(mean) for metric, mean in self.means[system].items()}
        return {**means, "ci95": intervals}


def build_report(
    need_ids: Sequence[str], per_need: Mapping[str, Mapping[str, NDArray[np.float64]]]
) -> Report:
    """Means and intervals of system → metric → values, one value a need."""
    return Report(
        tuple(need_ids),
        {name: {m: _mean(v) for m, v in values.items()} for name, values in per_need.items()},
        {name: {m: compute_interval(v) for m, v in values.items()} for name, values in per_need.items()},
        per_need,
    )


def split_report(report: Report, groups: Sequence[str]) -> dict[str, Report]:
    """One report a group, in the order of the groups' names.

    Args:
        report: of all needs.
        groups: group of every need, in the order of ``report.need_ids``.
    """
    parts: dict[str, Report] = {}
    for group in sorted(set(groups)):
        rows = [row for row, name in enumerate(groups) if name == group]
        parts[group] = build_report(
            [report.need_ids[row] for row in rows],
            {name: {m: v[rows] for m, v in values.items()} for name, values in report.per_need.items()},
        )
    return parts


def order_items(scores: NDArray[np.float64], item_ids: Sequence[str]) -> list[str]:
    """Item ids by descending score; ties by id (``item_ids`` must be in ascending order)."""
    return [item_ids[i] for i in np.argsort(-scores, kind="stable")]


def systems_of(scores: PoolScores) -> dict[str, NDArray[np.float64]]:
    """Name → score matrix (needs, experts) of every system compared."""
    named = {channel.value: scores.signals[channel] for channel in Channel if channel in scores.signals}
    return {**named, FUSED: scores.score}


def evaluate(scorer: Scorer, needs: Sequence[Need], qrels: Qrels) -> tuple[Report, PoolScores]:
    """Evaluate all needs that have judgements.

    Returns:
        The report, and the scores of its needs in the order of ``report.need_ids``.
    """
    judged = sorted((need for need in needs if qrels.get(need.need_id)), key=lambda need: need.need_id)
    scores = scorer.score([need_query(need) for need in judged])
    item_ids = scorer.index.pool.item_ids
    per_need: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, matrix in systems_of(scores).items():
        rankings = [order_items(row, item_ids) for row in matrix]
        per_need[name] = {
            metric: np.array([f(r, qrels[n.need_id]) for r, n in zip(rankings, judged, strict=True)])
            for metric, f in METRICS.items()
        }
    return build_report([need.need_id for need in judged], per_need), scores


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def run_rows(scorer: Scorer, need_ids: Sequence[str], scores: PoolScores) -> Iterator[tuple[object, ...]]:
    """Every scored pair: need_id, expert_id, rank, score, lexical, dense, thesaurus; an absent channel is empty."""
    item_ids = scorer.index.pool.item_ids
    for row, need_id in enumerate(need_ids):
        order = np.argsort(-scores.score[row], kind="stable")
        for rank, column in enumerate(order, 1):
            channels = [
                round(float(scores.signals[c][row, column]), 6) if c in scores.signals else ""
                for c in (Channel.LEXICAL, Channel.DENSE, Channel.THESAURUS)
            ]
            yield (need_id, item_ids[column], rank, round(float(scores.score[row, column]), 6), *channels)
