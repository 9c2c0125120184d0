"""What every `Encoder` promises: the fake, the built-in, a tiny BERT, and through the cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matcher.encoding import CachedEncoder, Encoder, load_encoder

from .fakes import HashingEncoder

TEXTS = ["海参养殖", "水下机器人", "焊接气孔怎么治", "轴承磨损"]


@pytest.fixture(scope="session", params=["fake", "builtin", "tiny_bert", "cached"])
def encoder(
    request: pytest.FixtureRequest, tiny_bert_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Encoder:
    if request.param == "fake":
        return HashingEncoder()
    if request.param == "cached":
        return CachedEncoder(HashingEncoder(), tmp_path_factory.mktemp("cache") / "vectors.sqlite")
    if request.param == "builtin":
        return load_encoder("builtin", offline=True)
    return load_encoder(str(tiny_bert_dir), offline=True)


@pytest.fixture(params=["encode_query", "encode_document"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_is_an_encoder(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.name and encoder.fingerprint and encoder.dimension > 0


def test_rows_are_float32_unit_vectors(encoder: Encoder, method: str) -> None:
    vectors = getattr(encoder, method)(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_blank_text_gives_a_zero_row(encoder: Encoder, method: str) -> None:
    vectors = getattr(encoder, method)(["", "海参养殖", "　 \n\t"])
    np.testing.assert_array_equal(vectors[[0, 2]], 0.0)
    assert np.linalg.norm(vectors[1]) == pytest.approx(1.0, abs=1e-5)


def test_nothing_gives_no_rows(encoder: Encoder, method: str) -> None:
    vectors = getattr(encoder, method)([])
    assert vectors.shape == (0, encoder.dimension) and vectors.dtype == np.float32


def test_a_text_has_one_vector_whatever_stands_beside_it(encoder: Encoder, method: str) -> None:
    together = getattr(encoder, method)([*TEXTS, "海参" * 15, TEXTS[0]])
    for row, text in enumerate(TEXTS):
        alone = getattr(encoder, method)([text])[0]
        np.testing.assert_allclose(together[row], alone, atol=2e-5)
    np.testing.assert_allclose(together[-1], together[0], atol=2e-5)


def test_same_text_is_the_nearest(encoder: Encoder) -> None:
    vectors = encoder.encode_document(TEXTS)
    assert (np.argmax(vectors @ vectors.T, axis=1) == np.arange(len(TEXTS))).all()


def test_long_and_odd_texts_are_encoded(encoder: Encoder, method: str) -> None:
    vectors = getattr(encoder, method)(["长句子" * 3000, "🐟™½\x00", "a"])
    assert np.isfinite(vectors).all()


def test_one_string_is_refused(encoder: Encoder, method: str) -> None:
    with pytest.raises(ValueError, match="sequence"):
        getattr(encoder, method)("海参养殖")


def test_progress_ends_at_the_total(encoder: Encoder, method: str) -> None:
    calls: list[tuple[int, int]] = []
    texts = [*TEXTS, "", "水下焊接", TEXTS[1], " "]
    getattr(encoder, method)(texts, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (len(texts), len(texts))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
