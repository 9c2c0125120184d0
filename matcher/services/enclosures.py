"""What may be kept as a file of a 对接: kinds, size, number and names.

Owns these checks. A file is stored as it came and handed back as it is: nothing here or elsewhere opens, unpacks, runs
or shows it. What it claims to be by its name must be what its first bytes say.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from matcher.columns import clean_text
from matcher.errors import InputError
from matcher.intake.identity import holds_id_card
from matcher.models import Attachment

MAX_FILES = 20
MAX_NAME = 120
_ZIP = (b"PK\x03\x04",)
_JPEG = (b"\xff\xd8\xff",)
SIGNS: dict[str, tuple[bytes, ...]] = {
    "pdf": (b"%PDF-",),
    "docx": _ZIP,
    "xlsx": _ZIP,
    "pptx": _ZIP,
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "png": (b"\x89PNG\r\n\x1a\n",),
}
"""Suffix → what such a file begins with."""
_UNSAFE = frozenset('<>:"|?*')
_MIB = 1024 * 1024


def clean_name(name: str) -> str:
    """The name without folder, control characters and what no file system takes, at most ``MAX_NAME`` characters.

    Raises:
        InputError: nothing is left of it, it has no permitted suffix, or it holds an ID-card number.
    """
    last = clean_text(name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = "".join(ch for ch in last if unicodedata.category(ch)[0] != "C")
    kept = "".join("_" if ch in _UNSAFE else ch for ch in kept).strip(". ")
    stem, dot, suffix = kept.rpartition(".")
    if not dot or not stem.strip() or suffix.lower() not in SIGNS:
        raise InputError(f"“{kept or '这个文件'}”不是可以上传的种类。", f"可以上传：{_kinds()}。")
    if holds_id_card(kept):
        raise InputError("文件名里有身份证号码。", "平台不收集身份证号码，请改名后再传。")
    return f"{stem.strip()[: MAX_NAME - len(suffix) - 1]}.{suffix.lower()}"


def check_content(name: str, data: bytes, max_mib: float) -> str:
    """The SHA-256 of a file that may be kept, in hex.

    Args:
        name: as ``clean_name`` gives it.
        data: the whole file.
        max_mib: the largest size in MiB.

    Raises:
        InputError: empty, too large, or its first bytes say something else than its name.
    """
    if not data:
        raise InputError(f"“{name}”是空的。", "请检查文件后重新选择。")
    if len(data) > max_mib * _MIB:
        raise InputError(
            f"“{name}”有 {len(data) / _MIB:.1f} MB，超过了 {max_mib:g} MB。", "请压缩或拆分后再传。"
        )
    if not data.startswith(SIGNS[name.rpartition(".")[2]]):
        raise InputError(
            f"“{name}”的内容和它的后缀对不上。", f"请用原来的程序另存为 {_kinds()} 中的一种，再上传。"
        )
    return fingerprint(data)


def fingerprint(data: bytes) -> str:
    """The SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def check_room(present: Sequence[Attachment], sha256: str) -> None:
    """Raise InputError when the 对接 has its full number of files, or this very file already."""
    for one in present:
        if one.sha256 == sha256:
            raise InputError(f"这个文件已经传过，名为“{one.name}”。", "不用再传。")
    if len(present) >= MAX_FILES:
        raise InputError(f"一个对接最多放 {MAX_FILES} 个附件。", "请先删除不用的附件。")


def _kinds() -> str:
    return "、".join(sorted(SIGNS.keys() - {"jpeg"}))
