"""The shipped model: small, quick to load, an ordinary sentence-transformers model, and of some use."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from matcher.encoding import BUILTIN_DIR, load_encoder


def test_folder_is_small_and_has_a_card() -> None:
    assert sum(path.stat().st_size for path in BUILTIN_DIR.rglob("*") if path.is_file()) <= 40 * 2**20
    card = (BUILTIN_DIR / "README.md").read_text(encoding="utf-8")
    for word in ("ChinaXiv", "CC BY 4.0", "MIT", "python -m matcher encoder train", "nDCG@10"):
        assert word in card


@pytest.mark.alone
def test_plain_sentence_transformers_loads_it_quickly() -> None:
    from sentence_transformers import SentenceTransformer

    started = time.monotonic()
    model = SentenceTransformer(str(BUILTIN_DIR), device="cpu")
    assert time.monotonic() - started < 1.0
    vectors = model.encode(["海参养殖", "，。", ""])
    assert np.isfinite(vectors).all() and vectors[0].any() and not vectors[1:].any()


def test_it_needs_no_prompt_and_treats_both_sides_alike() -> None:
    encoder = load_encoder("builtin")
    texts = ["刀具磨得太快", "摩擦学与表面工程"]
    np.testing.assert_array_equal(encoder.encode_query(texts), encoder.encode_document(texts))


@pytest.mark.parametrize(
    ("need", "ranked"),
    [
        ("轴承用不了几个月就磨坏了", ["摩擦学与润滑", "作物遗传育种"]),
        ("海参夏天总化皮死掉", ["刺参病害防控", "电机驱动控制"]),
        ("红薯种几年就退化，薯苗带病毒", ["甘薯脱毒种苗繁育", "焊接冶金"]),
        ("焊出来有气孔，老返工", ["焊接缺陷与工艺", "水产动物营养"]),
    ],
)
def test_plain_words_find_the_discipline(need: str, ranked: list[str]) -> None:
    encoder = load_encoder("builtin")
    scores = encoder.encode_document(ranked) @ encoder.encode_query([need])[0]
    assert all(first > second for first, second in pairwise(scores))
