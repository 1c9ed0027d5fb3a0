"""However cameras differ in speed, clock and length, each shows the picture nearest to the judged clip's moment."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.workflow.test_cameras import a_clip
from vvlm_desktop.ui.review import camera_source
from vvlm_desktop.ui.review.camera_source import CameraClip, CameraPicture, CameraSource
from vvlm_desktop.ui.review.camera_tile import CameraTile
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.workflow.cameras import OtherCamera


class Decoder:
    """Takes orders and decodes nothing."""

    def __init__(self, *_arguments: object, **_callbacks: object) -> None:
        self.asked: list[int] = []

    def request(self, i: int) -> None:
        self.asked.append(i)

    def unreadable(self, _i: int) -> None: ...

    def close(self, timeout_s: float) -> None: ...


def a_camera(
    pts_ms: list[int], *, offset_ms: float, group: int | None = None
) -> tuple[CameraSource, list[int], list[str]]:
    size = (640, 360, 0, Fraction(1))
    keys = tuple((pts, pts) for pts in pts_ms[:: group or len(pts_ms)])
    index = FrameIndex(0, "mov", "h264", *size, Fraction(1, 1000), tuple(pts_ms), keys, has_audio=False)
    camera = OtherCamera(a_clip("/d/rear.mp4"), "rear", round(offset_ms), "person")
    source = CameraSource(CameraClip(camera, Path("rear.mp4"), index), budget_bytes=1, offset_ms=offset_ms)
    words: list[str] = []
    source.picture_came.connect(lambda picture: words.append(picture.word))
    return source, source._thread.asked, words


@pytest.fixture(autouse=True)
def decoder(monkeypatch, qapp):
    monkeypatch.setattr(camera_source, "DecodeThread", Decoder)


SPEEDS = st.sampled_from([15.0, 24000 / 1001, 25.0, 30000 / 1001, 30.0, 60.0])


@settings(deadline=None, max_examples=60)
@given(
    judged_fps=SPEEDS,
    fps=SPEEDS,
    frames=st.integers(2, 400),
    offset_ms=st.floats(-5000, 5000),
    seeks=st.lists(st.integers(0, 600), min_size=1, max_size=20),
)
@pytest.mark.usefixtures("decoder")
def test_every_camera_is_within_half_a_frame_after_every_seek(judged_fps, fps, frames, offset_ms, seeks):
    source, asked, words = a_camera([round(i * 1000 / fps) for i in range(frames)], offset_ms=offset_ms)
    half_s = 0.5 * source.index.usual_s
    for i in seeks:
        asked.clear()
        words.clear()
        source._wanted = -1
        source._word = ""
        moment_s = i / judged_fps
        own_s = moment_s + offset_ms / 1000
        source.show_moment(moment_s, playing=False)
        if -half_s <= own_s < source.index.duration_s - half_s:
            assert len(asked) == 1
            # A millisecond for times that the file has rounded.
            assert abs(source.index.seconds(asked[0]) - own_s) <= half_s + 0.0011
        else:
            assert not asked
            assert ("begins" if own_s < 0 else "ended") in words[0]


def test_a_jump_of_its_clock_does_not_put_a_camera_out_of_step():
    source, asked, _words = a_camera([*range(0, 1000, 40), *range(5_000_000, 5_001_000, 40)], offset_ms=0.0)
    for moment_s, frame_index in ((0.0, 0), (0.2, 5), (0.49, 12), (0.88, 22)):
        source.show_moment(moment_s, playing=False)
        assert asked[-1] == frame_index


def test_while_playing_each_moment_moves_it_on_by_its_own_frames():
    source, asked, _words = a_camera([i * 66 for i in range(60)], offset_ms=-500.0)
    for tick in range(60):
        source.show_moment(0.5 + tick / 30, playing=True)
    assert [*dict.fromkeys(asked)] == [*range(asked[-1] + 1)]
    assert asked[-1] == pytest.approx(59 / 30 / 0.066, abs=0.5)


def test_far_behind_it_takes_the_soonest_picture_near_the_moment():
    source, asked, _words = a_camera([i * 40 for i in range(200)], offset_ms=0.0, group=25)
    source.show_moment(0.4, playing=True)
    source._on_decoded(CameraPicture(10, an_image()))
    source.show_moment(0.6, playing=True)
    assert asked[-1] == 15, "a little behind, frame by frame"
    source.show_moment(2.6, playing=True)
    assert asked[-1] == 50, "the group that frame 65 belongs to begins with it"
    source._on_decoded(CameraPicture(50, an_image()))
    assert source.lags
    source.show_moment(2.8, playing=True)
    assert asked[-1] == 70, "on from there"
    source.show_moment(4.6, playing=False)
    assert asked[-1] == 115, "exactly, once it stands"


def test_far_behind_a_damaged_first_picture_of_a_group_holds_nothing_up(monkeypatch):
    source, asked, _words = a_camera([i * 40 for i in range(200)], offset_ms=0.0, group=25)
    source.show_moment(0.4, playing=True)
    source._on_decoded(CameraPicture(10, an_image()))
    monkeypatch.setattr(source._thread, "unreadable", lambda i: object() if i == 50 else None)
    source.show_moment(2.6, playing=True)
    assert asked[-1] == 65


def test_a_picture_of_another_moment_says_that_it_is_catching_up():
    source, _asked, _words = a_camera([i * 40 for i in range(100)], offset_ms=0.0)
    tile = CameraTile(source)
    source.show_moment(1.0, playing=False)
    source._on_decoded(CameraPicture(25, an_image()))
    assert tile.caption().startswith("Rear · frame 25")
    source.show_moment(1.04, playing=True)
    assert not source.lags, "a frame behind is within what an eye takes for one moment"
    source.show_moment(3.0, playing=False)
    assert tile.caption().startswith("Rear, catching up · frame 25")
    source._on_decoded(CameraPicture(75, an_image()))
    assert tile.caption().startswith("Rear · frame 75")
    source.show_moment(1.0, playing=False)
    source.show_moment(60.0, playing=False)
    assert not source.lags
    assert tile.caption() == "Rear: recording has ended"
    tile.deleteLater()


def an_image() -> av.VideoFrame:
    return av.VideoFrame(32, 18, "yuv420p")
