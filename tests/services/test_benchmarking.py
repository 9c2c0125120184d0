"""The benchmark of speed: the limits the shipped model must keep, measured in one run beside the peer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matcher.config import EncoderSettings, Settings
from matcher.errors import EncoderError, InputError
from matcher.evaluation.peer import LAYERS, VOCABULARY, WIDTH, build_peer
from matcher.services.benchmarking import (
    MAX_BYTES,
    MAX_LOAD_SECONDS,
    MIN_RATIO,
    EncodeBench,
    measure_encoding,
    measure_loading,
)

GENEROUS = 5  # a busy machine may take so many times as long


def settings_for(home: Path, encoder: str = "builtin") -> Settings:
    return Settings(home, f"sqlite:///{home / 'matcher.db'}", encoder=EncoderSettings(encoder))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> EncodeBench:
    return measure_encoding(settings_for(tmp_path_factory.mktemp("home")), n_documents=96, n_rounds=3)


def test_the_shipped_model_is_twenty_times_as_fast(measured: EncodeBench) -> None:
    assert measured.ratio >= MIN_RATIO
    assert measured.ratio == measured.speed / measured.peer_speed
    assert len(measured.ratios) == measured.n_rounds == 3
    assert measured.checks["ratio"]


def test_the_shipped_files_are_small(measured: EncodeBench) -> None:
    assert 2**20 < measured.n_bytes <= MAX_BYTES


def test_it_loads_at_once(measured: EncodeBench) -> None:
    assert 0 < measured.load_seconds <= GENEROUS * MAX_LOAD_SECONDS
    assert 0 < measured.first_seconds <= GENEROUS * MAX_LOAD_SECONDS


def test_what_is_told_is_what_was_measured(measured: EncodeBench) -> None:
    told = measured.as_json()
    assert told["documents"] == 96
    assert told["ratio"] == round(measured.ratio, 1)
    low, high = told["ratio_range"]  # type: ignore[misc]
    assert low == round(min(measured.ratios), 1) <= high == round(max(measured.ratios), 1)
    slow = replace(measured, speed=measured.peer_speed * 19.9, load_seconds=1.1, n_bytes=MAX_BYTES + 1)
    assert slow.checks == {"ratio": False, "load_seconds": False, "bytes": False}


def test_the_peer_is_the_transformer_it_is_said_to_be() -> None:
    peer = build_peer()
    config = peer[0].auto_model.config
    assert (config.num_hidden_layers, config.hidden_size, config.vocab_size) == (LAYERS, WIDTH, VOCABULARY)
    assert len(peer.tokenizer) == VOCABULARY
    assert peer.tokenizer.tokenize("轴承磨损") == list("轴承磨损"), "a token a character, none unknown"
    vectors = peer.encode(["轴承磨损", "海参"])
    assert vectors.shape == (2, WIDTH)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, build_peer().encode(["轴承磨损", "海参"])), "the same at every run"


def test_no_model_has_no_speed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="没有选用语义模型"):
        measure_encoding(settings_for(tmp_path, "none"))


def test_a_model_that_cannot_be_loaded_in_its_own_process(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="加载模型时出错"):
        measure_loading(settings_for(tmp_path, str(tmp_path / "没有的模型")))
