"""The index of one pool: lexical weights of items and facets, facet vectors, and the manifest that vouches for them.

Owns building, saving and loading. An index on disk is served only when its manifest equals the one computed from the
present data, lexicon and model; anything else raises ``IndexStaleError`` and the caller rebuilds.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matcher.encoding.protocol import Encoder
from matcher.errors import IndexStaleError
from matcher.retrieval import reuse
from matcher.retrieval.dense import DenseIndex
from matcher.retrieval.lexical import BM25Params, LexicalIndex
from matcher.retrieval.pool import Pool
from matcher.retrieval.reuse import Progress
from matcher.text.tokenise import Tokeniser

_LOG = logging.getLogger(__name__)
FORMAT = 3


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything an index depends on; equal manifests mean an interchangeable index."""

    pool: str
    lexicon: str
    k1: float
    b: float
    encoder: str
    background: str = ""
    format: int = FORMAT


def compute_manifest(
    pool: Pool,
    tokeniser: Tokeniser,
    encoder: Encoder | None,
    bm25: BM25Params | None = None,
    background: Sequence[str] = (),
) -> Manifest:
    """Manifest of the index these parts would make; no encoder gives the empty fingerprint."""
    bm25 = bm25 or BM25Params()
    fingerprint = encoder.fingerprint if encoder else ""
    behind = hashlib.sha256("\x1e".join(background).encode()).hexdigest()[:16] if background else ""
    return Manifest(pool.content_hash, tokeniser.fingerprint, bm25.k1, bm25.b, fingerprint, behind)


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class PoolIndex:
    """One searchable pool, by item (whole profiles) and by facet.

    Row i of ``items`` and ``item_vectors`` is item i of the pool, row j of ``facets`` and ``facet_vectors`` facet j.
    Behind them stand the background texts, one row each: they make the statistics of a small pool meaningful and are
    never returned. Both vector indexes are None when the index was built without an encoder.
    """

    pool: Pool
    items: LexicalIndex
    facets: LexicalIndex
    item_vectors: DenseIndex | None
    facet_vectors: DenseIndex | None
    manifest: Manifest
    background: tuple[str, ...] = ()

    @cached_property
    def facet_texts(self) -> list[str]:
        """Text of every row of ``facets``."""
        return [*(facet.text for facet in self.pool.facets), *self.background]

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Offsets as those of the pool, each background text standing as an item with one facet."""
        behind = np.arange(1, len(self.background) + 1)
        return np.concatenate([self.pool.starts, self.pool.starts[-1] + behind])

    @cached_property
    def item_texts(self) -> list[str]:
        """Text of every row of ``items``."""
        return [*self.pool.item_texts, *self.background]

    @classmethod
    def build(
        cls,
        pool: Pool,
        tokeniser: Tokeniser,
        encoder: Encoder | None = None,
        *,
        bm25: BM25Params | None = None,
        background: Sequence[str] = (),
        previous: PoolIndex | None = None,
        progress: Progress | None = None,
    ) -> PoolIndex:
        """Build the index of a pool.

        Args:
            pool: what is searched.
            tokeniser: makes the lexical features.
            encoder: makes the vectors; without one the index has no dense channel.
            bm25: parameters of the lexical channel.
            background: texts that only take part in the statistics.
            previous: an index whose texts need not be tokenised and encoded again; the result is the same without.
            progress: told about tokenising and encoding.
        """
        texts = [*(facet.text for facet in pool.facets), *background]
        counts, features = reuse.count_texts(texts, tokeniser, previous, progress)
        facets = LexicalIndex(counts, features, bm25)
        bundles = reuse.bundle_matrix(pool, len(background))
        items = LexicalIndex(sparse.csr_array(bundles @ counts), features, bm25)
        manifest = compute_manifest(pool, tokeniser, None, bm25, background)
        plain = cls(pool, items, facets, None, None, manifest, tuple(background))
        return plain.with_encoder(encoder, progress, previous) if encoder else plain

    def with_encoder(
        self, encoder: Encoder, progress: Progress | None = None, previous: PoolIndex | None = None
    ) -> PoolIndex:
        """The same index with vectors of this encoder."""
        by_item, by_facet = reuse.encode_texts(self.item_texts, self.facet_texts, encoder, previous, progress)
        return replace(
            self,
            item_vectors=DenseIndex.build(by_item),
            facet_vectors=DenseIndex.build(by_facet),
            manifest=replace(self.manifest, encoder=encoder.fingerprint),
        )

    def save(self, folder: Path) -> None:
        """Write the index into a folder, replacing what is there; a reader sees the old one or the new one, never a mix."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
        try:
            self._write(draft)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        old = Path(tempfile.mkdtemp(prefix=folder.name + ".old.", dir=folder.parent))
        try:
            if folder.exists():
                os.replace(folder, old / "index")
            os.replace(draft, folder)
        except OSError as error:
            # Another process swapped its own index in between: that one is as good, its manifest vouches for it.
            _LOG.warning("index in %s was replaced by another process meanwhile: %s", folder, error)
            shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)

    def _write(self, folder: Path) -> None:
        self.items.save(folder / "items.npz")
        self.facets.save(folder / "facets.npz")
        if self.item_vectors is not None and self.facet_vectors is not None:
            self.item_vectors.save(folder / "items.faiss")
            self.facet_vectors.save(folder / "facets.faiss")
        sums = {path.name: _checksum(path) for path in folder.iterdir()}
        (folder / "manifest.json").write_text(json.dumps({**asdict(self.manifest), "files": sums}), "utf-8")

    @classmethod
    def check(cls, folder: Path, expected: Manifest) -> None:
        """Raise IndexStaleError unless the manifest on disk is the expected one; the files are not read."""
        try:
            raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            raw.pop("files")
            if Manifest(**raw) == expected:
                return
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise IndexStaleError("索引文件缺失或已损坏。", "系统会自动重建索引。") from error
        raise IndexStaleError("索引与当前数据、词库或模型不一致。", "系统会自动重建索引。")

    @classmethod
    def load(cls, folder: Path, pool: Pool, expected: Manifest, background: Sequence[str] = ()) -> PoolIndex:
        """Read an index; ``background`` are the texts the expected manifest was computed with.

        Raises:
            IndexStaleError: there is none, it is damaged, or its manifest is not the expected one.
        """
        try:
            text = (folder / "manifest.json").read_text(encoding="utf-8")
            raw = json.loads(text)
            sums = dict(raw.pop("files"))
            found = Manifest(**raw)
            if not expected.encoder:
                found = replace(found, encoder="")  # vectors on disk are simply not read
            if found != expected:
                raise IndexStaleError("索引与当前数据、词库或模型不一致。", "系统会自动重建索引。")
            names = (
                "items.npz",
                "facets.npz",
                *(("items.faiss", "facets.faiss") if expected.encoder else ()),
            )
            if any(_checksum(folder / name) != sums[name] for name in names):
                raise ValueError("a file is not the one the manifest vouches for")
            items = LexicalIndex.load(folder / "items.npz")
            facets = LexicalIndex.load(folder / "facets.npz")
            by_item = DenseIndex.load(folder / "items.faiss") if expected.encoder else None
            by_facet = DenseIndex.load(folder / "facets.faiss") if expected.encoder else None
            if (folder / "manifest.json").read_text(encoding="utf-8") != text:
                raise ValueError("another process replaced the index while it was read")
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RuntimeError,
            EOFError,
            BadZipFile,
        ) as error:
            raise IndexStaleError("索引文件缺失或已损坏。", "系统会自动重建索引。") from error
        n_items, n_facets = len(pool.item_ids) + len(background), len(pool.facets) + len(background)
        sizes = (items.n_documents, facets.n_documents)
        if sizes != (n_items, n_facets) or (
            by_item and by_facet and (by_item.n_vectors, by_facet.n_vectors) != (n_items, n_facets)
        ):
            raise IndexStaleError("索引大小与当前数据不一致。", "系统会自动重建索引。")
        return cls(pool, items, facets, by_item, by_facet, found, tuple(background))
