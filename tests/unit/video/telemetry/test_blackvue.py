"""BlackVue: boxes in the film and files beside it."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.video.telemetry import find_telemetry
from vvlm_desktop.video.telemetry.blackvue import read_3gf

START = datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC)
PLACES = [(51.150436 + i * 1e-4, -114.030678 - i * 1e-4) for i in range(5)]
FORCES = [(i * 100, 1.0, 0.5, -0.25) for i in range(50)]


def log(*, late_ms: int = 250, zone_h: int = 0) -> str:
    """A sentence of each kind a second; the stamps begin `late_ms` after the film, in the camera's zone."""
    lines = []
    for i, (lat, lon) in enumerate(PLACES):
        at = START + timedelta(seconds=i)
        stamp = f"[{round((at.timestamp() + zone_h * 3600) * 1000) + late_ms}]"
        # The station "TSTR" is what a DR900S writes.
        lines += [
            stamp + make.rmc(at, lat, lon, knots=10, course=45),
            stamp + make.gga(at, lat, lon, altitude=1097.4, quality=5, station="TSTR"),
            stamp + make.sentence("GPGSV,3,1,12,31,67,118,27,21,57,260,16"),
        ]
    return "\r\n".join(lines) + "\r\n"


def test_film_holds_both_on_its_own_clock(tmp_path: Path) -> None:
    film = make.blackvue_film(
        tmp_path / "20240501_102030_NF.mp4",
        log(),
        make.three_gf(FORCES),
        start_ms=round(START.timestamp() * 1000),
    )
    track = find_telemetry(film)
    assert track is not None
    assert track.positions.time_ms == pytest.approx([250, 1250, 2250, 3250, 4250])
    assert track.positions.lat == pytest.approx([lat for lat, _ in PLACES], abs=1e-6)
    assert track.positions.lon == pytest.approx([lon for _, lon in PLACES], abs=1e-6)
    assert track.positions.altitude_m == pytest.approx([1097.4] * 5)
    assert track.positions.speed_mps == pytest.approx([10 * 1852 / 3600] * 5)
    assert track.accelerometer.time_ms[-1] == 4900
    assert track.accelerometer.vectors[7] == pytest.approx([1.0, 0.5, -0.25])
    assert "back" in track.accelerometer.axes


def test_start_in_another_zone_than_the_stamps_is_no_hours_away(tmp_path: Path) -> None:
    start_ms = round((START.timestamp() - 7 * 3600) * 1000)
    film = make.blackvue_film(tmp_path / "a.mp4", log(late_ms=4000), make.three_gf(FORCES), start_ms=start_ms)
    track = find_telemetry(film)
    assert track is not None
    assert track.positions.time_ms[0] == pytest.approx(4000)


def test_files_beside_it_serve_all_cameras(tmp_path: Path) -> None:
    (tmp_path / "20240501_042030_N.gps").write_text(log(late_ms=1500, zone_h=-6))
    (tmp_path / "20240501_042030_N.3gf").write_bytes(make.three_gf(FORCES))
    for camera in "FR":
        film = tmp_path / f"20240501_042030_N{camera}.mp4"
        film.write_bytes(make.box(b"ftyp", b"isom") + make.box(b"mdat", b"\0" * 100))
        track = find_telemetry(film)
        assert track is not None
        assert "20240501_042030_N.gps" in track.source
        assert "20240501_042030_N.3gf" in track.source
        assert track.positions.time_ms[0] == pytest.approx(1500)
        assert len(track.accelerometer) == 50


def test_time_of_all_ones_ends_the_samples_and_a_wild_one_is_skipped() -> None:
    wild = struct.pack(">Ihhh", 4_000_000_000, 1, 2, 3)
    motion, skipped = read_3gf(
        make.three_gf(FORCES[:2])[:-10] + wild + make.three_gf(FORCES[2:4]) + make.three_gf(FORCES)
    )
    assert (len(motion), skipped) == (4, 1)


def test_box_of_zeros_is_no_log(tmp_path: Path) -> None:
    film = make.blackvue_film(tmp_path / "a.mp4", "\0" * 400, b"", start_ms=None)
    assert find_telemetry(film) is None
