"""Downloads a model from a Hugging Face hub into a plain directory that can be carried to another machine.

Owns which files of a repository a model needs, and the Chinese sentence for every way a download can fail. The
transfer of one file is in ``transfer``. Does not load models, and decides nothing about where they lie. A directory
appears under its final name only when every file in it is complete.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from matcher.encoding.protocol import Progress
from matcher.encoding.transfer import (
    SECONDS,
    RemoteFile,
    bytes_left,
    digest_of,
    fetch,
    finish,
    is_intact,
    sweep,
    unfinished,
)
from matcher.errors import EncoderError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

FALLBACK = "也可以先改用内置模型 builtin。"
MIRROR = "国内可设置镜像 HF_ENDPOINT=https://hf-mirror.com"
OTHER_MODEL = "请换用 sentence-transformers 格式的向量模型，如 BAAI/bge-small-zh-v1.5；" + FALLBACK
SOURCE_FILE = "matcher_source.json"
"""Left in a downloaded directory: from where it came and which revision it is."""
ORGANISATION = "sentence-transformers"
"""Owner of a hub name without a slash, as sentence-transformers itself assumes."""

_SPARE_BYTES = 50 << 20
_TEXT_SUFFIXES = (".json", ".txt", ".model", ".jinja", ".vocab", ".bpe")
_OTHER_FORMATS = frozenset({"onnx", "openvino", "coreml", "gguf", "flax", "tf", "original"})
_UNAUTHORISED, _NOT_FOUND = 401, 404


def repository_of(name: str) -> str:
    """The repository a hub name means."""
    return name if "/" in name else f"{ORGANISATION}/{name}"


def folder_of(name: str) -> str:
    """Name of the plain directory a hub model is kept in."""
    return repository_of(name).replace("/", "--")


def choose_files(files: Iterable[RemoteFile]) -> list[RemoteFile]:
    """The files that loading on a CPU needs, small ones and those that say what the model is first.

    Weights are taken once: in safetensors where a folder has them, else PyTorch's. Other formats of the same
    weights, pictures, training leftovers and program code are left out.
    """
    safe: dict[str, list[RemoteFile]] = {}
    kept, pickled = [], []
    for file in files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or "\\" in file.path or ":" in file.path:
            continue
        if any(part.startswith(".") or part in _OTHER_FORMATS for part in path.parts):
            continue
        if path.suffix in _TEXT_SUFFIXES:
            kept.append(file)
        elif path.suffix == ".safetensors":
            safe.setdefault(str(path.parent), []).append(file)
        elif path.suffix == ".bin" and path.name.startswith("pytorch_model"):
            pickled.append(file)
    for folder in safe.values():
        whole = [file for file in folder if PurePosixPath(file.path).name == "model.safetensors"]
        kept += whole or folder
    kept += [file for file in pickled if str(PurePosixPath(file.path).parent) not in safe]
    return sorted(kept, key=lambda file: (not file.path.endswith(".json"), file.size, file.path))


def download_model(
    name: str,
    folder: Path,
    progress: Progress | None = None,
    *,
    required: str = "modules.json",
    kind: str = "文本向量模型",
    instead: str = OTHER_MODEL,
    check: Callable[[Path], None] | None = None,
) -> None:
    """Download a model; what an interrupted call got is used by the next one.

    Args:
        name: hub name; ``HF_ENDPOINT`` says which hub.
        folder: where it shall lie; must not hold anything. ``<folder>.part`` beside it holds the unfinished state.
        progress: told bytes done and bytes in all.
        required: a file without which the repository is no such model.
        kind: what the model is called in messages.
        instead: advice when the repository is no such model.
        check: looks at the directory once its small files are there, before the weights are fetched.

    Raises:
        EncoderError: no network, no such model, not enough disk space, a broken or altered transfer, something
            else in ``<folder>.part``.
    """
    with explained(name, kind, instead):
        commit, listed = _list_files(repository_of(name))
        if required not in {file.path for file in listed}:
            raise EncoderError(f"“{name}”不是{kind}：其中没有 {required}。", hint=instead)
        with unfinished(folder, name) as part:
            files = choose_files(listed)
            _fetch_all(name, commit, files, part, progress, check)
            sweep(part, {file.path for file in files})
            source = {"name": repository_of(name), "revision": commit, "endpoint": _endpoint()}
            (part / SOURCE_FILE).write_text(json.dumps(source, ensure_ascii=False), encoding="utf-8")
        finish(part, folder)


def is_downloaded(name: str, folder: Path) -> bool:
    """Whether the directory holds a finished download of this model."""
    return _origin(folder).get("name") == repository_of(name)


def find_damage(name: str, folder: Path) -> tuple[str, list[RemoteFile]]:
    """Compare a finished download with what the hub holds of the same revision; changes nothing.

    Returns:
        The revision, and its files that are missing or altered in the directory.

    Raises:
        EncoderError: the hub cannot be asked, or no longer has the revision.
    """
    with explained(name):
        commit, listed = _list_files(repository_of(name), _origin(folder).get("revision"))
        return commit, [file for file in choose_files(listed) if not is_intact(folder / file.path, file)]


def mend(
    name: str, folder: Path, commit: str, damaged: Sequence[RemoteFile], progress: Progress | None = None
) -> None:
    """Fetch damaged files of a finished download anew; the directory keeps its name and its other files.

    Raises:
        EncoderError: as `download_model`.
    """
    with explained(name), unfinished(folder, name) as part:
        _fetch_all(name, commit, damaged, part, progress, None)
        for file in damaged:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part / file.path, target)
    shutil.rmtree(part, ignore_errors=True)


def _origin(folder: Path) -> dict[str, str]:
    """What a finished download says of itself; nothing when it is none, or when that file is damaged, too."""
    try:
        content = json.loads((folder / SOURCE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in content.items() if isinstance(v, str)} if isinstance(content, dict) else {}


@contextmanager
def explained(
    name: str, kind: str = "文本向量模型", instead: str = OTHER_MODEL, *, offline: bool = False
) -> Iterator[None]:
    """Turns what the hub client raises into an ``EncoderError`` that says what to do."""
    from httpx2 import HTTPError, InvalidURL, UnsupportedProtocol
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    away = f"请在能联网的机器上下载后拷贝到本机，再填写目录路径；{MIRROR}；{FALLBACK}"
    try:
        yield
    except HFValidationError as error:
        hint = "名称形如 BAAI/bge-small-zh-v1.5，或填写本机目录。"
        raise EncoderError(f"“{name}”不是合法的模型名称。", hint=hint) from error
    except GatedRepoError as error:
        raise EncoderError(
            f"模型“{name}”需要先在 Hugging Face 上申请访问。",
            hint=f"请申请并登录（hf auth login）后重试；{FALLBACK}",
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        reason = "当前又设置为离线。" if offline else "网络也无法连接 Hugging Face。"
        raise EncoderError(f"本机没有模型“{name}”，{reason}", hint=away) from error
    except (RepositoryNotFoundError, HfHubHTTPError) as error:
        raise _answer(name, error) from error
    except EntryNotFoundError as error:
        raise EncoderError(f"“{name}”不是{kind}：其中缺少必要的文件。", hint=instead) from error
    except (InvalidURL, UnsupportedProtocol) as error:
        message = f"模型下载地址“{_endpoint()}”写得不对：必须以 https:// 开头，中间没有空格。"
        hint = f"请改正环境变量 HF_ENDPOINT，例如 HF_ENDPOINT=https://hf-mirror.com；{FALLBACK}"
        raise EncoderError(message, hint=hint) from error
    except HTTPError as error:
        raise EncoderError(f"本机没有模型“{name}”，网络也无法连接 {_endpoint()}。", hint=away) from error
    except OSError as error:
        full = error.errno == errno.ENOSPC
        message = f"下载模型“{name}”时磁盘已满。" if full else f"下载模型“{name}”失败：{error}"
        hint = (
            "请清理磁盘后再试，已下载的部分会接着用。"
            if full
            else f"请检查网络与磁盘后重试，{MIRROR}；{FALLBACK}"
        )
        raise EncoderError(message, hint=hint) from error


def _answer(name: str, error: HfHubHTTPError) -> EncoderError:
    """What the hub's refusal means."""
    status = error.response.status_code
    if status in (_UNAUTHORISED, _NOT_FOUND):
        return EncoderError(
            f"{_endpoint()} 上没有名为“{name}”的模型。", hint=f"请检查名称与大小写；{FALLBACK}"
        )
    return EncoderError(
        f"下载模型“{name}”失败：服务器回答 {status}。",
        hint=f"请稍后再试，已下载的部分会接着用；{MIRROR}；{FALLBACK}",
    )


