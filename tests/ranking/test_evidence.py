"""匹配依据: every line resolves to a stored record, and the choice is the greedy one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.encoding.protocol import Encoder
from matcher.models import Evidence, Expert, Need, Work
from matcher.ranking.evidence import MAX_BRIDGES, EvidenceFinder
from matcher.ranking.lines import LineScorer
from matcher.ranking.scorer import Query, Scorer, ScoringParams, need_query, text_query
from matcher.retrieval.expansion import Expander
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.pool import build_expert_pool
from matcher.text.normalise import normalise
from matcher.text.tokenise import Tokeniser
from matcher.vocab import FacetKind, LineKind

PHRASE = st.sampled_from(
    [
        "轴承磨得快",
        "轴承发烫严重",
        "摩擦磨损机理",
        "海参苗种繁育",
        "表面缺陷检测",
        "图像识别",
        "——",
        "",
        "PLC",
    ]
)
PARAGRAPH = st.lists(PHRASE, max_size=4).map("。".join)
NEED = st.builds(
    Need, st.just("N1"), st.just("示例企业"), PHRASE, PARAGRAPH, key_tech=PARAGRAPH, goal=PARAGRAPH
)
TUPLE = st.lists(PHRASE, max_size=4).map(tuple)
EXPERTS = st.lists(
    st.builds(Expert, st.integers(0, 9).map("E{}".format), st.just("仿生团队"), st.just("某大学"),
              disciplines=TUPLE, research_directions=TUPLE, achievements=TUPLE, keywords=TUPLE),
    unique_by=lambda expert: expert.expert_id,
    max_size=5,
)  # fmt: skip
FIELD_OF_LINE = {
    LineKind.TITLE: "title",
    LineKind.PROBLEM: "problem",
    LineKind.KEY_TECH: "key_tech",
    LineKind.GOAL: "goal",
    LineKind.KEYWORDS: "keywords",
}
FIELD_OF_FACET = {
    FacetKind.DIRECTION: "research_directions",
    FacetKind.ACHIEVEMENT: "achievements",
    FacetKind.KEYWORDS: "keywords",
    FacetKind.INDUSTRY: "industry_experience",
}


def bare(text: str) -> str:
    """Letters and figures only: a quotation may join two neighbouring phrases with another comma."""
    return re.sub(r"[\W_]", "", text)


def field_text(record: object, field: str) -> str:
    value = getattr(record, field)
    return value if isinstance(value, str) else "；".join(value)


def check_quotation(
    found: Evidence, query: Query, need: Need | None, experts: dict[str, Expert], works: dict[str, Work]
) -> None:
    """A person can open the record and find the words there."""
    assert found.line in query.lines
    if need is not None:
        assert found.line.record_id == need.need_id
        assert bare(found.line.text) in bare(field_text(need, FIELD_OF_LINE[found.line.kind]))
    facet = found.facet
    if facet.kind is FacetKind.WORK:
        work = works[facet.record_id]
        assert work.expert_id == facet.expert_id
        assert bare(facet.text) == bare(work.title + work.abstract)
        assert (facet.year, facet.source) == (work.year, work.source)
    else:
        expert = experts[facet.record_id]
        assert facet.expert_id == facet.record_id
        assert bare(facet.text) in bare(field_text(expert, FIELD_OF_FACET[facet.kind]))
        assert facet.source == expert.source


def check_choice(scorer: Scorer, query: Query, row: int) -> tuple[Evidence, ...]:
    """Evidence and gaps against a plain greedy choice over the strengths."""
    finder, strengths = (
        EvidenceFinder(scorer, query),
        LineScorer(scorer, query).strengths(range(len(scorer.index.pool.facets))),
    )
    pool, threshold = scorer.index.pool, scorer.params.evidence_threshold
    quotable = [
        n for n in pool.facets_of(row) if pool.facets[n].kind not in (FacetKind.NAME, FacetKind.DISCIPLINE)
    ]
    left = {
        (i, j): strengths[i, j]
        for i in range(len(query.lines))
        for j in quotable
        if strengths[i, j] >= threshold
    }
    expected = []
    while left and len(expected) < 3:
        best = min(left, key=lambda pair: (-left[pair], pair))
        expected.append((query.lines[best[0]], pool.facets[best[1]], left[best]))
        left = {pair: value for pair, value in left.items() if pair[0] != best[0] and pair[1] != best[1]}
    found = finder.find(row)
    assert [(e.line, e.facet, e.strength) for e in found] == expected
    assert len({e.line.line_id for e in found}) == len({e.facet.facet_id for e in found}) == len(found) <= 3
    demanded = {LineKind.TITLE, LineKind.KEY_TECH, LineKind.TEXT}
    if all(line.kind is not LineKind.KEY_TECH for line in query.lines):
        demanded.add(LineKind.PROBLEM)
    assert finder.gaps(row) == tuple(
        line
        for i, line in enumerate(query.lines)
        if line.kind in demanded and not any(strengths[i, j] >= threshold for j in quotable)
    )
    assert not set(finder.gaps(row)) & {e.line for e in found}
    return found


@settings(max_examples=40)
@given(need=NEED, experts=EXPERTS, threshold=st.sampled_from([0.05, 0.15, 0.3, 0.6]))
def test_small_pools(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    need: Need,
    experts: list[Expert],
    threshold: float,
) -> None:
    scorer = make_scorer(experts, (), make_encoder(), ScoringParams(evidence_threshold=threshold))
    query = need_query(need)
    strengths = LineScorer(scorer, query).strengths(range(len(scorer.index.pool.facets)))
    assert strengths.shape == (len(query.lines), len(scorer.index.pool.facets))
    assert ((strengths >= 0.0) & (strengths <= 1.0)).all()
    for row in range(len(experts)):
        for found in check_choice(scorer, query, row):
            check_quotation(found, query, need, {e.expert_id: e for e in experts}, {})


@pytest.fixture(scope="module")
def sample_scorer(
    sample: object,
    shipped_tokeniser: Tokeniser,
    shipped_expander: Expander,
    make_encoder: Callable[..., Encoder],
) -> Scorer:
    experts: Sequence[Expert] = sample.experts[::3]  # type: ignore[attr-defined]
    encoder = make_encoder(dimension=256)
    index = PoolIndex.build(build_expert_pool(experts, sample.works), shipped_tokeniser, encoder)  # type: ignore[attr-defined]
    return Scorer(index, shipped_tokeniser, shipped_expander, encoder)


def test_the_sample_data_is_quoted_truly(
    sample: object, sample_scorer: Scorer, shipped_tokeniser: Tokeniser
) -> None:
    experts = {expert.expert_id: expert for expert in sample.experts}  # type: ignore[attr-defined]
    works = {work.work_id: work for work in sample.works}  # type: ignore[attr-defined]
    kinds, n_terms, n_bridges = set(), 0, 0
    for need in sample.needs[2::5]:  # type: ignore[attr-defined]
        query = need_query(need)
        order = np.argsort(-sample_scorer.score([query]).score[0], kind="stable")
        finder = EvidenceFinder(sample_scorer, query)
        for row in order[:8]:
            for found in finder.find(int(row)):
                check_quotation(found, query, need, experts, works)
                kinds.add(found.facet.kind)
                line, facet = normalise(found.line.text), normalise(found.facet.text)
                assert found.shared_terms == tuple(shipped_tokeniser.shared_terms(line, facet))
                assert all(term in line and term in facet for term in found.shared_terms)
                assert all(b.phrase in line and b.term in facet for b in found.bridges)
                assert len(found.bridges) <= MAX_BRIDGES
                n_terms += len(found.shared_terms)
                n_bridges += len(found.bridges)
    assert {FacetKind.DIRECTION, FacetKind.WORK} <= kinds
    assert n_terms > 20
    assert n_bridges >= 3


def test_the_sample_data_is_chosen_greedily(sample: object, sample_scorer: Scorer) -> None:
    sizes = set()
    for need in sample.needs[3::30]:  # type: ignore[attr-defined]
        query = need_query(need)
        order = np.argsort(-sample_scorer.score([query]).score[0], kind="stable")
        sizes |= {len(check_choice(sample_scorer, query, int(row))) for row in [*order[:3], order[-1]]}
    assert {0, 3} <= sizes


def test_strength_is_the_formula_of_the_score_one_level_down(
    make_scorer: Callable[..., Scorer],
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
) -> None:
    """Experts of one facet each: scoring lines against facets is scoring queries against experts."""
    texts = ["轴承摩擦磨损机理", "海参苗种繁育", "表面缺陷检测", "焊接气孔"]
    scorer = make_scorer([make_expert(f"E{n}", text) for n, text in enumerate(texts)], (), make_encoder())
    query = text_query("轴承磨得快而且发烫。海参化皮死得多")
    alone = [scorer.score([text_query(line.text)]).score[0] for line in query.lines]
    np.testing.assert_allclose(
        LineScorer(scorer, query).strengths(range(len(scorer.index.pool.facets))), alone, atol=2e-6
    )


def test_a_label_is_no_evidence(
    make_scorer: Callable[..., Scorer], make_expert: Callable[..., Expert]
) -> None:
    named = make_expert("E1", name="轴承磨得快研究团队", disciplines=("轴承磨得快",))
    others = [
        make_expert(f"E{number}", text) for number, text in enumerate(["海参", "焊接", "图像", "酶"], 2)
    ]
    scorer = make_scorer([named, *others], params=ScoringParams(evidence_threshold=0.05))
    query = text_query("轴承磨得快")
    assert scorer.score([query]).score[0, 0] > 0.2
    finder = EvidenceFinder(scorer, query)
    assert finder.find(0) == ()
    assert finder.gaps(0) == query.lines


def test_the_complaint_is_a_gap_only_where_nothing_else_is_demanded(
    make_scorer: Callable[..., Scorer], make_expert: Callable[..., Expert], make_need: Callable[..., Need]
) -> None:
    scorer = make_scorer([make_expert("E1"), make_expert("E2", "海参")])
    story = make_need("N1", "轴承磨得快", "用两周就开始发响", goal="寿命翻一倍才行", keywords=("轴承",))
    stated = make_need("N1", "轴承磨得快", "用两周就开始发响", key_tech="寿命不低于5000小时")
    kinds = [[line.kind for line in EvidenceFinder(scorer, need_query(n)).gaps(0)] for n in (story, stated)]
    assert kinds == [[LineKind.TITLE, LineKind.PROBLEM], [LineKind.TITLE, LineKind.KEY_TECH]]


def test_a_pair_of_the_textbook(
    make_scorer: Callable[..., Scorer], make_expert: Callable[..., Expert], make_need: Callable[..., Need]
) -> None:
    fitting = make_expert("E1", "轴承摩擦磨损机理", "海洋遥感反演")
    others = [
        make_expert(f"E{number}", text)
        for number, text in enumerate(["海参", "焊接", "图像", "酶", "酿造", "果树"], 2)
    ]
    scorer = make_scorer([fitting, *others])
    found = EvidenceFinder(scorer, need_query(make_need("N1", "轴承磨得快"))).find(0)
    assert [(e.line.text, e.facet.text) for e in found] == [("轴承磨得快", "轴承摩擦磨损机理")]
    assert found[0].shared_terms == ("轴承",)
    assert [(b.phrase, b.term, b.topic) for b in found[0].bridges] == [("磨得快", "摩擦磨损", "摩擦学")]
