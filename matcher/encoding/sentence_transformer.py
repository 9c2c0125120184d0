"""Any sentence-transformers model as an `Encoder`, and the loading of one by name.

Owns the only imports of sentence_transformers outside training, all of them local to functions, and
the translation of every way a load can fail into an `EncoderError` that says what to do.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matcher.encoding.loading import BUILTIN_DIR, load_model
from matcher.encoding.protocol import (
    TEXT_VERSION,
    Encoder,
    Progress,
    Vectors,
    check_texts,
    is_blank,
    normalise_rows,
)
from matcher.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["BUILTIN_DIR", "SentenceTransformerEncoder", "load_encoder"]

_BATCHES_PER_STEP = 16
"""Batches between two progress reports of a model without a transformer; with one, a single batch takes seconds."""


class SentenceTransformerEncoder:
    """Adapter over a loaded `SentenceTransformer`.

    A prompt of None means the model's own query or document prompt; "" means no prompt. One call
    runs at a time: fast tokenizers may not be shared by threads.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        *,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        batch_size: int = 64,
        max_length: int | None = None,
    ) -> None:
        """Wraps `model`.

        Args:
            model: the loaded model; its maximum length is changed when `max_length` is given.
            name: shown to people.
            query_prompt: put before every query.
            document_prompt: put before every document.
            batch_size: texts per forward pass.
            max_length: tokens after which a text is cut; None keeps the model's own limit.

        Raises:
            ValueError: a size is not positive.
        """
        if batch_size < 1 or (max_length is not None and max_length < 1):
            raise ValueError("batch_size and max_length must be positive")
        self._model = model
        self._name = name
        self._query_prompt = query_prompt
        self._document_prompt = document_prompt
        self._batch_size = batch_size
        self._lock = threading.Lock()
        if max_length is not None and hasattr(model[0], "auto_model"):
            model.max_seq_length = max_length

    @property
    def name(self) -> str:
        return self._name

    @cached_property
    def dimension(self) -> int:
        """Length of a vector."""
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            dimension = int(np.asarray(self._model.encode(["维"])).shape[1])
        return dimension

    @cached_property
    def fingerprint(self) -> str:
        """64 hexadecimal digits; the same model gives the same ones on every machine."""
        digest = hashlib.sha256()
        facts: dict[str, Any] = {
            "text_version": TEXT_VERSION,
            "modules": [repr(module) for module in self._model],
            "max_length": str(self._model.max_seq_length),
            "query_prompt": self._prompt(self._query_prompt, ("query",)),
            "document_prompt": self._prompt(self._document_prompt, ("document", "passage", "corpus")),
            "tokenizer": _describe_tokenizer(self._model.tokenizer),
        }
        first: Any = self._model[0]
        if hasattr(first, "word_weights"):  # a bag of words keeps them outside its tensors
            facts["words"] = first.get_config_dict()
        digest.update(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode())
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(f"{key}{tensor.dtype}{tuple(tensor.shape)}".encode())
            raw = tensor.detach().cpu().contiguous().flatten()
            digest.update(raw.view(_byte_type()).numpy().data)
        return digest.hexdigest()

    def encode_query(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As `Encoder.encode_query`."""
        return self._encode(texts, self._model.encode_query, self._query_prompt, progress)

    def encode_document(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As `Encoder.encode_document`."""
        return self._encode(texts, self._model.encode_document, self._document_prompt, progress)

    def _encode(
        self, texts: Sequence[str], method: Any, prompt: str | None, progress: Progress | None
    ) -> Vectors:
        check_texts(texts)
        result = np.zeros((len(texts), self.dimension), dtype=np.float32)
        rows = [row for row, text in enumerate(texts) if not is_blank(text)]
        step = self._batch_size * (1 if hasattr(self._model[0], "auto_model") else _BATCHES_PER_STEP)
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            with self._lock:
                try:
                    vectors = method(
                        [texts[row] for row in block],
                        prompt=prompt,
                        batch_size=self._batch_size,
                        show_progress_bar=False,
                        convert_to_numpy=True,
                    )
                except (RuntimeError, ValueError, TypeError, IndexError) as error:
                    raise EncoderError(
                        f"编码器“{self._name}”计算文本向量时出错：{error}",
                        hint="内存不足时请换用较小的模型；否则请运行 python -m matcher doctor 检查模型。",
                    ) from error
            if not np.isfinite(vectors).all():
                raise EncoderError(
                    f"编码器“{self._name}”输出了无效数值。",
                    hint="模型文件可能已损坏，请重新下载，或改用内置模型 builtin。",
                )
            result[block] = normalise_rows(vectors)
            if progress is not None:
                progress(block[-1] + 1, len(texts))
        if progress is not None and texts and (not rows or rows[-1] + 1 < len(texts)):
            progress(len(texts), len(texts))
        return result

    def _prompt(self, given: str | None, names: tuple[str, ...]) -> str:
        """The prompt in effect: the given one, else the model's own under the first known name."""
        if given is not None:
            return given
        prompts = self._model.prompts
        return next((prompt for name in names if (prompt := prompts.get(name)) is not None), "")


def load_encoder(
    name: str,
    *,
    cache_dir: Path | str | None = None,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    offline: bool | None = None,
    batch_size: int = 64,
    max_length: int | None = None,
    progress: Progress | None = None,
) -> Encoder:
    """Loads an encoder by name.

    A local path never causes a network call. A hub name is looked up among the downloaded models
    first, and downloaded only when it is not there.

    Args:
        name: "builtin", a local directory, or a Hugging Face hub name such as
            "BAAI/bge-small-zh-v1.5".
        cache_dir: where hub models are kept; None means Hugging Face's default.
        query_prompt: replaces the model's own query prompt; None keeps it, "" switches it off.
        document_prompt: the same for documents.
        offline: True never downloads, False may, None follows HF_HUB_OFFLINE.
        batch_size: texts per forward pass.
        max_length: tokens after which a text is cut; None keeps the model's own limit.
        progress: while downloading, told bytes done and bytes in all.

    Returns:
        An encoder whose vectors have not been computed yet.

    Raises:
        EncoderError: the model is missing, cannot be downloaded, is incomplete, or is no
            embedding model; the hint says what to do.
    """
    model = load_model(name, cache_dir=cache_dir, offline=offline, progress=progress)
    return SentenceTransformerEncoder(
        model,
        name.strip(),
        query_prompt=query_prompt,
        document_prompt=document_prompt,
        batch_size=batch_size,
        max_length=max_length,
    )


def _byte_type() -> Any:
    import torch

    return torch.uint8


def _describe_tokenizer(tokenizer: Any) -> str:
    """The tokenizer as text, without the padding and truncation that a call may set."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if hasattr(backend, "to_str"):
        described: dict[str, Any] = json.loads(backend.to_str())
        described.pop("padding", None)
        described.pop("truncation", None)
        return json.dumps(described, sort_keys=True, ensure_ascii=False)
    if hasattr(tokenizer, "get_vocab"):
        vocabulary = tokenizer.get_vocab()
        if isinstance(vocabulary, Mapping):
            return json.dumps(sorted(vocabulary.items()), ensure_ascii=False)
        rest = (
            sorted(getattr(tokenizer, "stop_words", ())),
            bool(getattr(tokenizer, "do_lower_case", False)),
        )
        return json.dumps([list(vocabulary), *rest], ensure_ascii=False)  # a list: the place is the number
    return repr(tokenizer)
