"""Who may manage whose account."""

from __future__ import annotations

import pytest

from matcher.errors import ConflictError, InputError, NotFoundError, PermissionDenied
from matcher.models import Person
from matcher.services.bootstrap import Application
from matcher.vocab import Role

OFFICIAL = Person("kezhang", "科长", Role.OFFICIAL)


def _firm(app: Application, login: str = "firm") -> Person:
    return Person(login, "示例企业", Role.FIRM, firm_id=app.records.firms()[0].firm_id)


def _team(app: Application, login: str = "team") -> Person:
    expert = app.records.experts()[0]
    return Person(login, expert.name, Role.TEAM, expert_id=expert.expert_id)


def test_the_bureau_opens_accounts_for_firms_and_teams(small_app: Application) -> None:
    app = small_app.as_person(OFFICIAL)
    firm = app.accounts.create(_firm(small_app))
    team = app.accounts.create(_team(small_app))
    assert firm.account.person.firm_id
    assert team.account.person.institution_id == small_app.records.experts()[0].institution_id
    assert {a.person.login for a in app.accounts.list()} == {"firm", "team"}
    assert len({firm.password, team.password}) == 2
    events = small_app.accounts.audit()
    assert [(e.actor, e.action, e.object_id) for e in events[:2]] == [
        ("kezhang", "create", "team"),
        ("kezhang", "create", "firm"),
    ]
    assert firm.password not in str(events)


def test_only_an_administrator_manages_the_bureau(small_app: Application) -> None:
    official = small_app.as_person(OFFICIAL)
    small_app.accounts.create(Person("other", "同事", Role.OFFICIAL))
    with pytest.raises(PermissionDenied, match="不能管理科技局账号"):
        official.accounts.create(Person("boss", "自封的", Role.ADMIN))
    with pytest.raises(PermissionDenied):
        official.accounts.reset("other")
    with pytest.raises(PermissionDenied):
        official.accounts.set_disabled("other", True)
    assert official.accounts.list() == ()
    assert [e.action for e in small_app.accounts.audit(3)] == ["refuse"] * 3


def test_an_account_needs_its_owner(small_app: Application) -> None:
    for person in (
        Person("firm1", "无主企业", Role.FIRM),
        Person("f2", "不存在的企业", Role.FIRM, firm_id="F-none"),
        Person("t1", "无主团队", Role.TEAM),
        Person("t2", "不存在的团队", Role.TEAM, expert_id="E-none"),
        Person("t3", "不存在的单位", Role.TEAM, institution_id="I-none"),
    ):
        with pytest.raises(InputError):
            small_app.accounts.create(person)
    assert small_app.accounts.list() == ()


def test_ids_that_do_not_belong_to_the_role_are_dropped(small_app: Application) -> None:
    sneaky = Person("xx", "科员", Role.OFFICIAL, "F101", "I1", "E1")
    assert small_app.accounts.create(sneaky).account.person == Person("xx", "科员", Role.OFFICIAL)


def test_a_login_is_used_once(small_app: Application) -> None:
    small_app.accounts.create(_firm(small_app))
    with pytest.raises(ConflictError, match="已经有人用了"):
        small_app.accounts.create(_team(small_app, "firm"))


def test_there_is_always_an_administrator_left(small_app: Application) -> None:
    small_app.accounts.create(Person("one", "甲", Role.ADMIN))
    with pytest.raises(InputError, match="最后一个管理员"):
        small_app.accounts.set_disabled("one", True)
    small_app.accounts.create(Person("two", "乙", Role.ADMIN))
    one = small_app.as_person(Person("one", "甲", Role.ADMIN))
    with pytest.raises(InputError, match="不能停用自己"):
        one.accounts.set_disabled("one", True)
    assert one.accounts.set_disabled("two", True).disabled


def test_reset_gives_a_new_first_password(small_app: Application) -> None:
    made = small_app.accounts.create(_firm(small_app))
    token = small_app.entrance.sign_in("firm", made.password).token
    again = small_app.accounts.reset("firm")
    assert again.password != made.password
    assert small_app.entrance.account_of(token) is None, "the old session is over"
    with pytest.raises(PermissionDenied):
        small_app.entrance.sign_in("firm", made.password)
    assert small_app.entrance.sign_in("firm", again.password).account.must_change
    with pytest.raises(NotFoundError):
        small_app.accounts.reset("nobody")


@pytest.mark.parametrize("role", [Role.FIRM, Role.TEAM])
def test_firms_and_teams_manage_nobody(small_app: Application, role: Role) -> None:
    person = _firm(small_app) if role is Role.FIRM else _team(small_app)
    outside = small_app.as_person(person)
    with pytest.raises(PermissionDenied):
        outside.accounts.list()
    with pytest.raises(PermissionDenied):
        outside.accounts.create(Person("z", "z", role))
    with pytest.raises(PermissionDenied):
        outside.accounts.audit()
