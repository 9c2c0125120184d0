"""Put a backup in the place of the present database, with a way back.

Owns the order: the backup is checked and brought to the present schema on a copy, the present database is kept beside
it, and only then the content is exchanged, in one step that other programs see whole. Sign-ins end. Deliberately for
SQLite alone: PostgreSQL has its own tools.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, insert

from matcher.errors import InputError, StoreError
from matcher.services.access import OPERATOR
from matcher.store.database import BUSY_SECONDS, Database
from matcher.store.repositories import Repositories
from matcher.store.tables import changes
from matcher.store.workday_tables import sessions


def restore(database: Database, backup: Path, clock: Callable[[], datetime]) -> Path:
    """Take the content of a backup.

    Returns:
        Where the database as it was before is kept.

    Raises:
        InputError: there is no such file, or it is the database itself.
        StoreError: it is no database of this program, newer than the program, or cannot be read or written; the
            present database is as it was.
    """
    if database.path is None:
        raise StoreError("PostgreSQL 数据库不能在这里恢复", "请使用 pg_restore")
    if not backup.is_file():
        raise InputError(f"没有找到备份文件“{backup}”。", "请检查文件名和位置。")
    if not backup.stat().st_size:
        raise StoreError(f"备份文件“{backup.name}”是空的", "请换一份备份")
    if backup.resolve() == database.path.resolve():
        raise InputError("备份文件不能是正在使用的数据库本身。", "请换一个文件。")
    kept = database.path.with_name(f"matcher-before-restore-{clock():%Y%m%d-%H%M%S}.db")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "restored.db"
        try:
            shutil.copyfile(backup, copy)
        except OSError as error:
            raise StoreError("备份文件读不了", "请检查文件权限和磁盘") from error
        with database.reading() as session:
            newest = Repositories(session).revision()
        with Database(f"sqlite:///{copy}") as restored, restored.session() as session:
            stored = Repositories(session, clock)
            # A running program tells fresh data by this number, so it must go on from where both stood.
            row = {"kind": "restore", "record_id": backup.name, "op": "restore", "at": clock()}
            number = max(newest, stored.revision()) + 1
            session.execute(insert(changes).values(revision=number, **row))
            session.execute(delete(sessions))
            stored.audit.add(OPERATOR.login, "restore", "database", backup.name, {"kept": kept.name})
        database.backup_to(kept)
        try:
            with (
                closing(sqlite3.connect(copy)) as source,
                closing(sqlite3.connect(database.path, timeout=BUSY_SECONDS)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as error:
            raise StoreError(
                "没有恢复成功，原来的数据没有变", "请先停止平台和其他正在使用数据库的程序，再试一次"
            ) from error
    return kept
