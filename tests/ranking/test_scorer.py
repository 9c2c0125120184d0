"""匹配度: the arithmetic, its invariants on small random pools, and the odd cases."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.encoding.protocol import Encoder, Progress, Vectors, normalise_rows
from matcher.evaluation.harness import order_items
from matcher.models import Expert, Need, Work
from matcher.ranking import scorer as scorer_module
from matcher.ranking.eligibility import ExpertFilter
from matcher.ranking.evidence import EvidenceFinder
from matcher.ranking.scorer import PoolScores, Scorer, ScoringParams, need_query, text_query
from matcher.retrieval.pool import build_expert_pool
from matcher.vocab import Channel, Ring

PHRASES = ["轴承磨得快", "轴承发烫", "摩擦磨损机理", "自润滑涂层制备", "海参化皮", "海参苗种繁育与病害防控", "表面缺陷检测",
           "图像识别", "PLC控制", "机械工程", "寿命5000小时", "——", "", "🐟"]  # fmt: skip
PHRASE = st.sampled_from(PHRASES)
TUPLE = st.lists(PHRASE, max_size=3).map(tuple)
NEEDS = st.lists(
    st.builds(
        Need,
        st.integers(0, 99).map("N{:02}".format),
        st.just("示例企业"),
        PHRASE,
        TUPLE.map("。".join),
        key_tech=PHRASE,
    ),
    unique_by=lambda need: need.need_id,
    max_size=4,
)
EXPERTS = st.lists(
    st.builds(
        Expert, st.integers(0, 9).map("E{}".format), st.sampled_from(["张三", "仿生团队"]), st.just("某大学"),
        ring=st.sampled_from(list(Ring)), disciplines=TUPLE, research_directions=TUPLE, achievements=TUPLE, keywords=TUPLE,
    ),
    unique_by=lambda expert: expert.expert_id,
    max_size=6,
)  # fmt: skip
WORKS = st.lists(
    st.builds(
        Work, st.integers(0, 99).map("W{:02}".format), st.integers(0, 9).map("E{}".format), st.just("论文"), PHRASE,
        abstract=PHRASE,
    ),
    unique_by=lambda work: work.work_id,
    max_size=5,
)  # fmt: skip
MIXED = ScoringParams({Channel.LEXICAL: 1.0, Channel.DENSE: 2.0, Channel.THESAURUS: 0.5}, 2, 0.4, 0.2)


@dataclass(frozen=True)
class OppositeEncoder:
    """Every document is nearly the opposite of every query: all cosines are negative, as real models give at times."""

    name: str = "opposite"
    fingerprint: str = "opposite-v1"
    dimension: int = 4

    def encode_query(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        return normalise_rows(np.array([[-1.0 if text else 0.0, 0, 0, 0] for text in texts]).reshape(-1, 4))

    def encode_document(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        rows = [[1.0, len(text) % 3, len(text) % 2, 0.1] if text else [0.0] * 4 for text in texts]
        return normalise_rows(np.array(rows).reshape(-1, 4))


def rank(scorer: Scorer, needs: Sequence[Need]) -> dict[str, list[tuple[object, ...]]]:
    """Everything a person sees: per need the ordered experts with score, signals, contributions, evidence, gaps."""
    queries = [need_query(need) for need in needs]
    scores = scorer.score(queries)
    shown: dict[str, list[tuple[object, ...]]] = {}
    for number, query in enumerate(queries):
        finder = EvidenceFinder(scorer, query)
        shown[query.query_id] = [
            (
                item_id,
                scores.score[number, row],
                *(float(signals[number, row]) for signals in scores.signals.values()),
                *(float(parts[number, row]) for parts in scores.contributions.values()),
                finder.find(row),
                finder.gaps(row),
            )
            for item_id in order_items(scores.score[number], scorer.index.pool.item_ids)
            for row in [scorer.index.pool.position[item_id]]
        ]
    return shown


def check_arithmetic(scores: PoolScores, weights: dict[Channel, float]) -> None:
    """Contributions are weight × signal and sum to the score; all is 0–1."""
    total = sum(weights[channel] for channel in scores.signals)
    added = np.zeros(scores.score.shape)
    for channel, signals in scores.signals.items():
        assert ((signals >= 0.0) & (signals <= 1.0)).all()
        np.testing.assert_allclose(
            scores.contributions[channel], weights[channel] / total * signals, atol=1e-6
        )
        added += scores.contributions[channel]
    np.testing.assert_allclose(added, scores.score, atol=1e-6)
    assert ((scores.score >= 0.0) & (scores.score <= 1.0)).all()


@given(
    needs=NEEDS,
    experts=EXPERTS,
    works=WORKS,
    with_encoder=st.booleans(),
    params=st.sampled_from([None, MIXED]),
)
def test_contributions_sum_to_the_score(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    needs: list[Need],
    experts: list[Expert],
    works: list[Work],
    with_encoder: bool,
    params: ScoringParams | None,
) -> None:
    scorer = make_scorer(experts, works, make_encoder() if with_encoder else None, params)
    scores = scorer.score([need_query(need) for need in needs])
    assert scores.score.shape == (len(needs), len(experts))
    assert set(scores.signals) == (set(Channel) if with_encoder else {Channel.LEXICAL, Channel.THESAURUS})
    check_arithmetic(scores, dict(scorer.params.weights))


@settings(max_examples=60)
@given(
    needs=NEEDS, experts=EXPERTS, works=WORKS, params=st.sampled_from([None, MIXED]), random=st.randoms(use_true_random=False)
)  # fmt: skip
def test_row_order_never_changes_anything(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    needs: list[Need],
    experts: list[Expert],
    works: list[Work],
    params: ScoringParams | None,
    random: Random,
) -> None:
    encoder = make_encoder()
    plain = rank(make_scorer(experts, works, encoder, params), needs)
    for rows in (needs, experts, works):
        random.shuffle(rows)
    assert rank(make_scorer(experts, works, encoder, params), needs) == plain


@settings(max_examples=40)
@given(needs=NEEDS, experts=EXPERTS)
def test_a_need_scores_the_same_alone(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    needs: list[Need],
    experts: list[Expert],
) -> None:
    scorer = make_scorer(experts, (), make_encoder())
    assert {k: v for need in needs for k, v in rank(scorer, [need]).items()} == rank(scorer, needs)


def test_the_batch_a_need_falls_into_never_changes_its_score(
    sample: object,
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs, experts = sample.needs[:80], sample.experts[:60]  # type: ignore[attr-defined]
    scorer = make_scorer(experts, (), make_encoder(dimension=256), ScoringParams(facet_share=0.5))
    queries = [need_query(need) for need in needs]
    forward = scorer.score(queries).score
    np.testing.assert_array_equal(scorer.score(queries[::-1]).score[::-1], forward)
    monkeypatch.setattr(scorer_module, "BATCH", 7)
    np.testing.assert_array_equal(scorer.score(queries).score, forward)


def reference_dense(
    encoder: Encoder, experts: Sequence[Expert], text: str, best: int, share: float
) -> list[float]:
    """The dense signal, one expert at a time in plain Python."""
    query = encoder.encode_query([text])[0].astype(float)
    pool = build_expert_pool(experts)
    raw = []
    for row in range(len(pool.item_ids)):
        texts = [pool.facets[number].text for number in pool.facets_of(row)]
        whole = float(encoder.encode_document(["；".join(texts)])[0].astype(float) @ query)
        cosines = sorted(
            (float(v.astype(float) @ query) for v in encoder.encode_document(texts)), reverse=True
        )
        top = cosines[:best]
        raw.append((1 - share) * whole + share * sum(top) / len(top))
    mean = sum(raw) / len(raw)
    spread = math.sqrt(sum((value - mean) ** 2 for value in raw) / len(raw))
    return [min(1.0, max(0.0, (value - mean) / spread / 5.0)) for value in raw]


@pytest.mark.parametrize(("best", "share"), [(3, 0.0), (3, 1.0), (1, 1.0), (2, 0.4), (99, 1.0)])
def test_dense_signal_is_the_reference_s(
    sample: object,
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    best: int,
    share: float,
) -> None:
    experts, encoder = sample.experts[:25], make_encoder()  # type: ignore[attr-defined]
    query = need_query(sample.needs[5])  # type: ignore[attr-defined]
    scorer = make_scorer(experts, (), encoder, ScoringParams(best_facets=best, facet_share=share))
    expected = reference_dense(encoder, experts, query.text, best, share)
    np.testing.assert_allclose(scorer.score([query]).signals[Channel.DENSE][0], expected, atol=3e-6)


def test_without_an_encoder_the_weights_are_scaled_up(
    make_scorer: Callable[..., Scorer], make_expert: Callable[..., Expert]
) -> None:
    experts = [
        make_expert("E1", "轴承摩擦磨损"),
        make_expert("E2", "海参育苗"),
        make_expert("E3", "图像识别"),
    ]
    scores = make_scorer(experts, params=MIXED).score([text_query("轴承磨得快怎么办")])
    lexical, thesaurus = scores.signals[Channel.LEXICAL][0, 0], scores.signals[Channel.THESAURUS][0, 0]
    assert lexical > 0
    assert thesaurus > 0
    assert scores.score[0, 0] == pytest.approx((1.0 * lexical + 0.5 * thesaurus) / 1.5, abs=2e-6)


def test_vectors_without_an_encoder_and_the_other_way_leave_the_channel_out(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
) -> None:
    experts = [make_expert("E1", "轴承"), make_expert("E2", "海参")]
    full, bare = make_scorer(experts, (), make_encoder()), make_scorer(experts)
    without = Scorer(full.index, full.tokeniser, full.expander, None)
    unused = Scorer(bare.index, bare.tokeniser, bare.expander, make_encoder())
    expected = bare.score([text_query("轴承磨得快怎么办")])
    for scorer in (without, unused):
        found = scorer.score([text_query("轴承磨得快怎么办")])
        assert Channel.DENSE not in found.signals
        np.testing.assert_array_equal(found.score, expected.score)


def test_only_a_missing_channel_has_weight(
    make_scorer: Callable[..., Scorer], make_expert: Callable[..., Expert]
) -> None:
    scorer = make_scorer([make_expert("E1", "轴承")], params=ScoringParams({Channel.DENSE: 1.0}))
    with pytest.raises(ValueError, match="weight"):
        scorer.score([text_query("轴承磨得快怎么办")])


@given(needs=NEEDS, experts=EXPERTS, rings=st.frozensets(st.sampled_from(list(Ring))), capacity=st.booleans())
def test_filters_never_change_a_score(
    make_scorer: Callable[..., Scorer],
    needs: list[Need],
    experts: list[Expert],
    rings: frozenset[str],
    capacity: bool,
) -> None:
    """A filter sees finished scores: who stays keeps score and order, and the whole pool is still scored."""
    scorer = make_scorer(experts)
    by_id = {expert.expert_id: expert for expert in experts}
    everybody = rank(scorer, needs)
    wanted = ExpertFilter(rings=rings, only_with_capacity=capacity)
    kept = {
        need_id: [line for line in lines if not wanted.reason(by_id[str(line[0])], None)]
        for need_id, lines in everybody.items()
    }
    assert rank(scorer, needs) == everybody
    for need_id, lines in kept.items():
        assert [line[0] for line in lines] == [
            line[0] for line in everybody[need_id] if not rings or by_id[str(line[0])].ring in rings
        ]
        assert all(line in everybody[need_id] for line in lines)
        scores = [float(str(line[1])) for line in lines]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("with_encoder", [True, False])
def test_an_empty_pool(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_need: Callable[..., Need],
    with_encoder: bool,
) -> None:
    scorer = make_scorer([], (), make_encoder() if with_encoder else None)
    assert scorer.score([need_query(make_need("N1", "轴承", "磨得快"))]).score.shape == (1, 0)
    assert scorer.score([]).score.shape == (0, 0)
    assert rank(scorer, [make_need("N1", "轴承")]) == {"N1": []}


def test_no_query(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
) -> None:
    scores = make_scorer([make_expert("E1", "轴承")], (), make_encoder()).score([])
    assert scores.score.shape == (0, 1)
    assert {signals.shape for signals in scores.signals.values()} == {(0, 1)}


def test_one_expert_stands_out_from_nobody(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
) -> None:
    scores = make_scorer([make_expert("E1", "轴承磨得快")], (), make_encoder()).score(
        [text_query("轴承磨得快")]
    )
    assert scores.score.tolist() == [[0.0]]


def test_of_two_experts_the_fitting_one_gets_a_fifth_of_each_channel(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
) -> None:
    """z = ±1 whatever the raw scores are, so each signal is 1/5 or nothing."""
    experts = [make_expert("E1", "海参"), make_expert("E2", "轴承摩擦磨损")]
    scores = make_scorer(experts, (), make_encoder()).score([text_query("轴承磨得快")])
    for signals in scores.signals.values():
        np.testing.assert_allclose(signals, [[0.0, 0.2]], atol=1e-6)
    np.testing.assert_allclose(scores.score, [[0.0, 0.2]], atol=2e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("opposite", [False, True])
def test_an_expert_without_facets_has_no_score(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
    share: float,
    opposite: bool,
) -> None:
    """Nothing written is no likeness: a zero vector must not beat profiles whose cosine is negative."""
    experts = [
        make_expert("E1", "轴承摩擦磨损"),
        make_expert("E2"),
        make_expert("E3", "海参苗种"),
        make_expert("E4", "焊接"),
    ]
    encoder = OppositeEncoder() if opposite else make_encoder()
    scores = make_scorer(experts, (), encoder, ScoringParams(facet_share=share)).score(
        [text_query("轴承磨得快怎么办")]
    )
    assert {channel: float(signals[0, 1]) for channel, signals in scores.signals.items()} == dict.fromkeys(
        Channel, 0.0
    )
    assert scores.score[0, 1] == 0.0


@pytest.mark.parametrize("text", ["", "  ", "。。。", "🐟", "\u200b"])
def test_a_blank_question_scores_nobody(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
    text: str,
) -> None:
    scorer = make_scorer([make_expert("E1", "轴承"), make_expert("E2", "海参")], (), make_encoder())
    query = text_query(text)
    assert scorer.score([query]).score.tolist() == [[0.0, 0.0]]
    finder = EvidenceFinder(scorer, query)
    assert (finder.find(0), finder.gaps(0)) == ((), ())


def test_a_need_with_a_blank_problem_is_ranked_by_its_title(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
    make_need: Callable[..., Need],
) -> None:
    scorer = make_scorer([make_expert("E1", "海参苗种"), make_expert("E2", "轴承磨损")], (), make_encoder())
    blank, spaces = make_need("N1", "轴承磨损快", ""), make_need("N1", "轴承磨损快", " \n　")
    assert rank(scorer, [blank]) == rank(scorer, [spaces])
    assert [line[0] for line in rank(scorer, [blank])["N1"]] == ["E2", "E1"]


def test_identical_experts_tie_and_stand_in_the_order_of_their_ids(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
    make_need: Callable[..., Need],
) -> None:
    directions = ("轴承摩擦磨损机理", "自润滑涂层", "润滑脂")
    twins = [make_expert(f"E{number:02}", *directions) for number in (7, 3, 11, 5)]
    scorer = make_scorer(
        [*twins, make_expert("E01", "海参"), make_expert("E99", "图像识别")], (), make_encoder()
    )
    lines = rank(scorer, [make_need("N1", "轴承磨得快", "轴承发烫")])["N1"]
    assert [line[0] for line in lines[:4]] == ["E03", "E05", "E07", "E11"]
    assert len({line[1:-2] for line in lines[:4]}) == 1
    assert float(str(lines[0][1])) > 0.0


def test_the_thesaurus_never_touches_the_original_query(
    make_scorer: Callable[..., Scorer], make_encoder: Callable[..., Encoder], sample: object
) -> None:
    """With the thesaurus emptied, the two other channels keep their signals bit for bit."""
    from matcher.retrieval.expansion import Expander
    from matcher.text.thesaurus import Thesaurus

    scorer = make_scorer(sample.experts[:30], (), make_encoder())  # type: ignore[attr-defined]
    bare = Scorer(scorer.index, scorer.tokeniser, Expander(Thesaurus(()), scorer.tokeniser), scorer.encoder)
    queries = [need_query(need) for need in sample.needs[:10]]  # type: ignore[attr-defined]
    full, none = scorer.score(queries), bare.score(queries)
    assert (full.signals[Channel.THESAURUS] > 0).any()
    assert not none.signals[Channel.THESAURUS].any()
    for channel in (Channel.LEXICAL, Channel.DENSE):
        np.testing.assert_array_equal(full.signals[channel], none.signals[channel])


@settings(max_examples=20)
@given(EXPERTS)
def test_an_expert_who_matches_nothing_never_beats_one_who_quotes_the_need(
    make_scorer: Callable[..., Scorer], make_encoder: Callable[..., Encoder], experts: list[Expert]
) -> None:
    text = "齿轮箱漏油而且噪声很大"
    perfect = Expert("E500", "张三", "某大学", research_directions=(text,))
    scorer = make_scorer([*experts, perfect], (), make_encoder())
    scores = scorer.score([text_query(text)])
    row = scorer.index.pool.position["E500"]
    assert scores.score[0, row] == scores.score[0].max()
