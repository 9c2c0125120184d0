from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.columns import RecordKind, fields_of
from matcher.errors import ConflictError, HiddenError, InputError, NotFoundError, PermissionDenied
from matcher.intake.tables import RawRow, Table
from matcher.intake.validation import parse_rows
from matcher.models import Expert, Person, Work
from matcher.services.bootstrap import Application
from matcher.services.editing_forms import form_fields, profile_gaps, read_texts, record_of, texts_of
from matcher.store.entries import AuditEvent
from matcher.store.repositories import Repositories
from matcher.vocab import DataKind, NeedStatus, Role

TODAY = date(2026, 11, 25)
WANG = Person("wang", "王科长", Role.OFFICIAL)
LI = Person("li", "李干事", Role.OFFICIAL)
ID_CARD = "11010519491231002X"


def write(app: Application, act: Callable[[Repositories], object]) -> None:
    with app.database.session() as session:
        act(Repositories(session, app.clock))


def events(app: Application, kind: str, object_id: str) -> tuple[AuditEvent, ...]:
    with app.database.reading() as session:
        return Repositories(session).audit.of(kind, object_id)


def version(app: Application, kind: str, record_id: str) -> int:
    return app.editing.record(kind, record_id).version


@pytest.fixture
def bureau(small_app: Application) -> Application:
    return small_app.as_person(WANG)


@pytest.fixture
def expert(bureau: Application) -> Expert:
    return bureau.records.expert("E330")


@pytest.fixture
def team(bureau: Application, expert: Expert) -> Application:
    person = Person("team", "团队", Role.TEAM, institution_id=expert.institution_id, expert_id="E330")
    return bureau.as_person(person)


# ---------------------------------------------------------------- texts and records


def test_a_record_that_is_opened_and_not_touched_stays_as_it_was(bureau: Application) -> None:
    records = bureau.engine.records()
    for kind, found in (
        ("needs", records.needs.values()),
        ("experts", records.experts.values()),
        ("works", records.works[:50]),
        ("firms", records.firms[:50]),
        ("institutions", records.institutions[:50]),
    ):
        for record in found:
            assert record_of(kind, texts_of(record, kind), record, TODAY) == record


_WORD = st.text(st.sampled_from("甲乙丙丁Aa1"), min_size=1, max_size=6)


@given(st.lists(_WORD, min_size=1, max_size=5, unique=True), st.lists(_WORD, max_size=4, unique=True))
def test_lists_survive_the_form(directions: list[str], keywords: list[str]) -> None:
    made = Expert("E", "甲", "乙", research_directions=tuple(directions), keywords=tuple(keywords))
    texts = texts_of(made, "experts")
    values, problems = read_texts("experts", texts, None, TODAY)
    assert problems == ()
    assert (values["research_directions"], values["keywords"]) == (tuple(directions), tuple(keywords))


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("experts", "capacity", "许多"),
        ("experts", "capacity", "5000"),
        ("works", "year", "去年"),
        ("needs", "budget_wan", "若干"),
        ("needs", "end_on", "2026-02-30"),
        ("needs", "confidentiality", "随便"),
        ("institutions", "travel_days", "很久"),
        ("cooperation", "kind", "不知道"),
        ("firms", "chain_leader", "也许"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_an_import(kind: str, name: str, text: str) -> None:
    field = next(field for field in fields_of(kind) if field.name == name)
    columns = [f for f in fields_of(kind) if f.required or f.name in (name, "research_directions")]
    row = {f.label: text if f.name == name else "某某" for f in columns}
    table = Table("x.csv", "", tuple(row), (RawRow(2, row),), 1)
    issue = next(i for i in parse_rows(kind, table).issues if i.column == field.label)
    _, problems = read_texts(kind, {name: text}, None, TODAY)
    said = next(p.message for p in problems if p.field == name)
    assert issue.message.removeprefix("第 2 行") == said


@pytest.mark.parametrize("kind", RecordKind)
def test_required_fields_limits_and_id_cards(kind: RecordKind) -> None:
    _, problems = read_texts(kind, {}, None, TODAY)
    lacking = {f.name for f in form_fields(kind) if f.required}
    assert lacking <= {p.field for p in problems}
    name = next(f.name for f in form_fields(kind) if f.required)
    for text, said in (("字" * 5000, "最多"), (f"他是 {ID_CARD}", "身份证号")):
        _, problems = read_texts(kind, {name: text}, None, TODAY)
        assert said in next(p.message for p in problems if p.field == name)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ValueError, match="expert_id"):
        read_texts("experts", {"expert_id": "E9"}, None, TODAY)


