"""匹配依据: which requirement line is answered by which facet, and which line by none.

Owns the choice of evidence. Every pair quotes a stored line and a stored facet; nothing is generated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.models import Evidence, RequirementLine
from matcher.ranking.scorer import Query, Scorer
from matcher.retrieval.expansion import CalledTopic
from matcher.vocab import LineKind

MAX_EVIDENCE = 3
_GAP_KINDS = frozenset({LineKind.TITLE, LineKind.PROBLEM, LineKind.KEY_TECH, LineKind.TEXT})


class EvidenceFinder:
    """Finds evidence of one query for many items; the line ↔ facet strengths are computed once."""

    def __init__(self, scorer: Scorer, query: Query) -> None:
        self._scorer = scorer
        self._query = query
        self._strengths: NDArray[np.float64] = scorer.line_strengths(query)
        features = [scorer.tokeniser.features(line.text) for line in query.lines]
        whole = scorer.topics(query)
        self._topics: list[Sequence[CalledTopic]] = [
            [*line_topics, *(t for t in whole if t.topic.name not in {c.topic.name for c in line_topics})]
            for line_topics in scorer.expander.call_topics(features)
        ]

    def find(self, row: int) -> tuple[Evidence, ...]:
        """Best pairs of the item in a row, strongest first: at most three, each line and each facet once."""
        numbers = list(self._scorer.index.pool.facets_of(row))
        threshold = self._scorer.params.evidence_threshold
        pairs = sorted(
            ((-self._strengths[i, j], i, j) for i in range(len(self._query.lines)) for j in numbers),
        )
        chosen: list[Evidence] = []
        used_lines: set[int] = set()
        used_facets: set[int] = set()
        for negative, i, j in pairs:
            if -negative < threshold or len(chosen) == MAX_EVIDENCE:
                break
            if i not in used_lines and j not in used_facets:
                used_lines.add(i)
                used_facets.add(j)
                chosen.append(self._evidence(i, j, -negative))
        return tuple(chosen)

    def gaps(self, row: int) -> tuple[RequirementLine, ...]:
        """Requirement lines no facet of the item answers at the recorded threshold, in the need's order."""
        numbers = list(self._scorer.index.pool.facets_of(row))
        threshold = self._scorer.params.evidence_threshold
        return tuple(
            line
            for i, line in enumerate(self._query.lines)
            if line.kind in _GAP_KINDS and not (numbers and self._strengths[i, numbers].max() >= threshold)
        )

    def _evidence(self, i: int, j: int, strength: float) -> Evidence:
        line, facet = self._query.lines[i], self._scorer.index.pool.facets[j]
        return Evidence(
            line,
            facet,
            float(strength),
            tuple(self._scorer.tokeniser.shared_terms(line.text, facet.text)),
            self._scorer.expander.find_bridges(line.text, facet.text, self._topics[i])[:2],
        )
