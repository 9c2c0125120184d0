"""Trains the built-in model (`python -m matcher encoder train --corpora DIR --out DIR`).

Phase 1 learns what belongs together from papers (title ↔ abstract, heading ↔ paragraph…); phase 2
learns the bridge from a firm's words to a researcher's from the thesaurus, mixed with phase 1's
pairs so that it is not forgotten. The same texts, seed and library versions give the same weights.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from matcher.encoding.corpora import (
    PairSource,
    is_validation,
    load_pairs,
    load_statements,
    load_topics,
    texts_of,
)
from matcher.encoding.loop import BagModel, Ids, RowAdam, contrastive_loss, schedule
from matcher.encoding.protocol import Progress
from matcher.encoding.sampling import PairSampler, Recipe, TopicSampler
from matcher.encoding.start import draw_directions, factorise_cooccurrence, measure_importance
from matcher.encoding.vocabulary import NgramUnit, SubwordUnit, build_tokenizer, count_ngrams, count_words
from matcher.text.thesaurus import Topic

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Report:
    """What a training run used and made."""

    seed: int
    n_topics: int
    n_pairs: dict[str, int]
    n_pieces: int
    dimension: int
    loss: tuple[float, float]
    """Last loss of each phase, mean of the last tenth of its steps."""
    validation_mrr: float | None
    """Mean reciprocal rank of the right topic's profile line for a statement of the validation topics."""
    bytes_by_file: dict[str, int]
    seconds: float
    recipe: Recipe


@dataclass(frozen=True)
class Fitted:
    """A trained model in memory; ``reciprocal_ranks`` of every statement of the topics held out."""

    model: BagModel
    unit: SubwordUnit | NgramUnit
    n_topics: int
    n_pairs: dict[str, int]
    loss: tuple[float, float]
    reciprocal_ranks: NDArray[np.float64]


def train(
    corpora_dir: Path,
    thesaurus_dir: Path,
    statements_path: Path,
    out_dir: Path,
    seed: int = 0,
    progress: Progress | None = None,
    recipe: Recipe | None = None,
    *,
    holdout: bool = False,
) -> Report:
    """Trains a model and saves it as a sentence-transformers directory.

    Args:
        corpora_dir: holds the corpora named in `load_pairs`.
        thesaurus_dir: holds `*.jsonl`, one topic a line.
        statements_path: JSON lines of plain statements and profile lines by topic.
        out_dir: created when missing; files of the same name are replaced.
        seed: of every random choice.
        progress: told (steps done, steps in all).
        recipe: constants; None means `Recipe()`.
        holdout: leave the validation topics out of everything and measure on them; the shipped model is
            trained with them, after its recipe was chosen without.

    Raises:
        InputError: a corpus or the thesaurus cannot be read.
        ValueError: the recipe's unit cannot be saved.
    """
    recipe = recipe or Recipe()
    if recipe.unit != "subwords":
        raise ValueError(f"a model of {recipe.unit} cannot be saved")
    started = time.monotonic()
    fitted = fit(corpora_dir, thesaurus_dir, statements_path, seed, progress, recipe, holdout=holdout)
    assert isinstance(fitted.unit, SubwordUnit), "the recipe says so"
    ranks = fitted.reciprocal_ranks
    return Report(
        seed=seed,
        n_topics=fitted.n_topics,
        n_pairs=fitted.n_pairs,
        n_pieces=fitted.unit.n_pieces,
        dimension=recipe.dimension,
        loss=fitted.loss,
        validation_mrr=round(float(ranks.mean()), 4) if len(ranks) else None,
        bytes_by_file=save(fitted.model.weight, fitted.unit.tokenizer, out_dir),
        seconds=round(time.monotonic() - started, 1),
        recipe=recipe,
    )


