"""The harness: the product's own scores, measured in the product's own order."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.encoding.protocol import Encoder
from matcher.evaluation.harness import FUSED, evaluate, order_items, run_rows, split_report, systems_of
from matcher.evaluation.metrics import METRICS, compute_interval
from matcher.models import Expert, Need
from matcher.ranking.scorer import Scorer, need_query
from matcher.vocab import Channel

DATA = Path(__file__).resolve().parents[2] / "data" / "eval"


@pytest.fixture
def experts(make_expert: Callable[..., Expert]) -> list[Expert]:
    texts = {"E3": "轴承摩擦磨损", "E1": "海参苗种繁育", "E4": "轴承摩擦磨损", "E2": "图像识别"}
    return [make_expert(expert_id, text) for expert_id, text in texts.items()]


@pytest.fixture
def needs(make_need: Callable[..., Need]) -> list[Need]:
    titles = {"N3": "海参化皮怎么办", "N1": "轴承磨得快", "N2": "没有人评过", "N4": "也没有人评过"}
    return [make_need(need_id, title) for need_id, title in titles.items()]


QRELS = {"N1": {"E3": 2, "E4": 3, "E1": 0}, "N3": {"E1": 3, "E9": 1}, "N4": {}, "N9": {"E1": 3}}


@given(st.lists(st.integers(0, 3).map(float), max_size=12))
def test_ties_stand_in_the_order_of_the_ids(scores: list[float]) -> None:
    ids = [f"E{number:02}" for number in range(len(scores))]
    expected = [item for _, item in sorted(zip((-score for score in scores), ids, strict=True))]
    assert order_items(np.array(scores), ids) == expected


def test_only_judged_needs_count_and_in_the_order_of_their_ids(
    make_scorer: Callable[..., Scorer], experts: list[Expert], needs: list[Need]
) -> None:
    report, scores = evaluate(make_scorer(experts), needs, QRELS)
    assert report.need_ids == ("N1", "N3")
    assert scores.score.shape == (2, 4)
    alone = make_scorer(experts).score([need_query(needs[1])])
    np.testing.assert_array_equal(scores.score[0], alone.score[0])


@pytest.mark.parametrize("with_encoder", [True, False])
def test_the_report_is_the_metrics_of_the_ranking(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    experts: list[Expert],
    needs: list[Need],
    with_encoder: bool,
) -> None:
    scorer = make_scorer(experts, (), make_encoder() if with_encoder else None)
    report, scores = evaluate(scorer, needs, QRELS)
    channels = {"lexical", "thesaurus", *(["dense"] if with_encoder else [])}
    assert set(report.means) == set(report.intervals) == set(report.per_need) == channels | {FUSED}
    for name, matrix in systems_of(scores).items():
        for metric, compute in METRICS.items():
            values = []
            for row, need_id in enumerate(report.need_ids):
                ranking = sorted(
                    scorer.index.pool.item_ids, key=lambda i: (-matrix[row, scorer.index.pool.position[i]], i)
                )
                values.append(compute(ranking, QRELS[need_id]))
            assert report.per_need[name][metric].tolist() == values
            assert report.means[name][metric] == pytest.approx(sum(values) / len(values))
            assert report.intervals[name][metric] == compute_interval(np.array(values))
    np.testing.assert_array_equal(systems_of(scores)["lexical"], scores.signals[Channel.LEXICAL])


def test_twins_are_measured_in_the_order_of_their_ids(
    make_scorer: Callable[..., Scorer], experts: list[Expert], needs: list[Need]
) -> None:
    """E3 and E4 are the same; E4 is graded 3, E3 2, and E3 is first."""
    report, _ = evaluate(make_scorer(experts), needs, QRELS)
    ideal = 7 + 3 / math.log2(3)
    assert report.per_need[FUSED]["ndcg@10"][0] == pytest.approx((3 + 7 / math.log2(3)) / ideal)
    assert report.per_need[FUSED]["p@1"][0] == 1.0


def test_needs_nobody_fits_are_left_out_of_recall(
    make_scorer: Callable[..., Scorer], experts: list[Expert], needs: list[Need]
) -> None:
    report, _ = evaluate(make_scorer(experts), needs, {"N1": {"E3": 2}, "N2": {"E1": 1}})
    recall = report.per_need[FUSED]["recall@5"]
    assert np.isnan(recall).tolist() == [False, True]
    assert report.means[FUSED]["recall@5"] == recall[0] == 1.0


def test_row_order_of_needs_and_experts_never_changes_the_report(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    experts: list[Expert],
    needs: list[Need],
) -> None:
    one, _ = evaluate(make_scorer(experts, (), make_encoder()), needs, QRELS)
    other, _ = evaluate(make_scorer(experts[::-1], (), make_encoder()), needs[::-1], QRELS)
    assert (one.need_ids, one.means, one.intervals) == (other.need_ids, other.means, other.intervals)


def test_the_run_lists_every_pair_in_rank_order(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    experts: list[Expert],
    needs: list[Need],
) -> None:
    scorer = make_scorer(experts, (), make_encoder())
    report, scores = evaluate(scorer, needs, QRELS)
    rows = list(run_rows(scorer, report.need_ids, scores))
    assert len(rows) == 2 * 4
    for number, need_id in enumerate(report.need_ids):
        of_need = [row for row in rows if row[0] == need_id]
        assert [row[2] for row in of_need] == [1, 2, 3, 4]
        assert [row[1] for row in of_need] == order_items(scores.score[number], scorer.index.pool.item_ids)
        assert [(-row[3], row[1]) for row in of_need] == sorted((-row[3], row[1]) for row in of_need)
        for _, expert_id, _, score, lexical, dense, thesaurus in of_need:
            column = scorer.index.pool.position[expert_id]
            assert score == pytest.approx(scores.score[number, column], abs=1e-6)
            assert lexical / 5 + dense * 3 / 5 + thesaurus / 5 == pytest.approx(score, abs=4e-6)


def test_an_absent_channel_is_empty_in_the_run(
    make_scorer: Callable[..., Scorer], experts: list[Expert], needs: list[Need]
) -> None:
    scorer = make_scorer(experts)
    report, scores = evaluate(scorer, needs, QRELS)
    assert {row[5] for row in run_rows(scorer, report.need_ids, scores)} == {""}


def test_nothing_judged(make_scorer: Callable[..., Scorer], experts: list[Expert], needs: list[Need]) -> None:
    report, scores = evaluate(make_scorer(experts), needs, {})
    assert report.need_ids == ()
    assert math.isnan(report.means[FUSED]["ndcg@10"])
    assert scores.score.shape == (0, 4)


def test_groups_split_the_report_and_nothing_is_lost(
    make_scorer: Callable[..., Scorer], experts: list[Expert], needs: list[Need]
) -> None:
    report, _ = evaluate(make_scorer(experts), needs, QRELS)
    parts = split_report(report, ["海洋生物", "汽车机电"])
    assert {name: part.need_ids for name, part in parts.items()} == {"汽车机电": ("N3",), "海洋生物": ("N1",)}
    for row, part in enumerate((parts["海洋生物"], parts["汽车机电"])):
        for system, values in report.per_need.items():
            for metric in METRICS:
                assert part.means[system][metric] == values[metric][row]
                assert part.intervals[system][metric] == (values[metric][row],) * 2
    (whole,) = split_report(report, ["同一个"] * 2).values()
    assert (whole.need_ids, whole.means, whole.intervals) == (report.need_ids, report.means, report.intervals)


def test_json_holds_no_nan(
    make_scorer: Callable[..., Scorer], experts: list[Expert], needs: list[Need]
) -> None:
    report, _ = evaluate(make_scorer(experts), needs, {"N2": {"E1": 1}})
    found = report.as_json(FUSED)
    assert found["recall@10"] is None
    assert found["ci95"]["recall@10"] == [None, None]  # type: ignore[index]
    assert 0 < found["ndcg@10"] <= 1  # type: ignore[operator]


def test_the_shipped_judgements_are_sound() -> None:
    def column(name: str, field: str) -> list[str]:
        with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
            return [row[field] for row in csv.DictReader(file)]

    need_ids, expert_ids = column("qrels.csv", "need_id"), column("qrels.csv", "expert_id")
    pairs = list(zip(need_ids, expert_ids, strict=True))
    assert len(set(pairs)) == len(pairs) == 941
    assert set(need_ids) == set(column("needs.csv", "need_id"))
    assert set(expert_ids) <= set(column("experts.csv", "expert_id"))
    assert set(column("qrels.csv", "grade")) == set("0123")
