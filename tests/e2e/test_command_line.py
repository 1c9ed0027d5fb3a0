"""One clip all the way through: add, look, analyse, correct, undo, export, import; and every way to ask wrongly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.clips import make_clip, read_code
from tests.e2e.conftest import Vvlm

FRAMES = 60


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("film") / "film.mp4", frames=FRAMES, fps=25)


@pytest.fixture
def clip(tmp_path: Path, film: Path) -> Path:
    """The film in a file that is the test's own."""
    folder = tmp_path / "drive with spaces # and é 🚗"
    folder.mkdir()
    return shutil.copyfile(film, folder / "20230204_160000_NF.mp4")


def test_clip_goes_all_the_way_through(vvlm: Vvlm, clip: Path, tmp_path: Path) -> None:
    assert vvlm("add", clip.parent).exit_code == 0
    (row,) = vvlm("clips", "--json").data
    assert (row["frames"], row["problem"], row["status"]) == (FRAMES, None, "needs_review")
    assert row["path"] == str(clip)

    analysed = vvlm("analyse", "--json")
    assert analysed.exit_code == 0
    assert [r["outcome"] for r in analysed.data] == ["analysed"]
    (analysis,) = vvlm("show", row["id"], "--json").data["analyses"]
    assert analysis["backend"] == "signals"
    assert analysis["frames_pts"]
    assert "event_type" not in analysis["labels"], "measurements never claim an event"

    said = vvlm(
        "review", "160000", "--set", "event_type=Near miss", "--set", "event_time=0.4..1.2",
        "--set", "conflict_with=car", "--evidence", "event_type=0.8..1.2", "--reviewer", "Ada",
    )  # fmt: skip
    assert said.exit_code == 0, said.stderr
    shown = vvlm("show", row["id"], "--json").data
    assert shown["review"]["status"] == "reviewed"
    assert shown["review"]["labels"]["event_type"] == "near_miss"
    assert (
        shown["review"]["evidence"]["event_type"][0]["start_pts"]
        < shown["review"]["evidence"]["event_type"][0]["end_pts"]
    )
    assert vvlm("verify").exit_code == 0

    out = tmp_path / "export"
    assert vvlm("export", "ours", out, "--copy").exit_code == 0
    assert "LOSSES.md" in {f.name for f in out.iterdir()}
    lines = (out / "corrections.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    assert "Ada" not in lines[0]


def test_export_is_imported_into_another_library_without_loss(vvlm: Vvlm, clip: Path, tmp_path: Path) -> None:
    vvlm("add", clip)
    vvlm("analyse")
    vvlm("review", "160000", "--set", "event_type=collision", "--set", "event_time=0.4..1.2",
         "--set", "conflict_with=car", "--evidence", "event_type=0.8", "--reviewer", "Ada")  # fmt: skip
    before = vvlm("show", "160000", "--json").data["review"]
    out = tmp_path / "export"
    vvlm("export", "ours", out, "--copy")
    other = ["--library", str(tmp_path / "other")]
    imported = vvlm("import", out, *other, "--json", with_library=False)
    assert imported.exit_code == 0, imported.stderr
    assert imported.data["imported"] == 1
    shown = vvlm("show", "160000", *other, "--json", with_library=False).data
    assert [a["labels"] for a in shown["analyses"]] == [
        a["labels"] for a in vvlm("show", "160000", "--json").data["analyses"]
    ]
    after = shown["review"]
    for part in ("labels", "evidence", "status", "note"):
        assert after[part] == before[part]
    assert {k: (v["verdict"], v["value"], v["how"], v["reason"]) for k, v in after["verdicts"].items()} == {
        k: (v["verdict"], v["value"], v["how"], v["reason"]) for k, v in before["verdicts"].items()
    }
    again = vvlm("import", out, *other, "--json", with_library=False)
    assert (again.data["imported"], again.data["known"]) == (0, 1)


def test_adding_twice_changes_nothing_and_a_moved_file_is_found(vvlm: Vvlm, clip: Path) -> None:
    assert [r["outcome"] for r in vvlm("add", clip, "--json").data] == ["added"]
    before = vvlm("clips", "--json").data
    assert [r["outcome"] for r in vvlm("add", clip, "--json").data] == ["known"]
    assert vvlm("clips", "--json").data == before
    vvlm("review", "160000", "--set", "weather=rain")
    moved = clip.with_name("renamed.mp4")
    clip.rename(moved)
    assert [r["outcome"] for r in vvlm("add", moved, "--json").data] == ["moved"]
    (row,) = vvlm("clips", "--json").data
    assert (row["path"], row["id"], row["status"]) == (str(moved), before[0]["id"], "reviewed")


def test_frames_are_exact_and_several_come_from_one_process(vvlm: Vvlm, clip: Path, tmp_path: Path) -> None:
    vvlm("add", clip)
    out = tmp_path / "f.png"
    rows = vvlm("frame", "160000", "--index", "0,7,59", "--out", out, "--json").data
    assert [r["index"] for r in rows] == [0, 7, 59]
    for row in rows:
        assert read_code(np.asarray(Image.open(row["file"]).convert("RGB"))) == row["index"]
    (one,) = vvlm("frame", "160000", "--time", "1.0", "--out", out, "--json").data
    assert (one["index"], one["file"]) == (25, str(out))


def test_broken_rule_is_saved_flagged_and_warned_of(vvlm: Vvlm, clip: Path) -> None:
    vvlm("add", clip)
    said = vvlm("review", "160000", "--set", "event_type=no_incident", "--set", "conflict_with=car", "--json")
    assert said.exit_code == 0
    assert "no conflict" in said.stderr
    assert len(said.data["broken_rules"]) == 1
    assert vvlm("show", "160000", "--json").data["review"]["labels"]["conflict_with"] == "car"


def test_undo_takes_back_the_last_action(vvlm: Vvlm, clip: Path) -> None:
    vvlm("add", clip)
    vvlm("review", "160000", "--set", "weather=rain", "--reviewer", "Ada")
    assert vvlm("undo", "--reviewer", "Grace", "--json").data == {"undone": False, "clips": []}
    assert vvlm("undo", "--reviewer", "Ada", "--json").data["undone"] is True
    (row,) = vvlm("clips", "--json").data
    assert row["status"] == "needs_review"
    assert len(vvlm("history", "160000", "--json").data) > 1, "nothing is deleted, the undo is on record"


def test_files_that_are_no_clips_are_recorded_with_their_reason(vvlm: Vvlm, tmp_path: Path, clip: Path) -> None:
    folder = clip.parent
    (folder / "empty.mp4").touch()
    (folder / "page.mp4").write_text("<!doctype html><html><body>Not found</body></html>")
    added = vvlm("add", folder, "--json")
    assert added.exit_code == 1
    problems = {Path(r["path"]).name: r["problem"] for r in vvlm("clips", "--json").data}
    assert problems["20230204_160000_NF.mp4"] is None
    assert problems["empty.mp4"]
    assert problems["page.mp4"]
    for text in problems.values():
        assert text is None or "Traceback" not in text
    analysed = vvlm("analyse", "empty", "160000", "--json")
    assert analysed.exit_code == 1
    assert {r["outcome"] for r in analysed.data} == {"analysed", "failed"}


def test_missing_file_is_named_and_the_others_are_done(vvlm: Vvlm, clip: Path) -> None:
    vvlm("add", clip)
    clip.unlink()
    analysed = vvlm("analyse", "--json")
    assert analysed.exit_code == 1
    assert "no longer" in analysed.data[0]["problem"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nothing"),
        ("review", "160000"),
        ("review", "160000", "--set", "weather"),
        ("review", "160000", "--set", "weather=hail"),
        ("review", "160000", "--set", "colour=red"),
        ("review", "160000", "--set", "weather=rain", "--evidence", "weather=8..9"),
        ("review", "160000", "--set", "weather=rain", "--evidence", "weather=soon"),
        ("review", "160000", "--set", "weather=rain", "--status", "done"),
        ("frame", "160000", "--out", "x.png"),
        ("frame", "160000", "--index", "60", "--out", "x.png"),
        ("frame", "160000", "--index", "a", "--out", "x.png"),
        ("export", "csv", "out"),
        ("bogus",),
    ],
)
def test_asking_wrongly_says_how_to_ask_and_changes_nothing(
    vvlm: Vvlm, clip: Path, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    vvlm("add", clip)
    before = vvlm("show", "160000", "--json").data
    outcome = vvlm(*arguments)
    assert outcome.exit_code == 2
    assert outcome.stderr.strip()
    assert "Traceback" not in outcome.stderr
    assert vvlm("show", "160000", "--json").data == before


def test_ambiguous_name_lists_the_candidates(vvlm: Vvlm, clip: Path) -> None:
    second = make_clip(clip.with_name("20230204_160100_NF.mp4"), frames=10, fps=25)
    vvlm("add", clip, second)
    outcome = vvlm("show", "20230204")
    assert outcome.exit_code == 2
    assert "160000" in outcome.stderr
    assert "160100" in outcome.stderr


def test_export_refuses_a_folder_that_is_not_empty(vvlm: Vvlm, clip: Path, tmp_path: Path) -> None:
    vvlm("add", clip)
    vvlm("review", "160000", "--set", "weather=rain")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    outcome = vvlm("export", "ours", tmp_path / "full")
    assert outcome.exit_code != 0
    assert (tmp_path / "full" / "mine.txt").read_text() == "keep"
    assert len(list((tmp_path / "full").iterdir())) == 1


def test_only_reviewed_clips_are_exported_unless_asked(vvlm: Vvlm, clip: Path, tmp_path: Path) -> None:
    second = make_clip(clip.with_name("b.mp4"), frames=12, fps=25)
    vvlm("add", clip, second)
    vvlm("analyse")
    vvlm("review", "160000", "--set", "weather=rain")
    vvlm("export", "ours", tmp_path / "one")
    vvlm("export", "ours", tmp_path / "two", "--unreviewed")
    counts = [len((tmp_path / name / "corrections.jsonl").read_text().splitlines()) for name in ("one", "two")]
    assert counts == [1, 2]


def test_rebuild_gives_the_same_reviews(vvlm: Vvlm, clip: Path) -> None:
    vvlm("add", clip)
    vvlm("review", "160000", "--set", "weather=rain", "--evidence", "weather=1..2")
    before = vvlm("show", "160000", "--json").data
    assert vvlm("rebuild").exit_code == 0
    assert vvlm("show", "160000", "--json").data == before


@pytest.mark.parametrize("form", ["json-schema", "gemini", "prompt", "form"])
def test_schema_is_printed_in_each_form(vvlm: Vvlm, form: str) -> None:
    outcome = vvlm("schema", "--as", form, with_library=False)
    assert outcome.exit_code == 0
    assert "near_miss" in outcome.stdout
    if form != "prompt":
        json.loads(outcome.stdout)


def test_broken_schema_file_is_refused_with_the_line(vvlm: Vvlm, tmp_path: Path) -> None:
    bad = tmp_path / "mine.toml"
    bad.write_text('name = "mine"\nversion = 1\ntitle = "x"\n\n[[field]]\nkey = "a"\nlabel = "A"\nkind = "colour"\n')
    outcome = vvlm("schema", "--file", bad, with_library=False)
    assert outcome.exit_code == 1
    assert "line 8" in outcome.stderr


def test_doctor_names_the_library_and_never_fails_here(vvlm: Vvlm, library: Path) -> None:
    outcome = vvlm("doctor", "--json")
    assert outcome.exit_code == 0, outcome.stdout
    assert any(str(library) in check["found"] for check in outcome.data)


def test_library_that_is_no_library_is_told_plainly(vvlm: Vvlm, library: Path) -> None:
    library.mkdir()
    for name in ("library.db", "library.sqlite", "vvlm.db"):
        (library / name).write_bytes(b"this is not a database" * 100)
    outcome = vvlm("clips")
    assert outcome.exit_code == 1
    assert str(library) in outcome.stderr.replace("\n", "")
    assert "Traceback" not in outcome.stderr


def test_library_of_a_newer_version_is_left_alone(vvlm: Vvlm, library: Path, clip: Path) -> None:
    vvlm("add", clip)
    shutil.copytree(library, library.with_name("copy"))
    import sqlite3

    (database,) = [f for f in library.iterdir() if f.suffix in {".db", ".sqlite", ".sqlite3"}]
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    outcome = vvlm("clips")
    assert outcome.exit_code == 1
    assert "newer" in outcome.stderr


def test_clip_added_by_a_path_with_dots_is_found_by_any_spelling_of_it(
    vvlm: Vvlm, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip.parent.parent / "here").mkdir()
    monkeypatch.chdir(clip.parent.parent / "here")
    dotted = Path("..") / clip.parent.name / clip.name
    vvlm("add", dotted)
    (row,) = vvlm("clips", "--json").data
    assert row["path"] == str(clip)
    for spelling in (dotted, clip, clip.name):
        assert vvlm("show", spelling, "--json").data["clip"]["id"] == row["id"]