def _endpoint() -> str:
    """The hub in use; read at every call, so that setting it needs no new process."""
    from huggingface_hub import constants

    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def _list_files(repository: str, revision: str | None = None) -> tuple[str, list[RemoteFile]]:
    """A revision of a repository, by default the present one, and its files.

    One request, so that a dead network is known at once.
    """
    from huggingface_hub import HfApi

    try:
        info = HfApi(endpoint=_endpoint()).model_info(
            repository, revision=revision, files_metadata=True, timeout=SECONDS
        )
    except (json.JSONDecodeError, TypeError, KeyError) as error:
        raise EncoderError(
            f"{_endpoint()} 的回答不是模型信息，可能被上网登录页或代理挡住。",
            hint=f"请先在浏览器里确认能打开它；{MIRROR}；{FALLBACK}",
        ) from error
    files = [
        RemoteFile(one.rfilename, one.size or 0, digest_of(one.lfs.sha256 if one.lfs else one.blob_id))
        for one in info.siblings or ()
    ]
    return info.sha or "main", files


def _fetch_all(
    name: str,
    commit: str,
    files: Sequence[RemoteFile],
    part: Path,
    progress: Progress | None,
    check: Callable[[Path], None] | None,
) -> None:
    from huggingface_hub import hf_hub_url

    total, done = sum(file.size for file in files), 0
    missing = [file for file in files if not is_intact(part / file.path, file)]
    need = sum(bytes_left(file, part) for file in missing)
    if shutil.disk_usage(part).free < need + _SPARE_BYTES:
        raise EncoderError(
            f"磁盘空间不够：模型“{name}”还要 {need / 1e6:,.0f} MB。", hint="请清理磁盘，或换用较小的模型。"
        )
    pending = check
    for file in files:
        if pending and not file.path.endswith(".json"):
            pending(part)
            pending = None
        start = done

        def tell(here: int, start: int = start) -> None:
            if progress:
                progress(start + here, total)

        tell(0)
        if file in missing:
            url = hf_hub_url(repository_of(name), file.path, revision=commit, endpoint=_endpoint())
            fetch(name, url, file, part, tell)
        done += file.size
    if progress:
        progress(total, total)
