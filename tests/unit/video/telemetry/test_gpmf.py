"""GoPro's metadata: values, units, times, what describes them, what is damaged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.video.container import open_container
from vvlm_desktop.video.telemetry import find_telemetry
from vvlm_desktop.video.telemetry.gopro import _payloads, read_gopro
from vvlm_desktop.video.telemetry.gpmf import Payload, read_gpmf, sample_times
from vvlm_desktop.video.telemetry.track import FIX_2D, FIX_3D, FIX_UNKNOWN, STANDARD_GRAVITY, Track

ROWS = [(47.1 + i * 1e-5, -8.6 - i * 1e-5, 400.0 + i, 10.0 + i / 10, 11.0) for i in range(18)]


def track_of(*payloads: bytes) -> Track:
    return read_gpmf([Payload(i * 1001.0, 1001.0, data) for i, data in enumerate(payloads)])


def test_positions_have_degrees_metres_and_metres_a_second() -> None:
    track = track_of(make.device(make.gps5(ROWS, utc="240501102030.000")))
    assert track.positions.lat[3] == pytest.approx(47.10003, abs=1e-7)
    assert track.positions.lon[3] == pytest.approx(-8.60003, abs=1e-7)
    assert track.positions.altitude_m[3] == pytest.approx(403.0)
    assert track.positions.speed_mps[3] == pytest.approx(10.3)
    assert set(track.positions.fix.tolist()) == {FIX_3D}
    assert track.notes == ()


def test_samples_of_a_payload_spread_over_its_time() -> None:
    track = track_of(
        make.device(make.gps5(ROWS, utc="240501102030.000")), make.device(make.gps5(ROWS[:9], utc="240501102031.001"))
    )
    times = track.positions.time_ms
    assert len(times) == 27
    assert times[:2] == pytest.approx([0, 1001 / 18])
    assert times[18:20] == pytest.approx([1001, 1001 + 1001 / 9])


def test_stamps_rule_the_rate_and_payloads_the_place() -> None:
    # The sensor's clock runs 1 % fast, and its first samples are from 40 ms before the film.
    blocks = [(i * 1000.0, 1000.0, i * 1_010_000.0 + 5_000_000, 100) for i in range(11)]
    times = sample_times(blocks)
    assert np.diff(times) == pytest.approx(10.1)
    assert times[500] == pytest.approx(5000)  # the middle payload is where the film has it


def test_stamps_that_run_back_are_not_believed() -> None:
    blocks = [(0.0, 1000.0, 7_000_000.0, 10), (1000.0, 1000.0, 3_000_000.0, 10)]
    assert sample_times(blocks) == pytest.approx(np.arange(20) * 100)


def test_wall_clock_is_the_usual_one_when_the_first_is_old() -> None:
    """A receiver that wakes up tells a time from before."""
    stale = make.device(make.gps5(ROWS, utc="240501093000.000"))
    right = [make.device(make.gps5(ROWS, utc=f"2405011020{30 + i}.{i:03}")) for i in (1, 2, 3)]
    started_at = track_of(stale, *right).started_at
    assert started_at is not None
    assert abs(started_at - datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC)) < timedelta(milliseconds=2)


def test_positions_without_a_fix_are_left_out_and_said() -> None:
    track = track_of(
        make.device(make.gps5(ROWS, utc="240501102030.000", fix=0)),
        make.device(make.gps5(ROWS, utc="240501102031.000", dop=9999)),
        make.device(make.gps5(ROWS, utc="240501102032.000", fix=2)),
    )
    assert len(track.positions) == 18
    assert set(track.positions.fix.tolist()) == {FIX_2D}
    assert track.notes == ("36 positions without a fix left out",)


def test_gps9_carries_time_and_fix_with_every_position() -> None:
    days = (datetime(2024, 5, 1, tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)).days
    rows = [(47.1, 8.6, 400.0, 10.0, 11.0, days, 37_230.0 + i / 10, 1.2, 3 if i else 0) for i in range(10)]
    track = track_of(make.device(make.gps9(rows)))
    assert len(track.positions) == 9
    assert track.positions.fix[0] == FIX_3D
    assert track.started_at is not None
    assert abs(track.started_at - datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC)) < timedelta(milliseconds=10)


def test_acceleration_is_in_g_and_turned_into_the_cameras_axes() -> None:
    track = track_of(make.device(make.accl([(1.0, -9.80665, 2.0)] * 200, orin="XzY")))
    vector = track.accelerometer.vectors[0] * STANDARD_GRAVITY
    assert vector == pytest.approx([1.0, 2.0, 9.80665], abs=2e-3)
    assert "x, y and z" in track.accelerometer.axes


def test_channels_stay_as_stored_where_their_order_is_not_said() -> None:
    track = track_of(make.device(make.accl([(1.0, -9.80665, 2.0)] * 200)))
    assert track.accelerometer.vectors[0] * STANDARD_GRAVITY == pytest.approx([1.0, -9.80665, 2.0], abs=2e-3)
    assert "in the order in which they are stored" in track.accelerometer.axes


def test_gyroscope_is_in_radians_a_second() -> None:
    track = track_of(make.device(make.gyro([(0.1, -0.2, 0.3)] * 50)))
    assert track.gyroscope.vectors[0] == pytest.approx([0.1, -0.2, 0.3], abs=3e-4)


def test_unknown_streams_are_passed_over() -> None:
    unknown = make.stream(make.klv("STNM", "c", b"Face"), make.klv("FACE", "l", [[1, 2]], layout="2i"))
    track = track_of(make.device(unknown, make.gps5(ROWS, utc="240501102030.000")))
    assert len(track.positions) == 18
    assert track.notes == ()


def test_zero_scale_and_impossible_rows_are_skipped_and_counted() -> None:
    bad_scale = make.stream(
        make.klv("SCAL", "s", [[0]], layout="h"), make.klv("ACCL", "s", [[1, 2, 3]] * 5, layout="3h")
    )
    two_channels = make.stream(make.klv("ACCL", "s", [[1, 2]] * 5, layout="2h"))
    track = track_of(make.device(bad_scale, two_channels, make.gps5(ROWS, utc="240501102030.000")))
    assert len(track.accelerometer) == 0
    assert track.notes == ("2 damaged ACCL block skipped",)


def test_payload_that_was_cut_off_gives_what_comes_before() -> None:
    whole = make.device(make.gps5(ROWS, utc="240501102030.000"))
    track = track_of(whole, whole[:-40])
    assert len(track.positions) == 18
    assert "damaged GPMF record" in track.notes[0]


def test_nesting_without_end_is_not_followed() -> None:
    data = make.gps5(ROWS, utc="240501102030.000")
    for _ in range(40):
        data = make.klv("DEVC", "", data)
    assert not track_of(data)


def test_film_with_a_metadata_track_is_read_on_the_films_clock(tmp_path: Path) -> None:
    payloads = [
        make.device(make.gps5(ROWS, utc=f"2405011020{30 + i}.000"), make.accl([(0.0, 0.0, 9.80665)] * 200))
        for i in range(3)
    ]
    film = make.gopro_film(tmp_path / "GX010001.MP4", payloads)
    track = find_telemetry(film)
    assert track is not None
    assert track.source == "GoPro GPMF"
    assert (len(track.positions), len(track.accelerometer)) == (54, 600)
    assert track.positions.time_ms[18] == pytest.approx(1001)
    assert track.positions.fix.tolist()[0] != FIX_UNKNOWN


def test_pictures_are_not_read_on_the_way(tmp_path: Path) -> None:
    film = make.gopro_film(tmp_path / "a.mp4", [make.device(make.gps5(ROWS, utc="240501102030.000"))] * 2)
    with open_container(film) as container:
        assert len(_payloads(container, 0.0)) == 2
        assert {stream.type: stream.discard.name for stream in container.streams} == {"video": "all", "data": "default"}


def test_film_without_a_metadata_track_has_none(tmp_path: Path) -> None:
    assert read_gopro(make.gopro_film(tmp_path / "a.mp4", [b"\0" * 64])) is None
