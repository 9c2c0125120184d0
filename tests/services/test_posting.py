from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from matcher.columns import RecordKind, clean_text
from matcher.config import EncoderSettings, Settings
from matcher.errors import ConflictError, HiddenError, InputError, NotFoundError, PermissionDenied
from matcher.intake.identity import derive_id
from matcher.models import Draft, Firm, Need, Person
from matcher.services.bootstrap import Application, open_application
from matcher.services.need_text import (
    FORM,
    PARTS,
    form_of,
    join_parts,
    need_of,
    read_form,
    split_problem,
)
from matcher.services.ownership import link_records
from matcher.services.posting_rules import BY_EDITING_ONLY
from matcher.store.entries import AuditEvent
from matcher.store.repositories import Repositories
from matcher.vocab import Confidentiality, DataKind, DecisionKind, DecisionReason, NeedStatus, Role, Stage
from matcher.workflow.permissions import HIDDEN_TEAM
from matcher.workflow.states import NEED_STEPS

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 25)
OFFICIAL = Person("wang", "王科长", Role.OFFICIAL)
OTHER_OFFICIAL = Person("li", "李干事", Role.OFFICIAL)
TEAM = Person("team", "某团队", Role.TEAM, institution_id="I101")
WAITING, PUBLISHED, RETURNED = NeedStatus.WAITING, NeedStatus.PUBLISHED, NeedStatus.RETURNED
TEXTS = {
    "title": "轧辊用三天就起麻点",
    "situation": "我们轧带钢的工作辊，每分钟三百转，用三天表面就起麻点。",
    "tried": "换过两家的辊，也磨过，都只好几天。",
    "impact": "一个月停机四次，每次半天。",
    "key_tech": "辊面硬度不低于 HRC60；寿命不少于 30 天。",
    "budget_wan": "50万元",
    "end_on": "2027年6月",
    "keywords": "轧辊，麻点，耐磨",
    "phone": "0631-8450000",
}


def firm_person(app: Application, need_id: str, login: str = "firm") -> Person:
    return Person(login, "某企业", Role.FIRM, firm_id=app.engine.records().need(need_id).firm_id)


@pytest.fixture
def firm(small_app: Application) -> Application:
    """The application as the firm of N301 uses it."""
    return small_app.as_person(firm_person(small_app, "N301"))


@pytest.fixture
def bureau(small_app: Application) -> Application:
    return small_app.as_person(OFFICIAL)


def fill(app: Application, draft: Draft, **texts: str) -> Draft:
    for field, value in texts.items():
        draft = app.posting.save(draft.draft_id, field, value, draft.version)
    return draft


def posted(app: Application, **texts: str) -> Need:
    draft = fill(app, app.posting.start(), **{**TEXTS, **texts})
    return app.posting.submit(draft.draft_id, draft.version)


def version(app: Application, need_id: str) -> int:
    return app.posting.open(need_id).row.version


def events(app: Application, kind: str, object_id: str | None = None) -> tuple[AuditEvent, ...]:
    with app.database.reading() as session:
        return Repositories(session).audit.of(kind, object_id)


def write(app: Application, act: Callable[[Repositories], object]) -> None:
    with app.database.session() as session:
        act(Repositories(session, app.clock))


def change_need(app: Application, need_id: str, **fields: object) -> None:
    need = app.engine.records().need(need_id)
    write(app, lambda stored: stored.needs.upsert([replace(need, **fields)]))  # type: ignore[arg-type]


# ---------------------------------------------------------------- texts of the form


@given(st.tuples(*[st.text(st.sampled_from("甲乙 \n。"), max_size=12)] * 3))
def test_three_parts_come_back_from_the_stored_problem(texts: tuple[str, str, str]) -> None:
    parts = [re.sub(r"\n\s*\n", "\n", clean_text(text)) for text in texts]
    parts[0] = parts[0] or "现象"
    assert split_problem(join_parts(dict(zip(PARTS, parts, strict=True)))) == tuple(parts)


def test_a_need_that_is_opened_and_not_touched_stays_as_it_was(app: Application) -> None:
    for need in app.engine.records().needs.values():
        draft = Draft("D", need.need_id, need.firm_id, "x", form_of(need), NOW)
        assert need_of(draft, Firm("F", "新名称", town="别处"), need, TODAY) == need
        assert [p for p in read_form(draft.content, need, TODAY).problems if p.field != "title"] == []


