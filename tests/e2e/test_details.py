"""What a person meets beside the main way: a phone, columns named by hand, files that are refused, Chinese only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

ODD = (
    "2026年度企业技术需求征集汇总表,,,\r\n"
    "序号,需求单位,难题叫什么,主要问题\r\n"
    "1,示例渔具企业99,碳素鱼竿涂层起泡,南方夏天涂层起泡，客户退货。\r\n"
)


def test_on_a_phone_the_list_makes_room_for_the_answer(visit: Any) -> None:
    person = visit(390, 844)
    person.open("needs?need=N302")
    expect(person.part("needs_list")).to_be_hidden()
    expect(person.part("needs_card_1")).to_be_visible()
    person.page.get_by_role("button", name="换一条需求").click()
    expect(person.part("needs_list")).to_be_visible()
    expect(person.page.get_by_role("button", name="换一条需求")).to_be_hidden()


def test_columns_are_named_by_hand_and_a_foreign_file_is_refused_in_chinese(visit: Any) -> None:
    person = visit()
    person.open("data?tab=import")
    upload = person.page.locator("input[type=file]")
    upload.set_input_files({"name": "扫描.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    expect(person.page.get_by_text("另存为 .xlsx")).to_be_visible()
    person.settle()
    person.page.get_by_role("button", name=re.compile("Remove|移除|Delete")).click()
    expect(person.page.get_by_text("另存为 .xlsx")).to_be_hidden()  # the page has taken the file away
    person.settle()
    odd = ODD.encode("gb18030")
    upload.set_input_files({"name": "怪表.csv", "mimeType": "text/csv", "buffer": odd})
    expect(person.page.get_by_role("button", name="全部导入")).to_be_disabled()
    person.settle()
    person.page.get_by_label("“难题叫什么”是").click()
    person.page.get_by_role("option", name="技术需求名称", exact=True).click()
    expect(person.page.get_by_role("button", name="全部导入")).to_be_enabled()


SEEN = """() => {
    const walker = document.createTreeWalker(document.querySelector('[data-testid=stMain]'), NodeFilter.SHOW_TEXT);
    const words = [];
    while (walker.nextNode()) {
        const around = walker.currentNode.parentElement;
        if (around.checkVisibility() && getComputedStyle(around).fontSize !== '0px') words.push(walker.currentNode.data);
    }
    return words.join(' ');
}"""
"""The words a person sees; what the style sheet replaces has no size."""


@pytest.mark.parametrize("path", ["needs?need=N302", "data?kind=cooperation", "data?tab=import", ""])
def test_nothing_on_the_page_is_in_english(visit: Any, path: str) -> None:
    person = visit()
    person.open(path)
    words = person.page.evaluate(SEEN)
    for english in ("Press Enter", "No results", "Upload", "Drag and drop", "Browse files", "Vega", "None"):
        assert english not in str(words), english
    expect(person.page.get_by_test_id("stElementToolbar").locator("visible=true")).to_have_count(0)
