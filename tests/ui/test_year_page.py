"""年度目标: the sentence, the numbers and the lists behind them, the 候选合作清单."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from matcher.services.bootstrap import Application
from matcher.services.year_counts import Dashboard
from matcher.services.year_groups import Number
from matcher.store.repositories import Repositories
from matcher.ui.components import year_board
from matcher.ui.components.year_keys import named
from matcher.vocab import ContractKind, Stage

OpenPage = Callable[..., AppTest]
HtmlOf = Callable[[AppTest], str]
EVIL = "<b>坏</b>公司*_"


@pytest.fixture
def signed(app: Application) -> str:
    """A 对接 that was signed today, of a firm with a hostile name; its id."""
    need = next(n for n in app.records.needs() if n.status == "已发布")
    with app.database.session() as session:
        Repositories(session, app.clock).needs.upsert(
            [replace(need, company=EVIL, sector="电子信息", town="某镇", confidentiality="保密")]
        )
    app.review.pair(need.need_id, app.records.experts()[0].expert_id)
    (row,) = app.following.list()
    key, today = row.engagement.engagement_id, app.clock().date()
    for stage in (Stage.CONTACT, Stage.TALKS):
        app.following.move(key, stage, app.following.open(key).engagement.version)
    version = app.following.open(key).engagement.version
    app.following.move(key, Stage.SIGNED, version, on=today, contract_kind=ContractKind.SERVICE)
    return key


def keys(page: AppTest) -> set[str]:
    return {button.key or "" for button in page.button}


def test_first_the_sentence_then_the_numbers(
    open_page: OpenPage, app: Application, html_of: HtmlOf, signed: str
) -> None:
    board = app.year.dashboard()
    page = open_page("year")
    assert not page.exception
    assert not page.error
    shown = html_of(page)
    assert year_board.sentence(board) in shown
    assert shown.index(year_board.sentence(board)) < shown.index("m-count")
    for step in board.funnel:
        assert f"<span>{step.label}<" in shown
    (matrix,) = page.dataframe
    assert set(matrix.value.columns) == {share.label for share in board.sectors}
    assert "year_show_signed" in keys(page)


def test_every_number_has_its_list(open_page: OpenPage, app: Application, signed: str) -> None:
    board = app.year.dashboard()
    for key in ("signed", "funnel:0", f"month:{board.today.month}", "sector:s:电子信息", "days:已推荐"):
        title, number = named(board)[key]
        page = open_page("year")
        page.button(key=f"year_show_{key}").click().run()
        assert page.query_params["show"] in (key, [key])
        assert not page.exception
        assert not page.error
        assert len(page.dataframe[0].value) == len(number.ids) > 0, key
        assert any(title in one.value.replace("\\", "") for one in page.subheader)
    page.button(key="year_back").click().run()
    assert "year_show_signed" in keys(page)


def test_a_list_opens_by_its_address_and_shows_names_as_text(
    open_page: OpenPage, app: Application, html_of: HtmlOf, signed: str
) -> None:
    page = open_page("year", show="town:s:某镇")
    (table,) = page.dataframe
    assert EVIL in str(table.value.to_dict())
    assert "<b>坏" not in html_of(page)
    assert "year_show_signed" in keys(open_page("year", show="nonsense")), "an unknown number shows the page"


def test_another_year_by_its_address(open_page: OpenPage, app: Application, html_of: HtmlOf) -> None:
    page = open_page("year", year="2025")
    assert f"2025 年签约 {int(app.year.dashboard(2025).signed.value)} 项，目标 20 项" in html_of(page)
    assert open_page("year", year="x").selectbox(key="year_year").value == app.year.dashboard().year
    page.selectbox(key="year_year").set_value(2024).run()
    assert page.query_params["year"] in ("2024", ["2024"])
    assert f"2024 年签约 {int(app.year.dashboard(2024).signed.value)} 项" in html_of(page)


def test_the_cell_of_the_table_opens_its_list(
    app: Application, signed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, opened = app.year.dashboard(), list[str]()
    monkeypatch.setattr(year_board, "open_list", opened.append)
    names = [share.label for share in board.institutions]
    (institution,) = [school for sector, school in board.cells if sector == "电子信息"]
    year_board.open_cell(board, [(names.index(institution), "电子信息")], names)
    year_board.open_cell(board, [(names.index(institution), "海洋生物")], names)
    assert opened == [f"cell:电子信息|{institution}"]
    assert named(board)[opened[0]][1].ids == (signed,)


def with_numbers(board: Dashboard, signed: int, closest: int, expected: float) -> Dashboard:
    made = [Number(n, tuple(map(str, range(n)))) for n in (signed, closest)]
    return replace(
        board, signed=made[0], closest=made[1], expected=expected, year=2026, today=date(2026, 11, 25)
    )


def test_the_sentence(app: Application) -> None:
    board = app.year.dashboard()
    now = with_numbers(board, 12, 5, 18.03)
    assert year_board.sentence(now) == "今年已签约 12 项，按进度应有 18 项，还差 6 项；最接近签约的有 5 项。"
    ahead = with_numbers(board, 19, 0, 18.03)
    assert year_board.sentence(ahead).startswith("今年已签约 19 项，按进度应有 18 项，超出 1 项；")
    past = replace(now, year=2025)
    assert year_board.sentence(past) == "2025 年签约 12 项，目标 20 项，差 8 项。"


def test_the_list_of_candidates_is_made_on_the_click(
    open_page: OpenPage, app: Application, signed: str
) -> None:
    page = open_page("year")
    assert any("文件里会有 0 对" in one.value for one in page.caption)
    page.checkbox(key="candidates_secret").check().run()
    assert any("文件里会有 1 对" in one.value for one in page.caption)
    page.checkbox(key="candidates_contacts").check().run()
    page.selectbox(key="candidates_suffix").set_value(".docx").run()
    page.button(key="candidates_make").click().run()
    assert not page.exception
    assert not page.error
    assert page.session_state["candidates_file"][1].startswith(b"PK")
    with app.database.reading() as session:
        told, export = Repositories(session).audit.latest(2)
    assert (told.action, export.action, export.detail["confidential"]) == ("export_contacts", "export", True)
    page.checkbox(key="candidates_contacts").uncheck().run()
    assert "candidates_file" not in page.session_state, "another choice is another file"


def test_without_pairings_it_says_where_they_come_from(open_page: OpenPage) -> None:
    assert any("审核台" in one.value for one in open_page("year").info)
