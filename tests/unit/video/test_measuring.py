import numpy as np
import pytest

from tests.clips import clip, make_clip
from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.measuring import jolts, measure, upright_luma
from vvlm_desktop.video.picture import PictureStatistics, sharpness
from vvlm_desktop.video.reader import FrameReader

NAN = float("nan")


def measured(name, **changes):
    path = clip(name)
    return measure(path, read_index(path), **changes)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv422p", "yuv420p10le", "gray"])
def test_luma_is_the_same_whatever_the_pixels_are_stored_as(tmp_path, pix_fmt):
    path = make_clip(tmp_path / "a.mkv", frames=2, pix_fmt=pix_fmt, codec="ffv1")
    index = read_index(path)
    with FrameReader(path, index) as reader:
        luma = upright_luma(reader.frame(1), rotation=0)
        rgb = reader.rgb(1).astype(float)
    # BT.601, as a small untagged picture is coded; a grey one is as it is.
    expected = rgb @ [0.299, 0.587, 0.114]
    assert luma.shape == expected.shape
    assert np.abs(luma - expected).mean() < 4.0


def test_full_range_is_not_stretched_again():
    path = clip("h264_full_range.mp4")
    index = read_index(path)
    with FrameReader(path, index) as reader:
        expected = reader.rgb(2).astype(float) @ [0.299, 0.587, 0.114]
        assert np.abs(upright_luma(reader.frame(2), rotation=0) - expected).mean() < 4.0


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_picture_is_turned_upright_before_it_is_measured(degrees):
    path = clip(f"h264_rotated_{degrees}.mp4")
    index = read_index(path)
    with FrameReader(path, index) as reader:
        luma = upright_luma(reader.frame(3), rotation=index.rotation)
        assert luma.shape == (index.height, index.width)
        assert np.abs(luma - reader.rgb(3).mean(axis=2)).mean() < 25


def test_about_fifteen_frames_a_second_are_measured_at_even_distances():
    found = measured("h264_bframes.mp4")
    assert len(found.curves) == 45
    assert set(np.diff(found.curves.t_s).round(3)) == {np.float32(0.067)}
    assert (found.decoded, found.expected, found.gaps_s) == (90, 90, ())


def test_a_slow_clip_is_measured_frame_by_frame():
    found = measured("h264_one_key_30s.mp4")
    assert len(found.curves) == 120


def test_a_variable_rate_keeps_its_times():
    path = clip("h264_vfr.mp4")
    index = read_index(path)
    found = measure(path, index)
    for pts, t_s in zip(found.curves.pts, found.curves.t_s, strict=True):
        assert index.seconds(index.number(int(pts))) == pytest.approx(float(t_s), abs=1e-4)


def test_a_jump_of_hours_in_the_times_is_survived():
    found = measured("h264_jump.mp4")
    assert found.decoded == 90
    assert found.curves.t_s[-1] > 5000


def test_lost_frames_in_the_middle_are_gaps_and_at_the_end_are_counted():
    path = clip("zeroed.mp4")
    index = read_index(path)
    found = measure(path, index)
    assert found.decoded < found.expected
    assert found.gaps_s
    assert all(0 <= start < end <= index.duration_s for start, end in found.gaps_s)
    cut = measured("cut_faststart.mp4")
    assert cut.decoded <= cut.expected
    assert all(start > 1.2 for start, _ in cut.gaps_s), "nothing but what lies beside the cut"


@pytest.mark.parametrize("name", ["one_frame.mp4", "tiny.mp4", "h264_odd_444.mp4", "uhd.mp4", "black.mp4"])
def test_odd_clips_are_measured(name):
    found = measured(name)
    assert len(found.curves) >= 1
    assert np.isfinite(found.curves.brightness).all()


def test_not_one_picture_is_an_error_with_a_hint():
    path = clip("hollow.mp4")
    index = read_index(clip("h264_vfr.mp4"))
    with pytest.raises(ClipUnreadableError) as caught:
        measure(path, index)
    assert caught.value.hint


def test_cancelling_is_looked_for_at_every_frame():
    looks = iter(range(1000))
    with pytest.raises(JobCancelledError):
        measured("h264_bframes.mp4", cancelled=lambda: next(looks) >= 5)
    assert next(looks) == 6


def test_a_jolt_is_what_all_quarters_share():
    still = np.zeros((30, 4), np.float32)
    tracked = np.full(30, 50, np.float32)
    blow, car = still.copy(), still.copy()
    blow[15] = 0.03, 0.02, 0.025, NAN
    car[15] = 0.03, 0.0, 0.025, 0.0
    drive = still + np.array([0.01, -0.01, 0.01, -0.01], np.float32)
    assert jolts(blow, still, tracked=tracked)[15] == pytest.approx(0.02)
    assert jolts(still, -blow, tracked=tracked)[15] == pytest.approx(0.02)
    for calm in (car, drive, still):
        assert jolts(calm, still, tracked=tracked).max() == pytest.approx(0.0, abs=1e-6)
    unknown = jolts(np.full((5, 4), NAN, np.float32), np.full((5, 4), NAN, np.float32), tracked=np.zeros(5))
    assert np.isnan(unknown).all()


def test_blur_lowers_sharpness_and_contrast_does_not():
    rng = np.random.default_rng(1)
    crisp = rng.integers(0, 255, (40, 60), dtype=np.uint8).repeat(9, 0).repeat(10, 1)[:360, :600]
    kernel = np.ones(15) / 15
    soft = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, crisp.astype(float))
    soft = np.apply_along_axis(lambda column: np.convolve(column, kernel, "same"), 0, soft).astype(np.uint8)
    assert sharpness(crisp) > 0.6
    assert sharpness(soft) < 0.3
    assert sharpness(crisp // 3 + 80) == pytest.approx(sharpness(crisp), abs=0.05)
    assert np.isnan(sharpness(np.full((360, 640), 90, np.uint8)))
    assert sharpness(np.tile(np.linspace(0, 255, 640).astype(np.uint8), (360, 1))) == 0.0


def test_a_camera_that_changes_its_size_starts_its_statistics_anew():
    statistics = PictureStatistics()
    statistics.add(np.full((180, 320), 10, np.uint8))
    look = statistics.add(np.full((120, 160), 200, np.uint8))
    assert np.isnan(look.change)
    assert statistics.structure().level.mean() == pytest.approx(200 / 255, abs=0.01)
