"""年度目标: the dashboard, the lists behind its numbers, and the recount from the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.models import Cooperation, Need, Person
from matcher.services.bootstrap import Application, open_application
from matcher.services.recount import recount
from matcher.services.year_groups import CONTRACTS, NEEDS, NO_NAME, PAIRS, Number
from matcher.store.entries import AuditEvent
from matcher.store.repositories import Repositories
from matcher.vocab import ContractKind, CooperationKind, DecisionKind, DecisionReason, EndReason, Role, Stage

ZHAO = Person("zhao", "赵科员", Role.OFFICIAL)
YEAR = 2026


class Clock:
    """The present is ours; every question is a second later."""

    def __init__(self) -> None:
        self.now = datetime(YEAR, 3, 2, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(small_app: Application, clock: Clock) -> Iterator[Application]:
    """The small copy without its 台账, with five needs of this year, seen by an official, with a clock of ours."""
    with open_application(small_app.settings, clock) as app:
        with app.database.session() as session:
            stored = Repositories(session, clock)
            stored.cooperation.delete(stored.cooperation.ids())
            stored.needs.delete(stored.needs.ids())
            stored.needs.upsert(
                Need(f"N{n}", f"企业{n}", f"题目{n}", "轴承磨得快", status="已发布", sector="汽车机电", town=f"镇{n % 2}",
                     posted_on=date(YEAR, 2, n), firm_id=f"F{n}")
                for n in range(1, 6)
            )  # fmt: skip
        yield app.as_person(ZHAO)


def begin(app: Application, need_id: str, team: int = 0) -> str:
    expert_id = app.records.experts()[team].expert_id
    app.review.pair(need_id, expert_id)
    rows = app.following.list()
    return next(
        r.engagement.engagement_id
        for r in rows
        if (r.engagement.need_id, r.engagement.expert_id) == (need_id, expert_id)
    )


def move(app: Application, key: str, *stages: Stage, reason: str = "", contract_no: str = "") -> None:
    for stage in stages:
        version = app.following.open(key).engagement.version
        today = app.clock().date()
        if stage is Stage.SIGNED:
            app.following.move(
                key, stage, version, on=today, contract_kind=ContractKind.SERVICE, contract_no=contract_no
            )
        elif stage is Stage.LANDED:
            app.following.move(key, stage, version, on=today)
        else:
            app.following.move(key, stage, version, reason=reason)


def funnel(app: Application) -> list[float]:
    return [step.number.value for step in app.year.dashboard(YEAR).funnel]


def test_every_number_opens_exactly_what_it_counts(desk: Application) -> None:
    signed, talking = begin(desk, "N1"), begin(desk, "N2")
    move(desk, signed, Stage.CONTACT, Stage.TALKS, Stage.SIGNED, Stage.LANDED)
    move(desk, talking, Stage.CONTACT, Stage.TALKS)
    board = desk.year.dashboard()
    assert (board.year, board.signed.ids, board.landed.ids) == (YEAR, (signed,), (signed,))
    assert (board.closest.ids, board.under_way.ids) == ((talking,), (talking,))
    assert [number.value for number in board.by_month] == [0, 0, 1, *[0] * 9]
    assert funnel(desk) == [5, 5, 2, 2, 2, 1, 1]
    assert board.funnel[4].of_first == 0.4
    assert board.funnel[5].of_before == 0.5
    for number in (board.signed, board.closest, *(step.number for step in board.funnel)):
        assert len(desk.year.rows(number.kind, number.ids).rows) == number.value == len(set(number.ids))
    assert desk.year.labels(CONTRACTS, board.signed.ids)[0][0] == signed
    assert desk.year.labels(NEEDS, board.funnel[0].number.ids)[0] == ("N1", "企业1：题目1")


def test_the_same_contract_counts_once_with_the_ledger(desk: Application, clock: Clock) -> None:
    key = begin(desk, "N1")
    move(desk, key, Stage.CONTACT, Stage.TALKS, Stage.SIGNED, contract_no="HT-1")
    one = desk.following.open(key).engagement
    with desk.database.session() as session:
        Repositories(session, clock).cooperation.upsert(
            [
                Cooperation("C1", one.firm, one.institution, one.expert_id, "同一份", Stage.SIGNED, date(YEAR, 1, 9),
                            "ｈｔ-1 ", 1.0, CooperationKind.COOPERATION),
                Cooperation("C2", "别家", "别校", "", "另一份", Stage.ENDED, date(YEAR - 1, 5, 9), "", 1.0,
                            CooperationKind.COOPERATION),
            ]
        )  # fmt: skip
    board, counted = desk.year.dashboard(YEAR), desk.year.recounted(YEAR)
    assert board.signed.ids == ("C1",)
    assert [n.value for n in board.by_month] == list(counted.by_month) == [1, *[0] * 11]
    assert (board.total.value, board.total_ended.ids) == (2, ("C2",))
    past = desk.year.dashboard(YEAR - 1)
    assert (past.signed.ids, past.ended.ids, past.expected) == (("C2",), ("C2",), 20)
    assert desk.year.dashboard(YEAR + 1).expected == 0
    assert desk.year.differences(YEAR) == desk.year.differences(YEAR - 1) == ()
    assert set(desk.year.years()) >= {2024, 2025, 2026}


def test_what_was_taken_back_counts_nowhere(desk: Application) -> None:
    expert = desk.records.experts()[0].expert_id
    decision = desk.review.pair("N1", expert)
    assert funnel(desk)[2] == 1
    desk.review.undo(decision.decision_id)
    assert funnel(desk) == [5, 5, 0, 0, 0, 0, 0]
    assert desk.year.dashboard(YEAR).under_way.ids == ()
    key = begin(desk, "N2")
    move(desk, key, Stage.CONTACT, Stage.TALKS, Stage.SIGNED)
    move(desk, key, Stage.TALKS, reason="登记错了")
    assert desk.year.dashboard(YEAR).signed.value == desk.year.recounted(YEAR).signed == 0
    assert funnel(desk) == [5, 5, 1, 1, 1, 0, 0]
    move(desk, key, Stage.ENDED, reason=EndReason.PRICE)
    assert funnel(desk) == [5, 5, 1, 1, 1, 0, 0], "what ended still counts where it had come to"
    assert desk.year.differences(YEAR) == ()


def test_refusals_are_counted_with_their_lists(desk: Application) -> None:
    key = begin(desk, "N1")
    move(desk, key, Stage.CONTACT)
    move(desk, key, Stage.ENDED, reason=EndReason.TEAM_BUSY)
    expert = desk.records.experts()[1].expert_id
    desk.review.decide("N2", expert, DecisionKind.REJECT, reason=DecisionReason.TOPIC, note="方向差得远")
    board, counted = desk.year.dashboard(YEAR), desk.year.recounted(YEAR)
    assert board.end_reasons == ((EndReason.TEAM_BUSY, Number(1, (key,))),)
    assert board.reject_reasons == ((DecisionReason.TOPIC, Number(1, (f"N2|{expert}",), PAIRS)),)
    assert counted.end_reasons == ((EndReason.TEAM_BUSY, 1),)
    assert counted.reject_reasons == ((DecisionReason.TOPIC, 1),)
    (row,) = desk.year.rows(PAIRS, [f"N2|{expert}"]).rows
    assert {"N2", "题目2", "不合适", "方向不符", "方向差得远"} <= set(row)
    assert desk.year.dashboard(YEAR - 1).reject_reasons == ()


def test_days_are_the_median_of_stays_that_ended(desk: Application, clock: Clock) -> None:
    keys = [begin(desk, f"N{n}") for n in (1, 2, 3)]
    for key, days in zip(keys, (2, 3, 6), strict=True):
        clock.pass_days(days)
        move(desk, key, Stage.CONTACT)
    (proposed,) = desk.year.dashboard(YEAR).stage_days
    assert (proposed.stage, proposed.number.value) == (Stage.PROPOSED, 5)  # 2, 2 + 3, 2 + 3 + 6
    assert set(proposed.number.ids) == set(keys)


def test_groups_come_from_the_need_else_from_the_firm(desk: Application, clock: Clock) -> None:
    key = begin(desk, "N1")
    with desk.database.session() as session:
        Repositories(session, clock).cooperation.upsert(
            [
                Cooperation(
                    "C1", "谁也不认识", "某校", signed_on=date(YEAR, 1, 9), kind=CooperationKind.COOPERATION
                )
            ]
        )
    board = desk.year.dashboard(YEAR)
    assert [(s.label, s.signed.ids, s.under_way.ids) for s in board.sectors] == [
        ("汽车机电", (), (key,)),
        (NO_NAME, ("C1",), ()),
    ]
    assert [s.label for s in board.towns] == ["镇1", NO_NAME]
    institution = desk.following.open(key).engagement.institution
    assert board.cells["汽车机电", institution].under_way.ids == (key,)
    for shares in (board.sectors, board.institutions, board.towns, board.rings, board.cells.values()):
        assert sum(share.signed.value for share in shares) == board.signed.value
        assert sum(share.under_way.value for share in shares) == board.under_way.value


def test_needs_are_of_the_year_they_came_in(desk: Application, clock: Clock) -> None:
    with desk.database.session() as session:
        stored = Repositories(session, clock)
        stored.needs.upsert(
            [
                Need("N8", "企业8", "旧题", "问题", status="已发布", posted_on=date(YEAR - 1, 12, 31)),
                Need("N9", "企业9", "没有日期", "问题", status="待受理"),
                Need("N7", "企业7", "草稿", "问题", status="草稿", posted_on=date(YEAR, 1, 1)),
            ]
        )
    board = desk.year.dashboard(YEAR)
    assert board.funnel[0].number.value == 5
    assert board.undated.ids == ("N9",)
    assert desk.year.dashboard(YEAR - 1).funnel[0].number.ids == ("N8",)


def test_a_signing_past_the_log_is_named(desk: Application, clock: Clock) -> None:
    key = begin(desk, "N1")
    assert desk.year.differences(YEAR) == ()
    with desk.database.session() as session:
        stored = Repositories(session, clock)
        one = stored.engagements.get(key)
        assert one is not None
        stored.engagements.update(replace(one, stage=Stage.SIGNED, signed_on=date(YEAR, 3, 3)), one.version)
    assert desk.year.differences(YEAR)[0] == f"{YEAR} 年签约：数据里是 1，按操作记录重算是 0"


def test_dropping_the_samples_is_no_difference(small_app: Application) -> None:
    app = small_app
    need = next(n for n in app.records.needs() if n.status == "已发布" and n.is_sample)
    app.review.pair(need.need_id, app.records.experts()[0].expert_id)
    (row,) = app.following.list()
    key = row.engagement.engagement_id
    move(app, key, Stage.CONTACT)
    move(app, key, Stage.ENDED, reason=EndReason.OTHER)
    year = app.year.dashboard().year
    assert app.year.recounted(year).end_reasons == ((EndReason.OTHER, 1),)
    app.records.drop_samples()
    assert app.year.dashboard(year).end_reasons == ()
    assert app.year.differences(year) == ()


def test_an_engagement_of_records_that_became_own_outlives_the_samples(small_app: Application) -> None:
    app = small_app
    need = next(n for n in app.records.needs() if n.status == "已发布" and n.is_sample)
    expert = app.records.experts()[0]
    for expert_id in (expert.expert_id, app.records.experts()[1].expert_id):
        app.review.pair(need.need_id, expert_id)
    with app.database.session() as session:
        stored = Repositories(session, app.clock)
        stored.needs.upsert([replace(need, data_kind="本地")])
        stored.experts.upsert([replace(expert, data_kind="本地")])
    deleted = app.records.drop_samples()
    assert deleted["示例对接"] == 1
    (row,) = app.following.list()
    assert (row.engagement.expert_id, row.engagement.data_kind) == (expert.expert_id, "本地")
    assert "数据性质由“示例”改为“本地”" in app.following.open(row.engagement.engagement_id).timeline[0].text
    assert app.year.differences(app.year.dashboard().year) == ()


def test_a_ledger_exported_and_imported_again_is_no_difference(desk: Application, clock: Clock) -> None:
    key = begin(desk, "N1")
    move(desk, key, Stage.CONTACT, Stage.TALKS, Stage.SIGNED)
    data = desk.exports.cooperation_rows(desk.records.cooperation(), ".csv")
    desk.imports.confirm(desk.imports.preview("cooperation", data, "台账.csv"))
    one = desk.following.open(key).engagement
    desk.following.edit(key, one.version, contract_no="HT-77")
    assert (desk.year.dashboard(YEAR).signed.value, desk.year.differences(YEAR)) == (1, ())
    move(desk, key, Stage.TALKS, reason="登记错了")
    assert (desk.year.dashboard(YEAR).signed.value, desk.year.differences(YEAR)) == (0, ())


def test_a_file_of_a_list_is_audited(desk: Application) -> None:
    begin(desk, "N1")
    board = desk.year.dashboard(YEAR)
    data = desk.year.file("收集的需求", NEEDS, board.funnel[0].number.ids, "csv").decode("utf-8-sig")
    assert data.count("题目") == 5
    with desk.database.reading() as session:
        event = Repositories(session).audit.latest(1)[0]
    assert (event.actor, event.action, event.object_kind) == ("zhao", "export", "year")
    assert event.detail["rows"] == 5
    with pytest.raises(ValueError, match="unknown kind"):
        desk.year.rows("people", ())


def test_the_number_of_queries_does_not_grow(desk: Application, count_queries: Callable[..., int]) -> None:
    begin(desk, "N1")
    few = count_queries(desk, desk.year.dashboard)
    for n in range(2, 6):
        for team in range(3):
            begin(desk, f"N{n}", team)
    assert count_queries(desk, desk.year.dashboard) <= few


@pytest.fixture
def count_queries() -> Callable[..., int]:
    from sqlalchemy import Engine, event

    def counted(app: Application, call: Callable[[], object]) -> int:
        app.engine.records()
        seen: list[str] = []

        def note(*args: object) -> None:
            seen.append(str(args[2]))

        event.listen(Engine, "before_cursor_execute", note)
        try:
            call()
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        return sum(statement.lstrip().upper().startswith("SELECT") for statement in seen)

    return counted


# ------------------------------------------------------------ the recount alone


def events_of(*told: tuple[str, str, dict[str, object]]) -> list[AuditEvent]:
    kinds = {"need": "need", "pair": "pair", "engagement": "engagement"}
    start = datetime(YEAR, 1, 1, tzinfo=UTC)
    return [
        AuditEvent(n, start + timedelta(days=n), "zhao", action, kinds[action.split(".")[0]], key, detail)
        for n, (action, key, detail) in enumerate(told, 1)
    ]


STORY = events_of(
    ("need.post", "N1", {"to": "待受理"}),
    ("need.step", "N1", {"from": "待受理", "to": "已发布", "why": ""}),
    ("pair.decide", "N1|E1", {"kind": "接受", "reason": "", "engagement": "G1"}),
    ("engagement.begin", "G1", {"need": "N1", "expert": "E1", "owner": "zhao", "to": "已推荐"}),
    ("engagement.step", "G1", {"from": "已推荐", "to": "对接中", "why": ""}),
    ("engagement.step", "G1", {"from": "对接中", "to": "洽谈", "why": ""}),
    ("engagement.step", "G1", {"from": "洽谈", "to": "签约", "signed_on": "2026-05-01", "contract_no": ""}),
    ("engagement.edit", "G1", {"changes": {"contract_no": ["", "HT-9"]}}),
    ("engagement.begin", "G2", {"need": "N1", "expert": "E2", "owner": "zhao", "to": "已推荐"}),
    ("engagement.cancel", "G2", {}),
    ("pair.decide", "N1|E3", {"kind": "不合适", "reason": "方向不符"}),
    ("pair.undo", "N1|E3", {"was": "不合适", "engagement": ""}),
)


def test_a_contract_number_written_later_joins_the_ledger() -> None:
    row = Cooperation(
        "C1", "甲", "乙", signed_on=date(YEAR, 4, 1), contract_no=" ht-9", kind=CooperationKind.COOPERATION
    )
    alone, both = recount(STORY, [], YEAR), recount(STORY, [row], YEAR)
    assert alone.by_month.index(1) == 4
    assert both.signed == alone.signed == 1
    assert both.by_month.index(1) == 3
    assert [n for _, n in alone.funnel] == [1, 1, 1, 1, 1, 1, 0]
    assert alone.reject_reasons == ()
    assert recount(STORY, [], YEAR - 1).signed == 0


@given(st.permutations(STORY))
def test_the_order_events_are_handed_in_does_not_matter(told: list[AuditEvent]) -> None:
    assert recount(told, [], YEAR) == recount(STORY, [], YEAR)


def test_the_recount_shares_no_rule_with_the_dashboard() -> None:
    text = Path(recount.__code__.co_filename).read_text(encoding="utf-8")
    imports = [line for line in text.splitlines() if line.startswith("from matcher")]
    assert {line.split()[1] for line in imports} == {
        "matcher.models",
        "matcher.store.entries",
        "matcher.vocab",
    }
