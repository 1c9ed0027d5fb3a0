"""What the microphone hears: engine, tyres on the road, rain, screeching, horn, impact."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.samples.encode import SOUND_HZ
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.staging import Stage
from vvlm_desktop.samples.world import Snapshot

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]


def soundtrack(scenario: Scenario, stage: Stage, snapshots: list[Snapshot], *, fps: int, seed: int) -> Samples:
    """Mono samples in -1..1, as long as the clip."""
    count = len(snapshots) * SOUND_HZ // fps
    random = np.random.default_rng([seed, 51])
    t = np.arange(count) / SOUND_HZ
    frame_t = np.array([s.t_s for s in snapshots])
    speed = np.interp(t, frame_t, [s.ego.v for s in snapshots])
    slowing = np.clip(-np.interp(t, frame_t, [s.ego.a for s in snapshots]), 0, None)
    sound = _engine(speed) + _band(random, count, 60, 900) * (0.012 + 0.05 * speed / 25)
    if scenario.weather == "rain":
        sound += _band(random, count, 900, 7000) * 0.03
    screech = np.clip((slowing - 5.0) / 2.5, 0, 1) * np.clip(speed / 4, 0, 1)
    if screech.max() > 0:
        warble = np.sin(2 * np.pi * np.cumsum(900 + 60 * np.sin(2 * np.pi * 7 * t)) / SOUND_HZ)
        sound += screech * (
            0.10 * warble * (0.6 + 0.4 * _band(random, count, 2, 30)) + 0.05 * _band(random, count, 700, 2600)
        )
    if stage.horn is not None:
        on = np.clip((t - stage.horn[0]) / 0.03, 0, 1) * np.clip((stage.horn[1] - t) / 0.05, 0, 1)
        sound += 0.16 * on * sum(np.sin(2 * np.pi * f * t) / k for f, k in ((415, 1), (523, 1), (830, 2), (1046, 3)))
    hit = snapshots[-1].hit_at_s
    if hit is not None:
        sound += _impact(random, t - hit)
    return np.clip(sound, -0.98, 0.98).astype(np.float32)


def _engine(speed: Floats) -> Floats:
    """A four-cylinder engine that changes gear with speed."""
    gear = np.clip(np.floor(speed / 6.5), 0, 4)
    turns = np.clip(14 + (speed - gear * 4.4) * 2.4, 13, 60)  # per second
    smooth = np.convolve(np.pad(turns, 2400, mode="edge"), np.ones(4801) / 4801, mode="valid")
    phase = 2 * np.pi * np.cumsum(smooth) / SOUND_HZ
    hum: Floats = (
        0.035 * np.sin(2 * phase) + 0.02 * np.sin(phase) + 0.012 * np.sin(4 * phase + 0.6) + 0.006 * np.sin(6 * phase)
    )
    return hum


def _band(random: np.random.Generator, count: int, low_hz: float, high_hz: float) -> Floats:
    """Noise between two frequencies, of deviation 1."""
    size = 1 << math.ceil(math.log2(max(count, 2)))
    spectrum = np.fft.rfft(random.standard_normal(size))
    f = np.fft.rfftfreq(size, 1 / SOUND_HZ)
    spectrum *= np.clip((f - low_hz * 0.7) / (low_hz * 0.3), 0, 1) * np.clip(
        (high_hz * 1.4 - f) / (high_hz * 0.4), 0, 1
    )
    noise = np.fft.irfft(spectrum, size)[:count]
    result: Floats = noise / max(1e-9, float(noise.std()))
    return result


def _impact(random: np.random.Generator, since: Floats) -> Floats:
    """A thump, crumpling metal, falling glass."""
    after = np.clip(since, 0, None)
    on = (since >= 0).astype(np.float64)
    thump = 0.75 * np.sin(2 * np.pi * 62 * after) * np.exp(-after * 14)
    crash = 0.34 * _band(random, len(since), 150, 3200) * np.exp(-after * 9)
    glass = 0.07 * _band(random, len(since), 3500, 9000) * np.exp(-np.abs(after - 0.18) * 9)
    result: Floats = on * (thump + crash + glass)
    return result
