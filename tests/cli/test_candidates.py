"""export --candidates, and what doctor says of the year."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from matcher.cli import main
from matcher.config import load_settings
from matcher.models import Expert, Need
from matcher.services.bootstrap import Application, open_application
from matcher.services.doctor import run_checks
from matcher.store.repositories import Repositories
from matcher.vocab import Stage


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two needs, one of them 保密, each accepted with the one team."""
    monkeypatch.setenv("MATCHER_ENCODER", "none")
    folder = tmp_path / "home"
    with opened(folder) as app:
        with app.database.session() as session:
            stored = Repositories(session, app.clock)
            stored.experts.upsert([Expert("E1", "耐磨团队", "某大学", contact="孙教授")])
            stored.needs.upsert(
                Need(key, "某厂", f"题目{key}", "轴承磨得快", town="某镇", status="已发布",
                     confidentiality=limit, phone="13900001111")
                for key, limit in (("XQ-1", "公开"), ("XQ-2", "保密"))
            )  # fmt: skip
        for key in ("XQ-1", "XQ-2"):
            app.review.pair(key, "E1")
    return folder


def opened(home: Path) -> Application:
    return open_application(load_settings(home), samples=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if row["需求编号"]]


def test_a_list_by_town(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "清单.csv"
    assert main(["--home", str(home), "export", "--candidates", "--by", "town", str(out)]) == 0
    (row,) = rows_of(out)
    assert (row["分组"], row["需求编号"], row["对接状态"]) == ("某镇", "XQ-1", "已推荐")
    assert "13900001111" not in out.read_text(encoding="utf-8-sig")
    ticks = ("--with-contacts", "--with-confidential")
    assert main(["--home", str(home), "export", "--candidates", *ticks, str(out)]) == 0
    assert {row["联系电话"] for row in rows_of(out)} == {"13900001111"}
    assert {row["需求编号"] for row in rows_of(out)} == {"XQ-1", "XQ-2"}
    with opened(home) as app, app.database.reading() as session:
        told, export = Repositories(session).audit.latest(2)
    assert (told.action, export.action, export.detail["pairs"]) == ("export_contacts", "export", 2)
    assert main(["--home", str(home), "export", "--candidates", "--year", "2020", str(out)]) == 0
    assert rows_of(out) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [(("--shortlist", "甲", "清单.csv"), "一次只导出一样"), (("清单.pdf",), ".xlsx")],
)
def test_what_cannot_be_is_said(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str
) -> None:
    given = [*args[:-1], str(tmp_path / args[-1])]
    assert main(["--home", str(home), "export", "--candidates", *given]) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / args[-1]).exists()


def test_doctor_names_a_year_that_its_log_does_not_tell(home: Path) -> None:
    with opened(home) as app:
        checks = {check.name: check for check in run_checks(app)}
        assert checks["年度数字"].ok
        year = app.year.dashboard().year
        with app.database.session() as session:
            stored = Repositories(session, app.clock)
            one = stored.engagements.all()[0]
            changed = replace(one, stage=Stage.SIGNED.value, signed_on=date(year, 1, 1))
            stored.engagements.update(changed, one.version)
        check = {check.name: check for check in run_checks(app)}["年度数字"]
    assert not check.ok
    assert "数据里是 1，按操作记录重算是 0" in check.message
