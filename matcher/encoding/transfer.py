"""Brings one file of a hub to this machine: resumed where it broke off, checked against the hub's own hash.

Owns the unfinished directory (``<directory>.part``): the files begun in it (``.parts``), its mark, its lock, and its
becoming the final one. Which files are fetched, and from where, is decided in ``hub``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from matcher.errors import EncoderError

SECONDS = 10.0
"""How long the hub may be silent before the network counts as broken."""
_ATTEMPTS = 4
"""Tries in a row without a single new byte before giving up."""
_MARKER = ".matcher-download"
"""In an unfinished directory: what it holds was put there by a download, and may be deleted by one."""
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CHUNK = 1 << 18
_SHA256_DIGITS = 64
_PARTIAL_CONTENT = 206
_AGAIN = "请检查网络后再试一次，会从断点接着下载；国内可设置镜像 HF_ENDPOINT=https://hf-mirror.com。"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository; ``size`` in bytes, 0 when unknown.

    ``digest`` is its SHA-256 (64 digits), its git hash (40 digits), or empty when unknown.
    """

    path: str
    size: int
    digest: str


def digest_of(told: object) -> str:
    """A hash as the hub tells it; empty when it is none."""
    return told if isinstance(told, str) and _DIGEST.fullmatch(told) else ""


def is_intact(path: Path, file: RemoteFile) -> bool:
    """Whether the file on disk is what the hub says it is; what the hub does not say is not asked."""
    if not path.is_file() or (file.size and path.stat().st_size != file.size):
        return False
    if not file.digest:
        return True
    if len(file.digest) == _SHA256_DIGITS:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(usedforsecurity=False)
        digest.update(f"blob {path.stat().st_size}\0".encode())  # how git hashes a file
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == file.digest


def bytes_left(file: RemoteFile, part: Path) -> int:
    """Bytes still to be fetched of a file that is not in its place."""
    draft = _draft_of(file, part)
    return max(0, file.size - _size(draft))


def fetch(name: str, url: str, file: RemoteFile, part: Path, tell: Callable[[int], None]) -> None:
    """Bring a file into its place in the unfinished directory ``part``.

    Args:
        name: the model, for messages.
        url: where the file is.
        file: what it should be.
        part: the directory.
        tell: told how many bytes of this file are there.

    Raises:
        EncoderError: the network broke off, or the content is not what the hub announced.
    """
    draft = _draft_of(file, part)
    draft.parent.mkdir(exist_ok=True)
    if draft.exists() and (not file.digest or draft.stat().st_size > file.size):
        draft.unlink()  # a rest of unknown origin is no beginning
    _transfer(name, url, file, draft, tell)
    if not is_intact(draft, file):
        draft.unlink()  # it is no shorter than announced, so that there is nothing to resume
        raise EncoderError(
            f"模型“{name}”的文件 {file.path} 下载后与服务器公布的内容不符，没有使用。",
            hint="请再试一次；若仍如此，请换一个镜像或网络。",
        )
    target = part / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(draft, target)


def _draft_of(file: RemoteFile, part: Path) -> Path:
    """Named by content, so that what was begun of another revision is never continued.

    Hashed, since path and digest are the server's words and must not lead out of the directory.
    """
    return part / ".parts" / hashlib.sha256(f"{file.path}\0{file.digest}".encode()).hexdigest()


def _transfer(name: str, url: str, file: RemoteFile, draft: Path, tell: Callable[[int], None]) -> None:
    from httpx2 import RemoteProtocolError, TransportError
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    tries = most = 0
    while True:
        have = _size(draft)
        if have and have == file.size:
            return
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            with get_session().stream("GET", url, headers=headers, timeout=SECONDS) as response:
                hf_raise_for_status(response)
                partial = response.status_code == _PARTIAL_CONTENT
                if partial and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                    draft.unlink(missing_ok=True)  # so that the next try asks for the whole file
                    raise RemoteProtocolError("the range sent is not the one asked for")
                with draft.open("ab" if partial else "wb") as stream:
                    for chunk in response.iter_bytes():
                        stream.write(chunk)
                        tell(min(stream.tell(), file.size))
            if _size(draft) < file.size:
                raise RemoteProtocolError("the body ended early")
            return
        except TransportError as error:
            got = _size(draft)
            tries = 0 if got > most else tries + 1
            most = max(most, have, got)
            if tries >= _ATTEMPTS:
                progress = f"{file.path} 已下载 {got / 1e6:,.1f} / {file.size / 1e6:,.1f} MB"
                message = f"下载模型“{name}”时网络中断（{progress}）。"
                raise EncoderError(message, hint=_AGAIN) from error
            sleep(min(tries, 1))


def _size(draft: Path) -> int:
    return draft.stat().st_size if draft.exists() else 0


@contextmanager
def unfinished(folder: Path, name: str) -> Iterator[Path]:
    """Let one process at a time write into the unfinished directory beside a directory, which it gives.

    Raises:
        EncoderError: another one does, or something else lies there.
    """
    from filelock import FileLock, Timeout

    part = folder.with_name(folder.name + ".part")
    marker = part / _MARKER
    if part.exists() and not marker.is_file() and (not part.is_dir() or any(part.iterdir())):
        message = f"“{part}”里已经有别的东西，不是没下完的模型，没有动它。"
        raise EncoderError(message, hint="请把它移走或改名后再试，或把模型下载到别处。")
    part.mkdir(parents=True, exist_ok=True)
    marker.touch()
    path = part / ".lock"
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        message = f"另一个程序正在下载模型“{name}”。"
        raise EncoderError(message, hint="请等它下载完再试，或先停掉它。") from error
    try:
        yield part
    finally:
        lock.release()
        path.unlink(missing_ok=True)


def sweep(part: Path, kept: set[str]) -> None:
    """Take out what an earlier attempt got of another revision, and unfinished files."""
    shutil.rmtree(part / ".parts", ignore_errors=True)
    for path in part.rglob("*"):
        name = path.relative_to(part).as_posix()
        if path.is_file() and name not in kept and not name.startswith("."):
            path.unlink()


def finish(part: Path, folder: Path) -> None:
    """Give a complete directory its final name."""
    if folder.is_dir():
        folder.rmdir()
    os.replace(part, folder)
    (folder / _MARKER).unlink()  # last: without it an interrupted call could not be taken up again
