"""``encoder fetch`` and ``encoder use``: a model carried home, chosen, and chosen back; and the whole way of a switch."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from matcher.cli import main
from matcher.config import ROOT, load_settings
from matcher.errors import InputError
from matcher.services.bootstrap import open_application
from matcher.services.semantic import choose, source_of

from .fake_hub import FakeHub

NAME = "some-lab/tiny-bert"


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def hub(tiny_bert_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    from huggingface_hub import close_session

    made = FakeHub()
    made.add(NAME, tiny_bert_dir)
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    yield made
    close_session()
    made.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without records: only the thesaurus has to be encoded, and of it one file."""
    for name in ("MATCHER_HOME", "MATCHER_DATABASE_URL", "MATCHER_ENCODER"):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "data" / "thesaurus"
    data.mkdir(parents=True)
    shutil.copy(min((ROOT / "data" / "thesaurus").glob("*.jsonl")), data)
    monkeypatch.setattr("matcher.config.Settings.thesaurus_paths", (data,))
    made = tmp_path / "home"
    made.mkdir()
    (made / "settings.toml").write_text("# 本局\n[targets]\nyearly = 25\n", encoding="utf-8")
    return made


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*args: object) -> Said:
        capsys.readouterr()
        return Said(main(["--home", str(home), *map(str, args)]), *capsys.readouterr())

    return command


def _encoder(home: Path) -> dict[str, str]:
    content: dict[str, dict[str, str]] = tomllib.loads((home / "settings.toml").read_text("utf-8"))
    return content.get("encoder", {})


