"""Pack the platform for machines without internet: source, every runtime wheel, install scripts and checksums.

Owns what is in the archive ``dist/matcher-offline-<version>-<platform>.zip``. What happens on the other machine is in
``tools/launch.py``. Standard library and pip alone, so that it also runs on Windows, where there is no make: the
archive suits machines of the same system and the same Python as the one it is made on.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from launch import SUMS, file_digest

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = frozenset({".git", ".venv", "var", "dist", "wheels", "wheelhouse", "__pycache__", ".hypothesis"})
"""Folders that are no source, where no git says what is; further any hidden ``…_cache``."""
EXECUTABLE = frozenset({"install.sh"})


class BundleError(Exception):
    """The archive could not be made; the text is Chinese and says what to do."""


def version_of(root: Path) -> str:
    found = re.search(
        r'^__version__ = "([^"]+)"', (root / "matcher" / "__init__.py").read_text("utf-8"), re.M
    )
    if found is None:
        raise BundleError("matcher/__init__.py 里没有版本号。")
    return found[1]


def archive_name(root: Path) -> str:
    """Name without suffix, also of the folder inside: version, system and Python."""
    python = "cp{}{}".format(*sys.version_info)
    return f"matcher-offline-{version_of(root)}-{sysconfig.get_platform()}-{python}"


def copy_source(root: Path, target: Path) -> None:
    """The tree as committed; where there is no git (an unpacked archive), every file that is source.

    Raises:
        BundleError: git is needed and fails.
    """
    git = shutil.which("git")
    if git and (root / ".git").exists():
        packed = subprocess.run(  # noqa: S603 # fixed arguments
            [git, "archive", "--format=tar", "HEAD"], cwd=root, capture_output=True, check=False
        )
        if packed.returncode:
            raise BundleError(f"git archive 没有成功：{packed.stderr.decode(errors='replace').strip()}")
        with tarfile.open(fileobj=BytesIO(packed.stdout)) as tar:
            tar.extractall(target, filter="data")
        changed = subprocess.run(  # noqa: S603 # fixed arguments
            [git, "status", "--porcelain"], cwd=root, capture_output=True, check=False
        )
        if changed.stdout:
            print("注意：有没提交的改动，它们不在安装包里。", flush=True)
        return
    shutil.copytree(root, target, ignore=_not_source, dirs_exist_ok=True)


def _not_source(_folder: str, names: list[str]) -> set[str]:
    return {n for n in names if n in LEFT_OUT or (n.startswith(".") and n.endswith("_cache"))}


def fetch_wheels(root: Path, wheels: Path, environ: Mapping[str, str]) -> None:
    """Every runtime requirement as a wheel; what is published as source alone is built here, not over there.

    ``PIP_FLAGS`` of the environment, where make puts them, are pip's further options.

    Raises:
        BundleError: pip failed, or would bring the CUDA build of torch.
    """
    command = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--quiet"]
    command += shlex.split(environ.get("PIP_FLAGS", ""))
    command += ["-r", str(root / "requirements.txt"), "-w", str(wheels)]
    if subprocess.run(command, cwd=root, env=dict(environ), check=False).returncode:  # noqa: S603
        raise BundleError("程序包没有下载齐，原因见上。请检查网络和磁盘空间。")
    if any(path.name.startswith(("nvidia_", "cuda_")) for path in wheels.iterdir()):
        raise BundleError(
            "下载到的 torch 是带 CUDA 的，有好几个 GB。请加上"
            ' PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu" 再做一次。'
        )
    (wheels / "PYTHON.txt").write_text("{}.{}\n".format(*sys.version_info), "ascii")
    (wheels / "PLATFORM.txt").write_text(f"{sysconfig.get_platform()}\n", "ascii")


def write_sums(folder: Path) -> None:
    """Checksums of every file as ``sha256sum -c`` reads them."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    lines = [f"{file_digest(folder / name)}  {name}\n" for name in names if name != SUMS]
    (folder / SUMS).write_bytes("".join(lines).encode())


def write_zip(folder: Path, target: Path) -> None:
    """The folder as one archive that appears whole or not at all; wheels are compressed already."""
    draft = target.with_name(target.name + ".part")
    with zipfile.ZipFile(draft, "w", strict_timestamps=False) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder.parent).as_posix()
            info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
            info.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if path.name in EXECUTABLE else 0o100644) << 16
            with path.open("rb") as source, archive.open(info, "w") as packed:
                shutil.copyfileobj(source, packed, 2**20)
    draft.replace(target)


def build_bundle(root: Path, out: Path, environ: Mapping[str, str]) -> Path:
    """Make the archive in ``out``; returns its path.

    Raises:
        BundleError: see ``copy_source`` and ``fetch_wheels``.
    """
    name = archive_name(root)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix="bundle-") as work:
        folder = Path(work) / name
        print("复制程序……", flush=True)
        copy_source(root, folder)
        for script in sorted((root / "tools" / "bundle").iterdir()):
            shutil.copyfile(script, folder / script.name)
        print("下载程序包（几百 MB）……", flush=True)
        fetch_wheels(root, folder / "wheels", environ)
        print("计算校验和、压缩……", flush=True)
        write_sums(folder)
        target = out / f"{name}.zip"
        write_zip(folder, target)
    return target


def main() -> int:
    """Make the archive below ``dist``; returns the exit status."""
    try:
        made = build_bundle(ROOT, ROOT / "dist", os.environ)
    except (BundleError, OSError) as error:
        print(f"出错：{error}", file=sys.stderr)
        return 1
    print(f"已做好 {made}（{made.stat().st_size / 2**20:.0f} MiB）。拷到同样系统的电脑上解压，运行 install。")
    return 0


if __name__ == "__main__":
    sys.exit(main())
