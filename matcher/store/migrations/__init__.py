"""Brings a database to the newest schema.

Owns the decision whether a database is ours, older, current or newer. The caller owns the
transaction, so that an upgrade happens wholly or not at all.
"""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from matcher.errors import StoreError
from matcher.store import tables, workday_tables

_FOLDER = Path(__file__).parent
TABLES = (tables, workday_tables)
"""Imported so that the metadata the migrations are compared with holds every table."""
_LOCK = threading.Lock()
"""Alembic's environment is global to the process; two threads must not run it at once."""


def is_current(connection: Connection) -> bool:
    """Whether the database has the newest schema; writes nothing.

    Raises:
        StoreError: the database is newer than the program, or another program's.
    """
    script = ScriptDirectory.from_config(_config())
    present = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := present - {step.revision for step in script.walk_revisions()}:
        raise StoreError(
            f"数据库的版本（{'、'.join(sorted(unknown))}）比本程序新，无法打开",
            "请把程序升级到最新版本，或改用较早的备份",
        )
    if not present and inspect(connection).get_table_names():
        raise StoreError("这个数据库里已有别的程序的数据表，未作任何改动", "请在设置里换一个空的或新的数据库")
    return present == set(script.get_heads())


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside the connection's open transaction.

    Raises:
        StoreError: as ``is_current``.
    """
    with _LOCK:
        if not is_current(connection):
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
