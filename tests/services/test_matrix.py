"""Role × service: the matrix is read off the permission table and the services themselves, so nothing can be forgotten.

What a role may not do is refused by the service, leaves no trace but one line of the audit log, and says nothing about
what is there. What a role may do to its own only is tried on somebody else's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from matcher.errors import HiddenError, InputError, NotFoundError, PermissionDenied
from matcher.models import Firm, Need, Person
from matcher.services.access import Access
from matcher.services.bootstrap import Application
from matcher.store.repositories import Repositories
from matcher.store.schema import metadata
from matcher.vocab import Role
from matcher.workflow.permissions import TABLE, Action, Scope, may, scope_of

UNGUARDED = {"exports.file_name": "makes a name out of what it is given", "exports.suffixes": "a constant"}
SECRET = "绝密内容玄武二十八号"
"""Stands in everything another firm wrote."""
RIVAL_FIRM, RIVAL_NEED = "F-rival", "N-rival"


@dataclass(frozen=True)
class Call:
    """One public method of one service."""

    service: str
    method: str
    action: Action

    def bound(self, app: Application) -> Callable[..., Any]:
        return getattr(getattr(app, self.service), self.method)  # type: ignore[no-any-return]


def _services(app: Application) -> dict[str, object]:
    found = {item.name: getattr(app, item.name) for item in fields(app)}
    return {name: one for name, one in found.items() if isinstance(getattr(one, "_access", None), Access)}


def _public(service: object) -> Iterator[tuple[str, Any]]:
    for name in dir(type(service)):
        member = inspect.getattr_static(type(service), name)
        if not name.startswith("_") and (callable(member) or isinstance(member, property | staticmethod)):
            yield name, member


def _calls(app: Application) -> list[Call]:
    return [
        Call(name, method, member.action)
        for name, service in sorted(_services(app).items())
        for method, member in _public(service)
        if hasattr(member, "action")
    ]


def _people(app: Application) -> dict[Role, Person]:
    need = next(n for n in app.records.needs() if n.status == "已发布" and n.need_id != RIVAL_NEED)
    expert = app.records.experts()[0]
    return {
        Role.ADMIN: Person("boss", "管理员", Role.ADMIN),
        Role.OFFICIAL: Person("kezhang", "科长", Role.OFFICIAL),
        Role.FIRM: Person("firm", need.company, Role.FIRM, firm_id=need.firm_id),
        Role.TEAM: Person(
            "team", expert.name, Role.TEAM, institution_id=expert.institution_id, expert_id=expert.expert_id
        ),
    }


def _dump(app: Application) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the audit log."""
    with app.database.reading() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name != "audit_events"
        }


def _dummies(method: Callable[..., Any], **known: object) -> dict[str, object]:
    """Plausible values for the parameters a method requires, and ``known`` ones by their names."""
    by_name = {
        "version": 1, "name": "某某", "data": b"%PDF-1.4", "text": "测试", "on": date(2026, 1, 1), "way": "电话",
        "to": "对接中", "field": "title", "value": "值", "kind": "needs", "suffix": ".csv", "by": "sector",
        "person": Person("someone", "某人", Role.FIRM), "login": "someone", "take": True, "reply": "好",
        "approach": "思路", "foundation": "基础", "plan": "安排", "terms": "条件", "to_login": "x", "from_login": "y",
    }  # fmt: skip
    given: dict[str, object] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        if name in known:
            given[name] = known[name]
        elif parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        ):
            given[name] = by_name.get(name, "x")
    return given


def _invoke(call: Call, app: Application, **known: object) -> object:
    method = call.bound(app)
    given = _dummies(method, **known)
    positional = [
        given.pop(name)
        for name, parameter in inspect.signature(method).parameters.items()
        if parameter.kind is parameter.POSITIONAL_ONLY and name in given
    ]
    return method(*positional, **given)


def _said(call: Call, app: Application, **known: object) -> str:
    """What a call answers, an error or a result, as text."""
    try:
        return _words(_invoke(call, app, **known))
    except (NotFoundError, PermissionDenied, InputError) as error:
        return str(error)


