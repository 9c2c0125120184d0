"""The yardstick of speed: a small transformer with random weights, built here, so that nothing is downloaded.

Owns its shape: four layers of width 512 with a character vocabulary of the usual size, which is the shape of the
small Chinese embedding models people use. Its vectors mean nothing; only its time counts. A Latin word is one unknown
token, so the peer is never slowed down by spelling.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PEER = "4 层 × 512 维 BERT（随机权重）"
LAYERS, WIDTH, HEADS, FEED_FORWARD = 4, 512, 8, 2048
VOCABULARY = 21_128
MAX_TOKENS = 512
_FIRST_HAN, _LAST_HAN = 0x4E00, 0x9FFF


def build_peer(seed: int = 0) -> SentenceTransformer:
    """The peer with mean pooling, in single precision on the CPU; one token a Chinese character."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer
    from transformers.utils import logging

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in range(0x21, 0x7F) if not chr(code).isupper()]
    characters = [chr(code) for code in range(_FIRST_HAN, _LAST_HAN + 1)]
    pieces = [*special, *letters, *characters]
    pieces = (pieces + [f"[unused{number}]" for number in range(VOCABULARY)])[:VOCABULARY]
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=FEED_FORWARD,
        max_position_embeddings=MAX_TOKENS,
    )
    noisy = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with tempfile.TemporaryDirectory() as folder:
            vocabulary = Path(folder) / "vocab.txt"
            vocabulary.write_text("\n".join(pieces), encoding="utf-8")
            BertTokenizer(vocab=str(vocabulary)).save_pretrained(folder)
            BertModel(config).save_pretrained(folder)
            transformer = Transformer(folder)
    finally:
        if noisy:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(modules=[transformer, Pooling(WIDTH)], device="cpu")
