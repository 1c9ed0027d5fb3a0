"""The frame index: time arithmetic without surprises, and what it says about each clip."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clips import FPS, FRAMES, WHOLE, clip, codes
from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError
from vvlm_desktop.video import scan
from vvlm_desktop.video.index import FrameIndex, read_index


def make_index(pts: tuple[int, ...], *, time_base: Fraction, keys: tuple[tuple[int, int], ...] = ()) -> FrameIndex:
    return FrameIndex(0, "mov", "h264", 320, 180, 0, Fraction(1), time_base, pts, keys or ((pts[0], pts[0]),), False)


TIME_BASES = st.sampled_from(
    [Fraction(1, 90_000), Fraction(1, 1000), Fraction(1001, 30_000), Fraction(1, 25), Fraction(1, 7)]
)
PTS = st.lists(st.integers(-(10**6), 10**9), min_size=1, max_size=60, unique=True).map(
    lambda times: tuple(sorted(times))
)


@given(PTS, TIME_BASES)
def test_time_of_a_frame_leads_back_to_it(pts: tuple[int, ...], time_base: Fraction) -> None:
    index = make_index(pts, time_base=time_base)
    for i in range(len(pts)):
        assert index.at_time(index.seconds(i)) == i
        assert index.number(pts[i]) == i


@given(PTS, st.sampled_from([Fraction(1, 1000), Fraction(1, 600), Fraction(1001, 30_000), Fraction(1, 25)]))
def test_milliseconds_lead_back_to_the_frame(pts: tuple[int, ...], time_base: Fraction) -> None:
    index = make_index(pts, time_base=time_base)
    assert [index.pts_at_ms(index.ms(i)) for i in range(len(pts))] == list(pts)


@given(PTS, TIME_BASES, st.floats(-1e7, 1e7))
def test_frame_on_screen_is_the_last_one_that_began(pts: tuple[int, ...], time_base: Fraction, seconds: float) -> None:
    index = make_index(pts, time_base=time_base)
    began = [i for i in range(len(pts)) if index.seconds(i) <= seconds]
    assert index.at_time(seconds) == (began[-1] if began else 0)


@given(PTS, st.data())
def test_groups_cover_every_frame_once(pts: tuple[int, ...], data: st.DataObject) -> None:
    chosen = sorted({pts[0], *data.draw(st.lists(st.sampled_from(pts)))})
    index = make_index(pts, time_base=Fraction(1, 1000), keys=tuple((key, key) for key in chosen))
    groups = sorted({index.gop(i) for i in range(len(pts))})
    assert [i for first, end in groups for i in range(first, end)] == list(range(len(pts)))
    assert [pts[first] for first, _ in groups] == chosen


def test_times_outside_the_clip_are_clamped() -> None:
    index = make_index((100, 200, 400), time_base=Fraction(1, 100))
    assert [index.at_time(t) for t in (-5, 0, 0.99, 1, 2.99, 3, 1e9, float("inf"))] == [0, 0, 0, 1, 1, 2, 2, 2]
    assert [index.pts_at_ms(ms) for ms in (-1, 999, 1000, 10**9)] == [100, 100, 200, 400]
    with pytest.raises(ValueError, match="not a time"):
        index.at_time(float("nan"))
    with pytest.raises(ValueError, match="PTS 101"):
        index.number(101)


@pytest.mark.parametrize("name", WHOLE)
def test_every_whole_clip_is_indexed_completely(name: str) -> None:
    index = read_index(clip(name))
    assert len(index) == len(codes(name))
    assert index.problem is None
    assert list(index.pts) == sorted(set(index.pts))
    assert index.keyframe_indices
    assert FrameIndex.from_json(json.loads(json.dumps(index.to_json()))) == index


def test_times_of_a_variable_frame_rate_are_kept() -> None:
    for name in ("h264_vfr.mp4", "h264_vfr.ts"):
        index = read_index(clip(name))
        assert [round(index.seconds(i) * FPS) for i in range(len(index))] == list(codes(name))


def test_discarded_keyframe_of_an_edit_list_is_an_entry_point_but_no_frame() -> None:
    index = read_index(clip("h264_edit_list.mp4"))
    assert index.keys[0][0] < index.pts[0]
    assert index.gop(0)[0] == 0


def test_facts_of_the_streams() -> None:
    index = read_index(clip("h264_bframes.mp4"))
    assert (index.codec, index.width, index.height, index.rotation) == ("h264", 320, 180, 0)
    assert (index.has_audio, index.declared_frames, index.fps) == (True, FRAMES, FPS)
    assert index.duration_s == pytest.approx(FRAMES / FPS)
    assert index.keyframe_indices == (0, 30, 60)
    assert not read_index(clip("h264.mkv")).has_audio
    assert read_index(clip("av1.mkv")).codec == "av1"
    assert read_index(clip("h264_wide_pixels.mp4")).sample_aspect == Fraction(4, 3)
    assert read_index(clip("one_frame.mp4")).fps is None
    assert read_index(clip("h264_bframes.avi")).in_decode_order
    assert not read_index(clip("h264.avi")).in_decode_order
    assert read_index(clip("matroska.mp4")).container == "matroska,webm"


@pytest.mark.parametrize(
    ("pts", "fps"),
    [
        ([0, 33, 67, 100, 133, 167, 200], 30.0),  # a clock of milliseconds rounds up and down
        ([0, 40, 80, 5_000_000, 5_000_040, 5_000_080], 25.0),  # one jump of the clock
        ([0, 40, 80, 200, 240, 280, 440, 480], 25.0),  # pictures left out
        ([0, 33, 83, 117, 167, 200, 250], 24.0),  # film shown on a screen of 60
        ([0, 2000, 4000, 6000], 0.5),  # time lapse
        ([7, 47], 25.0),
    ],
)
def test_frames_a_second_are_the_usual_ones_whatever_is_missing(pts: list[int], fps: float) -> None:
    index = make_index(tuple(pts), time_base=Fraction(1, 1000))
    assert index.fps == pytest.approx(fps, rel=0.001)
    assert index.usual_s == pytest.approx(1 / fps, rel=0.001)


@pytest.mark.parametrize(("degrees", "size"), [(90, (180, 320)), (180, (320, 180)), (270, (180, 320))])
def test_size_is_that_of_the_upright_picture(degrees: int, size: tuple[int, int]) -> None:
    index = read_index(clip(f"h264_rotated_{degrees}.mp4"))
    assert (index.rotation, (index.width, index.height)) == (degrees, size)


def test_stream_that_is_not_there_is_named() -> None:
    with pytest.raises(ClipUnreadableError, match="no video stream 1"):
        read_index(clip("h264.mkv"), stream_index=1)


def test_reading_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_LOOK_EVERY", 16)
    with pytest.raises(JobCancelledError):
        read_index(clip("h264.ts"), cancel=lambda: True)
    assert len(read_index(clip("h264.ts"), cancel=lambda: False)) == FRAMES


def test_absurd_number_of_frames_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_MAX_PACKETS", 50)
    with pytest.raises(ClipUnreadableError, match="more than 50 frames"):
        read_index(clip("h264.ts"))


@pytest.mark.parametrize("change", [{"format": 0}, {"pts": None}, {"time_base": "x"}, {"keys": [[1]]}, {"new": 1}])
def test_damaged_sidecar_is_refused(change: dict[str, object]) -> None:
    data = {**read_index(clip("one_frame.mp4")).to_json(), **change}
    with pytest.raises(ValueError, match="frame index"):
        FrameIndex.from_json(data)
