"""What the rest of the product knows of an embedding model: two methods and three facts.

Owns the `Encoder` protocol and the helpers every encoder shares. Knows no model and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

DEFAULT = "builtin"
"""The encoder name that means the model shipped in `matcher/encoding/builtin`."""

TEXT_VERSION = "1"
"""Version of how a text reaches a model; part of every fingerprint. Raise it when that changes."""

Vectors = NDArray[np.float32]
"""Shape (n, dimension); row i belongs to text i and has length 1, or 0 for a blank text."""

Progress = Callable[[int, int], None]
"""Called with (texts done, texts in all); the last call has both equal."""


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into unit vectors whose dot product is their similarity (cosine, −1 to 1).

    Needs go through `encode_query`, the lines of an expert through `encode_document`; a symmetric
    model treats both alike. Similarities are comparable within one encoder only.
    """

    @property
    def name(self) -> str:
        """The name the encoder was asked for, as shown to people."""

    @property
    def fingerprint(self) -> str:
        """Hash of weights, tokenizer, prompts and text version: equal ⇒ equal vectors."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_query(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Encodes what is being searched for.

        Args:
            texts: n texts; a blank one gives a zero row.
            progress: told how many texts are done.

        Returns:
            Shape (n, dimension), float32, rows L2-normalised, in the order of `texts`.

        Raises:
            EncoderError: the model failed or gave values that are not finite.
        """

    def encode_document(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Encodes what is being searched; arguments, result and errors as in `encode_query`."""


def is_blank(text: str) -> bool:
    """Whether a text has nothing to encode, so that its vector is zero."""
    return not text or text.isspace()


def check_texts(texts: Sequence[str]) -> None:
    """Refuses a bare string, which would be encoded letter by letter.

    Raises:
        ValueError: `texts` is one string.
    """
    if isinstance(texts, str):
        raise ValueError("texts must be a sequence of strings, not one string")


def normalise_rows(vectors: NDArray[np.floating]) -> Vectors:
    """Scales every row of (n, d) to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)
