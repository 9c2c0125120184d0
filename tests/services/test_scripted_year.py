"""A year of a bureau, played through the services: 12 firms, 60 needs, two officials at once, every stage, every refusal.

Dashboard, first page, exports and a recount straight from the event log must agree to the last number, on both
databases. The clock is ours; the ranking runs on words and thesaurus.
"""

from __future__ import annotations

import csv
import io
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from matcher.config import ROOT, EncoderSettings, Settings
from matcher.errors import ConflictError, InputError, MatcherError
from matcher.models import Cooperation, Engagement, Expert, Institution, Person
from matcher.services.bootstrap import Application, open_application
from matcher.services.ownership import link_records
from matcher.services.recount import recount
from matcher.store.repositories import Repositories
from matcher.vocab import ContractKind, CooperationKind, DecisionKind, DecisionReason, EndReason, Role, Stage

YEAR = 2026
N_FIRMS, N_NEEDS, N_SIGNED, N_IMPORTED = 12, 60, 17, 3
ZHAO, QIAN = Person("zhao", "赵科员", Role.OFFICIAL), Person("qian", "钱科员", Role.OFFICIAL)
PROBLEMS = (
    "轴承用三个月就发响，换过两种油也没有用，一年停机六次",
    "海参苗一到高温就化皮，成活率不到四成，试过换水不管用",
    "相机看不清铝件上的细划痕，漏检率 5%，客户退货",
    "西洋参烘干后颜色发暗，有效成分流失两成，试过降温",
    "草莓棚里湿度下不来，灰霉病年年发，打药也压不住",
)


class Clock:
    """A day passes when the script says so; every question is a second later."""

    def __init__(self) -> None:
        self._now = datetime(YEAR, 1, 5, 1, tzinfo=UTC)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self._now += timedelta(milliseconds=10)
            return self._now

    def to(self, day: date) -> None:
        with self._lock:
            self._now = max(self._now, datetime(day.year, day.month, day.day, 1, tzinfo=UTC))


@dataclass
class Story:
    """What the script did, counted by the script itself."""

    published: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    decisions: Counter[str] = field(default_factory=Counter)
    reached: dict[str, set[str]] = field(default_factory=dict)
    signed: dict[str, date] = field(default_factory=dict)
    landed: set[str] = field(default_factory=set)
    ended_after_signing: set[str] = field(default_factory=set)
    refusals: Counter[str] = field(default_factory=Counter)

    def reach(self, engagement: Engagement) -> None:
        self.reached.setdefault(engagement.stage, set()).add(engagement.engagement_id)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(any_database_url: str, tmp_path: Path, clock: Clock) -> Any:
    settings = Settings(tmp_path, any_database_url, ROOT / "data", EncoderSettings("none"))
    with open_application(settings, clock, samples=False) as opened:
        yield opened


