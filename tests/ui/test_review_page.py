"""审核台, through the page: decide one by one, many at once, take back, pair by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from matcher.models import Person
from matcher.services.bootstrap import Application
from matcher.services.review_queue import QueueItem
from matcher.store.repositories import Repositories
from matcher.vocab import DecisionKind, DecisionReason, Role, Stage

OpenPage = Callable[..., AppTest]
HtmlOf = Callable[[AppTest], str]
OTHER = Person("li", "李干事", Role.OFFICIAL)


def press(page: AppTest, key: str) -> AppTest:
    return page.button(key=f"review_{key}").click().run()


def waiting(page: AppTest) -> int:
    text = next(str(m.value) for m in page.markdown if "待审核" in str(m.value))
    return int("".join(filter(str.isdigit, text)))


def keys(page: AppTest) -> set[str]:
    return {str(button.key).removeprefix("review_") for button in page.button}


def kinds(app: Application) -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (one.decision.need_id, one.decision.expert_id): (one.decision.kind, one.decision.reason)
        for one in app.review.decided()
    }


def said(page: AppTest) -> str:
    return "\n".join(str(m.value) for group in (page.error, page.info, page.success) for m in group)


def items(app: Application) -> tuple[QueueItem, ...]:
    found = app.review.queue().items
    assert len(found) > 5
    return found


def test_the_first_suggestion_stands_open_with_need_team_and_evidence(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    first = items(app)[0]
    page = open_page("review")
    shown = html_of(page)
    assert not page.exception
    assert first.need.title in shown
    assert first.expert.name in shown
    assert f"按匹配度排第 {first.rank_in_need} 位" in shown
    assert f"{first.match.score * 100:.1f}" in shown
    assert waiting(page) == app.review.queue().n_total
    assert {"accept", "shelve", "reject", "next", "previous"} <= keys(page)


def test_every_key_of_the_desk_is_one_streamlit_knows(open_page: OpenPage) -> None:
    page = open_page("review")
    letters = {str(b.key).removeprefix("review_"): b.proto.shortcut for b in page.button}
    wanted = {"accept": "a", "shelve": "s", "reject": "x", "next": "j", "previous": "k"}
    assert {key: letters[key].lower() for key in wanted} == wanted
    press(page, "reject")
    numbers = [b.proto.shortcut for b in page.button if "review_reason_" in str(b.key)]
    assert numbers == [*"1234567890"]
    assert len(numbers) == len(DecisionReason)


def test_accepting_begins_an_engagement_and_moves_on(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    first = items(app)[0]
    page = open_page("review")
    before = waiting(page)
    page.text_input(key=f"review_note_{first.need.need_id}_{first.expert.expert_id}").set_value(
        "先电话"
    ).run()
    press(page, "accept")
    assert kinds(app) == {first.pair: ("接受", "")}
    (done,) = app.review.decided(DecisionKind.ACCEPT)
    assert done.engagement is not None
    assert (done.engagement.stage, done.engagement.note) == (Stage.PROPOSED, "先电话")
    assert waiting(page) == before - 1
    assert f"{first.expert.name} ↔ {first.need.title}：接受" in "".join(
        str(c.value).replace("\\", "") for c in page.caption
    )
    assert all(note.value == "" for note in page.text_input), "a note does not move on to the next pair"


def test_ten_suggestions_are_cleared_and_fetched_only_when_they_run_out(
    open_page: OpenPage, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matcher.services.review import ReviewService

    asked: list[object] = []
    queue = ReviewService.queue

    def counted(self: ReviewService, *args: object, **kwargs: object) -> object:
        asked.append(kwargs.get("skip"))
        return queue(self, *args, **kwargs)  # type: ignore[arg-type]

    expected = [item.pair for item in items(app)[:10]]
    monkeypatch.setattr(ReviewService, "queue", counted)
    page = open_page("review")
    for number in range(10):
        assert len(asked) == 1, "one question for all ten"
        press(page, "shelve" if number % 2 else "reject")
        assert "accept" not in keys(page)
        press(page, f"reason_{number + 1}")
    assert not page.exception
    reasons = list(DecisionReason)
    assert kinds(app) == {
        pair: ("搁置" if n % 2 else "不合适", reasons[n].value) for n, pair in enumerate(expected)
    }
    assert len(asked) == 2


def test_back_from_the_reasons_records_nothing(open_page: OpenPage, app: Application) -> None:
    page = open_page("review")
    press(page, "reject")
    press(page, "back")
    assert "accept" in keys(page)
    assert kinds(app) == {}


def test_undo_brings_the_last_ones_back_one_after_another(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    first, second = items(app)[:2]
    page = open_page("review")
    before = waiting(page)
    press(page, "accept")
    press(page, "reject")
    press(page, "reason_1")
    assert len(kinds(app)) == 2
    press(page, "undo")
    assert kinds(app) == {first.pair: ("接受", "")}
    assert second.expert.name in html_of(page)
    press(page, "undo")
    assert kinds(app) == {}
    assert first.expert.name in html_of(page)
    assert waiting(page) == before
    press(page, "accept")
    assert kinds(app) == {first.pair: ("接受", "")}, "what was taken back can be decided on again"


def test_an_accept_that_is_worked_on_is_not_undone_and_the_page_says_so(
    open_page: OpenPage, app: Application
) -> None:
    page = open_page("review")
    press(page, "accept")
    (done,) = app.review.decided()
    assert done.engagement is not None
    with app.database.session() as session:
        event = ("li", "engagement.contact", "engagement", done.engagement.engagement_id)
        Repositories(session, app.clock).audit.add(*event)
    press(page, "undo")
    assert "已经开始办理" in said(page)
    assert len(kinds(app)) == 1


def test_next_and_previous_pass_over_without_deciding(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    first, second = items(app)[:2]
    page = open_page("review")
    assert page.button(key="review_previous").disabled
    press(page, "next")
    assert f"排第 {second.rank_in_need} 位" in html_of(page)
    assert second.expert.name in html_of(page)
    press(page, "previous")
    assert first.expert.name in html_of(page)
    assert kinds(app) == {}


def test_passing_over_everything_begins_again(open_page: OpenPage, app: Application, html_of: HtmlOf) -> None:
    need_id = items(app)[0].need.need_id
    some = app.review.queue(need_id=need_id).items
    page = open_page("review", need=need_id)
    assert waiting(page) == len(some)
    for item in some:
        assert item.expert.name in html_of(page)
        press(page, "next")
    assert some[0].expert.name in html_of(page)


def test_a_pair_decided_by_a_colleague_is_told_and_the_next_one_comes(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    first, second = items(app)[:2]
    page = open_page("review")
    page.text_input(key=f"review_note_{first.need.need_id}_{first.expert.expert_id}").set_value(
        "我的话"
    ).run()
    app.as_person(OTHER).review.decide(*first.pair, DecisionKind.SHELVE, reason=DecisionReason.WAIT)
    press(page, "accept")
    told = said(page).replace("\\", "")
    assert "li" in told
    assert "搁置" in told
    assert "我的话" in told, "what was typed is not lost"
    assert second.expert.name in html_of(page)
    assert kinds(app) == {first.pair: ("搁置", "等企业补充材料")}


def test_a_need_in_the_address_and_filters_narrow_the_queue(open_page: OpenPage, app: Application) -> None:
    found = items(app)
    need = found[-1].need
    page = open_page("review", need=need.need_id)
    assert waiting(page) == app.review.queue(need_id=need.need_id).n_total
    press(page, "all_needs")
    assert waiting(page) == app.review.queue().n_total
    page.multiselect(key="review_sector").set_value([need.sector]).run()
    assert waiting(page) == sum(item.need.sector == need.sector for item in found)


def test_when_nothing_waits_the_page_says_what_to_do(open_page: OpenPage, app: Application) -> None:
    for item in items(app):
        app.review.decide(*item.pair, DecisionKind.ACCEPT, run=item.run)
    page = open_page("review")
    assert not page.exception
    assert "都看完了" in said(page)


def test_many_are_previewed_then_confirmed(open_page: OpenPage, app: Application, html_of: HtmlOf) -> None:
    chosen = items(app)[:3]
    page = open_page("review", review_tab="批量审核")
    for item in chosen:
        page.checkbox(key=f"review_pick_{item.need.need_id}_{item.expert.expert_id}").check()
    page.selectbox(key="review_bulk_reason").set_value(DecisionReason.WAIT.value)
    page.run()
    press(page, "bulk_preview")
    assert kinds(app) == {}
    assert all(item.expert.name in html_of(page) for item in chosen)
    press(page, "bulk_confirm")
    assert not page.exception
    assert kinds(app) == {item.pair: ("搁置", "等企业补充材料") for item in chosen}
    assert "review_pick_{}_{}".format(*chosen[0].pair) not in {str(box.key) for box in page.checkbox}


def test_a_bulk_choice_without_a_reason_or_without_pairs_is_refused_calmly(open_page: OpenPage) -> None:
    page = open_page("review", review_tab="批量审核")
    press(page, "all")
    press(page, "bulk_preview")
    assert "需要选一个原因" in said(page)
    press(page, "none")
    page.selectbox(key="review_bulk_reason").set_value(DecisionReason.WAIT.value).run()
    press(page, "bulk_preview")
    assert "还没有选中" in said(page)
    assert not page.exception


def test_what_changes_after_the_preview_stops_the_whole_bulk(open_page: OpenPage, app: Application) -> None:
    page = open_page("review", review_tab="批量审核")
    first = items(app)[0]
    press(page, "all")
    page.segmented_control(key="review_bulk_kind").set_value(DecisionKind.ACCEPT).run()
    press(page, "bulk_preview")
    app.as_person(OTHER).review.decide(*first.pair, DecisionKind.SHELVE, reason=DecisionReason.WAIT)
    press(page, "bulk_confirm")
    assert "整批都没有保存" in said(page)
    assert set(kinds(app)) == {first.pair}


def test_shelved_pairs_are_accepted_or_put_back(open_page: OpenPage, app: Application) -> None:
    one, two = items(app)[:2]
    made = [app.review.decide(*i.pair, DecisionKind.SHELVE, reason=DecisionReason.WAIT) for i in (one, two)]
    page = open_page("review", review_tab="搁置")
    press(page, f"take_{made[0].decision_id}")
    press(page, f"put_back_{made[1].decision_id}")
    assert kinds(app) == {one.pair: ("接受", "")}
    assert "没有搁置的配对" in said(page)


def test_decided_pairs_can_be_taken_back_from_the_list(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    one, two = items(app)[:2]
    accepted = app.review.decide(*one.pair, DecisionKind.ACCEPT)
    app.review.decide(*two.pair, DecisionKind.REJECT, reason=DecisionReason.TOPIC, note="<b>方向</b>偏")
    page = open_page("review", review_tab="已决定")
    assert "&lt;b&gt;方向&lt;/b&gt;偏" in html_of(page)
    page.segmented_control(key="review_kind").set_value("接受").run()
    assert two.expert.name not in html_of(page)
    press(page, f"undo_{accepted.decision_id}")
    assert kinds(app) == {two.pair: ("不合适", "方向不符")}


def test_any_two_are_paired_by_hand_and_why_not_is_answered(
    open_page: OpenPage, app: Application, html_of: HtmlOf
) -> None:
    need_id = items(app)[0].need.need_id
    low = app.matching.for_need(need_id, top=50).pairs[-1].match
    page = open_page("review", review_tab="手工配对", need=need_id)
    assert page.button(key="review_hand_pair").disabled
    page.selectbox(key="review_hand_expert").set_value(low.expert_id).run()
    press(page, "why")
    assert app.review.why_not(need_id, low.expert_id).kind in said(page)
    page.text_input(key="review_hand_note").set_value("企业点名").run()
    press(page, "hand_pair")
    assert not page.exception
    (done,) = app.review.decided()
    assert (done.decision.expert_id, done.decision.kind, done.decision.note) == (
        low.expert_id,
        "接受",
        "企业点名",
    )
    press(page, "hand_pair")
    assert "已经在对接" in said(page)
