"""Opening, refusing, transactions and backup of a SQLite file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from matcher.errors import StoreError
from matcher.models import Firm
from matcher.store import database as database_module
from matcher.store.database import Database
from matcher.store.repositories import Repositories

FIRM = Firm("F1", "示例轴承厂01")


def firm_ids(database: Database) -> tuple[str, ...]:
    with database.reading() as session:
        return Repositories(session).firms.ids()


def rows_of(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def without_root() -> Iterator[None]:
    """Root may write anywhere, so lend the tests an ordinary user's rights."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_open_makes_the_folder_and_the_file(database: Database, database_path: Path) -> None:
    assert database.path == database_path
    assert rows_of(database_path, "PRAGMA journal_mode") == [("wal",)]
    assert firm_ids(database) == ()


def test_opening_again_changes_nothing(database: Database, database_path: Path) -> None:
    with database.session() as session:
        Repositories(session).firms.upsert([FIRM])
    assert database.open() is database
    with Database(f"sqlite:///{database_path}") as second:
        assert firm_ids(second) == ("F1",)


def test_foreign_keys_are_enforced(database: Database) -> None:
    insert = text(
        "INSERT INTO shortlist_items VALUES ('S-none', 'N1', 'E1', 0.5, '', '2026-01-01', '', '{}', '[]')"
    )
    with pytest.raises(StoreError, match="冲突"), database.session() as session:
        session.execute(insert)


def test_a_session_rolls_back_on_any_exception(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt), database.session() as session:
        Repositories(session).firms.upsert([FIRM])
        raise KeyboardInterrupt
    assert firm_ids(database) == ()
    with database.reading() as session:
        assert Repositories(session).revision() == 0


def test_a_reading_session_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError, match="不能写入"), database.reading() as session:
        Repositories(session).firms.upsert([FIRM])
    with database.session() as session:
        Repositories(session).firms.upsert([FIRM])
    assert firm_ids(database) == ("F1",)


def test_a_reading_session_sees_one_snapshot(database: Database) -> None:
    with database.reading() as session:
        before = Repositories(session).firms.count()
        with database.session() as writing:
            Repositories(writing).firms.upsert([FIRM])
        assert Repositories(session).firms.count() == before == 0
    assert firm_ids(database) == ("F1",)


def test_a_second_writer_is_told_that_the_database_is_busy(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.1)
    with Database(f"sqlite:///{database_path}") as impatient, impatient.session():
        with pytest.raises(StoreError, match="数据库正忙") as caught, impatient.session():
            pytest.fail("two writers at once")
        assert caught.value.hint


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "名单.db"
    path.write_bytes("企业名称,技术需求\n".encode() * 200)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="不是数据库") as caught:
        Database(f"sqlite:///{path}").open()
    assert caught.value.hint
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused(database: Database, database_path: Path) -> None:
    database.close()
    content = bytearray(database_path.read_bytes())
    content[4096:] = b"\x7f" * (len(content) - 4096)
    database_path.write_bytes(content)
    with pytest.raises(StoreError, match="损坏"):
        database.open()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="文件夹"):
        Database(f"sqlite:///{tmp_path / 'file' / 'matcher.db'}").open()


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="打不开") as caught:
        Database(f"sqlite:///{tmp_path}").open()
    assert caught.value.hint


def test_a_folder_without_write_permission_is_refused() -> None:
    # Not below tmp_path, which only its owner may enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with without_root(), pytest.raises(StoreError, match="打不开") as caught:
            Database(f"sqlite:///{folder / 'matcher.db'}").open()
        assert caught.value.hint
        assert not list(folder.iterdir())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/d", "matcher.db"])
def test_an_address_that_cannot_serve_is_refused_at_once(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Database(url)
    assert caught.value.hint


def test_the_label_hides_the_password() -> None:
    assert "geheim" not in Database("postgresql://bureau:geheim@host/matcher").label


def test_a_closed_database_says_so(database: Database) -> None:
    database.close()
    with pytest.raises(StoreError, match="没有打开"), database.session():
        pytest.fail("not open")


def test_backup_is_a_whole_database_of_its_own(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "backup" / "2026-03-01.db"
    with database.session() as session:
        Repositories(session).firms.upsert([FIRM])
    assert database.backup_to(target) == target
    with database.session() as session:
        Repositories(session).firms.delete(["F1"])
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert rows_of(target, "PRAGMA integrity_check") == [("ok",)]
    copy = tmp_path / "copy.db"
    shutil.copy(target, copy)
    with Database(f"sqlite:///{copy}") as restored:
        assert firm_ids(restored) == ("F1",)
    database.backup_to(target)
    assert rows_of(target, "SELECT firm_id FROM firms") == []


def test_backup_refuses_its_own_file_and_an_unusable_folder(
    database: Database, database_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="本身"):
        database.backup_to(database_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="备份没有成功"):
        database.backup_to(tmp_path / "file" / "backup.db")
    assert firm_ids(database) == ()
