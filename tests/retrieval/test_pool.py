"""Cutting records into facets and lines: what is quoted, in which order, under which id."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from matcher.models import Expert, Need, Work
from matcher.retrieval.pool import (
    Pool,
    build_expert_pool,
    build_facets,
    build_lines,
    build_need_pool,
    build_text_lines,
)
from matcher.vocab import FacetKind, LineKind

Make = Callable[..., Expert]


def shown(expert: Expert, *works: Work) -> list[tuple[FacetKind, str]]:
    return [(facet.kind, facet.text) for facet in build_facets(expert, works)]


def test_every_field_becomes_facets(make_expert: Make) -> None:
    expert = make_expert(
        "E1",
        "摩擦磨损、润滑",
        "密封",
        name="摩擦学示例团队101",
        department="机械学院",
        disciplines=("机械工程", "力学"),
        achievements=("耐磨涂层",),
        keywords=("磨损", "润滑"),
        industry_experience=" 做过诊断 ",
        source="示例数据",
    )
    works = [Work("W2", "E1", "论文", "后", 2020, " "), Work("W1", "E1", "专利", "先", None, "摘要", "来源")]
    assert shown(expert, *works) == [
        (FacetKind.NAME, "机械学院 摩擦学"),
        (FacetKind.DISCIPLINE, "机械工程、力学"),
        (FacetKind.DIRECTION, "摩擦磨损"),
        (FacetKind.DIRECTION, "润滑"),
        (FacetKind.DIRECTION, "密封"),
        (FacetKind.ACHIEVEMENT, "耐磨涂层"),
        (FacetKind.KEYWORDS, "磨损、润滑"),
        (FacetKind.INDUSTRY, "做过诊断"),
        (FacetKind.WORK, "先。摘要"),
        (FacetKind.WORK, "后"),
    ]
    facets = build_facets(expert, works)
    assert [f.record_id for f in facets] == ["E1"] * 8 + ["W1", "W2"]
    assert [f.year for f in facets[-2:]] == [None, 2020]
    assert [f.source for f in facets[-2:]] == ["来源", ""]
    assert len({f.facet_id for f in facets}) == len(facets)
    assert [f.position for f in facets if f.kind is FacetKind.DIRECTION] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("张三", ""),
        ("欧阳明远", ""),
        ("仿生团队", "仿生团队"),
        ("材料所", "材料所"),
        ("海参育苗示例团队42", "海参育苗"),
    ],
)
def test_a_person_s_name_says_nothing_of_a_field(make_expert: Make, name: str, words: str) -> None:
    facets = shown(make_expert("E1", name=name))
    assert facets == ([(FacetKind.NAME, words)] if words else [])


def test_a_repeated_or_empty_phrase_is_no_facet(make_expert: Make) -> None:
    assert shown(make_expert("E1", "磨损；磨损", "——", "", "磨损", keywords=("",))) == [
        (FacetKind.DIRECTION, "磨损")
    ]


def test_an_expert_without_text_has_no_facets(make_expert: Make) -> None:
    pool = build_expert_pool([make_expert("E2", "磨损"), make_expert("E1"), make_expert("E3", "——")])
    assert pool.item_ids == ("E1", "E2", "E3")
    assert pool.starts.tolist() == [0, 0, 1, 1]
    assert [list(pool.facets_of(row)) for row in range(3)] == [[], [0], []]
    assert pool.owner.tolist() == [1]
    assert pool.position == {"E1": 0, "E2": 1, "E3": 2}


def test_an_empty_pool() -> None:
    for pool in (build_expert_pool([]), build_need_pool([])):
        assert (pool.item_ids, pool.facets, pool.starts.tolist(), pool.owner.tolist()) == ((), (), [0], [])


def test_row_order_gives_the_same_pool(sample: object) -> None:
    experts, works, needs = (list(getattr(sample, name)) for name in ("experts", "works", "needs"))
    pool, need_pool = build_expert_pool(experts, works), build_need_pool(needs)
    for rows in (experts, works, needs):
        random.Random(1).shuffle(rows)
    for one, other in ((pool, build_expert_pool(experts, works)), (need_pool, build_need_pool(needs))):
        assert one.item_ids == other.item_ids
        assert one.facets == other.facets
        assert one.content_hash == other.content_hash
        np.testing.assert_array_equal(one.starts, other.starts)


def test_works_of_unknown_experts_are_left_out(make_expert: Make) -> None:
    pool = build_expert_pool([make_expert("E1", "磨损")], [Work("W1", "E9", "论文", "断裂")])
    assert [facet.text for facet in pool.facets] == ["磨损"]


def differing_pools(make: Make) -> dict[str, Pool]:
    base, work = make("E5", "磨损"), Work("W1", "E5", "论文", "断裂")
    return {
        "base": build_expert_pool([base], [work]),
        "text": build_expert_pool([make("E5", "磨损机理")], [work]),
        "field": build_expert_pool([make("E5", achievements=("磨损",))], [work]),
        "expert": build_expert_pool([make("E6", "磨损")], [Work("W1", "E6", "论文", "断裂")]),
        "work": build_expert_pool([base], [Work("W2", "E5", "论文", "断裂")]),
        "no work": build_expert_pool([base]),
        "silent expert before": build_expert_pool([base, make("E4")], [work]),
        "silent expert after": build_expert_pool([base, make("E7")], [work]),
    }


def test_any_difference_in_ids_or_texts_gives_another_hash(make_expert: Make) -> None:
    """Pools of one hash share an index on disk; E4 before E5 and E7 after it put E5 into different rows."""
    hashes = {name: pool.content_hash for name, pool in differing_pools(make_expert).items()}
    assert len(set(hashes.values())) == len(hashes), hashes


def test_lines_of_a_need(make_need: Callable[..., Need]) -> None:
    need = make_need(
        "N1",
        " 轴承磨得快 ",
        "用两周就响。响！换油也没用；",
        key_tech="寿命≥5000小时。噪声低",
        goal="",
        keywords=("轴承", "磨损"),
    )
    lines = build_lines(need)
    assert [(line.kind, line.text) for line in lines] == [
        (LineKind.TITLE, "轴承磨得快"),
        (LineKind.PROBLEM, "用两周就响，响，换油也没用"),
        (LineKind.KEY_TECH, "寿命≥5000小时，噪声低"),
        (LineKind.KEYWORDS, "轴承、磨损"),
    ]
    assert {line.record_id for line in lines} == {"N1"}
    assert len({line.line_id for line in lines}) == len(lines)


def test_short_sentences_are_joined_and_long_ones_kept() -> None:
    lines = build_text_lines("短。这一句足够长了。这一句也足够长。尾")
    assert [line.text for line in lines] == ["短，这一句足够长了", "这一句也足够长，尾"]
    assert [line.line_id for line in lines] == ["text:1", "text:2"]
    assert {line.record_id for line in lines} == {""}


@pytest.mark.parametrize("text", ["", "  ", "。。！", "🐟", "\u200b"])
def test_blank_text_has_no_lines(make_need: Callable[..., Need], text: str) -> None:
    assert build_text_lines(text) == []
    assert build_lines(make_need("N1", text, text)) == []


def test_need_pool_holds_the_lines(make_need: Callable[..., Need]) -> None:
    needs = [
        make_need("N2", "海参化皮", "化皮严重怎么办啊"),
        make_need("N1", "轴承磨得快", keywords=("轴承",)),
    ]
    pool = build_need_pool(needs)
    assert pool.item_ids == ("N1", "N2")
    expected = [(line.line_id, line.text) for need in reversed(needs) for line in build_lines(need)]
    assert [(facet.facet_id, facet.text) for facet in pool.facets] == expected
    assert [pool.item_ids[row] for row in pool.owner] == [facet.record_id for facet in pool.facets]
