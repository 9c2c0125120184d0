"""The database handle: opening, transactions, backup.

Owns the engine, everything that only one database understands, and the translation of driver
errors into ``StoreError``. Deliberately knows no table and no record.

One transaction is one ``session()``. Writing sessions exclude each other from their first
statement (SQLite: ``BEGIN IMMEDIATE``; PostgreSQL: an advisory lock), so that two writers can
neither deadlock nor overwrite each other, and revisions of the change log become visible in their
order. Reading sessions see one snapshot, wait for nobody and cannot write. Sessions must not be
nested.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from matcher.errors import StoreError

BUSY_SECONDS = 10.0
"""How long a writer waits for another one."""

_WRITER_KEY = 7_170_906_400
"""Our PostgreSQL advisory lock; any constant does, every program using the schema must share it."""
_BEGIN = {
    ("sqlite", True): ("PRAGMA query_only = OFF", "BEGIN IMMEDIATE"),
    ("sqlite", False): ("PRAGMA query_only = ON", "BEGIN"),
    ("postgresql", True): (
        f"SET LOCAL lock_timeout = '{BUSY_SECONDS:.0f}s'",
        f"SELECT pg_advisory_xact_lock({_WRITER_KEY})",
    ),
    ("postgresql", False): ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",),
}
_BUSY = ("数据库正忙，这次没有保存", "请稍后再试；若一直如此，请关闭其他正在写入的程序")
_CAUSES = (
    ("not a database", "这个文件不是数据库", "请在设置里改用正确的数据库文件，原文件未作改动"),
    ("malformed", "数据库文件已损坏", "请用最近的备份恢复"),
    ("locked", *_BUSY),
    ("lock timeout", *_BUSY),
    ("readonly", "数据库不能写入", "请检查数据库文件和所在文件夹的写权限"),
    ("read-only", "数据库不能写入", "请检查数据库账号的写权限"),
    ("unable to open", "打不开数据库文件", "请检查文件夹是否存在、是否可以写入"),
    ("disk is full", "磁盘已满，这次没有保存", "请清理磁盘空间后再试"),
)
"""Part of the driver's message → what a person is told and what to do."""


class Database:
    """One database by SQLAlchemy URL: ``sqlite:////folder/matcher.db`` or ``postgresql://…``.

    Usable from several threads; as a context manager it opens and closes itself.
    """

    def __init__(self, url: str) -> None:
        """Remember the address; nothing is touched before ``open``.

        Raises:
            StoreError: the URL cannot be read, or names another kind of database.
        """
        try:
            self._url = make_url(url)
        except ArgumentError as error:
            raise StoreError("数据库地址写得不对", "例如 sqlite:///data/matcher.db") from error
        self._dialect = self._url.get_backend_name()
        if (self._dialect, True) not in _BEGIN:
            raise StoreError(f"不支持 {self._dialect} 数据库", "可用的是 SQLite（sqlite:///）和 PostgreSQL")
        self._path: Path | None = None
        if self._dialect == "sqlite":
            if self._url.database in (None, "", ":memory:"):
                raise StoreError("数据库需要一个文件名", "例如 sqlite:///data/matcher.db")
            self._path = Path(str(self._url.database))
        self._engine: Engine | None = None

    @property
    def label(self) -> str:
        """The address as it may be shown: without the password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return self._path

    def open(self) -> Self:
        """Connect and bring the schema to the newest version in one transaction.

        A missing SQLite file is made, with its folder. Safe to call from several processes at once.

        Raises:
            StoreError: not a database, newer than the program, another program's, or not writable.
        """
        # Alembic takes a while to load, and only opening needs it.
        from matcher.store import migrations

        if self._engine is not None:
            return self
        self._engine = self._build_engine()
        try:
            if self._path is not None:
                with _translated():
                    _use_wal(self._engine)
            with self.reading() as connection:
                current = migrations.is_current(connection)
            if not current:
                with self.session() as connection:
                    migrations.upgrade(connection)
        except StoreError:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Give every connection back; ``open`` may be called again."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A writing transaction: committed at the end, rolled back on any exception.

        Raises:
            StoreError: the database is busy for longer than ``BUSY_SECONDS``, full or not writable.
        """
        with self._transaction(writing=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A reading transaction: one snapshot, and any attempt to write is a StoreError."""
        with self._transaction(writing=False) as connection:
            yield connection

    def backup_to(self, path: Path | str) -> Path:
        """Copy the database while it is in use; an older file there is replaced at the end.

        Raises:
            StoreError: the copy cannot be written, or the database is not SQLite.
        """
        target = Path(path)
        if self._path is None:
            raise StoreError("PostgreSQL 数据库不能在这里备份", "请使用 pg_dump")
        if target.resolve() == self._path.resolve():
            raise StoreError("备份文件不能是正在使用的数据库本身", "请换一个文件名")
        partial = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with self.reading() as connection:
                    source = connection.connection.driver_connection
                    with closing(sqlite3.connect(partial)) as copy:
                        source.backup(copy)  # type: ignore[union-attr]
                        copy.execute("PRAGMA journal_mode = DELETE")
                os.replace(partial, target)
            finally:
                partial.unlink(missing_ok=True)
        except (OSError, sqlite3.Error) as error:
            raise StoreError("备份没有成功", "请检查备份文件夹能否写入、磁盘是否已满") from error
        return target

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Connection]:
        if self._engine is None:
            raise StoreError("数据库还没有打开", "请重新启动程序")
        with _translated(), self._engine.begin() as connection:
            for statement in _BEGIN[self._dialect, writing]:
                connection.exec_driver_sql(statement)
            yield connection

    def _build_engine(self) -> Engine:
        # Parameters stay out of error texts: they hold contacts, and logs are read by others.
        if self._path is None:
            try:
                return create_engine(self._url, pool_pre_ping=True, hide_parameters=True)
            except (ModuleNotFoundError, NoSuchModuleError) as error:
                raise StoreError(
                    "缺少 PostgreSQL 驱动程序", '请先安装：pip install "psycopg[binary]"'
                ) from error
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"不能建立数据库所在的文件夹：{self._path.parent}", "请换一个可以写入的文件夹"
            ) from error
        engine = create_engine(self._url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Without this the driver would start transactions by itself, and never IMMEDIATE ones.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(engine: Engine) -> None:
    """Switch the file to write-ahead logging; SQLite does not wait for this lock by itself."""
    deadline = time.monotonic() + BUSY_SECONDS
    with engine.connect() as connection:
        while True:
            try:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                return
            except OperationalError as error:
                if "locked" not in str(error.orig) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


@contextmanager
def _translated() -> Iterator[None]:
    """Driver errors as StoreError in Chinese; the original stays as the cause.

    A value that no column can hold (a time without zone, NaN) is the caller's ValueError.
    """
    try:
        yield
    except IntegrityError as error:
        raise StoreError("与数据库里已有的内容冲突，这次没有保存", "请刷新页面后再试") from error
    except PoolTimeoutError as error:
        raise StoreError("同时使用数据库的人太多", "请稍后再试") from error
    except DBAPIError as error:
        text = str(error.orig).lower()
        for sign, message, hint in _CAUSES:
            if sign in text:
                raise StoreError(message, hint) from error
        raise StoreError("数据库操作没有成功", "请检查数据库地址和服务是否正常") from error
    except StatementError as error:
        if isinstance(error.orig, ValueError):
            raise ValueError(str(error.orig)) from error
        raise
