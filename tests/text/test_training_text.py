"""The project's own training text: format, variety, and nothing taken from the judged needs."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from matcher.encoding.corpora import is_validation
from matcher.text.normalise import normalise
from matcher.text.thesaurus import Thesaurus, load_thesaurus

DATA = Path(__file__).resolve().parents[2] / "data"
SHINGLE = 6


def bare(text: str) -> str:
    return re.sub(r"[^\w]", "", normalise(text))


def shingles(text: str) -> set[str]:
    content = bare(text)
    return {content[i : i + SHINGLE] for i in range(len(content) - SHINGLE + 1)}


@pytest.fixture(scope="module")
def thesaurus() -> Thesaurus:
    return load_thesaurus([DATA / "thesaurus"])


@pytest.fixture(scope="module")
def pairs() -> list[dict[str, str]]:
    lines = (DATA / "training" / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def judged() -> set[str]:
    with (DATA / "eval" / "needs.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return {s for row in rows for field in ("title", "problem", "keywords") for s in shingles(row[field])}


def test_there_are_topics_and_pairs_enough(thesaurus: Thesaurus, pairs: list[dict[str, str]]) -> None:
    assert len(thesaurus.topics) >= 2_000
    assert len({(pair["need"], pair["profile"]) for pair in pairs}) >= 6_000
    assert {pair["topic"] for pair in pairs} == {topic.name for topic in thesaurus.topics}


def test_pairs_are_varied_and_not_said_twice(pairs: list[dict[str, str]]) -> None:
    needs = [pair["need"] for pair in pairs]
    assert len(set(needs)) == len(needs)
    lengths = sorted(map(len, needs))
    assert lengths[0] >= 12
    assert lengths[len(needs) // 10] <= 30, "short statements"
    assert lengths[len(needs) * 9 // 10] >= 55, "long statements"
    openings = Counter(need[:4] for need in needs)
    assert openings.most_common(1)[0][1] <= len(needs) // 50, "no template"
    assert Counter(pair["topic"] for pair in pairs).most_common(1)[0][1] <= 6


def test_a_tenth_of_the_topics_is_kept_for_validation(thesaurus: Thesaurus) -> None:
    share = sum(is_validation(topic.name) for topic in thesaurus.topics) / len(thesaurus.topics)
    assert 0.08 <= share <= 0.12


def test_no_six_characters_are_shared_with_a_judged_need(
    thesaurus: Thesaurus, pairs: list[dict[str, str]], judged: set[str]
) -> None:
    plain = [phrase for topic in thesaurus.topics for phrase in topic.lay]
    statements = [pair["need"] for pair in pairs]
    assert not [text for text in (*plain, *statements) if shingles(text) & judged]
