"""What every database must do alike: each test runs on a SQLite file and on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import event

from matcher.errors import ConflictError, InputError, NotFoundError, StoreError
from matcher.models import (
    Cooperation,
    Evidence,
    Expert,
    Facet,
    Firm,
    Institution,
    Match,
    Need,
    Record,
    RequirementLine,
    Run,
    Shortlist,
    ShortlistItem,
    Work,
)
from matcher.store import tables
from matcher.store.database import Database
from matcher.store.entries import Change, UpsertResult
from matcher.store.repositories import Repositories
from matcher.vocab import Channel, DataKind, DecisionKind, Direction, FacetKind, LineKind

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEED = Need(
    "N1",
    "示例轴承厂01",
    "轴承磨得快",
    "用三个月就响，换了油也没用",
    keywords=("轴承", "磨；损"),
    budget_wan=50,
    start_on=date(2026, 3, 1),
    data_kind=DataKind.SAMPLE,
)
EXPERT = Expert(
    "E1",
    "摩擦学示例团队01",
    "鲁东大学",
    disciplines=("机械工程",),
    achievements=("“引号”与\n换行",),
    capacity=0,
    data_kind=DataKind.SAMPLE,
    updated_on=date(2026, 2, 1),
)
WORK = Work("W1", "E1", "论文", "表面织构的减摩机理", year=2024)
RECORDS: Mapping[str, Record] = {
    "needs": NEED,
    "experts": EXPERT,
    "works": WORK,
    "firms": Firm("F1", "天润工业", aliases=("天润",), chain_leader=True),
    "institutions": Institution("I1", "鲁东大学", travel_days=0.5),
    "cooperation": Cooperation("C1", "天润工业", "鲁东大学", amount_wan=12.5, kind="合作"),
}
PAIR = ("N1", "E1")


@pytest.fixture
def database(any_database_url: str) -> Iterator[Database]:
    with Database(any_database_url) as opened:
        yield opened


class Ticking:
    """One second later at every call."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


Opener = Callable[[], AbstractContextManager[Repositories]]


