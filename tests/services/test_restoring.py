"""A backup comes back whole, the present data is kept, and a file that is no backup changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from matcher.config import ROOT
from matcher.errors import InputError, StoreError
from matcher.models import Person
from matcher.services.bootstrap import Application
from matcher.services.restoring import restore
from matcher.vocab import Role


def test_a_backup_comes_back_and_the_present_is_kept(small_app: Application, tmp_path: Path) -> None:
    app = small_app
    backup = app.database.backup_to(tmp_path / "备份.db")
    n_needs, before = len(app.records.needs()), app.engine.records().revision
    app.records.drop_samples()
    assert len(app.records.needs()) < n_needs
    kept = restore(app.database, backup, app.clock)
    assert len(app.records.needs()) == n_needs, "also in a program that went on running"
    assert app.engine.records().revision > before
    assert app.accounts.audit(1)[0].action == "restore"
    restore(app.database, kept, app.clock)
    assert len(app.records.needs()) < n_needs


def test_sign_ins_end_with_a_restore(small_app: Application, tmp_path: Path) -> None:
    made = small_app.accounts.create(Person("boss", "李主任", Role.ADMIN))
    token = small_app.entrance.sign_in("boss", made.password).token
    backup = small_app.database.backup_to(tmp_path / "b.db")
    restore(small_app.database, backup, small_app.clock)
    assert small_app.entrance.account_of(token) is None
    assert small_app.entrance.sign_in("boss", made.password)


@pytest.mark.parametrize("content", [b"", b"not a database at all, really not" * 20])
def test_a_file_that_is_no_backup_changes_nothing(
    small_app: Application, tmp_path: Path, content: bytes
) -> None:
    bad = tmp_path / "坏.db"
    bad.write_bytes(content)
    n_needs = len(small_app.records.needs())
    if content:
        with pytest.raises(StoreError):
            restore(small_app.database, bad, small_app.clock)
    else:
        with pytest.raises(StoreError, match="是空的"):
            restore(small_app.database, bad, small_app.clock)
    assert len(small_app.records.needs()) == n_needs


def test_a_missing_file_and_the_database_itself_are_refused(small_app: Application, tmp_path: Path) -> None:
    assert small_app.database.path is not None
    with pytest.raises(InputError, match="没有找到"):
        restore(small_app.database, tmp_path / "没有.db", small_app.clock)
    with pytest.raises(InputError, match="本身"):
        restore(small_app.database, small_app.database.path, small_app.clock)


def test_an_older_backup_is_brought_to_the_present_schema(small_app: Application, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    shutil.copy(ROOT / "tests" / "store" / "schemas" / "0001.db", old)
    restore(small_app.database, old, small_app.clock)
    assert [need.title for need in small_app.records.needs()] == ["轴承磨得快"]
