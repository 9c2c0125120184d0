"""The migrations lead exactly to ``tables``, and a database that is not ours is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from matcher.columns import fields_of
from matcher.errors import StoreError
from matcher.store import codec, tables
from matcher.store.database import Database

SPECS = (
    codec.NEEDS,
    codec.EXPERTS,
    codec.WORKS,
    codec.FIRMS,
    codec.INSTITUTIONS,
    codec.COOPERATION,
)


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_migrating_gives_the_tables_of_the_program(database: Database) -> None:
    with database.reading() as session:
        context = MigrationContext.configure(session, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_the_comparison_would_notice_a_missing_index(database: Database) -> None:
    with database.session() as session:
        session.execute(text("DROP INDEX ix_works_expert_id"))
    with database.reading() as session:
        found = compare_metadata(MigrationContext.configure(session), tables.metadata)
    assert [step[0] for step in found] == ["add_index"]


def test_names_of_constraints_and_required_columns_agree(database: Database) -> None:
    with database.reading() as session:
        reflected = inspect(session)
        for table in tables.metadata.sorted_tables:
            required = {c["name"] for c in reflected.get_columns(table.name) if not c["nullable"]}
            assert required == {column.name for column in table.columns if not column.nullable}
            primary = reflected.get_pk_constraint(table.name)
            assert primary["constrained_columns"] == [c.name for c in table.primary_key]
            assert primary["name"] == f"pk_{table.name}"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind.value)
def test_columns_are_the_fields_of_the_record(spec: codec.RecordSpec) -> None:  # type: ignore[type-arg]
    names = [item.name for item in fields(spec.cls)]
    kept = ["content_hash", "version", "created_at", "updated_at"]
    assert [column.name for column in spec.table.columns] == names + kept
    assert {item.name for item in fields_of(spec.kind)} == set(names)


def test_an_empty_file_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with Database(f"sqlite:///{path}") as database, database.reading() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["0001"]


def test_a_percent_sign_in_the_folder_does_no_harm(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / '100%' / 'matcher.db'}") as database:
        assert database.path is not None
        assert database.path.exists()


def test_a_newer_database_is_refused_untouched(database: Database, database_path: Path) -> None:
    database.close()
    execute(database_path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="比本程序新") as caught:
        database.open()
    assert "9999" in caught.value.user_message
    assert "升级" in caught.value.hint
    with closing(sqlite3.connect(database_path)) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("9999",)]


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    execute(path, "CREATE TABLE bookmarks (id INTEGER)")
    with pytest.raises(StoreError, match="别的程序"):
        Database(f"sqlite:///{path}").open()
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("bookmarks",)]


def test_a_failing_migration_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    real = op.create_index

    def broken(name: str, table: str, names: list[str]) -> None:
        if table == "runs":
            raise RuntimeError("power cut")
        real(name, table, names)

    path = tmp_path / "half.db"
    monkeypatch.setattr(op, "create_index", broken)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(RuntimeError, match="power cut"):
        database.open()
    database.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    monkeypatch.undo()
    with database, database.reading() as session:
        assert inspect(session).has_table("runs")
