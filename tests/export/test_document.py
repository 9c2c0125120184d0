"""Shown numbers add up, and rows that make no sense are refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.export.document import Column, PairRow, Sheet, plain_number, shown_contributions, shown_score
from matcher.vocab import Channel


def pair(score: float, contributions: dict[Channel, float]) -> PairRow:
    return PairRow(
        1, "N1", "气孔", "甲厂", "宋村镇", "汽车机电", "E1", "某团队", "某大学", "区内", score, contributions
    )


@given(st.lists(st.floats(0, 1 / 3), min_size=3, max_size=3))
def test_shown_parts_sum_exactly_and_stay_within_a_tenth(parts: list[float]) -> None:
    row = pair(sum(parts), dict(zip(Channel, parts, strict=True)))
    shown = shown_contributions(row)
    assert sum(round(part * 10) for part in shown.values()) == round(shown_score(row.score) * 10)
    for channel, part in shown.items():
        assert abs(part - row.contributions[channel] * 100) < 0.1 + 1e-9


def test_largest_remainder_gets_the_missing_tenth() -> None:
    parts = {Channel.LEXICAL: 0.1004, Channel.DENSE: 0.2007, Channel.THESAURUS: 0.3}
    assert shown_score(0.6011) == 60.1
    assert shown_contributions(pair(0.6011, parts)) == {
        Channel.LEXICAL: 10.0,
        Channel.DENSE: 20.1,
        Channel.THESAURUS: 30.0,
    }


def test_contributions_may_be_missing_but_not_wrong() -> None:
    assert shown_contributions(pair(0.5, {})) == {}
    with pytest.raises(ValueError, match="sum to"):
        pair(0.5, {Channel.DENSE: 0.4})
    with pytest.raises(ValueError, match="outside"):
        pair(1.5, {})
    with pytest.raises(ValueError, match="outside"):
        pair(math.nan, {})
    with pytest.raises(ValueError, match="outside"):
        pair(0.1, {Channel.DENSE: 0.2, Channel.LEXICAL: -0.1})


def test_sheet_refuses_short_rows_and_infinite_numbers() -> None:
    columns = (Column("甲"), Column("乙", kind="number"))
    with pytest.raises(ValueError, match="row 1 has 1 cells"):
        Sheet("表", columns, (("a",),))
    with pytest.raises(ValueError, match="not finite"):
        Sheet("表", columns, (("a", math.inf),))


def test_plain_number() -> None:
    assert [plain_number(n) for n in (50.0, 1e-5, 1234567.5, -3, 0.1)] == [
        "50",
        "0.00001",
        "1234567.5",
        "-3",
        "0.1",
    ]
