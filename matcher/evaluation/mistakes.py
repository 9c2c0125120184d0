"""Why needs are ranked badly: every mistake falls into one category, decided by the data and not by hand.

Owns the definitions. Two kinds of mistakes: an expert *wrongly high* has grade 0, grade 1 or no judgement, and stands
in the first five above an expert of grade 3 (of grade 2, where nobody has 3); an expert *missed* has grade ≥ 2 and is
not among the first ten. A category says what the score saw, not what would mend it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from matcher.evaluation.harness import FUSED, Qrels, Report
from matcher.evaluation.metrics import RELEVANT, round_or_none
from matcher.models import Need
from matcher.ranking.scorer import PoolScores, Query, Scorer, need_query
from matcher.retrieval.expansion import CalledTopic
from matcher.text.normalise import normalise, split_phrases
from matcher.text.thesaurus import Thesaurus
from matcher.vocab import Channel, FacetKind

HIGH = 5
SHOWN = 10
TELLING = math.log(10)
"""BM25 idf of a word that about a tenth of all profiles hold; commoner words name no object."""
MAX_WORDS = 4


class Category(StrEnum):
    """The category of a mistake, in the order they are tried."""

    UNJUDGED = "没有评过"
    WRONG_TOPIC = "被术语对应抬高"
    SAME_OBJECT = "对象相同、问题不同"
    SAME_DISCIPLINE = "学科相同、问题不同"
    MEANING = "被语义相近抬高"
    WORDS = "被用词相同抬高"
    NO_TRACE = "没有共同用词也没有术语对应"
    NO_BRIDGE = "有共同用词、没有术语对应"
    CROWDED = "有术语对应、被挤到后面"
    ORDER = "合适的团队之间次序不对"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One expert out of place.

    Attributes:
        expert_id: who.
        rank: from 1, in the fused ranking.
        grade: None when nobody judged the pair.
        category: see ``_why_high`` and ``_why_missed``.
        detail: the words, the discipline or the topic it was decided by; may be empty.
    """

    expert_id: str
    rank: int
    grade: int | None
    category: Category
    detail: str

    @property
    def reason(self) -> str:
        """Category and detail as one phrase."""
        return f"{self.category.value}：{self.detail}" if self.detail else self.category.value

    def as_json(self) -> dict[str, object]:
        return {
            "expert_id": self.expert_id,
            "rank": self.rank,
            "grade": self.grade,
            "category": self.category.value,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class NeedMistakes:
    """A need, its nDCG@10, and its mistakes in order of rank."""

    need: Need
    ndcg: float
    high: tuple[Mistake, ...]
    missed: tuple[Mistake, ...]

    @property
    def category(self) -> Category:
        """The commonest category of its mistakes, the first tried of equals; ``ORDER`` when it has none."""
        counts = Counter(mistake.category for mistake in (*self.high, *self.missed))
        return max(Category, key=lambda category: counts[category]) if counts else Category.ORDER

    def as_json(self) -> dict[str, object]:
        return {
            "need_id": self.need.need_id,
            "title": self.need.title,
            "sector": self.need.sector,
            "ndcg@10": round_or_none(self.ndcg),
            "category": self.category.value,
            "wrongly_high": [mistake.as_json() for mistake in self.high],
            "missed": [mistake.as_json() for mistake in self.missed],
        }


def count_categories(found: Sequence[NeedMistakes]) -> dict[Category, int]:
    """How often each category occurs among the mistakes, the commonest first; those that do not occur are left out."""
    counts = Counter(mistake.category for one in found for mistake in (*one.high, *one.missed))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], list(Category).index(pair[0]))))


def find_mistakes(
    scorer: Scorer,
    thesaurus: Thesaurus,
    needs: Sequence[Need],
    report: Report,
    scores: PoolScores,
    qrels: Qrels,
) -> list[NeedMistakes]:
    """Every judged need from the worst nDCG@10 to the best, ties by id.

    Args:
        scorer: what ranked.
        thesaurus: whose objects count as objects.
        needs: of the report, in its order.
        report: and ``scores``: what ``evaluate`` returned.
        scores: see ``report``.
        qrels: judgements.
    """
    finder = _Finder(scorer, thesaurus)
    values = report.per_need[FUSED]["ndcg@10"]
    order = sorted(range(len(needs)), key=lambda row: (round(float(values[row]), 9), needs[row].need_id))
    return [finder.examine(needs[row], float(values[row]), scores, row, qrels) for row in order]


@dataclass(frozen=True)
class _Case:
    """A need while its mistakes are sorted: its topics, the objects it names, the disciplines of those who fit."""

    query: Query
    topics: Sequence[CalledTopic]
    objects: Sequence[str]
    wanted: set[str]


