"""Opening a library folder: new, again, newer, damaged, full, not to be written."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.unit.store.builders import make_analysis, make_clip, note, verdict
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.errors import LibraryDamagedError, LibraryError, LibraryNewerError, StorageFullError
from vvlm_desktop.store import opening
from vvlm_desktop.store.engine import make_engine
from vvlm_desktop.store.library import Library
from vvlm_desktop.store.migrate import configuration
from vvlm_desktop.store.tables import SCHEMA_VERSION

pytestmark = pytest.mark.usefixtures("real_libraries")


def test_a_new_library_is_created_with_its_folders(tmp_path: Path) -> None:
    with Library.open(tmp_path / "a" / "ä #1" / "library") as library:
        assert library.count_clips() == 0
        assert library.folder == tmp_path / "a" / "ä #1" / "library"


def test_the_origin_stays_the_same_in_the_same_folder(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        origin = library.origin
    with Library.open(tmp_path / "library") as library:
        assert library.origin == origin


def test_a_copied_library_goes_on_as_another_origin(tmp_path: Path) -> None:
    with Library.open(tmp_path / "one") as library:
        library.append([note("c", "before")])
        origin = library.origin
    (tmp_path / "one").rename(tmp_path / "two")
    with Library.open(tmp_path / "two") as library:
        library.append([note("c", "after")])
        assert library.origin != origin
        assert library.verify().ok
        assert [event.origin for event in library.history()] == [origin, library.origin]
        library.undo("Anna")
        library.undo("Anna")
        assert library.review("c", reviewer="Anna", schema_key="dashcam-1").note == ""


def test_without_create_a_missing_library_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="There is no library in"):
        Library.open(tmp_path / "library", create=False)
    assert not (tmp_path / "library").exists()


def test_a_newer_library_is_refused_and_left_alone(tmp_path: Path) -> None:
    Library.open(tmp_path / "library").close()
    database = tmp_path / "library" / "library.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = database.read_bytes()
    with pytest.raises(LibraryNewerError, match="newer version") as error:
        Library.open(tmp_path / "library")
    assert str(tmp_path / "library") in str(error.value)
    assert "Update" in error.value.hint
    assert database.read_bytes() == before


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"<html>not a database, whatever its name says</html>" * 100)
    with pytest.raises(LibraryDamagedError, match="not a readable database"):
        Library.open(tmp_path)
    assert (tmp_path / "library.db").read_bytes().startswith(b"<html>")


def test_a_damaged_page_is_told_as_damage(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        for number in range(50):
            library.add_clip(make_clip(number))
    size = (tmp_path / "library.db").stat().st_size
    with (tmp_path / "library.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(LibraryDamagedError):
        Library.open(tmp_path)


def test_a_database_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.db").mkdir()
    with pytest.raises(LibraryDamagedError, match="is a folder"):
        Library.open(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library").write_text("a file")
    with pytest.raises(LibraryError, match="is a file, not a folder"):
        Library.open(tmp_path / "library")
    with pytest.raises(LibraryError, match="cannot be a folder"):
        Library.open(tmp_path / "library" / "below")


def test_missing_rights_name_the_folder_and_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageFullError, match="Permission denied") as error:
        Library.open(tmp_path / "library")
    assert str(tmp_path / "library") in str(error.value)
    assert "choose another" in error.value.hint


def test_a_read_only_database_says_that_nothing_was_stored(library: Library) -> None:
    with library._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")  # stays on the pooled connection
    with pytest.raises(StorageFullError, match="cannot be written"):
        library.add_clip(make_clip())


def test_a_full_disk_loses_nothing_confirmed_and_stores_nothing_half(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    library.append([verdict(clip)])
    with library.read() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFullError, match="the disk is full") as error:
        library.append([verdict(clip, "no_incident"), note(clip, "x" * 100_000)])
    assert str(library.folder) in str(error.value)
    assert len(library.history()) == 1
    assert library.review(clip.id, reviewer="Anna", schema_key="dashcam-1").labels() == {"event_type": "collision"}
    with library.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    library.append([note(clip, "there is room again")])
    assert library.verify().ok


def test_a_library_held_by_another_program_is_said_to_be_busy(
    library: Library,
) -> None:
    with library.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(library.folder / "library.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryError, match="Another program has been writing"):
            library.add_clip(make_clip())


def test_writers_begin_immediately_and_commits_reach_the_disk(library: Library) -> None:
    with library.write() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) == 5000
        with (
            closing(sqlite3.connect(library.folder / "library.db", timeout=0, isolation_level=None)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
    with (
        library.read(),
        closing(sqlite3.connect(library.folder / "library.db", timeout=0, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")  # readers hold nobody up


def _objects(database: Path) -> dict[str, str]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: "".join(sql.split()) for name, sql in rows}


def test_migrations_from_nothing_give_the_same_tables_as_a_new_library(
    tmp_path: Path,
) -> None:
    Library.open(tmp_path / "new").close()
    (tmp_path / "old").mkdir()
    with closing(sqlite3.connect(tmp_path / "old" / "library.db")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                           "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))")  # fmt: skip
    with Library.open(tmp_path / "old") as library:
        library.append([note("c", "works")])
    assert _objects(tmp_path / "old" / "library.db") == _objects(tmp_path / "new" / "library.db")
    with closing(sqlite3.connect(tmp_path / "old" / "library.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(f"{SCHEMA_VERSION:04d}",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_library_of_the_first_version_is_migrated_with_what_it_holds(tmp_path: Path) -> None:
    clip, analysis = make_clip(), make_analysis(make_clip())
    with Library.open(tmp_path / "filled") as library:
        library.add_clip(clip)
        library.add_analysis(analysis)
        batch = library.open_batch("signals", [clip.id], options={})
        library.append([note(clip, "kept")])
    _library_of_version(tmp_path, 1)
    with (
        closing(sqlite3.connect(tmp_path / "library.db")) as old,
        closing(sqlite3.connect(tmp_path / "filled" / "library.db")) as filled,
    ):
        for (table,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table in {"alembic_version", "clip_text"} or table.startswith("clip_text_"):
                continue
            columns = ", ".join(f'"{row[1]}"' for row in old.execute(f"PRAGMA table_info({table})"))
            rows = filled.execute(f"SELECT {columns} FROM {table}").fetchall()
            marks = ", ".join("?" * len(columns.split(", ")))
            old.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        old.commit()
    with Library.open(tmp_path) as library:
        assert library.all_clips() == [replace(clip, status=library.clip(clip.id).status)]
        assert library.analyses(clip.id) == [analysis]
        assert [(b.id, b.pending) for b in library.unfinished_batches()] == [(batch, 1)]
        assert [(p.path, p.mtime_ns, p.is_latest, p.ends_sha256) for p in library.places_of(clip.id)] == [
            (clip.path, None, True, None)
        ]
    assert (tmp_path / f"library.db.before-version-{SCHEMA_VERSION}-from-1").exists()


def test_a_library_of_the_second_version_keeps_its_analyses_fingerprints_and_all(tmp_path: Path) -> None:
    clip = make_clip()
    base = make_analysis(clip, "base", backend="local", model="m")
    tuned = make_analysis(clip, "tuned", backend="local", model="m", adapter="run 1")
    _library_of_version(tmp_path, 2)
    with closing(sqlite3.connect(tmp_path / "library.db")) as old:
        row = (clip.id, "front.mp4", clip.path, clip.sha256, 0, 9, 9, 1.0, 30.0, 8, 8, "h264", 1, 1, None, "r", "", 0)
        old.execute(f"INSERT INTO clip VALUES (1, {', '.join('?' * len(row))}, NULL)", row)
        for number, analysis in enumerate((base, tuned), start=1):
            document = _document_of_version_2(analysis)
            sha = hashlib.sha256(document.encode()).hexdigest()
            facts = (analysis.id, clip.id, "local", "m", "dashcam-1", "labels", analysis.created_at, 0.5, document, sha)
            old.execute(f"INSERT INTO analysis VALUES ({number}, {', '.join('?' * len(facts))}, 0)", facts)
        old.commit()
    with Library.open(tmp_path) as library:
        library.rebuild()
        assert library.analyses(clip.id) == [tuned, base]
        assert library.questions(clip.id) == []
        assert library.clips_without("local", model="m", adapter="run 1") == []
        assert [c.id for c in library.clips_without("local", model="m", adapter="run 2")] == [clip.id]
        library.add_analysis(tuned)  # the same text again: another one under this id would be refused
        library.append([verdict(clip, analysis_id=base.id)])
        assert library.verify().ok
        assert library.history()[0].analysis_id == base.id
        with pytest.raises(IntegrityError, match="never changed"), library.write() as connection:
            connection.execute(text("UPDATE analysis SET adapter = 'other'"))


def _library_of_version(folder: Path, version: int) -> None:
    engine = make_engine(folder / "library.db")
    with engine.connect().execution_options(vvlm_write=True) as connection, connection.begin():
        command.upgrade(configuration(connection), f"{version:04d}")
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")
    engine.dispose()


def _document_of_version_2(analysis: Analysis) -> str:
    content = asdict(analysis)
    for later in ("kind", "question", "legal_mass", "value_confidence", "rounds"):
        del content[later]
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def test_a_migration_leaves_a_backup_and_a_failed_one_changes_nothing(
    tmp_path: Path,
) -> None:
    with closing(sqlite3.connect(tmp_path / "library.db")) as connection:
        connection.execute("CREATE TABLE clip (something TEXT)")  # so that the migration fails half way
        connection.execute("INSERT INTO clip VALUES ('kept')")
        connection.commit()
    with pytest.raises(Exception, match="already exists"):
        Library.open(tmp_path)
    for file in ("library.db", f"library.db.before-version-{SCHEMA_VERSION}-from-0"):
        with closing(sqlite3.connect(tmp_path / file)) as connection:
            assert connection.execute("SELECT * FROM clip").fetchall() == [("kept",)]
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_alembic_and_the_object_mapper_are_not_imported_for_a_current_library(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from vvlm_desktop.store.library import Library\n"
        "Library.open(Path(sys.argv[1])).close(); Library.open(Path(sys.argv[1])).close()\n"
        "print([m for m in ('alembic', 'sqlalchemy.orm', 'keyring', 'cryptography') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_a_wrong_machine_file_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError()))
    assert opening._machine()


def test_files_beside_the_database_have_a_place_each(library: Library) -> None:
    clip = make_clip()
    files = [library.index_file(clip), library.curves_file(clip.id), library.thumbnail_file(clip.id)]
    assert len(set(files)) == 3
    for file in files:
        file.write_bytes(b"x")
        assert library.folder in file.parents
    assert library.index_file(clip) == library.index_file(clip.id)