def test_amounts_dates_and_lists_are_read_as_an_import_reads_them() -> None:
    values = read_form(TEXTS, None, TODAY).values
    assert values["budget_wan"] == 50
    assert values["end_on"] == date(2027, 6, 30)
    assert values["keywords"] == ("轧辊", "麻点", "耐磨")
    assert values["problem"].split("\n\n") == [TEXTS["situation"], TEXTS["tried"], TEXTS["impact"]]
    assert read_form({**TEXTS, "budget_wan": "面议"}, None, TODAY).values["budget_wan"] is None
    assert read_form({**TEXTS, "budget_wan": "30-50万"}, None, TODAY).values["budget_wan"] == 30


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("title", "。。", "「技术需求名称」还没有填"),
        ("situation", "", "「现象与工况」还没有填"),
        ("budget_wan", "很多", "看不出金额"),
        ("end_on", "明年", "不是日期"),
        ("end_on", "2027-02-30", "这一天不存在"),
        ("end_on", "2026-01-01", "已经过去"),
        ("start_on", "2028-01-01", "早于需求时限起（2028-01-01）"),
        ("confidentiality", "半公开", "不在可选范围内"),
        ("phone", "找老王", "看不出电话号码"),
    ],
)
def test_what_cannot_be_read_names_its_field_and_says_what_to_do(field: str, text: str, said: str) -> None:
    (problem,) = read_form({**TEXTS, field: text}, None, TODAY).problems
    assert said in problem.message
    assert problem.field == ("end_on" if field == "start_on" else field)
    assert FORM[problem.field].label == problem.label


# ---------------------------------------------------------------- drafts


def test_a_new_form_is_for_the_platform_only_and_belongs_to_the_firm(firm: Application) -> None:
    draft = firm.posting.start()
    assert draft.firm_id == firm.person.firm_id
    assert draft.content["confidentiality"] == Confidentiality.PLATFORM
    assert firm.posting.start().draft_id == draft.draft_id, "an empty form is taken up again"
    fill(firm, draft, title="磨得快")
    assert firm.posting.start().draft_id != draft.draft_id
    assert len(firm.posting.drafts()) == 2


def test_a_firm_begins_no_form_for_another_firm(firm: Application, bureau: Application) -> None:
    other = bureau.engine.records().need("N302").firm_id
    for wanted in (other, "F-none"):
        with pytest.raises(PermissionDenied):
            firm.posting.start(wanted)
    nobody = firm.as_person(Person("x", "没有企业", Role.FIRM))
    with pytest.raises(PermissionDenied):
        nobody.posting.start()
    assert nobody.posting.drafts() == nobody.posting.mine() == ()
    assert firm.posting.start(firm.person.firm_id).firm_id == firm.person.firm_id
    assert bureau.posting.start(other).firm_id == other
    with pytest.raises(NotFoundError):
        bureau.posting.start("F-none")


def test_another_firm_hears_of_a_draft_only_that_there_is_none(
    small_app: Application, firm: Application
) -> None:
    draft = fill(firm, firm.posting.start(), title="秘密")
    stranger = small_app.as_person(firm_person(small_app, "N302", "stranger"))
    calls: list[Callable[[str], object]] = [
        stranger.posting.draft,
        stranger.posting.discard,
        stranger.posting.remember,
        stranger.posting.merge,
        stranger.posting.is_behind,
        stranger.posting.preview,
        stranger.posting.problems,
        stranger.posting.checklist,
        stranger.posting.similar,
        stranger.posting.effect,
        stranger.posting.candidates,
        lambda key: stranger.posting.save(key, "title", "改", draft.version),
        lambda key: stranger.posting.submit(key, draft.version),
    ]
    said = []
    for call in calls:
        for key in (draft.draft_id, "D-000000000000"):
            with pytest.raises(NotFoundError) as refused:
                call(key)
            said.append((refused, str(refused.value).replace(key, "…")))
        assert said[-1][1] == said[-2][1]
    assert stranger.posting.drafts() == ()
    assert firm.posting.draft(draft.draft_id) == draft
    refusals = [e for e in events(small_app, "permission") if e.actor == "stranger"]
    assert len(refusals) == len(calls), "only what exists and is hidden is written down"


def test_texts_are_cleaned_and_limited_and_fields_known(firm: Application) -> None:
    draft = firm.posting.start()
    draft = firm.posting.save(draft.draft_id, "title", "  轧辊\u200b 起\n麻点 ", draft.version)
    assert draft.content["title"] == "轧辊 起 麻点"
    for field, value, said in (
        ("title", "长" * 61, "最多 60 个字"),
        ("status", "已发布", "表里没有"),
        ("need_id", "N1", "表里没有"),
        ("base_version", "9", "表里没有"),
        ("contact", "张三 11010519491231002X", "身份证号"),
    ):
        with pytest.raises(InputError, match=said):
            firm.posting.save(draft.draft_id, field, value, draft.version)
    assert firm.posting.draft(draft.draft_id) == draft
    assert firm.posting.save(draft.draft_id, "title", "轧辊 起 麻点", 0) == draft, "nothing new, no conflict"


