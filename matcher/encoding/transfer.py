"""Brings one file of a hub to this machine: resumed where it broke off, checked against the hub's own hash.

Owns the unfinished files (``<directory>/.parts``) and the lock on an unfinished directory. Which files are fetched,
and from where, is decided in ``hub``.
"""

from __future__ import annotations

import hashlib
import os
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
    return max(0, file.size - (draft.stat().st_size if draft.exists() else 0))


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
        draft.unlink()
        raise EncoderError(
            f"模型“{name}”的文件 {file.path} 下载后与服务器公布的内容不符，没有使用。",
            hint="请再试一次；若仍如此，请换一个镜像或网络。",
        )
    target = part / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(draft, target)


def _draft_of(file: RemoteFile, part: Path) -> Path:
    """Named by content, so that what was begun of another revision is never continued."""
    return part / ".parts" / (file.digest or hashlib.sha256(file.path.encode()).hexdigest())


def _transfer(name: str, url: str, file: RemoteFile, draft: Path, tell: Callable[[int], None]) -> None:
    from httpx2 import TransportError
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    tries = 0
    while True:
        have = draft.stat().st_size if draft.exists() else 0
        if have and have == file.size:
            return
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            with get_session().stream("GET", url, headers=headers, timeout=SECONDS) as response:
                hf_raise_for_status(response)
                mode = "ab" if response.status_code == _PARTIAL_CONTENT else "wb"
                with draft.open(mode) as stream:
                    for chunk in response.iter_bytes():
                        stream.write(chunk)
                        tell(min(stream.tell(), file.size))
            return
        except TransportError as error:
            got = draft.stat().st_size if draft.exists() else 0
            tries = 0 if got > have else tries + 1
            if tries >= _ATTEMPTS:
                progress = f"{file.path} 已下载 {got / 1e6:,.1f} / {file.size / 1e6:,.1f} MB"
                message = f"下载模型“{name}”时网络中断（{progress}）。"
                raise EncoderError(message, hint=_AGAIN) from error
            sleep(min(tries, 1))


@contextmanager
def locked(part: Path, name: str) -> Iterator[None]:
    """Let one process at a time write into an unfinished directory.

    Raises:
        EncoderError: another one does.
    """
    from filelock import FileLock, Timeout

    path = part / ".lock"
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        message = f"另一个程序正在下载模型“{name}”。"
        raise EncoderError(message, hint="请等它下载完再试，或先停掉它。") from error
    try:
        yield
    finally:
        lock.release()
        path.unlink(missing_ok=True)
