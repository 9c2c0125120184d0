"""Install and start the platform with nothing but a Python: the whole of ``start.bat`` and of the bundle's scripts.

Owns the virtual environment, installing into it (from ``wheels`` when that folder exists, else from the index), the
first index, the free port, the log file and the browser. Deliberately uses the standard library alone, because it
runs before anything is installed, and knows nothing of what the platform does.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
SUMS = "SHA256SUMS"
FIRST_PORT, N_PORTS = 8501, 20
START_S = 300
LOG_MIB = 5
FREE, OURS, TAKEN = "free", "ours", "taken"


class LaunchError(Exception):
    """Something a person has to do; the text is Chinese and says what."""


# ---------------------------------------------------------------- installing


def venv_python(root: Path) -> Path:
    """The interpreter of the virtual environment, whether it exists or not."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def requirements_digest(root: Path) -> str:
    """What an installed environment is compared with: it is renewed when the requirements change."""
    return hashlib.sha256((root / "requirements.txt").read_bytes()).hexdigest()


def is_installed(root: Path) -> bool:
    stamp = root / ".venv" / ".installed"
    return (
        venv_python(root).exists()
        and stamp.exists()
        and stamp.read_text("ascii") == requirements_digest(root)
    )


def check_bundle(root: Path) -> None:
    """Whether the wheels suit this Python and this machine, and came over whole.

    Raises:
        LaunchError: another Python or system, or a wheel that is missing or damaged.
    """
    wheels = root / "wheels"
    wanted, here = (wheels / "PYTHON.txt").read_text("ascii").strip(), "{}.{}".format(*sys.version_info)
    if wanted != here:
        raise LaunchError(f"这个离线安装包要用 Python {wanted}，现在是 {here}。请安装 Python {wanted} 再试。")
    made_for, system = (wheels / "PLATFORM.txt").read_text("ascii").strip(), sysconfig.get_platform()
    if made_for != system:
        raise LaunchError(f"这个离线安装包是给 {made_for} 做的，这台电脑是 {system}。请换对应的安装包。")
    changed = list(changed_files(root))
    damaged = [name for name in changed if name.startswith("wheels/")]
    if damaged:
        raise LaunchError(f"安装包不完整或已损坏：{damaged[0]} 等 {len(damaged)} 个文件。请重新拷贝、解压。")
    if changed:
        print(f"提示：有 {len(changed)} 个文件与安装包里的不同（{changed[0]} 等）；自己改过的可以不管。")


def changed_files(root: Path) -> Iterator[str]:
    """Names in SHA256SUMS whose file is missing or has other content."""
    for line in (root / SUMS).read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = root / name
        if not path.is_file() or file_digest(path) != digest:
            yield name


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pip_command(
    root: Path, environ: Mapping[str, str], platform: str = sys.platform
) -> tuple[list[str], dict[str, str]]:
    """The pip call that installs the requirements, and its environment.

    With ``wheels`` nothing outside that folder is asked, whatever pip's own settings say. Without, ``PIP_FLAGS``
    are added; only Linux needs the index of CPU builds of torch, elsewhere the ordinary build is one.
    """
    command = [str(venv_python(root)), "-m", "pip"]
    if (root / "wheels").is_dir():
        command += ["--isolated", "install", "--no-index", "--find-links", str(root / "wheels")]
        environ = {**environ, "PIP_CONFIG_FILE": os.devnull}
    else:
        flags = shlex.split(environ.get("PIP_FLAGS", ""))
        if not flags and platform == "linux":
            flags = ["--extra-index-url", CPU_TORCH]
        command += ["install", *flags]
    quiet = ["--disable-pip-version-check", "--quiet"]
    return [*command, *quiet, "-r", str(root / "requirements.txt")], dict(environ)


def install(root: Path, environ: Mapping[str, str]) -> None:
    """Make the virtual environment and fill it, unless that is done.

    Raises:
        LaunchError: no environment could be made, or pip failed; pip's own lines stand above.
    """
    if is_installed(root):
        return
    offline = (root / "wheels").is_dir()
    if offline:
        print("检查安装包……", flush=True)
        check_bundle(root)
    if not venv_python(root).exists() or _run([venv_python(root), "-c", "import pip"], root, environ):
        print("建立运行环境……", flush=True)
        if _run([sys.executable, "-m", "venv", "--clear", root / ".venv"], root, environ):
            raise LaunchError(
                "建不了运行环境。Debian、Ubuntu 上请先安装 python3-venv；也请检查磁盘空间和权限。"
            )
    print(f"安装所需的程序包（{'离线' if offline else '要联网'}，几分钟）……", flush=True)
    command, pip_environ = pip_command(root, environ)
    if _run(command, root, pip_environ):
        raise LaunchError(
            "程序包没有装上，原因见上。请检查磁盘空间（要 3 GB）"
            + ("。" if offline else "和网络；不能上网的电脑请用离线安装包。")
        )
    (root / ".venv" / ".installed").write_text(requirements_digest(root), "ascii")
    print("安装好了。", flush=True)


