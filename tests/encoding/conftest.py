"""Encoders the suites run on: the fake, the built-in, and a tiny BERT built here."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_bert_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved one-layer BERT of width 32 with mean pooling and prompts."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    root = tmp_path_factory.mktemp("tiny_bert")
    letters = sorted(set("海参养殖水下机器人焊接气孔轴承磨损怎么治查询：段落的长句子要截断"))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    (root / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(root / "vocab.txt"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(root / "plain")
    tokenizer.save_pretrained(root / "plain")
    transformer = Transformer(str(root / "plain"))
    model = SentenceTransformer(
        modules=[transformer, Pooling(32)],
        prompts={"query": "查询：", "document": "段落："},
        device="cpu",
    )
    model.save(str(root / "model"))
    return root / "model"
