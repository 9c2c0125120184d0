"""匹配依据: which requirement line is answered by which facet, and which line by none.

Owns the choice of evidence. Every pair quotes a stored line and a stored facet; nothing is generated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.models import Evidence, RequirementLine
from matcher.ranking.lines import LineScorer
from matcher.ranking.scorer import Query, Scorer
from matcher.vocab import FacetKind, LineKind

MAX_EVIDENCE = 3
MAX_BRIDGES = 2
_QUOTED = frozenset(FacetKind) - {FacetKind.NAME, FacetKind.DISCIPLINE}  # a label is no evidence of work done
_DEMANDS = frozenset({LineKind.TITLE, LineKind.KEY_TECH, LineKind.TEXT})


class EvidenceFinder:
    """Finds evidence of one query for items of the scorer's pool."""

    def __init__(self, scorer: Scorer, query: Query) -> None:
        self._scorer = scorer
        self._query = query
        self._lines = LineScorer(scorer, query)
        self._topics = scorer.topics(query)
        self._threshold = scorer.params.evidence_threshold
        self._measured: tuple[int, list[int], NDArray[np.float64]] | None = None
        kinds = {line.kind for line in query.lines}
        # A complaint tells a story; where the need also states what must be reached, that is what must be answered.
        self._demanded = _DEMANDS if LineKind.KEY_TECH in kinds else _DEMANDS | {LineKind.PROBLEM}

    def find(self, row: int) -> tuple[Evidence, ...]:
        """Best pairs of the item in a row, strongest first: at most three, each line and each facet once."""
        numbers, strengths = self._measure(row)
        pairs = sorted(
            (-strengths[i, j], i, j) for i in range(len(self._query.lines)) for j in range(len(numbers))
        )
        chosen: list[Evidence] = []
        used_lines: set[int] = set()
        used_facets: set[int] = set()
        for negative, i, j in pairs:
            if -negative < self._threshold or len(chosen) == MAX_EVIDENCE:
                break
            if i not in used_lines and j not in used_facets:
                used_lines.add(i)
                used_facets.add(j)
                chosen.append(self._evidence(i, numbers[j], -negative))
        return tuple(chosen)

    def gaps(self, row: int) -> tuple[RequirementLine, ...]:
        """Demanded lines no facet of the item answers at the recorded threshold, in the need's order."""
        answered = self._measure(row)[1].max(axis=1, initial=0.0) >= self._threshold
        return tuple(
            line
            for line, found in zip(self._query.lines, answered, strict=True)
            if line.kind in self._demanded and not found
        )

    def _measure(self, row: int) -> tuple[list[int], NDArray[np.float64]]:
        """Quotable facets of an item and the strength of every line against them; the last item is kept."""
        if self._measured is None or self._measured[0] != row:
            pool = self._scorer.index.pool
            numbers = [number for number in pool.facets_of(row) if pool.facets[number].kind in _QUOTED]
            self._measured = (row, numbers, self._lines.strengths(numbers))
        return self._measured[1], self._measured[2]

    def _evidence(self, i: int, j: int, strength: float) -> Evidence:
        line, facet = self._query.lines[i], self._scorer.index.pool.facets[j]
        return Evidence(
            line,
            facet,
            float(strength),
            tuple(self._scorer.tokeniser.shared_terms(line.text, facet.text)),
            self._scorer.expander.find_bridges(line.text, facet.text, self._topics)[:MAX_BRIDGES],
        )