def test_every_public_method_asks_for_permission(small_app: Application) -> None:
    services = _services(small_app)
    assert {"records", "matching", "shortlists", "imports", "exports", "overview", "accounts"} <= set(
        services
    )
    missing = [
        f"{name}.{method}"
        for name, service in services.items()
        for method, member in _public(service)
        if not hasattr(member, "action") and f"{name}.{method}" not in UNGUARDED
    ]
    assert missing == []


def test_only_the_engine_and_the_door_ask_nobody(small_app: Application) -> None:
    others = {item.name for item in fields(small_app)} - set(_services(small_app))
    assert others == {"settings", "database", "clock", "engine", "rereader", "person", "entrance"}


def test_every_action_of_the_table_guards_something(small_app: Application) -> None:
    used = {call.action for call in _calls(small_app)}
    asked_inside = {
        Action.EXPORT_CONTACTS, Action.MANAGE_OFFICIALS, Action.OWN_ACCOUNT,
    }  # fmt: skip
    assert set(Action) - used - asked_inside == set()


@pytest.mark.parametrize("role", Role)
def test_what_a_role_may_not_do_is_refused_without_a_trace(small_app: Application, role: Role) -> None:
    person = _people(small_app)[role]
    app = small_app.as_person(person)
    before, tried = _dump(small_app), 0
    for call in _calls(small_app):
        if may(person, call.action):
            continue
        tried += 1
        with pytest.raises(PermissionDenied) as refused:
            _invoke(call, app)
        assert refused.value.user_message == f"您的账号不能{call.action.value}。"
        event = small_app.accounts.audit(1)[0]
        assert (event.action, event.actor, event.object_id) == ("refuse", person.login, call.action.name)
        assert event.detail["call"].endswith(f".{call.method}")  # type: ignore[attr-defined]
    assert _dump(small_app) == before
    assert [e.action for e in small_app.accounts.audit(tried)] == ["refuse"] * tried
    assert (tried == 0) == all(may(person, call.action) for call in _calls(small_app))
    if role in (Role.FIRM, Role.TEAM):
        assert tried > 20


# ------------------------------------------------------------ somebody else's


@pytest.fixture
def with_rival(small_app: Application) -> Application:
    """Another firm with a need of its own, a draft, a 对接 and an answer of another team to it."""
    from matcher.services.engaging import begin_engagement

    app = small_app
    experts = app.records.experts()
    own = _people(app)[Role.TEAM].institution_id
    stranger = next(e for e in experts if e.institution_id != own)
    need = Need(
        RIVAL_NEED, f"{SECRET}公司", f"{SECRET}标题", f"{SECRET}问题，轴承磨得快", key_tech=f"{SECRET}指标",
        keywords=(SECRET,), status="已发布", confidentiality="保密", contact=SECRET, phone=SECRET, firm_id=RIVAL_FIRM,
    )  # fmt: skip
    access = Access(app.database, app.clock, _people(app)[Role.OFFICIAL])
    with app.database.session() as session:
        stored = Repositories(session, app.clock)
        stored.firms.upsert([Firm(RIVAL_FIRM, f"{SECRET}公司")])
        stored.needs.upsert([need])
        begin_engagement(stored, access, app.clock, need, stranger, note=SECRET)
        stored.drafts.add(RIVAL_FIRM, "rival", {"title": SECRET}, "")
    return app


def _foreign_ids(app: Application) -> dict[str, str]:
    with app.database.reading() as session:
        stored = Repositories(session)
        engagement = next(e for e in stored.engagements.all() if e.need_id == RIVAL_NEED)
        return {
            "need_id": RIVAL_NEED,
            "engagement_id": engagement.engagement_id,
            "draft_id": stored.drafts.of_firm(RIVAL_FIRM)[0].draft_id,
            "expert_id": engagement.expert_id,
            "firm_id": RIVAL_FIRM,
        }


