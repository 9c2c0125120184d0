"""The models an installation's settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher.config import NO_ENCODER, Settings
from matcher.encoding.protocol import Encoder, Progress

if TYPE_CHECKING:
    from matcher.encoding.cross_encoder import Reranker


def build_encoder(settings: Settings, progress: Progress | None = None) -> Encoder | None:
    """The encoder the settings name; None for ``none``. ``progress`` counts bytes downloaded. Raises EncoderError."""
    wanted = settings.encoder
    if wanted.name == NO_ENCODER:
        return None
    from matcher.encoding.sentence_transformer import load_encoder

    return load_encoder(
        wanted.name,
        cache_dir=settings.home / "models",
        query_prompt=wanted.query_prompt,
        document_prompt=wanted.document_prompt,
        offline=wanted.offline or None,
        progress=progress,
    )


def build_reranker(settings: Settings, progress: Progress | None = None) -> Reranker | None:
    """The re-reading model the settings name; None when they name none. Raises EncoderError."""
    if not settings.reranker.name:
        return None
    from matcher.encoding.cross_encoder import load_reranker

    return load_reranker(
        settings.reranker.name,
        cache_dir=settings.home / "models",
        offline=settings.encoder.offline or None,
        progress=progress,
    )
