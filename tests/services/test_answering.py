from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from matcher.errors import ConflictError, HiddenError, InputError, NotFoundError, PermissionDenied
from matcher.models import Cooperation, Expert, Need, Person
from matcher.ranking.eligibility import NeedFilter
from matcher.services.answering_rules import MAX_REPLY, PAGE_FIELDS
from matcher.services.bootstrap import Application
from matcher.store.entries import AuditEvent
from matcher.store.repositories import Repositories
from matcher.vocab import (
    Confidentiality,
    CooperationKind,
    DecisionKind,
    InterestState,
    NeedStatus,
    Role,
    Stage,
)
from matcher.workflow.permissions import HIDDEN_FIRM

WANG = Person("wang", "王科长", Role.OFFICIAL)
LI = Person("li", "李干事", Role.OFFICIAL)
ID_CARD = "11010519491231002X"
PAGE = {"approach": "先测磨损，再换涂层。", "foundation": "做过三家同类企业。"}


def write(app: Application, act: Callable[[Repositories], object]) -> None:
    with app.database.session() as session:
        act(Repositories(session, app.clock))


def events(app: Application, kind: str, object_id: str) -> tuple[AuditEvent, ...]:
    with app.database.reading() as session:
        return Repositories(session).audit.of(kind, object_id)


def change(app: Application, need_id: str, **fields: object) -> Need:
    made = replace(app.engine.records().need(need_id), **fields)  # type: ignore[arg-type]
    write(app, lambda stored: stored.needs.upsert([made]))
    return made


@pytest.fixture
def bureau(small_app: Application) -> Application:
    """Every need is published and 仅平台, so that teams see it and not its firm; N304 is 保密."""
    for need_id in ("N301", "N302", "N303"):
        change(
            small_app,
            need_id,
            status=NeedStatus.PUBLISHED.value,
            confidentiality=Confidentiality.PLATFORM.value,
        )
    change(
        small_app,
        "N304",
        status=NeedStatus.PUBLISHED.value,
        confidentiality=Confidentiality.CONFIDENTIAL.value,
    )
    return small_app.as_person(WANG)


@pytest.fixture
def expert(bureau: Application) -> Expert:
    return bureau.records.expert("E330")


@pytest.fixture
def team(bureau: Application, expert: Expert) -> Application:
    person = Person(
        "team", "团队", Role.TEAM, institution_id=expert.institution_id, expert_id=expert.expert_id
    )
    return bureau.as_person(person)


@pytest.fixture
def office(bureau: Application, expert: Expert) -> Application:
    """The office of the whole institution, which has two profiles here."""
    second = replace(
        bureau.records.expert("E331"), institution=expert.institution, institution_id=expert.institution_id
    )
    write(bureau, lambda stored: stored.experts.upsert([second]))
    return bureau.as_person(Person("office", "科研处", Role.TEAM, institution_id=expert.institution_id))


# ---------------------------------------------------------------- what a team is offered


def test_calls_are_the_open_needs_in_the_order_of_the_pair_scores(team: Application, expert: Expert) -> None:
    rows = team.answering.calls()
    wanted = NeedFilter(statuses=frozenset({NeedStatus.PUBLISHED.value}))
    ranked = team.matching.for_expert(expert.expert_id, filter=wanted, top=50).pairs
    assert [row.need.need_id for row in rows] == [pair.match.need_id for pair in ranked]
    assert [row.match.score for row in rows] == [pair.match.score for pair in ranked]
    assert {row.need.need_id for row in rows} == {"N301", "N302", "N303"}
    assert all(row.need.company == HIDDEN_FIRM and not row.need.contact for row in rows)
    assert all(row.match.practical == () for row in rows), "the history with a firm would name it"
    assert rows[0].interest is None


def test_an_office_sees_each_need_once_by_its_best_profile(office: Application) -> None:
    ids = [expert.expert_id for expert in office.answering.profiles()]
    assert {"E330", "E331"} <= set(ids)
    each = {(r.need.need_id, i): r.match.score for i in ids for r in office.answering.calls(i)}
    rows = office.answering.calls()
    assert len(rows) == len({row.need.need_id for row in rows}) == 3
    for row in rows:
        assert row.match.score == max(
            score for (need_id, _), score in each.items() if need_id == row.need.need_id
        )
        assert row.match.score == each[row.need.need_id, row.expert.expert_id]


