"""Several processes on one database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from matcher.models import Institution
from matcher.store.database import Database
from matcher.store.repositories import Repositories

ROOT = Path(__file__).resolve().parents[2]
OPENER = """
import sys
from matcher.store.database import Database
sys.stdin.readline()
with Database(sys.argv[1]) as database, database.reading() as session:
    print(session.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar_one())
"""
COUNTER = """
import sys
from dataclasses import replace
from matcher.errors import ConflictError
from matcher.store.database import Database
from matcher.store.repositories import Repositories

conflicts = 0
with Database(sys.argv[1]) as database:
    sys.stdin.readline()
    for _ in range(100):
        while True:
            with database.reading() as session:
                institutions = Repositories(session).institutions
                seen, version = institutions.get("I1"), institutions.version("I1")
            try:
                with database.session() as session:
                    later = replace(seen, travel_days=seen.travel_days + 1)
                    Repositories(session).institutions.update(later, version)
                break
            except ConflictError:
                conflicts += 1
print(conflicts)
"""


def run_together(script: str, url: str, n_processes: int) -> list[str]:
    """What each process printed; they start working at the same moment."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(n_processes)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * n_processes, outputs
    return [out.strip() for out, _ in outputs]


def test_processes_may_open_a_new_database_at_once(any_database_url: str) -> None:
    assert run_together(OPENER, any_database_url, 4) == ["1"] * 4


def test_two_processes_lose_no_update(any_database_url: str) -> None:
    with Database(any_database_url) as database, database.session() as session:
        Repositories(session).institutions.upsert([Institution("I1", "鲁东大学", travel_days=0)])
    run_together(COUNTER, any_database_url, 2)
    with Database(any_database_url) as database, database.reading() as session:
        repositories = Repositories(session)
        stored = repositories.institutions.get("I1")
        assert stored is not None
        assert stored.travel_days == 200
        assert repositories.institutions.version("I1") == 201
        assert repositories.revision() == 201