def test_two_people_in_one_form_lose_nothing(firm: Application, bureau: Application) -> None:
    seen = fill(firm, firm.posting.start(), title="原名", goal="原目标")
    key = seen.draft_id
    bureau.posting.save(key, "title", "局里改的名", seen.version)
    mine = firm.posting.save(key, "goal", "新目标", seen.version, base="原目标")
    assert (mine.content["title"], mine.content["goal"]) == ("局里改的名", "新目标")
    with pytest.raises(ConflictError, match="「技术需求名称」刚刚在别处被改成“局里改的名”") as refused:
        firm.posting.save(key, "title", "企业改的名", seen.version, base="原名")
    assert "wang" not in str(refused.value), "a firm hears no login"
    with pytest.raises(ConflictError, match="刚刚在别处被改成“新目标”"):
        bureau.posting.save(key, "goal", "局里的目标", seen.version, base="原目标")
    with pytest.raises(ConflictError, match="刚刚"):
        firm.posting.save(key, "impact", "停机", seen.version)
    assert firm.posting.draft(key) == mine
    with pytest.raises(ConflictError, match="还没有提交"):
        firm.posting.submit(key, seen.version)


def test_a_draft_thrown_away_is_gone_and_leaves_its_beginning_and_end(firm: Application) -> None:
    draft = fill(firm, firm.posting.start(), title="不要了")
    firm.posting.discard(draft.draft_id)
    with pytest.raises(NotFoundError):
        firm.posting.draft(draft.draft_id)
    assert [e.action for e in events(firm, "draft", draft.draft_id)] == ["draft.start", "draft.discard"]


# ---------------------------------------------------------------- handing in


def test_a_form_handed_in_waits_and_is_found_by_the_next_query(
    firm: Application, bureau: Application
) -> None:
    bureau.matching.needs_for_text("轧辊起麻点")
    need = posted(firm)
    stored = bureau.records.need(need.need_id)
    registered = next(f for f in bureau.records.firms() if f.firm_id == firm.person.firm_id)
    assert (stored.company, stored.town, stored.sector) == (
        registered.name,
        registered.town,
        registered.sector,
    )
    assert (stored.status, stored.firm_id, stored.posted_on) == (WAITING, registered.firm_id, None)
    assert stored.data_kind == DataKind.SAMPLE == registered.data_kind
    assert stored.confidentiality == Confidentiality.PLATFORM
    assert firm.posting.drafts() == ()
    (event_,) = events(bureau, "need", need.need_id)
    assert (event_.actor, event_.action, dict(event_.detail)) == ("firm", "need.post", {"to": "待受理"})
    found = bureau.matching.needs_for_text("轧辊起麻点")
    assert found.pairs[0].match.need_id == need.need_id


def test_what_is_missing_keeps_the_form_and_writes_nothing(firm: Application) -> None:
    draft = fill(firm, firm.posting.start(), key_tech="硬度", end_on="以后", budget_wan="若干")
    assert [p.field for p in firm.posting.problems(draft.draft_id)] == [
        "title", "situation", "budget_wan", "end_on",
    ]  # fmt: skip
    before = firm.engine.records().revision
    with pytest.raises(InputError) as refused:
        firm.posting.submit(draft.draft_id, draft.version)
    for label in ("技术需求名称", "现象与工况", "拟投入资金", "需求时限止"):
        assert label in refused.value.user_message
    assert firm.posting.draft(draft.draft_id) == draft
    assert firm.engine.records().revision == before


def test_a_firm_does_not_pose_one_problem_twice(firm: Application) -> None:
    need = posted(firm)
    draft = fill(firm, firm.posting.start(), **{**TEXTS, "title": " 轧辊用三天，就起麻点！"})
    with pytest.raises(InputError, match=f"同名的需求（{need.need_id}，待受理）"):
        firm.posting.submit(draft.draft_id, draft.version)
    assert firm.posting.drafts() == (draft,)


def test_another_firm_may_have_a_need_of_the_same_name(small_app: Application, firm: Application) -> None:
    first = posted(firm)
    other = small_app.as_person(firm_person(small_app, "N302", "other"))
    assert posted(other).need_id != first.need_id