def test_words_are_looked_for_in_what_the_team_may_read_only(bureau: Application, team: Application) -> None:
    need = bureau.records.need("N301")
    assert [row.need.need_id for row in team.answering.calls(text=need.title)] == ["N301"]
    assert team.answering.calls(text=need.company) == ()


def test_what_a_team_may_not_see_is_not_there(bureau: Application, team: Application) -> None:
    change(bureau, "N303", status=NeedStatus.WAITING.value)
    assert {row.need.need_id for row in team.answering.calls()} == {"N301", "N302"}
    for need_id in ("N303", "N304", "N999"):
        for act in (
            lambda i=need_id: team.answering.call(i),
            lambda i=need_id: team.answering.declare(i, "E330", **PAGE),
        ):
            with pytest.raises(NotFoundError) as refused:
                act()
            assert refused.value.user_message == f"没有编号为“{need_id}”的需求。"
    with pytest.raises(HiddenError):
        team.answering.calls("E101")
    with pytest.raises(HiddenError):
        team.answering.declare("N301", "E101", **PAGE)


def test_a_forbidden_pair_is_neither_listed_nor_taken(
    bureau: Application, team: Application, expert: Expert
) -> None:
    need = bureau.records.need("N301")
    row = Cooperation("C-x", need.company, expert.institution, kind=CooperationKind.CONFLICT.value)
    write(bureau, lambda stored: stored.cooperation.upsert([row]))
    assert "N301" not in {r.need.need_id for r in team.answering.calls()}
    with pytest.raises(InputError) as refused:
        team.answering.declare("N301", "E330", **PAGE)
    assert "回避" not in str(refused.value)
    assert need.company not in str(refused.value)


def test_days_left_and_a_full_team_are_told(bureau: Application, team: Application, expert: Expert) -> None:
    change(bureau, "N301", end_on=date(2026, 12, 5))
    change(bureau, "N302", end_on=date(2026, 11, 20))
    write(bureau, lambda stored: stored.experts.upsert([replace(expert, capacity=0)]))
    rows = {row.need.need_id: row for row in team.answering.calls()}
    assert rows["N301"].days_left == 10
    assert rows["N302"].days_left == -5
    assert "没有名额" in rows["N301"].warnings[0]
    assert "时限已经过了" in rows["N302"].warnings[1]
    assert team.answering.declare("N301", "E330", **PAGE).state == InterestState.SENT, (
        "a warning is no refusal"
    )


# ---------------------------------------------------------------- the one page


def test_an_answer_is_sent_changed_withdrawn_and_sent_again(team: Application) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    assert (sent.state, sent.sent_by, sent.foundation) == ("已提交", "team", "做过三家同类企业。")
    with pytest.raises(ConflictError):
        team.answering.declare("N301", "E330", **PAGE)
    assert team.answering.call("N301").interest == sent
    edited = team.answering.edit(sent.interest_id, 1, "换一种做法", plan="三个月")
    assert (edited.version, edited.plan, edited.foundation) == (2, "三个月", "")
    with pytest.raises(ConflictError) as lost:
        team.answering.edit(sent.interest_id, 1, "又一种")
    assert "换一种做法" in str(lost.value)
    assert team.answering.edit(sent.interest_id, 2, "换一种做法", plan="三个月").version == 2
    team.answering.withdraw(sent.interest_id, 2)
    with pytest.raises(InputError):
        team.answering.edit(sent.interest_id, 3, "再改")
    again = team.answering.declare("N301", "E330", **PAGE)
    assert team.answering.call("N301").interest == again
    assert [row.interest.state for row in team.answering.mine()].count("已提交") == 1
    assert [e.action for e in events(team, "interest", sent.interest_id)] == [
        "interest.send", "interest.edit", "interest.withdraw",
    ]  # fmt: skip
    (_, edit, _) = events(team, "interest", sent.interest_id)
    assert edit.detail == {"fields": ["approach", "foundation", "plan"]}


