"""Opens a library folder: creates it, checks its version, migrates it, and gives this computer its origin."""

from __future__ import annotations

import hashlib
import platform
import sqlite3
import sys
import uuid
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, insert, select, text

from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import LibraryDamagedError, LibraryError, LibraryNewerError, StorageFullError
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.engine import DATABASE_NAME, Database, explained


def prepare_folder(folder: Path, *, create: bool) -> Path:
    """The database's path inside a folder that exists; says in words why there is none."""
    database = folder / DATABASE_NAME
    if folder.exists() and not folder.is_dir():
        raise LibraryError(f"{folder} is a file, not a folder.", hint="Choose a folder for the library.")
    try:
        if not create and not database.exists():
            raise LibraryError(
                f"There is no library in {folder}.",
                hint="Check the folder, or add clips to start a library there.",
            )
        folder.mkdir(parents=True, exist_ok=True)
    except NotADirectoryError as error:
        raise LibraryError(
            f"{folder} cannot be a folder: a part of its path is a file.", hint="Choose another library folder."
        ) from error
    except OSError as error:
        raise StorageFullError(
            f"The library folder {folder} cannot be used: {error.strerror or error}.",
            hint="Check the folder's rights and free space, or choose another library folder.",
        ) from error
    if database.is_dir():
        raise LibraryDamagedError(
            f"{database} is a folder, not a database.", hint="Move it away, or choose another library folder."
        )
    return database


def bring_up_to_date(database: Database) -> None:
    """Create the tables in an empty database, migrate an older one; raises LibraryNewerError for a newer one."""
    with database.read() as connection:
        version = _version(connection)
    if version == t.SCHEMA_VERSION:
        return
    if version > t.SCHEMA_VERSION:
        raise LibraryNewerError(
            f"The library in {database.folder} was written by a newer version of the program "
            f"(its version {version}, ours {t.SCHEMA_VERSION}).",
            hint="Update the program, or choose another library folder. Nothing was changed.",
        )
    with database.write() as connection:
        if _version(connection) == t.SCHEMA_VERSION:  # another process was quicker
            return
        tables = connection.scalar(text("SELECT count(*) FROM sqlite_master"))
        if not tables:
            create_tables(connection)
            return
    from vvlm_desktop.store import migrate

    backup(database, version=version)
    with explained(database.folder), database.write() as connection:
        if _version(connection) != t.SCHEMA_VERSION:
            migrate.upgrade(connection)


def create_tables(connection: Connection) -> None:
    """All tables of the newest version, marked for alembic as migrated, without importing alembic."""
    t.create_all(connection)
    # As alembic itself creates it, so that a new library and a migrated one are the same.
    connection.execute(
        text(
            "CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n"
            "\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": f"{t.SCHEMA_VERSION:04d}"})
    connection.execute(text(f"PRAGMA user_version = {t.SCHEMA_VERSION}"))


def backup(database: Database, *, version: int) -> Path:
    """A copy of the database beside it, made before a migration touches it."""
    target = database.folder / f"{DATABASE_NAME}.before-version-{t.SCHEMA_VERSION}-from-{version}"
    with (
        explained(database.folder),
        closing(sqlite3.connect(database.folder / DATABASE_NAME)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
    return target


def _version(connection: Connection) -> int:
    return int(connection.scalar(text("PRAGMA user_version")) or 0)


def own_origin(database: Database) -> str:
    """The origin of this library in this folder on this computer.

    A library that was copied goes on as an origin of its own, so that two copies never grow two chains of one name.
    """
    place = _place(database.folder)
    query = select(t.origin.c.origin).where(t.origin.c.own, t.origin.c.place == place)
    with database.read() as connection:
        found = connection.scalar(query)
    if found is not None:
        return str(found)
    with database.write() as connection:
        found = connection.scalar(query)  # another process may have been quicker
        if found is None:
            found = str(uuid.uuid4())
            connection.execute(
                insert(t.origin), [{"origin": found, "own": True, "place": place, "created_at": utc_now()}]
            )
    return str(found)


def _place(folder: Path) -> str:
    return hashlib.sha256(f"{_machine()}\n{folder.resolve()}".encode("utf-8", "surrogateescape")).hexdigest()


def _machine() -> str:
    """Something that stays the same on one installation of an operating system and differs on another."""
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
    try:
        identity = Path("/etc/machine-id").read_text().strip()
    except OSError:
        identity = ""
    return identity or platform.node()
