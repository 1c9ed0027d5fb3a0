"""Sound: the samples that belong to a moment, when the device asks for them, at the pace of the device."""

from __future__ import annotations

import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests import clips
from tests.patience import within
from vvlm_desktop.video.audio_clock import SoundClock, Timing
from vvlm_desktop.video.audio_mixer import SoundMixer
from vvlm_desktop.video.audio_output import NoSoundOutput, open_output
from vvlm_desktop.video.audio_samples import samples
from vvlm_desktop.video.audio_thread import SoundThread
from vvlm_desktop.video.index import read_index

RATE = 48_000
CLICKS_S = (0.5, 1.0, 1.75)


@pytest.fixture(scope="module")
def clicking(tmp_path_factory) -> Path:
    """Three seconds of pictures with a loud beep at known moments."""
    path = tmp_path_factory.mktemp("sound") / "clicks.mkv"
    wave = np.zeros(3 * RATE, dtype=np.float32)
    for at in CLICKS_S:
        wave[round(at * RATE) : round(at * RATE) + 2400] = 0.9 * np.cos(np.arange(2400) * 0.13)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        sound = out.add_stream("pcm_f32le", rate=RATE, layout="mono")
        for i in range(90):
            picture = av.VideoFrame.from_ndarray(clips.draw(i, width=160, height=90), format="rgb24")
            picture.pts, picture.time_base = i, Fraction(1, 30)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        for at in range(0, len(wave), 1024):
            piece = av.AudioFrame.from_ndarray(wave[None, at : at + 1024].copy(), format="flt", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = RATE, at, Fraction(1, RATE)
            out.mux(sound.encode(piece))
        out.mux(sound.encode(None))
    return path


def heard(path: Path, start_s: float, **options) -> np.ndarray:
    return np.concatenate(
        [*samples(path, read_index(path), start_s=start_s, rate_hz=RATE, **options), np.zeros((1, 2))]
    )


def clicks_in(wave: np.ndarray, *, rate_hz: int = RATE) -> list[float]:
    loud = np.flatnonzero(np.abs(wave[:, 0]) > 0.3) / rate_hz
    return [float(at) for i, at in enumerate(loud) if i == 0 or at - loud[i - 1] > 0.1]


@pytest.mark.parametrize("start_s", [0.0, 0.3, 0.9, 1.7])
def test_from_any_moment_on_each_click_is_where_it_belongs(clicking, start_s):
    wanted = [at - start_s for at in CLICKS_S if at > start_s]
    assert clicks_in(heard(clicking, start_s)) == pytest.approx(wanted, abs=0.002)


@pytest.mark.parametrize("speed", [0.5, 1.5, 2.0])
def test_at_another_speed_the_moments_come_sooner_or_later(clicking, speed):
    wave = heard(clicking, 0.2, speed=speed)
    assert [at * speed for at in clicks_in(wave)] == pytest.approx([at - 0.2 for at in CLICKS_S], abs=0.04)


def test_at_another_speed_the_pitch_stays():
    path = clips.clip("h264_bframes.mp4")
    plain, fast = heard(path, 0.0)[: 2 * RATE, 0], heard(path, 0.0, speed=1.5)[:RATE, 0]
    pitch = [np.argmax(np.abs(np.fft.rfft(wave))) * RATE / len(wave) for wave in (plain, fast)]
    assert pitch[1] == pytest.approx(pitch[0], rel=0.02)


def test_the_same_click_is_heard_out_of_a_transport_stream():
    path = clips.clip("h264.ts")
    whole, later = heard(path, 0.0)[:, 0], heard(path, 1.0)[:, 0]
    assert 2.8 < len(whole) / RATE < 3.3
    assert len(whole) - len(later) == pytest.approx(RATE, abs=RATE * 0.03)


def test_sound_that_begins_before_the_pictures_is_cut_to_them():
    wave = heard(clips.clip("h264_late_video.mp4"), 0.0)[:, 0]
    assert len(wave) / RATE == pytest.approx(3.0, abs=0.1)


def test_until_late_sound_begins_there_is_silence(tmp_path):
    path = clips.make_clip(tmp_path / "late.mp4", frames=60, audio_s=(1.0, 1.0))
    wave = heard(path, 0.25)[:, 0]
    first = np.flatnonzero(np.abs(wave) > 0.05)[0] / RATE
    assert first == pytest.approx(0.75, abs=0.03)


def test_a_clip_without_sound_gives_none():
    assert len(heard(clips.clip("h264.mkv"), 0.0)) == 1  # the one that `heard` adds


# --- the clock ------------------------------------------------------------------------------------------------------


class Time:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("pace", [0.99, 1.0, 1.01])
def test_the_clock_runs_at_the_pace_of_the_device(pace):
    now = Time()
    clock = SoundClock(now)
    jitter = np.random.default_rng(4).uniform(0, 0.008, 20_000)
    start = clock()
    block, worst = 0.02, 0.0
    for step in range(15_000):  # five minutes
        now.now = 50.0 + step * block / pace + jitter[step]
        clock.follow(step * block)
        if step > 100:
            worst = max(worst, abs(clock() - start - step * block))
    assert worst < 0.02


def test_the_clock_does_not_jump_when_the_device_comes_stalls_or_goes():
    now = Time()
    clock = SoundClock(now)
    values = [clock()]
    device_s = 0.0
    for step in range(3000):
        now.now += 0.01
        if 500 <= step < 1500 or step >= 1700:  # in between it is unplugged
            device_s += 0.01
            clock.follow(device_s)
        if step == 2000:
            device_s += 5.0  # another device, or one that began anew
        if step == 2500:
            clock.let_go()
        values.append(clock())
    steps = np.diff(values)
    assert steps.min() >= 0.0
    assert steps.max() < 0.02
    assert values[-1] - values[0] == pytest.approx(30.0, abs=0.1)


def test_a_device_that_keeps_no_time_does_not_take_the_picture_along():
    now = Time()
    clock = SoundClock(now)
    start = clock()
    for step in range(50_000):  # a null device asks as fast as it is answered
        now.now += 0.0001
        clock.follow(step * 0.01)
    assert clock() - start == pytest.approx(5.0, rel=0.03)


# --- the mixer ------------------------------------------------------------------------------------------------------


def ramp(first: int, count: int) -> np.ndarray:
    """Samples that say their own number, as thousandths of a thousandth."""
    numbers = np.arange(first, first + count, dtype=np.float32) / 1e6
    return np.stack([numbers, numbers], axis=1)


def filled(mixer: SoundMixer, count: int = 480, latency_s: float = 0.0) -> np.ndarray:
    out = np.full((count, 2), 9.0, dtype=np.float32)
    mixer.fill(out, latency_s=latency_s)
    return out


def test_samples_come_when_their_moment_is_heard():
    now = Time()
    mixer = SoundMixer(now, rate_hz=RATE)
    turn = mixer.start(Timing(base_s=10.0, started_s=50.0, rate=1.0), head_s=10.0)
    assert mixer.put(ramp(0, 9600), turn=turn)
    now.now = 50.02  # the device was slow: 960 samples are late
    mixer.set_volume(1.0)
    filled(mixer)  # fades in
    now.now += 0.01
    assert filled(mixer)[100, 0] == pytest.approx((960 + 480 + 100) / 1e6, abs=1e-7)


def test_samples_that_are_early_wait():
    now = Time()
    mixer = SoundMixer(now, rate_hz=RATE)
    turn = mixer.start(Timing(0.0, 50.0, 1.0), head_s=0.005)
    mixer.put(ramp(1000, 9600), turn=turn)
    out = filled(mixer)
    assert not out[:240].any()
    assert out[241:].all()


def test_what_jitters_is_not_cut_and_what_is_off_is():
    now = Time()
    mixer = SoundMixer(now, rate_hz=RATE)
    turn = mixer.start(Timing(0.0, 50.0, 1.0), head_s=0.0)
    mixer.put(ramp(0, 14_000), turn=turn)
    filled(mixer)
    now.now += 0.03  # two blocks late, as schedulers are
    assert filled(mixer)[0, 0] == pytest.approx(480 / 1e6, abs=1e-7)
    now.now += 0.1
    filled(mixer)
    out = filled(mixer)
    assert out[0, 0] > 5000 / 1e6


def test_stop_and_start_never_click():
    now = Time()
    mixer = SoundMixer(now, rate_hz=RATE)
    loud = np.full((9600, 2), 0.8, dtype=np.float32)
    turn = mixer.start(Timing(0.0, 50.0, 1.0), head_s=0.0)
    mixer.put(loud, turn=turn)
    heard = [filled(mixer), filled(mixer)]
    mixer.stop()
    heard.append(filled(mixer))
    assert not heard[-1][-1].any()
    now.now += 0.03
    turn = mixer.start(Timing(0.0, 50.0, 1.0), head_s=0.03)
    mixer.put(loud[:700], turn=turn)  # and it ends by itself
    heard += [filled(mixer), filled(mixer), filled(mixer)]
    wave = np.concatenate(heard)[:, 0]
    assert wave.max() > 0.7
    assert np.abs(np.diff(wave)).max() < 0.01
    assert wave[-1] == 0.0


def test_a_feeder_waits_for_room_and_is_let_go_by_a_seek():
    mixer = SoundMixer(Time(), rate_hz=RATE)
    turn = mixer.start(Timing(0.0, 50.0, 1.0), head_s=0.0)
    assert mixer.put(ramp(0, RATE), turn=turn)
    went: list[bool] = []
    feeder = threading.Thread(target=lambda: went.append(mixer.put(ramp(0, 10), turn=turn)))
    feeder.start()
    mixer.start(Timing(5.0, 50.0, 1.0), head_s=5.0)
    feeder.join(5)
    assert went == [False]
    assert not filled(mixer).any()


@pytest.mark.parametrize("pace", [0.997, 1.003])
def test_picture_and_sound_stay_together_on_a_device_that_is_too_fast_or_slow(pace):
    now = Time()
    clock = SoundClock(now)
    mixer = SoundMixer(clock, rate_hz=RATE)
    timing = Timing(base_s=2.0, started_s=clock(), rate=1.0)
    turn = mixer.start(timing, head_s=2.0)
    mixer.set_volume(1.0)
    put, last, apart_s, cuts = 0, None, [], 0
    for step in range(6000):  # two minutes; on the computer's own clock they would be 0.36 s apart by then
        while mixer.held_s < 0.1:
            mixer.put(ramp(put, 9600) % 8, turn=turn)
            put += 9600
        clock.follow(step * 0.02)
        first = 2.0 + round(float(filled(mixer, 960)[480, 0]) * 1e6 - 480) / RATE
        if step > 50:
            apart_s.append(timing.media_s(clock()) - first)
            cuts += last is not None and abs(first - last - 0.02) > 0.001
        last = first
        now.now += 0.02 / pace
    assert max(map(abs, apart_s)) < 0.03
    assert cuts == 0


def test_a_missing_device_and_one_that_is_taken_are_reasons(monkeypatch):
    class Sounddevice:
        class PortAudioError(Exception): ...

        def __init__(self, devices: list[dict[str, float]]) -> None:
            self.devices = devices

        def query_devices(self, kind):
            if not self.devices:
                raise self.PortAudioError("Error querying device -1")
            return self.devices[0]

        def OutputStream(self, **_options):
            raise self.PortAudioError("Device unavailable [PaErrorCode -9985]")

    for devices, reason in (([], "has no sound device"), ([{"default_samplerate": 44100.0}], "Device unavailable")):
        monkeypatch.setitem(sys.modules, "sounddevice", Sounddevice(devices))
        found = open_output(lambda _rate: lambda _out, _latency: None)
        assert isinstance(found, NoSoundOutput)
        assert reason in found.reason


# --- the thread -----------------------------------------------------------------------------------------------------


class FakeDevice:
    """Asks for samples when a test says so, and keeps what it was given."""

    rate_hz = RATE

    def __init__(self, time: Time) -> None:
        self.time = time
        self.alive, self.closed = True, 0
        self.fill = None
        self.heard: list[np.ndarray] = []

    def open(self, make_fill):
        self.fill = make_fill(self.rate_hz)
        self.alive = True
        return self

    def close(self) -> None:
        self.closed += 1
        self.alive = False

    def play(self, seconds: float) -> np.ndarray:
        for _ in range(round(seconds * 100)):
            out = np.zeros((RATE // 100, 2), dtype=np.float32)
            self.fill(out, 0.0)
            self.heard.append(out)
            self.time.now += 0.01
        return np.concatenate(self.heard)


def until(condition, *, seconds: float = 5.0) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + within(seconds)
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.002)


@pytest.fixture
def stage(clicking):
    """A device, what was said about it, and a thread that plays on it."""
    device = FakeDevice(Time())
    said: list[str | None] = []
    clock = SoundClock(device.time)
    thread = SoundThread(clock, on_output=said.append, open_device=device.open)
    yield device, said, clock, thread
    thread.close()


def play(thread: SoundThread, device: FakeDevice, path: Path, timing: Timing) -> None:
    """Let it play, and wait until there is something to hear."""
    thread.play(path, read_index(path), timing)
    until(lambda: thread.held_s > 0.1)


def test_a_click_is_heard_when_its_picture_is_shown(stage, clicking):
    device, said, clock, thread = stage
    play(thread, device, clicking, Timing(base_s=0.3, started_s=clock(), rate=1.0))
    wave = []
    for _ in range(10):
        wave.append(device.play(0.1))
        until(lambda: thread.held_s > 0.1)
    assert clicks_in(wave[-1]) == pytest.approx([0.2, 0.7], abs=0.012)
    assert said == [None]


def test_a_seek_lets_go_of_what_was_to_come(stage, clicking):
    device, _said, clock, thread = stage
    play(thread, device, clicking, Timing(0.3, clock(), 1.0))
    device.play(0.1)
    play(thread, device, clicking, Timing(1.65, clock(), 1.0))
    device.heard.clear()
    assert clicks_in(device.play(0.3)) == pytest.approx([0.1], abs=0.012)


def test_a_stop_before_the_sound_is_there_is_kept(stage, clicking):
    device, _said, clock, thread = stage
    index = read_index(clicking)
    play(thread, device, clicking, Timing(0.45, clock(), 1.0))
    for _ in range(50):
        thread.play(clicking, index, Timing(0.45, clock(), 1.0))
        thread.stop()
    assert not device.play(0.3).any()


def test_a_device_that_was_unplugged_is_opened_again(stage, clicking):
    device, said, clock, thread = stage
    play(thread, device, clicking, Timing(0.0, clock(), 1.0))
    device.alive = False
    device.fill = None
    thread.play(clicking, read_index(clicking), Timing(0.0, clock(), 1.0))
    until(lambda: device.fill is not None)
    assert said == [None, None]


def test_without_a_device_there_is_silence_and_a_reason(clicking):
    said: list[str | None] = []
    clock = SoundClock(Time())
    thread = SoundThread(clock, on_output=said.append, open_device=lambda _fill: NoSoundOutput("no device"))
    thread.play(clicking, read_index(clicking), Timing(0.0, clock(), 1.0))
    until(lambda: said == ["no device"])
    thread.close()


def test_a_missing_package_or_library_is_a_reason_and_no_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    found = open_output(lambda _rate: lambda _out, _latency: None)
    assert isinstance(found, NoSoundOutput)
    assert "not installed" in found.reason