@pytest.mark.parametrize("field", PAGE_FIELDS, ids=lambda field: field.name)
def test_a_page_is_limited_and_takes_no_id_card(team: Application, field: object) -> None:
    name, limit = field.name, field.limit  # type: ignore[attr-defined]
    whole = {**PAGE, name: "字" * limit}
    for text, said in (("字" * (limit + 1), f"最多 {limit} 个字"), (f"身份证 {ID_CARD}", "身份证号")):
        with pytest.raises(InputError) as refused:
            team.answering.declare("N301", "E330", **{**PAGE, name: text})
        assert said in str(refused.value)
    assert getattr(team.answering.declare("N301", "E330", **whole), name) == "字" * limit


def test_the_idea_is_required(team: Application) -> None:
    with pytest.raises(InputError, match="技术思路"):
        team.answering.declare("N301", "E330", "  \n ")
    assert team.answering.mine() == ()


# ---------------------------------------------------------------- the bureau


def test_taking_an_answer_decides_and_begins_the_engagement(bureau: Application, team: Application) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    (row,) = bureau.answering.answers(state=InterestState.SENT.value)
    assert row.need is not None
    assert row.need.company != HIDDEN_FIRM
    taken = bureau.answering.settle(sent.interest_id, sent.version, True, "请下周来企业看一看。")
    assert (taken.state, taken.reply) == ("已采纳", "请下周来企业看一看。")
    (row,) = bureau.answering.answers(need_id="N301")
    assert row.engagement is not None
    assert (row.engagement.stage, row.engagement.owner) == (Stage.PROPOSED, "wang")
    (decided,) = events(bureau, "pair", "N301|E330")
    assert decided.action == "pair.decide"
    assert decided.detail["engagement"] == row.engagement.engagement_id
    assert set(decided.detail) == {"kind", "reason", "note", "run", "engagement"}
    assert bureau.review.decided(DecisionKind.ACCEPT)[0].decision.run_id == decided.detail["run"]
    settled = events(bureau, "interest", sent.interest_id)[-1]
    assert settled.detail == {
        "to": "已采纳",
        "reply": taken.reply,
        "engagement": row.engagement.engagement_id,
    }
    (own,) = team.answering.mine()
    assert own.engagement is not None
    assert own.interest.reply == taken.reply
    with pytest.raises(InputError, match="已采纳"):
        team.answering.withdraw(sent.interest_id, taken.version)


def test_declining_needs_a_sentence_and_the_team_may_answer_again(
    bureau: Application, team: Application
) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    for reply in ("", "字" * (MAX_REPLY + 1), ID_CARD):
        with pytest.raises(InputError):
            bureau.answering.settle(sent.interest_id, sent.version, False, reply)
    declined = bureau.answering.settle(sent.interest_id, sent.version, False, "企业已选定别的方案。")
    assert declined.state == "未采纳"
    assert bureau.following.list() == small_list(bureau)
    assert events(bureau, "pair", "N301|E330") == ()
    assert team.answering.declare("N301", "E330", **PAGE).state == "已提交"


def small_list(app: Application) -> tuple[object, ...]:
    return tuple(row for row in app.following.list() if row.engagement.need_id != "N301")


def test_the_second_official_is_told_who_settled(bureau: Application, team: Application) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    bureau.answering.settle(sent.interest_id, sent.version, True)
    with pytest.raises(ConflictError, match="wang已经答复"):
        bureau.as_person(LI).answering.settle(sent.interest_id, sent.version, False, "不合适。")


def test_a_changed_answer_is_not_taken_unread(bureau: Application, team: Application) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    team.answering.edit(sent.interest_id, 1, "全新的做法")
    with pytest.raises(ConflictError, match="刚刚改过"):
        bureau.answering.settle(sent.interest_id, 1, True)
    assert small_list(bureau) == bureau.following.list()


