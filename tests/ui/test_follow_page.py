"""对接跟踪: what to follow up, the board and the list, the forms of one 对接, and what firms and teams see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from matcher.models import Engagement
from matcher.services.access import Access
from matcher.services.bootstrap import Application
from matcher.services.engaging import begin_engagement
from matcher.services.following import FollowingService
from matcher.services.reminders import day_of
from matcher.store.repositories import Repositories
from matcher.vocab import Stage

HtmlOf = Callable[[AppTest], str]
OpenPage = Callable[..., AppTest]
Begin = Callable[..., Engagement]
ME = "演示管理员"


def official(app: Application) -> FollowingService:
    return app.as_person(next(p for p in app.entrance.demo_people() if p.login == ME)).following


@pytest.fixture
def begin(app: Application) -> Begin:
    """``begin(need_id, expert_id, days_ago=0)`` → a new 对接 of the demo's administrator."""

    def begun(need_id: str = "N101", expert_id: str = "E101", days_ago: int = 0) -> Engagement:
        def clock() -> object:
            return app.clock() - timedelta(days=days_ago)

        me = next(p for p in app.entrance.demo_people() if p.login == ME)
        with app.database.session() as session:
            stored = Repositories(session, clock)  # type: ignore[arg-type]
            need, expert = stored.needs.get(need_id), stored.experts.get(expert_id)
            assert need is not None
            assert expert is not None
            need = replace(need, status="已发布")
            stored.needs.upsert([need])
            access = Access(app.database, clock, me)  # type: ignore[arg-type]
            return begin_engagement(stored, access, clock, need, expert)  # type: ignore[arg-type]

    return begun


def key(one: Engagement, name: str) -> str:
    return f"follow_{one.engagement_id}_{name}"


def today(app: Application) -> date:
    return day_of(app.clock())


def calm(page: AppTest) -> None:
    assert not page.exception
    assert not [one.value for one in page.markdown if re.search("[a-z]{3,} [a-z]{3,}", one.value)]
    assert not [error.value for error in page.error]


def test_without_any_the_page_says_where_they_come_from(open_page: OpenPage) -> None:
    page = open_page("follow")
    calm(page)
    assert "还没有对接" in page.info[0].value
    assert any("kind=cooperation" in link.proto.query_string for link in page.get("page_link"))


def test_overdue_ones_stand_first_with_what_is_next(
    open_page: OpenPage, begin: Begin, app: Application, html_of: HtmlOf
) -> None:
    old, new = begin(days_ago=22), begin("N102", "E102")
    page = open_page("follow")
    calm(page)
    assert "今天要跟进的 1 项" in [s.value for s in page.subheader]
    html = html_of(page)
    assert "拖得久了" in html
    assert "已 22 天没有跟进" in html
    page.button(key=f"follow_due_{old.engagement_id}").click().run()
    calm(page)
    assert page.query_params["id"] == old.engagement_id
    assert f"<h2>{old.firm}" in html_of(page)
    page.button(key="follow_back").click().run()
    assert page.button(key=f"follow_board_{new.engagement_id}")


def test_own_ones_by_default_and_everybody_s_on_request(
    open_page: OpenPage, begin: Begin, app: Application
) -> None:
    one = begin(days_ago=30)
    with app.database.session() as session:
        stored = Repositories(session, app.clock)
        stored.engagements.update(replace(one, owner="小赵"), one.version)
    page = open_page("follow")
    calm(page)
    assert "今天要跟进的 0 项" in [s.value for s in page.subheader]
    assert any("没有符合条件" in info.value for info in page.info)
    page.selectbox(key="follow_owner").set_value("all").run()
    assert "今天要跟进的 1 项" in [s.value for s in page.subheader]
    assert page.query_params["owner"] == "all"
    again = open_page("follow", owner="小赵")
    assert again.button(key=f"follow_board_{one.engagement_id}")


