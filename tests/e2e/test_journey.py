"""One working day in a real browser, from the first look at the year to a need found by its import."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

DATA = Path(__file__).resolve().parents[2] / "data"
NEED, WORDS = (
    "N302",
    "示例医用耗材企业05",
)  # the firm has two needs, and the one wanted is not chosen by itself
TITLE = "导管外面那层滑溜的东西插两次就掉"
LIST, NOTE = "11月医药对接会", "=1+1 先电话联系"
PROBES = re.compile(
    r"/_stcore/(host-config|health)\b"
)  # Streamlit looks for its base path below a deep address
PAGES = (
    "",
    "needs?need=N302",
    "experts?expert=E337",
    "search?q=刹车片磨得快",
    "shortlists",
    "data?kind=works",
)
TABS = ("data?tab=import", "data?tab=system", "search?q=铸件有气孔&to=needs")
FORM = (
    "2026年度企业技术需求征集汇总表,,,,,\r\n"
    "序号,需求单位,技术需求名称,主要问题,拟投入资金（万元）,关键字1\r\n"
    "1,示例渔具企业99,渔线轮主齿轮打齿,大鱼一拉主齿就崩，换了三种料还是打齿，退货多。,面议,渔线轮\r\n"
    "2,示例渔具企业99,碳素鱼竿涂层起泡,{problem},约50万元,鱼竿\r\n"
)


def quiet(errors: list[str]) -> list[str]:
    return [error for error in errors if not PROBES.search(error)]


def signed_this_year() -> int:
    """A recount of the 台账: contracts signed this year, in Beijing."""
    year = (datetime.now(UTC) + timedelta(hours=8)).year
    with (DATA / "cooperation.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["signed_on"].startswith(str(year))]
    return len({row["contract_no"] or row["cooperation_id"] for row in rows})


def sheet_rows(path: Path) -> list[dict[str, Any]]:
    """The pairings of an exported list, by column label."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    book = openpyxl.load_workbook(path)
    rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    book.close()
    top = next(number for number, row in enumerate(rows) if "匹配度" in row)
    return [dict(zip(rows[top], row, strict=True)) for row in rows[top + 1 :]]


def choose_need(person: Any) -> None:
    """Find the needs of a firm and look at both."""
    person.turn_to("按需求看")
    person.type_into("查找需求", WORDS)
    expect(person.page.get_by_text("共 2 条需求")).to_be_visible()
    expect(person.part("needs_list").get_by_role("radio")).to_have_count(2)
    for title in ("消完毒的货", TITLE):
        person.part("needs_list").get_by_text(title).click()
        person.wait_for_heading("needs_block", title)
    expect(person.page).to_have_url(re.compile(f"need={NEED}"))
    person.settle()


def read_first_card(person: Any) -> None:
    """The number is the sum of its parts, and the evidence stands side by side with its shared words marked."""
    first = person.part("needs_card_1")
    expect(first.locator(".m-rank")).to_have_text("1")
    total = float(first.locator(".m-score b").inner_text())
    parts = [float(text) for text in first.locator(".m-legend b").all_inner_texts()]
    assert 0 < total <= 100
    assert sum(parts) == pytest.approx(total, abs=0.01)
    pair = first.locator(".m-pair", has=person.page.locator("mark")).first
    left, right = pair.locator(".m-side").nth(0), pair.locator(".m-side").nth(1)
    assert set(left.locator("mark").all_inner_texts()) & set(right.locator("mark").all_inner_texts())
    expect(left).to_contain_text("企业原话")
    expect(right).to_contain_text(re.compile(r"团队资料.+[EW]\d+"))


def filter_by_ring(person: Any, ring: str) -> list[tuple[str, str]]:
    """Fewer teams, the same numbers; returns what is left."""
    whole = person.ranking("needs")
    assert len(whole) == 5, "the first five are open"
    assert [float(score) for _, score in whole] == sorted((float(s) for _, s in whole), reverse=True)
    person.unfold("needs_filters")
    person.choose("needs_ring", ring)
    expect(person.page.get_by_text("筛选排除")).to_be_visible()
    person.settle()
    rings = person.page.locator("[class*='st-key-needs_card_'] .m-head:visible .m-ring")
    assert set(rings.all_inner_texts()) == {ring}
    left = person.ranking("needs")
    before = dict(whole)
    known = [(name, score) for name, score in left if name in before]
    assert known
    assert all(before[name] == score for name, score in known)
    return list(left)