@pytest.fixture
def repositories(database: Database) -> Opener:
    """Opens the repositories in a new writing transaction."""
    clock = Ticking()

    @contextmanager
    def opened() -> Iterator[Repositories]:
        with database.session() as session:
            yield Repositories(session, clock)

    return opened


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements run inside the block."""
    with database.reading() as session:
        engine = session.engine
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def firms(n: int, note: str = "") -> list[Firm]:
    return [Firm(f"F{i:05}", f"企业{i}{note}") for i in range(n)]


# ---------------------------------------------------------------- records


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_comes_back_equal(repositories: Opener, kind: str) -> None:
    record = RECORDS[kind]
    record_id = getattr(record, fields(record)[0].name)
    with repositories() as repos:
        assert getattr(repos, kind).upsert([record]) == UpsertResult(new=(record_id,))
    with repositories() as repos:
        repository = getattr(repos, kind)
        assert repository.get(record_id) == record
        assert repository.all() == (record,)
        assert repository.ids() == (record_id,)
        assert repository.count() == repository.version(record_id) == 1
        assert repository.upsert([record]) == UpsertResult(same=(record_id,))
        assert repos.changes_since(0) == (Change(1, kind, record_id, "insert"),)
        assert repository.delete([record_id]) == (record_id,)
        assert repository.get(record_id) is None


def test_what_is_missing_is_none_or_left_out(repositories: Opener) -> None:
    with repositories() as repos:
        repos.needs.upsert([NEED])
        assert repos.needs.get("N9") is None
        assert list(repos.needs.get_many(["N9", "N1", "N1"])) == ["N1"]
        assert repos.needs.delete(["N9"]) == ()
        with pytest.raises(NotFoundError, match="技术需求“N9”不存在"):
            repos.needs.version("N9")


def test_order_is_by_code_point(repositories: Opener) -> None:
    ids = ["a", "B", "企", "Z9", "Z10", "_"]
    with repositories() as repos:
        repos.firms.upsert([Firm(i, "名") for i in ids])
        assert repos.firms.ids() == tuple(sorted(ids))
        assert [firm.firm_id for firm in repos.firms.all()] == sorted(ids)
        assert list(repos.firms.versions(ids[::-1])) == ids[::-1]
        assert list(repos.firms.get_many(ids)) == ids


def test_upsert_tells_new_changed_and_same_apart(repositories: Opener) -> None:
    a, b, c = firms(3)
    with repositories() as repos:
        repos.firms.upsert([a, b])
        changed = replace(b, town="宋村镇")
        result = repos.firms.upsert([c, changed, a, c])
        assert result == UpsertResult((c.firm_id,), (b.firm_id,), (a.firm_id,))
        assert repos.firms.get(b.firm_id) == changed
        assert repos.firms.version(b.firm_id) == 2
        assert repos.firms.version(a.firm_id) == 1
        assert repos.firms.versions(["F?", b.firm_id, a.firm_id]) == {b.firm_id: 2, a.firm_id: 1}
        assert [(c.record_id, c.op) for c in repos.changes_since(2)] == [
            (c.firm_id, "insert"),
            (b.firm_id, "update"),
        ]


def test_unchanged_rows_are_not_written(repositories: Opener, database: Database) -> None:
    with repositories() as repos:
        repos.firms.upsert(firms(3))
    with counted(database) as seen, repositories() as repos:
        repos.firms.upsert(firms(3))
    assert not [s for s in seen if s.startswith(("INSERT", "UPDATE", "DELETE"))]


def test_times_follow_the_clock(database: Database) -> None:
    def stamp() -> tuple[datetime, datetime]:
        columns = tables.firms.c
        with database.reading() as session:
            created, updated = session.execute(
                tables.firms.select().with_only_columns(columns.created_at, columns.updated_at)
            ).one()
            return created, updated

    later = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    with database.session() as session:
        Repositories(session, lambda: NOON).firms.upsert(firms(1))
    assert stamp() == (NOON, NOON)
    with database.session() as session:
        Repositories(session, lambda: later).firms.upsert(firms(1, "改"))
    assert stamp() == (NOON, datetime(2026, 3, 2, 1, 30, tzinfo=UTC))


def test_a_time_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="time zone"), database.session() as session:
        Repositories(session, lambda: datetime(2026, 3, 1)).firms.upsert(firms(1))


def test_error_texts_hold_no_stored_values(database: Database) -> None:
    doubled = tables.settings.insert()
    with pytest.raises(StoreError) as caught, database.session() as session:
        session.execute(doubled, [{"key": "电话", "value": "13800000000"}] * 2)
    assert "冲突" in caught.value.user_message
    assert "13800000000" not in f"{caught.value.__cause__}"


def test_one_id_with_two_contents_writes_nothing(repositories: Opener) -> None:
    with repositories() as repos:
        with pytest.raises(ValueError, match="two different records"):
            repos.needs.upsert([NEED, replace(NEED, title="另一个")])
        assert repos.needs.count() == repos.revision() == 0


def test_update_counts_versions(repositories: Opener) -> None:
    with repositories() as repos:
        repos.needs.upsert([NEED])
        assert repos.needs.update(replace(NEED, budget_wan=80), 1) == 2
        assert repos.needs.update(replace(NEED, budget_wan=80), 2) == 2
        assert repos.needs.version("N1") == 2
        assert repos.revision() == 2


def test_a_conflict_says_what_changed_and_writes_nothing(repositories: Opener) -> None:
    mine = replace(NEED, title="轴承异响")
    with repositories() as repos:
        repos.needs.upsert([NEED])
        repos.needs.update(replace(NEED, budget_wan=80), 1)
        with pytest.raises(ConflictError) as caught:
            repos.needs.update(mine, 1, base=NEED)
        assert "“N1”刚刚被别人改过" in caught.value.user_message
        assert caught.value.user_message.endswith("「拟投入资金（万元）」50 → 80")
        with pytest.raises(ConflictError) as caught:
            repos.needs.update(mine, 1)
        assert "「技术需求名称」轴承磨得快 → 轴承异响" in caught.value.user_message
        assert "80 → 50" in caught.value.user_message
        assert caught.value.hint
        assert repos.needs.get("N1") == replace(NEED, budget_wan=80)
        assert repos.revision() == 2


def test_the_same_change_made_twice_is_still_a_conflict(repositories: Opener) -> None:
    later = replace(NEED, budget_wan=80)
    with repositories() as repos:
        repos.needs.upsert([NEED])
        repos.needs.update(later, 1)
        with pytest.raises(ConflictError):
            repos.needs.update(later, 1)


def test_updating_a_deleted_record_is_not_found(repositories: Opener) -> None:
    with repositories() as repos:
        repos.needs.upsert([NEED])
        repos.needs.delete(["N1"])
        with pytest.raises(NotFoundError):
            repos.needs.update(NEED, 1)


def test_versions_are_never_reused_after_deletion(repositories: Opener) -> None:
    with repositories() as repos:
        repos.needs.upsert([NEED])
        repos.needs.delete(["N1"])
        repos.needs.upsert([replace(NEED, title="重新导入")])
        with pytest.raises(ConflictError):
            repos.needs.update(NEED, 1)
        assert [change.op for change in repos.changes_since(0)] == ["insert", "delete", "insert"]


def test_delete_where_sample_leaves_the_bureaus_own(repositories: Opener) -> None:
    own = replace(NEED, need_id="N2", data_kind=DataKind.OWN)
    works = [
        replace(WORK, work_id="W1", expert_id="E1"),
        replace(WORK, work_id="W2", expert_id="E2"),
        replace(WORK, work_id="W3", expert_id="E2", kind="示例成果"),
    ]
    with repositories() as repos:
        repos.needs.upsert([NEED, own])
        repos.experts.upsert([EXPERT, replace(EXPERT, expert_id="E2", data_kind="本地")])
        repos.works.upsert(works)
        repos.institutions.upsert([Institution("I1", "鲁东大学")])
        assert repos.works.delete_where_sample() == ("W1", "W3")
        assert repos.experts.delete_where_sample() == ("E1",)
        assert repos.needs.delete_where_sample() == ("N1",)
        assert repos.institutions.delete_where_sample() == ()
        assert repos.needs.all() == (own,)
        assert repos.works.ids() == ("W2",)


def test_works_by_expert_and_orphans(repositories: Opener) -> None:
    works = [replace(WORK, work_id=w, expert_id=e) for w, e in (("W2", "E1"), ("W1", "E1"))]
    lost = replace(WORK, work_id="W3", expert_id="E9")
    with repositories() as repos:
        repos.works.upsert([*works, lost])
        assert repos.works.orphans() == {"W1": "E1", "W2": "E1", "W3": "E9"}
        repos.experts.upsert([EXPERT])
        assert repos.works.orphans() == {"W3": "E9"}
        found = repos.works.by_expert(["E1", "E2"])
        assert {key: [work.work_id for work in items] for key, items in found.items()} == {
            "E1": ["W1", "W2"],
            "E2": [],
        }


@pytest.mark.parametrize("n", [1, 400])
def test_statements_do_not_grow_with_rows(repositories: Opener, database: Database, n: int) -> None:
    with counted(database) as seen, repositories() as repos:
        repos.firms.upsert(firms(n))
        repos.firms.upsert(firms(n, "改"))
        repos.firms.get_many(firm.firm_id for firm in firms(n))
        repos.works.by_expert(firm.firm_id for firm in firms(n))
        repos.firms.delete(firm.firm_id for firm in firms(n))
    assert len(seen) <= 17


def test_more_rows_than_one_batch(repositories: Opener) -> None:
    with repositories() as repos:
        assert len(repos.firms.upsert(firms(1201)).new) == 1201
        assert len(repos.firms.upsert(firms(1201, "改")).changed) == 1201
        assert len(repos.firms.get_many(repos.firms.ids())) == 1201
        assert len(repos.firms.delete(repos.firms.ids())) == 1201
        assert repos.firms.count() == 0
        assert len(repos.changes_since(0)) == 3603


def test_revisions_are_rolled_back_with_their_records(repositories: Opener) -> None:
    with repositories() as repos:
        repos.needs.upsert([NEED])
        before = repos.revision()
    with pytest.raises(RuntimeError), repositories() as repos:
        repos.experts.upsert([EXPERT])
        assert repos.revision() > before
        raise RuntimeError
    with repositories() as repos:
        assert repos.revision() == before
        assert repos.changes_since(before) == ()


def test_a_reading_session_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError, match="不能写入"), database.reading() as session:
        Repositories(session).needs.upsert([NEED])


# ---------------------------------------------------------------- runs, decisions, audit, settings


def run(run_id: str, minute: int = 0, matches: tuple[Match, ...] = ()) -> Run:
    return Run(
        run_id,
        NOON + timedelta(minutes=minute),
        Direction.NEED_TO_EXPERTS,
        "N1",
        "内置模型",
        "17",
        parameters={"weights": {"dense": 0.5}, "top": 20},
        degraded=("未使用重排序",),
        matches=matches,
    )


def test_a_run_comes_back_equal_with_its_matches(repositories: Opener) -> None:
    line = RequirementLine("N1:0", "N1", LineKind.TITLE, "轴承磨得快")
    facet = Facet("E1:0", "E1", "W1", FacetKind.WORK, "表面织构", year=2024)
    scores = {Channel.DENSE: 0.1 + 0.2, Channel.LEXICAL: 1 / 3}
    match = Match("N1", "E1", 1, 0.6, scores, scores, (Evidence(line, facet, 0.7),), (line,))
    kept = run("R1", matches=(match,))
    with repositories() as repos:
        repos.runs.save(kept)
    with repositories() as repos:
        assert repos.runs.get("R1") == kept
        assert repos.runs.get("R2") is None


def test_runs_are_newest_first_and_never_overwritten(repositories: Opener) -> None:
    with repositories() as repos:
        for name, minute in (("R1", 1), ("R3", 3), ("R2", 2)):
            repos.runs.save(run(name, minute))
        assert [item.run_id for item in repos.runs.latest(2)] == ["R3", "R2"]
        with pytest.raises(ConflictError, match="R1"):
            repos.runs.save(run("R1"))


def test_the_latest_decision_of_a_pair_counts(repositories: Opener) -> None:
    with repositories() as repos:
        first = repos.decisions.put(*PAIR, DecisionKind.SHELVE, reason="待核实", decided_by="甲")
        other = repos.decisions.put("N2", "E1", DecisionKind.REJECT, note="方向不符", decided_by="甲")
        last = repos.decisions.put(*PAIR, DecisionKind.ACCEPT, run_id="R1", decided_by="乙")
        assert first.decided_at < last.decided_at
    with repositories() as repos:
        assert repos.decisions.latest_by_pair() == {PAIR: last, ("N2", "E1"): other}
        assert repos.decisions.latest_by_pair(["N2", "N3"]) == {("N2", "E1"): other}
        assert repos.decisions.latest_by_pair([]) == {}


def test_an_unknown_decision_is_refused(repositories: Opener) -> None:
    with repositories() as repos, pytest.raises(ValueError, match="也许"):
        repos.decisions.put(*PAIR, "也许", decided_by="甲")  # type: ignore[arg-type]


def test_the_audit_log_is_newest_first(repositories: Opener) -> None:
    with repositories() as repos:
        events = [
            repos.audit.add("甲", action, "needs", "N1", {"字段": ["标题"], "数": 2})
            for action in ("导入", "修改", "导出")
        ]
    with repositories() as repos:
        assert repos.audit.latest(2) == (events[2], events[1])
        assert events[0].at == NOON + timedelta(seconds=1)


def test_mappings_are_remembered_by_kind(repositories: Opener) -> None:
    many: Mapping[str, str] = {f"列{i}": "keywords" for i in range(600)}
    with repositories() as repos:
        repos.mappings.remember("needs", {"单位": "company", "难题": "title"})
        repos.mappings.remember("needs", {"难题": "problem"})
        repos.mappings.remember("experts", many)
        assert repos.mappings.recall("needs") == {"单位": "company", "难题": "problem"}
        assert repos.mappings.recall("experts") == many
        assert repos.mappings.recall("works") == {}


def test_settings_hold_any_json(repositories: Opener) -> None:
    with repositories() as repos:
        assert repos.settings.get("target", 20) == 20
        repos.settings.put("target", {"年": 2026, "项": [20, None, "示例"]})
        assert repos.settings.get("target") == {"年": 2026, "项": [20, None, "示例"]}
        repos.settings.put("target", None)
        assert repos.settings.get("target", 20) is None


# ---------------------------------------------------------------- shortlists


def item(shortlist: Shortlist, need_id: str, expert_id: str, score: float) -> ShortlistItem:
    return ShortlistItem(
        shortlist.shortlist_id,
        need_id,
        expert_id,
        score,
        "R1",
        NOON,
        note=f"{need_id}-{expert_id}",
        contributions={Channel.DENSE: score},
        evidence=("轴承磨得快 ↔ 表面织构",),
    )


def test_names_of_shortlists_are_unique(repositories: Opener) -> None:
    with repositories() as repos:
        made = repos.shortlists.create("  四月走访 ", "备注")
        assert (made.name, made.version) == ("四月走访", 1)
        assert repos.shortlists.get(made.shortlist_id) == made
        with pytest.raises(ConflictError, match="已有名为“四月走访”的清单"):
            repos.shortlists.create("四月走访")
        with pytest.raises(InputError):
            repos.shortlists.create(" ")
        other = repos.shortlists.create("五月走访")
        with pytest.raises(ConflictError):
            repos.shortlists.update(other.shortlist_id, 1, name="四月走访")


def test_renaming_checks_the_version(repositories: Opener) -> None:
    with repositories() as repos:
        made = repos.shortlists.create("四月走访")
        renamed = repos.shortlists.update(made.shortlist_id, 1, name="四月走访（定稿）")
        assert renamed.version == 2
        assert renamed.updated_at > made.updated_at
        assert repos.shortlists.get(made.shortlist_id) == renamed
        with pytest.raises(ConflictError, match="四月走访（定稿）"):
            repos.shortlists.update(made.shortlist_id, 1, note="旧页面")
        noted = repos.shortlists.update(made.shortlist_id, 2, note="报分管领导")
        assert (noted.name, noted.note, noted.version) == ("四月走访（定稿）", "报分管领导", 3)
        assert repos.shortlists.update(made.shortlist_id, 3, name=noted.name) == noted


def test_items_are_ordered_and_the_first_note_stays(repositories: Opener) -> None:
    with repositories() as repos:
        made = repos.shortlists.create("四月走访")
        low, high, tie = (item(made, "N1", e, s) for e, s in (("E1", 0.2), ("E3", 0.9), ("E2", 0.9)))
        other = item(made, "N0", "E1", 0.1)
        result = repos.shortlists.add_items(made.shortlist_id, [low, high, tie, other, low])
        assert len(result.added) == 4
        assert result.kept == (("N1", "E1"),)
        again = replace(high, note="第二次", score=0.1)
        assert repos.shortlists.add_items(made.shortlist_id, [again]).kept == (("N1", "E3"),)
    with repositories() as repos:
        assert repos.shortlists.items(made.shortlist_id) == (other, tie, high, low)


def test_items_can_be_noted_and_removed(repositories: Opener) -> None:
    with repositories() as repos:
        made = repos.shortlists.create("四月走访")
        key = made.shortlist_id
        repos.shortlists.add_items(key, [item(made, "N1", e, 0.5) for e in ("E1", "E2", "E3")])
        repos.shortlists.set_note(key, "N1", "E2", "先电话联系")
        notes = [entry.note for entry in repos.shortlists.items(key)]
        assert notes == ["N1-E1", "先电话联系", "N1-E3"]
        removed = repos.shortlists.remove_items(key, [("N1", "E3"), ("N9", "E9"), ("N1", "E1")])
        assert removed == (("N1", "E3"), ("N1", "E1"))
        assert [entry.expert_id for entry in repos.shortlists.items(key)] == ["E2"]
        with pytest.raises(NotFoundError):
            repos.shortlists.set_note(key, "N1", "E3", "已移出")


def test_an_item_of_another_list_is_refused(repositories: Opener) -> None:
    with repositories() as repos:
        one, two = repos.shortlists.create("甲"), repos.shortlists.create("乙")
        with pytest.raises(ValueError, match="belongs to"):
            repos.shortlists.add_items(two.shortlist_id, [item(one, "N1", "E1", 0.5)])


def test_lists_are_counted_in_one_query(repositories: Opener, database: Database) -> None:
    with repositories() as repos:
        empty, full = repos.shortlists.create("空"), repos.shortlists.create("满")
        repos.shortlists.add_items(full.shortlist_id, [item(full, "N1", e, 0.5) for e in "AB"])
    with counted(database) as seen, database.reading() as session:
        n_before = len(seen)
        summaries = Repositories(session).shortlists.all()
        assert len(seen) == n_before + 1
    assert [(s.shortlist.name, s.n_items) for s in summaries] == [("满", 2), ("空", 0)]
    assert summaries[1].shortlist == empty


def test_a_deleted_list_takes_its_items_along(repositories: Opener) -> None:
    with repositories() as repos:
        made = repos.shortlists.create("四月走访")
        repos.shortlists.add_items(made.shortlist_id, [item(made, "N1", "E1", 0.5)])
        repos.shortlists.delete(made.shortlist_id)
        assert repos.shortlists.all() == ()
        for call in (
            lambda: repos.shortlists.items(made.shortlist_id),
            lambda: repos.shortlists.delete(made.shortlist_id),
            lambda: repos.shortlists.add_items(made.shortlist_id, []),
            lambda: repos.shortlists.update(made.shortlist_id, 1, name="新"),
        ):
            with pytest.raises(NotFoundError):
                call()
        assert repos.shortlists.create("四月走访").name == "四月走访"
