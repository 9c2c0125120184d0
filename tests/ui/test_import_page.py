"""数据 → 导入: preview, columns by hand, rows left out, and files that cannot be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from matcher.services.bootstrap import Application

OpenPage = Callable[..., AppTest]
GOOD = "企业名称,技术需求名称,主要问题\n新企业,新难题,泵体有针眼\n"
ODD = "企业名称,难题叫什么,主要问题,谁写的\n新企业,新难题,泵体有针眼,张三\n"


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    page.file_uploader(key="data_file_needs_0").upload(name, data)
    return page.run()


@pytest.fixture
def page(open_page: OpenPage) -> AppTest:
    return open_page("data", tab="import", kind="needs")


def drop_downs(page: AppTest) -> dict[str, object]:
    """Shown drop-downs of columns by their labels."""
    return {box.label: box for box in page.selectbox if str(box.key).startswith("data_map_")}


def test_import_previews_then_stores_once(page: AppTest, app: Application) -> None:
    before = len(app.records.needs())
    upload(page, "新.csv", GOOD.encode())
    assert "新增 1 条" in page.success[0].value
    assert len(app.records.needs()) == before
    page.button(key="data_confirm").click().run()
    assert "新增 1 条" in page.success[0].value
    assert len(app.records.needs()) == before + 1


def test_a_blocked_row_is_named_and_may_be_skipped(page: AppTest, app: Application) -> None:
    before = app.records.needs()
    upload(page, "坏.csv", (GOOD + "甲,,无名称\n").encode())
    assert "1 行不能导入" in page.error[0].value
    issues = page.dataframe[0].value
    assert list(issues["行"][issues["性质"] == "不能导入"]) == [3]
    assert page.button(key="data_confirm").disabled
    assert app.records.needs() == before
    skip = page.button(key="data_confirm_good")
    assert skip.label == "跳过有误的 1 行，导入其余 1 行"
    skip.click().run()
    assert "新增 1 条" in page.success[0].value
    assert "跳过 1 行" in page.success[0].value
    assert {n.title for n in app.records.needs()} - {n.title for n in before} == {"新难题"}


def test_a_column_is_chosen_by_hand_and_previewed_at_once(page: AppTest, app: Application) -> None:
    upload(page, "怪.csv", ODD.encode())
    assert page.button(key="data_confirm").disabled
    front = [label for label in drop_downs(page) if "难题叫什么" in label or "谁写的" in label]
    assert len(front) == 2
    assert len(drop_downs(page)) == 4, "the others wait under the fold"
    drop_downs(page)[front[0]].set_value("title").run()  # type: ignore[attr-defined]
    assert "新增 1 条" in page.success[0].value
    assert drop_downs(page)[front[0]].value == "title"  # type: ignore[attr-defined]
    page.button(key="data_confirm").click().run()
    assert "新难题" in {need.title for need in app.records.needs()}


def test_samples_go_with_the_import_when_asked(page: AppTest, app: Application) -> None:
    upload(page, "新.csv", GOOD.encode())
    page.checkbox(key="data_import_drop").check().run()
    assert any(need.is_sample for need in app.records.needs())
    page.button(key="data_confirm").click().run()
    assert "示例数据已删除" in page.success[0].value
    assert not any(need.is_sample for need in app.records.needs())
    assert "新难题" in {need.title for need in app.records.needs()}


@pytest.mark.parametrize("name", ["坏.xlsx", "旧.xls", "扫描.pdf", "图.png"])
def test_a_file_that_cannot_be_read_is_explained_in_chinese(page: AppTest, name: str) -> None:
    upload(page, name, b"not a table")
    assert not page.exception
    assert "请" in page.error[0].value
