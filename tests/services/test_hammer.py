"""Two processes on one record and one queue: nothing is lost, nothing happens twice, nobody waits for ever."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from matcher.config import ROOT, EncoderSettings, Settings
from matcher.models import Expert, Institution, Need, Person
from matcher.services.bootstrap import open_application
from matcher.services.ownership import link_records
from matcher.store.repositories import Repositories
from matcher.vocab import Role

NAMES = ("zhao", "qian")
LIMIT_S = 540
THEMES = (
    "轴承磨得快、润滑不良",
    "海参苗化皮、成活率低",
    "铝件划痕漏检、看不清",
    "草莓灰霉病、棚里太湿",
    "电机发热、效率低",
)


def _prepare(url: str, home: Path) -> None:
    (home / "data" / "thesaurus").mkdir(parents=True)
    shutil.copy(min((ROOT / "data" / "thesaurus").glob("*.jsonl")), home / "data" / "thesaurus")
    settings = Settings(home, url, home / "data", EncoderSettings("none"))
    with open_application(settings, samples=False) as app:
        with app.database.session() as session:
            stored = Repositories(session)
            stored.institutions.upsert([Institution("I1", "示例大学")])
            stored.experts.upsert(
                Expert(
                    f"E{n}",
                    f"示例团队{n}",
                    "示例大学",
                    research_directions=(THEMES[n % 5], THEMES[(n + 2) % 5]),
                )
                for n in range(10)
            )
            stored.needs.upsert(
                Need(f"N{n}", f"示例企业{n}", f"{THEMES[n % 5]}{n}", THEMES[n % 5], status="已发布")
                for n in range(15)
            )
            link_records(stored)
        app.as_person(Person("li", "李", Role.OFFICIAL)).review.pair("N1", "E9")


def _run(url: str, home: Path, n_edits: int) -> list[dict[str, object]]:
    command = [sys.executable, str(ROOT / "tests" / "hammer.py"), url, str(home)]
    processes = [
        subprocess.Popen(
            [*command, name, str(n_edits)],
            cwd=ROOT,
            env=_environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in NAMES
    ]
    deadline = time.monotonic() + LIMIT_S
    while not all((home / f"{name}.ready").exists() for name in NAMES):
        assert time.monotonic() < deadline
        assert all(p.poll() is None for p in processes), [p.stderr.read() for p in processes if p.stderr]
        time.sleep(0.05)
    (home / "go").touch()
    results = []
    for process in processes:
        try:
            out, err = process.communicate(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            for other in processes:
                other.kill()
            pytest.fail("the two processes wait for each other")
        assert process.returncode == 0, err.decode("utf-8", "replace")[-3000:]
        results.append(json.loads(out))
    return results


def _environ() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _hammer(url: str, home: Path, n_edits: int) -> None:
    home.mkdir()
    _prepare(url, home)
    results = _run(url, home, n_edits)
    with open_application(Settings(home, url, home / "data", EncoderSettings("none")), samples=False) as app:
        with app.database.reading() as session:
            stored = Repositories(session)
            need, engagements = stored.needs.get("N1"), stored.engagements.all()
            events = stored.audit.of("engagement")
            decided = stored.decisions.latest_by_pair()
        assert need is not None
        assert need.keywords == tuple(sorted(f"{name}#{n_edits}" for name in NAMES)), (
            "no update of the need was lost"
        )
        hammered = next(one for one in engagements if one.need_id == "N1" and one.expert_id == "E9")
        edits = [e for e in events if e.object_id == hammered.engagement_id and e.action == "engagement.edit"]
        assert len(edits) == 2 * n_edits
        assert hammered.version == 1 + 2 * n_edits, "every version has its one event"
        notes = hammered.note.split()
        for name in NAMES:
            own = [int(word.removeprefix(name)) for word in notes if word.startswith(name)]
            assert own == list(range(n_edits))[n_edits - len(own) :], "each writer's words stand in its order"
        accepted = [tuple(pair) for result in results for pair in result["accepted"]]  # type: ignore[union-attr]
        pairs = [(need_id, expert_id) for need_id, expert_id, _ in accepted]
        assert len(set(pairs)) == len(pairs), "no pairing was accepted twice"
        assert sorted(pairs) == sorted((e.need_id, e.expert_id) for e in engagements if e is not hammered)
        assert {pair for pair, decision in decided.items() if decision.kind == "接受"} == {
            *pairs,
            ("N1", "E9"),
        }
        assert sum(e.action == "engagement.begin" for e in events) == len(engagements)
    assert sum(int(result["conflicts"]) for result in results) > 0, "they did get in each other's way"  # type: ignore[call-overload]
    assert pairs, "the queue was cleared, by whoever was faster"


@pytest.mark.alone
def test_two_processes_lose_nothing(any_database_url: str, tmp_path: Path) -> None:
    _hammer(any_database_url, tmp_path / "home", 40)


@pytest.mark.slow
def test_two_processes_lose_nothing_in_hundreds_of_edits(any_database_url: str, tmp_path: Path) -> None:
    _hammer(any_database_url, tmp_path / "home", 400)