def test_filters_and_the_list(open_page: OpenPage, begin: Begin, app: Application) -> None:
    one, two = begin(), begin("N102", "E102")
    page = open_page("follow", follow_view="列表", follow_stage="已推荐")
    calm(page)
    frame = page.dataframe[0].value
    assert sorted(frame["打开"]) == sorted(f"follow?id={e.engagement_id}" for e in (one, two))
    page.text_input(key="follow_text").set_value(two.need_title).run()
    assert list(page.dataframe[0].value["企业"]) == [f"{two.firm}【示例】" if two.is_sample else two.firm]
    page.toggle(key="follow_late").set_value(True).run()
    assert not page.dataframe
    calm(page)


def test_from_recommended_to_landed_on_the_page(
    open_page: OpenPage, begin: Begin, app: Application, html_of: HtmlOf
) -> None:
    one = begin()
    page = open_page("follow", id=one.engagement_id)
    page.button(key=key(one, "to_contact")).click().run()
    page.button(key=key(one, "to_talks")).click().run()
    calm(page)
    page.button(key=key(one, "to_signed")).click().run()
    page.button(key=key(one, "step_save")).click().run()
    assert "请填写签约日期" in page.error[0].value
    page.date_input(key=key(one, "on")).set_value(today(app))
    page.selectbox(key=key(one, "new_kind")).set_value("技术服务")
    page.text_input(key=key(one, "new_no")).set_value("合-77")
    page.number_input(key=key(one, "new_signed")).set_value(12.5)
    page.button(key=key(one, "step_save")).click().run()
    calm(page)
    stored = official(app).open(one.engagement_id).engagement
    assert (stored.stage, stored.signed_on, stored.contract_no, stored.signed_wan) == (
        "签约",
        today(app),
        "合-77",
        12.5,
    )
    page.button(key=key(one, "to_landed")).click().run()
    page.date_input(key=key(one, "on")).set_value(today(app))
    page.number_input(key=key(one, "new_paid")).set_value(3.0)
    page.button(key=key(one, "step_save")).click().run()
    calm(page)
    assert official(app).open(one.engagement_id).engagement.paid_wan == 3.0
    assert "从“签约”改为“落地”" in html_of(page)


def test_each_step_opens_exactly_its_fields(open_page: OpenPage, begin: Begin, app: Application) -> None:
    one = begin()
    page = open_page("follow", id=one.engagement_id)
    page.button(key=key(one, "to_ended")).click().run()
    assert page.selectbox(key=key(one, "end_reason")).options[0] == "企业不再需要"
    assert key(one, "on") not in {d.key for d in page.date_input}
    page.button(key=key(one, "step_cancel")).click().run()
    assert key(one, "end_reason") not in {s.key for s in page.selectbox}
    page.button(key=key(one, "to_ended")).click().run()
    page.selectbox(key=key(one, "end_reason")).set_value("费用谈不拢")
    page.button(key=key(one, "step_save")).click().run()
    calm(page)
    assert official(app).open(one.engagement_id).engagement.end_reason == "费用谈不拢"
    assert any("最后的状态" in c.value for c in page.caption)


def test_a_refused_save_loses_nothing_and_takes_over_what_was_not_touched(
    open_page: OpenPage, begin: Begin, app: Application
) -> None:
    one = begin()
    page = open_page("follow", id=one.engagement_id)
    official(app).edit(one.engagement_id, one.version, next_action="同事的安排", note="同事的备注")
    page.text_input(key=key(one, "next_action")).set_value("我的安排")
    page.button(key=key(one, "save")).click().run()
    assert "同事的安排" in page.error[0].value
    assert page.text_input(key=key(one, "next_action")).value == "我的安排"
    assert page.text_area(key=key(one, "note")).value == "同事的备注"
    page.button(key=key(one, "save")).click().run()
    calm(page)
    stored = official(app).open(one.engagement_id).engagement
    assert (stored.next_action, stored.note) == ("我的安排", "同事的备注")


