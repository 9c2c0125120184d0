from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from matcher.errors import ConflictError, InputError, NotFoundError, PermissionDenied
from matcher.models import Cooperation, Engagement, Person
from matcher.ranking.eligibility import NeedFilter
from matcher.ranking.scorer import WEAK_SCORE
from matcher.services.bootstrap import Application, open_application
from matcher.services.review_queue import Queue, QueueItem
from matcher.services.review_rules import MAX_NOTE
from matcher.store.entries import AuditEvent, Decision
from matcher.store.repositories import Repositories
from matcher.vocab import CallType, CooperationKind, DecisionKind, DecisionReason, NeedStatus, Role, Stage

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
WANG = Person("wang", "王科长", Role.OFFICIAL)
LI = Person("li", "李干事", Role.OFFICIAL)
FIRM = Person("firm", "某企业", Role.FIRM, firm_id="F101")
TEAM = Person("team", "某团队", Role.TEAM, institution_id="I101")
REASON = DecisionReason.TOPIC
ACCEPT, SHELVE, REJECT = DecisionKind.ACCEPT, DecisionKind.SHELVE, DecisionKind.REJECT


def first(app: Application) -> QueueItem:
    return app.review.queue(limit=1).items[0]


def pairs(queue: Queue) -> list[tuple[str, str]]:
    return [item.pair for item in queue.items]


def write(app: Application, act: Callable[[Repositories], object]) -> None:
    with app.database.session() as session:
        act(Repositories(session, app.clock))


def events(app: Application, kind: str, object_id: str) -> tuple[AuditEvent, ...]:
    with app.database.reading() as session:
        return Repositories(session).audit.of(kind, object_id)


def decisions(app: Application) -> dict[tuple[str, str], Decision]:
    with app.database.reading() as session:
        return Repositories(session).decisions.latest_by_pair()


def engagements(app: Application) -> tuple[Engagement, ...]:
    with app.database.reading() as session:
        return Repositories(session).engagements.all()


def change_need(app: Application, need_id: str, **fields: object) -> None:
    need = app.records.need(need_id)
    write(app, lambda stored: stored.needs.upsert([replace(need, **fields)]))  # type: ignore[arg-type]


@pytest.fixture
def wide_app(small_app: Application) -> Application:
    """``small_app`` with four more teams like the best one of N304, and two more needs like it, all 卡脖子."""
    item = next(i for i in small_app.review.queue().items if i.need.need_id == "N304")
    teams = [replace(item.expert, expert_id=f"E90{n}", name=f"示例团队90{n}") for n in range(4)]
    urgent = replace(item.need, call_type=CallType.BOTTLENECK.value)
    needs = [urgent, *(replace(urgent, need_id=f"N90{n}") for n in range(2))]
    write(small_app, lambda stored: (stored.experts.upsert(teams), stored.needs.upsert(needs)))
    return small_app


# ---------------------------------------------------------------- the queue


def test_the_queue_holds_the_best_undecided_teams_of_published_needs(small_app: Application) -> None:
    queue = small_app.review.queue()
    assert queue.n_total == len(queue.items) > 0
    assert queue.n_needs == len({item.need.need_id for item in queue.items})
    for item in queue.items:
        assert item.need.status == NeedStatus.PUBLISHED
        assert item.match.score >= WEAK_SCORE
        assert item.seen == 0
        ranked = small_app.matching.for_need(item.need.need_id, top=50).pairs
        same = next(p for p in ranked if p.match.expert_id == item.expert.expert_id)
        assert same.match.rank == item.rank_in_need == item.match.rank
        assert same.match.score == item.match.score
        assert same.match.evidence == item.match.evidence
        assert same.match.gaps == item.match.gaps
        assert same.match.practical == item.match.practical
        assert item.match in item.run.matches
        assert item.run.query == item.need.need_id
    for need_id in {item.need.need_id for item in queue.items}:
        scores = [item.match.score for item in queue.items if item.need.need_id == need_id]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) <= 5


