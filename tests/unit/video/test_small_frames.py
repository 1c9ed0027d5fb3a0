"""Frames of other cameras are small and of exactly the moment."""

from __future__ import annotations

import os
import sys
import threading
from fractions import Fraction

import pytest

from tests import clips
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.rgb import RgbConverter
from vvlm_desktop.video.small_frames import LONG_SIDE_PX, SmallFrames


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    path = tmp_path_factory.mktemp("wide") / "wide.mp4"
    return clips.make_clip(path, frames=40, size=(1280, 720), options={"g": "20", "preset": "ultrafast"})


def on_a_thread(run):
    """The thread gives way to others for good, so it must not be the tests' own."""
    results: list = []
    thread = threading.Thread(target=lambda: results.append(run()))
    thread.start()
    thread.join()
    return results[0]


def test_each_small_frame_is_the_one_asked_for(wide):
    index = read_index(wide)

    def look():
        reader = SmallFrames(wide, index)
        frames = [(i, reader.frame(i)) for i in (39, 0, 17, 25)] + list(reader.walk(30))
        reader.close()
        return frames

    for i, frame in on_a_thread(look):
        assert max(frame.width, frame.height) <= LONG_SIDE_PX
        assert frame.pts == index.pts[i]
        assert clips.read_code(frame.to_ndarray(format="rgb24")) == i


def test_colours_are_those_of_the_large_picture(wide):
    index = read_index(wide)
    large, small = on_a_thread(lambda: _both(wide, index))
    difference = abs(large.reshape(-1, 3).mean(axis=0) - small.reshape(-1, 3).mean(axis=0))
    assert difference.max() < 2.5


def _both(path, index):
    from vvlm_desktop.video.reader import FrameReader

    converter = RgbConverter(index)
    with FrameReader(path, index) as reader:
        large = converter.upright(reader.frame(3), width=640)
    reader = SmallFrames(path, index)
    small = converter.upright(reader.frame(3), width=640)
    reader.close()
    return large, small


def test_wide_pixels_become_square():
    path = clips.clip("h264_wide_pixels.mp4")
    index = read_index(path)
    frame = on_a_thread(lambda: SmallFrames(path, index).frame(0))
    assert Fraction(frame.width, frame.height) == pytest.approx(Fraction(16, 9) * Fraction(4, 3), rel=0.02)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have priorities of their own on Linux only")
def test_its_thread_lets_others_go_first(wide):
    def niceness():
        SmallFrames(wide, read_index(wide)).close()
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert on_a_thread(niceness) >= min(19, before + 1)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
