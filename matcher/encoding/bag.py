"""A model just trained, in memory, as an `Encoder`: what training variants are compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.encoding.protocol import Progress, Vectors, check_texts, is_blank, normalise_rows
from matcher.encoding.vocabulary import NgramUnit, SubwordUnit


class BagEncoder:
    """Mean of piece vectors; queries and documents are treated alike.

    Args:
        name: shown to people.
        weight: shape (pieces, dimension).
        unit: cuts a text into pieces.
    """

    def __init__(self, name: str, weight: NDArray[np.float32], unit: SubwordUnit | NgramUnit) -> None:
        self._name, self._weight, self._unit = name, weight, unit

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return int(self._weight.shape[1])

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self._weight.tobytes()).hexdigest()

    def encode_query(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As `Encoder.encode_query`."""
        check_texts(texts)
        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, (text, ids) in enumerate(zip(texts, self._unit.to_ids(texts), strict=True)):
            if len(ids) and not is_blank(text):
                found[row] = self._weight[ids].sum(axis=0)
        if progress:
            progress(len(texts), len(texts))
        return normalise_rows(found)

    def encode_document(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As `Encoder.encode_document`."""
        return self.encode_query(texts, progress=progress)