# ---------------------------------------------------------------- a team and its profile


def test_a_team_keeps_its_profile(team: Application, expert: Expert) -> None:
    opened = team.editing.record("experts", "E330")
    saved = team.editing.save("experts", "E330", {"capacity": "7", "keywords": "甲、乙、丙"}, opened.version)
    assert saved.version == opened.version + 1
    found, now = team.editing.expert("E330")
    assert now == saved.version
    assert (found.capacity, found.keywords, found.updated_on) == (7, ("甲", "乙", "丙"), TODAY)
    assert replace(
        found, capacity=expert.capacity, keywords=expert.keywords, updated_on=expert.updated_on
    ) == replace(expert, data_kind=found.data_kind)
    (event,) = events(team, "experts", "E330")
    assert (event.action, event.actor, event.detail) == (
        "record.edit",
        "team",
        {"fields": ["keywords", "capacity"]},
    )


def test_saving_without_a_change_writes_nothing(team: Application) -> None:
    opened = team.editing.record("experts", "E330")
    assert team.editing.save("experts", "E330", opened.texts, opened.version) == opened
    assert events(team, "experts", "E330") == ()


@pytest.mark.parametrize("name", ["name", "institution", "ring", "data_kind", "source"])
def test_a_team_cannot_change_who_it_is(team: Application, name: str) -> None:
    before = team.editing.record("experts", "E330")
    text = {"ring": "区内", "data_kind": "本地"}.get(name, "别的")
    if before.texts[name] == text:
        text = {"ring": "全国", "data_kind": "公开"}[name]
    with pytest.raises(PermissionDenied):
        team.editing.save("experts", "E330", {name: text}, before.version)
    assert team.editing.record("experts", "E330") == before
    assert team.editing.save("experts", "E330", {name: before.texts[name]}, before.version) == before


def test_what_is_not_a_teams_own_is_not_there(team: Application, bureau: Application) -> None:
    for act in (
        lambda: team.editing.record("experts", "E101"),
        lambda: team.editing.save("experts", "E101", {"capacity": "1"}, 1),
        lambda: team.editing.undo("experts", "E101", 1),
        lambda: team.editing.history("experts", "E101"),
        lambda: team.editing.add("works", {"expert_id": "E101", "title": "某成果"}),
    ):
        with pytest.raises(HiddenError, match="没有编号为“E101”"):
            act()
    foreign = bureau.records.works_of("E101")[0]
    with pytest.raises(HiddenError, match=f"没有编号为“{foreign.work_id}”"):
        team.editing.delete_work(foreign.work_id, 1)
    for kind in ("needs", "firms", "institutions", "cooperation"):
        with pytest.raises(PermissionDenied):
            team.editing.record(kind, "x")
        with pytest.raises(PermissionDenied):
            team.editing.add(kind, {})


def test_a_profile_without_any_topic_is_refused_with_all_its_mistakes(team: Application) -> None:
    texts = {"disciplines": "", "research_directions": " ", "achievements": "无", "capacity": "很多"}
    with pytest.raises(InputError) as refused:
        team.editing.save("experts", "E330", texts, version(team, "experts", "E330"))
    assert "请至少填一项，否则无法匹配" in str(refused.value)
    assert "不是整数" in str(refused.value)


