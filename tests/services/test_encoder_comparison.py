"""Variants of training, each run whole on a small sample of the shipped text."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from matcher.cli import main
from matcher.encoding.bag import BagEncoder
from matcher.encoding.protocol import Encoder
from matcher.encoding.vocabulary import NgramUnit, count_ngrams
from matcher.errors import InputError

EVAL = Path(__file__).resolve().parents[2] / "data" / "eval"
JUDGED = [f"--{kind}={EVAL / f'{kind}.csv'}" for kind in ("needs", "experts", "qrels")]


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    titles = [
        f"{a}{b}研究" for a in ("海参", "轴承", "甘薯", "电缆") for b in ("养殖", "磨损", "病害", "绝缘")
    ]
    records = {
        "chinaxiv_papers": [
            {"title": t, "abstract": f"研究{t}。", "keywords": [t[:2], t[2:4]]} for t in titles
        ],
        "chinaxiv_paragraphs": [{"title": t, "heading": None, "text": f"关于{t}。"} for t in titles],
        "nsfc_life": [{"title": t, "keywords": [t[:2]]} for t in titles],
        "cilin": [{"relation": "synonym", "words": ["磨损", "损耗"]}],
        "gbt4754": [{"name": "海水养殖", "path": ["渔业", "海水养殖"]}],
    }
    for name, rows in records.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return folder


def test_every_kind_of_variant_is_trained_and_measured(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("shipped", "cooccurrence", "ngrams", "half-topics")
    chosen = [f"--variant={name}" for name in names]
    command = [
        "--home",
        str(tmp_path),
        "encoder",
        "compare",
        f"--corpora={corpora}",
        *JUDGED,
        *chosen,
        "--smoke",
    ]
    assert main([*command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["variants"]
    assert [row["variant"] for row in rows] == list(names)
    assert rows[3]["n_topics"] == round(rows[0]["n_topics"] / 2)
    for row in rows:
        low, high = row["dense"]["ci95"]
        assert 0 <= low <= row["dense"]["mean"] <= high <= 1
        assert 0 < row["held_out_mrr"]["mean"] < 1
    assert "gain" not in rows[0]["fused"]
    assert {row["dense"]["mean"] for row in rows[:3]} != {rows[0]["dense"]["mean"]}, (
        "another model is measured"
    )


def test_an_unknown_variant_is_named(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--home", str(tmp_path), "encoder", "compare", f"--corpora={corpora}", *JUDGED]
    assert main([*command, "--variant=best"]) == InputError.exit_code
    assert "best" in capsys.readouterr().err


def test_ngrams_overlap_and_an_unknown_text_is_nothing() -> None:
    unit = NgramUnit(count_ngrams(["轴承磨损", "轴承 pvc"]), 100)
    whole, part, none = unit.to_ids(["轴承磨损，PVC", "承磨", "？"])
    assert len(whole) == 4 + 3 + 2 + 1
    assert set(part) <= set(whole)
    assert none.tolist() == [0]
    weight = np.random.default_rng(0).normal(size=(unit.n_pieces, 8)).astype(np.float32)
    weight[0] = 0.0
    encoder = BagEncoder("ngrams", weight, unit)
    assert isinstance(encoder, Encoder)
    vectors = encoder.encode_document(["轴承磨损", " ", "？"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0], atol=1e-6)