def test_urgent_needs_stand_first_then_those_nobody_answers_then_the_longest_waiting(
    small_app: Application,
) -> None:
    general, march = CallType.GENERAL.value, date(2026, 3, 1)
    change_need(small_app, "N302", call_type=general, posted_on=date(2026, 1, 1))
    change_need(small_app, "N303", call_type=CallType.OPEN_CALL.value, posted_on=march)
    change_need(small_app, "N304", call_type=CallType.BOTTLENECK.value, posted_on=march)

    def order() -> list[str]:
        return list(dict.fromkeys(item.need.need_id for item in small_app.review.queue().items))

    assert order() == ["N304", "N303", "N302"]
    change_need(small_app, "N303", call_type=general)
    assert order() == ["N304", "N302", "N303"], "N302 waits longer"


def test_a_need_somebody_answers_already_waits_behind_the_others(wide_app: Application) -> None:
    item = first(wide_app)
    wide_app.review.decide(*item.pair, ACCEPT)
    kind = item.need.call_type
    order = [i.need for i in wide_app.review.queue(NeedFilter(call_types=frozenset({kind})), limit=100).items]
    assert order[0] != item.need
    assert order[-1] == item.need


def test_filters_and_limit_choose_what_is_returned_and_counts_cover_all(small_app: Application) -> None:
    everything = small_app.review.queue()
    need = everything.items[0].need
    some = small_app.review.queue(limit=2)
    assert pairs(some) == pairs(everything)[:2]
    assert (some.n_total, some.n_needs) == (everything.n_total, everything.n_needs)
    one = small_app.review.queue(need_id=need.need_id)
    assert pairs(one) == [p for p in pairs(everything) if p[0] == need.need_id]
    other = small_app.review.queue(NeedFilter(towns=frozenset({"没有这个镇"})))
    assert other.items == ()
    assert other.n_total == 0
    rest = small_app.review.queue(skip=pairs(some))
    assert pairs(rest) == pairs(everything)[2:]
    assert rest.n_total == everything.n_total
    fewer = small_app.review.queue(per_need=1)
    assert fewer.n_total == fewer.n_needs


def test_drafts_forbidden_pairs_and_pairs_in_progress_are_not_suggested(small_app: Application) -> None:
    item = first(small_app)
    row = Cooperation("C-X", item.need.company, item.expert.institution, item.expert.expert_id,
                      kind=CooperationKind.DO_NOT_CONTACT.value)  # fmt: skip
    write(small_app, lambda stored: stored.cooperation.upsert([row]))
    assert item.pair not in pairs(small_app.review.queue())
    second = first(small_app)
    small_app.review.pair(*second.pair)
    assert second.pair not in pairs(small_app.review.queue())
    change_need(small_app, second.need.need_id, status=NeedStatus.WITHDRAWN.value)
    assert second.need.need_id not in {need for need, _ in pairs(small_app.review.queue())}


def test_when_all_suggestions_of_a_need_are_unfit_the_next_teams_come(wide_app: Application) -> None:
    item = first(wide_app)
    need_id = item.need.need_id
    strong = [
        p.match.expert_id
        for p in wide_app.matching.for_need(need_id, top=50).pairs
        if p.match.score >= WEAK_SCORE
    ]
    assert len(strong) > 1
    met = []
    while waiting := wide_app.review.queue(need_id=need_id, per_need=1).items:
        assert len(waiting) == 1
        met.append(waiting[0].expert.expert_id)
        wide_app.review.decide(*waiting[0].pair, REJECT, reason=REASON)
    assert met == strong
    assert wide_app.review.queue(need_id=need_id).n_without == 0


def test_an_accepted_team_ends_the_suggestions_for_its_need(small_app: Application) -> None:
    item = first(small_app)
    small_app.review.decide(*item.pair, ACCEPT)
    assert small_app.review.queue(need_id=item.need.need_id, per_need=1).n_total == 0


def test_warnings_name_the_other_firm_a_full_team_and_an_old_profile(small_app: Application) -> None:
    queue = small_app.review.queue()
    item = queue.items[0]
    expert = replace(item.expert, capacity=1, updated_on=date(2024, 1, 1))
    write(small_app, lambda stored: stored.experts.upsert([expert]))
    other = next(n for n in small_app.records.needs() if n.company != item.need.company)
    change_need(small_app, other.need_id, status=NeedStatus.PUBLISHED.value)
    small_app.review.pair(other.need_id, expert.expert_id)
    warnings = next(i for i in small_app.review.queue().items if i.pair == item.pair).warnings
    assert f"这个团队本月已推荐给另一家企业“{other.company}”，现在是“已推荐”。" in warnings
    assert "这个团队的名额已满：上限 1 项，在办 1 项。" in warnings
    assert "团队资料上次更新是 2024-01-01，超过一年，联系前请先核实。" in warnings


