"""What is searched: experts (or needs) as bundles of short facets, in one canonical order.

Owns the cutting of records into facets and requirement lines. Items are ordered by id and facets by item, field and
position, so that the order of rows in a file or table never changes a result.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from matcher.models import Expert, Facet, Need, RequirementLine, Work
from matcher.text.normalise import TEXT_VERSION, has_content, split_phrases, split_sentences
from matcher.vocab import FacetKind, LineKind

MAX_PERSON_NAME = 4
_TEAM = re.compile("团队|课题组|实验室|研究|中心|平台|[组室所院系]$")
_SAMPLE_SUFFIX = re.compile(r"示例团队\d*$")
MIN_SENTENCE = 6  # shorter sentences are joined to the one before: alone they match anything


@dataclass(frozen=True)
class Pool:
    """Items and their facets.

    Attributes:
        item_ids: ids in ascending order, n items.
        facets: all facets, grouped by item in the order of ``item_ids``.
        starts: n + 1 offsets; the facets of item i are ``facets[starts[i]:starts[i + 1]]``.
    """

    item_ids: tuple[str, ...]
    facets: tuple[Facet, ...]
    starts: NDArray[np.int64]

    @cached_property
    def position(self) -> dict[str, int]:
        """Item id → row."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """Row of the item each facet belongs to, shape (number of facets,)."""
        return np.repeat(np.arange(len(self.item_ids)), np.diff(self.starts))

    @cached_property
    def content_hash(self) -> str:
        """Hash over ids and texts, 16 hex digits: two pools with equal hashes give equal results."""
        digest = hashlib.sha256("\x1f".join((TEXT_VERSION, *self.item_ids, "\x1e")).encode())
        for facet in self.facets:
            digest.update(f"{facet.expert_id}\x1f{facet.facet_id}\x1f{facet.text}\x1e".encode())
        return digest.hexdigest()[:16]

    @property
    def item_texts(self) -> list[str]:
        """The whole profile of each item: its facets joined, n texts."""
        return [
            "；".join(self.facets[number].text for number in self.facets_of(row))
            for row in range(len(self.item_ids))
        ]

    def facets_of(self, row: int) -> range:
        """Facet numbers of the item in a row."""
        return range(int(self.starts[row]), int(self.starts[row + 1]))


def _team_words(expert: Expert) -> str:
    """What a team's name says of its field; a person's name says nothing and gives an empty text."""
    name = _SAMPLE_SUFFIX.sub("", expert.name).strip()
    if len(name) <= MAX_PERSON_NAME and not _TEAM.search(expert.name):
        name = ""
    return " ".join(part for part in (expert.department.strip(), name) if part)


def build_facets(expert: Expert, works: Sequence[Work] = ()) -> list[Facet]:
    """Cut an expert into facets; at least one whenever the record holds any text.

    A facet quotes its record: ``record_id`` names the expert or the work, ``kind`` the field, ``position`` the phrase.
    """
    facets: list[Facet] = []

    def add(kind: FacetKind, texts: Iterable[str], source: str) -> None:
        seen: set[str] = set()
        for text in texts:
            if has_content(text) and text not in seen:
                seen.add(text)
                position = len(seen)
                facet_id = f"{expert.expert_id}#{kind.name.lower()}:{position}"
                facets.append(
                    Facet(facet_id, expert.expert_id, expert.expert_id, kind, text, position, None, source)
                )

    def phrases(items: Sequence[str]) -> list[str]:
        return [phrase for item in items for phrase in split_phrases(item)]

    add(FacetKind.NAME, [_team_words(expert)], expert.source)
    add(FacetKind.DISCIPLINE, ["、".join(expert.disciplines)], expert.source)
    add(FacetKind.DIRECTION, phrases(expert.research_directions), expert.source)
    add(FacetKind.ACHIEVEMENT, phrases(expert.achievements), expert.source)
    add(FacetKind.KEYWORDS, ["、".join(expert.keywords)], expert.source)
    add(FacetKind.INDUSTRY, [expert.industry_experience.strip()], expert.source)
    for work in sorted(works, key=lambda work: work.work_id):
        text = (
            f"{work.title.strip()}。{work.abstract.strip()}" if work.abstract.strip() else work.title.strip()
        )
        if has_content(text):
            facets.append(
                Facet(
                    f"work:{work.work_id}",
                    expert.expert_id,
                    work.work_id,
                    FacetKind.WORK,
                    text,
                    0,
                    work.year,
                    work.source,
                )
            )
    return facets


def _joined_sentences(text: str) -> list[str]:
    joined: list[str] = []
    for sentence in split_sentences(text):
        if joined and (len(sentence) < MIN_SENTENCE or len(joined[-1]) < MIN_SENTENCE):
            joined[-1] = f"{joined[-1]}，{sentence}"
        else:
            joined.append(sentence)
    return joined


def build_lines(need: Need) -> list[RequirementLine]:
    """Cut a need into requirement lines: title, sentences of problem, key technique and goal, and the keywords."""
    lines: list[RequirementLine] = []

    def add(kind: LineKind, texts: Iterable[str]) -> None:
        for position, text in enumerate((t for t in texts if has_content(t)), 1):
            line_id = f"{need.need_id}#{kind.name.lower()}:{position}"
            lines.append(RequirementLine(line_id, need.need_id, kind, text, position))

    add(LineKind.TITLE, [need.title.strip()])
    add(LineKind.PROBLEM, _joined_sentences(need.problem))
    add(LineKind.KEY_TECH, _joined_sentences(need.key_tech))
    add(LineKind.GOAL, _joined_sentences(need.goal))
    add(LineKind.KEYWORDS, ["、".join(need.keywords)])
    return lines


def build_text_lines(text: str) -> list[RequirementLine]:
    """Cut free text into requirement lines; their record id is empty."""
    return [
        RequirementLine(f"text:{position}", "", LineKind.TEXT, sentence, position)
        for position, sentence in enumerate(_joined_sentences(text), 1)
    ]


def _assemble(facets_by_id: Mapping[str, Sequence[Facet]]) -> Pool:
    item_ids = tuple(sorted(facets_by_id))
    sizes = [len(facets_by_id[item_id]) for item_id in item_ids]
    starts = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))).astype(np.int64)
    return Pool(item_ids, tuple(f for item_id in item_ids for f in facets_by_id[item_id]), starts)


def build_expert_pool(experts: Iterable[Expert], works: Iterable[Work] = ()) -> Pool:
    """Pool of experts; works of unknown experts are ignored."""
    works_by_expert: dict[str, list[Work]] = {}
    for work in works:
        works_by_expert.setdefault(work.expert_id, []).append(work)
    return _assemble(
        {e.expert_id: _facets_of(e, tuple(works_by_expert.get(e.expert_id, ()))) for e in experts}
    )


@lru_cache(maxsize=16_384)  # after an edit of one record the others are not cut again
def _facets_of(expert: Expert, works: tuple[Work, ...]) -> tuple[Facet, ...]:
    return tuple(build_facets(expert, works))


_FACET_OF_LINE = {
    LineKind.KEYWORDS: FacetKind.KEYWORDS,
    LineKind.TITLE: FacetKind.DIRECTION,
}


def build_need_pool(needs: Iterable[Need]) -> Pool:
    """Pool of needs for free text → needs: every requirement line is a facet of its need.

    ``Facet.expert_id`` then holds the need's id: the engine only asks which item a facet belongs to.
    """
    return _assemble(
        {
            need.need_id: [
                Facet(
                    line.line_id,
                    need.need_id,
                    need.need_id,
                    _FACET_OF_LINE.get(line.kind, FacetKind.ACHIEVEMENT),
                    line.text,
                    line.position,
                    None,
                    need.source,
                )
                for line in build_lines(need)
            ]
            for need in needs
        }
    )
