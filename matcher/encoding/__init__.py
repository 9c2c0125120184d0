"""Text → unit vectors: the encoder protocol, its adapters, the vector cache and the built-in model.

Owns everything that knows what a neural model is. Does not own text cleaning (`matcher.text`), nor
search over the vectors (`matcher.retrieval`). Importing this package loads numpy only; torch,
transformers and sentence_transformers are loaded by the first `load_encoder`.
"""

from matcher.encoding.cache import CachedEncoder
from matcher.encoding.protocol import DEFAULT, Encoder, Progress, Vectors
from matcher.encoding.sentence_transformer import (
    BUILTIN_DIR,
    SentenceTransformerEncoder,
    load_encoder,
)

__all__ = [
    "BUILTIN_DIR",
    "DEFAULT",
    "CachedEncoder",
    "Encoder",
    "Progress",
    "SentenceTransformerEncoder",
    "Vectors",
    "load_encoder",
]
