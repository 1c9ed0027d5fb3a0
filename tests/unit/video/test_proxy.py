"""Small copies for dragging: of the right frames, in the right colours, kept on disk within a limit."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests import clips
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video import proxy
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.proxy import SmallPictures, copy_of, frames_to_copy, trim
from vvlm_desktop.video.proxy_thread import ProxyThread
from vvlm_desktop.video.reader import FrameReader

LONG = "h264_one_key_30s.mp4"
WAIT_S = 10.0


@pytest.fixture
def short_is_long(monkeypatch):
    """A group of 60 frames counts as long: the clips of the tests are small."""
    monkeypatch.setattr(proxy, "LONG_GOP_FRAMES", 60)


def an_index(frames: int, *, key_every: int, fps: int = 30) -> FrameIndex:
    return FrameIndex(
        stream_index=0,
        container="mov,mp4",
        codec="h264",
        width=1280,
        height=720,
        rotation=0,
        sample_aspect=Fraction(1),
        time_base=Fraction(1, fps),
        pts=tuple(range(frames)),
        keys=tuple((i, i) for i in range(0, frames, key_every)),
        has_audio=False,
    )


def test_a_clip_with_enough_keyframes_needs_no_copies():
    assert frames_to_copy(an_index(900, key_every=30)) == []


def test_a_long_group_gets_a_copy_every_fifth_of_a_second():
    assert frames_to_copy(an_index(900, key_every=900)) == list(range(0, 900, 6))


def test_one_jump_of_the_clock_makes_the_copies_no_denser():
    index = an_index(900, key_every=900)
    jumping = replace(index, pts=tuple(pts + 150_000 * (pts >= 450) for pts in index.pts))
    assert frames_to_copy(jumping) == frames_to_copy(index)


def test_only_long_groups_get_copies():
    index = an_index(600, key_every=50)
    mixed = replace(index, keys=((0, 0), (50, 50), (100, 100), (550, 550)))
    assert frames_to_copy(mixed) == list(range(100, 550, 6))


def test_an_hour_gets_no_more_copies_than_fit_into_memory():
    wanted = frames_to_copy(an_index(108_000, key_every=108_000))
    assert 1500 < len(wanted) <= 2000
    assert len(set(np.diff(wanted))) == 1, "evenly"


def read(picture) -> int:
    return clips.read_code(picture.reformat(format="rgb24").to_ndarray())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Copies of the clip with one keyframe in 30 seconds, as the thread makes them."""
    patch = pytest.MonkeyPatch()
    patch.setattr(proxy, "LONG_GOP_FRAMES", 60)
    file = tmp_path_factory.mktemp("previews") / "clip.zip"
    path = clips.clip(LONG)
    index = read_index(path)
    thread = ProxyThread(lambda: FrameReader(path, index), index, file)
    assert thread.wait(WAIT_S)
    patch.undo()
    return thread.pictures, index, file


def test_each_copy_shows_the_frame_whose_number_it_has(made):
    pictures, index, _ = made
    assert len(pictures) == len(index), "a fifth of a second is less than a frame of this clip"
    for i in (0, 1, 59, 60, 118, 119):
        assert read(pictures.frame(i)) == i


def test_the_nearest_copy_is_found(made):
    pictures = SmallPictures()
    assert pictures.nearest(5) is None
    for i in (0, 10, 20):
        pictures.put(i, b"")
    assert [pictures.nearest(i) for i in (0, 4, 6, 10, 16, 99)] == [0, 0, 10, 10, 20, 20]


@pytest.mark.parametrize("name", ["h264_bframes.mp4", "h264_full_range.mp4", "hevc_10bit.mp4", "h264_odd_444.mp4"])
def test_copies_have_the_colours_of_their_frames(name):
    path = clips.clip(name)
    index = read_index(path)
    with FrameReader(path, index) as reader:
        pictures = SmallPictures()
        pictures.put(3, copy_of(reader.frame(3)))
        small = pictures.frame(3)
        from vvlm_desktop.video.rgb import source_colour

        shown = small.reformat(format="rgb24", **source_colour(small)).to_ndarray().astype(int)
        true = reader.rgb(3, width=small.width, height=small.height).astype(int)
    assert np.abs(shown.mean((0, 1)) - true.mean((0, 1))).max() < 3
    assert np.abs(shown - true).mean() < 12


def test_they_are_kept_and_read_back(made):
    pictures, index, file = made
    again = SmallPictures()
    assert again.load(file, index)
    assert len(again) == len(pictures)
    assert read(again.frame(77)) == 77
    assert not list(file.parent.glob("*.part"))


def test_copies_of_other_times_are_not_used(made):
    _, index, file = made
    moved = replace(index, pts=tuple(pts + 1 for pts in index.pts))
    other = SmallPictures()
    assert not other.load(file, moved)
    assert len(other) == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", None])
def test_a_damaged_file_is_not_used(tmp_path, made, content):
    file = tmp_path / "clip.zip"
    if content is not None:
        file.write_bytes(content)
    assert not SmallPictures().load(file, made[1])


def test_a_picture_that_does_not_decode_is_none(made):
    pictures = SmallPictures()
    pictures.put(3, b"no picture")
    assert pictures.frame(3) is None
    assert pictures.frame(4) is None


def test_second_time_they_come_from_disk(made, short_is_long):
    _, index, file = made

    def refuse():
        raise AssertionError("the clip was decoded again")

    again = ProxyThread(refuse, index, file)
    assert again.wait(WAIT_S)
    assert len(again.pictures) == len(index)


def test_a_clip_that_needs_none_starts_nothing(tmp_path):
    index = an_index(90, key_every=30)
    thread = ProxyThread(lambda: pytest.fail("opened"), index, tmp_path / "clip.zip")
    assert thread.wait(0)
    thread.close()


def test_closing_half_way_ends_at_once_and_keeps_nothing(tmp_path, short_is_long):
    path = clips.clip(LONG)
    index = read_index(path)
    reached, go_on = threading.Event(), threading.Event()

    class Slow(FrameReader):
        def walk(self, start=0):
            for step in super().walk(start):
                if step[0] == 5:
                    reached.set()
                    assert go_on.wait(WAIT_S)
                yield step

    thread = ProxyThread(lambda: Slow(path, index), index, tmp_path / "clip.zip")
    assert reached.wait(WAIT_S)
    assert len(thread.pictures) == 5, "what is there can be shown before all are"
    thread._stop.set()
    go_on.set()
    thread.close(WAIT_S)
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_does_not_open_makes_none(tmp_path, short_is_long):
    def refuse():
        raise ClipUnreadableError(Path("clip.mp4"), "it is gone")

    thread = ProxyThread(refuse, read_index(clips.clip(LONG)), tmp_path / "clip.zip")
    assert thread.wait(WAIT_S)
    assert len(thread.pictures) == 0


def test_oldest_go_first_when_the_limit_is_reached(tmp_path):
    for age, name in enumerate(("new", "middle", "old")):
        file = tmp_path / f"{name}.zip"
        file.write_bytes(bytes(100))
        os.utime(file, (1000 - age, 1000 - age))
    trim(tmp_path, limit_bytes=250)
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["middle", "new"]
    trim(tmp_path, limit_bytes=250)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_copies(tmp_path, made):
    pictures, index, _ = made
    (tmp_path / "file").write_bytes(b"")
    pictures.save(tmp_path / "file" / "clip.zip", index)
    trim(tmp_path / "gone")