def _found(app: Application, clock: Clock) -> None:
    """The registers, the teams, and last year's 台账."""
    schools = [
        Institution(f"I{n}", f"示例大学{n}", ring=("区内", "周边区域", "全国", "全国")[n]) for n in range(4)
    ]
    fields = (
        "摩擦磨损与自润滑涂层",
        "海参苗种繁育与病害防控",
        "机器视觉表面缺陷检测",
        "药材干燥与品质保持",
        "设施果蔬病害绿色防控",
    )
    teams = [
        Expert(
            f"E{n:02}", f"{fields[n % 5][:4]}示例团队{n:02}", schools[n % 4].name, ring=schools[n % 4].ring,
            research_directions=(fields[n % 5], fields[(n + n // 5) % 5]), capacity=60, updated_on=date(YEAR, 1, 1),
        )
        for n in range(20)
    ]  # fmt: skip
    past = [
        Cooperation(
            f"C{n}", f"示例企业{n:02}", "示例大学1", "E01", "老项目", Stage.SIGNED, date(YEAR, 1, n + 2), f"OLD-{n}",
            10.0, CooperationKind.COOPERATION,
        )
        for n in range(N_IMPORTED)
    ]  # fmt: skip
    with app.database.session() as session:
        stored = Repositories(session, clock)
        stored.institutions.upsert(schools)
        stored.experts.upsert(teams)
        stored.cooperation.upsert(past)
        link_records(stored)


def _post(app: Application, firm: Person, number: int) -> str:
    posting = app.as_person(firm).posting
    draft = posting.start()
    for name, value in (
        ("title", f"{PROBLEMS[number % 5][:12]}（第{number}题）"),
        ("situation", PROBLEMS[number % 5]),
        ("key_tech", f"合格率达到 {90 + number % 10}%"),
        ("budget_wan", str(10 + number)),
        ("confidentiality", ("公开", "仅平台", "保密")[number % 3]),
    ):
        draft = posting.save(draft.draft_id, name, value, draft.version)
    return posting.submit(draft.draft_id, draft.version).need_id


def _version(app: Application, need_id: str) -> int:
    with app.database.reading() as session:
        return Repositories(session).needs.version(need_id)


def _pose(app: Application, clock: Clock, story: Story) -> list[str]:
    """60 needs by 12 firms; some are sent back and come again, some are withdrawn."""
    firms = [
        Person(f"firm{n:02}", firm.name, Role.FIRM, firm_id=firm.firm_id)
        for n in range(N_FIRMS)
        for firm in [
            app.as_person(ZHAO).posting.register_firm(f"示例企业{n:02}", f"示例镇{n % 4}", "汽车机电")
        ]
    ]
    ids = []
    for number in range(N_NEEDS):
        clock.to(date(YEAR, 1, 6) + timedelta(days=number * 3))
        firm, official = firms[number % N_FIRMS], (ZHAO, QIAN)[number % 2]
        need_id = _post(app, firm, number)
        ids.append(need_id)
        desk = app.as_person(official).posting
        if number % 7 == 0:
            desk.move(need_id, "退回补充", _version(app, need_id), "请补充检测方法")
            own = app.as_person(firm).posting
            draft = own.start(need_id=need_id)
            draft = own.save(draft.draft_id, "goal", "半年内达到", draft.version)
            own.submit(draft.draft_id, draft.version)
        if number % 20 == 19:
            app.as_person(firm).posting.move(need_id, "撤回", _version(app, need_id), "企业自行解决")
            story.withdrawn.add(need_id)
            continue
        desk.move(need_id, "已发布", _version(app, need_id))
        story.published.add(need_id)
    return ids


def _review(app: Application, story: Story) -> None:
    """Two officials clear the same queue at once; who comes second is told and goes on."""
    made: list[tuple[str, str, str]] = []

    def clear(person: Person, turn: int) -> None:
        desk = app.as_person(person).review
        for _ in range(40):
            items = desk.queue(per_need=2, limit=6).items
            if not items or len(made) > 130:
                return
            for n, item in enumerate(items):
                kind = (DecisionKind.ACCEPT, DecisionKind.REJECT, DecisionKind.SHELVE)[(n + turn) % 3]
                reason = "" if kind is DecisionKind.ACCEPT else tuple(DecisionReason)[(n + turn) % 10]
                pair = item.need.need_id, item.expert.expert_id
                try:
                    desk.decide(*pair, kind, reason=reason, seen=item.seen)
                except ConflictError:
                    continue
                made.append((*pair, kind))

    with ThreadPoolExecutor(2) as desks:
        for desk in [desks.submit(clear, person, turn) for turn, person in enumerate((ZHAO, QIAN))]:
            desk.result(timeout=240)
    assert len(made) > 20
    assert len({(need, expert) for need, expert, _ in made}) == len(made), "each pairing was decided once"
    story.decisions.update(kind for _, _, kind in made)
    taken = {row.engagement.need_id for row in app.following.list()}
    by_hand = app.as_person(QIAN).review
    for number, need_id in enumerate(sorted(story.published - taken)[:25]):
        decided = {expert_id for need, expert_id, _ in made if need == need_id}
        expert_id = next(
            f"E{n % 20:02}" for n in range(number, number + 20) if f"E{n % 20:02}" not in decided
        )
        by_hand.pair(need_id, expert_id, "走访时企业提出")
        story.decisions[DecisionKind.ACCEPT] += 1


def _follow(app: Application, clock: Clock, story: Story) -> None:
    """Every accepted pairing goes its way; 17 are signed, every reason to end occurs."""
    following = {person.login: app.as_person(person).following for person in (ZHAO, QIAN)}
    engagements = sorted(
        (row.engagement for row in following["zhao"].list()),
        key=lambda one: (one.created_at, one.engagement_id),
    )
    assert len(engagements) == story.decisions[DecisionKind.ACCEPT]
    assert len(engagements) >= N_SIGNED + len(EndReason) + 2
    reasons = list(EndReason)
    for number, begun in enumerate(engagements):
        engagement, desk = begun, following[begun.owner]
        story.reach(engagement)
        clock.to(date(YEAR, 7, 6) + timedelta(days=number * 2))
        today = clock().date()
        engagement = desk.contact(engagement.engagement_id, today, "电话", "约了见面时间")
        if number >= N_SIGNED + len(reasons):
            continue  # still 已推荐 at the end of the year
        engagement = desk.move(engagement.engagement_id, Stage.CONTACT, engagement.version)
        story.reach(engagement)
        engagement = desk.edit(
            engagement.engagement_id, engagement.version, next_action="发报价", due_on=today
        )
        if number < N_SIGNED or number % 2:
            engagement = desk.move(engagement.engagement_id, Stage.TALKS, engagement.version)
            story.reach(engagement)
        if number >= N_SIGNED:
            reason = reasons[number - N_SIGNED]
            with pytest.raises(InputError):
                desk.move(engagement.engagement_id, Stage.ENDED, engagement.version, reason="不想谈了")
            engagement = desk.move(engagement.engagement_id, Stage.ENDED, engagement.version, reason=reason)
            story.refusals[reason] += 1
            story.reach(engagement)
            continue
        _sign(desk, engagement, number, today, story)


def _sign(desk: Any, engagement: Engagement, number: int, today: date, story: Story) -> None:
    key, kind = engagement.engagement_id, tuple(ContractKind)[number % 5]
    signing = {
        "on": today,
        "contract_kind": kind,
        "contract_no": f"HT-{number:03}",
        "signed_wan": 20.0 + number,
    }
    with pytest.raises(InputError):
        desk.move(key, Stage.SIGNED, engagement.version, **{**signing, "on": today + timedelta(days=30)})
    engagement = desk.move(key, Stage.SIGNED, engagement.version, **signing)
    if number == 0:  # registered by mistake, taken back, and signed again
        engagement = desk.move(key, Stage.TALKS, engagement.version, reason="登记错了合同")
        assert engagement.signed_on is None
        engagement = desk.move(key, Stage.SIGNED, engagement.version, **signing)
    if number == 3:  # typed a month late, put right afterwards
        right = today.replace(day=1) - timedelta(days=1)
        engagement = desk.edit(key, engagement.version, signed_on=right)
    story.signed[key] = engagement.signed_on or today
    story.reach(engagement)
    if number % 4 == 1:
        engagement = desk.move(key, Stage.LANDED, engagement.version, on=today)
        story.landed.add(key)
        story.reach(engagement)
    if number == 2:
        engagement = desk.move(key, Stage.ENDED, engagement.version, reason=EndReason.RIGHTS)
        story.ended_after_signing.add(key)
        story.refusals[EndReason.RIGHTS] += 1
        story.reach(engagement)


def _undo(app: Application, story: Story) -> None:
    """An acceptance is taken back: its 对接 goes, and counts nowhere."""
    desk = app.as_person(ZHAO).review
    item = desk.queue(per_need=3, limit=1).items[0]
    decision = desk.decide(item.need.need_id, item.expert.expert_id, DecisionKind.ACCEPT, seen=item.seen)
    before = len(app.following.list())
    desk.undo(decision.decision_id)
    assert len(app.following.list()) == before - 1


def _read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_a_year_agrees_with_its_own_log(app: Application, clock: Clock) -> None:
    story = Story()
    _found(app, clock)
    need_ids = _pose(app, clock, story)
    assert len(need_ids) == len(set(need_ids)) == N_NEEDS
    clock.to(date(YEAR, 7, 5))
    _review(app, story)
    _follow(app, clock, story)
    _undo(app, story)
    app.as_person(ZHAO).following.hand_over("qian", "zhao")
    clock.to(date(YEAR, 12, 30))

    with app.database.reading() as session:
        stored = Repositories(session)
        kinds = ("need", "pair", "engagement")
        events = sorted(
            (e for kind in kinds for e in stored.audit.of(kind)), key=lambda event: event.event_id
        )
        imported = stored.cooperation.all()

    counted = recount(events, imported, YEAR)
    board = app.year.dashboard(YEAR)
    summary = app.overview.summary()

    # signed: the script, the first page, the dashboard, the recount
    assert len(story.signed) == N_SIGNED
    signed = N_SIGNED + N_IMPORTED
    assert signed == 20
    assert summary.year_signed == board.signed.value == counted.signed == signed
    by_month = [0] * 12
    for day in [*story.signed.values(), *(c.signed_on for c in imported if c.signed_on)]:
        by_month[day.month - 1] += 1
    assert (
        list(summary.signed_by_month)
        == [n.value for n in board.by_month]
        == list(counted.by_month)
        == by_month
    )
    assert summary.landed == board.landed.value == counted.landed == len(story.landed)
    assert summary.ended == board.ended.value == counted.ended == len(story.ended_after_signing)
    assert set(board.signed.ids) >= set(story.signed)

    # the funnel
    funnel = {step.label: step.number.value for step in board.funnel}
    assert funnel == dict(counted.funnel)
    numbers = list(funnel.values())
    assert numbers[:2] == [N_NEEDS, len(story.published)]
    assert sorted(numbers, reverse=True) == numbers, "no step has more needs than the one before"
    needs_of = {row.engagement.engagement_id: row.engagement.need_id for row in app.following.list()}
    assert numbers[-2] == len({needs_of[key] for key in story.signed})
    assert numbers[-1] == len({needs_of[key] for key in story.landed})

    # refusals
    assert (
        {name: n.value for name, n in board.end_reasons} == dict(counted.end_reasons) == dict(story.refusals)
    )
    assert set(story.refusals) == set(EndReason)
    rejected = sum(n.value for _, n in board.reject_reasons)
    assert rejected == sum(n for _, n in counted.reject_reasons) == story.decisions[DecisionKind.REJECT]

    # stages reached, by the script
    assert set(story.reached) == set(Stage)
    now = Counter(row.engagement.stage for row in app.following.list())
    assert now[Stage.LANDED] == len(story.landed)
    alive = [row.engagement for row in app.following.list() if row.engagement.stage != Stage.ENDED]
    assert {one.owner for one in alive} == {"zhao"}, "all open files were handed over"

    _check_exports(app, story, signed)


def _check_exports(app: Application, story: Story, signed: int) -> None:
    """The files hold what the pages say, and no 保密 need unless it was asked for."""
    for by in ("sector", "town", "institution", "firm"):
        rows = _read_csv(app.candidates.export(by, ".csv", with_confidential=True))
        pairs = [row for row in rows if row.get("需求编号")]
        assert len(pairs) == story.decisions[DecisionKind.ACCEPT], by
        statuses = Counter(row["对接状态"] for row in pairs)
        assert statuses[Stage.SIGNED] + statuses[Stage.LANDED] == N_SIGNED - len(story.ended_after_signing)
        assert {row["运行编号"] for row in pairs} != {""}
    open_rows = _read_csv(app.candidates.export("sector", ".csv"))
    hidden = {n.need_id for n in app.records.needs() if n.confidentiality == "保密"}
    assert not {row["需求编号"] for row in open_rows} & hidden
    signed_rows = [
        row
        for row in _read_csv(app.exports.records("cooperation", ".csv"))
        if row["签约日期"].startswith(str(YEAR))
    ]
    assert len(signed_rows) == signed


def test_the_recount_would_notice_a_difference(app: Application, clock: Clock) -> None:
    """A signing written past the services, without its event, is found by the comparison."""
    _found(app, clock)
    story = Story()
    app.as_person(ZHAO).posting.register_firm("示例企业00", "示例镇0", "汽车机电")
    firm = app.records.firms()[0]
    need_id = _post(app, Person("firm00", firm.name, Role.FIRM, firm_id=firm.firm_id), 0)
    app.as_person(ZHAO).posting.move(need_id, "已发布", _version(app, need_id))
    app.as_person(ZHAO).review.pair(need_id, "E00")
    story.published.add(need_id)
    with app.database.session() as session:
        stored = Repositories(session, clock)
        (one,) = stored.engagements.all()
        stored.engagements.update(replace(one, stage=Stage.SIGNED, signed_on=date(YEAR, 3, 1)), one.version)
        events = [e for kind in ("need", "pair", "engagement") for e in stored.audit.of(kind)]
        imported = stored.cooperation.all()

    assert app.year.dashboard(YEAR).signed.value == recount(events, imported, YEAR).signed + 1


def test_two_officials_on_one_record_lose_nothing(app: Application, clock: Clock) -> None:
    _found(app, clock)
    firm = app.as_person(ZHAO).posting.register_firm("示例企业00", "示例镇0", "汽车机电")
    need_id = _post(app, Person("firm00", firm.name, Role.FIRM, firm_id=firm.firm_id), 0)
    app.as_person(ZHAO).posting.move(need_id, "已发布", _version(app, need_id))
    app.as_person(ZHAO).review.pair(need_id, "E00")
    (row,) = app.following.list()
    first = app.as_person(ZHAO).following.edit(
        row.engagement.engagement_id, row.engagement.version, note="赵写的"
    )
    with pytest.raises(MatcherError) as refused:
        app.as_person(QIAN).following.edit(
            row.engagement.engagement_id, row.engagement.version, note="钱写的"
        )
    assert isinstance(refused.value, ConflictError)
    assert "赵写的" in refused.value.user_message
    assert app.following.open(first.engagement_id).engagement.note == "赵写的"
