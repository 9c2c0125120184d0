"""Finds a sentence-transformers model by name and says in Chinese why one cannot be loaded.

Owns where a model is looked for: the shipped one, a directory, the downloaded ones, the hub. The download itself is
in ``hub``; what a loaded model is used for is in ``sentence_transformer`` and ``cross_encoder``.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from matcher.encoding.hub import (
    FALLBACK,
    OTHER_MODEL,
    SOURCE_FILE,
    download_model,
    explained,
    find_damage,
    folder_of,
    mend,
    repository_of,
)
from matcher.encoding.protocol import DEFAULT, Progress
from matcher.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUILTIN_DIR = Path(__file__).resolve().parent / "builtin"
"""The shipped model, an ordinary sentence-transformers directory."""

_NAMES = "请填写 Hugging Face 上的名称，例如 BAAI/bge-small-zh-v1.5，或一个本机目录。"
_SHOWN = 40
"""Characters shown of a name that is too long."""

T = TypeVar("T")


@dataclass(frozen=True)
class ModelKind(Generic[T]):
    """A kind of model: what it is called, the file that proves it, what to use instead, and how it is built."""

    label: str
    required: str
    instead: str
    build: Callable[[str], T]


def load_model(
    name: str,
    *,
    cache_dir: Path | str | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> SentenceTransformer:
    """Loads "builtin", a local directory or a hub model; see `load_encoder`.

    Raises:
        EncoderError: the model is missing, cannot be downloaded, is incomplete, or is no
            embedding model.
    """
    name = name.strip()
    if not name:
        raise EncoderError("没有填写编码器名称。", hint=f"请填写模型名称或目录，{FALLBACK}")
    kind = ModelKind("文本向量模型", "modules.json", OTHER_MODEL, _build)
    if name == DEFAULT:
        if not (BUILTIN_DIR / "modules.json").is_file():
            raise EncoderError(
                "内置模型文件缺失。",
                hint="请恢复目录 matcher/encoding/builtin，或运行 python -m matcher encoder train 重新训练。",
            )
        return construct(kind, BUILTIN_DIR, name)
    return find_model(kind, name, cache_dir=cache_dir, offline=offline, progress=progress)


def find_model(
    kind: ModelKind[T],
    name: str,
    *,
    cache_dir: Path | str | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> T:
    """Loads a directory or a hub model; a hub model is downloaded only when it is not on this machine.

    Raises:
        EncoderError: as `load_model`.
    """
    directory = directory_of(name)
    if directory.exists() or is_path(name):
        return _load_directory(kind, directory, name)
    return _load_hub(kind, name, cache_dir, offline, progress)


def is_path(name: str) -> bool:
    """Whether a name can only mean a place on disk."""
    return name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1


def directory_of(name: str) -> Path:
    """The place on disk a name means, if it means one; it need not exist.

    Raises:
        EncoderError: the name can be no place, or may not be looked at.
    """
    try:
        directory = Path(name).expanduser()
        directory.exists()
    except RuntimeError as error:
        raise EncoderError(f"“{name}”不是能用的目录：本机没有 ~ 后面的这个用户。", hint=_NAMES) from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            message = f"“{name[:_SHOWN]}…”太长，不是模型名称或目录。"
        else:
            message = f"打不开“{name}”：{error.strerror}。"
        raise EncoderError(message, hint=_NAMES) from error
    return directory


def _load_directory(kind: ModelKind[T], directory: Path, name: str) -> T:
    if not directory.exists():
        raise EncoderError(
            f"找不到模型目录“{name}”。",
            hint=f"请检查路径是否写错，或模型是否已拷贝到本机；{FALLBACK}",
        )
    if not directory.is_dir():
        raise EncoderError(f"“{name}”是一个文件，不是模型目录。", hint=f"请填写包含 {kind.required} 的目录。")
    if not (directory / kind.required).is_file():
        raise EncoderError(f"“{name}”不是{kind.label}：目录中没有 {kind.required}。", hint=kind.instead)
    return construct(kind, directory, name)


def _load_hub(
    kind: ModelKind[T],
    name: str,
    cache_dir: Path | str | None,
    offline: bool | None,
    progress: Progress | None,
) -> T:
    """Takes the downloaded copy when there is one, else downloads unless told not to."""
    from huggingface_hub import constants

    no_network = constants.HF_HUB_OFFLINE if offline is None else offline
    root = Path(cache_dir) if cache_dir else Path(constants.HF_HOME) / "matcher"
    folder = root / folder_of(name)
    if (folder / SOURCE_FILE).is_file():
        try:
            return construct(kind, folder, name)
        except EncoderError:
            if no_network or not _mended(name, folder, progress):
                raise
        return construct(kind, folder, name)
    with explained(name, kind.label, kind.instead, offline=no_network):
        try:
            return construct(kind, _find_cached(kind, name, cache_dir), name)
        except (OSError, EncoderError):
            if no_network:
                raise
    download_model(
        name,
        folder,
        progress,
        required=kind.required,
        kind=kind.label,
        instead=kind.instead,
        check=lambda directory: refuse_code(directory, name),
    )
    return construct(kind, folder, name)


def _mended(name: str, folder: Path, progress: Progress | None) -> bool:
    """Whether a download that cannot be loaded was damaged, and is whole again.

    False when every file is as the hub has it, or the hub cannot be asked: then why it could not be loaded is what
    people should read.

    Raises:
        EncoderError: it is damaged and the files could not be fetched anew.
    """
    try:
        commit, damaged = find_damage(name, folder)
    except EncoderError:
        return False
    if damaged:
        mend(name, folder, commit, damaged, progress)
    return bool(damaged)


def _find_cached(kind: ModelKind[T], name: str, cache_dir: Path | str | None) -> Path:
    """A copy that other programs of the hub keep. Raises LocalEntryNotFoundError, an OSError, when there is none."""
    from huggingface_hub import hf_hub_download

    cache = str(cache_dir) if cache_dir else os.getenv("SENTENCE_TRANSFORMERS_HOME")
    found = hf_hub_download(repository_of(name), kind.required, cache_dir=cache, local_files_only=True)
    return Path(found).parent


def refuse_code(directory: Path, name: str) -> None:
    """Before the weights are fetched: a model that cannot be loaded without its own program code is not wanted.

    Raises:
        EncoderError: it is such a model.
    """
    from transformers import CONFIG_MAPPING

    modules = _read_json(directory / "modules.json")
    config = _read_json(directory / "config.json")
    types = [str(one.get("type", "")) for one in modules if isinstance(one, dict)]
    foreign = any(not one.startswith("sentence_transformers.") for one in types)
    if isinstance(config, Mapping) and "auto_map" in config:
        foreign |= config.get("model_type") not in CONFIG_MAPPING
    if foreign:
        raise _own_code(name)


def _read_json(path: Path) -> Any:
    """Content of a file, or an empty list when it is missing or no JSON: loading will say so."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []


