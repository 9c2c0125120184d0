"""The vector cache: what is computed twice, what survives, and what a broken file costs."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher.encoding import CachedEncoder, Progress, Vectors

from .fakes import HashingEncoder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sub" / "vectors.sqlite"


def test_only_missing_texts_are_encoded(path: Path) -> None:
    inner = HashingEncoder()
    cached = CachedEncoder(inner, path)
    cached.encode_document(["甲乙", "丙丁", "甲乙", ""])
    assert inner.encoded == ["甲乙", "丙丁"]
    cached.encode_document(["戊己", "丙丁"])
    assert inner.encoded == ["甲乙", "丙丁", "戊己"]


def test_another_process_finds_the_vectors(path: Path) -> None:
    first = CachedEncoder(HashingEncoder(), path).encode_document(["甲乙", "丙丁"])
    inner = HashingEncoder()
    second = CachedEncoder(inner, path).encode_document(["丙丁", "甲乙"])
    assert inner.encoded == []
    np.testing.assert_array_equal(second, first[::-1])


def test_another_fingerprint_shares_nothing(path: Path) -> None:
    CachedEncoder(HashingEncoder("one"), path).encode_document(["甲乙"])
    other = HashingEncoder("two", dimension=32)
    assert CachedEncoder(other, path).encode_document(["甲乙"]).shape == (1, 32)
    assert other.encoded == ["甲乙"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.sampled_from(["甲乙", "丙丁", "", " ", "戊", "a\ud800"]), max_size=12))
def test_order_and_duplicates_are_kept(tmp_path: Path, texts: list[str]) -> None:
    cached = CachedEncoder(HashingEncoder(), tmp_path / "vectors.sqlite")
    np.testing.assert_array_equal(cached.encode_document(texts), HashingEncoder().encode_document(texts))
    np.testing.assert_array_equal(cached.encode_query(texts), HashingEncoder().encode_query(texts))


def test_queries_are_remembered_up_to_the_limit(path: Path) -> None:
    inner = HashingEncoder()
    cached = CachedEncoder(inner, path, query_cache_size=2)
    for text in ["甲", "乙", "甲", "丙", "甲", "乙"]:
        cached.encode_query([text])
    assert inner.encoded == ["甲", "乙", "丙", "乙"]
    assert not path.exists()


def test_changing_a_result_does_not_change_the_cache(path: Path) -> None:
    cached = CachedEncoder(HashingEncoder(), path)
    expected = HashingEncoder().encode_query(["甲乙"])
    for method in (cached.encode_query, cached.encode_document):
        method(["甲乙"])[:] = 9.0
        np.testing.assert_array_equal(method(["甲乙"]), expected)


@pytest.mark.parametrize("content", [b"this is not a database" * 100, b"SQLite format 3\x00" + b"x" * 8192])
def test_a_corrupt_file_is_put_aside_and_rebuilt(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    cached = CachedEncoder(HashingEncoder(), path)
    with caplog.at_level(logging.WARNING):
        vectors = cached.encode_document(["甲乙"])
    np.testing.assert_array_equal(vectors, HashingEncoder().encode_document(["甲乙"]))
    assert "moved to" in caplog.text
    aside = [p for p in path.parent.iterdir() if ".corrupt-" in p.name]
    assert aside[0].read_bytes() == content
    inner = HashingEncoder()
    CachedEncoder(inner, path).encode_document(["甲乙"])
    assert inner.encoded == []


def test_a_locked_or_unwritable_place_only_costs_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a directory")
    cached = CachedEncoder(HashingEncoder(), tmp_path / "file" / "vectors.sqlite")
    with caplog.at_level(logging.WARNING):
        vectors = cached.encode_document(["甲乙"])
    np.testing.assert_array_equal(vectors, HashingEncoder().encode_document(["甲乙"]))
    assert "going on without" in caplog.text


def test_a_vector_of_the_wrong_length_is_encoded_again(path: Path) -> None:
    cached = CachedEncoder(HashingEncoder(), path)
    expected = cached.encode_document(["甲乙"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE vectors SET vector = x'0000'")
    np.testing.assert_array_equal(cached.encode_document(["甲乙"]), expected)


def test_an_interrupted_run_keeps_what_it_did(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(HashingEncoder):
        def encode_document(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
            if "坏" in texts:
                raise RuntimeError("power cut")
            return super().encode_document(texts, progress=progress)

    monkeypatch.setattr("matcher.encoding.cache._ENCODE_BLOCK", 2)
    with pytest.raises(RuntimeError):
        CachedEncoder(Failing(), path).encode_document(["甲", "乙", "坏", "丁"])
    inner = HashingEncoder()
    CachedEncoder(inner, path).encode_document(["甲", "乙", "坏", "丁"])
    assert inner.encoded == ["坏", "丁"]


_FILL = """
import sys
from matcher.encoding import CachedEncoder
from fakes import HashingEncoder

cached = CachedEncoder(HashingEncoder(), sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 40):
    cached.encode_document([f"文本{number}", f"文本{number + 1}"])
"""


def test_several_processes_may_write_at_once(path: Path) -> None:
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parents[1])])
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _FILL, str(path), str(start)],
            env={**os.environ, "PYTHONPATH": paths},
        )
        for start in (0, 20, 40)
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    texts = [f"文本{number}" for number in range(81)]
    inner = HashingEncoder()
    vectors = CachedEncoder(inner, path).encode_document(texts)
    assert inner.encoded == []
    np.testing.assert_array_equal(vectors, HashingEncoder().encode_document(texts))
