"""Ranking metrics over graded judgements.

Owns the arithmetic. Gain is 2^grade − 1, an unjudged expert counts as grade 0, recall, MRR and P@1 count grade ≥ 2.
Source: Järvelin & Kekäläinen (2002) for nDCG; discount log2(rank + 1). Checked against ``ir_measures`` in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

RELEVANT = 2
Ranking = Sequence[str]
Grades = Mapping[str, int]


def compute_ndcg(ranking: Ranking, grades: Grades, k: int = 10) -> float:
    """nDCG@k, 0–1; 0 when nothing has a positive grade."""

    def dcg(values: Sequence[int]) -> float:
        return math.fsum((2.0**grade - 1.0) / math.log2(rank + 1) for rank, grade in enumerate(values[:k], 1))

    ideal = dcg(sorted(grades.values(), reverse=True))
    return dcg([grades.get(item, 0) for item in ranking[:k]]) / ideal if ideal else 0.0


def compute_recall(ranking: Ranking, grades: Grades, k: int = 10) -> float:
    """Share of the experts of grade ≥ 2 among the first k; NaN when there are none."""
    relevant = {item for item, grade in grades.items() if grade >= RELEVANT}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else math.nan


def compute_reciprocal_rank(ranking: Ranking, grades: Grades) -> float:
    """1 / rank of the first expert of grade ≥ 2; 0 when none is ranked."""
    return next((1 / rank for rank, item in enumerate(ranking, 1) if grades.get(item, 0) >= RELEVANT), 0.0)


def compute_precision_at_1(ranking: Ranking, grades: Grades) -> float:
    """1 when the first expert has grade ≥ 2, else 0."""
    return float(bool(ranking) and grades.get(ranking[0], 0) >= RELEVANT)


METRICS: dict[str, Callable[[Ranking, Grades], float]] = {
    "ndcg@10": lambda ranking, grades: compute_ndcg(ranking, grades, 10),
    "recall@5": lambda ranking, grades: compute_recall(ranking, grades, 5),
    "recall@10": lambda ranking, grades: compute_recall(ranking, grades, 10),
    "mrr": compute_reciprocal_rank,
    "p@1": compute_precision_at_1,
}


def compute_interval(
    values: NDArray[np.float64], *, n_samples: int = 10_000, seed: int = 20240601
) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over needs (percentile method); NaNs are left out first."""
    known = values[~np.isnan(values)]
    if not len(known):
        return (math.nan, math.nan)
    draws = np.random.default_rng(seed).integers(0, len(known), size=(n_samples, len(known)))
    low, high = np.percentile(known[draws].mean(axis=1), [2.5, 97.5])
    return (float(low), float(high))


def round_or_none(value: float, digits: int = 4) -> float | None:
    """A number as JSON can hold it: rounded, and None for NaN."""
    return None if math.isnan(value) else round(value, digits)


def compute_kappa(first: Sequence[int], second: Sequence[int], n_grades: int = 4) -> float:
    """Quadratically weighted κ of two readers over the same pairs, −1…1 (Cohen 1968)."""
    if len(first) != len(second) or not first:
        raise ValueError("both readers must grade the same, non-empty list of pairs")
    if not all(0 <= grade < n_grades for grade in (*first, *second)):
        raise ValueError(f"a grade is 0 to {n_grades - 1}")
    observed = np.zeros((n_grades, n_grades))
    np.add.at(observed, (np.asarray(first), np.asarray(second)), 1.0)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(first)
    grid = np.arange(n_grades)
    weight = (grid[:, None] - grid[None, :]) ** 2 / (n_grades - 1) ** 2
    disagreement = float((weight * expected).sum())
    return 1.0 - float((weight * observed).sum()) / disagreement if disagreement else 1.0
