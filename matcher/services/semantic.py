"""语义模型: what people see of the embedding model and do about it: look, change, keep, carry away.

Owns the sentences about where a model comes from and the order of a change: first it must load and serve, then it is
written down. The change itself runs in ``services.switching``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matcher.config import NO_ENCODER, EncoderSettings, Settings
from matcher.encoding.loading import directory_of, is_path
from matcher.encoding.protocol import DEFAULT, Progress
from matcher.errors import EncoderError, InputError, MatcherError
from matcher.services.access import Access, permits
from matcher.services.engine import Engine
from matcher.services.preferences import save_encoder
from matcher.services.reranking import Rereader
from matcher.workflow.permissions import Action

ENVIRONMENT_NOTE = "环境变量 MATCHER_ENCODER 指定了“{name}”，它优先于这里的选择：下次启动仍用它，删掉这个环境变量后才用所选的。"
_LABELS = {DEFAULT: "内置模型", NO_ENCODER: "不使用语义模型"}
_SOURCES = {DEFAULT: "随程序提供，不用下载", NO_ENCODER: "只按用词和术语匹配"}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model in use. Numbers are 0 while there is none."""

    name: str
    label: str
    source: str
    dimension: int
    n_texts: int
    n_topics: int
    prompts: str
    reranker: str
    environment: str


def label_of(name: str) -> str:
    """A model's name as people read it."""
    return _LABELS.get(name, name)


def source_of(name: str) -> str:
    """Where a model comes from.

    Raises:
        InputError: the name can be neither a directory nor a hub name.
    """
    if name in _SOURCES:
        return _SOURCES[name]
    if _folder_of(name).exists() or is_path(name):
        return "本机目录"
    return "从 Hugging Face 下载，之后存在本机"


def choose(
    settings: Settings, name: str, query_prompt: str | None = None, document_prompt: str | None = None
) -> EncoderSettings:
    """The settings a choice means; a directory becomes absolute, since the next start may be from another place.

    Raises:
        InputError: no name is given, or one that can be neither a directory nor a hub name.
    """
    name = name.strip()
    if not name:
        raise InputError("没有填写模型名称或目录。", "例如 BAAI/bge-small-zh-v1.5，或一个目录。")
    if name in _LABELS:
        query_prompt = document_prompt = None
    elif (folder := _folder_of(name)).is_dir():
        name = str(folder.resolve())
    return EncoderSettings(name, query_prompt, document_prompt, settings.encoder.offline)


def _folder_of(name: str) -> Path:
    try:
        return directory_of(name)
    except EncoderError as error:
        raise InputError(error.user_message, error.hint) from error


def environment_note(settings: Settings) -> str:
    """What to know when the environment names the model; empty when it does not."""
    named = settings.encoder_from_environ
    return ENVIRONMENT_NOTE.format(name=settings.encoder.name) if named else ""


class SemanticService:
    """Looking at the model, and changing it.

    Args:
        engine: uses the model.
        settings: of this process as it started.
        rereader: the optional re-reading model.
    """

    def __init__(self, engine: Engine, settings: Settings, rereader: Rereader, access: Access) -> None:
        self._engine = engine
        self._settings = settings
        self._rereader = rereader
        self._access = access

    @permits(Action.SEE_MODEL)
    def facts(self) -> ModelFacts:
        """What is in use now."""
        self._rereader.start()
        encoder, wanted = self._engine.encoder, self._engine.encoder_settings
        snapshot = self._engine.snapshot()
        params = self._rereader.params
        try:
            source = source_of(wanted.name)
        except (
            InputError
        ) as error:  # written into settings.toml by hand: the page must still open to change it
            source = error.user_message
        state = "；".join(self._rereader.degraded()) or f"已启用：前 {params.top} 位由 {params.name} 精读"
        return ModelFacts(
            wanted.name,
            label_of(wanted.name),
            source,
            encoder.dimension if encoder else 0,
            snapshot.n_texts if encoder else 0,
            len(snapshot.words.thesaurus.topics),
            describe_prompts(wanted) if encoder else "",
            state if params.name else "未启用",
            environment_note(self._settings),
        )

    @permits(Action.SWITCH_MODEL)
    def change(self, name: str, query_prompt: str | None = None, document_prompt: str | None = None) -> None:
        """Load a model in the background, put it into service, and only then write it into ``settings.toml``.

        Args:
            name: ``builtin``, ``none``, a hub name or a directory.
            query_prompt: put before every query; None keeps the model's own, "" switches it off.
            document_prompt: the same for documents.

        Raises:
            InputError: no name.
            ConflictError: another change is running.
        """
        wanted = choose(self._settings, name, query_prompt, document_prompt)
        self._engine.start()
        self._engine.switch(wanted, lambda: self._keep(wanted))

    def _keep(self, wanted: EncoderSettings) -> str:
        try:
            save_encoder(self._settings.home, wanted)
        except MatcherError as error:
            return f"但下次启动仍用原来的：{error}"
        return ""


