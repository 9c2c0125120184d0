"""Every schema committed so far leads to the present one, with what it held, on both databases.

``schemas/0001.db`` was written by the program as it was then; its rows are brought onto PostgreSQL as they stand.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, text

from matcher.config import EncoderSettings, Settings
from matcher.services.bootstrap import open_application
from matcher.store import migrations
from matcher.store.database import Database
from matcher.store.repositories import Repositories

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.db"))


def _place(schema: Path, url: str) -> None:
    """Put a database of an earlier schema where the URL points."""
    if url.startswith("sqlite"):
        shutil.copy(schema, url.removeprefix("sqlite:///"))
        return
    engine = create_engine(url)
    config = migrations._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema.stem)
    with closing(sqlite3.connect(schema)) as old, engine.begin() as connection:
        reflected = inspect(connection)
        for table in reflected.get_table_names():
            if table == "alembic_version":
                continue
            booleans = {c["name"] for c in reflected.get_columns(table) if str(c["type"]) == "BOOLEAN"}
            cursor = old.execute(f"SELECT * FROM {table}")
            names = [item[0] for item in cursor.description]
            for row in cursor:
                values = {n: bool(v) if n in booleans else v for n, v in zip(names, row, strict=True)}
                marks = ", ".join(f":{name}" for name in names)
                connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"), values)
        for table, serial in (
            ("changes", "revision"),
            ("decisions", "decision_id"),
            ("audit_events", "event_id"),
        ):
            last = f"(SELECT coalesce(max({serial}), 1) FROM {table})"
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', '{serial}'), {last})"))
    engine.dispose()


def test_there_is_a_file_of_every_earlier_schema() -> None:
    known = {path.stem for path in (Path(migrations.__file__).parent / "versions").glob("0*.py")}
    earlier = sorted(name.split("_")[0] for name in known)[:-1]
    assert [path.stem for path in SCHEMAS] == earlier


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.stem)
def test_what_was_stored_is_still_there(schema: Path, any_database_url: str) -> None:
    _place(schema, any_database_url)
    with Database(any_database_url) as database, database.reading() as session:
        stored = Repositories(session)
        need = stored.needs.get("N1")
        assert need is not None
        assert (need.title, need.company, need.firm_id) == ("轴承磨得快", "轴承一厂", "")
        assert len(stored.experts.all()) == 2
        assert [work.title for work in stored.works.all()] == ["表面织构"]
        decision = stored.decisions.latest_by_pair()["N1", "E1"]
        assert (decision.kind, decision.note) == ("接受", "可以")
        assert stored.shortlists.all()[0].shortlist.name == "旧清单"
        assert stored.accounts.all() == ()
        assert stored.engagements.all() == ()
        assert stored.revision() > 0


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.stem)
def test_owners_are_found_when_the_program_opens_it(
    schema: Path, any_database_url: str, tmp_path: Path
) -> None:
    _place(schema, any_database_url)
    settings = Settings(tmp_path, any_database_url, encoder=EncoderSettings("none"))
    with open_application(settings) as app:
        assert app.records.need("N1").firm_id == "F1", "by the firm's alias"
        known, unknown = app.records.expert("E1"), app.records.expert("E2")
        assert known.institution_id == "I1"
        assert unknown.institution_id.startswith("I-"), "the id the register would give it"
        revision = app.engine.records().revision
    with open_application(settings) as app:
        assert app.engine.records().revision == revision, "once"
