"""The technology thesaurus: topics that tie plain words to technical terms.

Owns the record and the file format (one JSON object a line). A topic says how people complain (``lay``), what the
field calls it (``terms``), the things it is about (``objects``) and who studies it (``disciplines``). Which topics a
query calls up is retrieval's business (``matcher.retrieval.expansion``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from matcher.errors import InputError

MAX_LEXICON_WORD = 8
_LISTS = ("lay", "terms", "objects", "disciplines")


@dataclass(frozen=True, slots=True)
class Topic:
    """One technology topic; every tuple is in the file's order and without blanks."""

    name: str
    sector: str
    lay: tuple[str, ...]
    terms: tuple[str, ...]
    objects: tuple[str, ...] = ()
    disciplines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Thesaurus:
    """All topics, ordered by name so that file order never changes a result."""

    topics: tuple[Topic, ...]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the whole content, 16 hex digits; part of the index manifest."""
        digest = hashlib.sha256()
        for topic in self.topics:
            parts = (
                topic.name,
                topic.sector,
                *topic.lay,
                "",
                *topic.terms,
                "",
                *topic.objects,
                "",
                *topic.disciplines,
            )
            digest.update("\x1f".join(parts).encode() + b"\x1e")
        return digest.hexdigest()[:16]

    @cached_property
    def lexicon(self) -> tuple[str, ...]:
        """Technical words for the word segmenter, sorted: terms, objects, disciplines of 2 to 8 characters."""
        words = {
            word
            for topic in self.topics
            for word in (*topic.terms, *topic.objects, *topic.disciplines)
            if 2 <= len(word) <= MAX_LEXICON_WORD
        }
        return tuple(sorted(words))


def _parse_topic(line: str, place: str) -> Topic:
    try:
        raw = json.loads(line)
        if not str(raw["topic"] or "").strip() or any(isinstance(raw.get(f), str) for f in _LISTS):
            raise ValueError("a topic needs a name, and its words in lists")
        fields = {
            name: tuple(str(item).strip() for item in raw.get(name, []) if str(item).strip())
            for name in _LISTS
        }
        return Topic(name=str(raw["topic"]).strip(), sector=str(raw.get("sector", "")).strip(), **fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"词库文件 {place} 读不懂。",
            "每行应是一个 JSON 对象，含 topic、lay、terms 等字段；请改正这一行后重试。",
        ) from error


def merge_topics(topics: Iterable[Topic]) -> Thesaurus:
    """Join topics of the same name (a bureau's own file may extend a shipped topic) and put them in name order."""
    by_name: dict[str, Topic] = {}
    for topic in topics:
        known = by_name.get(topic.name)
        if known is None:
            by_name[topic.name] = topic
            continue
        by_name[topic.name] = Topic(
            name=known.name,
            sector=min(filter(None, (known.sector, topic.sector)), default=""),
            lay=tuple(sorted({*known.lay, *topic.lay})),
            terms=tuple(sorted({*known.terms, *topic.terms})),
            objects=tuple(sorted({*known.objects, *topic.objects})),
            disciplines=tuple(sorted({*known.disciplines, *topic.disciplines})),
        )
    return Thesaurus(tuple(by_name[name] for name in sorted(by_name)))


def load_thesaurus(paths: Sequence[Path]) -> Thesaurus:
    """Read ``*.jsonl`` files, or folders of them.

    Raises:
        InputError: a line that is not a topic, named with file and line number.
    """
    files = [file for path in paths for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    topics = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"词库文件 {file.name} 打不开。", "请确认文件存在，并另存为 UTF-8 编码。"
            ) from error
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                topics.append(_parse_topic(line, f"{file.name} 第 {number} 行"))
    return merge_topics(topics)
