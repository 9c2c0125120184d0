"""A process that imports without end is killed at random moments: every import is whole or absent afterwards."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from matcher.config import EncoderSettings, Settings
from matcher.services.bootstrap import open_application

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
N_ROWS, N_KILLS = 2_000, 32
MARK = "第{:06d}版"
# Every round imports the same ids with another mark, so that a half-done import would show two marks.
LOOP = """
import sys
from pathlib import Path
from matcher.cli import main
home, form, start = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
text = form.read_text(encoding="utf-8")
for number in range(start, start + 1000):
    path = form.with_name("需求表.csv")
    path.write_text(text.replace("MARK", f"第{number:06d}版"), encoding="utf-8")
    print("try", number, flush=True)
    if main(["--home", home, "import", "needs", str(path)]):
        sys.exit(9)
    print("done", number, flush=True)
"""


def write_form(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["需求编号", "企业名称", "需求名称", "主要问题"])
        for number in range(N_ROWS):
            writer.writerow(
                [f"K{number:05d}", "示例企业", f"第{number}号电机发烫", f"MARK：轴承磨得快，编号{number}"]
            )


def rounds(output: str, word: str) -> list[int]:
    return [int(line.split()[1]) for line in output.splitlines() if line.startswith(f"{word} ")]


def test_a_killed_import_is_whole_or_absent(tmp_path: Path) -> None:
    home, form = tmp_path / "home", tmp_path / "form.csv"
    write_form(form)
    settings = Settings(home, f"sqlite:///{home / 'matcher.db'}", encoder=EncoderSettings("none"))
    chance = random.Random(20261125)
    start, committed, died_inside = 1, 0, 0
    for number in range(N_KILLS):
        command = [sys.executable, "-c", LOOP, str(home), str(form), str(start)]
        log = tmp_path / "output.txt"
        with log.open("wb") as output:
            child = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
            # The first kills fall into making the database, later ones into a round of the import.
            wait = chance.uniform(0.3, 2.0) if number < 6 else chance.uniform(1.0, 6.0)
            time.sleep(wait)
            child.kill()
            assert child.wait() == -9, log.read_text(encoding="utf-8", errors="replace")
        said = log.read_text(encoding="utf-8", errors="replace")
        tried, done = rounds(said, "try"), rounds(said, "done")
        died_inside += len(tried) > len(done)
        with open_application(settings, samples=False) as app:
            with app.database.reading() as session:
                assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            needs = app.records.needs()
            assert len(needs) in {0, N_ROWS}, f"kill {number}: {len(needs)} rows"
            marks = {need.problem.split("：")[0] for need in needs}
            assert len(marks) == bool(needs), f"kill {number}: rows of {sorted(marks)}"
            stored = int(marks.pop()[1:-1]) if marks else 0
            assert stored >= committed, "what was stored once is not lost"
            assert stored >= max(done, default=0), "what was reported as imported is stored"
            assert stored <= max(tried, default=committed)
            committed = stored
        start = max(tried, default=start) + 1
    assert committed > 0, "no import was ever finished; wait longer before the kill"
    assert died_inside >= N_KILLS // 2, "the kills missed the imports"
    with open_application(settings, samples=False) as app:
        ranking = app.matching.needs_for_text("第7号电机发烫，轴承磨得快", top=5)
        assert ranking.n_pool == N_ROWS
        assert ranking.pairs[0].need is not None
        assert ranking.pairs[0].need.need_id == "K00007"
