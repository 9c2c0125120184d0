"""Indexes on disk: taken when they fit, written without making anybody wait.

Owns the folder of each pool's index, what is known to be damaged, and the thread that writes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from matcher.errors import IndexStaleError
from matcher.retrieval.index import Manifest, PoolIndex
from matcher.retrieval.pool import Pool

_LOG = logging.getLogger(__name__)


class IndexShelf:
    """The indexes of one home folder, by pool name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unfit: set[str] = set()
        self._saver: threading.Thread | None = None

    def take(self, name: str, pool: Pool, manifest: Manifest, background: Sequence[str]) -> PoolIndex | None:
        """The index on disk, or None when there is none that fits or it is damaged."""
        try:
            return PoolIndex.load(self._folder / name, pool, manifest, background)
        except IndexStaleError as error:
            _LOG.info("index %s: %s", name, error)
            self._unfit.add(name)
            return None

    def put(self, indexes: Mapping[str, PoolIndex]) -> None:
        """Write the indexes that are not on disk yet.

        A disk that cannot be written costs time at the next start, not the answer.
        """
        for name, index in indexes.items():
            try:
                if name in self._unfit:
                    raise IndexStaleError("索引需要重写。")
                PoolIndex.check(self._folder / name, index.manifest)
            except IndexStaleError:
                try:
                    index.save(self._folder / name)
                    self._unfit.discard(name)
                except OSError:
                    _LOG.warning("the index could not be written to %s", self._folder / name, exc_info=True)

    def put_later(self, indexes: Mapping[str, PoolIndex]) -> None:
        """``put`` in the background; a newer set is written after an older one."""
        before = self._saver

        def work() -> None:
            if before is not None:
                before.join()
            self.put(indexes)

        self._saver = threading.Thread(target=work, name="index-saver")
        self._saver.start()

    def flush(self) -> None:
        """Wait until everything put is on disk."""
        if self._saver is not None:
            self._saver.join()
