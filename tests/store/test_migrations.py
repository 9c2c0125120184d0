"""The migrations lead exactly to ``tables``, and a database that is not ours is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path

import pytest
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, inspect, text

from matcher.columns import fields_of
from matcher.errors import StoreError
from matcher.store import codec, migrations, schema
from matcher.store.database import Database

SPECS = (
    codec.NEEDS,
    codec.EXPERTS,
    codec.WORKS,
    codec.FIRMS,
    codec.INSTITUTIONS,
    codec.COOPERATION,
)


VALUES: dict[type, object] = {
    str: '["一"]',
    int: 1,
    float: 0.5,
    bool: True,
    date: date(2026, 3, 1),
    datetime: datetime(2026, 3, 1, 12),
    bytes: b"%PDF",
}
"""What stands in every column of a type; the same text everywhere satisfies every foreign key."""
CONFIG = Config()
CONFIG.set_main_option("script_location", str(Path(migrations.__file__).parent))
SCRIPT = ScriptDirectory.from_config(CONFIG)
HEAD = SCRIPT.get_current_head()
REVISIONS = [step.revision for step in SCRIPT.walk_revisions()][::-1]


@pytest.fixture
def database(any_database_url: str) -> Iterator[Database]:
    with Database(any_database_url) as opened:
        yield opened


@contextmanager
def plain_connection(url: str) -> Iterator[Connection]:
    """A transaction by SQLAlchemy alone."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def row_of(table: Table) -> dict[str, object]:
    return {column.name: VALUES[column.type.python_type] for column in table.columns}


def test_migrating_gives_the_tables_of_the_program(database: Database) -> None:
    with database.reading() as session:
        context = MigrationContext.configure(session, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_the_comparison_would_notice_a_missing_index(database: Database) -> None:
    with database.session() as session:
        session.execute(text("DROP INDEX ix_works_expert_id"))
    with database.reading() as session:
        found = compare_metadata(MigrationContext.configure(session), schema.metadata)
    assert [step[0] for step in found] == ["add_index"]


def test_names_of_constraints_and_required_columns_agree(database: Database) -> None:
    with database.reading() as session:
        reflected = inspect(session)
        for table in schema.metadata.sorted_tables:
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
    owner = {"needs": {"firm_id"}, "experts": {"institution_id"}}.get(spec.kind.value, set())
    assert {item.name for item in fields_of(spec.kind)} | owner == set(names), (
        "an owner is no column of a file"
    )


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_earlier_schema_is_brought_forward_with_its_rows(any_database_url: str, revision: str) -> None:
    earlier = MetaData()
    with plain_connection(any_database_url) as connection:
        CONFIG.attributes["connection"] = connection
        command.upgrade(CONFIG, revision)
        earlier.reflect(connection)
        kept = [table for table in earlier.sorted_tables if table.name != "alembic_version"]
        for table in kept:
            connection.execute(table.insert(), row_of(table))
    assert len(kept) >= 14
    with Database(any_database_url) as database, database.reading() as session:
        context = MigrationContext.configure(session, opts={"compare_type": True})
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, schema.metadata) == []
        for table in kept:
            assert [row._asdict() for row in session.execute(table.select())] == [row_of(table)]


def test_an_empty_file_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with Database(f"sqlite:///{path}") as database, database.reading() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]


def test_a_percent_sign_in_the_folder_does_no_harm(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / '100%' / 'matcher.db'}") as database:
        assert database.path is not None
        assert database.path.exists()


def test_a_newer_database_is_refused_untouched(database: Database, any_database_url: str) -> None:
    database.close()
    with plain_connection(any_database_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="比本程序新") as caught:
        database.open()
    assert "9999" in caught.value.user_message
    assert "升级" in caught.value.hint
    with plain_connection(any_database_url) as connection:
        assert connection.execute(text("SELECT * FROM alembic_version")).all() == [("9999",)]


def test_another_programs_database_is_refused_untouched(any_database_url: str) -> None:
    with plain_connection(any_database_url) as connection:
        connection.execute(text("CREATE TABLE bookmarks (id INTEGER)"))
    with pytest.raises(StoreError, match="别的程序"):
        Database(any_database_url).open()
    with plain_connection(any_database_url) as connection:
        assert inspect(connection).get_table_names() == ["bookmarks"]


def test_a_failing_migration_leaves_no_trace(any_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = op.create_index

    def broken(name: str, table: str, names: list[str], **options: object) -> None:
        if table == "runs":
            raise RuntimeError("power cut")
        real(name, table, names, **options)

    monkeypatch.setattr(op, "create_index", broken)
    database = Database(any_database_url)
    with pytest.raises(RuntimeError, match="power cut"):
        database.open()
    database.close()
    with plain_connection(any_database_url) as connection:
        assert inspect(connection).get_table_names() == []
    monkeypatch.undo()
    with database, database.reading() as session:
        assert inspect(session).has_table("runs")
