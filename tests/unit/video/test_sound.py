from fractions import Fraction

import av
import numpy as np
import pytest

from tests.clips import clip, damage
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.sound import WINDOW_S, loudness


def with_sound(path, signal, *, rate=48_000, layout="stereo", late_s=0.0, video_late_s=0.0, codec="pcm_s16le"):
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, 1000)
        audio = out.add_stream(codec, rate=rate, layout=layout)
        for i in range(50):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts, frame.time_base = round((i / 25 + video_late_s) * 1000), Fraction(1, 1000)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        channels = 2 if layout == "stereo" else 1
        for start in range(0, len(signal), 960):
            block = np.repeat((signal[start : start + 960] * 32767).astype(np.int16), channels)[None]
            chunk = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
            chunk.sample_rate, chunk.pts, chunk.time_base = rate, start + round(late_s * rate), Fraction(1, rate)
            out.mux(audio.encode(chunk))
        out.mux(audio.encode(None))
    return path


def tone(seconds, amplitude, rate=48_000):
    return amplitude * np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * 440 / rate)


def test_a_sine_of_half_scale_is_minus_nine_dbfs(tmp_path):
    path = with_sound(tmp_path / "a.mkv", tone(2.0, 0.5))
    level = loudness(path, read_index(path))
    assert np.nanmedian(level) == pytest.approx(-9.03, abs=0.3)


def test_two_equal_channels_are_as_loud_as_one(tmp_path):
    mono = with_sound(tmp_path / "mono.mkv", tone(1.0, 0.5), layout="mono")
    stereo = with_sound(tmp_path / "stereo.mkv", tone(1.0, 0.5))
    levels = [np.nanmedian(loudness(path, read_index(path))) for path in (mono, stereo)]
    assert levels[0] == pytest.approx(levels[1], abs=0.1)


def test_a_loud_moment_is_found_where_it_is(tmp_path):
    signal = np.concatenate([tone(1.0, 0.01), tone(0.2, 0.8), tone(0.8, 0.01)])
    path = with_sound(tmp_path / "a.mkv", signal, layout="mono")
    level = loudness(path, read_index(path))
    loud = np.flatnonzero(level > -20) * WINDOW_S
    assert loud.min() == pytest.approx(1.0, abs=WINDOW_S)
    assert loud.max() == pytest.approx(1.15, abs=WINDOW_S)


def test_times_count_from_the_first_frame_also_where_the_sound_comes_first(tmp_path):
    signal = np.concatenate([tone(1.5, 0.01), tone(0.2, 0.8), tone(1.3, 0.01)])
    path = with_sound(tmp_path / "a.mkv", signal, video_late_s=1.0)
    level = loudness(path, read_index(path))
    assert np.flatnonzero(level > -20).min() * WINDOW_S == pytest.approx(0.5, abs=2 * WINDOW_S)


def test_sound_that_starts_late_leaves_the_beginning_open(tmp_path):
    path = with_sound(tmp_path / "a.mkv", tone(1.0, 0.5), late_s=1.0)
    level = loudness(path, read_index(path))
    assert np.isnan(level[:18]).all()
    assert not np.isnan(level[22:38]).any()


def test_silence_is_a_level_and_no_sound_is_none(tmp_path):
    path = with_sound(tmp_path / "a.mkv", np.zeros(96_000))
    assert np.nanmax(loudness(path, read_index(path))) == -100.0
    silent = clip("h264_gop250.mp4")
    assert loudness(silent, read_index(silent)) is None


def test_damaged_sound_is_no_reason_to_fail(tmp_path):
    whole = with_sound(tmp_path / "whole.mkv", tone(2.0, 0.5), codec="aac")
    rng = np.random.default_rng(3)

    def spoil(data):
        for at in rng.integers(len(data) // 5, len(data), 3000):
            data[at] = int(rng.integers(256))
        return data

    index = read_index(whole)
    path = damage(whole, tmp_path / "spoilt.mkv", spoil)
    level = loudness(path, index)
    assert level is None or len(level) == len(loudness(whole, index))
    cut = damage(whole, tmp_path / "cut.mkv", lambda data: data[: len(data) // 2])
    assert loudness(cut, index) is None or np.isnan(loudness(cut, index)).any()


def test_cancelling_stops_it():
    path = clip("h264_bframes.mp4")
    with pytest.raises(JobCancelledError):
        loudness(path, read_index(path), cancelled=lambda: True)
