"""Adding finds the videos, records what cannot be read with its reason, and can be stopped."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clips import make_clip
from vvlm_desktop.errors import ClipMissingError
from vvlm_desktop.video import probe
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.probe import ExamineProgress
from vvlm_desktop.workflow import add, add_progress
from vvlm_desktop.workflow.add import add_paths, find_videos
from vvlm_desktop.workflow.add_progress import AddProgress
from vvlm_desktop.workflow.exporting import export
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.review import settle
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


def test_hash_and_index_are_read_side_by_side(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One behind the other they would take a file that is larger than the memory from the disk twice."""
    file = make_clip(tmp_path / "a.mp4", frames=10, fps=25)
    both = threading.Barrier(2, timeout=30)
    hash_of, examine = probe.sha256_of, probe.examine

    def hash_beside(path: Path, *, progress: Callable[[int], None]) -> str:
        both.wait()
        return hash_of(path, progress=progress)

    def examine_beside(path: Path, *, stream_index: int, **how: Any) -> FrameIndex:
        both.wait()
        return examine(path, stream_index=stream_index, **how)

    monkeypatch.setattr(add, "sha256_of", hash_beside)
    monkeypatch.setattr(add, "examine", examine_beside)
    (item,) = add_paths(session, [file]).items
    assert item.clip is not None
    assert (item.clip.sha256, item.clip.frames) == (hashlib.sha256(file.read_bytes()).hexdigest(), 10)


