"""Practical signals: the arithmetic and its boundaries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.models import Cooperation, Expert, PracticalSignal
from matcher.ranking.practical import History, compute_practical, practical_mean
from matcher.vocab import CooperationKind, Ring, Stage

TODAY = date(2026, 7, 1)
Make = Callable[..., Expert]


def coop(number: int = 1, **fields: object) -> Cooperation:
    given = {
        "firm": "奥文电机",
        "institution": "某大学",
        "expert_id": "E1",
        "stage": Stage.TALKS,
        "kind": CooperationKind.COOPERATION,
    }
    return Cooperation(f"C{number}", **{**given, **fields})  # type: ignore[arg-type]


def signal(name: str, expert: Expert, *rows: Cooperation, company: str = "奥文电机") -> PracticalSignal:
    found = {s.name: s for s in compute_practical(expert, company, History.build(rows), TODAY)}
    return found[name]


@pytest.mark.parametrize(
    ("ring", "value"), [(Ring.LOCAL, 1.0), (Ring.AROUND, 0.7), (Ring.NATIONAL, 0.3), ("", 0.0), ("月球", 0.0)]
)
def test_ring(make_expert: Make, ring: str, value: float) -> None:
    found = signal("ring", make_expert(ring=ring))
    assert found.value == value
    assert found.text == (ring or "圈层未填")


@pytest.mark.parametrize(
    ("capacity", "load", "value", "words"),
    [
        (None, 3, 0.5, "未填"),
        (0, 0, 0.0, "已满（在办 0）"),
        (2, 2, 0.0, "已满（在办 2）"),
        (1, 4, 0.0, "已满（在办 4）"),
        (1, 0, 0.5, "还可承接 1 项"),
        (3, 2, 0.5, "还可承接 1 项"),
        (2, 0, 1.0, "还可承接 2 项"),
        (9, 0, 1.0, "还可承接 9 项"),
    ],
)
def test_capacity(make_expert: Make, capacity: int | None, load: int, value: float, words: str) -> None:
    found = signal("capacity", make_expert(capacity=capacity), *(coop(number) for number in range(load)))
    assert found.value == value
    assert words in found.text


@pytest.mark.parametrize("stage", list(Stage))
def test_load_counts_from_proposed_to_signed(make_expert: Make, stage: Stage) -> None:
    history = History.build([coop(stage=stage), coop(2, stage=stage.value, expert_id="E2")])
    assert history.load("E1") == (stage not in (Stage.LANDED, Stage.ENDED))
    assert history.capacity_left(make_expert(capacity=2)) == 2 - history.load("E1")
    assert history.capacity_left(make_expert()) is None
    assert history.load("E9") == 0


@pytest.mark.parametrize("kind", [CooperationKind.CONFLICT, CooperationKind.DO_NOT_CONTACT, ""])
def test_only_cooperation_is_history(make_expert: Make, kind: str) -> None:
    row = coop(kind=kind, signed_on=TODAY)
    assert History.build([row]).load("E1") == 0
    assert signal("industry", make_expert(), row).value == 0.0
    assert signal("firm", make_expert(), row).value == 0.0


def test_industry(make_expert: Make) -> None:
    signed = coop(2, signed_on=date(2025, 1, 1), firm="别的企业")
    assert signal("industry", make_expert()).value == 0.0
    assert signal("industry", make_expert(industry_experience="做过诊断")).value == 0.6
    assert signal("industry", make_expert(), coop()).value == 0.6
    both = signal("industry", make_expert(), coop(), signed, coop(3, signed_on=TODAY))
    assert (both.value, both.text) == (1.0, "台账中已签约 2 项")
    assert signal("industry", make_expert("E2"), signed).value == 0.0


def test_history_with_the_firm(make_expert: Make) -> None:
    colleague = coop(expert_id="E2")
    assert signal("firm", make_expert(), coop()).value == 1.0
    assert signal("firm", make_expert(), coop(), company=" 奥文电机　").value == 1.0
    assert signal("firm", make_expert(), colleague).value == 0.6
    assert signal("firm", make_expert(), coop(expert_id="")).value == 0.6
    assert signal("firm", make_expert(institution="别的大学"), colleague).value == 0.0
    assert signal("firm", make_expert(), coop(), company="奥文电机二厂").value == 0.0
    wide = make_expert(institution="哈工大(威海)")
    assert signal("firm", wide, coop(expert_id="E2", institution="哈工大（威海）")).value == 0.6


def test_free_text_has_no_firm(make_expert: Make) -> None:
    names = [s.name for s in compute_practical(make_expert(), "", History.build([coop(firm="")]), TODAY)]
    assert names == ["ring", "capacity", "industry", "freshness"]


@pytest.mark.parametrize(
    ("days", "value", "stale"),
    [(-30, 1.0, False), (0, 1.0, False), (73, 0.9, False), (365, 0.5, False), (366, 0.499, True), (729, 0.001, True),
     (730, 0.0, True), (9000, 0.0, True)],
)  # fmt: skip
def test_freshness(make_expert: Make, days: int, value: float, stale: bool) -> None:
    found = signal("freshness", make_expert(updated_on=TODAY - timedelta(days=days)))
    assert found.value == value
    assert ("先核实" in found.text) is stale
    assert f"{TODAY - timedelta(days=days):%Y-%m-%d}" in found.text


def test_unknown_freshness(make_expert: Make) -> None:
    assert (signal("freshness", make_expert()).value, signal("freshness", make_expert()).text) == (
        0.0,
        "资料更新日期未填",
    )


@given(
    expert=st.builds(
        Expert, st.sampled_from(["E1", "E2"]), st.just("张三"), st.just("某大学"), ring=st.sampled_from(["", *Ring]),
        capacity=st.none() | st.integers(0, 5), updated_on=st.none() | st.dates(),
        industry_experience=st.sampled_from(["", "有"]),
    ),
    rows=st.lists(
        st.builds(
            coop, st.integers(1, 99), expert_id=st.sampled_from(["", "E1", "E2"]), stage=st.sampled_from(list(Stage)),
            kind=st.sampled_from(list(CooperationKind)), signed_on=st.none() | st.dates(),
        ),
        unique_by=lambda row: row.cooperation_id,
        max_size=6,
    ),
    company=st.sampled_from(["", "奥文电机", "别的"]),
)  # fmt: skip
def test_every_signal_is_a_share_with_a_sentence_and_row_order_never_matters(
    expert: Expert, rows: list[Cooperation], company: str
) -> None:
    found = compute_practical(expert, company, History.build(rows), TODAY)
    assert all(0.0 <= s.value <= 1.0 and s.text and s.label for s in found)
    assert found == compute_practical(expert, company, History.build(rows[::-1]), TODAY)
    assert practical_mean(found) == pytest.approx(sum(s.value for s in found) / len(found))


def test_the_mean_of_nothing_is_zero() -> None:
    assert practical_mean([]) == 0.0
