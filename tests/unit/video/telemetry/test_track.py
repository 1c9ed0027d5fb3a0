"""A track as a value: shifting, drawing, and the moments worth a look."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from vvlm_desktop.video.telemetry import Fix, Motion, Positions, Track, motion_candidates, resample
from vvlm_desktop.video.telemetry.track import STANDARD_GRAVITY, Floats

RATE_HZ = 50
TIMES = np.arange(0, 30_000, 1000 / RATE_HZ)


def motion(x: Floats, *, forward: tuple[int, int] | None = None, tilt: float = 0.2) -> Motion:
    """A camera on a tilted mount: gravity in y and z, `x` across it."""
    rows = np.stack([TIMES, x, np.full_like(x, np.sin(tilt)), np.full_like(x, np.cos(tilt))], axis=1)
    return Motion.of(list(map(tuple, rows.tolist())), forward=forward)


def pulse(start_ms: float, length_ms: float, height: float) -> Floats:
    return np.where((start_ms <= TIMES) & (start_ms + length_ms > TIMES), height, 0.0)


def positions(speeds: Floats, *, step_ms: float = 1000.0) -> Positions:
    return Positions.of([Fix(i * step_ms, 47 + i * 1e-5, 8, speed_mps=float(v)) for i, v in enumerate(speeds)])


def braking(at_s: int = 10, by: float = 6.0) -> Positions:
    return positions(np.where(np.arange(30) < at_s, 15.0, 15.0 - by))


def test_later_telemetry_means_that_the_film_began_earlier() -> None:
    track = Track("s", "c", braking(), motion(pulse(0, 1, 0)), started_at=datetime(2024, 5, 1, 12, 0, 10, tzinfo=UTC))
    later = track.shifted(1500)
    assert later.positions.time_ms[0] == 1500
    assert later.accelerometer.time_ms[0] == 1500
    assert later.started_at == datetime(2024, 5, 1, 12, 0, 8, 500_000, tzinfo=UTC)
    assert track.positions.time_ms[0] == 0
    assert later.shifted(-1500).positions.time_ms == pytest.approx(track.positions.time_ms)


def test_positions_are_sorted_unique_and_on_earth() -> None:
    found = Positions.of(
        [Fix(2, 1, 1), Fix(1, 2, 2), Fix(1, 3, 3), Fix(3, 0, 0), Fix(4, 91, 0), Fix(5, float("nan"), 0)]
    )
    assert found.time_ms.tolist() == [1, 2]
    assert found.lat.tolist() == [2, 1]


def test_resampling_keeps_every_peak_and_leaves_gaps_empty() -> None:
    times = np.array([0.0, 10, 20, 500, 510, 990])
    values = np.array([1.0, 9, -3, np.nan, 4, 7])
    low, high = resample(times, values, start_ms=0, end_ms=1000, buckets=4)
    assert low[[0, 2, 3]].tolist() == [-3, 4, 7]
    assert high[[0, 2, 3]].tolist() == [9, 4, 7]
    assert np.isnan([low[1], high[1]]).all()


def test_resampling_to_the_last_moment_stays_within_the_buckets() -> None:
    low, _ = resample(np.array([999.9999999999]), np.array([1.0]), start_ms=0, end_ms=1000, buckets=3)
    assert low[2] == 1.0
    with pytest.raises(ValueError, match="buckets"):
        resample(TIMES, TIMES, start_ms=5, end_ms=5, buckets=3)


def test_push_with_a_falling_speed_is_hard_braking() -> None:
    track = Track("s", "c", braking(), motion(pulse(9500, 1200, -0.6)))
    (found,) = [each for each in motion_candidates(track) if each.kind != "jolt"]
    assert found.kind == "hard_braking"
    assert found.peak_g == pytest.approx(0.6, abs=0.02)
    assert found.start_ms == pytest.approx(9500, abs=120)
    assert found.end_ms == pytest.approx(10_700, abs=120)


def test_push_at_an_even_speed_is_only_a_push() -> None:
    track = Track("s", "c", positions(np.full(30, 15.0)), motion(pulse(9500, 1200, 0.6)))
    assert [each.kind for each in motion_candidates(track)] == ["push"]


def test_what_lifts_the_car_is_no_push() -> None:
    """Along gravity, not across it: a long hump."""
    still = motion(np.zeros_like(TIMES))
    lifted = still.vectors * (1 + pulse(9500, 1200, 0.6))[:, None]
    hump = Motion.of(np.column_stack([TIMES, lifted]))
    assert [each for each in motion_candidates(Track("s", "c", braking(), hump)) if each.kind != "jolt"] == []


@pytest.mark.parametrize(("length_ms", "height"), [(200, 0.6), (1500, 0.35)])
def test_short_and_weak_pushes_are_none(length_ms: float, height: float) -> None:
    track = Track("s", "c", braking(), motion(pulse(9500, length_ms, height)))
    assert [each for each in motion_candidates(track) if each.kind != "jolt"] == []


def test_long_braking_is_one_and_is_not_taken_for_the_cars_rest() -> None:
    track = Track("s", "c", braking(), motion(pulse(9000, 3500, -0.5)))
    (found,) = [each for each in motion_candidates(track) if each.kind != "jolt"]
    assert found.end_ms - found.start_ms == pytest.approx(3500, abs=250)


@pytest.mark.parametrize(("height", "kinds"), [(-0.6, ["hard_braking"]), (0.6, [])])
def test_known_axis_tells_braking_from_starting(height: float, kinds: list[str]) -> None:
    track = Track("s", "c", accelerometer=motion(pulse(9500, 1200, height), forward=(0, 1)))
    assert [each.kind for each in motion_candidates(track)] == kinds


def test_jolt_of_one_sample_is_found_and_its_echo_joined() -> None:
    track = Track("s", "c", accelerometer=motion(pulse(5000, 20, 2.0) + pulse(5200, 20, -1.5) + pulse(20_000, 20, 1.0)))
    found = motion_candidates(track)
    assert [each.kind for each in found] == ["jolt", "jolt"]
    assert (found[0].start_ms, found[0].end_ms) == pytest.approx((5000, 5200))
    assert found[0].peak_g == pytest.approx(2.0, abs=0.1)


def test_speed_alone_tells_hard_braking_but_not_over_a_gap() -> None:
    found = motion_candidates(Track("s", "c", braking(by=6.0)))
    assert [each.kind for each in found] == ["hard_braking"]
    assert found[0].peak_g == pytest.approx(6 / STANDARD_GRAVITY)
    assert motion_candidates(Track("s", "c", braking(by=3.0))) == ()
    assert motion_candidates(Track("s", "c", positions(np.array([30.0, 0.0]), step_ms=5000))) == ()


def test_still_camera_gives_no_candidate_and_nothing_gives_nothing() -> None:
    assert motion_candidates(Track("s", "c", accelerometer=motion(np.zeros_like(TIMES)))) == ()
    assert motion_candidates(Track("s", "c")) == ()
