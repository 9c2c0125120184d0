"""Re-reading: a model that reads a need and a profile together and says how well they fit.

Owns the `Reranker` protocol and its only adapter, over any sentence-transformers `CrossEncoder`. Does not know which
pairs are worth reading, nor what an order is: that is in ``services.reranking``. Loaded like an encoder.
"""

from __future__ import annotations

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from matcher.encoding.hub import FALLBACK
from matcher.encoding.loading import ModelKind, cpu_options, find_model
from matcher.encoding.protocol import Progress, check_texts
from matcher.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

MAX_TOKENS = 512
"""Longest pair read; a model that could read more is held to it, for the sake of an office PC."""
_REMEMBERED = 4096
"""Pairs whose answer is kept: a page is drawn again at every click."""
NO_REREADING = "也可以先不用精读。"
OTHER_REREADER = f"请换用只给一个分数的 CrossEncoder 模型，如 BAAI/bge-reranker-base；{NO_REREADING}"


class Reranker(Protocol):
    """Reads pairs of texts."""

    @property
    def name(self) -> str:
        """The name the model was asked for, as shown to people."""

    def read(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query, 0–1 (the logistic function of the model's score).

        Raises:
            EncoderError: the model failed or gave values that are not finite.
        """


class CrossEncoderReranker:
    """Adapter over a loaded `CrossEncoder`; one call runs at a time, and pairs read lately are remembered."""

    def __init__(self, model: CrossEncoder, name: str, *, batch_size: int = 8) -> None:
        """Wraps `model`.

        Args:
            model: the loaded model; pairs are cut to `MAX_TOKENS` or its own limit, whichever is less.
            name: shown to people.
            batch_size: pairs per forward pass.

        Raises:
            ValueError: the batch size is not positive.
        """
        if batch_size < 1:
            raise ValueError("batch_size must be positive")
        self._model, self._name, self._batch_size = model, name, batch_size
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = threading.Lock()
        own = model.max_seq_length
        model.max_seq_length = min(own, MAX_TOKENS) if own else MAX_TOKENS

    @property
    def name(self) -> str:
        return self._name

    def read(self, query: str, texts: Sequence[str]) -> list[float]:
        """As `Reranker.read`."""
        check_texts(texts)
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if (query, text) not in self._known]
            if missing:
                self._known |= {
                    (query, t): v for t, v in zip(missing, self._predict(query, missing), strict=True)
                }
            for text in texts:
                self._known.move_to_end((query, text))
            found = [self._known[query, text] for text in texts]
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _predict(self, query: str, texts: Sequence[str]) -> list[float]:
        import torch

        try:
            raw = self._model.predict(
                [(query, text) for text in texts],
                batch_size=self._batch_size,
                activation_fn=torch.nn.Identity(),
                show_progress_bar=False,
            )
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise EncoderError(
                f"精读模型“{self._name}”计算时出错：{error}", hint="内存不足时请换用较小的模型，或关闭精读。"
            ) from error
        scores = [float(value) for value in raw]
        if not all(map(math.isfinite, scores)):
            raise EncoderError(
                f"精读模型“{self._name}”输出了无效数值。", hint="模型文件可能已损坏，请重新下载，或关闭精读。"
            )
        return [sigmoid(score) for score in scores]


def sigmoid(value: float) -> float:
    """Logistic function, 0–1, for any finite value."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    grown = math.exp(value)
    return grown / (1.0 + grown)


def load_reranker(
    name: str,
    *,
    cache_dir: Path | str | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> Reranker:
    """Loads a re-reading model by name; arguments as in `load_encoder`.

    Raises:
        EncoderError: the model is missing, cannot be downloaded, is incomplete, or gives no single score.
    """
    name = name.strip()
    if not name:
        raise EncoderError("没有填写精读模型的名称。", hint=OTHER_REREADER)
    kind = ModelKind(
        "精读（重排）模型", "config.json", OTHER_REREADER, lambda location: _build(location, name)
    )
    try:
        model = find_model(kind, name, cache_dir=cache_dir, offline=offline, progress=progress)
    except EncoderError as error:
        raise EncoderError(error.user_message, error.hint.replace(FALLBACK, NO_REREADING)) from error
    if model.num_labels != 1:
        raise EncoderError(f"模型“{name}”给出 {model.num_labels} 个分数，不能用来精读。", hint=OTHER_REREADER)
    return CrossEncoderReranker(model, name)


def _build(location: str, name: str) -> CrossEncoder:
    """Raises EncoderError for a model without a scoring head: the library would invent one at random."""
    from sentence_transformers import CrossEncoder

    folder = Path(location)
    architectures: list[Any] = _read(folder / "config.json").get("architectures") or []
    saved_as = _read(folder / "config_sentence_transformers.json").get("model_type")
    if saved_as != "CrossEncoder" and not any("SequenceClassification" in str(a) for a in architectures):
        raise EncoderError(f"“{name}”不是精读（重排）模型：它没有打分的一层。", hint=OTHER_REREADER)
    model: CrossEncoder = CrossEncoder(
        location, local_files_only=True, device="cpu", model_kwargs=cpu_options()
    )
    return model


def _read(path: Path) -> dict[str, Any]:
    """Object in a JSON file; an empty one when the file is missing. Raises ValueError when it is no JSON object."""
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds no JSON object")
    return content