def describe_prompts(wanted: EncoderSettings) -> str:
    """The prompts in words; empty for what the program brings along."""
    if wanted.name in _LABELS:
        return ""

    def one(label: str, prompt: str | None) -> str:
        return f"{label}{'用模型自带的' if prompt is None else f'“{prompt}”' if prompt else '不加'}"

    return "，".join((one("查询", wanted.query_prompt), one("资料", wanted.document_prompt)))


def fetch_model(name: str, folder: Path, progress: Progress | None = None, *, reranker: bool = False) -> int:
    """Download a model into a plain directory that can be carried to another machine, and load it from there.

    A directory that an earlier call filled with the same model is checked against the hub and loaded again.

    Returns:
        Its dimension; 0 for a re-reading model.

    Raises:
        InputError: the directory holds something else, or the name is no hub name.
        EncoderError: it cannot be downloaded or loaded.
    """
    from matcher.encoding.cross_encoder import NO_REREADING
    from matcher.encoding.hub import FALLBACK, is_downloaded

    name = name.strip()
    if not name or name in _LABELS or is_path(name):
        raise InputError(f"“{name}”不用下载。", "请写 Hugging Face 上的名称，例如 BAAI/bge-small-zh-v1.5。")
    again = is_downloaded(name, folder)
    if not again and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"“{folder}”里已经有东西。", "请换一个空目录，或先把它移走。")
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        _bring(name, folder, progress, reranker, again)
        return _load(name, folder.resolve(), reranker)
    except EncoderError as error:
        hint = error.hint.replace(FALLBACK, NO_REREADING) if reranker else error.hint
        raise EncoderError(error.user_message, hint) from error


def _bring(name: str, folder: Path, progress: Progress | None, reranker: bool, again: bool) -> None:
    from matcher.encoding.cross_encoder import OTHER_REREADER
    from matcher.encoding.hub import OTHER_MODEL, download_model, find_damage, mend
    from matcher.encoding.loading import refuse_code

    if again:
        commit, damaged = find_damage(name, folder)
        if damaged:
            mend(name, folder, commit, damaged, progress)
        return
    download_model(
        name,
        folder,
        progress,
        required="config.json" if reranker else "modules.json",
        kind="精读（重排）模型" if reranker else "文本向量模型",
        instead=OTHER_REREADER if reranker else OTHER_MODEL,
        check=lambda directory: refuse_code(directory, name),
    )


def _load(name: str, where: Path, reranker: bool) -> int:
    """Loads what was fetched; an error speaks of the model that was asked for, not of the directory."""
    from matcher.encoding.cross_encoder import load_reranker
    from matcher.encoding.sentence_transformer import load_encoder

    try:
        if reranker:
            load_reranker(str(where))
            return 0
        return load_encoder(str(where)).dimension
    except EncoderError as error:
        raise EncoderError(error.user_message.replace(str(where), name), error.hint) from error


def size_of(folder: Path) -> int:
    """Bytes of all files in a directory."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