def test_a_public_profile_changed_by_hand_is_the_bureaus_own(bureau: Application, expert: Expert) -> None:
    write(bureau, lambda s: s.experts.upsert([replace(expert, data_kind=DataKind.PUBLIC.value)]))
    bureau.editing.save("experts", "E330", {"capacity": "9"}, version(bureau, "experts", "E330"))
    assert bureau.records.expert("E330").data_kind == DataKind.OWN


# ---------------------------------------------------------------- works


def test_works_are_added_changed_and_taken_away(team: Application) -> None:
    given = {"expert_id": "E330", "title": "一种耐磨涂层", "year": "2025", "kind": "发明专利"}
    made = team.editing.add("works", given)
    assert isinstance(made.record, Work)
    work_id = made.record.work_id
    assert work_id.startswith("W-")
    assert made.record in team.records.works_of("E330")
    with pytest.raises(InputError, match="已经有了"):
        team.editing.add("works", {**given, "title": "一种 耐磨涂层"})
    changed = team.editing.save("works", work_id, {"abstract": "用于水泵。"}, made.version)
    with pytest.raises(ConflictError):
        team.editing.delete_work(work_id, made.version)
    assert team.editing.delete_work(work_id, changed.version).title == "一种耐磨涂层"
    assert work_id not in {work.work_id for work in team.records.works_of("E330")}
    with pytest.raises(NotFoundError):
        team.editing.record("works", work_id)
    assert [e.action for e in events(team, "works", work_id)] == ["record.edit"] * 3


# ---------------------------------------------------------------- the bureau


def test_the_bureau_edits_every_kind(bureau: Application) -> None:
    edits = {
        "needs": {"goal": "拿到一套办法。"},
        "experts": {"name": "新的名称团队"},
        "works": {"abstract": "新的摘要。"},
        "firms": {"size": "新的规模"},
        "institutions": {"city": "新的城市"},
        "cooperation": {"title": "新的项目名称"},
    }
    for kind, texts in edits.items():
        with bureau.database.reading() as session:
            record_id = getattr(Repositories(session), kind).ids()[0]
        opened = bureau.editing.record(kind, record_id)
        ((name, text),) = texts.items()
        saved = bureau.editing.save(kind, record_id, texts, opened.version)
        assert saved.texts[name] == text
        assert events(bureau, kind, record_id)[-1].detail["fields"][0] == name  # type: ignore[index]
        undone = bureau.editing.undo(kind, record_id, saved.version)
        assert undone.texts[name] == opened.texts[name]
        assert events(bureau, kind, record_id)[-1].action == "record.undo"
        assert bureau.editing.undo(kind, record_id, undone.version).texts[name] == text, "undone twice"


def test_a_need_keeps_its_status_and_gets_its_new_owner(bureau: Application) -> None:
    need = bureau.records.need("N301")
    firm = next(f for f in bureau.records.firms() if f.firm_id != need.firm_id)
    saved = bureau.editing.save("needs", "N301", {"company": firm.name}, version(bureau, "needs", "N301"))
    assert bureau.records.need("N301").firm_id == firm.firm_id
    with pytest.raises(ValueError, match="status"):
        bureau.editing.save("needs", "N301", {"status": NeedStatus.SOLVED.value}, saved.version)
    assert bureau.editing.undo("needs", "N301", saved.version)
    again = bureau.records.need("N301")
    assert (again.company, again.firm_id, again.status) == (need.company, need.firm_id, need.status)


def test_a_renamed_firm_still_goes_by_its_old_name(bureau: Application) -> None:
    firm, other = bureau.records.firms()[:2]
    saved = bureau.editing.save("firms", firm.firm_id, {"name": "改名后的公司"}, 1)
    assert firm.name in saved.record.aliases  # type: ignore[union-attr]
    with pytest.raises(InputError, match="已经登记过"):
        bureau.editing.save("firms", firm.firm_id, {"name": other.name}, saved.version)


