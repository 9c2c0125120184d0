"""The training loop: a bag of piece vectors, pulled together for related texts.

Owns the arithmetic only. Texts arrive as arrays of piece ids; what is related to what is decided by
the caller. One thread and one seeded generator, so that equal input gives equal weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Ids = NDArray[np.int64]
"""Piece ids of one text."""


class BagModel:
    """Mean of piece vectors, as sentence-transformers' `StaticEmbedding` computes it."""

    def __init__(self, start: NDArray[np.float32]) -> None:
        """Starts from the vectors given, shape (pieces, dimension); see `matcher.encoding.start`."""
        import torch

        self.weight = torch.from_numpy(start.copy()).requires_grad_(True)

    def embed(self, texts: Sequence[Ids], drop_share: float, rng: np.random.Generator) -> torch.Tensor:
        """Unit vectors of `texts`, shape (n, dimension), with a share of the pieces left out."""
        import torch

        pieces = np.concatenate(texts)
        starts = np.cumsum([0, *(len(text) for text in texts[:-1])])
        kept = (rng.random(len(pieces)) >= drop_share).astype(np.float32)
        summed = torch.nn.functional.embedding_bag(
            torch.from_numpy(pieces),
            self.weight,
            torch.from_numpy(starts),
            mode="sum",
            per_sample_weights=torch.from_numpy(kept),
        )
        return torch.nn.functional.normalize(summed, dim=1)


class RowAdam:
    """Adam that touches only the rows of the batch, with one second moment a row.

    Source: Kingma & Ba 2015, algorithm 1; the moments of absent rows are left as they are.
    """

    def __init__(self, weight: torch.Tensor, decay: float = 0.9, decay_square: float = 0.99) -> None:
        import torch

        self._weight = weight
        self._mean = torch.zeros_like(weight)
        self._square = torch.zeros(weight.shape[0], 1)
        self._decay, self._decay_square = decay, decay_square
        self._step = 0

    def step(self, learning_rate: float) -> None:
        """Applies the gradient of the last backward pass and clears it."""
        import torch

        gradient = self._weight.grad
        if gradient is None:
            raise ValueError("step() needs a gradient")
        self._step += 1
        rows = torch.nonzero(gradient.abs().sum(1) > 0)[:, 0]
        part = gradient[rows]
        mean = self._mean[rows].lerp_(part, 1 - self._decay)
        square = self._square[rows].lerp_(part.pow(2).mean(1, keepdim=True), 1 - self._decay_square)
        self._mean[rows], self._square[rows] = mean, square
        mean = mean / (1 - self._decay**self._step)
        square = square / (1 - self._decay_square**self._step)
        with torch.no_grad():
            self._weight[rows] -= learning_rate * mean / (square.sqrt() + 1e-9)
        self._weight.grad = None


def contrastive_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    temperature: float,
    decoys: torch.Tensor | None = None,
) -> torch.Tensor:
    """Symmetric in-batch softmax: row i of one side belongs to row i of the other.

    Row i of `decoys` is a further document that query i, and it alone, must not be taken for; a zero row is none.

    Source: van den Oord et al. 2018 (InfoNCE), eq. 4; both directions as in Radford et al. 2021.
    """
    import torch

    scores = queries @ documents.T / temperature
    target = torch.arange(len(scores))
    entropy = torch.nn.functional.cross_entropy
    rows = scores
    if decoys is not None:
        own = (queries * decoys).sum(dim=1, keepdim=True) / temperature
        none = decoys.abs().sum(dim=1, keepdim=True) == 0
        rows = torch.cat([scores, own.masked_fill(none, -torch.inf)], dim=1)
    return (entropy(rows, target) + entropy(scores.T, target)) / 2


def schedule(step: int, steps: int, warm_up: int, last_share: float) -> float:
    """Share of the learning rate at `step`: linear up over `warm_up`, linear down to `last_share`."""
    return min(1.0, (step + 1) / warm_up) * (1.0 - (1.0 - last_share) * step / steps)
