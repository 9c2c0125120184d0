"""A deterministic encoder without a model: character bigrams hashed into 64 dimensions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from matcher.encoding import Progress, Vectors
from matcher.encoding.protocol import check_texts, is_blank, normalise_rows


class HashingEncoder:
    """Texts sharing character pairs are similar. Counts its work, so a test can see a cache hit."""

    def __init__(self, name: str = "hashing", dimension: int = 64) -> None:
        self.name = name
        self.fingerprint = f"{name}-{dimension}-v1"
        self.dimension = dimension
        self.encoded: list[str] = []

    def encode_query(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        check_texts(texts)
        self.encoded.extend(texts)
        counts = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            padded = f"^{text}$"
            for first, second in () if is_blank(text) else pairwise(padded):
                pair = (first + second).encode("utf-8", "surrogatepass")
                bucket = int.from_bytes(hashlib.blake2b(pair, digest_size=4).digest(), "little")
                counts[row, bucket % self.dimension] += 1.0
            if progress is not None:
                progress(row + 1, len(texts))
        return normalise_rows(counts)

    def encode_document(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        return self.encode_query(texts, progress=progress)
