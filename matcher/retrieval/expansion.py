"""Thesaurus channel: which topics a query calls up, and the technical words they add.

Owns the choice of topics and the weights of the added features. The original query is never changed: the expansion
is a second query, scored on its own, so that what it contributed can be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from matcher.encoding.protocol import Encoder, Vectors
from matcher.models import Bridge
from matcher.retrieval.lexical import Bundle, LexicalIndex
from matcher.text.normalise import normalise
from matcher.text.thesaurus import Thesaurus, Topic
from matcher.text.tokenise import Tokeniser

FLAT = 1e-9  # a row of scores with less spread says nothing
DECIMALS = 9  # the last bits of a float never decide which topic comes first
MIN_PHRASE = 3
MIN_BRIDGE_WEIGHT = 0.25
MIN_POOL = 200  # fewer items say too little of what is usual: one team alone would stand at its own mean


@dataclass(frozen=True, slots=True)
class ExpansionParams:
    """Constants of the choice of topics, chosen on the development set (docs/evaluation.md).

    Attributes:
        n_topics: most topics of a query.
        sharpness: exponent of a topic's score relative to the best one.
        meaning: weight of the cosine beside BM25, both in standard deviations over all topics.
    """

    n_topics: int = 8
    sharpness: float = 2.0
    meaning: float = 1.0


@dataclass(frozen=True, slots=True)
class CalledTopic:
    """A topic with its weight in 0–1; the best topic of a query has weight one."""

    topic: Topic
    weight: float


class Expander:
    """Finds a query's topics: by BM25 over all words of each topic and, with an encoder, by meaning as well."""

    def __init__(
        self,
        thesaurus: Thesaurus,
        tokeniser: Tokeniser,
        params: ExpansionParams | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self._params = params or ExpansionParams()
        self._tokeniser = tokeniser
        self._topics = thesaurus.topics
        self._texts = ["，".join((t.name, *t.lay, *t.terms, *t.objects)) for t in self._topics]
        self._index = LexicalIndex.build([tokeniser.features(text) for text in self._texts])
        self._vectors = encoder.encode_document(self._texts) if encoder else None
        self._added: dict[tuple[str, bool], frozenset[str]] = {}

    def with_encoder(self, encoder: Encoder) -> Expander:
        """The same topics, also found by meaning."""
        made = copy(self)
        made._vectors = encoder.encode_document(self._texts)
        return made

    def call_topics(
        self, features: Sequence[Sequence[str]], vectors: Vectors | None = None
    ) -> list[list[CalledTopic]]:
        """Topics of each query, best first, at most ``n_topics``; none when nothing of it is known.

        Args:
            features: of each query.
            vectors: of each query, shape (queries, dimension), for an expander that knows the encoder.
        """
        scores = self._index.score([dict.fromkeys(query, 1.0) for query in features])
        if vectors is not None and self._vectors is not None and self._vectors.size:
            likeness = vectors.astype(np.float64) @ self._vectors.astype(np.float64).T
            scores = _deviations(scores) + self._params.meaning * _deviations(likeness)
        scores = np.round(scores, DECIMALS)
        called: list[list[CalledTopic]] = []
        for row in scores:
            best = np.argsort(-row, kind="stable")[: self._params.n_topics]  # topics stand in name order
            top = row[best[0]] if len(best) else 0.0
            called.append(
                [
                    CalledTopic(self._topics[i], float((row[i] / top) ** self._params.sharpness))
                    for i in best
                    if row[i] > 0
                ]
            )
        return called

    def expand(self, topics: Sequence[CalledTopic], *, plain: bool = False) -> dict[str, float]:
        """Weighted features the topics add: technical ones, or with ``plain`` the plain ones (searching needs)."""
        weights: dict[str, float] = {}
        for features, weight in self.bundles(topics, plain=plain):
            for feature in features:
                weights[feature] = weights.get(feature, 0.0) + weight
        return weights

    def bundles(self, topics: Sequence[CalledTopic], *, plain: bool = False) -> list[Bundle]:
        """The same, the features of each topic together."""
        return [(self._features_of(called.topic, plain), called.weight) for called in topics]

    def _features_of(self, topic: Topic, plain: bool) -> frozenset[str]:
        key = (topic.name, plain)
        if key not in self._added:
            words = (
                (*topic.lay, *topic.objects, *topic.terms)
                if plain
                else (
                    *topic.terms,
                    *topic.objects,
                    *topic.disciplines,
                )
            )
            self._added[key] = frozenset(f for word in words for f in self._tokeniser.features(word))
        return self._added[key]

    def find_bridges(self, line: str, facet: str, topics: Sequence[CalledTopic]) -> tuple[Bridge, ...]:
        """Bridges from words of the line to terms of the facet through the called topics, strongest topic first.

        ``Bridge.phrase`` stands in the line and ``Bridge.term`` in the facet, letter for letter after normalising.
        The phrase shares at least ``MIN_PHRASE`` characters with one of the topic's own phrases; the term is one of
        the topic's technical words as a whole.
        """
        line, facet = normalise(line), normalise(facet)
        bridges: list[Bridge] = []
        for called in topics:
            topic = called.topic
            if called.weight < MIN_BRIDGE_WEIGHT:
                continue
            phrase = max(
                (_shared_run(line, p) for p in (*topic.lay, *topic.objects, *topic.terms)),
                key=len,
                default="",
            )
            words = (*topic.terms, *topic.objects, *topic.disciplines)
            term = max((w for word in words if (w := normalise(word)) in facet), key=len, default="")
            if phrase and term and phrase not in facet and term not in line:
                bridges.append(Bridge(phrase, term, topic.name))
        return tuple(bridges)


def background_texts(thesaurus: Thesaurus, n_items: int, *, plain: bool = False) -> list[str]:
    """Texts that bring a small pool's statistics up to ``MIN_POOL`` items; none for a pool of that size.

    Each is one topic worded as a profile (or with ``plain`` as a need); the topics are spread evenly over the
    thesaurus, so that a handful of experts is measured against the breadth of all fields.
    """
    n_wanted = min(max(0, MIN_POOL - n_items), len(thesaurus.topics))
    chosen = [thesaurus.topics[i * len(thesaurus.topics) // n_wanted] for i in range(n_wanted)]
    if plain:
        return ["。".join((*topic.lay[:4], *topic.objects[:2])) for topic in chosen]
    return ["；".join((*topic.disciplines, *topic.terms, *topic.objects[:2])) for topic in chosen]


def _deviations(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in standard deviations above their row's mean; a row without spread is zero."""
    if not scores.size:
        return scores
    centred = scores - scores.mean(axis=1, keepdims=True)
    spread = scores.std(axis=1, keepdims=True)
    found: NDArray[np.float64] = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > FLAT)
    return found


def _shared_run(text: str, phrase: str) -> str:
    """Longest run of characters both hold; empty when it is shorter than ``MIN_PHRASE``."""
    phrase = normalise(phrase)
    match = SequenceMatcher(None, text, phrase, autojunk=False).find_longest_match()
    run = phrase[match.b : match.b + match.size].strip(" ，,。、")
    return run if len(run) >= MIN_PHRASE else ""


def query_weights(features: Sequence[str]) -> Mapping[str, float]:
    """The original query: every distinct feature counts once (long complaints repeat themselves)."""
    return dict.fromkeys(features, 1.0)
