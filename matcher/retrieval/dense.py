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
BATCH = 16  # below the size at which FAISS turns to matrix products, whose last bits depend on the batch
EVERYTHING = -1e9  # an inner product every vector exceeds


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

    def part(self, numbers: NDArray[np.int64]) -> DenseIndex:
        """An index of some of the vectors, in the order of ``numbers``."""
        return DenseIndex.build(self.vectors[numbers])

    @property
    def n_vectors(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors, shape (facets, dimension), as a read-only view of FAISS's own memory."""
        import faiss

        size = self.n_vectors * self.dimension
        if not size:
            return np.zeros((self.n_vectors, self.dimension), dtype=np.float32)
        memory = faiss.downcast_index(self._index).get_xb()  # type: ignore[attr-defined] # a flat index has it
        view: NDArray[np.float32] = faiss.rev_swig_ptr(memory, size).reshape(-1, self.dimension)
        view.flags.writeable = False
        return view

    def cosines(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosine of every query with every facet, shape (queries, facets), in −1…1; exact.

        A full score needs every facet, so this is a search without a limit rather than for the nearest. FAISS scores
        small batches pair by pair: a query gets the same bits alone and beside others.
        """
        found = np.zeros((len(queries), self.n_vectors), dtype=np.float32)
        if not self.n_vectors:
            return found
        for start in range(0, len(queries), BATCH):
            batch = np.ascontiguousarray(queries[start : start + BATCH], dtype=np.float32)
            _, scores, numbers = self._index.range_search(batch, EVERYTHING)
            place = numbers.reshape(len(batch), -1)
            np.put_along_axis(found[start : start + BATCH], place, scores.reshape(place.shape), axis=1)
        return found

    def cosines_of(self, queries: NDArray[np.float32], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Cosine of every query with some facets, shape (queries, numbers)."""
        chosen: NDArray[np.float64] = self.vectors[numbers].astype(np.float64)
        return queries.astype(np.float64) @ chosen.T

    def save(self, path: Path) -> None:
        """Write the index in FAISS's own format."""
        import faiss

        path.write_bytes(faiss.serialize_index(self._index).tobytes())

    @classmethod
    def load(cls, path: Path) -> DenseIndex:
        """Read what ``save`` wrote. Raises OSError or RuntimeError when the file is not that."""
        import faiss

        return cls(faiss.deserialize_index(np.frombuffer(path.read_bytes(), dtype=np.uint8)))