def test_a_contact_is_noted_and_the_form_comes_back_empty(
    open_page: OpenPage, begin: Begin, app: Application, html_of: HtmlOf
) -> None:
    one = begin(days_ago=10)
    page = open_page("follow", id=one.engagement_id)
    form = f"follow_contact_{one.engagement_id}"
    page.text_area(key=f"{form}_text").set_value("<b>企业</b>说再等等")
    page.button(key=f"{form}_save").click().run()
    calm(page)
    assert page.text_area(key=f"{form}_text").value == ""
    assert "&lt;b&gt;企业&lt;/b&gt;说再等等" in html_of(page)
    page.button(key="follow_back").click().run()
    assert "今天要跟进的 0 项" in [s.value for s in page.subheader]


def test_files_go_up_and_away(open_page: OpenPage, begin: Begin, app: Application) -> None:
    one = begin()
    page = open_page("follow", id=one.engagement_id)
    files = f"follow_files_{one.engagement_id}"
    page.button(key=f"{files}_send").click().run()
    assert "还没有选择文件" in page.error[0].value
    page.file_uploader(key=f"{files}_new_0").set_value(("合同.pdf", b"%PDF-1.4", "application/pdf"))
    page.button(key=f"{files}_send").click().run()
    calm(page)
    (kept,) = official(app).open(one.engagement_id).attachments
    assert kept.name == "合同.pdf"
    page.button(key=f"{files}_drop_{kept.attachment_id}").click().run()
    calm(page)
    assert official(app).open(one.engagement_id).attachments == ()


def test_handing_over_on_the_page(open_page: OpenPage, begin: Begin, app: Application) -> None:
    one = begin()
    with app.database.session() as session:
        Repositories(session, app.clock).engagements.update(replace(one, owner="小赵"), one.version)
    page = open_page("follow", owner="all")
    page.selectbox(key="follow_over_from").set_value("小赵")
    page.selectbox(key="follow_over_to").set_value(ME)
    page.button(key="follow_over_save").click().run()
    calm(page)
    assert official(app).open(one.engagement_id).engagement.owner == ME


def test_an_unknown_id_is_told_calmly(open_page: OpenPage) -> None:
    page = open_page("follow", id="G-000000000000")
    assert not page.exception
    assert "没有编号为“G-000000000000”的对接" in page.error[0].value.replace("\\", "")


@pytest.mark.parametrize("role", ["演示企业", "演示团队"])
def test_a_firm_and_a_team_look_and_cannot_touch(
    open_page: OpenPage, begin: Begin, app: Application, html_of: HtmlOf, role: str
) -> None:
    person = next(p for p in app.entrance.demo_people() if p.login == role)
    with app.database.reading() as session:
        stored = Repositories(session)
        need = next(n for n in stored.needs.all() if person.firm_id in ("", n.firm_id))
        expert = next(e for e in stored.experts.all() if person.expert_id in ("", e.expert_id))
    one = begin(need.need_id, expert.expert_id)
    official(app).edit(one.engagement_id, one.version, note="内部备注", next_action="内部打算")
    other = begin("N107", "E107")
    page = open_page("follow")
    page.session_state["session_demo"] = role
    page.session_state["session_seen"] = None
    page.run()
    page.switch_page("matcher/ui/views/follow.py").run()
    calm(page)
    assert page.button(key=f"follow_own_{one.engagement_id}")
    assert f"follow_own_{other.engagement_id}" not in {b.key for b in page.button}
    page.button(key=f"follow_own_{one.engagement_id}").click().run()
    calm(page)
    keys = {b.key for b in page.button}
    assert not {k for k in keys if k and one.engagement_id in k}
    assert "内部" not in html_of(page)
    page.query_params["id"] = other.engagement_id
    page.run()
    assert f"没有编号为“{other.engagement_id}”的对接" in page.error[0].value.replace("\\", "")


def test_the_board_shows_what_stands_where(
    open_page: OpenPage, begin: Begin, app: Application, html_of: HtmlOf
) -> None:
    one = begin()
    official(app).move(one.engagement_id, Stage.ENDED, one.version, reason="其他")
    page = open_page("follow")
    calm(page)
    assert "终止（1）" in [e.label for e in page.expander]
    assert html_of(page).count("<b>0</b>") == 4