def test_no_firm_takes_the_old_name_of_another(bureau: Application) -> None:
    """A need that still says the old name would change hands with its next edit."""
    made = bureau.editing.add("firms", {"name": "甲机械有限公司"})
    firm_id = made.record.firm_id  # type: ignore[union-attr]
    renamed = bureau.editing.save("firms", firm_id, {"name": "乙机械有限公司"}, made.version)
    with pytest.raises(InputError, match=r"“甲机械有限公司”已经登记过（.+ 乙机械有限公司）"):
        bureau.editing.add("firms", {"name": "甲机械 有限公司"})
    kept = bureau.editing.save("firms", firm_id, {"town": "宋村镇"}, renamed.version)
    assert kept.record.aliases == ("甲机械有限公司",)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"signed_on": "2026-12-31", "stage": "签约"}, "还没有到"),
        ({"signed_on": "2026-11-20", "stage": "洽谈"}, "合作阶段是“洽谈”，却有签约日期"),
        ({"signed_on": "2026-11-20", "stage": "签约", "contract_no": "ＨＴ－9"}, "已登记给“示例甲厂”"),
    ],
)
def test_a_row_of_the_ledger_that_would_count_wrongly_is_refused(
    bureau: Application, given: dict[str, str], said: str
) -> None:
    base = {"institution": "浙江大学", "title": "项目", "kind": "合作"}
    first = {**base, "firm": "示例甲厂", "signed_on": "2026-03-01", "stage": "签约", "contract_no": "HT-9"}
    bureau.editing.add("cooperation", first)
    bureau.editing.add("cooperation", {**first, "institution": "清华大学"})  # three parties, one contract
    with pytest.raises(InputError, match=said):
        bureau.editing.add("cooperation", {**base, "firm": "示例乙厂", **given})


def test_a_team_is_added_with_its_owner_once(bureau: Application, expert: Expert) -> None:
    given = {"name": "新涂层团队", "institution": expert.institution, "research_directions": "水泵耐磨涂层"}
    made = bureau.editing.add("experts", given).record
    assert isinstance(made, Expert)
    assert (made.institution_id, made.data_kind, made.updated_on) == (expert.institution_id, "本地", TODAY)
    assert bureau.records.expert(made.expert_id) == made
    with pytest.raises(InputError, match="已经有了"):
        bureau.editing.add("experts", given)
    with pytest.raises(InputError, match="不在这里添加"):
        bureau.editing.add("needs", {})
    with pytest.raises(NotFoundError):
        bureau.editing.add("works", {"expert_id": "E-none", "title": "某"})


# ---------------------------------------------------------------- two at once, history, undo


def test_the_second_writer_is_told_what_the_first_changed(bureau: Application) -> None:
    opened = bureau.editing.record("experts", "E330")
    bureau.editing.save("experts", "E330", {"department": "材料学院"}, opened.version)
    with pytest.raises(ConflictError) as lost:
        bureau.as_person(LI).editing.save("experts", "E330", {"capacity": "9"}, opened.version)
    assert "所在部门" in str(lost.value)
    assert "材料学院" in str(lost.value)
    assert "承接上限" not in str(lost.value), "one's own change is no news"
    assert bureau.records.expert("E330").capacity != 9


def test_history_says_who_changed_what(
    team: Application, bureau: Application, small_app: Application
) -> None:
    small_app.accounts.create(WANG)
    one = bureau.editing.save(
        "experts", "E330", {"department": "材料学院"}, version(bureau, "experts", "E330")
    )
    team.editing.save("experts", "E330", {"capacity": "9"}, one.version)
    write(
        bureau,
        lambda s: s.experts.upsert([replace(bureau.records.expert("E330"), homepage="https://example.cn")]),
    )
    told = [(change.who, "；".join(change.lines)) for change in bureau.editing.history("experts", "E330")]
    assert [who for who, _ in told] == ["", "team", "王科长"], "an import names nobody"
    assert "承接上限" in told[1][1]
    assert "材料学院" in told[2][1]
    assert [c.who for c in team.editing.history("experts", "E330")] == ["", "team", "科技局"]
    assert all(abs(c.at - team.clock()) < timedelta(days=1) for c in team.editing.history("experts", "E330"))


