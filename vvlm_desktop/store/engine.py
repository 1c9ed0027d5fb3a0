"""The connection to the library's database: pragmas, transactions, and errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from vvlm_desktop.errors import LibraryDamagedError, LibraryError, StorageFullError

DATABASE_NAME = "library.db"
BUSY_TIMEOUT_MS = 5000

_FULL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def make_engine(database: Path) -> Engine:
    """Engine whose write transactions begin with BEGIN IMMEDIATE and are on the disk when they are committed."""
    # isolation_level None: Python's driver sends no BEGIN of its own, so that ours is the one SQLite sees.
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(database)),
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes beside another writer fails at once, whatever the timeout.
        writes = connection.get_execution_options().get("vvlm_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def explain(error: sqlite3.Error, folder: Path) -> LibraryError | None:
    """The expected failure behind a database error, in words; None when the error is a bug of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in _DAMAGED:
        return LibraryDamagedError(
            f"The library in {folder} is damaged: {DATABASE_NAME} is not a readable database ({error}).",
            hint=f"Put a backup of {DATABASE_NAME} back, or move the file away to start anew; clips stay untouched.",
        )
    if primary in _FULL:
        reason = "the disk is full" if primary == sqlite3.SQLITE_FULL else f"the folder cannot be written ({error})"
        return StorageFullError(
            f"Nothing could be stored in {folder}: {reason}. What was confirmed before is safe.",
            hint="Free some space, check the folder's rights, or choose another library folder; then try again.",
        )
    if primary in _BUSY:
        return LibraryError(
            f"Another program has been writing to the library in {folder} for more than {BUSY_TIMEOUT_MS // 1000} s.",
            hint="Wait until it has finished, or close it, then try again.",
        )
    return None


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn expected database failures inside the block into a `LibraryError`."""
    try:
        yield
    except DBAPIError as error:
        known = explain(error.orig, folder) if isinstance(error.orig, sqlite3.Error) else None
        if known is None:
            raise
        raise known from error
    except sqlite3.Error as error:
        known = explain(error, folder)
        if known is None:
            raise
        raise known from error
    except PoolTimeoutError as error:
        raise LibraryError(
            f"The library in {folder} is busy.", hint="Try again in a moment; if it stays so, restart the program."
        ) from error


class Database:
    """One library's database; the base of everything that reads or writes it. Usable from several threads."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self._engine = engine
        self._writing = RLock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot to read from; other processes may write meanwhile."""
        with explained(self.folder), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, all or nothing, on the disk when the block is left."""
        with explained(self.folder), self._writing, self._engine.connect() as connection:
            writer = connection.execution_options(vvlm_write=True)
            with writer.begin():
                yield writer

    def checkpoint(self) -> None:
        """Fold the write-ahead log back into the database and empty it, as far as no reader holds it."""
        with explained(self.folder):
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log back into the database."""
        self._engine.dispose()
