from __future__ import annotations

from datetime import date

from matcher.models import Cooperation
from matcher.services.bootstrap import Application
from matcher.services.progress import count_by_month, signed_projects, year_share
from matcher.vocab import CooperationKind, Stage


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
