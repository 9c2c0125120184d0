"""The commands of ``python -m matcher``: what they print, write and refuse, and with which exit code."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import docx
import openpyxl
import pytest

from matcher.cli import build_parser, main
from matcher.config import EncoderSettings, Settings
from matcher.services.bootstrap import open_application

ROOT = Path(__file__).resolve().parents[2]
EVAL = ROOT / "data" / "eval"
SUFFIXES = (".xlsx", ".docx", ".csv", ".json")
LEXICAL = ("--encoder", "none")
EVALUATE = (
    "evaluate",
    "--needs",
    EVAL / "needs.csv",
    "--experts",
    EVAL / "experts.csv",
    "--qrels",
    EVAL / "qrels.csv",
)
SHEET = (
    "2026年度企业技术需求征集汇总表,,,\r\n"
    "需求单位,技术需求名称,主要问题,拟投入资金（万元）\r\n"
    "示例渔具企业99,渔线轮主齿轮打齿,大鱼一拉主齿就崩，换了三种料还是打齿,约50万元\r\n"
    "示例渔具企业99,碳素鱼竿涂层起泡,南方夏天涂层起泡，客户退货,面议\r\n"
)
PRINTED = re.compile(r"^ *(\d+) +(\d+\.\d)  ([A-Z]\w+) ", re.MULTILINE)


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MATCHER_HOME", "MATCHER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MATCHER_ENCODER", "none")


def settings_for(home: Path) -> Settings:
    return Settings(home, f"sqlite:///{home / 'matcher.db'}", encoder=EncoderSettings("none"))


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample data and its index."""
    home = tmp_path_factory.mktemp("cli") / "home"
    with open_application(settings_for(home)) as app:
        app.engine.snapshot()
    return home


@pytest.fixture
def home(filled_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled_home, tmp_path / "home"))


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run("match", "--need", "N302")`` in the temporary home, in this process."""

    def command(*args: object) -> Said:
        capsys.readouterr()
        code = main(["--home", str(home), *map(str, args)])
        return Said(code, *capsys.readouterr())

    return command


def process(*args: object, env: dict[str, str] | None = None) -> Said:
    """``python -m matcher`` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "matcher", *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "PYTHONUTF8": "1", **(env or {})},
        check=False,
    )
    return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def assert_refused(said: Said, code: int, *words: str) -> None:
    """One Chinese sentence on what happened, one on what to do, no traceback, nothing on stdout."""
    assert said.code == code, said
    assert said.err.splitlines()[0].startswith("出错："), said.err
    assert "怎么办：" in said.err
    assert "程序内部错误" not in said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err


def printed(said: Said) -> list[tuple[int, str, str]]:
    """(rank, id, 匹配度) of the lines of a printed ranking."""
    return [(int(rank), record_id, score) for rank, score, record_id in PRINTED.findall(said.out)]


def in_file(path: Path, id_label: str, id_key: str) -> list[tuple[int, str, str]]:
    """The same of a written file; a .docx has no ids, so its names stand in for them."""
    if path.suffix == ".json":
        pairs = json.loads(path.read_text(encoding="utf-8"))["pairs"]
        return [(p["rank"], p[id_key], f"{p['score_shown']:.1f}") for p in pairs]
    if path.suffix == ".csv":
        table = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    elif path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        table = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
    else:
        table = [[cell.text for cell in row.cells] for row in docx.Document(str(path)).tables[0].rows]
    top = next(number for number, row in enumerate(table) if "匹配度" in row)
    at = {str(label): column for column, label in enumerate(table[top])}
    label = id_label if id_label in at else {"专家编号": "专家（团队）", "需求编号": "技术需求"}[id_label]
    return [
        (int(r[at["序号"]]), str(r[at[label]]), f"{float(r[at['匹配度']]):.1f}") for r in table[top + 1 :]
    ]


# ---------------------------------------------------------------- match


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_match_writes_the_numbers_it_prints(run: Run, tmp_path: Path, suffix: str) -> None:
    said = run("match", "--need", "N302", "--top", 12, *LEXICAL)
    assert said.code == 0
    shown = printed(said)
    assert [rank for rank, _, _ in shown] == list(range(1, 13))
    scores = [float(score) for _, _, score in shown]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 100
    assert "未启用语义模型" in said.err
    file = tmp_path / f"候选{suffix}"
    written = run("match", "--need", "N302", "--top", 12, *LEXICAL, "--out", file)
    assert written.code == 0
    assert str(file) in written.out
    found = in_file(file, "专家编号", "expert_id")
    assert [(rank, score) for rank, _, score in found] == [(rank, score) for rank, _, score in shown]
    if suffix == ".json":
        assert found == shown
    else:
        lines = {rank: line for line in said.out.splitlines() if (rank := line[:3].strip()).isdigit()}
        assert all(f" {name}（" in lines[str(rank)] for rank, name, _ in found)


