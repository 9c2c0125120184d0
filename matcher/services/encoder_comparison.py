"""Compare ways of training the built-in model: on topics held out of training, and on a judged set.

Owns the variants. Each is trained without the validation topics, in memory, and measured by the product's own
ranking; nothing is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from matcher.config import Settings
from matcher.encoding.bag import BagEncoder
from matcher.encoding.sampling import SMOKE, Recipe
from matcher.encoding.train import fit
from matcher.errors import InputError
from matcher.evaluation.comparison import Values, compare_paired
from matcher.evaluation.harness import FUSED
from matcher.evaluation.metrics import compute_interval, round_or_none
from matcher.services.evaluating import evaluate_files
from matcher.vocab import Channel

METRIC = "ndcg@10"
VARIANTS: dict[str, dict[str, object]] = {
    "shipped": {},
    "no-decoys": {"decoy_share": 0.0},
    "cooccurrence": {"start": "cooccurrence"},
    "ngrams": {"unit": "ngrams"},
    "no-statements": {"statement_share": 0.0},
    "quarter-topics": {"topic_share": 0.25},
    "half-topics": {"topic_share": 0.5},
    "three-quarter-topics": {"topic_share": 0.75},
}
"""Name → what differs from the shipped recipe."""


@dataclass(frozen=True)
class Variant:
    """One way of training and what it measures.

    Attributes:
        name: key of ``VARIANTS``.
        seed: of the training.
        n_topics: trained on.
        reciprocal_ranks: of every statement of the topics held out.
        dense: nDCG@10 of every judged need, dense channel alone.
        fused: the same, all channels.
    """

    name: str
    seed: int
    n_topics: int
    reciprocal_ranks: Values
    dense: Values
    fused: Values

    def as_json(self, first: Variant) -> dict[str, object]:
        """Means with 95 % intervals, and differences from the first variant over the same needs."""

        def described(values: Values, base: Values) -> dict[str, object]:
            low, high = compute_interval(values)
            gain = compare_paired(base, values) if base.shape == values.shape else None
            return {
                "mean": round_or_none(float(values.mean())) if len(values) else None,
                "ci95": [round_or_none(low), round_or_none(high)],
                **({} if self is first or gain is None else {"gain": gain.as_json()}),
            }

        return {
            "variant": self.name,
            "seed": self.seed,
            "n_topics": self.n_topics,
            "held_out_mrr": described(self.reciprocal_ranks, first.reciprocal_ranks),
            "dense": described(self.dense, first.dense),
            "fused": described(self.fused, first.fused),
        }


def compare_variants(
    settings: Settings,
    corpora: Path,
    judged: tuple[Path, Path, Path],
    names: Sequence[str] = (),
    *,
    seed: int = 0,
    smoke: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[Variant]:
    """Train and measure the named variants one after the other.

    Args:
        settings: names data and thesaurus.
        corpora: as for training.
        judged: files of needs, experts and judgements.
        names: keys of ``VARIANTS``; all when empty.
        seed: of every training.
        smoke: train each for seconds only, to see that all runs.
        progress: told (variant, steps done, steps in all).

    Raises:
        InputError: a name is unknown, or a file cannot be used.
    """
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise InputError(f"没有名为“{unknown[0]}”的训练方案。", f"可用的有：{'、'.join(VARIANTS)}。")
    base = SMOKE if smoke else Recipe()
    for name in names or VARIANTS:
        recipe = replace(base, **VARIANTS[name])  # type: ignore[arg-type] # values are those of the fields named
        fitted = fit(
            corpora,
            settings.data / "thesaurus",
            settings.data / "training" / "pairs.jsonl",
            seed,
            partial(progress, name) if progress else None,
            recipe,
            holdout=True,
        )
        encoder = BagEncoder(name, fitted.model.weight.detach().numpy(), fitted.unit)
        report = evaluate_files(settings, *judged, encoder=encoder).report
        yield Variant(
            name,
            seed,
            fitted.n_topics,
            fitted.reciprocal_ranks,
            report.per_need[Channel.DENSE.value][METRIC],
            report.per_need[FUSED][METRIC],
        )
