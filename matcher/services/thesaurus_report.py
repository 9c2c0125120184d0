"""What the thesaurus covers, where it is thin, and what it shares with judged data.

Owns the measures of coverage and of leakage. Leakage is read off two questions: did an author of the thesaurus see
the judged needs, or the profiles they are matched with?

* Needs: no plain phrase may share ``SHINGLE`` characters in a row with a judged need.
* Profiles: three measures are held under ``MAX_SHARE``. Terms that occur anywhere in a profile, as a share of all
  terms; entries that *are* a phrase a profile lists, as a share of all entries; and entries of ``SHINGLE`` or more
  characters that share so many in a row with a profile, as a share of the entries that long. Objects are the common
  names of things (土壤, 传感器), which no profile can avoid: for them occurrence is reported by length only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from matcher.config import Settings
from matcher.models import Expert, Need
from matcher.services.evaluating import read_records
from matcher.text.normalise import normalise, split_phrases
from matcher.text.thesaurus import Thesaurus, Topic, load_thesaurus

SHINGLE = 6
MAX_SHARE = 0.01
MIN_PHRASES = 6
MIN_TERMS = 8
MIN_TOPICS = 3
COMMONEST = 30
LENGTHS = (1, 4, 6, 8)
_NO_WORD = re.compile(r"[^\w]")
_LIST_END = re.compile(r"[，,/]")


def bare(text: str) -> str:
    """Normalised letters, digits and characters of a text, without any sign between them."""
    return _NO_WORD.sub("", normalise(text))


def shingles(text: str) -> set[str]:
    """Every run of ``SHINGLE`` characters of the bare text; none for a shorter one."""
    content = bare(text)
    return {content[i : i + SHINGLE] for i in range(len(content) - SHINGLE + 1)}


@dataclass(frozen=True, slots=True)
class Count:
    """So many of so many."""

    n: int
    total: int

    @property
    def share(self) -> float:
        return self.n / self.total if self.total else 0.0

    def as_json(self) -> dict[str, object]:
        return {"n": self.n, "total": self.total, "share": round(self.share, 5)}


@dataclass(frozen=True)
class Sharing:
    """What distinct entries of one kind share with expert profiles.

    Attributes:
        occurring: least length → entries at least that long that occur in a profile, of all entries that long.
        equal: entries that are a phrase of a profile's lists, of all entries. Held under ``MAX_SHARE``.
        shingled: entries that share ``SHINGLE`` characters in a row with a profile, of the entries that long. Held
            under ``MAX_SHARE``.
        examples: the longest entries that occur, at most ten.
        hold_occurrence: occurrence of any length is held under ``MAX_SHARE`` too.
    """

    occurring: Mapping[int, Count]
    equal: Count
    shingled: Count
    examples: tuple[str, ...]
    hold_occurrence: bool = False

    @property
    def ok(self) -> bool:
        occurring = self.occurring[min(LENGTHS)].share if self.hold_occurrence else 0.0
        return max(self.equal.share, self.shingled.share, occurring) < MAX_SHARE

    def as_json(self) -> dict[str, object]:
        return {
            "occurring": {f"{length}+": count.as_json() for length, count in self.occurring.items()},
            "equal_to_a_listed_phrase": self.equal.as_json(),
            f"sharing_{SHINGLE}_characters": self.shingled.as_json(),
            "ok": self.ok,
            "examples": list(self.examples),
        }


@dataclass(frozen=True)
class ThesaurusReport:
    """Coverage, thin places, and what is shared with judged data.

    Attributes:
        counts: topics, and distinct plain phrases, terms, objects, disciplines.
        sectors: sector → the same counts, without disciplines.
        disciplines: discipline → topics, the commonest first.
        repeated: plain phrases by the number of topics they stand in, from two.
        thin: topics with fewer than ``MIN_PHRASES`` plain phrases or ``MIN_TERMS`` terms.
        needs: plain phrases that share ``SHINGLE`` characters with a need; None when no needs were given.
        experts: kind → what entries of that kind share with profiles; None when no experts were given.
    """

    counts: Mapping[str, int]
    sectors: Mapping[str, Mapping[str, int]]
    disciplines: Mapping[str, int]
    repeated: Mapping[int, int]
    thin: tuple[str, ...]
    needs: tuple[str, ...] | None = None
    experts: Mapping[str, Sharing] | None = None

    @property
    def n_rare_disciplines(self) -> int:
        """Disciplines with fewer than ``MIN_TOPICS`` topics."""
        return sum(n < MIN_TOPICS for n in self.disciplines.values())

    def as_json(self) -> dict[str, object]:
        found: dict[str, object] = {
            **self.counts,
            "sectors": {sector: dict(counts) for sector, counts in self.sectors.items()},
            "commonest_disciplines": dict(list(self.disciplines.items())[:COMMONEST]),
            "disciplines_under_three_topics": self.n_rare_disciplines,
            "phrases_in_several_topics": {str(n): count for n, count in self.repeated.items()},
            "thin_topics": list(self.thin),
        }
        if self.needs is not None:
            found["shared_with_needs"] = {
                "shingle": SHINGLE,
                "n": len(self.needs),
                "phrases": list(self.needs),
            }
        if self.experts is not None:
            found["shared_with_experts"] = {kind: one.as_json() for kind, one in self.experts.items()}
        return found


def _distinct(topics: Iterable[Topic], field: str) -> set[str]:
    return {bare(entry) for topic in topics for entry in getattr(topic, field)} - {""}


def _count(topics: list[Topic]) -> dict[str, int]:
    return {
        "topics": len(topics),
        "plain_phrases": len(_distinct(topics, "lay")),
        "terms": len(_distinct(topics, "terms")),
        "objects": len(_distinct(topics, "objects")),
    }


def describe_thesaurus(thesaurus: Thesaurus) -> ThesaurusReport:
    """Coverage and thin places."""
    topics = list(thesaurus.topics)
    by_sector: dict[str, list[Topic]] = {}
    for topic in topics:
        by_sector.setdefault(topic.sector, []).append(topic)
    of_discipline = Counter(name for topic in topics for name in dict.fromkeys(topic.disciplines))
    of_phrase = Counter(phrase for topic in topics for phrase in {bare(p) for p in topic.lay})
    repeats = Counter(n for n in of_phrase.values() if n > 1)
    return ThesaurusReport(
        {**_count(topics), "disciplines": len(of_discipline)},
        {sector: _count(by_sector[sector]) for sector in sorted(by_sector)},
        dict(sorted(of_discipline.items(), key=lambda pair: (-pair[1], pair[0]))),
        dict(sorted(repeats.items())),
        tuple(t.name for t in topics if len(t.lay) < MIN_PHRASES or len(t.terms) < MIN_TERMS),
    )


def find_shared_phrases(thesaurus: Thesaurus, needs: Iterable[Need]) -> tuple[str, ...]:
    """Plain phrases that share ``SHINGLE`` characters in a row with a need, sorted."""
    judged = {
        shingle
        for need in needs
        for text in (need.title, need.problem, need.key_tech, need.goal, *need.keywords)
        for shingle in shingles(text)
    }
    phrases = {phrase for topic in thesaurus.topics for phrase in topic.lay}
    return tuple(sorted(phrase for phrase in phrases if shingles(phrase) & judged))


def compare_with_profiles(
    entries: set[str], experts: Iterable[Expert], *, hold_occurrence: bool = False
) -> Sharing:
    """What bare entries share with profiles (names and departments included)."""
    fields = [
        text
        for e in experts
        for text in (
            e.name,
            e.department,
            *e.disciplines,
            *e.research_directions,
            *e.achievements,
            *e.keywords,
            e.industry_experience,
        )
    ]
    listed = {bare(p) for text in fields for piece in _LIST_END.split(text) for p in split_phrases(piece)}
    text = "\n".join(bare(field) for field in fields)
    runs = {shingle for field in fields for shingle in shingles(field)}
    occurring = {entry for entry in entries if entry in text}

    def longer(of: set[str], length: int) -> int:
        return sum(len(entry) >= length for entry in of)

    return Sharing(
        {length: Count(longer(occurring, length), longer(entries, length)) for length in LENGTHS},
        Count(len(entries & listed), len(entries)),
        Count(sum(bool(shingles(entry) & runs) for entry in entries), longer(entries, SHINGLE)),
        tuple(sorted(occurring, key=lambda entry: (-len(entry), entry))[:10]),
        hold_occurrence,
    )


def report_thesaurus(
    settings: Settings, needs: Path | None = None, experts: Path | None = None
) -> ThesaurusReport:
    """Report on the settings' thesaurus, beside judged needs and profiles where their files are given.

    Raises:
        InputError: a file cannot be used.
    """
    thesaurus = load_thesaurus(settings.thesaurus_paths)
    report = describe_thesaurus(thesaurus)
    if needs is not None:
        records = [r for r in read_records("needs", needs) if isinstance(r, Need)]
        report = replace(report, needs=find_shared_phrases(thesaurus, records))
    if experts is not None:
        profiles = [r for r in read_records("experts", experts) if isinstance(r, Expert)]
        shared = {
            kind: compare_with_profiles(
                _distinct(thesaurus.topics, kind), profiles, hold_occurrence=kind == "terms"
            )
            for kind in ("terms", "objects")
        }
        report = replace(report, experts=shared)
    return report
