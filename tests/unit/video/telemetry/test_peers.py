"""gpxpy and pynmea2, which others use for the same files, read the same positions from them.

Opt-in (`-m formats`), in an environment that has both: `pip install gpxpy pynmea2`.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.video.telemetry import Positions, Track, read_sidecar
from vvlm_desktop.video.telemetry.clock import ClipClock
from vvlm_desktop.video.telemetry.gpx import write_gpx
from vvlm_desktop.video.telemetry.nmea import parse_nmea
from vvlm_desktop.video.telemetry.track import KNOT_MPS, Fix

pytestmark = pytest.mark.formats
START = datetime(2024, 2, 29, 23, 59, 30, tzinfo=UTC)


def drive(seed: int) -> list[Fix]:
    chance = random.Random(seed)
    lat, lon = chance.uniform(-80, 80), chance.uniform(-179, 179)
    fixes = []
    for i in range(60):
        lat, lon = lat + chance.uniform(-1e-3, 1e-3), lon + chance.uniform(-1e-3, 1e-3)
        fixes.append(Fix(i * 1000.0, lat, lon, chance.uniform(0, 40), chance.uniform(-50, 900), chance.uniform(0, 359)))
    return fixes


@pytest.mark.parametrize("seed", range(5))
def test_gpxpy_reads_what_was_written(seed: int, tmp_path: Path) -> None:
    gpxpy: Any = pytest.importorskip("gpxpy")
    fixes = drive(seed)
    write_gpx(Track("test", "test", Positions.of(fixes), started_at=START), tmp_path / "a.gpx")
    text = (tmp_path / "a.gpx").read_text(encoding="utf-8")
    points = gpxpy.parse(text).tracks[0].segments[0].points
    assert len(points) == len(fixes)
    for point, fix in zip(points, fixes, strict=True):
        assert (point.latitude, point.longitude) == pytest.approx((fix.lat, fix.lon), abs=1e-7)
        assert point.elevation == pytest.approx(fix.altitude_m, abs=0.01)
        assert point.time == START + timedelta(milliseconds=fix.time_ms)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_what_gpxpy_writes_is_read(version: str, tmp_path: Path) -> None:
    gpxpy: Any = pytest.importorskip("gpxpy")
    gpx = gpxpy.gpx.GPX()
    segment = gpxpy.gpx.GPXTrackSegment()
    gpx.tracks.append(gpxpy.gpx.GPXTrack())
    gpx.tracks[0].segments.append(segment)
    fixes = drive(7)
    for fix in fixes:
        at = START + timedelta(milliseconds=fix.time_ms)
        segment.points.append(
            gpxpy.gpx.GPXTrackPoint(fix.lat, fix.lon, elevation=fix.altitude_m, time=at, speed=fix.speed_mps)
        )
    (tmp_path / "a.gpx").write_text(gpx.to_xml(version=version), encoding="utf-8")
    track = read_sidecar(tmp_path / "a.gpx", tmp_path / "a.mp4", clock=ClipClock(duration_ms=60_000.0))
    assert track.positions.time_ms == pytest.approx([fix.time_ms for fix in fixes])
    assert track.positions.lat == pytest.approx([fix.lat for fix in fixes])
    assert track.positions.altitude_m == pytest.approx([fix.altitude_m for fix in fixes])
    if version == "1.0":  # 1.1 has no speed of its own
        assert track.positions.speed_mps == pytest.approx([fix.speed_mps for fix in fixes])


@pytest.mark.parametrize("seed", range(5))
def test_pynmea2_reads_the_same_sentences(seed: int) -> None:
    pynmea2: Any = pytest.importorskip("pynmea2")
    fixes = drive(seed)
    times = [START + timedelta(milliseconds=fix.time_ms) for fix in fixes]
    lines = [
        make.rmc(at, fix.lat, fix.lon, knots=fix.speed_mps / KNOT_MPS, course=fix.course_deg)
        for at, fix in zip(times, fixes, strict=True)
    ]
    ours = parse_nmea("\r\n".join(lines)).fixes
    theirs = [pynmea2.parse(line, check=True) for line in lines]
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.lat, mine.lon) == pytest.approx((other.latitude, other.longitude), abs=1e-9)
        assert mine.time_ms / 1000 == pytest.approx(other.datetime.timestamp())
        assert mine.speed_mps == pytest.approx(other.spd_over_grnd * KNOT_MPS)
        assert mine.course_deg == pytest.approx(other.true_course)