def _words(value: object, depth: int = 0) -> str:
    """Everything a person could read in a result."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "ignore")
    if isinstance(value, str) or depth > 8:
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return " ".join(_words(getattr(value, item.name), depth + 1) for item in fields(value))
    parts: Iterable[object] = ()
    if isinstance(value, Mapping):
        parts = (part for pair in value.items() for part in pair)
    elif isinstance(value, list | tuple | set | frozenset):
        parts = value
    return " ".join(_words(part, depth + 1) for part in parts)


@pytest.mark.parametrize("role", [Role.FIRM, Role.TEAM])
def test_somebody_elses_is_as_if_it_were_not_there(with_rival: Application, role: Role) -> None:
    person = _people(with_rival)[role]
    app = with_rival.as_person(person)
    foreign, before, tried = _foreign_ids(with_rival), _dump(with_rival), []
    for call in _calls(with_rival):
        if not may(person, call.action):
            continue
        method = call.bound(app)
        for name, foreign_id in foreign.items():
            parameters = inspect.signature(method).parameters
            if name not in parameters:
                continue
            own = {"need_id": "", "expert_id": person.expert_id} if name == "firm_id" else {}
            hidden, absent = (
                _said(call, app, **{**own, name: one}) for one in (foreign_id, "does-not-exist")
            )
            assert hidden.replace(foreign_id, "?") == absent.replace("does-not-exist", "?"), f"{call} {name}"
            assert SECRET not in hidden
            tried.append(f"{call.service}.{call.method}({name})")
    assert _dump(with_rival) == before
    assert len(tried) >= 5, tried


@pytest.mark.parametrize("role", [Role.FIRM, Role.TEAM])
def test_nothing_a_role_may_call_tells_another_firms_need(with_rival: Application, role: Role) -> None:
    """Every call that needs no id, and those on one's own ids, is read to the last word."""
    person = _people(with_rival)[role]
    app = with_rival.as_person(person)
    own_need = next((n.need_id for n in with_rival.records.needs() if n.firm_id == person.firm_id), "")
    read = 0
    for call in _calls(with_rival):
        if not may(person, call.action):
            continue
        known: dict[str, object] = {"text": SECRET, "expert_id": person.expert_id, "need_id": own_need}
        assert SECRET not in _said(call, app, **known), call
        read += 1
    assert read >= 4


def test_the_bureau_does_see_it(with_rival: Application) -> None:
    """The reading above would notice: the same words reach an official."""
    app = with_rival.as_person(_people(with_rival)[Role.OFFICIAL])
    assert SECRET in _words(app.records.needs(text=SECRET))
    assert SECRET in _words(app.matching.for_need(RIVAL_NEED))


def test_an_account_without_its_owner_id_owns_nothing(with_rival: Application) -> None:
    with with_rival.database.session() as session:
        stored = Repositories(session, with_rival.clock)
        need = stored.needs.get(RIVAL_NEED)
        assert need is not None
    for role in (Role.FIRM, Role.TEAM):
        app = with_rival.as_person(Person("nobody", "空", role))
        assert app.records.needs() == () or role is Role.TEAM
        with pytest.raises(HiddenError):
            app.records.need(RIVAL_NEED)


def test_a_team_sees_open_needs_without_the_firm_and_without_contacts(small_app: Application) -> None:
    with small_app.database.session() as session:
        stored = Repositories(session, small_app.clock)
        needs = stored.needs.all()
        stored.needs.upsert(
            replace(need, status="已发布", confidentiality=limit, contact="张三", phone="13800000000")
            for need, limit in zip(needs, ("公开", "仅平台", "保密", ""), strict=False)
        )
    app = small_app.as_person(_people(small_app)[Role.TEAM])
    seen = {need.need_id: need for need in app.records.needs()}
    public, platform, secret, blank = (need.need_id for need in needs[:4])
    assert seen[public].company == needs[0].company
    assert seen[platform].company == seen[blank].company == "（企业名称不公开）"
    assert secret not in seen
    assert all((need.contact, need.phone) == ("", "") for need in seen.values())
    assert app.records.needs(text=needs[1].company) == (), "nor can the hidden name be searched for"
    ranking = app.matching.for_expert(app.person.expert_id, top=50)
    listed = {pair.match.need_id for pair in ranking.pairs}
    assert secret not in listed
    assert "13800000000" not in _words(ranking)
    assert ranking.n_forbidden == 0
    assert all(pair.match.practical == () for pair in ranking.pairs), "history with a firm would name it"
    assert scope_of(app.person, Action.SEE_NEED) is Scope.OPEN


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(Action)
