"""Remembers vectors so that a text is encoded once per model.

Owns one SQLite file that several processes may share. Losing it costs time, never an answer: a file
that cannot be used is put aside or passed over with a logged warning.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from matcher.encoding.protocol import Encoder, Progress, Vectors, check_texts, is_blank

logger = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    fingerprint TEXT NOT NULL,
    digest BLOB NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (fingerprint, digest)
) WITHOUT ROWID
"""
_BUSY_MS = 10_000
_ENCODE_BLOCK = 2048
"""Texts encoded between two commits, so that an interrupted run keeps what it did."""


class CachedEncoder:
    """An `Encoder` that asks the encoder behind it only for texts it has not seen.

    Document vectors are kept in the file at `path`, keyed by (fingerprint, SHA-256 of the text), as
    little-endian float32. Query vectors are kept in memory, the most recent `query_cache_size`.
    Safe to share between threads and, through the file, between processes.
    """

    def __init__(self, encoder: Encoder, path: Path | str, *, query_cache_size: int = 1024) -> None:
        if query_cache_size < 0:
            raise ValueError("query_cache_size must not be negative")
        self._encoder = encoder
        self._path = Path(path)
        self._queries: OrderedDict[str, Vectors] = OrderedDict()
        self._query_cache_size = query_cache_size
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def path(self) -> Path:
        """Where the document vectors are kept."""
        return self._path

    def encode_query(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As `Encoder.encode_query`, from memory where possible."""
        check_texts(texts)
        known: dict[str, Vectors] = {}
        with self._lock:
            for text in texts:
                if (vector := self._queries.get(text)) is not None:
                    self._queries.move_to_end(text)
                    known[text] = vector
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known |= zip(missing, self._encoder.encode_query(missing), strict=True)
            with self._lock:
                self._queries |= {text: known[text].copy() for text in missing}
                while len(self._queries) > self._query_cache_size:
                    self._queries.popitem(last=False)
        if progress is not None and texts:
            progress(len(texts), len(texts))
        return self._stack(known[text] for text in texts)

    def encode_document(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As `Encoder.encode_document`, from the file where possible.

        `progress` counts a duplicate as done together with its first occurrence.
        """
        check_texts(texts)
        unique = [text for text in dict.fromkeys(texts) if not is_blank(text)]
        known = self._read(unique)
        missing = [text for text in unique if text not in known]
        total = len(texts)
        report = progress or _ignore
        if missing:
            report(total - len(missing), total)
        for start in range(0, len(missing), _ENCODE_BLOCK):
            block = missing[start : start + _ENCODE_BLOCK]
            done = total - len(missing) + start
            vectors = self._encoder.encode_document(
                block,
                progress=lambda n, _, done=done: report(done + n, total),  # type: ignore[misc]
            )
            self._write(block, vectors)
            known |= zip(block, vectors, strict=True)
        if total and not missing:
            report(total, total)
        zero = np.zeros(self.dimension, dtype=np.float32)
        return self._stack(known.get(text, zero) for text in texts)

    def _stack(self, rows: Iterable[Vectors]) -> Vectors:
        stacked = list(rows)
        if not stacked:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack(stacked)

    def _read(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors of `texts`; a vector of the wrong length counts as missing."""
        found: dict[str, Vectors] = {}
        if not texts:
            return found
        with self._guarded("read"), closing(self._connect()) as connection:
            for text in texts:
                row = connection.execute(
                    "SELECT vector FROM vectors WHERE fingerprint = ? AND digest = ?",
                    (self.fingerprint, _digest(text)),
                ).fetchone()
                if row is not None and len(row[0]) == 4 * self.dimension:
                    found[text] = np.frombuffer(row[0], dtype="<f4").astype(np.float32)
        return found

    def _write(self, texts: Sequence[str], vectors: Vectors) -> None:
        rows = [
            (self.fingerprint, _digest(text), vector.astype("<f4").tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._guarded("write"), closing(self._connect()) as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def _connect(self) -> sqlite3.Connection:
        """A fresh connection to a file that exists and has the table; the caller closes it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=_BUSY_MS / 1000)
        try:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @contextmanager
    def _guarded(self, action: str) -> Iterator[None]:
        """Keeps a cache failure from becoming the caller's: a corrupt file is put aside."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            logger.warning("vector cache %s: %s failed, going on without: %s", self._path, action, error)
        except sqlite3.DatabaseError as error:
            logger.warning("vector cache %s is unusable (%s)", self._path, error)
            self._put_aside()

    def _put_aside(self) -> None:
        """Renames a corrupt file and its journals, unless another process already replaced it."""
        with self._lock:
            try:
                with closing(self._connect()) as connection:
                    if connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
                        return
            except sqlite3.OperationalError:
                return
            except sqlite3.DatabaseError:
                pass
            target = f"{self._path.name}.corrupt-{time.time_ns()}"
            for suffix in ("", "-wal", "-shm"):
                source = self._path.with_name(self._path.name + suffix)
                try:
                    source.replace(self._path.with_name(target + suffix))
                except FileNotFoundError:
                    continue
                except OSError as error:
                    logger.warning("vector cache %s could not be put aside: %s", source, error)
            logger.warning("vector cache was moved to %s and starts empty", target)


def _digest(text: str) -> bytes:
    """SHA-256 of the UTF-8 text; lone surrogates, which a form may contain, are kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _ignore(done: int, total: int) -> None:
    """Stands in for a progress callback that was not given."""
    del done, total