def test_the_bureau_hands_in_for_a_firm_it_registers(bureau: Application, firm: Application) -> None:
    made = bureau.posting.register_firm(" 新来的  轧钢厂 ", "界石镇", "汽车机电")
    assert (made.name, made.town, made.data_kind) == ("新来的 轧钢厂", "界石镇", DataKind.OWN)
    assert bureau.posting.register_firm("新来的轧钢厂") == made
    draft = fill(bureau, bureau.posting.start(made.firm_id), **TEXTS)
    need = bureau.posting.submit(draft.draft_id, draft.version)
    assert (need.company, need.firm_id, need.data_kind) == (made.name, made.firm_id, DataKind.OWN)
    assert [e.action for e in events(bureau, "firms", made.firm_id)] == ["record.edit"]
    with pytest.raises(PermissionDenied):
        firm.posting.register_firm("自己登记")
    for name, town, sector in (("", "", ""), ("长" * 61, "", ""), ("好企业", "", "采矿")):
        with pytest.raises(InputError):
            bureau.posting.register_firm(name, town, sector)


def test_a_name_the_needs_already_go_by_gets_their_owner(bureau: Application) -> None:
    change_need(bureau, "N301", company="从没登记过的厂", firm_id="")
    write(bureau, link_records)
    owner = bureau.engine.records().need("N301").firm_id
    assert bureau.posting.register_firm("从没登记过的厂").firm_id == owner


# ---------------------------------------------------------------- changing what is stored


def changed(app: Application, need_id: str, **texts: str) -> Need:
    draft = fill(app, app.posting.start(need_id=need_id), **texts)
    return app.posting.submit(draft.draft_id, draft.version)


def test_one_unsent_change_a_need_whoever_begins_it(firm: Application, bureau: Application) -> None:
    draft = firm.posting.start(need_id="N301")
    assert bureau.posting.start(need_id="N301") == draft
    assert draft.content["title"] == firm.records.need("N301").title
    with pytest.raises(HiddenError):
        firm.posting.start(need_id="N302")


def test_the_bureau_changes_a_published_need_and_it_stays_published(bureau: Application) -> None:
    before = bureau.records.need("N301")
    need = changed(bureau, "N301", goal="烘房时间缩短三成")
    assert need == replace(before, goal="烘房时间缩短三成")
    assert [(e.action, dict(e.detail)) for e in events(bureau, "need", "N301")] == [
        ("need.edit", {"fields": ["goal"]})
    ]
    with bureau.database.reading() as session:
        past = Repositories(session).needs.history("N301")
    assert past[0].record == before


def test_a_firm_changes_a_published_need_and_it_waits_again(firm: Application) -> None:
    assert firm.records.need("N301").status == PUBLISHED
    need = changed(firm, "N301", goal="烘房时间缩短三成")
    assert need.status == WAITING
    assert [e.action for e in events(firm, "need", "N301")] == ["need.edit", "need.step"]
    assert events(firm, "need", "N301")[1].detail["to"] == WAITING


def test_handing_in_without_a_change_changes_nothing(firm: Application) -> None:
    before = firm.records.need("N301"), firm.engine.records().revision
    assert changed(firm, "N301") == before[0]
    assert (firm.records.need("N301"), firm.engine.records().revision) == before
    assert events(firm, "need", "N301") == ()
    assert firm.posting.drafts() == ()


def test_what_came_back_is_handed_in_again(firm: Application, bureau: Application) -> None:
    bureau.posting.move("N301", RETURNED, version(bureau, "N301"), "缺指标")
    need = changed(firm, "N301", key_tech="含水率不高于 13%")
    assert need.status == WAITING
    steps = [e for e in events(bureau, "need", "N301") if e.action == "need.step"]
    assert [(e.detail["from"], e.detail["to"], e.detail["why"]) for e in steps] == [
        (PUBLISHED, RETURNED, "缺指标"),
        (RETURNED, WAITING, ""),
    ]


def test_a_solved_need_is_the_bureaus_to_change(firm: Application, bureau: Application) -> None:
    began = fill(firm, firm.posting.start(need_id="N301"), goal="再改")
    bureau.posting.move("N301", NeedStatus.SOLVED, version(bureau, "N301"))
    for act in (
        lambda: firm.posting.start(need_id="N301"),
        lambda: firm.posting.submit(began.draft_id, began.version),
    ):
        with pytest.raises((InputError, ConflictError)):
            act()
    firm.posting.discard(began.draft_id)
    assert changed(bureau, "N301", goal="局里改").status == NeedStatus.SOLVED


