"""Where training starts: how long and in which direction each piece's vector stands at first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.encoding.loop import Ids

_WINDOW = 64
"""Pieces of a text counted as standing together."""
_SMOOTHING = 0.75
"""Exponent of the context counts (Levy, Goldberg & Dagan 2015, section 3.2)."""


def measure_importance(n_pieces: int, texts: Sequence[Ids]) -> NDArray[np.float64]:
    """Inverse document frequency of every piece over `texts`, about 0 to 2, shape (n_pieces,)."""
    counts = np.zeros(n_pieces)
    for text in texts:
        counts[np.unique(text)] += 1
    importance: NDArray[np.float64] = np.log((len(texts) + 1) / (counts + 1)) / 5
    return importance


def draw_directions(importance: NDArray[np.float64], dimension: int, seed: int) -> NDArray[np.float32]:
    """Random directions; the expected length of a row is the importance of its piece.

    Returns:
        Shape (pieces, dimension).
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(len(importance), dimension, generator=generator)
    scale = torch.from_numpy(importance).float()[:, None] / dimension**0.5
    found: NDArray[np.float32] = (start * scale).numpy()
    return found


def factorise_cooccurrence(
    importance: NDArray[np.float64], dimension: int, seed: int, texts: Sequence[Ids]
) -> NDArray[np.float32]:
    """Directions in which pieces that stand in the same texts are alike; a row is as long as its importance.

    Singular vectors of the positive pointwise mutual information of pieces over texts, each times the square
    root of its singular value; pieces that never occur get random directions.

    Source: Levy, Goldberg & Dagan 2015, "Improving Distributional Similarity", sections 2 and 3.

    Returns:
        Shape (pieces, dimension).
    """
    from scipy.sparse import coo_matrix
    from sklearn.utils.extmath import randomized_svd

    n_pieces = len(importance)
    kept = [np.unique(text[:_WINDOW]) for text in texts]
    rows = np.repeat(np.arange(len(kept)), [len(text) for text in kept])
    held = coo_matrix(
        (np.ones(len(rows), dtype=np.float32), (rows, np.concatenate(kept))), shape=(len(kept), n_pieces)
    ).tocsr()
    together = (held.T @ held).tocoo()
    totals = np.asarray(together.sum(axis=0)).ravel()
    context = totals**_SMOOTHING
    information = np.log(
        together.data * context.sum() / (totals[together.row] * context[together.col]), dtype=np.float64
    )
    positive = information > 0
    matrix = coo_matrix(
        (information[positive], (together.row[positive], together.col[positive])), shape=(n_pieces, n_pieces)
    ).tocsr()
    left, values, _ = randomized_svd(matrix, dimension, n_iter=3, random_state=seed)
    found = left * np.sqrt(values)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    random = draw_directions(importance, dimension, seed)
    scaled = importance[:, None] * found / np.where(length > 0, length, 1.0)
    return np.where(length > 0, scaled, random).astype(np.float32)
