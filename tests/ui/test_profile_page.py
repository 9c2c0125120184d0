"""我的资料 of a team, and 修改 on the bureau's pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from matcher.config import ROOT
from matcher.services.bootstrap import Application
from matcher.vocab import Role

HtmlOf = Callable[[AppTest], str]
Visit = Callable[..., AppTest]
DIRECTIONS = "profile_form_field_research_directions"


@pytest.fixture
def team(app: Application) -> Application:
    return app.as_person(next(p for p in app.entrance.demo_people() if p.role is Role.TEAM))


@pytest.fixture
def visit(app: Application) -> Visit:
    def opened(role: Role, name: str, **params: str) -> AppTest:
        login = next(p.login for p in app.entrance.demo_people() if p.role is role)
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
        page.selectbox(key="bar_role").set_value(login).run()
        page.switch_page(f"matcher/ui/views/{name}.py")
        for key, value in params.items():
            page.query_params[key] = value
        return page.run()

    return opened


def test_a_team_keeps_its_profile_and_goes_back(visit: Visit, team: Application, html_of: HtmlOf) -> None:
    own = team.person.expert_id
    before, _ = team.editing.expert(own)
    page = visit(Role.TEAM, "profile")
    assert not page.exception
    assert not page.error
    assert before.name in html_of(page)
    assert not [box for box in page.text_input if box.key == "profile_form_field_name"]
    page.text_input(key="profile_form_field_capacity").set_value("许多").run()
    page.text_area(key=DIRECTIONS).set_value("水泵耐磨涂层\n叶轮修复").run()
    page.button(key="profile_save").click().run()
    assert "不是整数" in page.error[0].value
    assert page.text_area(key=DIRECTIONS).value == "水泵耐磨涂层\n叶轮修复", "kept as typed"
    page.text_input(key="profile_form_field_capacity").set_value("4").run()
    page.button(key="profile_save").click().run()
    assert not page.error
    after, _ = team.editing.expert(own)
    assert (after.capacity, after.research_directions) == (4, ("水泵耐磨涂层", "叶轮修复"))
    assert "承接上限" in html_of(page)
    page.button(key="profile_form_undo").click().run()
    restored, _ = team.editing.expert(own)
    assert restored.research_directions == before.research_directions
    assert page.text_area(key=DIRECTIONS).value == "\n".join(before.research_directions)


def test_what_a_colleague_saved_meanwhile_is_shown_and_ones_own_stays(
    visit: Visit, team: Application
) -> None:
    own = team.person.expert_id
    page = visit(Role.TEAM, "profile")
    page.text_area(key=DIRECTIONS).set_value("我写的方向").run()
    _, version = team.editing.expert(own)
    page.button(key="profile_save").click()
    team.editing.save(
        "experts", own, {"research_directions": "同事写的方向", "department": "新学院"}, version
    )
    page.run()
    assert "刚刚被别人改过" in page.error[0].value
    assert page.text_area(key=DIRECTIONS).value == "我写的方向"
    assert page.text_input(key="profile_form_field_department").value == "新学院"
    assert "同事写的方向" in "".join(str(block.value) for block in page.get("html"))
    page.button(key="profile_save").click().run()
    assert not page.error
    found, _ = team.editing.expert(own)
    assert (found.research_directions, found.department) == (("我写的方向",), "新学院")


def test_works_are_added_and_taken_away(visit: Visit, team: Application, html_of: HtmlOf) -> None:
    own = team.person.expert_id
    page = visit(Role.TEAM, "profile")
    page.button(key="profile_work_new").click().run()
    page.button(key="profile_work_add").click().run()
    assert "「成果名称」还没有填" in page.error[0].value
    page.text_input(key="profile_work_field_title").set_value("一种耐磨涂层").run()
    page.button(key="profile_work_add").click().run()
    assert not page.error
    work = next(w for w in team.records.works_of(own) if w.title == "一种耐磨涂层")
    assert "一种耐磨涂层" in html_of(page)
    page.button(key=f"profile_work_open_{work.work_id}").click().run()
    page.text_input(key="profile_work_field_year").set_value("2025").run()
    page.button(key="profile_work_save").click().run()
    assert next(w for w in team.records.works_of(own) if w.work_id == work.work_id).year == 2025
    page.button(key=f"profile_work_open_{work.work_id}").click().run()
    page.button(key="profile_work_delete").click().run()
    assert work.work_id not in {w.work_id for w in team.records.works_of(own)}


@pytest.mark.parametrize(
    ("page_name", "param", "kind", "record_id", "field"),
    [("experts", "expert", "experts", "E101", "department"), ("needs", "need", "needs", "N101", "town")],
)
def test_the_bureau_edits_where_it_reads(
    visit: Visit, app: Application, page_name: str, param: str, kind: str, record_id: str, field: str
) -> None:
    page = visit(Role.OFFICIAL, page_name, **{param: record_id})
    page.button(key=f"{page_name}_edit_open").click().run()
    assert not page.error
    page.text_input(key=f"{page_name}_edit_field_{field}").set_value("新的值").run()
    page.button(key=f"{page_name}_edit_save").click().run()
    assert not page.error
    assert app.editing.record(kind, record_id).texts[field] == "新的值"
    assert page.button(key=f"{page_name}_edit_open")


def test_the_bureau_edits_and_adds_in_a_table(visit: Visit, app: Application) -> None:
    firm = app.records.firms()[0]
    page = visit(Role.OFFICIAL, "data", kind="firms")
    page.text_input(key="data_edit_id_firms").set_value(firm.firm_id).run()
    page.button(key="data_edit_open").click().run()
    page.text_input(key="data_edit_field_size").set_value("中型").run()
    page.button(key="data_edit_save").click().run()
    assert app.editing.record("firms", firm.firm_id).texts["size"] == "中型"
    page.button(key="data_add_open").click().run()
    page.text_input(key="data_edit_field_name").set_value("新登记的公司").run()
    page.button(key="data_add_save").click().run()
    assert not page.error
    assert "新登记的公司" in {one.name for one in app.records.firms()}
    page.text_input(key="data_edit_id_firms").set_value("Fnone").run()
    page.button(key="data_edit_open").click().run()
    assert "没有编号为“Fnone”的企业" in page.error[0].value
