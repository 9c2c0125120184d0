from __future__ import annotations

from datetime import date, timedelta

from matcher.models import Cooperation, Expert, Firm, Need, Record, ShortlistItem, Work
from matcher.services.bootstrap import Application
from matcher.services.progress import count_by_month, signed_projects, year_share
from matcher.services.records import OWN_WORKS
from matcher.store.repositories import Repositories
from matcher.vocab import CooperationKind, Stage

TODAY = date(2026, 11, 25)


def row(number: int, signed_on: date | None, contract: str = "", **values: object) -> Cooperation:
    kind = values.pop("kind", CooperationKind.COOPERATION)
    return Cooperation(
        f"C{number}", "甲厂", "乙校", signed_on=signed_on, contract_no=contract, kind=str(kind), **values
    )  # type: ignore[arg-type]


def test_a_contract_counts_once_in_the_year_it_was_signed() -> None:
    rows = [
        row(1, date(2026, 1, 1), "合-1"),
        row(2, date(2026, 2, 1), "合-1"),  # second team of the same contract
        row(3, date(2026, 3, 1)),  # no contract number: stands for itself
        row(4, date(2026, 3, 1)),
        row(5, date(2025, 12, 31), "合-2"),
        row(6, None, "合-3"),  # not signed
        row(7, date(2026, 4, 1), "合-4", kind=CooperationKind.CONFLICT),
        row(8, date(2026, 5, 1), "合-5", stage=Stage.ENDED),  # ended later: listed, still counted
    ]
    assert [r.cooperation_id for r in signed_projects(rows, 2026)] == ["C1", "C3", "C4", "C8"]
    assert [r.cooperation_id for r in signed_projects(rows, 2025)] == ["C5"]
    assert len(signed_projects(rows)) == 5
    assert count_by_month(signed_projects(rows, 2026)) == (1, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0)


def test_contract_numbers_are_compared_without_width_and_case() -> None:
    rows = [row(1, date(2026, 1, 1), "HT－１"), row(2, date(2026, 1, 2), "ht-1")]
    assert len(signed_projects(rows, 2026)) == 1


def test_year_share_is_whole_at_the_end_of_the_year() -> None:
    assert year_share(date(2026, 12, 31)) == 1.0
    assert year_share(date(2024, 7, 1)) == 183 / 366


def test_overview_agrees_with_a_recount_of_the_file(app: Application) -> None:
    overview = app.overview.summary()
    rows = app.records.cooperation()
    contracts = {r.contract_no for r in rows if r.signed_on and r.signed_on.year == 2026 and r.kind == "合作"}
    assert overview.year_signed == len(contracts) == len(app.overview.signed(2026)) == 13
    every = {
        r.contract_no for r in rows if r.signed_on and 2024 <= r.signed_on.year <= 2026 and r.kind == "合作"
    }
    assert overview.total_signed == len(every) == len(app.overview.signed())
    assert sum(overview.signed_by_month) == overview.year_signed
    assert overview.signed_sample == overview.year_signed
    assert overview.year_target == 20
    assert overview.expected_by_now == 20 * 329 / 365
    assert overview.counts["needs"] == len(app.records.needs())
    assert {todo.kind for todo in overview.todo} >= {"match", "talks", "waiting"}


def test_an_empty_system_says_import_first(empty_app: Application) -> None:
    overview = empty_app.overview.summary()
    assert overview.year_signed == 0
    assert [todo.page for todo in overview.todo] == ["data"]


def test_own_works_of_a_sample_team_are_counted_and_named_when_they_go(app: Application) -> None:
    rows = [["成果编号", "专家编号", "成果类型", "成果名称"], ["W-X", "E101", "专利", "自有的专利"]]
    app.imports.confirm(app.imports.preview("works", "\n".join(map(",".join, rows)).encode(), "成果.csv"))
    deleted = app.records.drop_samples()
    assert (deleted["works"], deleted[OWN_WORKS]) == (764, 1)
    with app.database.reading() as session:
        event = Repositories(session).audit.latest(1)[0]
    assert event.detail["own_works"] == ["W-X 自有的专利"]
    assert app.records.drop_samples() == dict.fromkeys(
        ("needs", "experts", "firms", "cooperation", "works"), 0
    )


