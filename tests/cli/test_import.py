"""Import from the command line: columns by hand, and leaving out bad rows."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from matcher.cli import main
from matcher.commands import run_import
from matcher.config import EncoderSettings, Settings
from matcher.errors import InputError
from matcher.services.bootstrap import open_application

UNKNOWN = "出题方,想解决啥,卡在哪\n甲厂,漏油,油封一个月就漏油\n"
BY_HAND = ["出题方=company", "想解决啥=技术需求名称", "卡在哪＝problem"]
HALF_GOOD = "单位,需求名称,主要问题\n甲厂,漏油,油封一个月就漏油\n乙厂,起皮,\n"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MATCHER_HOME", "MATCHER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MATCHER_ENCODER", "none")


def load(home: Path, text: str, **options: object) -> int:
    """``import needs`` of a file with this text."""
    file = home.parent / "需求.csv"
    file.write_text(text, encoding="utf-8")
    chosen = {"map": [], "skip_bad_rows": False, "dry_run": False, "drop_samples": False, **options}
    return run_import(Namespace(home=home, kind="needs", file=file, **chosen))


def companies(home: Path) -> list[str]:
    settings = Settings(home, f"sqlite:///{home / 'matcher.db'}", encoder=EncoderSettings("none"))
    with open_application(settings, samples=False) as app:
        return [need.company for need in app.records.needs()]


def test_columns_are_given_by_name_or_label(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(InputError, match="1 行不能导入"):
        load(home, UNKNOWN)
    assert load(home, UNKNOWN, map=BY_HAND) == 0
    assert load(home, UNKNOWN) == 0, "remembered"
    assert companies(home) == ["甲厂"]


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("出题方=厂家名字", "company（企业名称）、town（镇街）"),
        ("没有的列=company", "表里的列有：出题方、想解决啥、卡在哪"),
        ("出题方", "来源列=规范列"),
    ],
)
def test_a_wrong_mapping_lists_what_is_known(tmp_path: Path, pair: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path / "home", UNKNOWN, map=[pair])
    assert words in str(caught.value)


def test_bad_rows_are_left_out_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    assert load(home, HALF_GOOD, dry_run=True) == InputError.exit_code
    assert load(home, HALF_GOOD, dry_run=True, skip_bad_rows=True) == 0
    with pytest.raises(InputError):
        load(home, HALF_GOOD)
    assert companies(home) == []
    assert load(home, HALF_GOOD, skip_bad_rows=True) == 0
    assert "新增 1，更新 0，不变 0，跳过有误的 1 行" in capsys.readouterr().out
    assert companies(home) == ["甲厂"]


def test_the_options_reach_the_import(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "需求.csv"
    file.write_text(UNKNOWN + "乙厂,起皮,\n", encoding="utf-8")
    options = [part for pair in BY_HAND for part in ("--map", pair)]
    command = ["--home", str(home), "import", "needs", str(file), *options]
    assert main(command) == InputError.exit_code
    assert main([*command, "--skip-bad-rows"]) == 0
    assert companies(home) == ["甲厂"]
