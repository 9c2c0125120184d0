"""The encoder an installation's settings name."""

from __future__ import annotations

from matcher.config import NO_ENCODER, Settings
from matcher.encoding.protocol import Encoder


def build_encoder(settings: Settings) -> Encoder | None:
    """The encoder the settings name; None for ``none``. Raises EncoderError."""
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
    )
