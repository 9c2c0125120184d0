"""Dense channel: exact inner-product search over facet vectors (the only module that imports faiss).

Owns the FAISS index. Vectors are L2-normalised, so the inner product is the cosine.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import faiss

MAX_HITS = 50_000  # above this many facets only the nearest are scored; the rest get the last hit's cosine


class DenseIndex:
    """Facet vectors in one FAISS flat index; row i is facet i of the pool."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> DenseIndex:
        """Index vectors of shape (facets, dimension), float32, rows of length one (or zero for an empty text)."""
        import faiss

        index = faiss.IndexFlatIP(int(vectors.shape[1]))
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @property
    def n_vectors(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def cosines(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosine of every query with every facet, shape (queries, facets), in −1…1."""
        n_hits = min(self.n_vectors, MAX_HITS)
        if not len(queries) or not n_hits:
            return np.zeros((len(queries), self.n_vectors), dtype=np.float32)
        scores, numbers = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), n_hits)
        found = np.repeat(scores[:, -1:], self.n_vectors, axis=1).astype(np.float32)
        np.put_along_axis(found, numbers, scores, axis=1)
        return found

    def save(self, path: Path) -> None:
        """Write the index in FAISS's own format."""
        import faiss

        path.write_bytes(faiss.serialize_index(self._index).tobytes())

    @classmethod
    def load(cls, path: Path) -> DenseIndex:
        """Read what ``save`` wrote. Raises OSError or RuntimeError when the file is not that."""
        import faiss

        return cls(faiss.deserialize_index(np.frombuffer(path.read_bytes(), dtype=np.uint8)))
