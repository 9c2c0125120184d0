"""按需求看, 按专家看, 自由检索: what is shown equals what the services answer."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import pytest
from streamlit.testing.v1 import AppTest

from matcher.ranking.eligibility import ExpertFilter
from matcher.services.bootstrap import Application
from matcher.services.rankings import Ranking
from matcher.ui import texts
from matcher.ui.components import records
from matcher.ui.components.cards import score_text
from matcher.ui.components.html import md
from matcher.ui.components.ticks import CURRENT

OpenPage = Callable[..., AppTest]
HtmlOf = Callable[[AppTest], str]
CardsOf = Callable[[AppTest], list[str]]


def test_cards_follow_the_ranking(open_page: OpenPage, app: Application, cards_of: CardsOf) -> None:
    page = open_page("needs", need="N101")
    ranking = app.matching.for_need("N101")
    cards = cards_of(page)
    assert len(cards) == len(ranking.pairs) > 5
    for card, pair in zip(cards, ranking.pairs, strict=True):
        assert pair.expert is not None
        assert escape(pair.expert.name) in card
        assert f"<b>{score_text(pair.match.score)}</b>" in card
        assert "【示例】" in card


@pytest.mark.parametrize("n_weak", [0, 4, 9, 12])
def test_five_cards_are_open_and_the_weak_ones_out_of_the_way(
    open_page: OpenPage, app: Application, cards_of: CardsOf, monkeypatch: pytest.MonkeyPatch, n_weak: int
) -> None:
    monkeypatch.setattr(Ranking, "n_weak", n_weak)
    page = open_page("needs", need="N101")
    n_good = len(cards_of(page)) - n_weak
    folded = [e.label for e in page.expander if "匹配度" in e.label]
    assert len(folded) == len(cards_of(page)) - min(5, n_good)
    weak = [e for e in page.expander if e.label == f"关联较弱的 {n_weak} 个（可不看）"]
    assert len(weak) == bool(n_weak)
    assert [e.label for one in weak for e in one.expander] == folded[len(folded) - n_weak :]
    said = [one.value for one in page.info]
    assert (texts.ALL_WEAK in said) == (n_good == 0)


def test_first_sentence_is_short_and_the_rest_is_in_the_explanation(
    open_page: OpenPage, app: Application
) -> None:
    page = open_page("needs", need="N101")
    ranking = app.matching.for_need("N101")
    said = [one.value for one in page.caption]
    assert f"从 {ranking.n_pool} 个团队中列出前 {len(ranking.pairs)} 位。{texts.SCORE_NOTE}" in said
    assert f"运行编号 {ranking.run.run_id}" in said
    assert ranking.topics
    assert md("联想到：" + "、".join(ranking.topics[:3])) in said


def test_shown_parts_sum_to_the_shown_score(open_page: OpenPage, app: Application, cards_of: CardsOf) -> None:
    best = cards_of(open_page("needs", need="N101"))[0]
    legend = best.split('class="m-legend"')[1].split("</div>")[0]
    parts = [float(piece.split("</b>")[0]) for piece in legend.split("<b>")[1:]]
    score = app.matching.for_need("N101").pairs[0].match.score
    assert f"{sum(parts):.1f}" == score_text(score)


def test_degraded_ranking_says_so(open_page: OpenPage) -> None:
    assert "语义模型" in open_page("needs", need="N101").warning[0].value


def test_filters_keep_only_what_they_say(open_page: OpenPage, app: Application, cards_of: CardsOf) -> None:
    page = open_page("needs", need="N101")
    page.multiselect(key="needs_ring").set_value(["全国"]).run()
    wanted = app.matching.for_need("N101", filter=ExpertFilter(rings=frozenset({"全国"})))
    assert 0 < len(wanted.pairs) < app.matching.for_need("N101").n_pool
    assert len(cards_of(page)) == len(wanted.pairs)
    linked = open_page("needs", need="N101", needs_ring="全国")
    assert cards_of(linked) == cards_of(page)


def test_practical_order_is_shown_beside_the_score(
    open_page: OpenPage, app: Application, cards_of: CardsOf
) -> None:
    page = open_page("needs", need="N101")
    page.toggle(key="needs_practical").set_value(True).run()
    order = [pair.match.expert_id for pair in app.matching.for_need("N101", practical=True).pairs]
    cards = cards_of(page)
    assert len(cards) == len(order)
    assert all("实际因素 +" in card for card in cards)


def test_list_of_needs_filters_and_chooses(open_page: OpenPage, app: Application, html_of: HtmlOf) -> None:
    page = open_page("needs")
    page.multiselect(key="needs_status").set_value(["待受理"]).run()
    assert len(page.radio(key="needs_choice").options) == 1
    page.multiselect(key="needs_status").set_value([]).run()
    page.radio(key="needs_choice").set_value("N103").run()
    assert page.query_params["need"] == "N103"
    assert app.records.need("N103").title in html_of(page)


def test_first_tick_starts_a_list_and_untick_empties_it(open_page: OpenPage, app: Application) -> None:
    page = open_page("needs", need="N101")
    best = app.matching.for_need("N101").pairs[0].match.expert_id
    page.checkbox(key=f"needs_tick_N101_{best}").check().run()
    [summary] = app.shortlists.list()
    assert summary.shortlist.name.startswith("候选合作清单 ")
    assert app.shortlists.ticked(summary.shortlist.shortlist_id) == {("N101", best)}
    page.run()
    assert page.checkbox(key=f"needs_tick_N101_{best}").value is True
    page.checkbox(key=f"needs_tick_N101_{best}").uncheck().run()
    assert app.shortlists.ticked(summary.shortlist.shortlist_id) == frozenset()


def test_ticks_go_to_the_list_made_inline(open_page: OpenPage, app: Application) -> None:
    app.shortlists.create("旧清单")
    page = open_page("needs", need="N101")
    page.text_input(key="needs_new_name").set_value("新清单")
    page.button(key="needs_new_create").click().run()
    made = next(s.shortlist for s in app.shortlists.list() if s.shortlist.name == "新清单")
    assert page.session_state[CURRENT] == made.shortlist_id
    assert page.selectbox(key="needs_shortlist").value == made.shortlist_id
    assert page.success[0].value == f"“新清单”{texts.LIST_MADE}"
    page.checkbox(key="needs_tick_N101_E103").check().run()
    assert app.shortlists.ticked(made.shortlist_id) == {("N101", "E103")}


def test_absence_names_the_reason(open_page: OpenPage, app: Application) -> None:
    page = open_page("needs", need="N101", needs_ring="全国")
    near = next(e.expert_id for e in app.records.experts() if e.ring != "全国")
    page.selectbox(key="needs_absence_expert").set_value(near).run()
    page.button(key="needs_absence_ask").click().run()
    assert "筛选条件" in page.info[0].value


def test_absence_is_asked_in_the_order_shown(
    open_page: OpenPage, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    original = type(app.matching).explain_absence

    def listened(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        asked.append(kwargs["practical"])
        return original(self, *args, **kwargs)

    monkeypatch.setattr(type(app.matching), "explain_absence", listened)
    page = open_page("needs", need="N101", needs_practical="true")
    page.selectbox(key="needs_absence_expert").set_value("E103").run()
    page.button(key="needs_absence_ask").click().run()
    assert asked == [True]
    assert page.info


def test_open_needs_stand_before_those_that_are_over(open_page: OpenPage, app: Application) -> None:
    page = open_page("needs")
    by_title = {records.need_title(need): need.status for need in app.records.needs()}
    order = [by_title[str(option).replace("\\", "")] for option in page.radio(key="needs_choice").options]
    assert order[0] == "已发布"
    over = [status in ("已解决", "撤回") for status in order]
    assert over == sorted(over)


def test_list_is_folded_on_a_phone_once_a_need_is_chosen(open_page: OpenPage, html_of: HtmlOf) -> None:
    page = open_page("needs")
    assert "m-unfolded" in html_of(page)
    page.radio(key="needs_choice").set_value("N103").run()
    assert "m-folded" in html_of(page)
    page.button(key="needs_another").click().run()
    assert "m-unfolded" in html_of(page)


def test_waiting_need_says_how_to_publish_it(open_page: OpenPage, app: Application) -> None:
    waiting = next(need for need in app.records.needs() if need.status == "待受理")
    page = open_page("needs", need=waiting.need_id)
    assert any(texts.WAITING_NOTE in one.value for one in page.caption)
    assert not any(texts.WAITING_NOTE in one.value for one in open_page("needs", need="N101").caption)


def test_limited_and_draft_needs_are_marked_everywhere(
    open_page: OpenPage, app: Application, html_of: HtmlOf, cards_of: CardsOf
) -> None:
    table = "需求编号,企业名称,技术需求名称,主要问题,公开范围,状态\nN901,某厂,轴瓦掉渣,铸件针眼多,保密,草稿\n"
    table += "N902,某厂,轴瓦起皮,铸件针眼多,仅平台,已发布\n"
    app.imports.confirm(app.imports.preview("needs", table.encode(), "新.csv"))
    assert records.markers(app.records.need("N901")) == ("保密", "草稿")
    page = open_page("needs", need="N901")
    assert any(
        "轴瓦掉渣【保密】【草稿】" in str(o).replace("\\", "") for o in page.radio(key="needs_choice").options
    )
    mark = '<span class="m-badge m-limited">保密</span>'
    assert mark in html_of(page)
    made = app.shortlists.create("清单")
    ranking = app.matching.for_need("N901")
    app.shortlists.add(made.shortlist_id, ranking, ranking.pairs[:1])
    assert mark in html_of(open_page("shortlists"))
    found = cards_of(open_page("search", q="轴瓦起皮", to="needs"))
    assert [mark.replace("保密", "仅平台") in card for card in found if "轴瓦起皮" in card] == [True]
    assert records.markers(app.records.need("N101")) == ()


def test_stale_experts_alone_and_all_again(open_page: OpenPage, app: Application) -> None:
    [todo] = [todo for todo in app.overview.summary().todo if todo.kind == "stale"]
    page = open_page("experts", **todo.params)
    assert len(page.radio(key="experts_choice").options) == todo.count
    assert any(f"只看资料过期的 {todo.count} 个" in one.value for one in page.caption)
    page.button(key="experts_all").click().run()
    assert len(page.radio(key="experts_choice").options) == len(app.records.experts())


def test_expert_page_shows_profile_works_and_places(
    open_page: OpenPage, app: Application, html_of: HtmlOf, cards_of: CardsOf
) -> None:
    page = open_page("experts", expert="E101")
    shown = html_of(page)
    expert = app.records.expert("E101")
    assert all(escape(direction) in shown for direction in expert.research_directions)
    assert all(escape(work.title) in shown for work in app.records.works_of("E101"))
    ranking = app.matching.for_expert("E101")
    for card, pair in zip(cards_of(page), ranking.pairs, strict=True):
        assert pair.need is not None
        assert escape(pair.need.title) in card
        assert f"该团队在这条需求中排第 {pair.rank_in_need} 位" in card


def test_needs_left_out_unasked_are_no_filter_of_the_person(open_page: OpenPage, app: Application) -> None:
    ranking = app.matching.for_expert("E101")
    assert ranking.n_filtered
    first = open_page("experts", expert="E101").caption
    assert any(f"。另有 {ranking.n_filtered} 条是草稿或已了结，不列。" in one.value for one in first)
    assert not any("状态" in one.value and "从 " in one.value for one in first)


def test_ticking_from_the_expert_side(open_page: OpenPage, app: Application) -> None:
    made = app.shortlists.create("清单")
    page = open_page("experts", expert="E101")
    page.checkbox(key="experts_tick_N101_E101").check().run()
    assert app.shortlists.ticked(made.shortlist_id) == {("N101", "E101")}


def test_search_asks_for_words_first(open_page: OpenPage, cards_of: CardsOf) -> None:
    page = open_page("search")
    assert not cards_of(page)
    assert "写一句话" in page.info[0].value


def test_search_finds_teams_then_needs(
    open_page: OpenPage, app: Application, html_of: HtmlOf, cards_of: CardsOf
) -> None:
    page = open_page("search")
    page.text_input(key="search_line").set_value("铸件有针眼").run()
    teams = app.matching.experts_for_text("铸件有针眼").pairs
    assert len(cards_of(page)) == len(teams)
    assert teams[0].expert is not None
    assert teams[0].expert.name in cards_of(page)[0]
    assert html_of(page).count("铸件有针眼") == 1, "the question stands once, over the cards"
    assert any(one.value == texts.FREE_TEXT_NOTE for one in page.caption)
    assert not page.checkbox  # free text names no need, so nothing can be ticked
    page.segmented_control(key="search_to").set_value("needs").run()
    needs = app.matching.needs_for_text("铸件有针眼").pairs
    assert needs[0].need is not None
    assert needs[0].need.title in cards_of(page)[0]
    assert page.query_params["q"] == "铸件有针眼"
    assert page.query_params["to"] == "needs"


def test_search_takes_an_example_and_a_long_text(open_page: OpenPage, cards_of: CardsOf) -> None:
    page = open_page("search")
    page.button(key="search_example_0").click().run()
    assert page.text_input(key="search_line").value == "刹车片磨得快，跑几千公里就要换"
    assert cards_of(page)
    page.text_area(key="search_area").set_value("曲轴\n拐角处断裂")
    page.button(key="search_go").click().run()
    assert page.text_input(key="search_line").value == "曲轴 拐角处断裂"
    assert cards_of(page)


def test_one_ranking_for_each_run(open_page: OpenPage, app: Application, monkeypatch: object) -> None:
    asked: list[str] = []
    kind = type(app.matching)
    for name in ("for_need", "for_expert", "experts_for_text", "needs_for_text", "explain_absence"):
        original = getattr(kind, name)

        def counted(self, *args, _name=name, _original=original, **kwargs):  # type: ignore[no-untyped-def]
            asked.append(_name)
            return _original(self, *args, **kwargs)

        monkeypatch.setattr(kind, name, counted)  # type: ignore[attr-defined]
    for page, params in (("needs", {}), ("experts", {}), ("search", {"q": "针眼"}), ("overview", {})):
        opened = open_page(page)
        asked.clear()
        for key, value in params.items():
            opened.query_params[key] = value
        opened.run()
        assert len(asked) <= 1, page