def follow_own_link(person: Any) -> None:
    """The address in the menu shows the same ranking in a new tab."""
    person.open_menu("needs_link")
    link = person.page.get_by_test_id("stCode").locator("code").inner_text()
    person.page.keyboard.press("Escape")
    assert f"need={NEED}" in link
    assert "needs_ring=" in link
    tab = person.page.context.new_page()
    other = type(person)(tab, person.base, person.watch)
    tab.goto(link)
    other.settle()
    shown = person.ranking("needs")
    expect(tab.get_by_text("筛选排除")).to_be_visible()
    other.settle()
    assert other.ranking("needs") == shown
    assert other.run_id("needs") == person.run_id("needs")
    tab.close()


def tick_two(person: Any) -> None:
    """Make a list where one stands, and put the first two teams into it."""
    person.open_menu("needs_new")
    person.type_into("清单名称", LIST)
    expect(person.page.get_by_text("已建立，之后勾选的都进这份清单。")).to_be_visible()
    expect(person.page.get_by_label("清单名称")).to_be_hidden()  # Enter was enough, and the menu is closed
    expect(person.part("needs_shortlist").get_by_role("combobox")).to_have_value(LIST)
    person.settle()
    for number in (1, 2):
        card = person.part(f"needs_card_{number}")
        card.get_by_text("加入候选清单").click()
        expect(card.get_by_role("checkbox")).to_be_checked()
        expect(person.page.get_by_text("已加入候选清单。").first).to_be_visible()
        person.settle()


def take_list_away(person: Any, folder: Path) -> list[tuple[str, str]]:
    """Write a note, export twice, and compare the files with the page; returns the pairings shown."""
    page = person.page
    person.turn_to("候选清单")
    choice = person.part("shortlists_choice").get_by_role("combobox")
    expect(choice).to_have_value(f"{LIST}（1 条需求，2 个组合）")
    heads = page.locator(".m-split .m-head")
    expect(heads).to_have_count(2)
    shown = [person.name_and_score(head) for head in heads.all()]
    note = page.get_by_label("备注").first
    note.fill(NOTE)
    note.press("Enter")
    expect(page.get_by_text("备注已保存。").first).to_be_visible()
    person.settle()
    for suffix in (".xlsx", ".csv"):
        file = person.download("shortlists", suffix, folder)
        assert file.suffix == suffix
        rows = sheet_rows(file)
        names = [str(row["专家（团队）"]).removesuffix("【示例】") for row in rows]
        scores = [f"{float(row['匹配度']):.1f}" for row in rows]
        assert list(zip(names, scores, strict=True)) == shown, suffix
        # In a CSV a guard keeps it from running as a formula; a cell of a workbook is text anyway.
        assert [str(row["备注"] or "") for row in rows] == [NOTE if suffix == ".xlsx" else f"'{NOTE}", ""]
        assert {row["需求编号"] for row in rows} == {NEED}
        for row, score in zip(rows, scores, strict=True):
            parts = [float(value) for label, value in row.items() if label.startswith("其中：")]
            assert sum(parts) == pytest.approx(float(score), abs=0.01)
    page.keyboard.press("Escape")
    return shown


def test_from_the_year_to_a_list_in_a_file(visit: Any, tmp_path: Path) -> None:
    person = visit()
    page = person.page
    person.open()
    expect(page.locator(".m-big")).to_contain_text(str(signed_this_year()))
    expect(page.locator(".m-big")).to_contain_text("/ 20 项　已签约")
    expect(page.locator("[class*='st-key-overview_todo_']").first).to_be_visible()
    expect(page.locator(".m-status")).to_be_visible()
    person.wait_for_model()
    choose_need(person)
    read_first_card(person)
    near = filter_by_ring(person, "周边区域")
    follow_own_link(person)
    tick_two(person)
    address = page.url
    assert sorted(take_list_away(person, tmp_path)) == sorted(near[:2])

    # the page of the first team, by its link
    page.goto(address)
    person.settle()
    person.part("needs_card_1").get_by_role("link", name="团队详情").click()
    person.wait_for_heading("experts_block", near[0][0])
    person.settle()
    assert (TITLE, near[0][1]) in person.ranking("experts"), "the same need with the same 匹配度"
    assert quiet(person.watch.errors) == []
    assert person.watch.outside == []


