"""Adding finds the videos, records what cannot be read with its reason, and can be stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clips import make_clip
from vvlm_desktop.workflow import add
from vvlm_desktop.workflow.add import add_paths, find_videos
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session


def test_folders_give_videos_and_named_files_are_tried_whatever_they_are(tmp_path: Path) -> None:
    for name in ("b.MP4", "a.mov", "notes.txt", ".hidden.mp4", "sub/c.ts", ".git/d.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_videos([tmp_path, tmp_path / "notes.txt", tmp_path / "a.mov"])
    assert [f.relative_to(tmp_path).as_posix() for f in found] == ["a.mov", "b.MP4", "sub/c.ts", "notes.txt"]


def test_absent_file_and_closed_file_are_told_apart(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed.mp4"
    closed.touch()

    def hash_of(path: Path, **_named: object) -> str:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        raise FileNotFoundError(2, "No such file", str(path))

    monkeypatch.setattr(add, "sha256_of", hash_of)
    report = add_paths(session, [closed, tmp_path / "absent.mp4"])
    assert [(i.outcome, i.problem) for i in report.items] == [
        ("failed", "No permission to read this file."),
        ("failed", "There is no such file."),
    ]
    assert len(session.library.problem_files()) == 2


def test_file_that_becomes_readable_is_no_problem_any_more(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "later.mp4"
    add_paths(session, [file])
    assert len(session.library.problem_files()) == 1
    make_clip(file, frames=10, fps=25)
    assert add_paths(session, [file]).count("added") == 1
    assert session.library.problem_files() == []


def test_stopping_keeps_what_was_added(session: Session, tmp_path: Path) -> None:
    for number in range(3):
        make_clip(tmp_path / f"{number}.mp4", frames=8 + number, fps=25)
    seen: list[Path] = []
    report = add_paths(session, [tmp_path], progress=lambda p: seen.append(p.path), cancelled=lambda: len(seen) >= 2)
    assert report.cancelled
    assert session.library.count_clips() == len(report.items) == 1


def test_front_and_rear_share_a_recording(session: Session, tmp_path: Path) -> None:
    for name in ("20230204_160000_NF.mp4", "20230204_160000_NR.mp4", "20230204_170000_NF.mp4"):
        make_clip(tmp_path / name, frames=8 + len(list(tmp_path.iterdir())), fps=25)
    add_paths(session, [tmp_path])
    recordings = {Path(c.path).name: c.recording for c in session.library.all_clips()}
    assert recordings["20230204_160000_NF.mp4"] == recordings["20230204_160000_NR.mp4"]
    assert recordings["20230204_160000_NF.mp4"] != recordings["20230204_170000_NF.mp4"]


def test_damaged_sidecar_is_made_again(session: Session, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_clip(tmp_path / "a.mp4", frames=10, fps=25)
    (item,) = add_paths(session, [tmp_path / "a.mp4"]).items
    assert item.clip is not None
    sidecar = session.library.index_file(item.clip)
    sidecar.write_text('{"pts": "nonsense"}')
    assert len(index_of(session, item.clip)) == 10
    assert "made again" in caplog.text
    caplog.clear()
    assert len(index_of(session, item.clip)) == 10
    assert caplog.text == ""
