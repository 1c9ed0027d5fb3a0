"""NMEA sentences, and a log of the wall clock put on the clip's clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.video.telemetry.clock import ClipClock, align, time_in_name
from vvlm_desktop.video.telemetry.nmea import degrees, parse_nmea, track_of_log
from vvlm_desktop.video.telemetry.track import FIX_3D, Track

START = datetime(2024, 12, 31, 23, 59, 57, tzinfo=UTC)
HERE = (-33.856784, 151.215297)


def track_of(lines: list[str], clock: ClipClock | None = None) -> Track:
    track = track_of_log(parse_nmea("\r\n".join(lines)), clock or ClipClock(), source="log")
    assert track is not None
    return track


def seconds(count: int, first: datetime = START) -> list[datetime]:
    return [first + timedelta(seconds=i) for i in range(count)]


def test_published_sentence_is_where_it_says() -> None:
    fixes = parse_nmea("$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A").fixes
    assert (fixes[0].lat, fixes[0].lon) == pytest.approx((48.1173, 11.516667), abs=1e-6)
    assert fixes[0].speed_mps == pytest.approx(22.4 * 1852 / 3600)
    assert fixes[0].time_ms == datetime(1994, 3, 23, 12, 35, 19, tzinfo=UTC).timestamp() * 1000


def test_sentences_of_one_moment_complete_each_other() -> None:
    for order in (1, -1):
        lines = [make.rmc(START, *HERE, knots=10, course=5), make.gga(START, *HERE, altitude=12.5)][::order]
        positions = track_of(lines).positions
        assert len(positions) == 1
        assert positions.altitude_m[0] == 12.5
        assert positions.course_deg[0] == 5
        assert positions.fix[0] == FIX_3D


@pytest.mark.parametrize("with_date", [True, False])
def test_midnight_is_a_second_after_the_second_before(with_date: bool) -> None:
    lines = [make.rmc(at, *HERE) if with_date else make.gga(at, *HERE, altitude=1) for at in seconds(6)]
    track = track_of(lines)
    assert track.positions.time_ms == pytest.approx(np.arange(6) * 1000)
    assert track.started_at == (START if with_date else None)


def test_sentences_before_the_first_date_are_of_that_day() -> None:
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    lines = [make.gga(at, *HERE, altitude=1) for at in seconds(3, noon)]
    lines += [make.rmc(at, *HERE) for at in seconds(3, noon + timedelta(seconds=3))]
    assert track_of(lines).positions.time_ms == pytest.approx(np.arange(6) * 1000)


def test_wrong_checksum_is_skipped_and_counted_and_none_is_taken() -> None:
    good = make.rmc(START, *HERE)
    wrong = good.replace("151", "152")
    bare = make.rmc(START + timedelta(seconds=1), *HERE).partition("*")[0]
    track = track_of([good, wrong, bare])
    assert len(track.positions) == 2
    assert track.notes == ("1 damaged sentences skipped",)


def test_sentences_without_a_fix_are_left_out() -> None:
    lines = [make.rmc(START, *HERE, status="V"), make.gga(START, *HERE, altitude=1, quality=0), make.rmc(START, *HERE)]
    track = track_of(lines)
    assert len(track.positions) == 1
    assert track.notes == ("2 sentences without a fix left out",)


@pytest.mark.parametrize(
    ("text", "hemisphere"),
    [("9100.0", "N"), ("4860.1", "N"), ("18100.0", "E"), ("-100", "N"), ("nan", "N"), ("", "N"), ("4807.0", "X")],
)
def test_what_is_no_place_is_not_a_number(text: str, hemisphere: str) -> None:
    assert math.isnan(degrees(text, hemisphere))


def test_acceleration_lies_between_the_fixes_as_it_does_in_the_text() -> None:
    lines = []
    for at in seconds(3):
        lines += [make.rmc(at, *HERE), "$GSENSORD,0.060,0.120,-0.980"]
    motion = track_of(lines).accelerometer
    assert len(motion) == 2  # after the last fix there is no time
    assert 0 < motion.time_ms[0] < 1000 < motion.time_ms[1] < 2000
    assert motion.vectors[0] == pytest.approx([0.06, 0.12, -0.98])


# The clip's clock


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("2026_0801_131218_000289F", datetime(2026, 8, 1, 13, 12, 18)),
        ("NO20191130-120556-000125", datetime(2019, 11, 30, 12, 5, 56)),
        ("20260311_234321_NF", datetime(2026, 3, 11, 23, 43, 21)),
        ("2024-05-01 12.30.00", datetime(2024, 5, 1, 12, 30, 0)),
        ("20241501_102030", None),
        ("GX010001", None),
        ("clip 120560130112", None),
    ],
)
def test_time_in_a_name(name: str, told: datetime | None) -> None:
    assert time_in_name(name) == told


@pytest.mark.parametrize("zone_h", [0, 5.75, -9.5, 14])
def test_log_begins_as_late_as_the_receiver_needed_in_any_zone(zone_h: float) -> None:
    named = (START + timedelta(hours=zone_h)).replace(tzinfo=None)
    first = START + timedelta(seconds=20)
    track = track_of([make.rmc(at, *HERE) for at in seconds(10, first)], ClipClock(named, 60_000.0))
    assert track.positions.time_ms[0] == pytest.approx(20_000)
    assert track.started_at == START


def test_name_of_another_time_is_not_believed_and_said() -> None:
    named = (START - timedelta(minutes=5)).replace(tzinfo=None)
    track = track_of([make.rmc(at, *HERE) for at in seconds(10)], ClipClock(named, 60_000.0))
    assert track.positions.time_ms[0] == 0
    assert "another time" in track.clock


def test_clip_is_found_in_the_log_of_a_drive() -> None:
    times = START.timestamp() + np.arange(0, 3000.0)
    named = (START + timedelta(hours=2, seconds=1200)).replace(tzinfo=None)
    found = align(times, ClipClock(named, 60_000.0))
    assert found.found
    assert found.zero_s == START.timestamp() + 1200


def test_clip_that_could_be_in_several_zones_is_not_placed_by_chance() -> None:
    times = START.timestamp() + np.arange(0, 30_000.0)
    named = (START + timedelta(hours=11)).replace(tzinfo=None)
    assert not align(times, ClipClock(named, 60_000.0)).found