def test_what_was_recommended_long_ago_is_not_mentioned(small_app: Application) -> None:
    item = first(small_app)
    other = next(n for n in small_app.records.needs() if n.company != item.need.company)
    change_need(small_app, other.need_id, status=NeedStatus.PUBLISHED.value)
    small_app.review.pair(other.need_id, item.expert.expert_id)
    later = NOW + timedelta(days=61)
    with open_application(small_app.settings, lambda: later) as app:
        warnings = next(i for i in app.review.queue().items if i.pair == item.pair).warnings
    assert not [w for w in warnings if "推荐" in w]


# ---------------------------------------------------------------- decisions


def test_accepting_begins_one_engagement_of_the_actor_in_the_same_transaction(small_app: Application) -> None:
    item = first(small_app)
    app = small_app.as_person(WANG)
    made = app.review.decide(*item.pair, ACCEPT, note="  周三前联系\x07 ", run=item.run)
    assert (made.kind, made.note, made.run_id) == (ACCEPT, "周三前联系", item.run.run_id)
    (engagement,) = engagements(app)
    assert (engagement.stage, engagement.owner, engagement.run_id) == (
        Stage.PROPOSED,
        "wang",
        item.run.run_id,
    )
    need_id, expert_id = item.pair
    event = events(app, "pair", f"{need_id}|{expert_id}")[-1]
    assert (event.actor, event.action) == ("wang", "pair.decide")
    assert event.detail == {
        "kind": "接受",
        "reason": "",
        "note": "周三前联系",
        "run": item.run.run_id,
        "engagement": engagement.engagement_id,
    }
    with app.database.reading() as session:
        run = Repositories(session).runs.get(made.run_id)
    assert run is not None
    assert expert_id in {match.expert_id for match in run.matches}


def test_a_decision_without_a_run_keeps_one_made_now_and_equal_ones_are_stored_once(
    wide_app: Application,
) -> None:
    one, two = wide_app.review.queue(limit=2).items
    assert one.need == two.need
    made = [wide_app.review.decide(*item.pair, REJECT, reason=REASON) for item in (one, two)]
    with wide_app.database.reading() as session:
        stored = Repositories(session)
        runs = [stored.runs.get(decision.run_id) for decision in made]
    assert made[0].run_id == made[1].run_id
    assert runs[0] is not None
    assert [m.rank for m in runs[0].matches] == sorted(m.rank for m in runs[0].matches)
    low = wide_app.matching.for_need(one.need.need_id, top=50).pairs[-1].match
    last = wide_app.review.decide(one.need.need_id, low.expert_id, REJECT, reason=REASON, run=one.run)
    assert last.run_id != one.run.run_id, "the run shown did not hold this team"


@pytest.mark.parametrize(
    ("kind", "reason", "note", "said"),
    [
        (SHELVE, "", "", "需要选一个原因"),
        (REJECT, "", "", "需要选一个原因"),
        (REJECT, "心情不好", "", "没有“心情不好”这个原因"),
        (DecisionKind.UNDONE, "", "", "没有“撤销”这种审核意见"),
        (ACCEPT, "", "长" * (MAX_NOTE + 1), "备注太长"),
        (ACCEPT, "", "找 11010519491231002X", "身份证"),
    ],
)
def test_what_a_decision_may_not_say(
    small_app: Application, kind: DecisionKind, reason: str, note: str, said: str
) -> None:
    item = first(small_app)
    with pytest.raises(InputError, match=said):
        small_app.review.decide(*item.pair, kind, reason=reason, note=note)
    assert decisions(small_app) == {}


def test_unknown_records_are_not_found(small_app: Application) -> None:
    item = first(small_app)
    with pytest.raises(NotFoundError):
        small_app.review.decide("N-no", item.expert.expert_id, ACCEPT)
    with pytest.raises(NotFoundError):
        small_app.review.pair(item.need.need_id, "E-no")


