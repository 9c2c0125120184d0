"""Finds a sentence-transformers model by name and says in Chinese why one cannot be loaded."""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from matcher.encoding.protocol import DEFAULT
from matcher.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUILTIN_DIR = Path(__file__).resolve().parent / "builtin"
"""The shipped model, an ordinary sentence-transformers directory."""

_HUB_ORGANISATION = "sentence-transformers"
"""Owner of a hub name without a slash, as sentence-transformers itself assumes."""
_FALLBACK = "也可以先改用内置模型 builtin。"
_CONNECT_SECONDS = 10.0
_OTHER_MODEL = "请换用 sentence-transformers 格式的向量模型，如 BAAI/bge-small-zh-v1.5；" + _FALLBACK


def load_model(
    name: str, *, cache_dir: Path | str | None = None, offline: bool | None = None
) -> SentenceTransformer:
    """Loads "builtin", a local directory or a hub model; see `load_encoder`.

    Raises:
        EncoderError: the model is missing, cannot be downloaded, is incomplete, or is no
            embedding model.
    """
    name = name.strip()
    if not name:
        raise EncoderError("没有填写编码器名称。", hint=f"请填写模型名称或目录，{_FALLBACK}")
    if name == DEFAULT:
        if not (BUILTIN_DIR / "modules.json").is_file():
            raise EncoderError(
                "内置模型文件缺失。",
                hint="请恢复目录 matcher/encoding/builtin，或运行 python -m matcher encoder train 重新训练。",
            )
        return _load_directory(BUILTIN_DIR, name)
    directory = Path(name).expanduser()
    if directory.exists() or _looks_like_path(name):
        return _load_directory(directory, name)
    return _load_hub(name, None if cache_dir is None else str(cache_dir), offline)


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1


def _load_directory(directory: Path, name: str) -> SentenceTransformer:
    if not directory.exists():
        raise EncoderError(
            f"找不到模型目录“{name}”。",
            hint=f"请检查路径是否写错，或模型是否已拷贝到本机；{_FALLBACK}",
        )
    if not directory.is_dir():
        raise EncoderError(f"“{name}”是一个文件，不是模型目录。", hint="请填写包含 modules.json 的目录。")
    if not (directory / "modules.json").is_file():
        raise EncoderError(
            f"“{name}”不是文本向量模型：目录中没有 modules.json。",
            hint=_OTHER_MODEL,
        )
    return _construct(str(directory), name, None, local_only=True)


def _load_hub(name: str, cache_dir: str | None, offline: bool | None) -> SentenceTransformer:
    """Takes the downloaded copy when there is one, else downloads unless told not to."""
    from huggingface_hub import constants, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    repository = name if "/" in name else f"{_HUB_ORGANISATION}/{name}"
    no_network = constants.HF_HUB_OFFLINE if offline is None else offline
    cache_dir = cache_dir or os.getenv("SENTENCE_TRANSFORMERS_HOME")
    try:
        try:
            hf_hub_download(repository, "modules.json", cache_dir=cache_dir, local_files_only=True)
            return _construct(repository, name, cache_dir, local_only=True)
        except (LocalEntryNotFoundError, EncoderError):
            if no_network:
                raise
        _check_connection(hf_hub_url(repository, "modules.json"))
        hf_hub_download(repository, "modules.json", cache_dir=cache_dir)
        return _construct(repository, name, cache_dir, local_only=False)
    except HFValidationError as error:
        raise EncoderError(
            f"“{name}”不是合法的模型名称。",
            hint="名称形如 BAAI/bge-small-zh-v1.5，或填写本机目录。",
        ) from error
    except GatedRepoError as error:
        raise EncoderError(
            f"模型“{name}”需要先在 Hugging Face 上申请访问。",
            hint=f"请申请并登录（hf auth login）后重试；{_FALLBACK}",
        ) from error
    except RepositoryNotFoundError as error:
        raise EncoderError(
            f"Hugging Face 上没有名为“{name}”的模型。", hint=f"请检查名称与大小写；{_FALLBACK}"
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise EncoderError(
            f"本机没有模型“{name}”，"
            + ("当前又设置为离线。" if no_network else "网络也无法连接 Hugging Face。"),
            hint="请在能联网的机器上下载后拷贝到本机，再填写目录路径；国内可设置镜像 "
            f"HF_ENDPOINT=https://hf-mirror.com；{_FALLBACK}",
        ) from error
    except EntryNotFoundError as error:
        raise EncoderError(
            f"“{name}”不是文本向量模型：其中没有 modules.json。",
            hint=_OTHER_MODEL,
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise EncoderError(
            f"下载模型“{name}”失败：{error}",
            hint=f"请检查网络与磁盘空间后重试，国内可设置 HF_ENDPOINT=https://hf-mirror.com；{_FALLBACK}",
        ) from error


def _check_connection(url: str) -> None:
    """Asks once whether the hub answers at all: its own client retries for half a minute.

    Raises:
        LocalEntryNotFoundError: nothing answered.
    """
    from huggingface_hub.errors import LocalEntryNotFoundError

    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - the hub's own address
    try:
        with urllib.request.urlopen(request, timeout=_CONNECT_SECONDS):  # noqa: S310 - as above
            return
    except urllib.error.HTTPError:
        return  # it answered; the hub client reads the answer
    except OSError as error:
        if isinstance(getattr(error, "reason", None), ssl.SSLError):
            return  # the hub client brings its own certificates
        raise LocalEntryNotFoundError(str(error)) from error


def _construct(location: str, name: str, cache_dir: str | None, *, local_only: bool) -> SentenceTransformer:
    """Builds the model; a failure here means that files are missing, broken or unsupported."""
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(location, cache_folder=cache_dir, local_files_only=local_only)
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
            raise EncoderError(
                f"模型“{name}”要求运行它自带的程序代码，出于安全考虑没有加载。",
                hint=f"请换用不带自定义代码的模型；{_FALLBACK}",
            ) from error
        raise EncoderError(
            f"模型“{name}”无法加载，文件可能不完整或已损坏：{error}",
            hint=f"多半是上次下载中断：请删除该模型的本机文件后重新下载；{_FALLBACK}",
        ) from error
