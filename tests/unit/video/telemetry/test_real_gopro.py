"""A real GoPro film; the expected figures are those of ExifTool and of GoPro's own parser, not of this reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.unit.video.test_real_clips import ROOT
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.telemetry import Track, find_telemetry, motion_candidates
from vvlm_desktop.video.telemetry.track import FIX_3D, STANDARD_GRAVITY

FILM = ROOT / "telemetry" / "t01_gopro_max-heromode.mp4"
pytestmark = pytest.mark.skipif(not FILM.is_file(), reason=f"no {FILM}")


@pytest.fixture(scope="module")
def track() -> Track:
    found = find_telemetry(FILM, index=read_index(FILM))
    assert found is not None
    return found


def test_positions_are_those_that_exiftool_reads(track: Track) -> None:
    positions = track.positions
    assert len(positions) == 191
    assert (positions.lat[0], positions.lon[0]) == pytest.approx((33.12677, -117.3273436), abs=1e-7)
    assert (positions.lat[-1], positions.lon[-1]) == pytest.approx((33.1266674, -117.3272734), abs=1e-7)
    assert positions.altitude_m[[0, -1]] == pytest.approx([-22.959, -23.637])
    assert positions.speed_mps[[0, -1]] == pytest.approx([1.046, 0.527])
    assert set(positions.fix.tolist()) == {FIX_3D}


def test_ends_are_within_20_ms_of_gopros_own_parser(track: Track) -> None:
    """It fits a line through all payloads; here the stamps are followed; up to 60 ms lie between both."""
    assert track.positions.time_ms[[0, 1, -1]] == pytest.approx([16.386, 75.268, 10506.086], abs=20)
    assert track.accelerometer.time_ms[[0, 1, -1]] == pytest.approx([-5.031, 0.0246, 10532.893], abs=5)


def test_forces_and_turns_are_those_of_gopros_own_parser(track: Track) -> None:
    assert len(track.accelerometer) == len(track.gyroscope) == 2082
    forces = track.accelerometer.vectors[[0, -1]] * STANDARD_GRAVITY
    assert forces == pytest.approx(np.array([[0.47482, 1.618705, 8.616307], [-4.009592, 1.589928, 8.42446]]), abs=1e-5)
    assert track.gyroscope.vectors[0] == pytest.approx([0.07241747, -0.15548456, -0.22257721], abs=1e-7)
    assert track.accelerometer.magnitude.mean() == pytest.approx(1.0, abs=0.02)


def test_wall_clock_and_calm_walk(track: Track) -> None:
    """The receiver's first time is 1.4 s older than the others."""
    assert track.started_at is not None
    assert abs(track.started_at - datetime(2019, 11, 18, 23, 45, 15, 440_000, UTC)) < timedelta(milliseconds=60)
    assert track.max_speed_mps == pytest.approx(1.437)
    assert [each.kind for each in motion_candidates(track)] == []