def test_search_import_and_find(visit: Any, server: Any, tmp_path: Path) -> None:
    person = visit()
    page = person.page
    person.open("search")
    person.wait_for_model()
    box = page.get_by_label("一句话说清问题")
    box.press_sequentially("海参苗种化皮死得多", delay=20)
    expect(person.part("search_card_1")).to_be_visible()  # nobody pressed anything
    expect(page.locator(".m-query")).to_contain_text("海参苗种化皮死得多")
    person.settle()
    expect(page).to_have_url(re.compile("q="))
    assert person.ranking("search")
    page.get_by_role("button", name="刹车片磨得快").click()
    expect(box).to_have_value("刹车片磨得快，跑几千公里就要换")

    # a form with a row that cannot be taken, then the same form mended
    person.open("data?tab=import")
    upload = page.locator("input[type=file]")
    broken = FORM.format(problem="").encode("gb18030")
    upload.set_input_files({"name": "征集表.csv", "mimeType": "text/csv", "buffer": broken})
    expect(page.get_by_text("有 1 行不能导入")).to_be_visible()
    expect(page.get_by_text("要看一下的地方")).to_be_visible()
    expect(page.get_by_role("button", name="全部导入")).to_be_disabled()
    expect(page.get_by_role("button", name="跳过有误的 1 行，导入其余 1 行")).to_be_enabled()
    person.settle()
    page.get_by_role("button", name=re.compile("Remove|移除|Delete")).click()
    expect(page.get_by_text("有 1 行不能导入")).to_be_hidden()
    mended = FORM.format(problem="南方夏天涂层起泡，客户退货。").encode("gb18030")
    upload.set_input_files({"name": "征集表.csv", "mimeType": "text/csv", "buffer": mended})
    expect(page.get_by_text("表头在第 2 行")).to_be_visible()
    expect(page.get_by_text("新增 2 条，更新 0 条")).to_be_visible()
    page.get_by_role("button", name="全部导入").click()
    expect(page.get_by_text("已导入“征集表.csv”：新增 2 条")).to_be_visible()
    person.settle()

    # at once in every page
    person.turn_to("按需求看")
    person.type_into("查找需求", "渔线轮")
    person.wait_for_heading("needs_block", "渔线轮主齿轮打齿")
    expect(person.part("needs_block")).to_contain_text("待受理")
    person.settle()
    found = person.ranking("needs")
    assert found
    assert float(found[0][1]) > 20
    expect(person.part("needs_card_1").locator(".m-pair").first).to_be_visible()

    assert quiet(person.watch.errors) == []
    assert person.watch.outside == []
    assert "Traceback" not in server.log


def test_every_table_can_be_searched(visit: Any) -> None:
    person = visit()
    for kind in ("needs", "experts", "works", "firms", "institutions", "cooperation"):
        person.open(f"data?kind={kind}")
        whole = person.page.get_by_text(re.compile(r"共 \d+ 行")).inner_text()
        person.type_into("查找", "大学 不会有的词")
        expect(person.page.get_by_text("没有符合条件的结果")).to_be_visible()
        person.type_into("查找", "")
        expect(person.page.get_by_text(whole)).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_screen(visit: Any, width: int) -> None:
    person = visit(width, 844)
    for path in (*PAGES, *TABS):
        person.open(path)
        expect(person.page.get_by_test_id("stAlert").get_by_text("这一步没有完成")).to_have_count(0)
        document, main = person.overflow()
        assert document <= width, path
        assert main <= width, path
    assert quiet(person.watch.errors) == []
    assert person.watch.outside == []