def test_a_need_changed_meanwhile_is_not_overwritten_and_both_changes_can_be_kept(
    firm: Application, bureau: Application
) -> None:
    draft = fill(firm, firm.posting.start(need_id="N301"), goal="企业的目标", title="企业的名称")
    write(
        bureau,
        lambda stored: stored.needs.upsert(
            [replace(stored.needs.get("N301"), sector="其他", title="局里的名称", keywords=("甲", "乙"))]
        ),
    )
    assert firm.posting.is_behind(draft.draft_id)
    with pytest.raises(ConflictError, match="局里的名称") as refused:
        firm.posting.submit(draft.draft_id, draft.version)
    assert "合并最新内容" in refused.value.hint
    assert firm.posting.draft(draft.draft_id) == draft
    merged = firm.posting.merge(draft.draft_id)
    assert not firm.posting.is_behind(draft.draft_id)
    assert firm.posting.merge(draft.draft_id) == merged
    need = firm.posting.submit(merged.draft_id, merged.version)
    assert (need.goal, need.title) == ("企业的目标", "企业的名称"), "what the draft changed"
    assert (need.sector, need.keywords) == ("其他", ("甲", "乙")), "what the other changed"


def test_what_a_public_source_said_becomes_the_bureaus_own_when_changed(app: Application) -> None:
    before = app.records.need("N001")
    assert before.data_kind == DataKind.PUBLIC
    need = changed(app, "N001", goal="新目标")
    assert (need.data_kind, need.source) == (DataKind.OWN, "在线填报")


# ---------------------------------------------------------------- steps


def test_accepting_publishes_and_dates_it_once(firm: Application, bureau: Application) -> None:
    need = posted(firm)
    published = bureau.posting.move(need.need_id, PUBLISHED, version(bureau, need.need_id))
    assert (published.status, published.posted_on) == (PUBLISHED, TODAY)
    later = open_application(bureau.settings, lambda: datetime(2026, 12, 1, tzinfo=UTC))
    with later:
        later.posting.move(need.need_id, NeedStatus.SOLVED, version(later, need.need_id))
        again = later.posting.move(need.need_id, PUBLISHED, version(later, need.need_id), "又出现了")
    assert again.posted_on == TODAY


def test_a_firm_takes_its_own_need_only_where_a_firm_may(small_app: Application, firm: Application) -> None:
    for status in NeedStatus:
        for to in NeedStatus:
            change_need(small_app, "N301", status=status.value)
            now = version(firm, "N301")
            allowed = (status, to) in NEED_STEPS and to in (WAITING, NeedStatus.WITHDRAWN)
            if allowed:
                assert firm.posting.move("N301", to, now, "说明").status == to
            else:
                with pytest.raises((PermissionDenied, InputError)):
                    firm.posting.move("N301", to, now, "说明")
                assert firm.records.need("N301").status == status
            offered = [step for step, _ in firm.posting.open("N301").steps]
            assert set(offered) <= {WAITING, NeedStatus.WITHDRAWN}


def test_the_bureau_may_take_every_step_of_the_table(bureau: Application) -> None:
    for (status, to), step in NEED_STEPS.items():
        if (status, to) == BY_EDITING_ONLY:
            continue  # what a firm's change of a published need comes to; nobody presses it
        change_need(bureau, "N301", status=str(status))
        now = version(bureau, "N301")
        assert (to, step) in bureau.posting.open("N301").steps
        if step.needs_reason:
            with pytest.raises(InputError, match="写明原因"):
                bureau.posting.move("N301", to, now, "  ")
        assert bureau.posting.move("N301", to, now, "说明").status == to


def test_reasons_are_limited(bureau: Application) -> None:
    for reason in ("长" * 301, "找 11010519491231002X"):
        with pytest.raises(InputError):
            bureau.posting.move("N301", RETURNED, version(bureau, "N301"), reason)


def test_the_second_of_two_officials_is_told_what_the_first_did(bureau: Application) -> None:
    other, seen = bureau.as_person(OTHER_OFFICIAL), version(bureau, "N301")
    bureau.posting.move("N301", RETURNED, seen, "缺指标")
    with pytest.raises(InputError, match="现在是“退回补充”"):
        other.posting.move("N301", RETURNED, seen, "也缺指标")
    with pytest.raises(ConflictError, match="已发布 → 退回补充"):
        other.posting.move("N301", WAITING, seen)
    assert len(events(bureau, "need", "N301")) == 1


def test_a_strangers_need_is_as_if_it_were_not_there(small_app: Application) -> None:
    stranger = small_app.as_person(firm_person(small_app, "N302", "stranger"))
    calls: list[Callable[[str], object]] = [
        stranger.posting.open,
        stranger.posting.history,
        lambda key: stranger.posting.start(need_id=key),
        lambda key: stranger.posting.move(key, NeedStatus.WITHDRAWN, 1, "x"),
        lambda key: stranger.posting.move(key, PUBLISHED, 1, "x"),
    ]
    for call in calls:
        said = []
        for key in ("N301", "N999"):
            with pytest.raises(NotFoundError) as refused:
                call(key)
            said.append(str(refused.value).replace(key, "…"))
        assert said[0] == said[1]
    assert [row.need.need_id for row in stranger.posting.mine()] == ["N302"]


