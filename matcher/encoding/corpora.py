"""Reads the training texts: topics of the thesaurus and pairs of related texts from open corpora.

Owns which fields of which corpus count as a pair. The corpora are not part of the repository; their
origins and licences are named in the model card. The judged development set is never read here.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from matcher.errors import InputError
from matcher.text.thesaurus import Topic, load_thesaurus

_T = TypeVar("_T")
_PARAGRAPH_CHARACTERS = 250


@dataclass(frozen=True)
class PairSource:
    """Related texts of one kind; `share` is how often a batch is drawn from it, relative."""

    name: str
    share: float
    pairs: tuple[tuple[str, str], ...]


def load_topics(paths: Sequence[Path]) -> list[Topic]:
    """Topics fit for training: those with plain phrases and terms, in name order.

    Raises:
        InputError: there is none, or a line is not an entry.
    """
    topics = [topic for topic in load_thesaurus(paths).topics if topic.lay and topic.terms]
    if not topics:
        places = "、".join(str(path) for path in paths)
        raise InputError(f"“{places}”中没有词库。", hint="请用 --thesaurus 指定 data/thesaurus。")
    return topics


def load_statements(path: Path) -> dict[str, list[tuple[str, str]]]:
    """This project's own pairs, plain problem statement ↔ profile line, by topic name.

    Raises:
        InputError: the file is missing, or a line is not a pair.
    """
    by_topic: dict[str, list[tuple[str, str]]] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            pair = json.loads(line)
            by_topic.setdefault(pair["topic"], []).append((pair["need"], pair["profile"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"训练语句文件 {path} 无法读取：{error}", hint="每行应是含 topic、need、profile 的 JSON 对象。"
        ) from error
    return by_topic


def is_validation(topic_name: str) -> bool:
    """Say whether a topic belongs to the tenth kept for validation, by a hash of its name."""
    return hashlib.sha256(topic_name.encode()).digest()[0] % 10 == 0


def texts_of(topic: Topic) -> list[str]:
    """Every phrase of a topic, its name first."""
    return [topic.name, *topic.lay, *topic.terms, *topic.objects, *topic.disciplines]


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