NEEDS = (
    Need("N1", "甲", "题一", "难", sector="电子信息", status="已发布"),
    Need("N2", "甲", "题二", "难", sector="电子信息", status="已发布"),
    Need("N3", "乙", "题三", "难", sector="海洋生物", status="已发布", data_kind="示例"),
    Need("N4", "乙", "题四", "难", sector="海洋生物", status="待受理"),
    Need("N5", "乙", "题五", "难", sector="现代农业", status="已解决"),
)
EXPERTS = (
    Expert("E1", "一", "甲校", ring="区内", disciplines=("光学",), updated_on=TODAY - timedelta(365)),
    Expert("E2", "二", "甲校", ring="区内", disciplines=("光学",), updated_on=TODAY - timedelta(366)),
    Expert("E3", "三", "乙校", ring="全国", disciplines=("光学",), updated_on=TODAY - timedelta(4)),
    Expert("E4", "四", "乙校", ring="全国", disciplines=("光学",), data_kind="示例"),
    Expert("E5", "五", "乙校", disciplines=("光学",)),
)
COOPERATION = (
    row(1, None, stage=Stage.TALKS),
    row(2, date(2026, 3, 1), stage=Stage.TALKS),  # signed by now
    row(3, None, stage=Stage.TALKS, kind=CooperationKind.CONFLICT),
    row(4, None, stage=Stage.CONTACT),
    row(5, None, stage=Stage.TALKS, data_kind="示例"),
)
WORKS = (
    Work("W1", "E1", "专利", "甲"),
    Work("W2", "E4", "专利", "乙"),
    Work("W3", "E4", "示例成果", "丙"),
    Work("W4", "E1", "示例成果", "丁"),
    Work("W5", "E2", "论文", "戊"),
)
FIRMS = tuple(Firm(f"F{n}", f"厂{n}", data_kind="示例" if n == 5 else "本地") for n in range(1, 6))


def fill(app: Application, *groups: tuple[Record, ...]) -> None:
    kinds = {Need: "needs", Expert: "experts", Cooperation: "cooperation", Work: "works", Firm: "firms"}
    with app.database.session() as session:
        for group in groups:
            getattr(Repositories(session), kinds[type(group[0])]).upsert(group)


def tick(app: Application, need_id: str, expert_id: str) -> None:
    made = app.shortlists.create("清单")
    with app.database.session() as session:
        item = ShortlistItem(made.shortlist_id, need_id, expert_id, 0.5, "R1", made.created_at)
        Repositories(session).shortlists.add_items(made.shortlist_id, [item])


def test_todo_counts_exactly_what_waits(empty_app: Application) -> None:
    fill(empty_app, NEEDS, EXPERTS, COOPERATION, WORKS, FIRMS)
    tick(empty_app, "N1", "E1")
    todo = {
        item.kind: (item.count, item.page, dict(item.params)) for item in empty_app.overview.summary().todo
    }
    assert todo == {
        "waiting": (1, "post", {"tab": "waiting"}),
        "review": (3, "review", {}),
        "talks": (2, "year", {"show": "closest"}),
        "match": (2, "needs", {"need": "N2"}),
        "stale": (1, "experts", {"stale": "1"}),
    }


def test_groups_count_published_needs_candidates_and_rings(empty_app: Application) -> None:
    fill(empty_app, NEEDS, EXPERTS)
    assert empty_app.overview.summary().by_sector == (("电子信息", 2, 0), ("海洋生物", 1, 0))
    tick(empty_app, "N1", "E1")
    overview = empty_app.overview.summary()
    assert overview.by_sector == (("电子信息", 2, 1), ("海洋生物", 1, 0))
    assert overview.by_ring == (("区内", 2), ("全国", 2))


def test_samples_are_counted_in_every_table_as_they_would_be_deleted(empty_app: Application) -> None:
    fill(empty_app, NEEDS, EXPERTS, COOPERATION, WORKS, FIRMS)
    assert empty_app.overview.summary().n_sample == 1 + 1 + 1 + 3 + 1
    deleted = empty_app.records.drop_samples()
    assert deleted == {"needs": 1, "experts": 1, "firms": 1, "cooperation": 1, "works": 2, OWN_WORKS: 1}
    assert empty_app.overview.summary().n_sample == 0
    assert {work.work_id for work in empty_app.records.works()} == {"W1", "W5"}