def test_a_team_undoes_only_what_it_may_change(
    team: Application, bureau: Application, expert: Expert
) -> None:
    with pytest.raises(InputError, match="没有改动过"):
        team.editing.undo("experts", "E330", version(team, "experts", "E330"))
    one = team.editing.save("experts", "E330", {"department": "材料学院"}, version(team, "experts", "E330"))
    two = bureau.editing.save("experts", "E330", {"name": "科技局改的名称"}, one.version)
    with pytest.raises(ConflictError):
        team.editing.undo("experts", "E330", one.version)
    undone = team.editing.undo("experts", "E330", two.version).record
    assert isinstance(undone, Expert)
    assert undone.department == expert.department
    assert undone.name == "科技局改的名称"


def test_what_is_put_back_is_checked_like_what_is_typed(bureau: Application, expert: Expert) -> None:
    made = bureau.editing.add("firms", {"name": "甲机械有限公司"})
    firm_id = made.record.firm_id  # type: ignore[union-attr]
    renamed = bureau.editing.save("firms", firm_id, {"name": "乙机械有限公司"}, made.version)
    undone = bureau.editing.undo("firms", firm_id, renamed.version)
    assert undone.record.name == "甲机械有限公司"  # type: ignore[union-attr]
    assert undone.record.aliases == ("乙机械有限公司",)  # type: ignore[union-attr]
    given = {"name": "新涂层团队", "institution": expert.institution, "research_directions": "水泵耐磨涂层"}
    team = bureau.editing.add("experts", given).record
    work = bureau.editing.add("works", {"expert_id": "E330", "title": "耐磨涂层", "kind": "论文"})
    work_id = work.record.work_id  # type: ignore[union-attr]
    moved = bureau.editing.save("works", work_id, {"expert_id": team.expert_id}, work.version)  # type: ignore[union-attr]
    write(bureau, lambda stored: stored.experts.delete(["E330"]))
    with pytest.raises(NotFoundError, match="E330"):
        bureau.editing.undo("works", work_id, moved.version)


def test_a_new_record_under_a_used_id_has_no_past(bureau: Application, expert: Expert) -> None:
    given = {"expert_id": "E330", "title": "论文甲", "kind": "论文", "abstract": "初稿"}
    made = bureau.editing.add("works", given)
    work_id = made.record.work_id  # type: ignore[union-attr]
    changed = bureau.editing.save("works", work_id, {"abstract": "第二稿"}, made.version)
    bureau.editing.delete_work(work_id, changed.version)
    again = bureau.editing.add("works", {**given, "abstract": "全新内容"})
    assert again.record.work_id == work_id  # type: ignore[union-attr]
    assert again.version > changed.version
    assert bureau.editing.history("works", work_id) == ()
    with pytest.raises(InputError, match="没有改动过"):
        bureau.editing.undo("works", work_id, again.version)


def test_what_a_profile_lacks_is_said_weightiest_first() -> None:
    bare = Expert("E", "甲", "乙")
    missing, asked = profile_gaps(bare, 0)
    assert len(missing) == asked
    assert missing[0].startswith("研究方向")
    full = replace(
        bare, disciplines=("材料",), research_directions=("a", "b", "c"), achievements=("d", "e"),
        keywords=("f", "g", "h"), industry_experience="有", capacity=0, contact="电话",
    )  # fmt: skip
    assert profile_gaps(full, 2) == ((), asked)
