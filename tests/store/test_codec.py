"""Hashes, differences and the JSON form of matches."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.models import (
    Bridge,
    Evidence,
    Expert,
    Facet,
    Match,
    Need,
    PracticalSignal,
    RequirementLine,
)
from matcher.store.codec import EXPERTS, NEEDS, decode_match, encode_match
from matcher.vocab import Channel, DataKind, FacetKind, LineKind

NEED = Need("N1", "示例轴承厂01", "轴承磨得快", "用三个月就响", budget_wan=50.0)
words = st.text(max_size=12)
unit = st.floats(0, 1)
lines = st.builds(RequirementLine, words, words, st.sampled_from(LineKind), words, st.integers(0, 9))
facets = st.builds(
    Facet,
    words,
    words,
    words,
    st.sampled_from(FacetKind),
    words,
    st.integers(0, 9),
    st.none() | st.integers(1990, 2030),
    words,
)
evidence = st.builds(
    Evidence,
    lines,
    facets,
    unit,
    st.lists(words, max_size=3).map(tuple),
    st.lists(st.builds(Bridge, words, words, words), max_size=2).map(tuple),
)
matches = st.builds(
    Match,
    words,
    words,
    st.integers(1, 500),
    unit,
    st.dictionaries(st.sampled_from(Channel), unit),
    st.dictionaries(st.sampled_from(Channel), unit),
    st.lists(evidence, max_size=3).map(tuple),
    st.lists(lines, max_size=2).map(tuple),
    st.lists(st.builds(PracticalSignal, words, words, unit, words), max_size=2).map(tuple),
)


@given(matches)
def test_a_match_survives_json(match: Match) -> None:
    again = decode_match(json.loads(json.dumps(encode_match(match))))
    assert again == match
    assert all(isinstance(line.kind, LineKind) for line in again.gaps)
    assert all(isinstance(channel, Channel) for channel in again.signals)


def test_equal_records_have_equal_hashes() -> None:
    assert NEEDS.content_hash(NEED) == NEEDS.content_hash(replace(NEED, budget_wan=50))
    plain = replace(NEED, data_kind="本地")
    assert NEEDS.content_hash(replace(NEED, data_kind=DataKind.OWN)) == NEEDS.content_hash(plain)


@given(st.lists(words, max_size=3), st.lists(words, max_size=3))
def test_hashes_differ_exactly_when_lists_differ(left: list[str], right: list[str]) -> None:
    one, two = (Expert("E1", "团队", "大学", keywords=tuple(items)) for items in (left, right))
    assert (EXPERTS.content_hash(one) == EXPERTS.content_hash(two)) == (left == right)


@pytest.mark.parametrize(
    "changed",
    [
        replace(NEED, need_id="N2"),
        replace(NEED, budget_wan=0.0),
        replace(NEED, budget_wan=None),
        replace(NEED, goal="用一年"),
        replace(NEED, problem="", goal=NEED.problem),
        replace(NEED, posted_on=date(2026, 3, 1)),
    ],
)
def test_any_difference_changes_the_hash(changed: Need) -> None:
    assert NEEDS.content_hash(changed) != NEEDS.content_hash(NEED)


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        NEEDS.content_hash(replace(NEED, budget_wan=float("nan")))


def test_a_blank_id_is_refused() -> None:
    with pytest.raises(ValueError, match="blank need_id"):
        NEEDS.id_of(replace(NEED, need_id=" "))


def test_differences_name_the_field_and_both_values() -> None:
    later = replace(NEED, budget_wan=80.5, goal="用一年", keywords=("轴承", "磨损"))
    assert NEEDS.differences(NEED, later) == (
        "「预期目标」（空） → 用一年",
        "「关键字」（空） → 轴承；磨损",
        "「拟投入资金（万元）」50 → 80.5",
    )


def test_long_texts_are_shown_where_they_differ() -> None:
    old, new = "一" * 100 + "二" + "三" * 100, "一" * 100 + "四" + "三" * 100
    (line,) = NEEDS.differences(replace(NEED, problem=old), replace(NEED, problem=new))
    left, right = line.removeprefix("「主要问题」").split(" → ")
    assert left == "…" + "一" * 10 + "二" + "三" * 29 + "…"
    assert right == left.replace("二", "四")
