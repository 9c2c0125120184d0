"""我的需求 and 需求受理."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from matcher.config import ROOT
from matcher.models import Draft, Need, Person
from matcher.services.bootstrap import Application
from matcher.vocab import CallType, Confidentiality, NeedStatus, Role, SolutionMode

HtmlOf = Callable[[AppTest], str]
OFFICIAL = Person("wang", "王科长", Role.OFFICIAL)
TEXTS = {
    "title": "轧辊用三天就起麻点",
    "situation": "工作辊每分钟三百转，用三天表面就起麻点。",
    "key_tech": "辊面寿命不少于 30 天。",
    "goal": "拿到一套能照着做的办法。",
}


class Pages:
    """The page as one of the people of the demo sees it."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.people = {person.role: person for person in app.entrance.demo_people()}

    def as_role(self, role: Role) -> Application:
        return self.app.as_person(self.people[role])

    def open(self, role: Role, **params: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
        page.selectbox(key="bar_role").set_value(self.people[role].login).run()
        page.switch_page("matcher/ui/views/post.py")
        for key, value in params.items():
            page.query_params[key] = value
        return page.run()

    def draft(self, role: Role = Role.FIRM, **texts: str) -> Draft:
        posting = self.as_role(role).posting
        draft = posting.start()
        for field, value in (texts or TEXTS).items():
            draft = posting.save(draft.draft_id, field, value, draft.version)
        return draft

    def posted(self) -> Need:
        draft = self.draft()
        return self.as_role(Role.FIRM).posting.submit(draft.draft_id, draft.version)


@pytest.fixture
def pages(app: Application) -> Pages:
    return Pages(app)


def field(draft: Draft, name: str) -> str:
    return f"post_field_{draft.draft_id}_{name}"


# ---------------------------------------------------------------- the firm


def test_a_firm_poses_a_problem_and_sees_teams_and_where_it_stands(pages: Pages, html_of: HtmlOf) -> None:
    page = pages.open(Role.FIRM)
    assert "<h1>我的需求</h1>" in html_of(page)
    page.button(key="post_begin").click().run()
    (draft,) = pages.as_role(Role.FIRM).posting.drafts()
    assert draft.draft_id in page.query_params["draft"]
    assert 'class="m-rank"' not in html_of(page)
    assert page.radio(key=field(draft, "confidentiality")).value == Confidentiality.PLATFORM
    assert page.radio(key=field(draft, "call_type")).value == CallType.GENERAL
    page.selectbox(key=field(draft, "solution_mode")).set_value(SolutionMode.JOINT.value).run()
    for name in ("situation", "key_tech", "goal"):
        page.text_area(key=field(draft, name)).set_value(TEXTS[name]).run()
    page.text_input(key=field(draft, "title")).set_value(TEXTS["title"]).run()
    assert not page.error
    assert any("已保存" in caption.value for caption in page.caption)
    shown = html_of(page)
    assert 'class="m-rank"' in shown
    assert "“辊面寿命不少于 30 天”" in shown, "the checklist quotes what is said"
    kept = pages.as_role(Role.FIRM).posting.draft(draft.draft_id).content
    assert {name: kept[name] for name in TEXTS} == TEXTS
    page.button(key="post_submit").click().run()
    assert not page.error
    (need,) = [r.need for r in pages.as_role(Role.FIRM).posting.mine() if r.need.title == TEXTS["title"]]
    assert need.status == NeedStatus.WAITING
    assert (need.call_type, need.solution_mode) == (CallType.GENERAL, SolutionMode.JOINT)
    assert need.confidentiality == Confidentiality.PLATFORM
    shown = html_of(page)
    assert "提交了需求，现在待受理" in shown
    assert TEXTS["title"] in shown
    page.button(key="post_back").click().run()
    assert TEXTS["title"] in html_of(page)
    assert "还没提交的" not in " ".join(block.value for block in page.subheader)


def test_what_is_missing_is_said_and_nothing_typed_is_lost(pages: Pages) -> None:
    draft = pages.draft(situation="起麻点", budget_wan="若干")
    page = pages.open(Role.FIRM, draft=draft.draft_id)
    assert any("看不出金额" in caption.value for caption in page.caption)
    assert not any("技术需求名称" in caption.value for caption in page.caption), (
        "an empty field is not scolded"
    )
    page.button(key="post_submit").click().run()
    assert "技术需求名称" in page.error[0].value
    assert page.text_input(key=field(draft, "budget_wan")).value == "若干"
    assert pages.as_role(Role.FIRM).posting.draft(draft.draft_id) == draft


def test_a_text_that_cannot_be_kept_stays_in_its_field(pages: Pages) -> None:
    draft = pages.draft()
    page = pages.open(Role.FIRM, draft=draft.draft_id)
    page.text_input(key=field(draft, "contact")).set_value("张三 11010519491231002X").run()
    assert "身份证号" in page.warning[0].value
    page.text_area(key=field(draft, "goal")).set_value("别的栏照样保存").run()
    assert page.text_input(key=field(draft, "contact")).value == "张三 11010519491231002X"
    assert pages.as_role(Role.FIRM).posting.draft(draft.draft_id).content["goal"] == "别的栏照样保存"
    page.button(key="post_submit").click().run()
    assert "「联系人」还没有保存" in page.error[0].value
    page.text_input(key=field(draft, "contact")).set_value("张三").run()
    assert not page.warning
    page.button(key="post_submit").click().run()
    assert pages.as_role(Role.FIRM).posting.drafts() == ()


@pytest.mark.parametrize(("key", "kept"), [("ours", "企业写的"), ("theirs", "局里写的")])
def test_of_two_people_in_one_field_the_second_sees_both_texts_and_chooses(
    pages: Pages, html_of: HtmlOf, key: str, kept: str
) -> None:
    draft = pages.draft()
    page = pages.open(Role.FIRM, draft=draft.draft_id)
    pages.as_role(Role.OFFICIAL).posting.save(draft.draft_id, "goal", "局里写的", draft.version)
    page.text_area(key=field(draft, "goal")).set_value("企业写的").run()
    assert "刚刚在别处被改成“局里写的”" in page.warning[0].value.replace("\\", "")
    assert page.text_area(key=field(draft, "goal")).value == "企业写的"
    assert "那边现在写的" in html_of(page)
    page.button(key=f"post_{key}_{draft.draft_id}_goal").click().run()
    assert not page.warning
    assert page.text_area(key=field(draft, "goal")).value == kept
    assert pages.as_role(Role.FIRM).posting.draft(draft.draft_id).content["goal"] == kept


def test_what_another_person_typed_elsewhere_in_the_form_appears(pages: Pages) -> None:
    draft = pages.draft()
    page = pages.open(Role.FIRM, draft=draft.draft_id)
    pages.as_role(Role.OFFICIAL).posting.save(draft.draft_id, "goal", "局里写的", draft.version)
    page.text_input(key=field(draft, "keywords")).set_value("轧辊").run()
    assert not page.warning
    assert page.text_area(key=field(draft, "goal")).value == "局里写的"
    page.button(key="post_submit").click().run()
    assert not page.error


def test_a_form_thrown_away_elsewhere_leaves_what_was_just_typed_to_copy(pages: Pages) -> None:
    draft = pages.draft()
    page = pages.open(Role.FIRM, draft=draft.draft_id)
    pages.as_role(Role.OFFICIAL).posting.discard(draft.draft_id)
    page.text_area(key=field(draft, "goal")).set_value("刚写的一大段").run()
    assert "没有编号" in page.error[0].value
    assert page.code[0].value == "刚写的一大段"


def test_the_effect_of_a_rewrite_is_shown(pages: Pages, html_of: HtmlOf) -> None:
    draft = pages.draft()
    page = pages.open(Role.FIRM, draft=draft.draft_id)
    page.button(key="post_remember").click().run()
    page.text_area(key=field(draft, "tried")).set_value("换过两家的辊，只好了几天。").run()
    assert any("条要求中" in caption.value for caption in page.caption)


def test_a_firm_changes_and_withdraws_its_need(pages: Pages, html_of: HtmlOf) -> None:
    need = pages.posted()
    page = pages.open(Role.FIRM)
    page.button(key=f"post_change_{need.need_id}").click().run()
    draft = next(d for d in pages.as_role(Role.FIRM).posting.drafts() if d.need_id == need.need_id)
    page.text_area(key=field(draft, "goal")).set_value("新的目标").run()
    page.button(key="post_submit").click().run()
    assert "修改了内容（预期目标）" in html_of(page)
    key = f"post_step_{need.need_id}_{NeedStatus.WITHDRAWN}"
    page.button(key=key).click().run()
    assert "写明原因" in page.error[0].value
    page.text_area(key=f"{key}_reason").set_value("自己解决了").run()
    page.button(key=key).click().run()
    assert not page.error
    assert pages.app.records.need(need.need_id).status == NeedStatus.WITHDRAWN
    assert f"post_step_{need.need_id}_{NeedStatus.PUBLISHED}" not in {b.key for b in page.button}


@pytest.mark.parametrize("param", ["need", "draft"])
def test_a_link_to_another_firms_work_gains_nothing(pages: Pages, html_of: HtmlOf, param: str) -> None:
    own = pages.people[Role.FIRM].firm_id
    other = next(n for n in pages.app.records.needs() if n.firm_id and n.firm_id != own)
    draft = pages.app.posting.start(need_id=other.need_id)
    shown = {"need": other.need_id, "draft": draft.draft_id}[param]
    page = pages.open(Role.FIRM, **{param: shown})
    said = page.error[0].value
    missing = pages.open(Role.FIRM, **{param: "X-1"}).error[0].value
    assert said.replace("\\", "").replace(shown, "…") == missing.replace("\\", "").replace("X-1", "…")
    everything = html_of(page) + " ".join(str(w.value) for w in (*page.text_area, *page.text_input))
    assert other.title not in everything
    assert other.company not in everything


def test_what_users_type_is_never_markup(pages: Pages, html_of: HtmlOf) -> None:
    draft = pages.draft(**{**TEXTS, "title": "<b>轧辊</b> **起麻点** [x](http://x)"})
    page = pages.open(Role.FIRM)
    assert "<b>轧辊</b>" not in html_of(page)
    page = pages.open(Role.OFFICIAL, tab="behalf")
    assert "&lt;b&gt;轧辊" in html_of(page)
    pages.as_role(Role.FIRM).posting.submit(draft.draft_id, draft.version)
    page = pages.open(Role.OFFICIAL)
    assert "<b>轧辊</b>" not in html_of(page)
    assert "&lt;b&gt;轧辊" in html_of(page)


# ---------------------------------------------------------------- the bureau


def test_the_bureau_accepts_and_returns_what_waits(pages: Pages, html_of: HtmlOf) -> None:
    need = pages.posted()
    page = pages.open(Role.OFFICIAL)
    assert "<h1>需求受理</h1>" in html_of(page)
    assert need.title in html_of(page)
    assert "8 项中还缺" in html_of(page)
    back = f"post_step_{need.need_id}_{NeedStatus.RETURNED}"
    page.button(key=back).click().run()
    assert "写明原因" in page.error[0].value
    page.text_area(key=f"{back}_reason").set_value("请补充试过的办法").run()
    page.button(key=back).click().run()
    assert pages.app.records.need(need.need_id).status == NeedStatus.RETURNED
    own = pages.open(Role.FIRM, need=need.need_id)
    assert "请补充试过的办法" in html_of(own)
    own.button(key=f"post_step_{need.need_id}_{NeedStatus.WAITING}").click().run()
    page = pages.open(Role.OFFICIAL)
    page.button(key=f"post_step_{need.need_id}_{NeedStatus.PUBLISHED}").click().run()
    assert pages.app.records.need(need.need_id).status == NeedStatus.PUBLISHED


def test_the_second_of_two_officials_is_told_and_the_list_is_fresh(pages: Pages) -> None:
    need = pages.posted()
    page = pages.open(Role.OFFICIAL)
    seen = pages.app.posting.open(need.need_id).row.version
    pages.app.posting.move(need.need_id, NeedStatus.RETURNED, seen, "缺指标")
    page.button(key=f"post_step_{need.need_id}_{NeedStatus.PUBLISHED}").click().run()
    assert "退回补充" in page.error[0].value
    assert f"post_step_{need.need_id}_{NeedStatus.PUBLISHED}" not in {b.key for b in page.button}
    assert pages.app.records.need(need.need_id).status == NeedStatus.RETURNED


def test_the_bureau_fills_in_for_a_firm_it_registers(pages: Pages, html_of: HtmlOf) -> None:
    page = pages.open(Role.OFFICIAL, tab="behalf")
    assert page.button(key="post_begin").disabled
    page.text_input(key="post_firm_name").set_value("新来的轧钢厂")
    page.button(key="post_register").click().run()
    firm = next(f for f in pages.app.records.firms() if f.name == "新来的轧钢厂")
    assert page.selectbox(key="post_firm").value == firm.firm_id
    page.button(key="post_begin").click().run()
    (draft,) = pages.app.posting.drafts()
    assert draft.firm_id == firm.firm_id
    assert any("新来的轧钢厂" in caption.value for caption in page.caption)


def test_all_needs_are_listed_filtered_and_opened(pages: Pages, html_of: HtmlOf) -> None:
    page = pages.open(Role.OFFICIAL, tab="all")
    needs = pages.app.records.needs()
    assert all(need.title in html_of(page) for need in needs)
    page.selectbox(key="post_status").set_value(NeedStatus.SOLVED).run()
    solved = [need for need in needs if need.status == NeedStatus.SOLVED]
    assert f"共 {len(solved)} 条" in page.caption[0].value
    page = pages.open(Role.OFFICIAL, need=needs[0].need_id)
    assert "post_undo" not in {b.key for b in page.button}, "nothing was changed yet"
    page.button(key="post_change").click().run()
    (draft,) = pages.app.posting.drafts()
    page.text_area(key=field(draft, "goal")).set_value("局里改的目标").run()
    page.button(key="post_submit").click().run()
    assert pages.app.records.need(needs[0].need_id).goal == "局里改的目标"
    page.button(key="post_undo").click().run()
    assert pages.app.records.need(needs[0].need_id).goal == needs[0].goal


def test_a_need_changed_meanwhile_is_merged_on_the_page(pages: Pages) -> None:
    need = pages.posted()
    page = pages.open(Role.FIRM, draft=pages.as_role(Role.FIRM).posting.start(need_id=need.need_id).draft_id)
    (draft,) = pages.app.posting.drafts()
    seen = pages.app.posting.open(need.need_id).row.version
    pages.app.posting.move(need.need_id, NeedStatus.PUBLISHED, seen)
    page.text_area(key=field(draft, "goal")).set_value("企业的新目标").run()
    page.button(key="post_submit").click().run()
    assert "合并最新内容" in page.error[0].value
    page.button(key="post_merge").click().run()
    page.button(key="post_submit").click().run()
    assert not page.error
    stored = pages.app.records.need(need.need_id)
    assert (stored.goal, stored.status) == ("企业的新目标", NeedStatus.WAITING)


def test_accepting_says_so(open_page: Callable[..., AppTest], app: Application) -> None:
    """The button without a reason: it once did its work and reported a failure."""
    waiting = app.posting.waiting()[0].need
    page = open_page("post")
    page.button(key=f"post_step_{waiting.need_id}_已发布").click().run()
    assert not page.error
    assert app.records.need(waiting.need_id).status == "已发布"


def test_a_draft_taken_up_again_stays_open(open_page: Callable[..., AppTest], app: Application) -> None:
    firm = next(person for person in app.entrance.demo_people() if person.role is Role.FIRM)
    draft = app.as_person(firm).posting.start()
    app.as_person(firm).posting.save(draft.draft_id, "title", "轴承磨得快", draft.version)
    page = open_page("overview")
    page.selectbox(key="bar_role").set_value(firm.login).run()
    link = next(button for button in page.button if button.label == "继续填写")
    link.click().run()
    assert draft.draft_id in page.query_params["draft"]
    assert page.text_input(key=f"post_field_{draft.draft_id}_title").value == "轴承磨得快"
