"""Benchmark of quality on public test files nobody trained on: CSL and a set of judged sentence pairs.

Owns the formats of those files and what is set beside what. The arithmetic is in ``matcher.evaluation.paired_texts``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.config import NO_ENCODER, Settings
from matcher.encoding.protocol import Encoder
from matcher.errors import InputError
from matcher.evaluation.paired_texts import (
    Measured,
    correlate_with_interval,
    feature_cosines,
    mean_reciprocal_rank,
    meaning_cosines,
    plain_words,
    rank_by_meaning,
    rank_by_words,
)
from matcher.intake.readers import decode_text
from matcher.services.encoder import build_encoder
from matcher.services.evaluating import read_bytes
from matcher.text.thesaurus import load_thesaurus
from matcher.text.tokenise import Tokeniser

Pairs = tuple[list[str], list[str], NDArray[np.float64]]
"""First sentences, second sentences, judged similarity; n each."""


@dataclass(frozen=True)
class TextBench:
    """Quality on public test files: task → system → figure, with how many queries or pairs each task has.

    Tasks: ``title`` and ``keywords`` find the abstract they belong to among all (MRR); ``sts`` is Spearman's
    correlation with the judged similarity. Systems: ``dense``, ``lexical`` (the product's words and character
    n-grams), ``words`` (plain BM25 over jieba words; not for ``sts``).
    """

    encoder: str
    sizes: Mapping[str, int]
    figures: Mapping[str, Mapping[str, Measured]]

    def as_json(self) -> dict[str, object]:
        return {
            "encoder": self.encoder,
            **{
                task: {
                    "n": self.sizes[task],
                    "metric": "spearman" if task == "sts" else "mrr",
                    **{system: figure.as_json() for system, figure in systems.items()},
                }
                for task, systems in self.figures.items()
            },
        }


@dataclass(frozen=True)
class CslTest:
    """Titles, keywords and abstracts of the same papers, in order."""

    titles: tuple[str, ...]
    keywords: tuple[str, ...]
    abstracts: tuple[str, ...]


def _fields(path: Path, n_fields: int) -> list[list[str]]:
    lines = decode_text(read_bytes(path), path.name).splitlines()
    rows = [line.split("\t") for line in lines if line.strip()]
    for number, row in enumerate(rows, 1):
        if len(row) < n_fields or not all(field.strip() for field in row[:n_fields]):
            raise InputError(
                f"{path.name} 第 {number} 行不是 {n_fields} 列。",
                "各列应以制表符隔开，任务名、摘要、标题或关键词。",
            )
    return rows


def read_csl(folder: Path, limit: int | None = None) -> CslTest:
    """Read ``ts.test.tsv`` (titles) and ``kg.test.tsv`` (keywords) of CSL.

    The keyword file appends the title to the abstract; here both tasks search the abstracts alone, so that the title
    helps nobody.

    Raises:
        InputError: a file is missing, malformed or empty, or the two files do not list the same papers.
    """
    titled = _fields(folder / "ts.test.tsv", 3)[:limit]
    keyed = _fields(folder / "kg.test.tsv", 3)[:limit]
    same = len(titled) == len(keyed) and all(
        key[1].startswith(title[1]) for title, key in zip(titled, keyed, strict=True)
    )
    if not titled or not same:
        raise InputError("ts.test.tsv 与 kg.test.tsv 不是同一批论文。", "请使用 CSL 发布的两个测试文件。")
    return CslTest(
        tuple(row[2] for row in titled),
        tuple(row[2].replace("_", "、") for row in keyed),
        tuple(row[1] for row in titled),
    )


def read_sts(path: Path, limit: int | None = None) -> Pairs:
    """Pairs and their judged similarity from JSON lines with ``s1``, ``s2``, ``label``; ``.gz`` may be compressed.

    Raises:
        InputError: the file cannot be read, a line is no pair, or there are fewer than three.
    """
    raw = read_bytes(path)
    try:
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
        rows = [json.loads(line) for line in text.splitlines() if line.strip()][:limit]
        left, right = [str(row["s1"]) for row in rows], [str(row["s2"]) for row in rows]
        labels = np.array([float(row["label"]) for row in rows])
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path.name} 不是句对文件。", "每行应是一个含 s1、s2、label 的 JSON 对象。"
        ) from error
    if len(rows) < 3:
        raise InputError(f"{path.name} 的句对太少。", "至少要三对。")
    return left, right, labels


def measure_texts(
    settings: Settings, csl: Path, sts: Path | None = None, limit: int | None = None
) -> TextBench:
    """Measure the settings' model, when they name one, beside lexical search.

    Raises:
        InputError: a test file cannot be used.
        EncoderError: the model cannot be loaded.
    """
    papers = read_csl(csl, limit)
    pairs = read_sts(sts, limit) if sts else None
    encoder = build_encoder(settings)
    tokeniser = Tokeniser(load_thesaurus(settings.thesaurus_paths).lexicon)
    figures = {
        "title": _search(encoder, tokeniser, papers.titles, papers.abstracts),
        "keywords": _search(encoder, tokeniser, papers.keywords, papers.abstracts),
    }
    sizes = dict.fromkeys(figures, len(papers.abstracts))
    if pairs:
        figures["sts"] = _similarity(encoder, tokeniser, pairs)
        sizes["sts"] = len(pairs[0])
    return TextBench(encoder.name if encoder else NO_ENCODER, sizes, figures)


def _search(
    encoder: Encoder | None, tokeniser: Tokeniser, queries: Sequence[str], documents: Sequence[str]
) -> dict[str, Measured]:
    features = [[tokeniser.features(text) for text in texts] for texts in (queries, documents)]
    words = [plain_words(texts) for texts in (queries, documents)]
    ranks = {"dense": rank_by_meaning(encoder, queries, documents)} if encoder else {}
    ranks |= {"lexical": rank_by_words(*features), "words": rank_by_words(*words)}
    return {system: mean_reciprocal_rank(values) for system, values in ranks.items()}


def _similarity(encoder: Encoder | None, tokeniser: Tokeniser, pairs: Pairs) -> dict[str, Measured]:
    left, right, labels = pairs
    cosines = {"dense": meaning_cosines(encoder, left, right)} if encoder else {}
    cosines["lexical"] = feature_cosines(tokeniser, left, right)
    return {system: correlate_with_interval(values, labels) for system, values in cosines.items()}