def test_teams_post_nothing(small_app: Application) -> None:
    team = small_app.as_person(TEAM)
    before = small_app.engine.records().revision
    for call in (
        team.posting.start,
        team.posting.drafts,
        team.posting.mine,
        team.posting.waiting,
        lambda: team.posting.open("N301"),
        lambda: team.posting.move("N301", NeedStatus.WITHDRAWN, 1, "x"),
        lambda: team.posting.undo("N301", 1),
        lambda: team.posting.candidates("D-1"),
        lambda: team.posting.register_firm("x"),
    ):
        with pytest.raises(PermissionDenied):
            call()
    assert small_app.engine.records().revision == before
    assert {e.action for e in events(small_app, "permission")} == {"refuse"}


# ---------------------------------------------------------------- undo


def test_undo_puts_the_content_back_and_leaves_the_status(bureau: Application, firm: Application) -> None:
    before = bureau.records.need("N301")
    changed(bureau, "N301", goal="写错了", title="写错的名称")
    bureau.posting.move("N301", NeedStatus.SOLVED, version(bureau, "N301"))
    back = bureau.posting.undo("N301", version(bureau, "N301"))
    assert back == replace(before, status=NeedStatus.SOLVED.value)
    (undone,) = events(bureau, "needs", "N301")
    assert (undone.action, undone.detail["fields"]) == ("record.undo", ["title", "goal"])
    assert bureau.posting.undo("N301", version(bureau, "N301")).title == "写错的名称"
    with pytest.raises(ConflictError):
        bureau.posting.undo("N301", 1)
    with pytest.raises(InputError, match="没有改动过"):
        bureau.posting.undo("N302", version(bureau, "N302"))
    with pytest.raises(PermissionDenied):
        firm.posting.undo("N301", version(firm, "N301"))


# ---------------------------------------------------------------- lists and history


def test_rows_say_where_a_need_stands(small_app: Application, firm: Application) -> None:
    small_app.review.pair("N301", "E101")
    small_app.review.decide("N301", "E102", DecisionKind.SHELVE, reason=DecisionReason.WAIT)
    (row,) = firm.posting.mine()
    assert (row.need.need_id, row.n_accepted, row.stages) == ("N301", 1, ("已推荐",))
    assert (row.last, row.draft_id) == (None, "")
    draft = firm.posting.start(need_id="N301")
    new = posted(firm)
    rows = firm.posting.mine()
    assert [r.need.need_id for r in rows] == [new.need_id, "N301"], "what moved last stands first"
    assert rows[1].draft_id == draft.draft_id
    assert rows[0].last is not None
    assert (rows[0].last.who, rows[0].last.text) == ("本企业", "提交了需求，现在待受理")
    assert rows[0].version == version(firm, new.need_id) == 1


def test_history_is_told_in_plain_words_by_role_for_firms_and_by_name_for_the_bureau(
    small_app: Application, firm: Application
) -> None:
    made = small_app.accounts.create(Person("wang", "王科长", Role.OFFICIAL)).account.person
    bureau = small_app.as_person(made)
    changed(firm, "N301", goal="新目标")
    bureau.posting.move("N301", RETURNED, version(bureau, "N301"), "缺指标")
    changed(firm, "N301", key_tech="含水率不高于 13%")
    bureau.posting.move("N301", PUBLISHED, version(bureau, "N301"))
    bureau.review.pair("N301", "E101")
    bureau.posting.undo("N301", version(bureau, "N301"))
    team = bureau.records.expert("E101")
    assert [(line.who, line.text) for line in reversed(firm.posting.history("N301"))] == [
        ("本企业", "修改了内容（预期目标）"),
        ("本企业", "修改后重新送审，现在是“待受理”：企业修改了已发布的内容"),
        ("科技局", "退回补充，现在是“退回补充”：缺指标"),
        ("本企业", "修改了内容（技术关键（含主要指标））"),
        ("本企业", "重新提交，现在是“待受理”"),
        ("科技局", "受理并发布，现在是“已发布”"),
        ("科技局", f"开始与团队“{team.name}”对接"),
        ("科技局", "恢复了上一版内容（技术关键（含主要指标））"),
    ]
    assert [line.who for line in bureau.posting.history("N301")][-1:] == ["firm"]
    assert bureau.posting.history("N301")[0].who == "王科长（科技局）"


