"""揭榜: the team's side and the bureau's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from matcher.config import ROOT
from matcher.models import Need, Person
from matcher.services.bootstrap import Application
from matcher.store.repositories import Repositories
from matcher.vocab import Confidentiality, NeedStatus, Role

HtmlOf = Callable[[AppTest], str]
EVIL = "<script>alert(1)</script>**粗**"


@pytest.fixture
def team(app: Application) -> Application:
    """The demo's team; every need is published and 仅平台."""
    with app.database.session() as session:
        stored = Repositories(session, app.clock)
        state = {"status": NeedStatus.PUBLISHED.value, "confidentiality": Confidentiality.PLATFORM.value}
        stored.needs.upsert(replace(need, **state) for need in stored.needs.all())  # type: ignore[arg-type]
    return app.as_person(next(p for p in app.entrance.demo_people() if p.role is Role.TEAM))


@pytest.fixture
def visit(app: Application, team: Application) -> Callable[..., AppTest]:
    def opened(role: Role, name: str = "calls", **params: str) -> AppTest:
        login = next(p.login for p in app.entrance.demo_people() if p.role is role)
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
        page.selectbox(key="bar_role").set_value(login).run()
        page.switch_page(f"matcher/ui/views/{name}.py")
        for key, value in params.items():
            page.query_params[key] = value
        return page.run()

    return opened


def need_of(team: Application) -> Need:
    return team.answering.calls()[0].need


def page_key(team: Application, name: str) -> str:
    return f"calls_page_{need_of(team).need_id}_{team.person.expert_id}_{name}"


def test_a_team_reads_answers_changes_and_withdraws(
    visit: Callable[..., AppTest], team: Application, app: Application, html_of: HtmlOf
) -> None:
    page = visit(Role.TEAM)
    need = need_of(team)
    assert not page.exception
    assert not page.error
    assert need.title in html_of(page)
    firm = app.records.need(need.need_id).company
    assert firm not in html_of(page)
    page = visit(Role.TEAM, need=need.need_id)
    assert firm not in html_of(page)
    page.text_area(key=page_key(team, "foundation")).set_value("做过两家。").run()
    page.button(key="calls_send").click().run()
    assert "还没有写「技术思路」" in page.error[0].value
    assert page.text_area(key=page_key(team, "foundation")).value == "做过两家。", "kept as typed"
    page.text_area(key=page_key(team, "approach")).set_value(EVIL).run()
    page.button(key="calls_send").click().run()
    assert not page.error
    (row,) = team.answering.mine()
    assert row.interest.approach == EVIL
    assert "等科技局答复" in page.success[0].value
    key = f"calls_page_{row.interest.interest_id}_plan"
    page.text_area(key=key).set_value("三个月。").run()
    page.button(key="calls_save").click().run()
    assert team.answering.mine()[0].interest.plan == "三个月。"
    mine = visit(Role.TEAM, tab="mine")
    assert "&lt;script&gt;" in html_of(mine)
    assert "<script>alert" not in html_of(mine)
    page.button(key="calls_withdraw").click().run()
    assert team.answering.mine()[0].interest.state == "已撤回"
    assert page.button(key="calls_send")


def test_a_change_from_another_desk_loses_nothing(visit: Callable[..., AppTest], team: Application) -> None:
    sent = team.answering.declare(need_of(team).need_id, team.person.expert_id, "先测再改")
    page = visit(Role.TEAM, need=sent.need_id)
    team.answering.edit(sent.interest_id, 1, "同事写的")
    key = f"calls_page_{sent.interest_id}_approach"
    page.text_area(key=key).set_value("我写的").run()
    page.button(key="calls_save").click()
    team.answering.edit(sent.interest_id, 2, "同事又写的")
    page.run()
    assert "同事又写的" in page.error[0].value
    assert page.text_area(key=key).value == "我写的"


def test_a_need_that_is_not_shown_is_not_there(
    visit: Callable[..., AppTest], team: Application, app: Application, html_of: HtmlOf
) -> None:
    need = need_of(team)
    with app.database.session() as session:
        hidden = replace(app.records.need(need.need_id), confidentiality=Confidentiality.CONFIDENTIAL.value)
        Repositories(session, app.clock).needs.upsert([hidden])
    page = visit(Role.TEAM, need=need.need_id)
    assert f"没有编号为“{need.need_id}”的需求" in page.error[0].value
    assert need.title not in html_of(page)


def test_the_bureau_takes_and_declines(
    visit: Callable[..., AppTest], team: Application, app: Application, html_of: HtmlOf
) -> None:
    empty = visit(Role.OFFICIAL)
    assert "没有待答复的揭榜申请" in empty.success[0].value
    first, second = (row.need.need_id for row in team.answering.calls()[:2])
    taken, declined = (team.answering.declare(i, team.person.expert_id, EVIL) for i in (first, second))
    page = visit(Role.OFFICIAL)
    assert "<script>alert" not in html_of(page)
    page.button(key=f"calls_decline_{declined.interest_id}").click().run()
    assert "不采纳需要写一句答复" in page.error[0].value
    page.text_area(key=f"calls_reply_{declined.interest_id}").set_value("企业已有方案。").run()
    page.button(key=f"calls_decline_{declined.interest_id}").click().run()
    page.button(key=f"calls_take_{taken.interest_id}").click().run()
    assert not page.error
    states = {row.interest.interest_id: row.interest.state for row in app.answering.answers()}
    assert states == {taken.interest_id: "已采纳", declined.interest_id: "未采纳"}
    assert any(row.engagement.need_id == first for row in app.following.list())
    mine = visit(Role.TEAM, tab="mine")
    assert "企业已有方案。" in html_of(mine)


def test_an_office_chooses_a_profile(app: Application, team: Application) -> None:
    office = app.as_person(Person("office", "科研处", Role.TEAM, institution_id=team.person.institution_id))
    assert team.person.expert_id in {expert.expert_id for expert in office.answering.profiles()}