def test_file_that_is_taken_away_while_it_is_examined_stops_nothing(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, stays = (make_clip(tmp_path / name, frames=8 + len(name), fps=25) for name in ("a.mp4", "stays.mp4"))
    examine = probe.examine

    def take_away(path: Path, *, stream_index: int, **how: Any) -> FrameIndex:
        if path == gone:
            raise ClipMissingError(path)
        return examine(path, stream_index=stream_index, **how)

    monkeypatch.setattr(add, "examine", take_away)
    report = add_paths(session, [gone, stays])
    assert [(i.outcome, i.problem) for i in report.items] == [("failed", "There is no such file."), ("added", None)]


def test_stopping_keeps_what_was_added(session: Session, tmp_path: Path) -> None:
    for number in range(3):
        make_clip(tmp_path / f"{number}.mp4", frames=8 + number, fps=25)
    seen: list[Path] = []
    report = add_paths(session, [tmp_path], progress=lambda p: seen.append(p.path), cancelled=lambda: len(seen) >= 2)
    assert report.cancelled
    assert session.library.count_clips() == len(report.items) == 1


def test_large_file_tells_how_much_of_it_both_readers_have_read(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_clip(tmp_path / "a.mp4", frames=30, fps=25)
    size, examine, examined = file.stat().st_size, probe.examine, threading.Event()

    def hash_in_halves(path: Path, *, progress: Callable[[int], None]) -> str:
        progress(size // 2)
        assert examined.wait(10)
        progress(size)
        return "0" * 64

    def examine_twice(path: Path, *, progress: Callable[[ExamineProgress], None], **how: Any) -> FrameIndex:
        progress(ExamineProgress(0.25))
        progress(ExamineProgress(1.0))
        progress(ExamineProgress(0.5, decoding=True))
        examined.set()
        return examine(path, **how)

    monkeypatch.setattr(add, "sha256_of", hash_in_halves)
    monkeypatch.setattr(add, "examine", examine_twice)
    monkeypatch.setattr(add_progress, "_TELL_EVERY_S", 0.0)
    told: list[AddProgress] = []
    add_paths(session, [file], progress=told.append)
    assert {(p.done, p.total, p.path) for p in told[:-1]} == {(0, 1, file)}
    told = [p for p in told if p.size_bytes]
    assert [p.checked for p in told].count(0.5) == 1
    read = [p.read_bytes for p in told]
    assert read == sorted(read), "it never goes back"
    assert read[-1] == told[-1].size_bytes == size
    assert max(p.read_bytes for p in told[:-1]) <= size // 2, "no further than the slower one"
    assert told[-1].share == 1.0


def test_small_file_tells_no_bytes(session: Session, tmp_path: Path) -> None:
    told: list[AddProgress] = []
    add_paths(session, [make_clip(tmp_path / "a.mp4", frames=8, fps=25)], progress=told.append)
    assert [(p.done, p.read_bytes) for p in told] == [(0, 0), (1, 0)]


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


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    to.write_bytes(file.read_bytes())


def _recordings(session: Session) -> dict[str, str]:
    return {c.path: c.recording for c in session.library.all_clips()}


def test_copy_in_another_folder_keeps_what_it_belongs_to_there_in_one_recording(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "one").mkdir()
    first = make_clip(tmp_path / "one" / "20240101_120000_F.mp4", frames=50, fps=25)
    _copy(first, tmp_path / "two" / first.name)
    make_clip(tmp_path / "two" / "20240101_120003_F.mp4", frames=51, fps=25)
    for folder in ("one", "two"):
        add_paths(session, [tmp_path / folder])
    assert len(set(_recordings(session).values())) == 1


def test_copy_that_connects_two_known_recordings_makes_all_their_clips_one(session: Session, tmp_path: Path) -> None:
    for folder, times in (("one", ("120000", "120003")), ("two", ("130000", "130003"))):
        (tmp_path / folder).mkdir()
        for number, time in enumerate(times):
            file = tmp_path / folder / f"20240101_{time}_F.mp4"
            make_clip(file, frames=50 + number + len(folder) * (folder == "one"), fps=25)
    add_paths(session, [tmp_path])
    assert len(set(_recordings(session).values())) == 2
    _copy(tmp_path / "one" / "20240101_120003_F.mp4", tmp_path / "two" / "20240101_130006_F.mp4")
    add_paths(session, [tmp_path / "two"])
    assert len(set(_recordings(session).values())) == 1


def test_interrupted_addition_is_grouped_at_the_next_one_and_before_an_export(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, frames in (("one", 20), ("two", 30)):
        (tmp_path / folder).mkdir()
        for camera in "FR":
            make_clip(tmp_path / folder / f"a_{camera}.mp4", frames=frames + ord(camera), fps=25)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    for folder in ("one", "two"):
        with monkeypatch.context() as dying:
            dying.setattr(add, "_regroup", die)
            dying.setattr(add, "regroup_unfinished", lambda _session: None)
            with pytest.raises(KeyboardInterrupt):
                add_paths(session, [tmp_path / folder])
    assert set(_recordings(session).values()) == {""}
    settle(session, session.library.all_clips()[0].id, {"event_type": "collision"})
    export(session, "metadata", tmp_path / "out")
    grouped = _recordings(session)
    assert "" not in grouped.values()
    assert len(set(grouped.values())) == 2
    add_paths(session, [tmp_path / "nothing"])
    assert _recordings(session) == grouped


def test_folder_is_grouped_before_the_next_one_is_begun(session: Session, tmp_path: Path) -> None:
    for number, folder in enumerate(("one", "two", "two")):
        (tmp_path / folder).mkdir(exist_ok=True)
        make_clip(tmp_path / folder / f"{number}.mp4", frames=20 + number, fps=25)
    seen: list[set[str]] = []
    add_paths(session, [tmp_path], progress=lambda _: seen.append(set(_recordings(session).values())))
    assert len(seen[2]) == 2  # the first folder's name, and "" of the one in work


def test_stopped_addition_is_grouped_as_far_as_it_went(session: Session, tmp_path: Path) -> None:
    for number in range(3):
        make_clip(tmp_path / f"{number}.mp4", frames=8 + number, fps=25)
    seen: list[Path] = []
    add_paths(session, [tmp_path], progress=lambda p: seen.append(p.path), cancelled=lambda: len(seen) >= 2)
    assert _recordings(session)
    assert "" not in _recordings(session).values()


def test_name_that_is_no_text_gets_a_recording_too(session: Session, tmp_path: Path) -> None:
    file = make_clip(tmp_path / "a.mp4", frames=10, fps=25)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/cl\xff_F.mp4"))
    try:
        file.rename(odd)
    except OSError:
        pytest.skip("this file system takes text only")
    add_paths(session, [odd])
    assert _recordings(session)[str(odd)] != ""
    assert session.library.folders_without_recording() == []


def test_identical_copy_is_not_called_moved_while_the_first_file_is_there(session: Session, tmp_path: Path) -> None:
    first, second = tmp_path / "a.mp4", tmp_path / "b.mp4"
    make_clip(first, frames=8, fps=25)
    add_paths(session, [first])
    second.write_bytes(first.read_bytes())
    assert [item.outcome for item in add_paths(session, [second]).items] == ["copy"]
    third = first.rename(tmp_path / "c.mp4")
    assert [item.outcome for item in add_paths(session, [third]).items] == ["moved"]
