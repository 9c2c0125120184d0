"""Reads the training texts: topics of the thesaurus and pairs of related texts from open corpora.

Owns which fields of which corpus count as a pair. The corpora are not part of the repository; their
origins and licences are named in the model card. The judged development set is never read here.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from matcher.errors import InputError

_T = TypeVar("_T")
_PARAGRAPH_CHARACTERS = 250


@dataclass(frozen=True)
class Topic:
    """One entry of the thesaurus: how firms put a problem and how researchers name it."""

    topic: str
    lay: tuple[str, ...]
    terms: tuple[str, ...]
    objects: tuple[str, ...]
    disciplines: tuple[str, ...]

    def texts(self) -> list[str]:
        """Every phrase of the entry."""
        return [self.topic, *self.lay, *self.terms, *self.objects, *self.disciplines]


@dataclass(frozen=True)
class PairSource:
    """Related texts of one kind; `share` is how often a batch is drawn from it, relative."""

    name: str
    share: float
    pairs: tuple[tuple[str, str], ...]


def load_topics(directory: Path) -> list[Topic]:
    """Reads every `*.jsonl` of the thesaurus, in the order of file names.

    Raises:
        InputError: there is no such file, or a line is not an entry.
    """
    topics = []
    for path in sorted(directory.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    topics.append(_parse_topic(json.loads(line)))
                except (ValueError, KeyError, TypeError) as error:
                    raise InputError(
                        f"词库文件 {path.name} 第 {number} 行无法读取：{error}",
                        hint="每行应为一个 JSON 对象，含 topic、lay、terms、objects、disciplines。",
                    ) from error
    if not topics:
        raise InputError(f"目录 {directory} 中没有词库。", hint="请用 --thesaurus 指定 data/thesaurus。")
    return topics


def _parse_topic(entry: dict[str, Any]) -> Topic:
    topic = Topic(
        topic=str(entry["topic"]),
        lay=tuple(entry["lay"]),
        terms=tuple(entry["terms"]),
        objects=tuple(entry.get("objects", ())),
        disciplines=tuple(entry.get("disciplines", ())),
    )
    if not topic.lay or not topic.terms:
        raise ValueError("lay 与 terms 不能为空")
    return topic


def load_pairs(directory: Path, rng: np.random.Generator, limit: int) -> list[PairSource]:
    """Reads the corpora with a clear licence: ChinaXiv, 词林, GB/T 4754 and life-science projects.

    Args:
        directory: holds the `*.jsonl.gz` files.
        rng: draws the sample where a corpus has more than `limit` records.
        limit: most pairs taken from one corpus.

    Raises:
        InputError: a file is missing or unreadable.
    """
    papers = list(_read(directory, "chinaxiv_papers"))
    paragraphs = _sample(list(_read(directory, "chinaxiv_paragraphs")), rng, limit)
    projects = list(_read(directory, "nsfc_life"))
    synonyms = [
        record["words"]
        for record in _read(directory, "cilin")
        if record["relation"] == "synonym" and len(record["words"]) > 1
    ]
    industries = list(_read(directory, "gbt4754"))
    sources = {
        "title-abstract": (2.0, [(r["title"], r["abstract"]) for r in papers]),
        "keywords-abstract": (1.0, [(_join(r["keywords"]), r["abstract"]) for r in papers]),
        "heading-paragraph": (
            3.0,
            [(_join([r["title"], r["heading"]]), r["text"][:_PARAGRAPH_CHARACTERS]) for r in paragraphs],
        ),
        "project-keywords": (0.5, [(r["title"], _join(r["keywords"])) for r in projects]),
        "synonyms": (0.3, [_two(words, rng) for words in synonyms]),
        "industries": (0.1, [(r["name"], _join(r["path"][:-1])) for r in industries]),
    }
    return [
        PairSource(name, share, tuple(_sample([p for p in pairs if p[0] and p[1]], rng, limit)))
        for name, (share, pairs) in sources.items()
    ]


def _read(directory: Path, name: str) -> Iterator[dict[str, Any]]:
    path = directory / f"{name}.jsonl.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(
            f"语料文件 {path} 无法读取：{error}",
            hint="请用 --corpora 指定语料目录，并检查文件完整。",
        ) from error


def _join(parts: list[str | None] | None) -> str:
    return "；".join(part for part in parts or () if part)


def _two(words: list[str], rng: np.random.Generator) -> tuple[str, str]:
    first, second = rng.choice(len(words), size=2, replace=False)
    return words[first], words[second]


def _sample(records: list[_T], rng: np.random.Generator, limit: int) -> list[_T]:
    if len(records) <= limit:
        return records
    return [records[index] for index in sorted(rng.choice(len(records), limit, replace=False))]
