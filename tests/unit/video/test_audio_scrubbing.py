"""Scrubbing and what cameras record: no crackle at any cut, late sound, six channels, odd sample rates."""

from __future__ import annotations

import sys
import types
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests import clips
from tests.unit.video.test_audio import FakeDevice, Time, until
from vvlm_desktop.video.audio_clock import SoundClock, Timing
from vvlm_desktop.video.audio_mixer import SoundMixer
from vvlm_desktop.video.audio_output import DeviceList, NoSoundOutput, open_output
from vvlm_desktop.video.audio_samples import samples
from vvlm_desktop.video.audio_thread import SoundThread
from vvlm_desktop.video.index import read_index

RATE = 48_000
#: 110 Hz at 0.8 moves by 0.0115 a sample, a fade of 6 ms by 0.0028; the sum of two of them is no crackle.
LIMIT = 0.03


def hum(start_s: float, count: int) -> np.ndarray:
    wave = 0.8 * np.sin((np.arange(count) / RATE + start_s) * 2 * np.pi * 110)
    return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)


@pytest.mark.parametrize("block", [64, 128, 480, 960])
@pytest.mark.parametrize("seed", range(4))
def test_no_cut_of_a_scrubbing_hand_crackles(block, seed):
    rng = np.random.default_rng(seed)
    now = Time()
    mixer = SoundMixer(now, rate_hz=RATE)
    heard: list[np.ndarray] = []

    def fill(times: int) -> None:
        for _ in range(times):
            out = np.zeros((block, 2), dtype=np.float32)
            mixer.fill(out, latency_s=0.0)
            heard.append(out)
            now.now += block / RATE

    for _ in range(120):
        place_s = float(rng.uniform(0, 60))
        turn = mixer.start(Timing(place_s, now(), float(rng.choice([0.5, 1.0, 2.0]))), head_s=place_s)
        for _ in range(int(rng.integers(0, 4))):  # as far as the decoder got before the hand moved on
            count = int(rng.integers(32, 3000))
            mixer.put(hum(place_s, count), turn=turn)
            place_s += count / RATE
        fill(int(rng.integers(0, 12)))
        if rng.random() < 0.3:
            mixer.stop()
            fill(int(rng.integers(0, 3)))
        if rng.random() < 0.2:
            mixer.set_volume(float(rng.uniform(0, 1)))
    wave = np.concatenate(heard)[:, 0]
    assert np.abs(wave).max() > 0.4, "something was heard"
    assert np.abs(np.diff(wave)).max() < LIMIT


