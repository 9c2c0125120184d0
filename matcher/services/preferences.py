"""Writes choices a person made into ``settings.toml``, keeping the comments and the order of the file.

Owns the one place where the program changes its settings. Reading them is in ``matcher.config``.
"""

from __future__ import annotations

import os
import tempfile
from codecs import BOM_UTF8
from collections.abc import MutableMapping
from pathlib import Path

from matcher.config import EncoderSettings
from matcher.errors import InputError, StoreError

FILE = "settings.toml"
_HINT = "请检查数据目录的权限和磁盘空间，或手工改 settings.toml 的 [encoder] 一节。"


def save_encoder(home: Path, chosen: EncoderSettings) -> None:
    """Make a model the one this installation starts with; a prompt of None is taken out of the file.

    The file appears whole or stays as it was, and keeps its line ends and its byte order mark.

    Raises:
        InputError: the present file is no TOML, or its ``encoder`` is no section.
        StoreError: the file cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = home / FILE
    try:
        raw = path.read_bytes() if path.exists() else b""
        document = tomlkit.parse(raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))
        section = document.get("encoder")
        if section is None:
            section = tomlkit.table()
            document["encoder"] = section
        elif not isinstance(section, MutableMapping):
            raise InputError(f"设置文件 {FILE} 里的 encoder 不是一节。", "请改成 [encoder] 开头的一节。")
        wanted = {
            "name": chosen.name,
            "query_prompt": chosen.query_prompt,
            "document_prompt": chosen.document_prompt,
        }
        for key, value in wanted.items():
            if value is not None:
                section[key] = value
            elif key in section:
                del section[key]
        home.mkdir(parents=True, exist_ok=True)
        _replace(path, _as_before(tomlkit.dumps(document), raw))
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise InputError(f"设置文件 {FILE} 读不懂：{error}", "请按 TOML 格式改正，或先删除它。") from error
    except OSError as error:
        raise StoreError(f"设置没有写进 {path}：{error.strerror or error}。", _HINT) from error


def _as_before(text: str, raw: bytes) -> bytes:
    """The text with the byte order mark and the line ends, those of most lines, that the file had."""
    if 2 * raw.count(b"\r\n") > raw.count(b"\n"):
        text = text.replace("\n", "\r\n")
    return (BOM_UTF8 if raw.startswith(BOM_UTF8) else b"") + text.encode()


def _replace(path: Path, content: bytes) -> None:
    handle, draft = tempfile.mkstemp(prefix=FILE, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())  # else a power cut may leave the new name with nothing in it
        if path.exists():
            os.chmod(draft, path.stat().st_mode)
        os.replace(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
