"""Libraries that are made and opened in a tenth of the time, for the thousand tests that each need one of their own.

What differs from a user's library: statements are compiled once for all libraries of the process instead of once for
each, a new one begins as a copy of an empty one with all tables, and a commit does not wait for the disk. The tables,
the transactions and everything stored are the same. Tests whose subject is any of these use the fixture
`real_libraries` of the store's conftest.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

from vvlm_desktop.store import engine as real_engine
from vvlm_desktop.store import library, opening


@contextmanager
def quick_libraries() -> Iterator[None]:
    """All libraries of this process until the block is left."""
    with pytest.MonkeyPatch.context() as patch:
        # What is compiled is found again by the dialect and the statement; each engine has a dialect of its own.
        shared = create_engine("sqlite+pysqlite://")
        shared.connect().close()
        compiled: dict[Any, Any] = {}
        patch.setattr(library, "make_engine", lambda database: _make_engine(database, like=shared, compiled=compiled))
        yield


def use_real_libraries(patch: pytest.MonkeyPatch) -> None:
    """Undo it for one test."""
    patch.setattr(library, "make_engine", real_engine.make_engine)


def _make_engine(database: Path, *, like: Engine, compiled: dict[Any, Any]) -> Engine:
    _begin(database)
    made = real_engine.make_engine(database)
    made.dialect = like.dialect
    event.listen(made, "connect", _without_waiting, insert=True)  # a new file becomes a log's before anything else
    event.listen(made, "connect", _without_waiting)
    made.update_execution_options(compiled_cache=compiled)
    return made


def _without_waiting(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _begin(database: Path) -> None:
    """Where there is no file yet, put a library without clips there, all at once: others may be opening it, too."""
    if database.exists():
        return
    whole = database.with_name(f"{database.name}.{os.getpid()}-{threading.get_ident()}.new")
    # Where nothing can be written, opening it finds the right words for that.
    with suppress(OSError):
        try:
            whole.write_bytes(_empty_library())
            os.link(whole, database)
        finally:
            whole.unlink(missing_ok=True)


@cache
def _empty_library() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / real_engine.DATABASE_NAME
        made = real_engine.Database(Path(folder), real_engine.make_engine(database))
        opening.bring_up_to_date(made)
        made.close()
        return database.read_bytes()
