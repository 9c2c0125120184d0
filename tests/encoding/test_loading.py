"""Every way a load can fail ends in an `EncoderError` that tells an official what to do."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matcher.encoding import SentenceTransformerEncoder, load_encoder
from matcher.errors import EncoderError

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def _fails(name: str, match: str, **options: Any) -> None:
    with pytest.raises(EncoderError, match=match) as caught:
        load_encoder(name, **options)
    assert CHINESE.search(caught.value.user_message) and CHINESE.search(caught.value.hint)


def test_importing_the_package_loads_no_model_library() -> None:
    code = (
        "import sys, matcher.encoding; "
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'jieba')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"


def test_empty_name() -> None:
    _fails("  ", "没有填写")


def test_missing_builtin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matcher.encoding.loading.BUILTIN_DIR", tmp_path)
    _fails("builtin", "缺失")


@pytest.mark.parametrize("name", ["./没有", "/no/such/model", "~/no-such-model", "C:\\models\\x"])
def test_missing_directory(name: str, no_network: None) -> None:
    _fails(name, "找不到模型目录")


def test_file_instead_of_directory(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x")
    _fails(str(tmp_path / "model.bin"), "是一个文件")


def test_directory_that_is_no_embedding_model(tiny_bert_dir: Path, no_network: None) -> None:
    _fails(str(tiny_bert_dir.parent / "plain"), "不是文本向量模型")


@pytest.mark.parametrize("broken", ["missing", "cut"])
def test_half_a_download(tiny_bert_dir: Path, tmp_path: Path, broken: str, no_network: None) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_bert_dir, copy)
    weights = copy / "model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    if broken == "cut":
        weights.write_bytes(content[: len(content) // 2])
    _fails(str(copy), "不完整或已损坏")


def test_model_with_its_own_code_is_refused(tiny_bert_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_bert_dir, copy)
    modules = json.loads((copy / "modules.json").read_text(encoding="utf-8"))
    modules[0]["type"] = "custom_code.Module"
    (copy / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    _fails(str(copy), "程序代码")


@pytest.mark.parametrize("offline", [True, False, None])
def test_hub_name_without_network(tmp_path: Path, no_network: None, offline: bool | None) -> None:
    _fails("nobody/no-such-model", "本机没有模型", cache_dir=tmp_path, offline=offline)


def test_hub_name_that_is_not_one(tmp_path: Path, no_network: None) -> None:
    _fails("没有/这个模型", "名称", cache_dir=tmp_path)


def test_local_model_loads_without_network(tiny_bert_dir: Path, no_network: None) -> None:
    assert load_encoder(str(tiny_bert_dir)).dimension == 32


def test_hub_model_is_taken_from_the_local_copy(
    tiny_bert_dir: Path, tmp_path: Path, no_network: None
) -> None:
    revision = "a" * 40
    repository = tmp_path / "models--some--model"
    shutil.copytree(tiny_bert_dir, repository / "snapshots" / revision)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    encoder = load_encoder("some/model", cache_dir=tmp_path)
    local = load_encoder(str(tiny_bert_dir))
    assert encoder.fingerprint == local.fingerprint
    np.testing.assert_array_equal(encoder.encode_query(["海参"]), local.encode_query(["海参"]))


def test_prompts_follow_the_model_unless_given(tiny_bert_dir: Path) -> None:
    own = load_encoder(str(tiny_bert_dir))
    given = load_encoder(str(tiny_bert_dir), query_prompt="查询：", document_prompt="段落：")
    none = load_encoder(str(tiny_bert_dir), query_prompt="", document_prompt="")
    assert own.fingerprint == given.fingerprint != none.fingerprint
    text = ["海参养殖"]
    np.testing.assert_array_equal(own.encode_query(text), given.encode_query(text))
    np.testing.assert_allclose(own.encode_query(text), none.encode_query(["查询：海参养殖"]), atol=1e-6)
    assert not np.allclose(own.encode_query(text), own.encode_document(text))
    np.testing.assert_allclose(none.encode_query(text), none.encode_document(text), atol=1e-6)


def test_fingerprint_knows_weights_and_length_and_not_the_name(tiny_bert_dir: Path) -> None:
    from sentence_transformers import SentenceTransformer

    def build(name: str, **options: Any) -> SentenceTransformerEncoder:
        return SentenceTransformerEncoder(
            SentenceTransformer(str(tiny_bert_dir), device="cpu"), name, **options
        )

    plain = build("a")
    used = build("b")
    used.encode_query(["海参养殖", "长句子" * 100])
    assert plain.fingerprint == used.fingerprint
    assert build("a", max_length=8).fingerprint != plain.fingerprint
    model = SentenceTransformer(str(tiny_bert_dir), device="cpu")
    next(model.parameters()).data[0, 0] += 1.0
    assert SentenceTransformerEncoder(model, "a").fingerprint != plain.fingerprint


def test_values_that_are_not_finite_are_an_error(tiny_bert_dir: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_bert_dir), device="cpu")
    next(model.parameters()).data[:] = float("nan")
    with pytest.raises(EncoderError, match="无效数值"):
        SentenceTransformerEncoder(model, "broken").encode_query(["海参"])


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"max_length": 0}])
def test_bad_sizes_are_refused(tiny_bert_dir: Path, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        load_encoder(str(tiny_bert_dir), **options)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_a_model_saved_in_half_precision_computes_in_single(
    tiny_bert_dir: Path, tmp_path: Path, kind: str
) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_bert_dir), device="cpu")
    model.to(getattr(torch, kind)).save(str(tmp_path / "half"))
    encoder = load_encoder(str(tmp_path / "half"))
    assert isinstance(encoder, SentenceTransformerEncoder)
    assert {p.dtype for p in encoder._model.parameters()} == {torch.float32}
    close = load_encoder(str(tiny_bert_dir)).encode_document(["海参养殖"])
    np.testing.assert_allclose(encoder.encode_document(["海参养殖"]), close, atol=0.02)
