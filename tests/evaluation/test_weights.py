"""The grid of channel weights, and the wording gap measured with it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from matcher.encoding.protocol import Encoder
from matcher.evaluation.harness import FUSED, evaluate
from matcher.evaluation.metrics import compute_ndcg
from matcher.evaluation.weights import (
    ablate_channels,
    build_grid,
    describe_ratio,
    leave_one_sector_out,
    measure_weights,
)
from matcher.evaluation.wording import compare_wordings
from matcher.models import Expert, Need
from matcher.ranking.scorer import Scorer
from matcher.vocab import Channel

WORDS, MEANING, TERMS = Channel.LEXICAL, Channel.DENSE, Channel.THESAURUS
ITEMS = ("E1", "E2", "E3")
NEEDS = ("N1", "N2", "N3", "N4")
QRELS = {need: {"E1": 3, "E2": 0} for need in NEEDS}


def rows(*values: tuple[float, float, float]) -> np.ndarray:
    return np.array(values)


RIGHT, WRONG = (0.9, 0.1, 0.0), (0.1, 0.9, 0.0)
SIGNALS = {WORDS: rows(RIGHT, RIGHT, WRONG, WRONG), TERMS: rows(WRONG, WRONG, RIGHT, RIGHT)}


def test_the_grid_names_every_ratio_once_and_the_simplest_first() -> None:
    grid = build_grid([TERMS, WORDS, MEANING], 3)
    assert next(iter(grid)) == "1:0:0"
    assert grid["1:2:1"] == {WORDS: 1.0, MEANING: 2.0, TERMS: 1.0}
    directions = [tuple(np.array(list(w.values())) / sum(w.values())) for w in grid.values()]
    rounded = {tuple(round(share, 9) for share in direction) for direction in directions}
    assert len(rounded) == len(grid) == 49
    sums = [sum(weights.values()) for weights in grid.values()]
    assert sums == sorted(sums)
    assert build_grid([WORDS, TERMS], 1).keys() == {"1:0", "0:1", "1:1"}


def test_the_product_s_own_weights_give_the_product_s_own_ranking(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
    make_need: Callable[..., Need],
) -> None:
    experts = [make_expert(f"E{n}", text) for n, text in enumerate(["轴承摩擦磨损", "海参苗种", "图像识别"])]
    needs = [make_need("N1", "轴承磨得快"), make_need("N2", "看不清划痕")]
    qrels = {"N1": {"E0": 3, "E1": 1}, "N2": {"E2": 2}}
    scorer = make_scorer(experts, (), make_encoder())
    report, scores = evaluate(scorer, needs, qrels)
    values = measure_weights(
        scores.signals, scorer.params.weights, scorer.index.pool.item_ids, report.need_ids, qrels
    )
    assert values.tolist() == report.per_need[FUSED]["ndcg@10"].tolist()


def test_leaving_a_sector_out_shows_that_a_choice_does_not_carry_over() -> None:
    """Words serve one sector, terms the other: each sector gets the weights of the other and loses."""
    found = leave_one_sector_out(
        SIGNALS, {WORDS: 1.0, TERMS: 0.0}, ITEMS, NEEDS, QRELS, ("甲", "甲", "乙", "乙")
    )
    assert found.channels == (WORDS, TERMS)
    assert found.left_out.chosen == {"乙": "1:0", "甲": "0:1"}
    second = compute_ndcg(["E2", "E1"], QRELS["N1"])
    assert found.left_out.mean == pytest.approx(second)
    assert found.left_out.best_mean > second
    assert found.current[0] == "1:0"
    assert found.current[1].tolist() == pytest.approx([1.0, 1.0, second, second])
    assert found.gain.mean == pytest.approx((second - 1.0) / 2)
    result = found.as_json()
    assert result["sectors"]["甲"] == {  # type: ignore[index]
        "n": 2,
        "weights": "0:1",
        "ndcg@10": round(second, 4),
        "current": 1.0,
    }
    assert result["n_tried"] == len(build_grid([WORDS, TERMS]))


def test_each_combination_of_channels_is_measured_against_all() -> None:
    signals = {**SIGNALS, MEANING: rows(RIGHT, RIGHT, RIGHT, RIGHT)}
    found = ablate_channels(signals, {WORDS: 1.0, MEANING: 3.0, TERMS: 1.0}, ITEMS, NEEDS, QRELS)
    assert [set(one.channels) for one in found[:1]] == [{WORDS, MEANING, TERMS}]
    assert len({one.channels for one in found}) == len(found) == 7
    by = {one.channels: one for one in found}
    second = compute_ndcg(["E2", "E1"], QRELS["N1"])
    assert by[(MEANING,)].values.tolist() == [1.0] * 4
    assert by[(WORDS,)].values.tolist() == pytest.approx([1.0, 1.0, second, second])
    assert by[(WORDS,)].difference.mean == pytest.approx((second - 1.0) / 2)
    assert found[0].difference.mean == 0.0
    assert found[0].interval == (1.0, 1.0)
    used = ablate_channels(signals, {WORDS: 1.0, TERMS: 1.0}, ITEMS, NEEDS, QRELS)
    assert {channel for one in used for channel in one.channels} == {WORDS, TERMS}


@pytest.mark.parametrize(
    ("weights", "ratio"),
    [((0.25, 0.5, 0.25), "1:2:1"), ((1 / 3, 2 / 3), "1:2"), ((0.0, 1.0), "0:1"), ((0.5, 0.3, 0.2), "5:3:2")],
)
def test_weights_are_told_as_people_say_them(weights: tuple[float, ...], ratio: str) -> None:
    assert describe_ratio(weights) == ratio


def test_weights_no_small_numbers_express_are_told_as_shares() -> None:
    assert describe_ratio((math.pi, 1.0)) == "0.76:0.24"


def test_the_wording_gap_with_the_thesaurus_and_without() -> None:
    """Said plainly only the thesaurus knows the right team; said technically words do as well."""
    given = {WORDS: rows(*[WRONG] * 4), TERMS: rows(*[(1.0, 0.0, 0.0)] * 4)}
    reworded = {WORDS: rows(*[RIGHT] * 4), TERMS: rows(*[(1.0, 0.0, 0.0)] * 4)}
    found = compare_wordings(given, reworded, {WORDS: 1.0, TERMS: 1.0}, ITEMS, NEEDS, QRELS)
    second = compute_ndcg(["E2", "E1"], QRELS["N1"])
    assert found.fused.difference.mean == 0.0
    assert found.without is not None
    assert found.without.given.tolist() == pytest.approx([second] * 4)
    assert found.without.difference.mean == pytest.approx(1.0 - second)
    assert found.closed is not None
    assert found.closed.mean == pytest.approx(1.0 - second)
    assert found.channels[WORDS].difference.mean == pytest.approx(1.0 - second)
    assert found.channels[TERMS].difference.mean == 0.0
    assert found.n_needs == 4


def test_nothing_is_left_without_a_thesaurus_that_is_alone() -> None:
    found = compare_wordings(SIGNALS, SIGNALS, {TERMS: 1.0}, ITEMS, NEEDS, QRELS)
    assert found.without is None
    assert found.closed is None
    assert found.as_json()["without_thesaurus"] is None
