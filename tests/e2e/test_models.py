"""A person changes the embedding model of the running app, watches it, and others go on working meanwhile."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e
SWITCH_MS = 240_000


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with random weights, large enough that a person can watch it at work."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    root = tmp_path_factory.mktemp("model")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(chr(code) for code in range(0x4E00, 0x9FA6))]
    (root / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=160,
    )
    BertModel(config).save_pretrained(root / "plain")
    BertTokenizerFast(vocab=str(root / "vocab.txt"), model_max_length=160).save_pretrained(root / "plain")
    modules = [Transformer(str(root / "plain")), Pooling(128)]
    SentenceTransformer(modules=modules, device="cpu").save(str(root / "tiny-model"))
    return root / "tiny-model"


def _ask_for(person: Any, name: str) -> None:
    person.part("model_kind").get_by_text("其他模型").click()
    box = person.part("model_name").get_by_role("textbox")
    box.fill(name)
    box.press("Enter")
    person.settle()
    person.page.get_by_role("button", name="检查并切换").click()


def test_switching_the_model_while_others_work(visit: Any, server: Any, model_dir: Path) -> None:
    person, other = visit(), visit()
    person.open("model")
    person.wait_for_model()
    expect(person.page.get_by_text("内置模型").first).to_be_visible()
    other.open("needs?need=N302")
    before = other.ranking("needs")
    assert len(before) == 5

    _ask_for(person, "/no/such/model")
    expect(person.page.get_by_text("没有换成")).to_be_visible()
    expect(person.page.get_by_text("找不到模型目录")).to_be_visible()

    _ask_for(person, str(model_dir))
    expect(person.part("model_running")).to_be_visible()
    expect(
        person.part("model_running").get_by_text(re.compile("计算向量（.+） [0-9,]+/[0-9,]+"))
    ).to_be_visible()
    expect(person.page.get_by_role("button", name="检查并切换")).to_be_disabled()
    other.open("needs?need=N302")
    assert other.ranking("needs") == before, "the old model answers while the new one is prepared"
    expect(other.page.locator(".m-status")).to_contain_text("正在换用")

    expect(person.page.get_by_text("已换用")).to_be_visible(timeout=SWITCH_MS)
    expect(person.page.locator(".m-fields").first).to_contain_text("128")
    expect(person.page.locator(".m-fields").first).to_contain_text(str(model_dir))
    other.open("needs?need=N302")
    after = other.ranking("needs")
    assert after  # weak results are folded away
    assert after != before
    settings = tomllib.loads((server.home / "settings.toml").read_text("utf-8"))
    assert settings["encoder"] == {"name": str(model_dir)}
    expect(person.page.get_by_text("环境变量 MATCHER_ENCODER").first).to_be_visible()

    person.part("model_kind").get_by_text("内置模型").click()
    person.settle()
    person.page.get_by_role("button", name="检查并切换").click()
    expect(person.page.locator(".m-fields").first).to_contain_text("随程序提供", timeout=SWITCH_MS)
    expect(person.page.get_by_text("已换用“内置模型”")).to_be_visible()
    other.open("needs?need=N302")
    assert other.ranking("needs") == before
    assert person.watch.outside == []


def test_the_page_fits_a_phone(visit: Any) -> None:
    person = visit(390, 844)
    person.open("model")
    person.wait_for_model()
    assert max(person.overflow()) <= 390
