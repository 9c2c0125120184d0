"""总览, 候选清单, 数据."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from matcher.services.bootstrap import Application
from matcher.ui.components.charts import progress_sentence

OpenPage = Callable[..., AppTest]
HtmlOf = Callable[[AppTest], str]
GOOD = "企业名称,技术需求名称,主要问题\n新企业,新难题,泵体有针眼\n"


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


def _ticked(app: Application) -> str:
    made = app.shortlists.create("对接会", "测试")
    for need_id in ("N101", "N103"):
        ranking = app.matching.for_need(need_id)
        app.shortlists.add(made.shortlist_id, ranking, ranking.pairs[:2], "测试")
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
        assert f"<b>{row.item.score * 100:.1f}</b>" in shown
    assert page.query_params["list"] == list_id


def test_note_rename_remove_and_delete(open_page: OpenPage, app: Application) -> None:
    list_id = _ticked(app)
    first, *_ = app.shortlists.open(list_id).items
    pair = f"{first.item.need_id}_{first.item.expert_id}"
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
    app.shortlists.rename(list_id, "别人改的", "", 1, "另一人")
    page.text_input(key="shortlists_name").set_value("我改的")
    page.button(key="shortlists_save").click().run()
    assert page.error
    assert app.shortlists.open(list_id).shortlist.name == "别人改的"
    assert page.text_input(key="shortlists_name").value == "别人改的"


def test_new_list_becomes_the_current_one(open_page: OpenPage, app: Application) -> None:
    page = open_page("shortlists")
    page.text_input(key="shortlists_new_name").set_value("第一张").run()
    page.button(key="shortlists_new_create").click().run()
    [summary] = app.shortlists.list()
    assert page.selectbox(key="shortlists_choice").value == summary.shortlist.shortlist_id


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


def test_import_previews_then_stores_once(open_page: OpenPage, app: Application) -> None:
    before = len(app.records.needs())
    page = open_page("data", tab="import", kind="needs")
    page.file_uploader(key="data_file_needs_0").upload("新.csv", GOOD.encode())
    page.run()
    assert "新增 1 条" in page.success[0].value
    assert len(app.records.needs()) == before
    page.button(key="data_confirm").click().run()
    assert "新增 1 条" in page.success[0].value
    assert len(app.records.needs()) == before + 1


def test_blocked_import_names_the_row_and_stores_nothing(open_page: OpenPage, app: Application) -> None:
    before = app.records.needs()
    page = open_page("data", tab="import", kind="needs")
    page.file_uploader(key="data_file_needs_0").upload("坏.csv", (GOOD + "甲,,无名称\n").encode())
    page.run()
    assert "1 行不能导入" in page.error[0].value
    issues = page.dataframe[0].value
    assert list(issues["行"]) == [3]
    assert page.button(key="data_confirm").disabled
    assert app.records.needs() == before


def test_unreadable_file_is_explained(open_page: OpenPage) -> None:
    page = open_page("data", tab="import", kind="needs")
    page.file_uploader(key="data_file_needs_0").upload("坏.xlsx", b"not a workbook")
    page.run()
    assert not page.exception
    assert page.error


def test_samples_go_only_after_the_phrase(open_page: OpenPage, app: Application) -> None:
    before = len(app.records.needs())
    page = open_page("data", tab="system")
    page.text_input(key="data_drop_phrase").set_value("删除").run()
    page.button(key="data_drop").click().run()
    assert len(app.records.needs()) == before
    page.text_input(key="data_drop_phrase").set_value("删除示例").run()
    page.button(key="data_drop").click().run()
    assert not page.error
    assert not any(need.is_sample for need in app.records.needs())
    assert "已删除示例数据" in page.success[0].value
