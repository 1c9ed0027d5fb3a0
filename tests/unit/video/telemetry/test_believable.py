"""What cannot be true of any drive is left out and counted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from vvlm_desktop.video.telemetry import Motion, Positions, Track, read_sidecar
from vvlm_desktop.video.telemetry.believable import believable
from vvlm_desktop.video.telemetry.clock import ClipClock
from vvlm_desktop.video.telemetry.track import Fix

CLOCK = ClipClock(duration_ms=5000.0)


def table(folder: Path, *rows: str) -> Track:
    path = folder / "a.csv"
    path.write_text("\n".join(["time_s,lat,lon,speed_kmh,altitude", *rows]), encoding="utf-8")
    return read_sidecar(path, folder / "a.mp4", clock=CLOCK)


def test_speed_of_a_damaged_row_is_left_out_and_its_place_stays(tmp_path: Path) -> None:
    track = table(tmp_path, "0,47,8,50,3", "1,47,8,1000000000,3", "2,47,8,-3,3", "3,47,8,51,3")
    assert track.positions.speed_mps * 3.6 == pytest.approx([50, np.nan, np.nan, 51], nan_ok=True)
    assert track.max_speed_mps == pytest.approx(51 / 3.6)
    assert track.notes == ("2 impossible speeds left out",)


def test_heights_and_places_are_counted(tmp_path: Path) -> None:
    track = table(tmp_path, "0,91,8,50,3", "1,47,181,50,3", "2,0,0,50,3", "3,47,8,50,1e6", "4,47,8,50,nan")
    assert track.positions.time_ms.tolist() == [3000, 4000]
    assert np.isnan(track.positions.altitude_m).all()
    assert track.notes == (
        "3 positions at 0, 0 or at no place on Earth left out",
        "1 impossible heights left out",
    )


def test_rows_without_a_place_are_not_called_damaged(tmp_path: Path) -> None:
    assert table(tmp_path, "0,47,8,50,3", "1,,,50,3", "2,47,8,50,3").notes == ()


def test_forces_that_no_sensor_measures_are_left_out() -> None:
    motion = Motion.of([(0, 0, 0, 1), (10, 0, 3e8, 1), (20, 0, 0, 1)])
    track = believable(Track("a", "b", accelerometer=motion))
    assert track.accelerometer.time_ms.tolist() == [0, 20]
    assert track.strongest_g == 1.0
    assert track.notes == ("1 impossible accelerations left out",)


@pytest.mark.parametrize("year", [1970, 1999, 2099])
def test_date_of_a_receiver_that_lost_count_is_left_out(year: int) -> None:
    positions = Positions.of([Fix(0, 47, 8)])
    track = believable(Track("a", "b", positions, started_at=datetime(year, 1, 1, tzinfo=UTC)))
    assert track.started_at is None
    assert track.notes == (f"the date {year}-01-01 cannot be and was left out",)
    assert len(track.positions) == 1


def test_plausible_track_is_not_touched() -> None:
    positions = Positions.of([Fix(0, 47, 8, 30.0, 400.0, 361.0), Fix(1000, 47, 8)])
    started_at = datetime(2024, 1, 1, tzinfo=UTC)
    track = believable(Track("a", "b", positions, started_at=started_at, notes=("c",)))
    assert (track.started_at, track.notes) == (started_at, ("c",))
    assert track.positions.speed_mps[0] == 30.0
    assert track.positions.course_deg[0] == 1.0