def test_an_expert_and_a_need_agree_on_their_score(run: Run) -> None:
    top = printed(run("match", "--need", "N302", "--top", 1, *LEXICAL))[0]
    needs = printed(run("match", "--expert", top[1], "--top", 50, *LEXICAL))
    assert ("N302", top[2]) in [(need_id, score) for _, need_id, score in needs]


def test_text_finds_experts_and_needs(run: Run, tmp_path: Path) -> None:
    teams = run("match", "--text", "导管涂层一插就掉", "--top", 3, *LEXICAL)
    assert [record_id[0] for _, record_id, _ in printed(teams)] == ["E"] * 3
    needs = run("match", "--text", "导管涂层一插就掉", "--find", "needs", "--top", 3, *LEXICAL)
    assert printed(needs)[0][1] == "N302"
    file = tmp_path / "需求.json"
    assert run("match", "--text", "导管涂层一插就掉", "--find", "needs", "--top", 3, "--out", file).code == 0
    assert in_file(file, "需求编号", "need_id") == printed(needs)


def test_filters_only_remove(run: Run) -> None:
    everybody = {e: score for _, e, score in printed(run("match", "--need", "N302", "--top", 300))}
    near = run("match", "--need", "N302", "--top", 300, "--ring", "区内", "--ring", "周边区域")
    assert 0 < len(printed(near)) < len(everybody)
    assert all(everybody[expert_id] == score for _, expert_id, score in printed(near))
    practical = {e: s for _, e, s in printed(run("match", "--need", "N302", "--top", 300, "--practical"))}
    assert practical == everybody, "practical signals change the order, not the numbers"