def test_fetch_makes_a_directory_that_can_be_used_elsewhere(
    hub: FakeHub, home: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "U盘" / "tiny bert"
    said = run("encoder", "fetch", NAME, "--out", stick)
    assert said.code == 0, said.err
    assert "32 维" in said.out
    assert "MB，能够加载" in said.out
    assert f'encoder use "{stick}"' in said.out
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    used = run("encoder", "use", stick, "--query-prompt", "查询：", "--document-prompt", "")
    assert used.code == 0, used.err
    assert "32 维；查询“查询：”，资料不加。" in used.out
    assert "条文字的向量已备好" in used.out
    assert "重启平台" in used.out
    assert _encoder(home) == {"name": str(stick), "query_prompt": "查询：", "document_prompt": ""}
    assert "# 本局" in (home / "settings.toml").read_text("utf-8")


def test_fetch_refuses_what_it_cannot_do(hub: FakeHub, run: Run, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "notes.txt").write_text("x", encoding="utf-8")
    for args, code, words in (
        ((NAME, "--out", full), 2, "已经有东西"),
        (("builtin", "--out", tmp_path / "a"), 2, "不用下载"),
        (("./dir", "--out", tmp_path / "a"), 2, "不用下载"),
        (("lab/none", "--out", tmp_path / "a"), 6, "没有名为"),
        ((NAME, "--reranker", "--out", tmp_path / "b"), 6, "没有打分的一层"),
    ):
        said = run("encoder", "fetch", *args)
        assert said.code == code, said
        assert words in said.err
        assert "怎么办" in said.err
    assert (full / "notes.txt").exists()
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("kind", [(), ("--reranker",)])
def test_fetch_refuses_a_model_with_its_own_code_before_its_weights(
    hub: FakeHub, run: Run, tmp_path: Path, kind: tuple[str, ...]
) -> None:
    content = json.loads(hub.repositories[NAME]["config.json"])
    content |= {"auto_map": {"AutoModel": "modeling_own.Own"}, "model_type": "own_bert"}
    hub.repositories[NAME]["config.json"] = json.dumps(content).encode()
    said = run("encoder", "fetch", NAME, "--out", tmp_path / "a", *kind)
    assert said.code == 6
    assert f"模型“{NAME}”要求运行它自带的程序代码" in said.err
    assert ("builtin" in said.err) == (not kind)
    assert "model.safetensors" not in hub.paths


def test_fetch_of_what_does_not_load_may_be_tried_again(
    hub: FakeHub, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a"

    def fail(location: str) -> None:
        raise RuntimeError(f"not enough memory for {location}")

    with monkeypatch.context() as patched:
        patched.setattr("matcher.encoding.loading._build", fail)
        for _ in range(2):
            said = run("encoder", "fetch", NAME, "--out", out)
            assert said.code == 6
            assert f"模型“{NAME}”无法加载" in said.err
            assert str(out) not in said.err
    fetched = len(hub.paths)
    (out / "vocab.txt").unlink(missing_ok=True)
    (out / "config.json").write_text("{", encoding="utf-8")
    said = run("encoder", "fetch", NAME, "--out", out)
    assert said.code == 0, said.err
    assert "32 维" in said.out
    assert set(hub.paths[fetched:]) <= {"vocab.txt", "config.json"}
    other = run("encoder", "fetch", "lab/other", "--out", out)
    assert other.code == 2
    assert "已经有东西" in other.err


def test_advice_about_a_re_reader_names_a_re_reader(hub: FakeHub, run: Run, tmp_path: Path) -> None:
    del hub.repositories[NAME]["config.json"]
    said = run("encoder", "fetch", NAME, "--reranker", "--out", tmp_path / "a")
    assert said.code == 6
    assert "不是精读（重排）模型" in said.err
    assert "bge-reranker" in said.err
    assert "bge-small" not in said.err
    assert "builtin" not in said.err
    gone = run("encoder", "fetch", "lab/none", "--reranker", "--out", tmp_path / "a")
    assert "builtin" not in gone.err


@pytest.mark.parametrize(("name", "words"), [("模" * 300, "太长"), ("~nobody-of-that-name/x", "这个用户")])
def test_a_name_the_disk_refuses_is_explained(home: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        choose(load_settings(home), name)
    assert caught.value.hint
    assert len(caught.value.user_message) < 80
    with pytest.raises(InputError, match=words):
        source_of(name)


def test_use_by_name_downloads_once_and_reset_goes_back(hub: FakeHub, home: Path, run: Run) -> None:
    assert run("encoder", "use", NAME).code == 0
    assert _encoder(home) == {"name": NAME}
    assert (home / "models" / "some-lab--tiny-bert" / "modules.json").exists()
    asked = len(hub.seen)
    info = run("encoder", "info")
    assert "维数 32" in info.out
    assert len(hub.seen) == asked
    back = run("encoder", "use", "--reset")
    assert "内置模型" in back.out
    assert _encoder(home) == {"name": "builtin"}


def test_use_of_what_does_not_load_changes_nothing(
    hub: FakeHub, home: Path, run: Run, tmp_path: Path
) -> None:
    before = (home / "settings.toml").read_text("utf-8")
    for args, code, words in (
        (("lab/none",), 6, "没有名为"),
        ((tmp_path,), 6, "不是文本向量模型"),
        ((), 2, "没有说选用哪个"),
        ((NAME, "--reset"), 2, "两者不能都写"),
    ):
        said = run("encoder", "use", *args)
        assert said.code == code, said
        assert words in said.err
    assert (home / "settings.toml").read_text("utf-8") == before


def test_use_says_that_the_environment_wins(
    hub: FakeHub, home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHER_ENCODER", "none")
    said = run("encoder", "use", NAME)
    assert said.code == 0
    assert "环境变量 MATCHER_ENCODER 指定了“none”" in said.err
    assert _encoder(home) == {"name": NAME}
    assert load_settings(home).encoder.name == "none"


def test_a_running_application_switches_to_a_hub_model(hub: FakeHub, home: Path) -> None:
    with open_application(load_settings(home, {"MATCHER_ENCODER": "none"}), samples=False) as app:
        app.semantic.change(NAME)
        app.engine.join(60)
        assert app.semantic.facts().dimension == 32
        hub.status = 503
        app.semantic.change("some-lab/other")
        app.engine.join(60)
        assert app.engine.last_switch is not None
        assert "服务器回答 503" in str(app.engine.last_switch.error)
        assert app.semantic.facts().name == NAME
    assert _encoder(home) == {"name": NAME}