def test_the_second_official_is_told_what_the_first_decided(small_app: Application) -> None:
    item = first(small_app)
    small_app.accounts.create(WANG)
    small_app.as_person(WANG).review.decide(*item.pair, REJECT, reason=REASON, seen=item.seen)
    with pytest.raises(ConflictError, match=r"王科长 11 月 25 日 10:00 已定为“不合适”（方向不符）"):
        small_app.as_person(LI).review.decide(*item.pair, ACCEPT, seen=item.seen)
    assert engagements(small_app) == ()
    assert decisions(small_app)[item.pair].decided_by == "wang"


def test_a_pair_taken_back_meanwhile_must_be_looked_at_again(small_app: Application) -> None:
    item = first(small_app)
    made = small_app.review.decide(*item.pair, REJECT, reason=REASON)
    small_app.review.undo(made.decision_id)
    with pytest.raises(ConflictError, match="撤销了原来的审核意见"):
        small_app.review.decide(*item.pair, ACCEPT, seen=item.seen)
    again = next(i for i in small_app.review.queue().items if i.pair == item.pair)
    assert again.seen > made.decision_id
    small_app.review.decide(*again.pair, ACCEPT, seen=again.seen)
    assert len(engagements(small_app)) == 1


def test_a_shelved_pair_leaves_the_queue_and_may_be_accepted_later(small_app: Application) -> None:
    item = first(small_app)
    made = small_app.review.decide(*item.pair, SHELVE, reason=DecisionReason.WAIT)
    assert item.pair not in pairs(small_app.review.queue())
    (shelved,) = small_app.review.decided(SHELVE)
    assert (shelved.need, shelved.expert, shelved.engagement) == (item.need, item.expert, None)
    small_app.review.decide(*item.pair, ACCEPT, seen=made.decision_id)
    assert small_app.review.decided(SHELVE) == ()
    assert small_app.review.decided(ACCEPT)[0].engagement == engagements(small_app)[0]


def test_an_accepted_pair_cannot_be_found_unfit_over_its_engagement(small_app: Application) -> None:
    item = first(small_app)
    made = small_app.review.decide(*item.pair, ACCEPT)
    with pytest.raises(ConflictError, match="已经接受"):
        small_app.review.decide(*item.pair, REJECT, reason=REASON, seen=made.decision_id)
    assert decisions(small_app)[item.pair].kind == ACCEPT


def test_accepting_what_may_not_begin_writes_nothing(small_app: Application) -> None:
    item = first(small_app)
    change_need(small_app, item.need.need_id, status=NeedStatus.WAITING.value)
    with pytest.raises(InputError, match="还不能开始对接"):
        small_app.review.decide(*item.pair, ACCEPT, run=item.run)
    assert (decisions(small_app), engagements(small_app)) == ({}, ())
    with small_app.database.reading() as session:
        assert Repositories(session).runs.get(item.run.run_id) is None


def test_two_officials_at_once_make_one_decision_on_a_pair(small_app: Application) -> None:
    item, outcomes = first(small_app), []
    start = threading.Barrier(4)

    def go(number: int) -> None:
        app = small_app.as_person(replace(WANG, login=f"wang{number}"))
        start.wait()
        try:
            outcomes.append(app.review.decide(*item.pair, ACCEPT, run=item.run).decided_by)
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=go, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[:3] == ["conflict"] * 3
    assert len(outcomes) == 4
    (engagement,) = engagements(small_app)
    assert engagement.owner == sorted(outcomes)[3]


# ---------------------------------------------------------------- many at once


def seen_pairs(*items: QueueItem) -> list[tuple[str, str, int]]:
    return [(*item.pair, item.seen) for item in items]


def test_a_preview_writes_nothing_and_confirming_decides_on_all(small_app: Application) -> None:
    items = small_app.review.queue().items[:3]
    runs = {item.need.need_id: item.run for item in items}
    preview = small_app.review.preview(seen_pairs(*items), SHELVE, DecisionReason.WAIT, "月底再看", runs=runs)
    assert [(c.need_id, c.expert_id) for c in preview.can] == [item.pair for item in items]
    assert preview.cannot == ()
    assert decisions(small_app) == {}
    made = small_app.review.confirm(preview)
    assert [d.run_id for d in made] == [item.run.run_id for item in items]
    assert {(d.kind, d.reason, d.note) for d in decisions(small_app).values()} == {
        ("搁置", "等企业补充材料", "月底再看")
    }
    assert len(decisions(small_app)) == 3


