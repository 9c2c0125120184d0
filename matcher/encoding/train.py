"""Trains the built-in model (`python -m matcher encoder train --corpora DIR --out DIR`).

Phase 1 learns what belongs together from papers (title ↔ abstract, heading ↔ paragraph…); phase 2
learns the bridge from a firm's words to a researcher's from the thesaurus, mixed with phase 1's
pairs so that it is not forgotten. The same texts, seed and library versions give the same weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

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
from matcher.encoding.vocabulary import build_tokenizer, count_words
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
    """
    import torch

    recipe = recipe or Recipe()
    started = time.monotonic()
    rng = np.random.default_rng(seed)
    topics = load_topics([thesaurus_dir])
    statements = load_statements(statements_path)
    kept_out = [topic.name for topic in topics if holdout and is_validation(topic.name)]
    topics = [topic for topic in topics if topic.name not in set(kept_out)]
    sources = load_pairs(corpora_dir, rng, recipe.pair_limit)
    tokenizer = _choose_vocabulary(topics, sources, recipe)

    def to_ids(texts: Sequence[str]) -> list[Ids]:
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]

    pairs = PairSampler(sources, to_ids, recipe, rng)
    phrases = TopicSampler(topics, statements, to_ids, recipe, rng)
    importance = _measure_importance(tokenizer.get_vocab_size(), [*pairs.counted(), *phrases.all()])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = BagModel(importance, recipe.dimension, seed)
        loss = _run_phases(model, pairs, phrases, recipe, rng, progress or (lambda *_: None))
    finally:
        torch.set_num_threads(threads)
    with torch.no_grad():
        model.weight[0] = 0.0  # the unknown piece says nothing
        validation = _reciprocal_rank(model, to_ids, [statements.get(name, []) for name in kept_out], rng)
    return Report(
        seed=seed,
        n_topics=len(topics),
        n_pairs={source.name: len(source.pairs) for source in sources},
        n_pieces=tokenizer.get_vocab_size(),
        dimension=recipe.dimension,
        loss=loss,
        validation_mrr=validation,
        bytes_by_file=save(model.weight, tokenizer, out_dir),
        seconds=round(time.monotonic() - started, 1),
        recipe=recipe,
    )


def _reciprocal_rank(
    model: BagModel,
    to_ids: Callable[[Sequence[str]], list[Ids]],
    topics: Sequence[Sequence[tuple[str, str]]],
    rng: np.random.Generator,
) -> float | None:
    """Every statement against one profile line of each topic, of another pair where the topic has one."""
    kept = [pairs for pairs in topics if pairs]
    if not kept:
        return None
    ranks = []
    width = max(len(pairs) for pairs in kept)
    for number in range(width):
        needs = to_ids([pairs[number % len(pairs)][0] for pairs in kept])
        lines = to_ids([pairs[(number + 1) % len(pairs)][1] for pairs in kept])
        scores = (model.embed(needs, 0.0, rng) @ model.embed(lines, 0.0, rng).T).numpy()
        ranks.append((scores >= np.diag(scores)[:, None]).sum(axis=1))
    return round(float(np.mean(1.0 / np.concatenate(ranks))), 4)


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


def _choose_vocabulary(topics: Sequence[Topic], sources: Sequence[PairSource], recipe: Recipe) -> Tokenizer:
    counts = count_words(text for topic in topics for text in texts_of(topic))
    for word in counts:
        counts[word] *= recipe.thesaurus_weight
    counts += count_words(
        text for source in sources for pair in source.pairs[: recipe.count_limit] for text in pair
    )
    return build_tokenizer(counts, recipe.vocabulary)


def _measure_importance(n_pieces: int, texts: Sequence[Ids]) -> np.ndarray:
    """Inverse document frequency of every piece over `texts`, about 0 to 2."""
    counts = np.zeros(n_pieces)
    for text in texts:
        counts[np.unique(text)] += 1
    importance: np.ndarray = np.log((len(texts) + 1) / (counts + 1)) / 5
    return importance


def _run_phases(
    model: BagModel,
    pairs: PairSampler,
    phrases: TopicSampler,
    recipe: Recipe,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[float, float]:
    """Runs both phases; returns the last loss of each."""

    def loss_of(batch: tuple[list[Ids], list[Ids]], phase: int) -> torch.Tensor:
        drop = recipe.drop_share[phase]
        queries, documents = (model.embed(side, drop, rng) for side in batch)
        return contrastive_loss(queries, documents, recipe.temperature[phase])

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
