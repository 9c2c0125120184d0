"""The training pipeline on a tiny corpus: it runs, repeats itself, and loads as any model does."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matcher.cli import main
from matcher.encoding.corpora import is_validation
from matcher.encoding.loop import BagModel, RowAdam, contrastive_loss
from matcher.encoding.sampling import SMOKE
from matcher.encoding.start import draw_directions
from matcher.encoding.train import train
from matcher.encoding.vocabulary import UNKNOWN, build_tokenizer, count_words
from matcher.errors import InputError

PLAIN = [
    "长不大",
    "死得多",
    "焊不牢",
    "有小洞",
    "转不动",
    "磨得快",
    "不出苗",
    "叶发黄",
    "买不到",
    "太费电",
    "味不正",
    "老变质",
]
WORDS = ["海参", "养殖", "焊接", "气孔", "轴承", "磨损", "甘薯", "病毒", "芯片", "功耗", "发酵", "菌种"]


def _write(path: Path, records: list[dict[str, Any]]) -> None:
    content = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    titles = [f"{a}{b}研究" for a in WORDS for b in WORDS]
    texts = [f"针对{title}，提出了新的方法，并用试验验证了效果。" for title in titles]
    rows = list(zip(titles, texts, strict=True))
    papers = [{"title": t, "abstract": x, "keywords": [t[:2], t[2:4]]} for t, x in rows]
    _write(folder / "chinaxiv_papers.jsonl.gz", papers)
    _write(
        folder / "chinaxiv_paragraphs.jsonl.gz",
        [{"title": t, "heading": None, "text": x} for t, x in rows],
    )
    _write(folder / "nsfc_life.jsonl.gz", [{"title": t, "keywords": [t[:2]]} for t in titles])
    _write(
        folder / "cilin.jsonl.gz",
        [{"relation": "synonym", "words": ["磨损", "损耗", "耗损"]}, {"relation": "?", "words": ["物"]}],
    )
    _write(
        folder / "gbt4754.jsonl.gz", [{"name": "海水养殖", "path": ["农、林、牧、渔业", "渔业", "海水养殖"]}]
    )
    return folder


@pytest.fixture(scope="module")
def thesaurus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thesaurus")
    _write(
        folder / "topics.jsonl",
        [
            {
                "topic": f"{word}原理",
                "sector": "通用",
                "lay": [f"机器{plain}", f"{plain}怎么办"],
                "terms": [f"{word}机理", f"{word}调控"],
                "objects": [word],
                "disciplines": [],
            }
            for word, plain in zip(WORDS, PLAIN, strict=True)
        ],
    )
    return folder


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("statements") / "pairs.jsonl"
    _write(
        path,
        [
            {"topic": f"{word}原理", "need": f"车间里{plain}，换了也没用", "profile": f"{word}的{end}"}
            for word, plain in zip(WORDS, PLAIN, strict=True)
            for end in ("机理", "模型")
        ],
    )
    return path


def _digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.is_file()}


def test_smoke_run_is_quick_repeatable_and_loadable(
    corpora: Path, thesaurus: Path, statements: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sentence_transformers import SentenceTransformer

    started = time.monotonic()
    common = ["encoder", "train", "--corpora", str(corpora), "--thesaurus", str(thesaurus)]
    common += ["--statements", str(statements), "--smoke"]
    assert main([*common, "--out", str(tmp_path / "one")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert time.monotonic() - started < 60
    assert report["n_topics"] == len(WORDS)
    assert report["n_pairs"]["title-abstract"] == len(WORDS) ** 2
    train(corpora, thesaurus, statements, tmp_path / "two", recipe=SMOKE)
    train(corpora, thesaurus, statements, tmp_path / "three", seed=1, recipe=SMOKE)
    assert _digest(tmp_path / "one") == _digest(tmp_path / "two")
    assert _digest(tmp_path / "one") != _digest(tmp_path / "three")
    vectors = SentenceTransformer(str(tmp_path / "one"), device="cpu").encode(["海参养殖", "，。🐟"])
    assert vectors.shape == (2, SMOKE.dimension)
    assert np.isfinite(vectors).all() and not vectors[1].any()


def test_training_brings_the_plain_words_to_the_terms(
    corpora: Path, thesaurus: Path, statements: Path, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    train(corpora, thesaurus, statements, tmp_path, recipe=replace(SMOKE, dimension=64, steps=(10, 100)))
    model = SentenceTransformer(str(tmp_path), device="cpu")
    needs = model.encode([f"我们的{plain}" for plain in PLAIN], normalize_embeddings=True)
    profiles = model.encode([f"{word}机理" for word in WORDS], normalize_embeddings=True)
    assert (np.argmax(needs @ profiles.T, axis=1) == np.arange(len(WORDS))).all()


def test_progress_counts_every_step(corpora: Path, thesaurus: Path, statements: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    train(corpora, thesaurus, statements, tmp_path, 0, lambda done, total: calls.append((done, total)), SMOKE)
    assert calls == [(step + 1, sum(SMOKE.steps)) for step in range(sum(SMOKE.steps))]


def test_missing_or_broken_input_says_what_to_do(
    corpora: Path, thesaurus: Path, statements: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="语料文件"):
        train(tmp_path, thesaurus, statements, tmp_path / "out", recipe=SMOKE)
    with pytest.raises(InputError, match="没有词库"):
        train(corpora, tmp_path, statements, tmp_path / "out", recipe=SMOKE)
    (tmp_path / "bad.jsonl").write_text('{"topic": \n', encoding="utf-8")
    with pytest.raises(InputError, match="第 1 行"):
        train(corpora, tmp_path, statements, tmp_path / "out", recipe=SMOKE)
    code = main(
        [
            "encoder",
            "train",
            "--corpora",
            "nowhere",
            "--thesaurus",
            str(thesaurus),
            "--out",
            str(tmp_path / "out"),
        ]
    )
    assert code == InputError.exit_code
    assert "--corpora" in capsys.readouterr().err


def test_vocabulary_spells_what_it_does_not_know() -> None:
    counts = count_words(["轴承磨损，轴承发热"] * 6 + ["XLPE电缆"] * 5)
    tokenizer = build_tokenizer(counts, 40)
    assert tokenizer.encode("轴承磨损！").tokens == ["轴承", "磨损"]
    assert tokenizer.encode("承热").tokens == ["承", "热"]
    assert tokenizer.encode("ＸＬＰＥ 12").tokens == ["xlpe", "1", "2"]
    assert tokenizer.encode("鳗").ids == [tokenizer.token_to_id(UNKNOWN)]
    assert tokenizer.encode("，。").ids == []
    with pytest.raises(ValueError, match="characters"):
        build_tokenizer(counts, 5)


def test_contrastive_loss_against_its_definition() -> None:
    import torch

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 3))
    scores = a @ b.T / 0.2
    rows = -np.mean([scores[i, i] - np.log(np.exp(scores[i]).sum()) for i in range(5)])
    columns = -np.mean([scores[i, i] - np.log(np.exp(scores[:, i]).sum()) for i in range(5)])
    loss = contrastive_loss(torch.from_numpy(a), torch.from_numpy(b), 0.2)
    assert float(loss) == pytest.approx((rows + columns) / 2)


def test_optimiser_leaves_absent_rows_alone() -> None:
    model = BagModel(draw_directions(np.ones(4), 3, seed=0))
    before = model.weight.detach().clone()
    rng = np.random.default_rng(0)
    vectors = model.embed([np.array([1, 2]), np.array([2])], 0.0, rng)
    np.testing.assert_allclose(np.linalg.norm(vectors.detach().numpy(), axis=1), 1.0, atol=1e-6)
    vectors[0].sum().backward()
    RowAdam(model.weight).step(0.1)
    moved = (model.weight.detach() != before).any(1).tolist()
    assert moved == [False, True, True, False]


def test_validation_topics_are_left_out_whole_and_measured(
    corpora: Path, thesaurus: Path, statements: Path, tmp_path: Path
) -> None:
    kept_out = [f"{word}原理" for word in WORDS if is_validation(f"{word}原理")]
    assert 0 < len(kept_out) < len(WORDS)
    report = train(corpora, thesaurus, statements, tmp_path / "out", recipe=SMOKE, holdout=True)
    assert report.n_topics == len(WORDS) - len(kept_out)
    assert report.validation_mrr is not None
    assert 1 / len(kept_out) <= report.validation_mrr <= 1
    assert train(corpora, thesaurus, statements, tmp_path / "two", recipe=SMOKE).validation_mrr is None


def test_a_broken_statement_file_is_named(corpora: Path, thesaurus: Path, tmp_path: Path) -> None:
    broken = tmp_path / "pairs.jsonl"
    broken.write_text('{"topic": "x"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="训练语句文件"):
        train(corpora, thesaurus, broken, tmp_path / "out", recipe=SMOKE)