def test_the_preview_sorts_out_what_cannot_be_done_and_says_why(wide_app: Application) -> None:
    gone, taken, withdrawn, fine = wide_app.review.queue(per_need=1, limit=4).items
    wide_app.review.decide(*taken.pair, REJECT, reason=REASON)
    change_need(wide_app, withdrawn.need.need_id, status=NeedStatus.WITHDRAWN.value)
    chosen = [*seen_pairs(taken, withdrawn, fine, fine), (gone.need.need_id, "E-no", 0)]
    preview = wide_app.review.preview(chosen, ACCEPT)
    assert [(c.need_id, c.expert_id) for c in preview.can] == [fine.pair]
    why = {(c.need_id, c.expert_id): said for c, said in preview.cannot}
    assert "已定为“不合适”" in why[taken.pair]
    assert "撤回" in why[withdrawn.pair]
    assert "没有编号" in why[gone.need.need_id, "E-no"]


def test_accepting_more_than_a_team_can_take_is_pointed_out(small_app: Application) -> None:
    items = small_app.review.queue(per_need=1).items[:2]
    expert = replace(items[0].expert, capacity=1)
    write(small_app, lambda stored: stored.experts.upsert([expert]))
    chosen = [(item.need.need_id, expert.expert_id, 0) for item in items]
    preview = small_app.review.preview(chosen, ACCEPT)
    assert preview.notices == (f"“{expert.name}”还可承接 1 项，这次要接受 2 项。",)
    assert len(preview.can) == 2


def test_a_change_after_the_preview_stops_all_of_it_and_names_the_pair(small_app: Application) -> None:
    items = small_app.review.queue().items[:3]
    preview = small_app.review.preview(seen_pairs(*items), ACCEPT)
    small_app.as_person(LI).review.decide(*items[1].pair, REJECT, reason=REASON)
    with pytest.raises(ConflictError, match=f"整批都没有保存.*{items[1].expert.name}") as refused:
        small_app.as_person(WANG).review.confirm(preview)
    assert "li" in refused.value.user_message
    assert set(decisions(small_app)) == {items[1].pair}
    assert engagements(small_app) == ()


def test_a_bulk_decision_keeps_the_rules_of_a_single_one(small_app: Application) -> None:
    item = first(small_app)
    with pytest.raises(InputError, match="还没有选中"):
        small_app.review.preview([], ACCEPT)
    with pytest.raises(InputError, match="一次最多"):
        small_app.review.preview([("N", f"E{n}", 0) for n in range(201)], ACCEPT)
    with pytest.raises(InputError, match="原因"):
        small_app.review.preview(seen_pairs(item), REJECT)
    preview = small_app.review.preview(seen_pairs(item), ACCEPT)
    forged = replace(preview, opinion=replace(preview.opinion, kind=REJECT))
    with pytest.raises(InputError, match="原因"):
        small_app.review.confirm(forged)


# ---------------------------------------------------------------- taking back


def test_undoing_an_accept_deletes_its_untouched_engagement(small_app: Application) -> None:
    item = first(small_app)
    made = small_app.review.decide(*item.pair, ACCEPT)
    (engagement,) = engagements(small_app)
    small_app.as_person(WANG).review.undo(made.decision_id)
    assert engagements(small_app) == ()
    assert item.pair in pairs(small_app.review.queue())
    key = f"{item.need.need_id}|{item.expert.expert_id}"
    event = events(small_app, "pair", key)[-1]
    assert (event.actor, event.action) == ("wang", "pair.undo")
    assert event.detail == {"was": "接受", "engagement": engagement.engagement_id}
    cancelled = events(small_app, "engagement", engagement.engagement_id)[-1]
    assert (cancelled.action, cancelled.detail) == ("engagement.cancel", {})


def _step(stored: Repositories, engagement: Engagement) -> None:
    stored.engagements.update(replace(engagement, stage=Stage.CONTACT.value), engagement.version)


def _contact(stored: Repositories, engagement: Engagement) -> None:
    stored.audit.add("wang", "engagement.contact", "engagement", engagement.engagement_id, {"text": "电话"})