class _Finder:
    def __init__(self, scorer: Scorer, thesaurus: Thesaurus) -> None:
        self._scorer = scorer
        pool, items = scorer.index.pool, scorer.index.items
        self._texts = scorer.index.item_texts
        self._idf: dict[str, float] = dict(zip(items.features, items.idf.tolist(), strict=True))
        self._objects = {normalise(thing) for topic in thesaurus.topics for thing in topic.objects}
        self._disciplines = [
            {
                normalise(phrase)
                for number in pool.facets_of(row)
                if pool.facets[number].kind is FacetKind.DISCIPLINE
                for phrase in split_phrases(pool.facets[number].text)
            }
            for row in range(len(pool.item_ids))
        ]

    def examine(self, need: Need, ndcg: float, scores: PoolScores, row: int, qrels: Qrels) -> NeedMistakes:
        item_ids, grades = self._scorer.index.pool.item_ids, qrels[need.need_id]
        ranking = [int(item) for item in np.argsort(-scores.score[row], kind="stable")]
        fitting = [i for i in ranking if grades.get(item_ids[i], 0) >= RELEVANT]
        top = max((grades[item_ids[i]] for i in fitting), default=0)
        best = [rank for rank, i in enumerate(ranking, 1) if i in fitting and grades[item_ids[i]] == top]
        query = need_query(need)
        text = normalise(query.text)
        case = _Case(
            query,
            self._scorer.topics(query),
            [thing for thing in self._objects if thing in text],
            {discipline for i in fitting for discipline in self._disciplines[i]},
        )
        high, missed = [], []
        for rank, item in enumerate(ranking, 1):
            grade = grades.get(item_ids[item])
            if rank > SHOWN and item in fitting:
                missed.append(Mistake(item_ids[item], rank, grade, *self._why_missed(case, item)))
            below = [place for place in best if place > rank]
            if rank <= HIGH and item not in fitting and below:
                rival = ranking[below[0] - 1]
                lead = {c: float(v[row, item] - v[row, rival]) for c, v in scores.contributions.items()}
                high.append(Mistake(item_ids[item], rank, grade, *self._why_high(case, item, grade, lead)))
        return NeedMistakes(need, ndcg, tuple(high), tuple(missed))

    def _tells(self, word: str) -> bool:
        """Say whether at most about a tenth of the profiles hold a word, and one of them does."""
        return self._idf.get("w:" + word, 0.0) >= TELLING

    def _shared(self, case: _Case, item: int) -> list[str]:
        shared = self._scorer.tokeniser.shared_terms(case.query.text, self._texts[item])
        return [word for word in shared if self._tells(word)]

    def _why_high(
        self, case: _Case, item: int, grade: int | None, lead: Mapping[Channel, float]
    ) -> tuple[Category, str]:
        """First that holds; ``lead`` is what each channel contributes more than to the next expert of the best grade.

        没有评过: no judgement. 被术语对应抬高: without the thesaurus's lead the expert would stand behind, and no other
        channel leads by more (the detail names the topic that scores this expert most). 对象相同: need and profile
        share a word that at most about a tenth of the profiles hold and that is an object of the thesaurus named in
        the need, or part of one. 学科相同: the expert's disciplines include one of an expert of grade ≥ 2 of this
        need. Otherwise the channel that leads by most.
        """
        strongest = max(lead, key=lambda channel: lead[channel])
        if grade is None:
            return Category.UNJUDGED, strongest.label
        if strongest is Channel.THESAURUS and sum(lead.values()) < lead[strongest]:
            return Category.WRONG_TOPIC, self._loudest_topic(case.topics, item)
        shared = self._shared(case, item)
        if objects := [word for word in shared if any(word in thing for thing in case.objects)]:
            return Category.SAME_OBJECT, "、".join(objects[:MAX_WORDS])
        if same := sorted(self._disciplines[item] & case.wanted):
            return Category.SAME_DISCIPLINE, "、".join(same[:MAX_WORDS])
        if strongest is Channel.THESAURUS:
            return Category.WRONG_TOPIC, self._loudest_topic(case.topics, item)
        lifted = Category.MEANING if strongest is Channel.DENSE else Category.WORDS
        return lifted, "、".join(shared[:MAX_WORDS])

    def _why_missed(self, case: _Case, item: int) -> tuple[Category, str]:
        """By what the need and the profile have in common.

        A bridge as evidence shows it (a called topic whose phrase stands in the need and whose technical word stands
        in the profile): 被挤到后面. Otherwise a shared telling word: 没有术语对应. Neither: only the dense channel
        could find the expert.
        """
        bridges = self._scorer.expander.find_bridges(case.query.text, self._texts[item], case.topics)
        if bridges:
            return Category.CROWDED, f"{bridges[0].phrase} → {bridges[0].term}"
        if shared := self._shared(case, item):
            return Category.NO_BRIDGE, "、".join(shared[:MAX_WORDS])
        return Category.NO_TRACE, ""

    def _loudest_topic(self, topics: Sequence[CalledTopic], item: int) -> str:
        """Name of the called topic that scores an item most."""
        expander, items = self._scorer.expander, self._scorer.index.items
        queries = [expander.expand([topic], plain=self._scorer.plain) for topic in topics]
        scored = items.score(queries, np.array([item], dtype=np.int64))[:, 0]
        return topics[int(np.argmax(scored))].topic.name if len(topics) else ""
