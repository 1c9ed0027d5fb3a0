"""Moments worth a look in four minutes of driving: those that were put there, and none besides."""

from __future__ import annotations

import numpy as np
import pytest

from vvlm_desktop.video.telemetry import Motion, MotionCandidate, Positions, Track, motion_candidates
from vvlm_desktop.video.telemetry.track import Fix, Floats

TIME_MS = np.arange(0, 240_000, 10.0)
SPEEDS = np.full(240, 15.0)


def within(start_ms: float, end_ms: float) -> Floats:
    return np.asarray((start_ms <= TIME_MS) & (end_ms > TIME_MS), np.float64)


def found(
    *, x: Floats | float = 0.0, z: Floats | float = 1.0, noise_g: float = 0.05, speeds: Floats = SPEEDS
) -> tuple[MotionCandidate, ...]:
    noise = np.random.default_rng(1).normal(0, noise_g, (3, len(TIME_MS)))
    motion = Motion.of(np.column_stack([TIME_MS, noise[0] + x, noise[1], noise[2] + z]))
    fixes = [Fix(i * 1000.0, 48, 11 + i * 1e-4, float(speed)) for i, speed in enumerate(speeds)]
    return motion_candidates(Track("test", "test", Positions.of(fixes), motion))


@pytest.mark.parametrize("noise_g", [0.05, 0.2, 0.3])
def test_noise_is_nothing_however_strong(noise_g: float) -> None:
    assert found(noise_g=noise_g) == ()


@pytest.mark.parametrize("strength_g", [0.5, 1.0])
def test_mount_that_shakes_all_the_time_is_nothing(strength_g: float) -> None:
    assert found(z=1 + strength_g * np.sin(2 * np.pi * 23 * TIME_MS / 1000)) == ()


def test_curve_and_slope_are_nothing() -> None:
    assert found(x=0.3 * within(100_000, 110_000) + 0.08 * within(150_000, 240_000)) == ()


def test_braking_is_found_once_and_where_it_was() -> None:
    at_s = np.arange(240)
    speeds = np.where(at_s < 200, 15.0, np.where(at_s > 202, 4.0, 9.0))
    (braking,) = found(x=0.6 * within(200_000, 202_000), speeds=speeds)
    assert braking.kind == "hard_braking"
    assert (braking.start_ms, braking.end_ms) == pytest.approx((200_000, 202_000), abs=100)
    assert braking.peak_g == pytest.approx(0.6, abs=0.05)


def test_push_without_slowing_is_not_called_braking() -> None:
    (push,) = found(x=0.6 * within(200_000, 202_000))
    assert push.kind == "push"


@pytest.mark.parametrize("noise_g", [0.05, 0.2])
def test_pothole_is_a_jolt_on_a_rough_road_too(noise_g: float) -> None:
    (jolt,) = found(z=1 + 2.5 * within(50_000, 50_040), noise_g=noise_g)
    assert jolt.kind == "jolt"
    assert jolt.start_ms == pytest.approx(50_000, abs=20)
    assert jolt.peak_g == pytest.approx(2.5, abs=0.5)
