"""Who may be listed, and the reason when somebody is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from matcher.models import Cooperation, Expert, Need
from matcher.ranking.eligibility import ExpertFilter, ForbiddenPairs, NeedFilter
from matcher.vocab import CooperationKind, Ring

Make = Callable[..., Expert]


def row(number: int, kind: str = CooperationKind.CONFLICT, **fields: str) -> Cooperation:
    return Cooperation(f"C{number}", **{"firm": "奥文电机", "institution": "某大学", **fields}, kind=kind)


@pytest.mark.parametrize("capacity_left", [None, -1, 0, 5])
def test_an_empty_filter_lets_everybody_pass(make_expert: Make, capacity_left: int | None) -> None:
    assert ExpertFilter().reason(make_expert(), capacity_left) == ""


@pytest.mark.parametrize(
    ("fields", "value", "words"),
    [
        ({"rings": {Ring.LOCAL}}, {"ring": "全国"}, "圈层为“全国”"),
        ({"rings": {Ring.LOCAL}}, {"ring": ""}, "圈层为“未填”"),
        ({"institutions": {"某大学"}}, {"institution": "别的大学"}, "单位为“别的大学”"),
        ({"disciplines": {"力学"}}, {"disciplines": ("化学", "物理")}, "学科为“化学、物理”"),
        ({"disciplines": {"力学"}}, {"disciplines": ()}, "学科为“未填”"),
    ],
)
def test_the_reason_names_what_did_not_fit(
    make_expert: Make, fields: dict[str, set[str]], value: dict[str, object], words: str
) -> None:
    wanted = ExpertFilter(**{name: frozenset(values) for name, values in fields.items()})  # type: ignore[arg-type]
    assert words in wanted.reason(make_expert(**value), None)


def test_any_of_several_values_passes_and_all_fields_must(make_expert: Make) -> None:
    wanted = ExpertFilter(rings=frozenset({"区内", "全国"}), disciplines=frozenset({"力学", "化学"}))
    assert wanted.reason(make_expert(ring="全国", disciplines=("生物学", "力学")), 0) == ""
    assert "学科" in wanted.reason(make_expert(ring="全国", disciplines=("生物学",)), 0)
    assert "圈层" in wanted.reason(make_expert(ring="周边区域", disciplines=("力学",)), 0)


@pytest.mark.parametrize(("left", "passes"), [(None, True), (1, True), (0, False), (-2, False)])
def test_only_with_capacity(make_expert: Make, left: int | None, passes: bool) -> None:
    assert (ExpertFilter(only_with_capacity=True).reason(make_expert(), left) == "") is passes


@pytest.mark.parametrize(
    ("name", "field", "label"),
    [
        ("sectors", "sector", "领域"),
        ("towns", "town", "镇街"),
        ("statuses", "status", "状态"),
        ("call_types", "call_type", "类型"),
    ],
)
def test_filter_of_needs(make_need: Callable[..., Need], name: str, field: str, label: str) -> None:
    wanted = NeedFilter(**{name: frozenset({"甲", "乙"})})  # type: ignore[arg-type]
    assert NeedFilter().reason(make_need()) == ""
    assert wanted.reason(make_need(**{field: "乙"})) == ""
    assert wanted.reason(make_need(**{field: "丙"})).startswith(f"{label}为“丙”")
    assert wanted.reason(make_need()).startswith(f"{label}为“未填”")


@pytest.mark.parametrize("kind", [CooperationKind.CONFLICT, CooperationKind.DO_NOT_CONTACT])
def test_a_row_with_an_expert_forbids_that_expert_only(make_expert: Make, kind: str) -> None:
    pairs = ForbiddenPairs.build([row(1, kind, expert_id="E1")])
    assert pairs.kind("奥文电机", make_expert("E1")) == kind
    assert pairs.kind("奥文电机", make_expert("E1", institution="别的大学")) == kind
    assert pairs.kind("奥文电机", make_expert("E2")) == ""
    assert pairs.kind("别的企业", make_expert("E1")) == ""


def test_a_row_without_an_expert_forbids_the_institution(make_expert: Make) -> None:
    pairs = ForbiddenPairs.build([row(1)])
    assert pairs.kind("奥文电机", make_expert("E1")) == pairs.kind("奥文电机", make_expert("E2")) == "回避"
    assert pairs.kind("奥文电机", make_expert("E1", institution="别的大学")) == ""


def test_width_case_and_blanks_do_not_open_a_forbidden_pair(make_expert: Make) -> None:
    pairs = ForbiddenPairs.build([row(1, firm="ＡＢ电机（威海）有限公司 ", institution="哈工大（威海）")])
    assert pairs.kind("ab电机(威海)有限公司", make_expert(institution=" 哈工大(威海)")) == "回避"


@pytest.mark.parametrize("kind", [CooperationKind.COOPERATION, ""])
def test_cooperation_forbids_nothing(make_expert: Make, kind: str) -> None:
    assert (
        ForbiddenPairs.build([row(1, kind), row(2, kind, expert_id="E1")]).kind("奥文电机", make_expert("E1"))
        == ""
    )


def test_row_order_never_matters(make_expert: Make) -> None:
    rows = [
        row(1),
        row(2, CooperationKind.DO_NOT_CONTACT),
        row(3, CooperationKind.DO_NOT_CONTACT, expert_id="E1"),
        row(4, expert_id="E1"),
    ]
    assert ForbiddenPairs.build(rows) == ForbiddenPairs.build(rows[::-1])
    assert ForbiddenPairs.build(rows).kind("奥文电机", make_expert("E1")) == "回避"
    assert ForbiddenPairs.build(rows).kind("奥文电机", make_expert("E2")) == "勿联系"
