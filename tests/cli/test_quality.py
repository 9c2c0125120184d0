"""The commands that measure: their objects, their lines, and what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from matcher.cli import main
from matcher.config import ROOT

EVAL = ROOT / "data" / "eval"
EVALUATE = ("evaluate", *(f"--{n}={EVAL / f'{n}.csv'}" for n in ("needs", "experts", "qrels")))
LEXICAL = ("--encoder", "none")
PUBLIC = {
    "n_needs",
    "ndcg@10",
    "recall@5",
    "recall@10",
    "mrr",
    "p@1",
    "ci95",
    "seconds",
    "encoder",
    "channels",
}
EVERYTHING = ("--sectors", "--loso", "--errors", "--reworded", EVAL / "needs_technical.csv")


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("MATCHER_HOME", "MATCHER_DATABASE_URL", "MATCHER_ENCODER"):
        monkeypatch.delenv(name, raising=False)

    def command(*args: object) -> Said:
        capsys.readouterr()
        code = main(["--home", str(tmp_path / "home"), *map(str, args)])
        return Said(code, *capsys.readouterr())

    return command


def assert_refused(said: Said, *words: str) -> None:
    assert said.code == 2, said
    assert (said.out, "程序内部错误" in said.err) == ("", False)
    assert said.err.startswith("出错：")
    assert "怎么办：" in said.err
    for word in words:
        assert word in said.err


def test_more_is_asked_for_and_the_public_keys_stay(run: Run) -> None:
    plain = json.loads(run(*EVALUATE, *LEXICAL, "--json").out)
    full = json.loads(run(*EVALUATE, *LEXICAL, *EVERYTHING, "--json").out)
    assert set(plain) == PUBLIC
    assert set(full) == PUBLIC | {"sectors", "wording", "loso", "errors"}
    assert {k: v for k, v in full.items() if k in PUBLIC - {"seconds"}} == {
        k: v for k, v in plain.items() if k != "seconds"
    }

    sectors = full["sectors"]
    assert sum(part["n"] for part in sectors.values()) == full["n_needs"]
    assert sum(part["n"] * part["ndcg@10"] for part in sectors.values()) / full["n_needs"] == pytest.approx(
        full["ndcg@10"], abs=2e-4
    )
    for part in sectors.values():
        low, high = part["ci95"]["ndcg@10"]
        assert low <= part["ndcg@10"] <= high
        assert set(part["channels"]) == set(full["channels"])

    wording = full["wording"]
    assert wording["with_thesaurus"]["given"]["mean"] == full["ndcg@10"]
    assert wording["without_thesaurus"]["given"]["mean"] == full["channels"]["lexical"]["ndcg@10"]
    for gap in (wording["with_thesaurus"], wording["without_thesaurus"], *wording["channels"].values()):
        low, high = gap["difference"]["ci95"]
        assert low <= gap["difference"]["mean"] <= high
        assert gap["difference"]["mean"] == pytest.approx(
            gap["reworded"]["mean"] - gap["given"]["mean"], abs=2e-4
        )

    left_out = full["loso"]
    assert left_out["channels"] == ["lexical", "thesaurus"]
    assert left_out["current"]["mean"] == full["ndcg@10"]
    assert left_out["mean"] <= left_out["best_on_all"]["mean"]
    assert left_out["best_on_all"]["mean"] >= left_out["current"]["mean"], (
        "the grid holds the weights in force"
    )
    assert left_out["sectors"].keys() == sectors.keys()

    worst = full["errors"]["worst"]
    assert len(worst) == 10
    assert [one["ndcg@10"] for one in worst] == sorted(one["ndcg@10"] for one in worst)
    assert all(one["wrongly_high"] or one["missed"] for one in worst)
    assert sum(full["errors"]["counts"].values()) >= sum(
        len(one["wrongly_high"]) + len(one["missed"]) for one in worst
    )


def test_the_lines_say_what_the_object_says(run: Run) -> None:
    full = json.loads(run(*EVALUATE, *LEXICAL, *EVERYTHING, "--json").out)
    said = run(*EVALUATE, *LEXICAL, *EVERYTHING)
    assert said.code == 0
    for sector, part in full["sectors"].items():
        assert f"{sector}（{part['n']} 条）" in said.out
    assert f"有术语对应：{full['wording']['with_thesaurus']['given']['mean']:.3f} →" in said.out
    assert full["loso"]["best_on_all"]["weights"] in said.out
    for one in full["errors"]["worst"]:
        told = re.search(rf"{one['need_id']} (\d\.\d+) 〔{one['category']}〕", said.out)
        assert told
        assert float(told[1]) == pytest.approx(one["ndcg@10"], abs=0.0006), "the object keeps one digit more"
        for mistake in (*one["wrongly_high"], *one["missed"]):
            assert f"{mistake['expert_id']} 第 {mistake['rank']} 名" in said.out


def test_chosen_channels_are_fused_alone(run: Run) -> None:
    full = json.loads(run(*EVALUATE, *LEXICAL, "--json").out)
    only = json.loads(run(*EVALUATE, *LEXICAL, "--channels", "thesaurus", "--json").out)
    assert only["channels"]["lexical"] == full["channels"]["lexical"]
    assert only["ndcg@10"] == full["channels"]["thesaurus"]["ndcg@10"]
    assert only["fused_over"] == ["thesaurus"]
    both = json.loads(run(*EVALUATE, *LEXICAL, "--channels", "lexical， thesaurus", "--json").out)
    assert both["ndcg@10"] == full["ndcg@10"]


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ("lexical,bm25", ("bm25", "lexical、dense、thesaurus")),
        ("", ("通道",)),
        ("dense", ("权重", "--encoder")),
    ],
)
def test_channels_that_are_none_are_refused(run: Run, channels: str, words: tuple[str, ...]) -> None:
    assert_refused(run(*EVALUATE, *LEXICAL, "--channels", channels), *words)


def test_other_words_need_the_same_needs(run: Run, tmp_path: Path) -> None:
    lines = (EVAL / "needs_technical.csv").read_text(encoding="utf-8-sig").splitlines(keepends=True)
    fewer = tmp_path / "改写.csv"
    fewer.write_text("".join(lines[:-1]), encoding="utf-8")
    assert_refused(run(*EVALUATE, *LEXICAL, "--reworded", fewer), "改写.csv", lines[-1].split(",")[0])


def test_one_sector_cannot_be_left_out(run: Run, tmp_path: Path) -> None:
    lines = (EVAL / "needs.csv").read_text(encoding="utf-8-sig").splitlines(keepends=True)
    marine = tmp_path / "海洋.csv"
    marine.write_text(
        "".join([lines[0], *(line for line in lines if ",海洋生物," in line)]), encoding="utf-8"
    )
    args = [f"--needs={marine}" if str(arg).startswith("--needs") else arg for arg in EVALUATE]
    assert_refused(run(*args, *LEXICAL, "--loso"), "同一个领域")


def test_bench_encode_says_whether_the_limits_are_kept(run: Run) -> None:
    said = run("bench", "encode", "--documents", 64, "--rounds", 1)
    assert said.code == 0
    assert len([line for line in said.out.splitlines() if line.endswith("达到")]) == 3
    assert "4 层 × 512 维" in said.out
    assert_refused(run("bench", "encode", *LEXICAL), "--encoder")


def test_bench_text_prints_both_tasks(run: Run, tmp_path: Path) -> None:
    papers = [("轴承磨损", "轴承_磨损", "分析了轴承的磨损."), ("刺参苗种", "刺参_苗种", "培育了刺参的苗种.")]
    for name, texts in (
        ("ts.test.tsv", [f"to title\t{a}\t{t}" for t, _, a in papers]),
        ("kg.test.tsv", [f"to keywords\t{a} {t}\t{k}" for t, k, a in papers]),
    ):
        (tmp_path / name).write_text("\n".join(texts), encoding="utf-8")
    said = run("bench", "text", "--csl", tmp_path, *LEXICAL)
    assert said.code == 0
    assert "用标题找摘要（MRR），2 篇" in said.out
    assert said.out.count("1.000（1.000–1.000）") == 4
    assert json.loads(run("bench", "text", "--csl", tmp_path, *LEXICAL, "--json").out)["keywords"]["n"] == 2
    assert_refused(run("bench", "text", "--csl", tmp_path / "没有"), "ts.test.tsv")


def test_thesaurus_report(run: Run) -> None:
    files = ("--needs", EVAL / "needs.csv", "--experts", EVAL / "experts.csv")
    told = json.loads(run("thesaurus", "report", *files, "--json").out)
    assert told["shared_with_needs"] == {"shingle": 6, "n": 0, "phrases": []}
    said = run("thesaurus", "report", *files)
    assert said.code == 0
    assert f"主题 {told['topics']:,}" in said.out
    for sector in told["sectors"]:
        assert f"{sector}：主题" in said.out
    assert said.out.count("要求低于 1%：达到") == 2
    assert "所给" not in run("thesaurus", "report").out