def test_match_with_the_shipped_model(run: Run) -> None:
    said = run("match", "--need", "N302", "--top", 3, "--encoder", "builtin")
    assert said.code == 0
    assert len(printed(said)) == 3
    assert said.err == "", "nothing is missing"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("match", "--need", "N999"), 3, ("N999",)),
        (("match", "--expert", "E999"), 3, ("E999",)),
        (("match", "--text", "  "), 2, ()),
        (("match", "--need", "N302", "--out", "{tmp}/候选.pdf"), 2, (".pdf", ".xlsx")),
        (("match", "--need", "N302", "--out", "{tmp}/没有这个目录/候选.csv"), 2, ("没有这个目录",)),
        (("match", "--need", "N302", "--out", "{tmp}/folder.csv"), 2, ("folder.csv",)),
        (("match", "--need", "N302", "--encoder", "{tmp}/没有的模型"), 6, ("没有的模型",)),
        (("import", "needs", "{tmp}/没有.csv"), 2, ("没有.csv",)),
        (("import", "needs", "{tmp}/老表.xls"), 2, (".xlsx",)),
        (("export", "experts", "{tmp}/没有这个目录/专家.csv"), 2, ("没有这个目录",)),
        (("export", "--shortlist", "没有的清单", "{tmp}/清单.csv"), 3, ("清单",)),
        (("encoder", "info", "--encoder", "{tmp}/没有的模型"), 6, ("没有的模型",)),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(
    run: Run, tmp_path: Path, args: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "老表.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert_refused(run(*(arg.format(tmp=tmp_path) for arg in args)), code, *words)


# ---------------------------------------------------------------- data


def count(run: Run, kind: str, file: Path) -> int:
    assert run("export", kind, file).code == 0
    return len(list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")))))


def test_import_tries_then_stores_then_changes_nothing(run: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "征集表.csv"
    sheet.write_bytes(SHEET.encode("gb18030"))
    before = count(run, "needs", tmp_path / "前.csv")
    tried = run("import", "needs", sheet, "--dry-run")
    assert tried.code == 0
    assert "试运行" in tried.out
    assert "面议" in tried.err
    assert count(run, "needs", tmp_path / "试.csv") == before
    assert "已导入：新增 2，更新 0，不变 0" in run("import", "needs", sheet).out
    assert count(run, "needs", tmp_path / "后.csv") == before + 2
    again = run("import", "needs", sheet)
    assert again.code == 0
    assert "已导入：新增 0，更新 0，不变 2" in again.out
    found = run("match", "--text", "渔线轮主齿轮打齿，大鱼一拉就崩", "--find", "needs", "--top", 2)
    assert "渔线轮主齿轮打齿" in found.out


@pytest.mark.parametrize("flags", [("--dry-run",), (), ("--drop-samples",)])
def test_a_blocked_row_stops_the_whole_file(run: Run, tmp_path: Path, flags: tuple[str, ...]) -> None:
    sheet = tmp_path / "征集表.csv"
    sheet.write_bytes((SHEET + "示例渔具企业99,没有写问题,,\r\n").encode("gb18030"))
    before = count(run, "needs", tmp_path / "前.csv")
    said = run("import", "needs", sheet, *flags)
    assert said.code == 2
    assert "错误：第 5 行" in said.err
    assert "Traceback" not in said.err
    assert count(run, "needs", tmp_path / "后.csv") == before


def test_dropping_the_samples_keeps_the_rest(run: Run, tmp_path: Path) -> None:
    said = run("drop-samples")
    assert said.code == 0
    assert re.search(r"needs \d+", said.out)
    assert count(run, "experts", tmp_path / "专家.csv") == 0
    rows = csv.DictReader(io.StringIO((ROOT / "data" / "needs.csv").read_text(encoding="utf-8-sig")))
    assert count(run, "needs", tmp_path / "需求.csv") == sum(row["data_kind"] != "示例" for row in rows)
    assert_refused(run("match", "--need", "N302"), 3, "N302")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_export_of_records_and_of_a_shortlist(run: Run, home: Path, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"需求{suffix}"
    assert run("export", "needs", file).code == 0
    assert file.stat().st_size > 1000
    with open_application(settings_for(home)) as app:
        ranking = app.matching.for_need("N302", top=2)
        made = app.shortlists.create("11月对接会")
        app.shortlists.add(made.shortlist_id, ranking, ranking.pairs)
    shown = printed(run("match", "--need", "N302", "--top", 2))
    for named in ("11月对接会", made.shortlist_id):
        target = tmp_path / f"清单{suffix}"
        assert run("export", "--shortlist", named, target).code == 0
        assert [row[2] for row in in_file(target, "专家编号", "expert_id")] == [row[2] for row in shown]


def test_index_is_prepared_and_rebuilt(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run("index", *LEXICAL)
    assert first.code == 0
    assert "索引就绪" in first.out
    assert run("index", "--rebuild", *LEXICAL).out == first.out
    assert main(["--home", str(tmp_path / "新"), "index", "--no-samples", *LEXICAL]) == 0
    assert "需求 0，专家 0" in capsys.readouterr().out


def test_doctor_is_content_or_names_what_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    well = run("doctor")
    assert well.code == 0
    assert "异常" not in well.out
    monkeypatch.setenv("MATCHER_ENCODER", "./没有的模型")
    ill = run("doctor")
    assert ill.code != 0
    wrong = [line for line in ill.out.splitlines() if line.startswith("异常")]
    assert len(wrong) == 1
    assert "没有的模型" in wrong[0]
    assert "请" in wrong[0], "and what to do"


# ---------------------------------------------------------------- quality

METRICS = ("ndcg@10", "recall@5", "recall@10", "mrr", "p@1")


def assert_measured(values: dict[str, object], more: set[str]) -> None:
    assert set(values) == {*METRICS, "ci95", *more}
    intervals = values["ci95"]
    assert isinstance(intervals, dict)
    assert set(intervals) == set(METRICS)
    for metric in METRICS:
        low, high = intervals[metric]
        value = values[metric]
        assert isinstance(value, float)
        assert 0 <= low <= value <= high <= 1, metric


@pytest.mark.parametrize("encoder", ["none", "builtin"])
def test_evaluate_prints_one_object_and_every_pair(run: Run, tmp_path: Path, encoder: str) -> None:
    file = tmp_path / "run.csv"
    said = run(*EVALUATE, "--encoder", encoder, "--json", "--run", file)
    assert said.code == 0
    result = json.loads(said.out)
    channels = result["channels"]
    used = ["lexical", "thesaurus"] if encoder == "none" else ["lexical", "dense", "thesaurus"]
    assert set(channels) == {*used, "fused"}
    assert_measured(result, {"n_needs", "seconds", "encoder", "channels"})
    for values in channels.values():
        assert_measured(values, set())
    assert (result["n_needs"], result["encoder"]) == (57, encoder)
    assert {metric: result[metric] for metric in METRICS} == {m: channels["fused"][m] for m in METRICS}
    assert result["seconds"] > 0

    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = list(reader)
    assert reader.fieldnames == ["need_id", "expert_id", "rank", "score", "lexical", "dense", "thesaurus"]
    assert len(rows) == 57 * 241
    by_need: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_need[row["need_id"]].append(row)
        assert 0 <= float(row["score"]) <= 1
        assert all(0 <= float(row[channel]) <= 1 for channel in used)
        assert (row["dense"] == "") == (encoder == "none")
    assert len(by_need) == 57
    hits = 0
    with (EVAL / "qrels.csv").open(encoding="utf-8", newline="") as stream:
        good = {(r["need_id"], r["expert_id"]) for r in csv.DictReader(stream) if int(r["grade"]) >= 2}
    for need_id, pairs in by_need.items():
        assert len({pair["expert_id"] for pair in pairs}) == 241
        assert [int(pair["rank"]) for pair in pairs] == list(range(1, 242))
        order = [(-float(pair["score"]), pair["expert_id"]) for pair in pairs]
        assert [score for score, _ in order] == sorted(score for score, _ in order)
        hits += (need_id, pairs[0]["expert_id"]) in good
    assert result["p@1"] == pytest.approx(hits / 57, abs=1e-4), "the file tells what the object says"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("need_id,expert_id\nN002,E023\n", ("grade",)),
        ("need_id,expert_id,grade\nN002,E023,7\n", ("第 2 行", "7")),
        ("need_id,expert_id,grade\nN002,E023,1\nN002,E023,3\n", ("第 3 行",)),
        ("need_id,expert_id,grade\nX1,E023,1\n", ("对不上",)),
        ("", ()),
    ],
)
def test_evaluate_refuses_broken_judgements(
    run: Run, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    broken = tmp_path / "qrels.csv"
    broken.write_text(text, encoding="utf-8")
    assert_refused(run(*EVALUATE[:-1], broken, *LEXICAL), 2, *words)


def test_evaluate_says_when_it_cannot_write_the_run(run: Run, tmp_path: Path) -> None:
    assert_refused(run(*EVALUATE, *LEXICAL, "--run", tmp_path / "没有" / "run.csv"), 2, "run.csv")


def test_encoder_info_and_training(run: Run, tmp_path: Path) -> None:
    assert "未启用" in run("encoder", "info").out
    said = run("encoder", "info", "--encoder", "builtin")
    assert said.code == 0
    assert re.search(r"名称 builtin\n维数 \d+\n指纹 [0-9a-f]{16,}", said.out)
    missing = run("encoder", "train", "--corpora", tmp_path / "没有的语料", "--out", tmp_path / "模型")
    assert_refused(missing, 2, "没有的语料")


# ---------------------------------------------------------------- help and process


def all_parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from all_parsers(child)


@pytest.mark.parametrize("parser", list(all_parsers(build_parser()))[1:], ids=lambda parser: parser.prog)
def test_every_command_has_an_example_that_can_be_typed(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    words = parser.prog.split()[1:]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    example = re.search(r"示例：python -m matcher (.+)", said)
    assert example, said
    arguments = example[1].split()
    assert arguments[: len(words)] == words
    build_parser().parse_args(arguments)  # exits when the example is no longer true


def test_help_is_light() -> None:
    code = (
        "import sys, runpy\nsys.argv = ['matcher', '--help']\n"
        "try:\n    runpy.run_module('matcher', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print('heavy:', [m for m in ('torch', 'streamlit', 'pandas', 'numpy', 'jieba', 'sqlalchemy', 'faiss')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "match" in done.stdout
    assert done.stdout.rstrip().endswith("heavy: []")


def test_exit_codes_of_the_process(home: Path) -> None:
    found = process("--home", home, "match", "--need", "N302", "--top", 2)
    assert (found.code, len(printed(found))) == (0, 2)
    assert_refused(process("--home", home, "match", "--need", "N999"), 3, "N999")
    assert process("--home", home, "match").code == 2


def test_a_chinese_windows_console_can_print_a_ranking(home: Path) -> None:
    said = process(
        "--home", home, "match", "--need", "N302", env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "gbk"}
    )
    assert said.code == 0
