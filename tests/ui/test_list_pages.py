"""总览, 候选清单, 数据."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from matcher.services.bootstrap import Application
from matcher.ui import texts
from matcher.ui.components.cards import score_text
from matcher.ui.components.charts import progress_sentence

OpenPage = Callable[..., AppTest]
HtmlOf = Callable[[AppTest], str]


def test_overview_shows_the_year_and_the_sample_share(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    summary = app.overview.summary()
    shown = html_of(open_page("overview"))
    assert f"<b>{summary.year_signed}</b><span>/ {summary.year_target} 项" in shown
    assert progress_sentence(summary.year_signed, summary.expected_by_now) in shown
    if summary.signed_sample:
        assert f"其中 {summary.signed_sample} 项来自示例数据" in shown


def test_progress_sentence_says_how_far() -> None:
    assert progress_sentence(13, 18.03) == "按进度应有 18 项，还差 5 项。"
    assert progress_sentence(18, 18.03) == "按进度应有 18 项，正好持平。"
    assert progress_sentence(20, 18.03) == "按进度应有 18 项，已超出 2 项。"


def test_todo_leads_to_its_page(open_page: OpenPage, app: Application, html_of: HtmlOf) -> None:
    todo = next(t for t in app.overview.summary().todo if t.kind == "match")
    page = open_page("overview")
    page.button(key="overview_todo_match").click().run()
    assert "<h1>按需求看</h1>" in html_of(page)
    assert app.records.need(todo.params["need"]).title in html_of(page)


def test_list_behind_the_number(open_page: OpenPage, app: Application) -> None:
    signed = app.overview.signed(app.overview.summary().year)
    page = open_page("overview")
    tables = {len(table.value) for table in page.dataframe}
    assert not signed or len(signed) in tables


def _ticked(app: Application, name: str = "对接会") -> str:
    made = app.shortlists.create(name)
    for need_id in ("N101", "N103"):
        ranking = app.matching.for_need(need_id)
        app.shortlists.add(made.shortlist_id, ranking, ranking.pairs[:2])
    return made.shortlist_id


def test_shortlist_groups_by_need_and_shows_scores(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    list_id = _ticked(app)
    page = open_page("shortlists")
    shown = html_of(page)
    for row in app.shortlists.open(list_id).items:
        assert row.need is not None
        assert shown.count(f"<h2>{row.need.title}") == 1
        assert f"<b>{score_text(row.item.score)}</b>" in shown
    assert page.query_params["list"] == list_id


def test_note_rename_remove_and_delete(open_page: OpenPage, app: Application) -> None:
    list_id = _ticked(app)
    first, *_ = app.shortlists.open(list_id).items
    pair = f"{list_id}_{first.item.need_id}_{first.item.expert_id}"
    page = open_page("shortlists")
    page.text_input(key=f"shortlists_note_{pair}").set_value("先电话联系").run()
    assert app.shortlists.open(list_id).items[0].item.note == "先电话联系"
    page.text_input(key="shortlists_name").set_value("新名称")
    page.button(key="shortlists_save").click().run()
    assert app.shortlists.open(list_id).shortlist.name == "新名称"
    page.checkbox(key=f"shortlists_remove_{pair}").check().run()
    page.button(key="shortlists_remove").click().run()
    assert len(app.shortlists.open(list_id).items) == 3
    assert page.button(key="shortlists_delete").disabled
    page.checkbox(key=f"shortlists_sure_{list_id}").check().run()
    page.button(key="shortlists_delete").click().run()
    assert app.shortlists.list() == ()
    assert not page.error
    assert "还没有清单" in page.info[0].value


def test_rename_of_a_list_somebody_changed_is_refused(open_page: OpenPage, app: Application) -> None:
    list_id = _ticked(app)
    page = open_page("shortlists")
    app.shortlists.rename(list_id, "别人改的", "", 1)
    page.text_input(key="shortlists_name").set_value("我改的")
    page.button(key="shortlists_save").click().run()
    assert page.error
    assert app.shortlists.open(list_id).shortlist.name == "别人改的"
    assert page.text_input(key="shortlists_name").value == "别人改的"


def test_new_list_becomes_the_current_one(open_page: OpenPage, app: Application) -> None:
    page = open_page("shortlists")
    app.shortlists.create("旧的")
    page.text_input(key="shortlists_new_name").set_value("第一张")
    page.button(key="shortlists_new_create").click().run()
    made = next(s.shortlist for s in app.shortlists.list() if s.shortlist.name == "第一张")
    assert page.selectbox(key="shortlists_choice").value == made.shortlist_id
    assert page.success[0].value == f"“第一张”{texts.LIST_MADE}"
    assert not page.run().success, "said once"


def test_a_list_name_already_taken_is_refused_and_kept_in_the_field(
    open_page: OpenPage, app: Application
) -> None:
    app.shortlists.create("十二月")
    page = open_page("shortlists")
    page.text_input(key="shortlists_new_name").set_value("十二月")
    page.button(key="shortlists_new_create").click().run()
    assert page.error
    assert page.text_input(key="shortlists_new_name").value == "十二月"
    assert len(app.shortlists.list()) == 1


def test_a_mark_for_removal_stays_with_its_list(open_page: OpenPage, app: Application) -> None:
    first, second = _ticked(app, "甲"), _ticked(app, "乙")
    item = app.shortlists.open(first).items[0].item
    page = open_page("shortlists", list=first)
    page.checkbox(key=f"shortlists_remove_{first}_{item.need_id}_{item.expert_id}").check().run()
    page.selectbox(key="shortlists_choice").set_value(second).run()
    assert not any(box.value for box in page.checkbox)
    page.button(key="shortlists_remove").click().run()
    assert len(app.shortlists.open(second).items) == len(app.shortlists.open(first).items) == 4


def test_a_list_keeps_what_it_said_of_records_that_are_gone(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    list_id = _ticked(app)
    row = next(row for row in app.shortlists.open(list_id).items if row.item.evidence)
    asked, _, answered = row.item.evidence[0].partition(" ↔ ")
    app.records.drop_samples()
    page = open_page("shortlists")
    shown = html_of(page)
    assert f"需求 {row.item.need_id}（已不在系统中）" in shown
    assert f"清单中留存：{asked}" in shown
    assert f"清单中留存：{answered}" in shown
    assert not page.error


def test_each_table_has_chinese_columns_and_no_contacts(open_page: OpenPage, app: Application) -> None:
    counts = app.overview.summary().counts
    for kind in ("needs", "experts", "works", "firms", "institutions"):
        page = open_page("data", kind=kind)
        table = page.dataframe[0].value
        assert len(table) == counts[kind]
        assert not any(name.isascii() for name in table.columns)
        assert not {"联系人", "联系电话", "联系方式"} & set(table.columns)


def test_sample_badge_stands_beside_the_name(open_page: OpenPage, app: Application) -> None:
    table = open_page("data", kind="experts").dataframe[0].value
    names = dict(zip(table["专家编号"], table["专家（团队）名称"], strict=True))
    for expert in app.records.experts():
        assert names[expert.expert_id].endswith("【示例】") == expert.is_sample


def test_table_search(open_page: OpenPage) -> None:
    page = open_page("data", kind="institutions")
    page.text_input(key="data_text_institutions").set_value("吉林大学 区内").run()
    table = page.dataframe[0].value
    assert list(table["单位名称"]) == ["吉林大学威海仿生研究院"]


def test_samples_go_only_after_the_phrase(open_page: OpenPage, app: Application) -> None:
    before = len(app.records.needs())
    page = open_page("data", tab="system")
    page.text_input(key="data_drop_phrase").set_value("删除").run()
    page.button(key="data_drop").click().run()
    assert len(app.records.needs()) == before
    assert "没有删除" in page.error[0].value
    page.text_input(key="data_drop_phrase").set_value("删除示例").run()
    page.button(key="data_drop").click().run()
    assert not page.error
    assert not any(need.is_sample for need in app.records.needs())
    assert "已删除示例数据" in page.success[0].value


def test_lists_with_samples_are_counted_before_the_samples_go(open_page: OpenPage, app: Application) -> None:
    assert not open_page("data", tab="system").warning
    _ticked(app, "甲")
    app.shortlists.create("空的")
    assert "有 1 份候选清单用到了示例数据" in open_page("data", tab="system").warning[0].value


def test_cooperation_opens_at_one_stage_and_shows_all_again(open_page: OpenPage, app: Application) -> None:
    rows = app.records.cooperation()
    stage = next(row.stage for row in rows if row.stage)
    some = [row for row in rows if row.stage == stage]
    assert 0 < len(some) < len(rows)
    page = open_page("data", kind="cooperation", stage=stage)
    assert len(page.dataframe[0].value) == len(some)
    assert any(f"只看“{stage}”的 {len(some)} 项" in one.value for one in page.caption)
    page.button(key="data_all").click().run()
    assert len(page.dataframe[0].value) == len(rows)
    assert "stage" not in page.query_params