def test_waiting_stands_in_the_order_it_came_with_what_is_missing(
    firm: Application, bureau: Application
) -> None:
    assert bureau.posting.waiting() == ()
    change_need(bureau, "N302", status="")
    first = posted(firm)
    second = posted(firm, title="另一个难题", key_tech="")
    rows = bureau.posting.waiting()
    assert rows[0].need.need_id == "N302", "imported, nobody knows since when"
    assert {row.need.need_id for row in rows[1:]} == {first.need_id, second.need_id}
    row = next(r for r in rows if r.need.need_id == second.need_id)
    assert row.since == NOW
    assert "指标与单位" in row.missing
    assert row.version == version(bureau, second.need_id)
    with pytest.raises(PermissionDenied):
        firm.posting.waiting()


@pytest.fixture
def statements(small_app: Application) -> Iterator[list[str]]:
    """SQL sent to the database."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engine = small_app.database._engine
    assert engine is not None
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_lists_take_as_many_queries_for_many_needs_as_for_few(
    small_app: Application, firm: Application, statements: list[str]
) -> None:
    def cost(read: Callable[[], object]) -> int:
        read()  # the records of this revision are read once
        statements.clear()
        read()
        return len(statements)

    posted(firm)
    few = cost(firm.posting.mine), cost(small_app.posting.mine), cost(small_app.posting.waiting)
    for number in range(12):
        posted(firm, title=f"第 {number} 个难题")
    assert (cost(firm.posting.mine), cost(small_app.posting.mine), cost(small_app.posting.waiting)) == few


# ---------------------------------------------------------------- advice while typing


def test_the_checklist_follows_the_text(firm: Application) -> None:
    draft = firm.posting.start()
    assert [c.name for c in firm.posting.checklist(draft.draft_id) if c.met] == ["scope"]
    draft = fill(firm, draft, **TEXTS)
    assert {c.name for c in firm.posting.checklist(draft.draft_id) if not c.met} == set()


def test_similar_needs_are_the_firms_own_and_all_for_the_bureau(app: Application) -> None:
    firm, bureau = app.as_person(firm_person(app, "N301")), app.as_person(OFFICIAL)
    other = app.engine.records().need("N302")
    draft = fill(firm, firm.posting.start(), **{k: v for k, v in form_of(other).items() if v})
    assert firm.posting.similar(draft.draft_id) == ()
    assert bureau.posting.similar(draft.draft_id)[0].need_id == "N302"
    own = app.engine.records().need("N301")
    draft = fill(firm, draft, title=own.title, situation=own.problem)
    twin = firm.posting.similar(draft.draft_id)[0]
    assert (twin.need_id, twin.duplicate) == ("N301", True)


def test_the_effect_is_measured_from_the_stored_or_the_noted_text(firm: Application) -> None:
    draft = fill(firm, firm.posting.start(), title="干得慢", situation="烘得慢，皮都硬了。")
    assert firm.posting.effect(draft.draft_id) is None
    draft = firm.posting.remember(draft.draft_id)
    measured = firm.posting.effect(draft.draft_id)
    assert measured is not None
    assert measured.effect.entered == measured.effect.left == ()
    stored = firm.records.need("N301")
    draft = fill(firm, draft, situation=stored.problem, key_tech=stored.key_tech)
    measured = firm.posting.effect(draft.draft_id)
    assert measured is not None
    assert measured.effect.n_lines_after > measured.effect.n_lines_before
    named = {line.best_expert_id for line in measured.effect.lines} - {""}
    assert named <= set(measured.experts)
    assert all(expert.contact == "" for expert in measured.experts.values())
    change = firm.posting.effect(firm.posting.start(need_id="N301").draft_id)
    assert change is not None
    assert change.effect.n_covered_before == change.effect.n_covered_after


def test_candidates_are_those_the_need_has_once_it_is_stored(firm: Application) -> None:
    draft = fill(firm, firm.posting.start(), **TEXTS)
    before = firm.engine.records().revision
    shown = firm.posting.candidates(draft.draft_id, top=4)
    assert firm.engine.records().revision == before
    need = firm.posting.submit(draft.draft_id, draft.version)
    stored = firm.matching.for_need(need.need_id, top=4)
    assert [(p.match.expert_id, p.match.score) for p in shown.pairs] == [
        (p.match.expert_id, p.match.score) for p in stored.pairs
    ]
    assert [len(p.match.evidence) for p in shown.pairs] == [len(p.match.evidence) for p in stored.pairs]
    assert all(p.expert is not None and p.expert.contact == "" for p in shown.pairs)


def test_an_empty_form_has_no_candidates(firm: Application) -> None:
    found = firm.posting.candidates(firm.posting.start().draft_id)
    assert found.pairs == ()
    assert found.n_pool > 0


def test_masked_candidates_name_no_team_anywhere(small_app: Application) -> None:
    settings = replace(
        small_app.settings, workflow=replace(small_app.settings.workflow, mask_candidates=True)
    )
    with open_application(settings, lambda: NOW) as masked:
        firm = masked.as_person(firm_person(masked, "N301"))
        draft = fill(firm, firm.posting.start(need_id="N301"), goal="缩短烘干时间")
        pairs = firm.posting.candidates(draft.draft_id).pairs
        measured = firm.posting.effect(draft.draft_id)
        assert measured is not None
        names = {e.name for e in masked.engine.records().experts.values()}
        for expert in [*(p.expert for p in pairs if p.expert), *measured.experts.values()]:
            assert expert.name == HIDDEN_TEAM
        texts = [line.facet_text for line in measured.effect.lines]
        texts += [one.facet.text for p in pairs for one in p.match.evidence]
        assert not [t for t in texts for name in names if name in t]


# ---------------------------------------------------------------- another process


def test_what_is_handed_in_here_is_found_by_another_process(
    app: Application, reopen: Callable[[], Application], tmp_path: Path
) -> None:
    other = reopen()
    other.matching.needs_for_text("轧辊起麻点")
    firm = app.as_person(firm_person(app, "N301"))
    need = posted(firm)
    assert other.matching.needs_for_text("轧辊起麻点").pairs[0].match.need_id == need.need_id
    changed(
        app, need.need_id, title="船用玻璃起雾看不清", situation="起雾。", tried="", impact="", keywords=""
    )
    assert other.records.need(need.need_id).title == "船用玻璃起雾看不清"


def test_the_whole_way_on_either_database(any_database_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=any_database_url, encoder=EncoderSettings(name="none"))
    with open_application(settings, lambda: NOW, samples=False) as app:
        bureau = app.as_person(OFFICIAL)
        owner = bureau.posting.register_firm("轧钢厂")
        firm = app.as_person(Person("firm", "轧钢厂", Role.FIRM, firm_id=owner.firm_id))
        need = posted(firm)
        (row,) = bureau.posting.waiting()
        bureau.posting.move(need.need_id, PUBLISHED, row.version)
        with pytest.raises((ConflictError, InputError)):
            bureau.posting.move(need.need_id, PUBLISHED, row.version)
        draft = fill(firm, firm.posting.start(need_id=need.need_id), goal="新目标")
        with pytest.raises(ConflictError):
            firm.posting.save(draft.draft_id, "goal", "旧页面上的目标", draft.version - 1)
        assert firm.posting.submit(draft.draft_id, draft.version).status == WAITING
        (mine,) = firm.posting.mine()
        assert bureau.posting.undo(need.need_id, mine.version).goal == ""
        assert [line.who for line in firm.posting.history(need.need_id)] == [
            "科技局", "本企业", "本企业", "科技局", "本企业",
        ]  # fmt: skip


def test_a_draft_does_not_follow_its_need_to_another_firm(
    small_app: Application, firm: Application, bureau: Application
) -> None:
    draft = firm.posting.start(need_id="N301")
    fill(firm, draft, tried="甲家私密配方")
    other = next(n for n in bureau.records.needs() if n.firm_id and n.firm_id != draft.firm_id)
    change_need(small_app, "N301", company=other.company, firm_id=other.firm_id, contact="乙家钱总")
    for ask in (firm.posting.merge, firm.posting.preview, firm.posting.is_behind):
        with pytest.raises(NotFoundError):
            ask(draft.draft_id)
    theirs = small_app.as_person(Person("b", "乙", Role.FIRM, firm_id=other.firm_id))
    assert all(row.draft_id != draft.draft_id for row in theirs.posting.mine())
    begun = theirs.posting.start(need_id="N301")
    assert begun.draft_id != draft.draft_id
    assert "甲家私密配方" not in str(begun.content)


def test_why_a_pairing_went_back_is_the_bureaus_own_affair(
    small_app: Application, firm: Application, bureau: Application
) -> None:
    change_need(small_app, "N301", status=PUBLISHED)
    bureau.review.pair("N301", bureau.records.experts()[0].expert_id)
    (row,) = [r for r in bureau.following.list() if r.engagement.need_id == "N301"]
    key = row.engagement.engagement_id
    moved = bureau.following.move(key, Stage.CONTACT, row.engagement.version)
    bureau.following.move(key, Stage.PROPOSED, moved.version, reason="内部：先压一压")
    assert "先压一压" in str(bureau.posting.open("N301").history)
    assert "先压一压" not in str(firm.posting.open("N301").history)


def test_the_number_of_a_need_does_not_tell_whose_it_is(firm: Application) -> None:
    need = posted(firm, **TEXTS)
    named = derive_id(RecordKind.NEEDS, {"company": need.company, "title": need.title})
    assert need.need_id != named
