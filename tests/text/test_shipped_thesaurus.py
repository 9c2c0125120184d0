"""The shipped ``data/thesaurus``: the shape every topic keeps."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

from matcher.text.normalise import normalise
from matcher.text.thesaurus import Thesaurus
from matcher.vocab import Sector

FOLDER = Path(__file__).resolve().parents[2] / "data" / "thesaurus"
SECTORS = {*Sector, "通用"}  # common.jsonl: topics every sector needs (测量, 节能, 数字化 …)


def test_every_line_is_a_topic_of_its_own(shipped_thesaurus: Thesaurus) -> None:
    lines = [line for file in FOLDER.glob("*.jsonl") for line in file.read_text("utf-8").splitlines() if line]
    names = Counter(json.loads(line)["topic"] for line in lines)
    assert [name for name, n in names.items() if n > 1] == []
    assert len(shipped_thesaurus.topics) == len(lines) > 1000


def test_every_topic_is_rich_enough(shipped_thesaurus: Thesaurus) -> None:
    assert [t.name for t in shipped_thesaurus.topics if len(t.lay) < 6 or len(t.terms) < 8] == []
    assert [t.name for t in shipped_thesaurus.topics if not t.objects or not t.disciplines] == []


def test_no_phrase_stands_twice_in_a_topic(shipped_thesaurus: Thesaurus) -> None:
    def repeated(words: tuple[str, ...]) -> bool:
        return len({normalise(word) for word in words}) < len(words)

    twice = [
        t.name
        for t in shipped_thesaurus.topics
        if any(map(repeated, (t.lay, t.terms, t.objects, t.disciplines)))
    ]
    assert twice == []


def test_no_plain_phrase_means_everything(shipped_thesaurus: Thesaurus) -> None:
    topics_of = defaultdict(set)
    for topic in shipped_thesaurus.topics:
        for phrase in topic.lay:
            topics_of[normalise(phrase)].add(topic.name)
    assert {phrase: sorted(names) for phrase, names in topics_of.items() if len(names) > 3} == {}


def test_plain_is_not_technical(shipped_thesaurus: Thesaurus) -> None:
    assert [t.name for t in shipped_thesaurus.topics if set(t.lay) & set(t.terms)] == []


def test_sectors_are_known_and_all_served(shipped_thesaurus: Thesaurus) -> None:
    found = Counter(topic.sector for topic in shipped_thesaurus.topics)
    assert set(found) <= SECTORS
    assert all(found[sector] >= 100 for sector in Sector if sector is not Sector.OTHER)
