"""Interlaced frames lose their comb for the eye, keep their identity, and are left alone in all other hands."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests import clips
from vvlm_desktop.video.deinterlace import deinterlaced, is_interlaced
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.levels import through
from vvlm_desktop.video.reader import FrameReader


def woven(path: Path) -> Path:
    """A bar that moves on between the two fields of each frame."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"x264-params": "bff=1:interlaced=1", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 176, "yuv420p"
        for i in range(9):
            picture = np.zeros((176, 320, 3), np.uint8)
            for field in (0, 1):
                left = 20 + (2 * i + field) * 8
                picture[1 - field :: 2, left : left + 30] = 230
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def comb(frame: av.VideoFrame) -> float:
    """How much each line differs from the mean of its neighbours."""
    luma = frame.reformat(format="gray").to_ndarray().astype(int)
    return float(np.abs(2 * luma[1:-1] - luma[:-2] - luma[2:]).mean())


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    path = woven(tmp_path_factory.mktemp("woven") / "woven.mp4")
    with FrameReader(path, read_index(path)) as reader:
        return [reader.frame(i) for i in range(9)]


@pytest.mark.parametrize(("before", "after"), [(3, 5), (3, None), (None, 5), (None, None)])
def test_the_comb_is_gone_whatever_neighbours_are_at_hand(frames, before, after):
    assert is_interlaced(frames[4])
    assert comb(frames[4]) > 10
    picture = deinterlaced(
        frames[4],
        before=None if before is None else frames[before],
        after=None if after is None else frames[after],
    )
    assert comb(picture) < 1
    assert (picture.width, picture.height) == (320, 176)


def test_it_is_this_frame_and_not_its_neighbour(frames):
    picture = deinterlaced(frames[4], before=frames[3], after=frames[5]).reformat(format="gray").to_ndarray()
    bar = np.flatnonzero(picture[88] > 120)
    assert abs(int(bar[0]) - (20 + 8 * 8)) <= 2, "the first field of frame 4"


def test_frames_are_left_as_they_were_decoded(frames):
    kept = [(frame.pts, frame.to_ndarray().copy()) for frame in frames[3:6]]
    deinterlaced(frames[4], before=frames[3], after=frames[5])
    for (pts, pixels), frame in zip(kept, frames[3:6], strict=True):
        assert frame.pts == pts
        assert (frame.to_ndarray() == pixels).all()


def test_neighbours_of_another_size_are_not_used(frames):
    other = av.VideoFrame(160, 90, "yuv420p")
    other.pts, other.time_base = 0, Fraction(1, 25)
    assert comb(deinterlaced(frames[4], before=other)) < 1


def test_what_the_filter_refuses_is_shown_as_it_is(frames, monkeypatch):
    def refuse():
        raise av.error.InvalidDataError(1, "no")

    monkeypatch.setattr("vvlm_desktop.video.deinterlace.Graph", refuse)
    assert deinterlaced(frames[4]) is frames[4]


def test_only_frames_that_say_so_are_interlaced():
    for name, wanted in (("h264_bframes.mp4", False), ("mpeg2_interlaced.ts", True)):
        path = clips.clip(name)
        with FrameReader(path, read_index(path)) as reader:
            assert is_interlaced(reader.frame(5)) is wanted


def test_every_byte_goes_through_the_table():
    table = bytes(255 - i for i in range(256))
    pixels = bytes(range(256)) * 3
    assert bytes(through(table, memoryview(pixels))) == pixels.translate(table)


def test_a_frame_from_the_end_of_the_file_needs_no_time_base():
    path = clips.clip("mpeg2_interlaced.ts")
    index = read_index(path)
    with FrameReader(path, index) as reader:
        frames = [frame for _, frame in reader.walk(80)]
    assert frames[-1].time_base is None
    assert clips.read_code(deinterlaced(frames[-1], before=frames[-2]).to_ndarray(format="rgb24")) == 89
