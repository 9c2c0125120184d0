"""按需求看, 按专家看, 自由检索: what is shown equals what the services answer."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from streamlit.testing.v1 import AppTest

from matcher.ranking.eligibility import ExpertFilter
from matcher.services.bootstrap import Application
from matcher.ui.components.cards import score_text
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


def test_first_five_cards_are_open_and_the_rest_folded(open_page: OpenPage, cards_of: CardsOf) -> None:
    page = open_page("needs", need="N101")
    folded = [e.label for e in page.expander if "匹配度" in e.label]
    assert len(folded) == len(cards_of(page)) - 5
    assert folded[0].startswith(r"6\. ")


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
    app.shortlists.create("旧清单", "测试")
    page = open_page("needs", need="N101")
    page.text_input(key="needs_new_name").set_value("新清单").run()
    page.button(key="needs_new_create").click().run()
    made = next(s.shortlist for s in app.shortlists.list() if s.shortlist.name == "新清单")
    assert page.session_state[CURRENT] == made.shortlist_id
    assert page.selectbox(key="needs_shortlist").value == made.shortlist_id
    page.checkbox(key="needs_tick_N101_E103").check().run()
    assert app.shortlists.ticked(made.shortlist_id) == {("N101", "E103")}


def test_absence_names_the_reason(open_page: OpenPage, app: Application) -> None:
    page = open_page("needs", need="N101", needs_ring="全国")
    near = next(e.expert_id for e in app.records.experts() if e.ring != "全国")
    page.selectbox(key="needs_absence_expert").set_value(near).run()
    page.button(key="needs_absence_ask").click().run()
    assert "筛选条件" in page.info[0].value


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


def test_ticking_from_the_expert_side(open_page: OpenPage, app: Application) -> None:
    made = app.shortlists.create("清单", "测试")
    page = open_page("experts", expert="E101")
    page.checkbox(key="experts_tick_N101_E101").check().run()
    assert app.shortlists.ticked(made.shortlist_id) == {("N101", "E101")}


def test_search_asks_for_words_first(open_page: OpenPage, cards_of: CardsOf) -> None:
    page = open_page("search")
    assert not cards_of(page)
    assert "写一句话" in page.info[0].value


def test_search_finds_teams_then_needs(open_page: OpenPage, app: Application, cards_of: CardsOf) -> None:
    page = open_page("search")
    page.text_input(key="search_line").set_value("铸件有针眼").run()
    teams = app.matching.experts_for_text("铸件有针眼").pairs
    assert len(cards_of(page)) == len(teams)
    assert teams[0].expert is not None
    assert teams[0].expert.name in cards_of(page)[0]
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