def _own_code(name: str) -> EncoderError:
    return EncoderError(
        f"模型“{name}”要求运行它自带的程序代码，出于安全考虑没有加载。",
        hint=f"请换用不带自定义代码的模型；{FALLBACK}",
    )


def _build(location: str) -> SentenceTransformer:
    """Raises EncoderError for a re-reading model: the library would load its body as if it made vectors."""
    from sentence_transformers import SentenceTransformer

    about = _read_json(Path(location) / "config_sentence_transformers.json")
    if isinstance(about, Mapping) and about.get("model_type") == "CrossEncoder":
        raise EncoderError("这是精读（重排）模型，不是文本向量模型。", hint=OTHER_MODEL)
    return SentenceTransformer(location, local_files_only=True, model_kwargs=cpu_options())


def cpu_options() -> dict[str, Any]:
    """How a transformer is loaded: in single precision, since an office CPU computes half precision many times slower."""
    import torch

    return {"dtype": torch.float32}


def construct(kind: ModelKind[T], directory: Path, name: str) -> T:
    """Builds the model of a directory; a failure here means that files are missing, broken or unsupported.

    Raises:
        EncoderError: it cannot be built.
    """
    from safetensors import SafetensorError

    try:
        return kind.build(str(directory))
    except (
        OSError,
        ValueError,
        RuntimeError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        EOFError,
        SafetensorError,
    ) as error:
        if "trust_remote_code" in str(error):
            raise _own_code(name) from error
        raise EncoderError(
            f"模型“{name}”无法加载，文件可能不完整或已损坏：{error}",
            hint=f"多半是上次下载中断：请删除该模型的本机文件后重新下载；{FALLBACK}",
        ) from error
