"""Clips: known by content, remembered at every path, found by what somebody types."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.store.builders import make_clip, status, verdict
from vvlm_desktop.errors import ClipNotFoundError
from vvlm_desktop.store.library import Library


def test_a_clip_comes_back_as_it_was_added(library: Library) -> None:
    clip = make_clip(path="/drive/a b 🚗 #1.mp4", fps=None, problem="Only the first half plays.", is_sample=True)
    outcome = library.add_clip(clip)
    assert (outcome.outcome, outcome.clip) == ("added", clip)
    assert library.clip(clip.id) == clip
    assert library.all_clips() == [clip]


def test_adding_twice_changes_nothing(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    library.append([verdict(clip), status(clip)])
    again = library.add_clip(replace(make_clip(), recording="elsewhere", added_at="2027-01-01T00:00:00.000Z"))
    assert again.outcome == "known"
    assert again.clip == replace(clip, status="reviewed")
    assert library.count_clips() == 1
    assert library.paths_of(clip.id) == [clip.path]


def test_a_moved_file_is_the_same_clip_at_its_new_place(library: Library, tmp_path: Path) -> None:
    clip = library.add_clip(make_clip(path=str(tmp_path / "old.mp4"))).clip
    moved = library.add_clip(replace(clip, path=str(tmp_path / "new.mp4")))
    assert moved.outcome == "moved"
    assert moved.clip.path == str(tmp_path / "new.mp4")
    assert library.paths_of(clip.id) == [str(tmp_path / "new.mp4"), str(tmp_path / "old.mp4")]
    assert library.find_clip("new.mp4").id == clip.id


def test_a_copy_does_not_move_a_clip_whose_file_is_still_there(library: Library, tmp_path: Path) -> None:
    (tmp_path / "first.mp4").write_bytes(bytes(1001))
    clip = library.add_clip(make_clip(path=str(tmp_path / "first.mp4"))).clip
    for _ in range(2):
        copy = library.add_clip(replace(clip, path=str(tmp_path / "copy.mp4")))
        assert copy.clip.path == clip.path
    assert copy.outcome == "known"
    assert set(library.paths_of(clip.id)) == {clip.path, str(tmp_path / "copy.mp4")}


def test_a_path_belongs_to_the_content_seen_there_last(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(bytes(1001))
    old = library.add_clip(make_clip(1, path=str(path))).clip
    new = library.add_clip(make_clip(2, path=str(path))).clip
    assert library.clip_by_path(path) == new
    assert library.find_clip(str(path)) == new
    # The old content turns up elsewhere: its path is there now, although a file still lies at the old one.
    assert library.add_clip(replace(old, path=str(tmp_path / "y.mp4"))).clip.path == str(tmp_path / "y.mp4")


def test_two_streams_of_one_file_are_two_clips_at_one_path(library: Library, tmp_path: Path) -> None:
    path = str(tmp_path / "two.mp4")
    Path(path).write_bytes(bytes(1001))
    front = library.add_clip(make_clip(1, path=path)).clip
    rear = library.add_clip(make_clip(1, path=path, stream_index=1)).clip
    assert rear.id == f"{front.id}.1"
    assert library.clip_by_path(path) == front
    elsewhere = library.add_clip(replace(front, path=str(tmp_path / "copy.mp4"))).clip
    assert elsewhere.path == path


def test_a_better_look_at_a_known_content_is_kept(library: Library) -> None:
    clip = library.add_clip(make_clip(frames=0, problem="Nothing plays.", codec="")).clip
    assert not clip.readable
    better = library.add_clip(make_clip(frames=60, codec="hevc")).clip
    assert (better.frames, better.problem, better.codec) == (60, None, "hevc")


def test_an_unreadable_path_of_other_bytes_survives(library: Library) -> None:
    path = os.fsdecode(b"/drive/\xff\xfe.mp4")
    clip = library.add_clip(make_clip(path=path)).clip
    assert clip.path == path
    assert library.paths_of(clip.id) == [path]
    assert library.clip_by_path(path) == clip
    assert library.find_clip(path) == clip


def test_set_path_and_recording(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    library.set_path(clip.id, Path("/elsewhere/a.mp4"))
    library.set_recording(clip.id, "monday")
    assert library.clip(clip.id) == replace(clip, path="/elsewhere/a.mp4", recording="monday")
    assert library.find_clip("a.mp4").id == clip.id
    for change in (lambda: library.set_path("nothing", "/x"), lambda: library.set_recording("nothing", "x")):
        with pytest.raises(ClipNotFoundError):
            change()


def test_clips_of_a_folder_are_those_directly_in_it(library: Library) -> None:
    names = ("/d/a.mp4", "/d/b.mp4", "/d/sub/c.mp4", "/d2/e.mp4", "/d%/f.mp4", "/d./g.mp4")
    for number, path in enumerate(names):
        library.add_clip(make_clip(number, path=path))
    assert [clip.path for clip in library.clips_in_folder("/d")] == ["/d/a.mp4", "/d/b.mp4"]
    assert [clip.path for clip in library.clips_in_folder(Path("/d%"))] == ["/d%/f.mp4"]
    assert library.clips_in_folder("/") == []


def test_clips_of_a_folder_are_all_that_are_there_now_wherever_else_they_are(library: Library) -> None:
    clip = library.add_clip(make_clip(1, path="/one/a.mp4")).clip
    library.add_clip(make_clip(1, path="/two/b.mp4"))
    for folder, path in (("/one", "/one/a.mp4"), ("/two", "/two/b.mp4")):
        assert [(c.id, c.path) for c in library.clips_in_folder(folder)] == [(clip.id, path)]
    library.add_clip(make_clip(2, path="/two/b.mp4"))
    assert [c.id for c in library.clips_in_folder("/two")] == [make_clip(2).id]


def test_recordings_that_turn_out_to_be_one_take_all_their_clips_along(library: Library) -> None:
    clips = [library.add_clip(make_clip(number, recording="ab"[number % 2])).clip for number in range(4)]
    library.set_recordings({clips[0].id: "b"}, joined={"a": "b"})
    assert {clip.recording for clip in library.all_clips()} == {"b"}
    library.add_clip(make_clip(9, path="/late/x.mp4", recording=""))
    assert library.folders_without_recording() == ["/late"]


@pytest.fixture
def drive(library: Library) -> Library:
    for number, name in enumerate(["2024_front.mp4", "2024_rear.mp4", "rear.mp4", "100%_ÄÖ.mp4", "a_b.mp4", "axb.mp4"]):
        library.add_clip(make_clip(number, path=f"/drive/{name}"))
    return library


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("front", "2024_front.mp4"),
        ("FRONT", "2024_front.mp4"),
        ("rear.mp4", "rear.mp4"),  # the whole name beats a part of another
        ("/drive/2024_rear.mp4", "2024_rear.mp4"),
        ("0%_", "100%_ÄÖ.mp4"),  # signs of the pattern language stand for themselves
        ("a_b", "a_b.mp4"),
    ],
)
def test_a_clip_is_found_by_what_somebody_types(drive: Library, typed: str, name: str) -> None:
    assert Path(drive.find_clip(typed).path).name == name


def test_a_clip_is_found_by_id_and_by_its_beginning(drive: Library) -> None:
    clip = make_clip(0, path="/drive/2024_front.mp4")
    assert drive.find_clip(clip.id) == clip
    assert drive.find_clip(clip.id[:6].upper()) == clip
    with pytest.raises(ClipNotFoundError):
        drive.find_clip(clip.id[:3])


def test_a_relative_path_is_found(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = library.add_clip(make_clip(path=str(tmp_path / "here.mp4"))).clip
    library.add_clip(make_clip(2, path="/other/here.mp4"))
    monkeypatch.chdir(tmp_path)
    assert library.find_clip("./here.mp4") == clip


def test_what_fits_several_clips_lists_them(drive: Library) -> None:
    with pytest.raises(ClipNotFoundError, match="Several") as error:
        drive.find_clip("2024")
    assert "2024_front.mp4" in error.value.hint
    assert "2024_rear.mp4" in error.value.hint
    for nothing in ("nowhere", "", "%", "'; DROP TABLE clip; --"):
        if nothing != "%":
            with pytest.raises(ClipNotFoundError, match="No clip"):
                drive.find_clip(nothing)
    with pytest.raises(ClipNotFoundError, match="no clip"):
        drive.clip("nothing")


def test_a_file_that_cannot_be_read_is_remembered_until_it_can(library: Library) -> None:
    library.add_problem_file("/drive/locked.mp4", "No rights.")
    library.add_problem_file("/drive/locked.mp4", "Still no rights.")
    library.add_problem_file("/drive/other.mp4", "No rights.")
    assert [(file.path, file.problem) for file in library.problem_files()] == [
        ("/drive/locked.mp4", "Still no rights."),
        ("/drive/other.mp4", "No rights."),
    ]
    library.add_clip(make_clip(path="/drive/locked.mp4"))
    library.forget_problem_file("/drive/other.mp4")
    assert library.problem_files() == []
