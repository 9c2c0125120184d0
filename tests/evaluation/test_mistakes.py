"""Categories of error: small pools in which the one possible reason is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from matcher.evaluation.harness import evaluate
from matcher.evaluation.mistakes import Category, NeedMistakes, count_categories, find_mistakes
from matcher.models import Expert, Need
from matcher.ranking.scorer import PoolScores, Scorer
from matcher.text.thesaurus import Thesaurus
from matcher.vocab import Channel

N_OTHERS = 30
WORDS, TERMS = Channel.LEXICAL, Channel.THESAURUS


@pytest.fixture
def examine(
    make_scorer: Callable[..., Scorer],
    make_expert: Callable[..., Expert],
    make_need: Callable[..., Need],
    small_thesaurus: Thesaurus,
) -> Callable[..., NeedMistakes]:
    """``examine("轴承磨得快", {"E1": expert text or (text, discipline)}, grades, {"E1": (words, terms)})``.

    The others of the pool are about something else, so that a word of one or two experts tells. Scores are the given
    contributions, and a small slope in the order of the ids for everybody else.
    """

    def run(
        title: str,
        texts: Mapping[str, str | tuple[str, str]],
        grades: Mapping[str, int],
        contributions: Mapping[str, tuple[float, float]],
    ) -> NeedMistakes:
        experts = [make_expert(f"F{n:02}", f"第{n}号矿石浮选") for n in range(N_OTHERS)]
        for expert_id, text in texts.items():
            direction, discipline = text if isinstance(text, tuple) else (text, "")
            experts.append(make_expert(expert_id, direction, disciplines=(discipline,) if discipline else ()))
        scorer, need = make_scorer(experts), make_need("N1", title)
        qrels = {"N1": dict(grades)}
        report, scores = evaluate(scorer, [need], qrels)
        ids = scorer.index.pool.item_ids
        words, terms = np.zeros((1, len(ids))), np.zeros((1, len(ids)))
        for column, expert_id in enumerate(ids):
            slope = (0.1 - column / 1000, 0.0)
            words[0, column], terms[0, column] = contributions.get(expert_id, slope)
        parts = {WORDS: words, TERMS: terms}
        given = PoolScores(scores.signals, parts, words + terms)
        (found,) = find_mistakes(scorer, small_thesaurus, [need], report, given, qrels)
        return found

    return run


FITTING = ("摩擦磨损", "机械工程")


def test_an_expert_nobody_judged(examine: Callable[..., NeedMistakes]) -> None:
    found = examine(
        "轴承磨得快", {"E1": FITTING, "E2": "水泥"}, {"E1": 3}, {"E1": (0.3, 0.3), "E2": (0.7, 0.0)}
    )
    (mistake,) = found.high
    assert (mistake.expert_id, mistake.rank, mistake.grade) == ("E2", 1, None)
    assert mistake.category is found.category is Category.UNJUDGED
    assert mistake.detail == WORDS.label
    assert found.missed == ()


def test_same_object_other_problem(examine: Callable[..., NeedMistakes]) -> None:
    found = examine(
        "轴承磨得快",
        {"E1": FITTING, "E2": ("轴承国际贸易", "机械工程")},
        {"E1": 3, "E2": 1},
        {"E1": (0.3, 0.3), "E2": (0.7, 0.0)},
    )
    assert [(m.category, m.detail) for m in found.high] == [(Category.SAME_OBJECT, "轴承")]


def test_same_discipline_other_problem(examine: Callable[..., NeedMistakes]) -> None:
    found = examine(
        "轴承磨得快",
        {"E1": FITTING, "E2": ("机床主轴热变形", "机械工程")},
        {"E1": 3, "E2": 0},
        {"E1": (0.3, 0.3), "E2": (0.7, 0.0)},
    )
    assert [(m.category, m.detail) for m in found.high] == [(Category.SAME_DISCIPLINE, "机械工程")]


def test_the_thesaurus_lifted_it_and_names_the_topic(examine: Callable[..., NeedMistakes]) -> None:
    """Even beside a shared object: without the thesaurus the order would be right."""
    texts = {"E1": FITTING, "E2": "轴承自润滑涂层"}
    found = examine("轴承磨得快", texts, {"E1": 3, "E2": 0}, {"E1": (0.3, 0.1), "E2": (0.2, 0.6)})
    assert [(m.category, m.detail) for m in found.high] == [(Category.WRONG_TOPIC, "摩擦学")]
    also_by_words = examine("轴承磨得快", texts, {"E1": 3, "E2": 0}, {"E1": (0.3, 0.1), "E2": (0.4, 0.6)})
    assert also_by_words.high[0].category is Category.SAME_OBJECT


def test_only_the_words_lifted_it(examine: Callable[..., NeedMistakes]) -> None:
    found = examine(
        "轴承磨得快，热处理也不稳",
        {"E1": FITTING, "E2": "热处理"},
        {"E1": 3, "E2": 0},
        {"E1": (0.3, 0.3), "E2": (0.7, 0.0)},
    )
    assert [(m.category, m.detail) for m in found.high] == [(Category.WORDS, "热处理")]


@pytest.mark.parametrize(
    ("text", "category", "detail"),
    [
        ("摩擦磨损", Category.CROWDED, "磨得快 → 摩擦磨损"),
        ("轴承动力学", Category.NO_BRIDGE, "轴承"),
        ("水泥窑炉", Category.NO_TRACE, ""),
    ],
)
def test_why_a_fitting_expert_is_missed(
    examine: Callable[..., NeedMistakes], text: str, category: Category, detail: str
) -> None:
    found = examine(
        "轴承磨得快", {"E1": text, "E2": "水泥"}, {"E1": 2, "E2": 3}, {"E1": (0.0, 0.0), "E2": (1.0, 0.0)}
    )
    (mistake,) = found.missed
    assert (mistake.expert_id, mistake.rank, mistake.grade) == ("E1", N_OTHERS + 2, 2)
    assert (mistake.category, mistake.detail) == (category, detail)
    assert found.high == (), "nobody stands above the one of grade 3"


def test_only_the_first_five_above_the_best_are_wrongly_high(examine: Callable[..., NeedMistakes]) -> None:
    last = examine(
        "轴承磨得快", {"E1": FITTING, "E2": "水泥"}, {"E1": 3, "E2": 2}, {"E1": (0, 0), "E2": (0.05, 0)}
    )
    assert [m.rank for m in last.high] == [1, 2, 3, 4, 5]
    assert [m.expert_id for m in last.missed] == ["E2", "E1"], "in order of rank"
    third = examine("轴承磨得快", {"E1": FITTING}, {"E1": 2}, {"E1": (0.0975, 0.0)})
    assert [m.rank for m in third.high] == [1, 2], "grade 2 is the best where nobody has 3"


def test_a_need_nobody_fits_has_no_mistakes(examine: Callable[..., NeedMistakes]) -> None:
    found = examine("轴承磨得快", {"E1": FITTING}, {"E1": 1}, {"E1": (0.5, 0.0)})
    assert (found.high, found.missed, found.category) == ((), (), Category.ORDER)


def test_the_worst_need_comes_first_and_counts_add_up(
    make_scorer: Callable[..., Scorer],
    make_expert: Callable[..., Expert],
    make_need: Callable[..., Need],
    small_thesaurus: Thesaurus,
) -> None:
    experts = [
        make_expert("E1", "轴承摩擦磨损"),
        make_expert("E2", "海参苗种繁育"),
        make_expert("E3", "水泥"),
    ]
    needs = [make_need("N1", "轴承磨得快"), make_need("N2", "海参化皮"), make_need("N3", "海参苗种死得多")]
    qrels = {"N1": {"E1": 3}, "N2": {"E2": 0, "E3": 3}, "N3": {"E3": 2}}
    scorer = make_scorer(experts)
    report, scores = evaluate(scorer, needs, qrels)
    found = find_mistakes(scorer, small_thesaurus, needs, report, scores, qrels)
    assert [one.ndcg for one in found] == sorted(one.ndcg for one in found)
    assert found[-1].need.need_id == "N1"
    assert found[-1].as_json()["wrongly_high"] == []
    counts = count_categories(found)
    assert sum(counts.values()) == sum(len(one.high) + len(one.missed) for one in found) > 0
    again = find_mistakes(scorer, small_thesaurus, needs, report, replace(scores), qrels)
    assert again == found
