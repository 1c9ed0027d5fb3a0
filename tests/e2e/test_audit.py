"""The log travels with an export, and an export proves what the library held when it was made."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path

import pytest

from tests.clips import make_clip
from tests.e2e.conftest import Vvlm

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def reviewed(vvlm: Vvlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VVLM_SIGNING_KEY", KEY)
    vvlm("add", make_clip(tmp_path / "a.mp4", frames=20, fps=25))
    vvlm("review", "a.mp4", "--set", "weather=rain", "--reviewer", "Ada")
    vvlm("review", "a.mp4", "--set", "weather=fog", "--reviewer", "Ada")


def test_log_is_imported_as_it_is(vvlm: Vvlm, reviewed: None, tmp_path: Path) -> None:
    vvlm("export", "ours", tmp_path / "out", "--log", "--copy")
    other = ["--library", str(tmp_path / "other"), "--json"]
    assert vvlm("import", tmp_path / "out", *other, with_library=False).exit_code == 0
    hashes = [e["hash"] for e in vvlm("history", "a.mp4", "--json").data]
    assert [e["hash"] for e in vvlm("history", "a.mp4", *other, with_library=False).data] == hashes
    report = vvlm("verify", *other, with_library=False).data
    assert (report["ok"], report["signed"]) == (True, True)
    again = vvlm("import", tmp_path / "out", *other, with_library=False).data
    assert again["imported"] == 0


def test_the_key_is_in_no_file(vvlm: Vvlm, reviewed: None, library: Path, tmp_path: Path) -> None:
    vvlm("export", "ours", tmp_path / "out", "--log")
    secret = bytes(range(32))
    for file in (f for folder in (library, tmp_path / "out") for f in folder.rglob("*") if f.is_file()):
        content = file.read_bytes()
        assert secret not in content
        assert KEY.encode() not in content


def test_an_export_shows_that_the_tail_was_removed_since(
    vvlm: Vvlm, reviewed: None, library: Path, tmp_path: Path
) -> None:
    vvlm("export", "ours", tmp_path / "out")
    assert vvlm("verify", "--heads", tmp_path / "out" / "manifest.json").exit_code == 0
    (database,) = [f for f in library.iterdir() if f.suffix in {".db", ".sqlite", ".sqlite3"}]
    connection = sqlite3.connect(database)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute("DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)")
    connection.commit()
    connection.close()
    outcome = vvlm("verify", "--heads", tmp_path / "out" / "manifest.json")
    assert outcome.exit_code == 1
    assert "BROKEN" in outcome.stdout
