"""The offline bundle: made small from a wheel of our own and installed; and, slowly, the real one without a network."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOSED = "http://127.0.0.1:9/simple"
SOURCE = ("start.bat", "tools/launch.py", "tools/bundle/install.sh", "tools/bundle/install.bat")


@pytest.fixture(scope="module")
def bundle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tool_bundle", ROOT / "tools" / "bundle.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_wheel(folder: Path, name: str, version: str = "1.0") -> None:
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "ANSWER = 20\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    """A program of one requirement, with the real scripts."""
    tree = tmp_path / "tree"
    for name in SOURCE:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    (tree / "matcher").mkdir()
    (tree / "matcher" / "__init__.py").write_text('__version__ = "9.9.9"\n')
    (tree / "requirements.txt").write_text("tinything==1.0\n")
    for left_out in (
        "var/matcher.db",
        "dist/old.zip",
        ".venv/x",
        ".some_cache/x",
        "matcher/__pycache__/x.pyc",
    ):
        (tree / left_out).parent.mkdir(parents=True, exist_ok=True)
        (tree / left_out).write_text("private")
    return tree


def without_pip_settings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MATCHER_"))}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


def build_small(bundle: ModuleType, tree: Path, tmp_path: Path, *wheels: str) -> Path:
    for name in wheels:
        make_wheel(tmp_path / "index", name)
    flags = f"--no-index --find-links '{tmp_path / 'index'}'"
    made = bundle.build_bundle(tree, tmp_path / "out", {**without_pip_settings(), "PIP_FLAGS": flags})
    assert [path.name for path in (tmp_path / "out").iterdir()] == [made.name]
    with zipfile.ZipFile(made) as archive:
        archive.extractall(tmp_path / "there")
    (folder,) = (tmp_path / "there").iterdir()
    return folder


def install(folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {**without_pip_settings(), "PIP_INDEX_URL": CLOSED, "PATH": path}
    return subprocess.run(
        ["sh", "install.sh"], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_bundle_holds_source_wheels_and_true_sums(
    bundle: ModuleType, small_tree: Path, tmp_path: Path
) -> None:
    folder = build_small(bundle, small_tree, tmp_path, "tinything")
    assert folder.name.startswith(f"matcher-offline-9.9.9-{sysconfig.get_platform()}-cp3")
    inside = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert inside >= {"install.sh", "install.bat", "start.bat", "wheels/tinything-1.0-py3-none-any.whl"}
    assert not [name for name in inside if re.search(r"var/|dist/|cache|\.venv", name)]
    listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == inside - {"SHA256SUMS"}
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


def test_small_bundle_installs_and_notices_damage(
    bundle: ModuleType, small_tree: Path, tmp_path: Path
) -> None:
    folder = build_small(bundle, small_tree, tmp_path, "tinything")
    wheel = folder / "wheels" / "tinything-1.0-py3-none-any.whl"
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:-1])
    damaged = install(folder)
    assert damaged.returncode
    assert "已损坏：wheels/tinything" in damaged.stderr
    wheel.write_bytes(whole)

    done = install(folder)
    assert done.returncode == 0, done.stderr
    installed = [folder / ".venv" / "bin" / "python", "-c", "import tinything; print(tinything.ANSWER)"]
    assert subprocess.run(installed, capture_output=True, text=True, check=True).stdout == "20\n"
    assert "安装所需的程序包" not in install(folder).stdout, "the second start has nothing to install"

    (folder / "requirements.txt").write_text("tinything==2.0\n")
    assert "程序包没有装上" in install(folder).stderr, "new requirements are installed, or told"


def test_bundle_for_another_python_is_refused(bundle: ModuleType, small_tree: Path, tmp_path: Path) -> None:
    folder = build_small(bundle, small_tree, tmp_path, "tinything")
    (folder / "wheels" / "PYTHON.txt").write_text("3.99\n")
    assert "没有找到 Python 3.99" in install(folder).stderr
    launch = subprocess.run(
        [sys.executable, "tools/launch.py", "--only-install"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert launch.returncode == 1
    assert "要用 Python 3.99" in launch.stderr
    assert not (folder / ".venv").exists()


def test_cuda_build_is_refused(bundle: ModuleType, small_tree: Path, tmp_path: Path) -> None:
    (small_tree / "requirements.txt").write_text("tinything==1.0\nnvidia_blas==1.0\n")
    with pytest.raises(bundle.BundleError, match="CUDA"):
        build_small(bundle, small_tree, tmp_path, "tinything", "nvidia_blas")
    assert not list((tmp_path / "out").iterdir())


def test_missing_requirement_leaves_no_archive(bundle: ModuleType, small_tree: Path, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    with pytest.raises(bundle.BundleError, match="没有下载齐"):
        build_small(bundle, small_tree, tmp_path)
    assert not list((tmp_path / "out").iterdir())


def test_committed_tree_is_what_is_packed(bundle: ModuleType, small_tree: Path, tmp_path: Path) -> None:
    git = ["git", "-C", str(small_tree), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "matcher/__init__.py"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True)
    bundle.copy_source(small_tree, tmp_path / "copy")
    packed = [p.relative_to(tmp_path / "copy").as_posix() for p in (tmp_path / "copy").rglob("*.*")]
    assert packed == ["matcher/__init__.py"]


def test_make_bundle_names_a_program_that_exists() -> None:
    shown = subprocess.run(["make", "-n", "bundle"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [name for name in re.findall(r"\S+\.py\b", shown.stdout) if not (ROOT / name).is_file()] == []
    assert "tools/bundle.py" in shown.stdout


# ---------------------------------------------------------------- the real one

JOURNEY = f"""
set -eu
[ -z "${{ALONE:-}}" ] || ip link set lo up
sh install.sh
.venv/bin/python -m matcher --help
.venv/bin/python -m matcher match --text "离合器磨得快，修一次停半个月" --top 3
{sys.executable} tools/launch.py --no-browser --port 8641 &
started=$!
for second in $(seq 90); do
    curl -sf http://127.0.0.1:8641/_stcore/health && break
    sleep 1
done
{sys.executable} tools/launch.py --no-browser --port 8641
kill $started
wait $started
"""


@pytest.mark.slow
def test_real_bundle_works_without_a_network(bundle: ModuleType, tmp_path: Path) -> None:
    """In a network namespace of its own where the system allows one; every index and proxy leads nowhere anyway."""
    made = bundle.build_bundle(ROOT, tmp_path / "out", os.environ)
    with zipfile.ZipFile(made) as archive:
        archive.extractall(tmp_path / "there")
    made.unlink()
    (folder,) = (tmp_path / "there").iterdir()
    apart = ["unshare", "--map-root-user", "--net"]
    able = shutil.which("ip") and shutil.which("unshare")
    alone = bool(able) and subprocess.run([*apart, "true"], check=False).returncode == 0
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environ = {
        **without_pip_settings(),
        **nowhere,
        "no_proxy": "127.0.0.1",
        "PIP_INDEX_URL": CLOSED,
        "PIP_NO_INDEX": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "ALONE": "1" if alone else "",
    }
    command = [*(apart if alone else []), "sh", "-c", JOURNEY]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for sign in ("产学研智能匹配平台", "文本找专家", "平台已启动", "ok", "平台已经在运行", "平台已停止"):
        assert sign in done.stdout
    shutil.rmtree(folder)
