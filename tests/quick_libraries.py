"""Libraries that are made and opened in a tenth of the time, for the thousand tests that each need one of their own.

What differs from a user's library: statements are compiled once for all libraries of the process instead of once for
each, the tables are made by the SQL that SQLAlchemy wrote the first time, and a commit does not wait for the disk.
The tables, the transactions and everything stored are the same. Tests whose subject is any of these use the fixture
`real_libraries` of the store's conftest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event

from vvlm_desktop.store import engine as real_engine
from vvlm_desktop.store import library, opening

_real_create_tables = opening.create_tables
#: SQL that makes the tables of the newest version, with its parameters.
_script: list[tuple[str, Any]] = []
#: How statements begin that only look whether a table is there.
_LOOKING = ("SELECT", "PRAGMA main.", "PRAGMA temp.")


@contextmanager
def quick_libraries() -> Iterator[None]:
    """All libraries of this process until the block is left."""
    with pytest.MonkeyPatch.context() as patch:
        # What is compiled is found again by the dialect and the statement; each engine has a dialect of its own.
        shared = create_engine("sqlite+pysqlite://")
        shared.connect().close()
        compiled: dict[Any, Any] = {}
        patch.setattr(library, "make_engine", lambda database: _make_engine(database, like=shared, compiled=compiled))
        patch.setattr(opening, "create_tables", _create_tables)
        yield


def use_real_libraries(patch: pytest.MonkeyPatch) -> None:
    """Undo it for one test."""
    patch.setattr(library, "make_engine", real_engine.make_engine)
    patch.setattr(opening, "create_tables", _real_create_tables)


def _make_engine(database: Path, *, like: Engine, compiled: dict[Any, Any]) -> Engine:
    made = real_engine.make_engine(database)
    made.dialect = like.dialect
    event.listen(made, "connect", _without_waiting, insert=True)  # a new file becomes a log's before anything else
    event.listen(made, "connect", _without_waiting)
    made.update_execution_options(compiled_cache=compiled)
    return made


def _without_waiting(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _create_tables(connection: Connection) -> None:
    if _script:
        for statement, parameters in _script:
            connection.exec_driver_sql(statement, parameters)
        return
    written: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if not statement.lstrip().startswith(_LOOKING):
            written.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        _real_create_tables(connection)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    _script.extend(written)