def recorded(path: Path, *, rate_hz: int, layout: str, late_s: float = 0.0, codec: str = "aac") -> Path:
    """Three seconds of pictures; a hum of half scale in every channel that begins `late_s` later."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        sound = out.add_stream(codec, rate=rate_hz, layout=layout)
        for i in range(90):
            picture = av.VideoFrame.from_ndarray(clips.draw(i, width=160, height=90), format="rgb24")
            picture.pts, picture.time_base = i, Fraction(1, 30)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        wave = (0.5 * np.sin(np.arange(int((3 - late_s) * rate_hz)) * 2 * np.pi * 220 / rate_hz)).astype(np.float32)
        channels = sound.codec_context.layout.nb_channels
        for at in range(0, len(wave) - 1023, 1024):
            piece = np.repeat(wave[None, at : at + 1024], channels, axis=0)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, at + int(late_s * rate_hz), Fraction(1, rate_hz)
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


@pytest.mark.parametrize(
    ("rate_hz", "layout"), [(8_000, "mono"), (16_000, "mono"), (44_100, "stereo"), (48_000, "5.1"), (48_000, "mono")]
)
def test_whatever_a_camera_records_is_stereo_at_the_devices_rate_and_pitch(tmp_path, rate_hz, layout):
    path = recorded(tmp_path / "film.mp4", rate_hz=rate_hz, layout=layout)
    wave = np.concatenate([*samples(path, read_index(path), start_s=0.5, rate_hz=RATE)])
    assert wave.shape[1] == 2
    assert len(wave) / RATE == pytest.approx(2.5, abs=0.15)
    middle = wave[RATE // 2 : RATE // 2 + RATE]
    for side in middle.T:
        assert np.argmax(np.abs(np.fft.rfft(side))) == pytest.approx(220, abs=2)
        assert 0.1 < np.abs(side).max() <= 1.0
    assert np.abs(np.diff(wave[:-2048, 0])).max() < 0.06, "nothing between the packets crackles"


@pytest.mark.parametrize("start_s", [0.0, 1.0, 2.0])
def test_sound_that_begins_late_begins_when_its_picture_is_shown(tmp_path, start_s):
    path = recorded(tmp_path / "film.mkv", rate_hz=RATE, layout="mono", late_s=2.5)
    wave = np.concatenate([*samples(path, read_index(path), start_s=start_s, rate_hz=RATE)])[:, 0]
    first = float(np.flatnonzero(np.abs(wave) > 0.05)[0]) / RATE
    assert first + start_s == pytest.approx(2.5, abs=0.03)
    assert not np.abs(wave[: round((2.4 - start_s) * RATE)]).max() > 0.01


# --- devices come and go --------------------------------------------------------------------------------------------


class Unplugged(FakeDevice):
    """Can be pulled out while it plays; whatever is asked of it then, it takes nothing."""

    opened = 0

    def open(self, make_fill):
        self.opened += 1
        return super().open(make_fill)


def test_a_headset_that_is_pulled_out_while_it_plays_is_followed_by_what_is_there_then(tmp_path):
    path = recorded(tmp_path / "film.mkv", rate_hz=RATE, layout="mono")
    device = Unplugged(Time())
    said: list[str | None] = []
    clock = SoundClock(device.time)
    thread = SoundThread(clock, on_output=said.append, open_device=device.open)
    thread.play(path, read_index(path), Timing(0.0, clock(), 1.0))
    until(lambda: thread.held_s > 0.1)
    device.play(0.1)
    device.alive = False
    until(lambda: device.opened == 2)
    until(lambda: thread.held_s > 0.1)
    device.heard.clear()
    assert np.abs(device.play(0.2)).max() > 0.1
    assert said == [None, None]
    thread.close()


def test_a_headset_that_is_pulled_out_and_nothing_else_there_is_told(tmp_path):
    path = recorded(tmp_path / "film.mkv", rate_hz=RATE, layout="mono")
    device = Unplugged(Time())
    said: list[str | None] = []
    clock = SoundClock(device.time)

    def open_device(make_fill):
        return NoSoundOutput("no device") if device.opened else device.open(make_fill)

    thread = SoundThread(clock, on_output=said.append, open_device=open_device)
    thread.play(path, read_index(path), Timing(0.0, clock(), 1.0))
    until(lambda: thread.held_s > 0.1)
    device.alive = False
    until(lambda: said == [None, "no device"])
    thread.close()


class Sounddevice:
    """Notes what is asked of PortAudio; its one device is `there`, and plays while `playing`."""

    PortAudioError = OSError

    def __init__(self) -> None:
        self.done: list[str] = []
        self.there = self.playing = True

    def _terminate(self) -> None:
        self.done.append("end")

    def _initialize(self) -> None:
        self.done.append("begin")

    def query_devices(self, *, kind: str) -> dict[str, float]:
        self.done.append(kind)
        if not self.there:
            raise ValueError("none")
        return {"default_samplerate": 48000.0}

    def OutputStream(self, **_options: object) -> types.SimpleNamespace:
        return types.SimpleNamespace(start=lambda: None, close=lambda: None, active=self.playing)


@pytest.fixture
def portaudio(monkeypatch):
    portaudio = Sounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", portaudio)
    return portaudio


def opened(devices: DeviceList):
    return open_output(lambda _rate: lambda _out, _latency: None, devices=devices)


def test_devices_are_not_listed_anew_for_each_clip_that_is_heard(portaudio):
    devices = DeviceList(time_s=lambda: 100.0)
    for _ in range(3):
        opened(devices).close()
    assert portaudio.done == ["output"] * 3


def test_devices_are_listed_anew_as_long_as_there_is_none(portaudio):
    portaudio.there = False
    devices = DeviceList(time_s=lambda: 100.0)
    assert isinstance(opened(devices), NoSoundOutput)
    portaudio.there = True
    opened(devices).close()
    opened(devices).close()
    assert portaudio.done == ["output", "end", "begin", "output", "output"]


def test_devices_are_listed_anew_after_one_stopped(portaudio):
    devices = DeviceList(time_s=lambda: 100.0)
    portaudio.playing = False
    opened(devices).close()
    opened(devices)
    assert portaudio.done == ["output", "end", "begin", "output"]


def test_an_old_list_of_devices_is_made_anew(portaudio):
    now = [0.0]
    devices = DeviceList(time_s=lambda: now[0])
    for now[0] in (0.0, 20.0, 40.0, 60.0):
        opened(devices).close()
    assert portaudio.done == ["output", "output", "end", "begin", "output", "output"]
