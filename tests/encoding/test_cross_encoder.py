"""Re-reading models: loaded like encoders, one number in 0–1 a pair, and never an invented head."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.encoding import load_encoder
from matcher.encoding.cross_encoder import CrossEncoderReranker, load_reranker, sigmoid
from matcher.errors import EncoderError

from .fake_hub import FakeHub

QUERY = "轴承磨损怎么治"
TEXTS = ["轴承", "海参养殖", "焊接气孔" * 100]


def _make(root: Path, n_labels: int = 1) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set("海参养殖焊接气孔轴承磨损怎么治"))]
    root.mkdir(parents=True)
    (root / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(root / "vocab.txt"), model_max_length=48)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        num_labels=n_labels,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(root)
    tokenizer.save_pretrained(root)
    return root


@pytest.fixture(scope="session")
def tiny_cross_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved one-layer BERT with one output and random weights."""
    return _make(tmp_path_factory.mktemp("tiny_cross") / "model")


@pytest.fixture
def hub(tiny_cross_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    from huggingface_hub import close_session

    made = FakeHub()
    made.add("lab/reader", tiny_cross_dir, onnx__model_onnx=b"o")
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    yield made
    close_session()
    made.close()


def test_scores_are_in_range_and_do_not_depend_on_company(tiny_cross_dir: Path) -> None:
    reader = load_reranker(str(tiny_cross_dir))
    together = reader.read(QUERY, TEXTS)
    assert all(0 < score < 1 for score in together)
    assert len(set(together)) == len(TEXTS)
    fresh = load_reranker(str(tiny_cross_dir))
    assert [fresh.read(QUERY, [text])[0] for text in TEXTS] == pytest.approx(together, abs=1e-6)
    assert reader.read(QUERY, []) == []
    assert reader.read(QUERY, [TEXTS[1], TEXTS[1]]) == [together[1]] * 2


def test_a_pair_is_read_once(tiny_cross_dir: Path) -> None:
    from sentence_transformers import CrossEncoder

    asked: list[str] = []

    class Counting(CrossEncoder):
        def predict(self, inputs, *args, **kwargs):  # type: ignore[no-untyped-def]
            asked.extend(text for _, text in inputs)
            return super().predict(inputs, *args, **kwargs)

    reader = CrossEncoderReranker(Counting(str(tiny_cross_dir), device="cpu"), "counting")
    first = reader.read(QUERY, TEXTS)
    assert reader.read(QUERY, TEXTS[::-1]) == first[::-1]
    assert asked == TEXTS
    reader.read("别的", TEXTS[:1])
    assert asked == [*TEXTS, TEXTS[0]]


def test_from_a_hub_with_progress_and_then_without_network(hub: FakeHub, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    reader = load_reranker("lab/reader", cache_dir=tmp_path, progress=lambda *n: told.append(n))
    assert told[-1][0] == told[-1][1] > 0
    assert not [path for path in hub.paths if path.endswith(".onnx")]
    asked = len(hub.seen)
    again = load_reranker("lab/reader", cache_dir=tmp_path, offline=True)
    assert again.read(QUERY, TEXTS) == reader.read(QUERY, TEXTS)
    assert len(hub.seen) == asked


def _fails(name: str, match: str, cache: Path | None = None) -> None:
    with pytest.raises(EncoderError, match=match) as caught:
        load_reranker(name, cache_dir=cache, offline=True)
    assert caught.value.hint


def test_what_cannot_be_used_is_refused(tiny_cross_dir: Path, tiny_bert_dir: Path, tmp_path: Path) -> None:
    _fails(" ", "没有填写")
    _fails("/no/such", "找不到模型目录")
    _fails("lab/none", "本机没有模型", tmp_path)
    _fails(str(tiny_bert_dir), "没有打分的一层")
    _fails(str(tiny_bert_dir.parent / "plain"), "没有打分的一层")
    _fails(str(_make(tmp_path / "three", 3)), "3 个分数")
    broken = Path(shutil.copytree(tiny_cross_dir, tmp_path / "broken"))
    (broken / "model.safetensors").write_bytes(b"x" * 40)
    _fails(str(broken), "不完整或已损坏")
    (broken / "config.json").write_text("[]", encoding="utf-8")
    _fails(str(broken), "不完整或已损坏")


def test_a_reader_is_no_encoder(tiny_cross_dir: Path, tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    CrossEncoder(str(tiny_cross_dir), device="cpu").save(str(tmp_path / "saved"))
    assert json.loads((tmp_path / "saved" / "config_sentence_transformers.json").read_text("utf-8"))
    with pytest.raises(EncoderError, match="不是文本向量模型"):
        load_encoder(str(tmp_path / "saved"))
    assert load_reranker(str(tmp_path / "saved")).read(QUERY, TEXTS[:1])


def test_values_that_are_not_finite_are_an_error(tiny_cross_dir: Path) -> None:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(tiny_cross_dir), device="cpu")
    next(model.parameters()).data[:] = float("nan")
    with pytest.raises(EncoderError, match="无效数值"):
        CrossEncoderReranker(model, "broken").read(QUERY, TEXTS)
    with pytest.raises(ValueError, match="positive"):
        CrossEncoderReranker(model, "broken", batch_size=0)


@given(st.floats(-1e4, 1e4))
def test_sigmoid(value: float) -> None:
    assert 0.0 <= sigmoid(value) <= 1.0
    assert sigmoid(value) + sigmoid(-value) == pytest.approx(1.0)
    assert sigmoid(0) == 0.5
    assert math.isclose(sigmoid(2.0), 0.8807970779778823)