def _run(command: Sequence[str | Path], root: Path, environ: Mapping[str, str]) -> int:
    done = subprocess.run(  # noqa: S603 # this program's own interpreter and modules
        [str(part) for part in command], cwd=root, env=dict(environ), check=False
    )
    return done.returncode


# ---------------------------------------------------------------- starting


def home_folder(root: Path, environ: Mapping[str, str]) -> Path:
    """The data folder, as ``matcher.config`` finds it."""
    return Path(environ.get("MATCHER_HOME") or root / "var")


def prepare_index(root: Path, environ: Mapping[str, str]) -> None:
    """Build the first index; a failure is told and does not keep the platform from starting."""
    if not (home_folder(root, environ) / "index" / "experts" / "manifest.json").exists():
        print("第一次启动：准备数据库和索引……", flush=True)
        if _run([venv_python(root), "-m", "matcher", "index"], root, environ):
            print("索引没有建成（原因见上），平台仍会启动。", flush=True)


def state_of(port: int) -> str:
    """Whether a local port is free, already serves such an app, or belongs to somebody else."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)):
            return FREE
    return OURS if is_healthy(port) else TAKEN


def is_healthy(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/_stcore/health"
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # a fixed http address
            return bool(answer.status == 200 and answer.read(16).strip() == b"ok")
    except (urllib.error.URLError, OSError, ValueError):
        return False


def choose_port(first: int) -> tuple[int, bool]:
    """The port to use, and whether the platform already runs there.

    Raises:
        LaunchError: none of the next ports is free.
    """
    for port in range(first, first + N_PORTS):
        state = state_of(port)
        if state != TAKEN:
            return port, state == OURS
        print(f"端口 {port} 被别的程序占用，换下一个。", flush=True)
    raise LaunchError(
        f"端口 {first}–{first + N_PORTS - 1} 都被占用了。请关掉一些程序，或用 --port 另指定一个。"
    )


def open_log(home: Path) -> Path:
    """The log file, after putting a large one aside as ``platform.log.1``."""
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "platform.log"
    if path.exists() and path.stat().st_size > LOG_MIB * 2**20:
        path.replace(folder / "platform.log.1")
    return path


def serve(root: Path, environ: Mapping[str, str], port: int, browser: bool) -> int:
    """Run the platform until it ends or Ctrl+C; returns its exit status.

    Raises:
        LaunchError: it ended, or did not answer, before the first page.
    """
    log = open_log(home_folder(root, environ))
    command = [venv_python(root), "-m", "streamlit", "run", root / "app.py"]
    # The demo mode needs no password, so only this machine may reach what is started by a double click.
    options = ["--server.address", "localhost", "--server.port", str(port), "--server.headless", "true"]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 # this program's own interpreter
            [*map(str, command), *options], cwd=root, env=dict(environ), stdout=output, stderr=output
        )
        try:
            _wait_until_healthy(process, port, log)
            print(f"平台已启动：http://localhost:{port}\n关掉这个窗口就停止平台。日志：{log}", flush=True)
            if browser:
                webbrowser.open(f"http://localhost:{port}")
            code = process.wait()
            if code:
                print(f"平台意外停止了，原因在日志里：{log}", file=sys.stderr)
            return code
        except KeyboardInterrupt:
            print("平台已停止。", flush=True)
            return 0
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not is_healthy(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise LaunchError(f"平台没有启动起来，原因在日志里：{log}")
        time.sleep(0.3)


def main(argv: Sequence[str] | None = None) -> int:
    """Install if needed, then start; returns the exit status."""
    parser = argparse.ArgumentParser(prog="launch.py", description="安装并启动产学研智能匹配平台")
    parser.add_argument("--only-install", action="store_true", help="只安装，不启动")
    parser.add_argument("--no-browser", action="store_true", help="不打开浏览器")
    parser.add_argument("--port", type=int, default=FIRST_PORT, help="端口，被占用时换下一个")
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops this also stops the platform
    try:
        install(ROOT, os.environ)
        if args.only_install:
            return 0
        port, running = choose_port(args.port)
        if running:
            print(f"平台已经在运行：http://localhost:{port}", flush=True)
            if not args.no_browser:
                webbrowser.open(f"http://localhost:{port}")
            return 0
        prepare_index(ROOT, os.environ)
        return serve(ROOT, os.environ, port, not args.no_browser)
    except LaunchError as error:
        print(f"出错：{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("已中断。", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
