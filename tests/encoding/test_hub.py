"""Downloads from a hub on the loopback: complete, resumed, refused, and never half served."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.encoding import Encoder, load_encoder
from matcher.encoding.hub import choose_files, download_model
from matcher.encoding.transfer import RemoteFile, bytes_left
from matcher.errors import EncoderError

from .fake_hub import COMMIT, FakeHub

NAME = "some-lab/tiny-bert"
TEXTS = ["海参养殖", "水下机器人", "轴承磨损怎么治"]
WEIGHTS = "model.safetensors"


@pytest.fixture
def hub(tiny_bert_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    from huggingface_hub import close_session

    made = FakeHub()
    made.add(
        NAME,
        tiny_bert_dir,
        onnx__model_onnx=b"o" * 5_000,
        pytorch_model_bin=b"p" * 9_000,
        openvino__openvino_model_xml=b"<x/>",
        tf_model_h5=b"h",
        imgs__picture_png=b"png",
        modeling_own_py=b"print('no')",
    )
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    yield made
    close_session()
    made.close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matcher.encoding.transfer.sleep", lambda seconds: None)


def _load(cache: Path, name: str = NAME, **options: Any) -> Encoder:
    return load_encoder(name, cache_dir=cache, **options)


def _fails(cache: Path, match: str, name: str = NAME, **options: Any) -> EncoderError:
    with pytest.raises(EncoderError, match=match) as caught:
        _load(cache, name, **options)
    assert caught.value.hint
    return caught.value


def test_download_with_progress_gives_the_vectors_of_the_local_directory(
    hub: FakeHub, tiny_bert_dir: Path, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    encoder = _load(tmp_path, progress=lambda done, total: told.append((done, total)))
    local = load_encoder(str(tiny_bert_dir))
    assert encoder.fingerprint == local.fingerprint
    assert encoder.dimension == 32
    np.testing.assert_array_equal(encoder.encode_query(TEXTS), local.encode_query(TEXTS))
    np.testing.assert_array_equal(encoder.encode_document(TEXTS), local.encode_document(TEXTS))
    total = sum(len(hub.repositories[NAME][path]) for path in hub.paths)
    assert told[0][0] == 0
    assert told[-1] == (total, total)
    assert {whole for _, whole in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len({done for done, _ in told}) > len(hub.paths), "told within the large file, too"


def test_only_what_a_cpu_needs_is_downloaded(hub: FakeHub, tmp_path: Path) -> None:
    _load(tmp_path)
    assert WEIGHTS in hub.paths
    assert "modules.json" in hub.paths
    assert not [p for p in hub.paths if p.endswith((".onnx", ".bin", ".xml", ".h5", ".png", ".py"))]
    folder = tmp_path / "some-lab--tiny-bert"
    assert json.loads((folder / "matcher_source.json").read_text("utf-8"))["revision"] == COMMIT
    assert not list(tmp_path.glob("*.part"))
    assert not [p for p in folder.rglob("*") if p.name.startswith(".")]


def test_a_second_load_needs_no_network(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _load(tmp_path)
    asked = len(hub.seen)
    assert _load(tmp_path, offline=True).fingerprint == first.fingerprint
    assert _load(tmp_path).fingerprint == first.fingerprint
    assert len(hub.seen) == asked


def test_own_prompts_are_used_unless_given_or_switched_off(hub: FakeHub, tmp_path: Path) -> None:
    own = _load(tmp_path)
    given = _load(tmp_path, query_prompt="段落：")
    none = _load(tmp_path, query_prompt="", document_prompt="")
    np.testing.assert_allclose(
        own.encode_query(TEXTS), none.encode_query([f"查询：{t}" for t in TEXTS]), atol=1e-6
    )
    np.testing.assert_allclose(given.encode_query(TEXTS), own.encode_document(TEXTS), atol=1e-6)
    np.testing.assert_array_equal(none.encode_query(TEXTS), none.encode_document(TEXTS))


def test_no_network_is_said_at_once(tmp_path: Path, no_network: None) -> None:
    started = time.monotonic()
    error = _fails(tmp_path, "网络也无法连接")
    assert "HF_ENDPOINT" in error.hint
    assert time.monotonic() - started < 5


def test_nobody_listening_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    started = time.monotonic()
    assert "127.0.0.1:9" in _fails(tmp_path, "网络也无法连接").user_message
    assert time.monotonic() - started < 5


def test_wrong_name_and_refusals(hub: FakeHub, tmp_path: Path) -> None:
    _fails(tmp_path, "没有名为“some-lab/no-such”", "some-lab/no-such")
    for status, words in (
        (401, "没有名为"),
        (404, "没有名为"),
        (503, "服务器回答 503"),
        (500, "服务器回答 500"),
    ):
        hub.status = status
        _fails(tmp_path, words)
    hub.status, hub.body = 200, b"<html>please sign in</html>"
    _fails(tmp_path, "不是模型信息")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_break_in_the_weights_is_said_and_mended(hub: FakeHub, tmp_path: Path, ranges: bool) -> None:
    size = len(hub.repositories[NAME][WEIGHTS])
    hub.cut_after, hub.after_cut, hub.ranges = size // 2, 503, ranges
    error = _fails(tmp_path, "服务器回答 503|网络中断")
    assert "接着" in error.hint
    assert not (tmp_path / "some-lab--tiny-bert").exists(), "nothing is served from half a download"
    _fails(tmp_path, "本机没有模型", offline=True)
    hub.cut_after = hub.status = None
    encoder = _load(tmp_path)
    assert encoder.encode_query(TEXTS).shape == (3, 32)
    assert hub.sent[WEIGHTS] == (size if ranges else size + size // 2)
    assert hub.paths.count("config.json") == 1, "what was complete is not fetched again"


def test_a_connection_that_keeps_breaking_is_resumed_within_one_call(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_after = len(hub.repositories[NAME][WEIGHTS]) // 5
    assert _load(tmp_path).dimension == 32
    assert hub.paths.count(WEIGHTS) >= 5
    assert hub.sent[WEIGHTS] == len(hub.repositories[NAME][WEIGHTS])


def test_a_connection_that_gives_nothing_is_given_up(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_after = 0
    assert "断点" in _fails(tmp_path, "网络中断").hint


def test_an_altered_file_is_not_used(hub: FakeHub, tmp_path: Path) -> None:
    hub.garbled = {WEIGHTS}
    _fails(tmp_path, "与服务器公布的内容不符")
    hub.garbled = {"config.json"}
    _fails(tmp_path / "other", r"config\.json 下载后与服务器公布的内容不符")
    hub.garbled = set()
    assert _load(tmp_path).dimension == 32


def test_a_file_damaged_on_disk_is_fetched_again_and_only_it(hub: FakeHub, tmp_path: Path) -> None:
    _load(tmp_path)
    weights = tmp_path / "some-lab--tiny-bert" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:1000])
    _fails(tmp_path, "不完整或已损坏", offline=True)
    hub.seen.clear()
    assert _load(tmp_path).dimension == 32
    assert hub.paths == [WEIGHTS]


FOLDER = "some-lab--tiny-bert"
NO_HUB = "http://127.0.0.1:9"


@pytest.mark.parametrize("with_hub", [True, False])
def test_a_complete_model_that_cannot_be_built_stays_where_it_is(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_hub: bool
) -> None:
    first = _load(tmp_path)
    hub.seen.clear()

    def fail(location: str) -> None:
        raise RuntimeError("not enough memory")

    with monkeypatch.context() as patched:
        patched.setattr("matcher.encoding.loading._build", fail)
        if not with_hub:
            patched.setenv("HF_ENDPOINT", NO_HUB)
        _fails(tmp_path, "not enough memory")
    assert hub.paths == []
    assert not list(tmp_path.glob("*.part"))
    assert _load(tmp_path, offline=True).fingerprint == first.fingerprint


def test_a_damaged_model_is_compared_with_its_own_revision_and_keeps_its_place(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    _load(tmp_path)
    weights = tmp_path / FOLDER / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    with monkeypatch.context() as patched:
        patched.setenv("HF_ENDPOINT", NO_HUB)
        _fails(tmp_path, "不完整或已损坏")
    assert weights.read_bytes() == whole[:1000]
    hub.seen.clear()
    hub.cut_after, hub.after_cut = len(whole) // 2, 503
    _fails(tmp_path, "服务器回答 503")
    assert hub.seen[0][0].endswith(f"/revision/{COMMIT}")
    assert weights.read_bytes() == whole[:1000]
    hub.cut_after = hub.status = None
    with FileLock(tmp_path / f"{FOLDER}.part" / ".lock"):
        _fails(tmp_path, "另一个程序正在下载")
    assert (tmp_path / FOLDER / "config.json").exists()
    hub.sent.clear()
    assert _load(tmp_path).dimension == 32
    assert hub.sent == {WEIGHTS: len(whole) - len(whole) // 2}
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("as_file", [True, False])
def test_what_somebody_else_keeps_beside_the_directory_is_not_touched(
    hub: FakeHub, tmp_path: Path, as_file: bool
) -> None:
    foreign = tmp_path / f"{FOLDER}.part"
    kept = foreign if as_file else foreign / "账目" / "2024.txt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("x", encoding="utf-8")
    error = _fails(tmp_path, "没有动它")
    assert str(foreign) in error.user_message
    assert kept.read_text("utf-8") == "x"
    assert hub.paths == []


@pytest.mark.parametrize("where", ["../../victim", "{root}/victim", "A" * 64, "../" * 21 + "x"])
def test_a_hash_that_is_none_is_no_path(hub: FakeHub, tmp_path: Path, where: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    hub.digests = {WEIGHTS: where.format(root=tmp_path)}
    assert _load(tmp_path).dimension == 32
    assert victim.read_bytes() == b"mine"
    part = tmp_path / "other.part"
    (part / ".parts").mkdir(parents=True)
    assert bytes_left(RemoteFile(WEIGHTS, 9, where.format(root=tmp_path)), part) == 9


def test_a_body_cut_without_a_length_is_resumed(hub: FakeHub, tmp_path: Path) -> None:
    size = len(hub.repositories[NAME][WEIGHTS])
    hub.bare, hub.cut_after = True, size // 3
    assert _load(tmp_path).dimension == 32
    assert hub.sent[WEIGHTS] == size


def test_a_body_cut_without_a_length_leaves_what_came(hub: FakeHub, tmp_path: Path) -> None:
    size = len(hub.repositories[NAME][WEIGHTS])
    hub.bare, hub.cut_after, hub.after_cut = True, size // 2, 503
    _fails(tmp_path, "服务器回答 503")
    hub.cut_after = hub.status = None
    assert _load(tmp_path).dimension == 32
    assert hub.sent[WEIGHTS] == size


@pytest.mark.parametrize("bare", [True, False])
def test_a_rest_that_begins_elsewhere_is_not_appended(hub: FakeHub, tmp_path: Path, bare: bool) -> None:
    size = len(hub.repositories[NAME][WEIGHTS])
    hub.cut_after, hub.after_cut = size // 2, 503
    _fails(tmp_path, "服务器回答 503")
    hub.cut_after, hub.status, hub.shift, hub.bare = None, None, 7, bare
    assert _load(tmp_path).dimension == 32
    assert [asked for path, asked in hub.seen if path.endswith(WEIGHTS)][-1] == ""


def test_rests_that_never_fit_are_given_up(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_after, hub.shift = len(hub.repositories[NAME][WEIGHTS]) // 2, 7
    _fails(tmp_path, "网络中断")
    assert hub.paths.count(WEIGHTS) < 15


@pytest.mark.parametrize(
    "endpoint", ["hf-mirror.com", "https//hf-mirror.com", "https://hf-mirror.com:b", "https://a\n"]
)
def test_an_address_that_is_none_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert "HF_ENDPOINT" in _fails(tmp_path, "必须以 https:// 开头").hint


@pytest.mark.parametrize(("name", "words"), [("模" * 300, "太长"), ("~nobody-of-that-name/x", "这个用户")])
def test_a_name_the_disk_refuses(tmp_path: Path, name: str, words: str) -> None:
    _fails(tmp_path, words, name)


def test_a_model_without_modules_is_refused_before_anything_is_fetched(hub: FakeHub, tmp_path: Path) -> None:
    del hub.repositories[NAME]["modules.json"]
    _fails(tmp_path, "其中没有 modules.json")
    assert hub.paths == []


@pytest.mark.parametrize("where", ["modules.json", "config.json"])
def test_a_model_with_its_own_code_is_refused_before_its_weights(
    hub: FakeHub, tmp_path: Path, where: str
) -> None:
    content = json.loads(hub.repositories[NAME][where])
    if where == "modules.json":
        content[0]["type"] = "custom_code.Module"
    else:
        content |= {"auto_map": {"AutoModel": "modeling_own.Own"}, "model_type": "own_bert"}
    hub.repositories[NAME][where] = json.dumps(content).encode()
    _fails(tmp_path, "程序代码")
    assert WEIGHTS not in hub.paths


def test_no_room_on_the_disk(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("matcher.encoding.hub.shutil.disk_usage", lambda path: Usage)
    _fails(tmp_path, "磁盘空间不够")
    assert hub.paths == []


def test_two_processes_do_not_write_into_one_directory(hub: FakeHub, tmp_path: Path) -> None:
    from filelock import FileLock

    hub.cut_after, hub.after_cut = 10, 503
    _fails(tmp_path, "503")
    hub.cut_after = hub.status = None
    part = tmp_path / "some-lab--tiny-bert.part"
    with FileLock(part / ".lock"):
        _fails(tmp_path, "另一个程序正在下载")
    assert _load(tmp_path).dimension == 32


def test_what_was_begun_of_another_revision_does_not_stay(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories[NAME]["model-00001-of-00001.safetensors"] = b"old" * 1000
    whole = hub.repositories[NAME].pop(WEIGHTS)
    hub.repositories[NAME]["zz.txt"] = b"z" * 50_000
    hub.cut_after, hub.after_cut = 40_000, 503
    _fails(tmp_path, "503")
    del hub.repositories[NAME]["model-00001-of-00001.safetensors"], hub.repositories[NAME]["zz.txt"]
    hub.repositories[NAME][WEIGHTS] = whole
    hub.cut_after = hub.status = None
    assert _load(tmp_path).dimension == 32
    folder = tmp_path / "some-lab--tiny-bert"
    kept = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert not kept & {"model-00001-of-00001.safetensors", "zz.txt"}
    assert not list(tmp_path.glob("*.part"))


def test_a_copied_directory_loads_without_network(hub: FakeHub, tmp_path: Path) -> None:
    download_model(NAME, tmp_path / "stick")
    asked = len(hub.seen)
    assert load_encoder(str(tmp_path / "stick")).dimension == 32
    assert len(hub.seen) == asked


FILES = st.lists(
    st.sampled_from(
        [
            "modules.json", "config.json", "model.safetensors", "model-00001-of-00002.safetensors",
            "model.safetensors.index.json", "pytorch_model.bin", "optimizer.bin", "training_args.bin",
            "onnx/model.onnx", "onnx/config.json", "1_Pooling/config.json", "2_Dense/pytorch_model.bin",
            "2_Dense/model.safetensors", "vocab.txt", "tokenizer.model", "../evil.json", "/etc/x.json", "a\\b.json",
            ".git/config.json", "model_fp16.safetensors", "README.md", "colbert_linear.pt",
        ]
    ),
    unique=True,
)  # fmt: skip


@given(FILES)
def test_files_chosen(paths: list[str]) -> None:
    chosen = [file.path for file in choose_files(RemoteFile(path, 1, "") for path in paths)]
    assert set(chosen) <= set(paths)
    assert not set(chosen) & {
        "optimizer.bin", "training_args.bin", "onnx/model.onnx", "onnx/config.json", "../evil.json", "/etc/x.json",
        "a\\b.json", ".git/config.json", "README.md", "colbert_linear.pt",
    }  # fmt: skip
    for wanted in ("modules.json", "config.json", "vocab.txt", "tokenizer.model", "1_Pooling/config.json"):
        assert (wanted in chosen) == (wanted in paths)
    whole = "model.safetensors" in paths
    assert ("model-00001-of-00002.safetensors" in chosen) == (
        "model-00001-of-00002.safetensors" in paths and not whole
    )
    safe = any(p.endswith(".safetensors") and "/" not in p for p in paths)
    assert ("pytorch_model.bin" in chosen) == ("pytorch_model.bin" in paths and not safe)
    assert ("2_Dense/pytorch_model.bin" in chosen) == (
        "2_Dense/pytorch_model.bin" in paths and "2_Dense/model.safetensors" not in paths
    )
    last_json = max((i for i, p in enumerate(chosen) if p.endswith(".json")), default=-1)
    assert all(p.endswith(".json") for p in chosen[: last_json + 1])