def test_a_failed_beginning_leaves_the_answer_open(bureau: Application, team: Application) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    change(bureau, "N301", status=NeedStatus.SOLVED.value)
    with pytest.raises(InputError):
        bureau.answering.settle(sent.interest_id, 1, True)
    (row,) = bureau.answering.answers()
    assert (row.interest.state, row.interest.version) == ("已提交", 1)
    assert [e.action for e in events(bureau, "interest", sent.interest_id)] == ["interest.send"]
    (own,) = team.answering.mine()
    assert own.need is None, "no longer shown to teams"


def test_two_officials_at_once_begin_one_engagement(bureau: Application, team: Application) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    said: list[str] = []
    gate = threading.Barrier(2)

    def settle(app: Application) -> None:
        gate.wait()
        try:
            said.append(app.answering.settle(sent.interest_id, 1, True).state)
        except ConflictError:
            said.append("conflict")

    threads = [threading.Thread(target=settle, args=(bureau.as_person(who),)) for who in (WANG, LI)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == ["conflict", "已采纳"]
    assert len([e for e in bureau.following.list() if e.engagement.need_id == "N301"]) == 1


def test_others_see_nothing_of_an_answer(bureau: Application, team: Application) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    other = bureau.as_person(Person("x", "别队", Role.TEAM, institution_id="I-other"))
    assert other.answering.mine() == other.answering.answers() == ()
    for act in (
        lambda: other.answering.withdraw(sent.interest_id, 1),
        lambda: other.answering.edit(sent.interest_id, 1, "x"),
    ):
        with pytest.raises(HiddenError):
            act()
    firm = bureau.as_person(Person("f", "企业", Role.FIRM, firm_id=bureau.records.need("N301").firm_id))
    with pytest.raises(PermissionDenied):
        firm.answering.answers()
    with pytest.raises(PermissionDenied):
        team.answering.settle(sent.interest_id, 1, True)


def test_undoing_an_accept_lets_the_answer_wait_again(bureau: Application, team: Application) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    bureau.answering.settle(sent.interest_id, sent.version, True, "请来看一看。")
    (decided,) = [d for d in bureau.review.decided() if d.decision.need_id == "N301"]
    bureau.review.undo(decided.decision.decision_id)
    (own,) = team.answering.mine()
    assert (own.interest.state, own.interest.reply, own.engagement) == ("已提交", "", None)
    again = bureau.answering.settle(sent.interest_id, own.interest.version, False, "企业另有安排。")
    assert again.state == "未采纳"
    actions = [e.action for e in events(bureau, "interest", sent.interest_id)]
    assert actions == ["interest.send", "interest.settle", "interest.reopen", "interest.settle"]


def test_accepting_the_pair_elsewhere_takes_the_answer_that_waits(
    bureau: Application, team: Application
) -> None:
    sent = team.answering.declare("N301", "E330", **PAGE)
    bureau.review.pair("N301", "E330")
    (own,) = team.answering.mine()
    assert own.engagement is not None
    assert own.interest.state == "已采纳"
    (settled,) = [e for e in events(bureau, "interest", sent.interest_id) if e.action == "interest.settle"]
    assert settled.detail["engagement"] == own.engagement.engagement_id


def test_a_team_reads_of_its_pairing_and_of_a_hidden_firm_what_it_may(
    bureau: Application, team: Application
) -> None:
    need = bureau.records.need("N301")
    write(bureau, lambda s: s.needs.upsert([replace(need, problem=f"{need.company}的{need.problem}")]))
    assert need.company not in str(team.answering.call("N301"))
    assert need.company not in str(team.matching.for_expert("E330").pairs)
    assert "本企业的" in team.records.need("N301").problem
    sent = team.answering.declare("N301", "E330", **PAGE)
    bureau.answering.settle(sent.interest_id, sent.version, True, "请来看一看。")
    (row,) = bureau.answering.answers(need_id="N301")
    assert row.engagement is not None
    bureau.following.edit(row.engagement.engagement_id, row.engagement.version, note="内部：别催")
    (own,) = team.answering.mine()
    assert own.engagement is not None
    assert (own.engagement.note, own.engagement.firm_id) == ("", "")
    assert need.company not in str(own)
    assert team.matching.for_expert("E330", filter=NeedFilter(towns=frozenset({need.town}))).pairs == ()