def fit(
    corpora_dir: Path,
    thesaurus_dir: Path,
    statements_path: Path,
    seed: int,
    progress: Progress | None,
    recipe: Recipe,
    *,
    holdout: bool,
) -> Fitted:
    """Trains a model in memory; arguments and errors as in `train`."""
    import torch

    rng = np.random.default_rng(seed)
    topics = load_topics([thesaurus_dir])
    statements = load_statements(statements_path)
    kept_out = [topic.name for topic in topics if holdout and is_validation(topic.name)]
    topics = [topic for topic in topics if topic.name not in set(kept_out)]
    if recipe.topic_share < 1:
        chosen = rng.permutation(len(topics))[: round(recipe.topic_share * len(topics))]
        topics = [topics[index] for index in sorted(chosen)]
    sources = load_pairs(corpora_dir, rng, recipe.pair_limit)
    unit = _choose_unit(topics, sources, recipe)
    pairs = PairSampler(sources, unit.to_ids, recipe, rng)
    phrases = TopicSampler(topics, statements, unit.to_ids, recipe, rng)
    texts = [*pairs.counted(), *phrases.all()]
    importance = measure_importance(unit.n_pieces, texts)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if recipe.start == "cooccurrence":
            model = BagModel(factorise_cooccurrence(importance, recipe.dimension, seed, texts))
        else:
            model = BagModel(draw_directions(importance, recipe.dimension, seed))
        loss = _run_phases(model, pairs, phrases, recipe, rng, progress or (lambda *_: None))
    finally:
        torch.set_num_threads(threads)
    with torch.no_grad():
        model.weight[0] = 0.0  # the unknown piece says nothing
        ranks = _reciprocal_ranks(model, unit, [statements.get(name, []) for name in kept_out], rng)
    return Fitted(model, unit, len(topics), {s.name: len(s.pairs) for s in sources}, loss, ranks)


def _reciprocal_ranks(
    model: BagModel,
    unit: SubwordUnit | NgramUnit,
    topics: Sequence[Sequence[tuple[str, str]]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Every statement against one profile line of each topic, of another pair where the topic has one."""
    kept = [pairs for pairs in topics if pairs]
    if not kept:
        return np.zeros(0)
    ranks = []
    for number in range(max(len(pairs) for pairs in kept)):
        needs = unit.to_ids([pairs[number % len(pairs)][0] for pairs in kept])
        lines = unit.to_ids([pairs[(number + 1) % len(pairs)][1] for pairs in kept])
        scores = (model.embed(needs, 0.0, rng) @ model.embed(lines, 0.0, rng).T).numpy()
        ranks.append((scores >= np.diag(scores)[:, None]).sum(axis=1))
    found: NDArray[np.float64] = 1.0 / np.concatenate(ranks)
    return found


def save(weight: torch.Tensor, tokenizer: Tokenizer, out_dir: Path) -> dict[str, int]:
    """Writes the half-precision model; returns bytes by file name."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    module = StaticEmbedding(tokenizer, embedding_weights=weight.detach().to(torch.float16))
    model = SentenceTransformer(modules=[module], device="cpu", similarity_fn_name="cosine")
    out_dir.mkdir(parents=True, exist_ok=True)
    model.save(str(out_dir), create_model_card=False)
    tokenizer.save(str(out_dir / "tokenizer.json"), pretty=False)
    return {
        path.relative_to(out_dir).as_posix(): path.stat().st_size
        for path in sorted(out_dir.rglob("*"))
        if path.is_file()
    }


def _choose_unit(
    topics: Sequence[Topic], sources: Sequence[PairSource], recipe: Recipe
) -> SubwordUnit | NgramUnit:
    count = count_ngrams if recipe.unit == "ngrams" else count_words
    counts = count(text for topic in topics for text in texts_of(topic))
    for word in counts:
        counts[word] *= recipe.thesaurus_weight
    counts += count(
        text for source in sources for pair in source.pairs[: recipe.count_limit] for text in pair
    )
    if recipe.unit == "ngrams":
        return NgramUnit(counts, recipe.vocabulary)
    return SubwordUnit(build_tokenizer(counts, recipe.vocabulary))


def _run_phases(
    model: BagModel,
    pairs: PairSampler,
    phrases: TopicSampler,
    recipe: Recipe,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[float, float]:
    """Runs both phases; returns the last loss of each."""

    def loss_of(batch: Sequence[Sequence[Ids]], phase: int) -> torch.Tensor:
        drop = recipe.drop_share[phase]
        queries, documents, *decoys = (model.embed(side, drop, rng) for side in batch if side)
        return contrastive_loss(queries, documents, recipe.temperature[phase], *decoys)

    last = []
    for phase, steps in enumerate(recipe.steps):
        optimiser, losses = RowAdam(model.weight), []
        for step in range(steps):
            if phase == 0:
                loss = loss_of(pairs.draw(recipe.batch[0]), 0)
            else:
                loss = loss_of(phrases.draw(recipe.batch[1]), 1)
                loss = loss + recipe.mixed_share * loss_of(pairs.draw(recipe.mixed_batch), 0)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step(recipe.learning_rate[phase] * schedule(step, steps, 50, 0.05))
            losses.append(float(loss.detach()))
            progress(phase * recipe.steps[0] + step + 1, sum(recipe.steps))
        last.append(round(float(np.mean(losses[-max(1, steps // 10) :])), 4))
    return last[0], last[1]