def _attach(stored: Repositories, engagement: Engagement) -> None:
    stored.attachments.add(engagement.engagement_id, "协议.pdf", b"%PDF", "0" * 64, "wang")


def _owner(stored: Repositories, engagement: Engagement) -> None:
    stored.engagements.update(replace(engagement, owner="li"), engagement.version)


@pytest.mark.parametrize("touch", [_step, _contact, _attach, _owner])
def test_an_engagement_somebody_worked_on_is_not_undone(
    small_app: Application, touch: Callable[[Repositories, Engagement], None]
) -> None:
    item = first(small_app)
    made = small_app.review.decide(*item.pair, ACCEPT)
    (engagement,) = engagements(small_app)
    write(small_app, lambda stored: touch(stored, engagement))
    with pytest.raises(InputError, match="已经开始办理") as refused:
        small_app.review.undo(made.decision_id)
    assert "对接跟踪" in refused.value.hint
    assert len(engagements(small_app)) == 1
    assert decisions(small_app)[item.pair] == made


def test_only_the_decision_that_counts_can_be_undone_and_only_once(small_app: Application) -> None:
    item = first(small_app)
    old = small_app.review.decide(*item.pair, SHELVE, reason=DecisionReason.WAIT)
    new = small_app.review.decide(*item.pair, REJECT, reason=REASON, seen=old.decision_id)
    with pytest.raises(ConflictError):
        small_app.review.undo(old.decision_id)
    small_app.review.undo(new.decision_id)
    with pytest.raises(ConflictError):
        small_app.review.undo(new.decision_id)
    assert small_app.review.decided() == ()


# ---------------------------------------------------------------- by hand, and why not


def test_any_two_can_be_paired_by_hand_with_their_own_match(small_app: Application) -> None:
    need_id = first(small_app).need.need_id
    low = small_app.matching.for_need(need_id, top=50).pairs[-1]
    small_app.review.decide(need_id, low.match.expert_id, REJECT, reason=REASON)
    made = small_app.as_person(WANG).review.pair(need_id, low.match.expert_id, "企业点名要这个团队")
    with small_app.database.reading() as session:
        run = Repositories(session).runs.get(made.run_id)
    assert run is not None
    own = next(match for match in run.matches if match.expert_id == low.match.expert_id)
    assert (own.rank, own.score) == (low.match.rank, low.match.score)
    with pytest.raises(ConflictError, match="已经在对接"):
        small_app.review.pair(need_id, low.match.expert_id, "")
    assert len(engagements(small_app)) == 1


def test_why_not_knows_decisions_engagements_and_weak_pairs(small_app: Application) -> None:
    one, two = small_app.review.queue().items[:2]
    assert small_app.review.why_not(*one.pair).kind == "已列出"
    small_app.review.decide(*one.pair, ACCEPT)
    assert small_app.review.why_not(*one.pair).kind == "已在对接"
    small_app.review.decide(*two.pair, REJECT, reason=REASON)
    told = small_app.review.why_not(*two.pair)
    assert told.kind == "已审核"
    assert "不合适" in told.message
    low = small_app.matching.for_need(one.need.need_id, top=50).pairs[-1].match
    weak = small_app.review.why_not(one.need.need_id, low.expert_id)
    assert weak.kind == "关联较弱"
    assert f"第 {low.rank} 位" in weak.message


# ---------------------------------------------------------------- permission


@pytest.mark.parametrize("person", [FIRM, TEAM])
def test_firms_and_teams_are_refused_everything_and_the_refusal_is_audited(
    small_app: Application, person: Person
) -> None:
    item = first(small_app)
    review = small_app.as_person(person).review
    preview = small_app.review.preview(seen_pairs(item), ACCEPT)
    calls: list[Callable[[], object]] = [
        review.queue,
        review.decided,
        lambda: review.decide(*item.pair, ACCEPT, run=item.run),
        lambda: review.pair(*item.pair),
        lambda: review.preview(seen_pairs(item), ACCEPT),
        lambda: review.confirm(preview),
        lambda: review.undo(1),
        lambda: review.why_not(*item.pair),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            call()
    assert (decisions(small_app), engagements(small_app)) == ({}, ())
    with small_app.database.reading() as session:
        refused = Repositories(session).audit.of("permission")
    assert [event.actor for event in refused] == [person.login] * len(calls)
