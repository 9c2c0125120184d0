"""The one table of permissions, and the pure questions asked of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from matcher.models import Engagement, Expert, Interest, Need, Person
from matcher.vocab import Confidentiality, NeedStatus, Role
from matcher.workflow.permissions import (
    HIDDEN_FIRM,
    HIDDEN_TEAM,
    TABLE,
    Action,
    Scope,
    expert_as_seen,
    may,
    may_on_engagement,
    may_on_expert,
    may_on_interest,
    may_on_need,
    need_as_seen,
    scope_of,
)

NOW = datetime(2026, 11, 25, tzinfo=UTC)
ADMIN, OFFICIAL = Person("a", "管理员", Role.ADMIN), Person("o", "科长", Role.OFFICIAL)
FIRM, RIVAL = Person("f", "甲厂", Role.FIRM, firm_id="F1"), Person("g", "乙厂", Role.FIRM, firm_id="F2")
TEAM = Person("t", "团队", Role.TEAM, institution_id="I1", expert_id="E1")
OFFICE = Person("k", "科研院", Role.TEAM, institution_id="I1")
STRANGER = Person("s", "别校", Role.TEAM, institution_id="I2", expert_id="E9")
NOBODIES = (Person("x", "空", Role.FIRM), Person("y", "空", Role.TEAM))
NEED = Need(
    "N1", "甲厂", "轴承", "磨", town="某镇", status=NeedStatus.PUBLISHED, confidentiality="公开", contact="王",
    phone="138", source="表", firm_id="F1",
)  # fmt: skip
EXPERT = Expert("E1", "张三", "某大学", ring="全国", contact="zhang@x", homepage="h", institution_id="I1")
ENGAGEMENT = Engagement(
    "G1", "N1", "E1", "F1", "I1", "甲厂", "某大学", "轴承", "张三", "已推荐", "o", NOW, NOW, NOW
)
INTEREST = Interest("A1", "N1", "E1", "I1", "", "", "", "", "已提交", "t", NOW, NOW)


def test_every_action_is_in_the_table_and_somebody_may_do_it() -> None:
    assert set(TABLE) == set(Action)
    assert all(any(scope is not Scope.NONE for scope in row.values()) for row in TABLE.values())


def test_a_role_that_is_not_named_may_nothing() -> None:
    for action, row in TABLE.items():
        for role in set(Role) - set(row):
            assert not may(Person("p", "p", role, "F1", "I1", "E1"), action)


def test_the_administrator_may_all_that_an_official_may() -> None:
    for action in Action:
        if may(OFFICIAL, action):
            assert scope_of(ADMIN, action) is Scope.ALL


@pytest.mark.parametrize("action", [a for a in Action if Scope.OWN in TABLE[a].values()])
def test_own_means_ones_own(action: Action) -> None:
    if scope_of(FIRM, action) is Scope.OWN:
        assert may_on_need(FIRM, action, NEED)
        assert not may_on_need(RIVAL, action, NEED)
        assert may_on_engagement(FIRM, action, ENGAGEMENT)
        assert not may_on_engagement(RIVAL, action, ENGAGEMENT)
    if scope_of(TEAM, action) is Scope.OWN:
        for own in (TEAM, OFFICE):
            assert may_on_expert(own, action, EXPERT)
            assert may_on_engagement(own, action, ENGAGEMENT)
            assert may_on_interest(own, action, INTEREST)
        assert not may_on_expert(STRANGER, action, EXPERT)
        assert not may_on_expert(TEAM, action, replace(EXPERT, expert_id="E2")), "a colleague's profile"
        assert not may_on_engagement(STRANGER, action, ENGAGEMENT)
        assert not may_on_interest(STRANGER, action, INTEREST)
    for nobody in NOBODIES:
        orphan = replace(NEED, firm_id="")
        assert not may_on_need(nobody, action, orphan) or scope_of(nobody, action) is Scope.OPEN
        assert not may_on_expert(nobody, action, replace(EXPERT, institution_id=""))
        assert not may_on_engagement(nobody, action, replace(ENGAGEMENT, firm_id="", institution_id=""))


def test_a_name_never_counts() -> None:
    assert not may_on_need(replace(RIVAL, name=NEED.company), Action.SEE_NEED, NEED)


@pytest.mark.parametrize("status", NeedStatus)
@pytest.mark.parametrize("limit", ["", *Confidentiality])
def test_teams_see_what_is_published_and_not_confidential(status: NeedStatus, limit: str) -> None:
    need = replace(NEED, status=status, confidentiality=limit)
    allowed = status is NeedStatus.PUBLISHED and limit != Confidentiality.CONFIDENTIAL
    assert may_on_need(TEAM, Action.SEE_NEED, need) is allowed
    assert may_on_need(OFFICIAL, Action.SEE_NEED, need)
    assert may_on_need(FIRM, Action.SEE_NEED, need)
    assert not may_on_need(RIVAL, Action.SEE_NEED, need)


@pytest.mark.parametrize("limit", ["", "公开", "仅平台"])
def test_teams_read_no_contact_and_learn_the_firm_only_when_it_is_public(limit: str) -> None:
    seen = need_as_seen(TEAM, replace(NEED, confidentiality=limit))
    assert (seen.contact, seen.phone, seen.source, seen.firm_id) == ("", "", "", "")
    assert seen.company == ("甲厂" if limit == "公开" else HIDDEN_FIRM)
    assert seen.town == ("某镇" if limit == "公开" else "")
    assert need_as_seen(FIRM, NEED) is NEED
    assert need_as_seen(OFFICIAL, NEED) is NEED


def test_firms_read_no_contact_of_a_team_and_no_name_when_masked() -> None:
    seen = expert_as_seen(FIRM, EXPERT)
    assert (seen.contact, seen.name, seen.institution) == ("", "张三", "某大学")
    masked = expert_as_seen(FIRM, EXPERT, masked=True)
    assert (masked.name, masked.institution, masked.homepage) == (HIDDEN_TEAM, "全国高校院所", "")
    assert expert_as_seen(TEAM, EXPERT, masked=True) is EXPERT
    assert expert_as_seen(OFFICIAL, EXPERT, masked=True) is EXPERT
