"""When a clip was recorded: from the names that cameras write, or from the header, and never from something else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import PurePath

import pytest

from vvlm_desktop.video.wall_clock import WallClock, clock_of_header, clock_of_name, clock_of_satellites


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("NO20191130-120556-000125.MP4", datetime(2019, 11, 30, 12, 5, 56)),
        ("2023_0101_120000_F.MP4", datetime(2023, 1, 1, 12)),
        ("20230101120000_0001.MP4", datetime(2023, 1, 1, 12)),
        ("EMER240101.2024-05-06 07.08.09.mp4", datetime(2024, 5, 6, 7, 8, 9)),
        ("2024-05-06_07-08-09-front.mp4", datetime(2024, 5, 6, 7, 8, 9)),
        ("van 12 2024-05-06T07:08:09.mkv", datetime(2024, 5, 6, 7, 8, 9)),
    ],
)
def test_names_of_cameras(name, start):
    assert clock_of_name(PurePath(name)) == WallClock(start, "name")


@pytest.mark.parametrize(
    "name",
    ["clip.mp4", "20230231_120000.mp4", "20231301120000.mp4", "120230101120000.mp4", "2023-01-01.mp4"],
)
def test_other_numbers_are_no_time(name):
    assert clock_of_name(PurePath(name)) is None


def test_header_tells_the_time_unless_the_camera_had_none():
    assert clock_of_header("2024-05-06T07:08:09.000000Z") == WallClock(datetime(2024, 5, 6, 7, 8, 9), "header")
    assert clock_of_header("1904-01-01T00:00:00.000000Z") is None
    assert clock_of_header("1970-01-01T00:00:00Z") is None
    assert clock_of_header("") is None
    assert clock_of_header("yesterday") is None


def test_the_time_goes_on_with_the_clip():
    clock = WallClock(datetime(2024, 5, 6, 23, 59, 59), "name")
    assert clock.at(1.5) == datetime(2024, 5, 7, 0, 0, 0, 500_000)


def test_satellites_are_utc_in_any_zone_and_the_cameras_clock_is_never_taken_for_theirs() -> None:
    at = datetime(2024, 5, 6, 9, 8, 9, tzinfo=timezone(timedelta(hours=2)))
    clock = clock_of_satellites(at, told_by="GPX")
    assert clock == WallClock(datetime(2024, 5, 6, 7, 8, 9), "satellites", "GPX")
    assert clock.zone == "UTC"
    assert WallClock(datetime(2024, 5, 6), "header").zone == "camera's clock"
    assert clock_of_satellites(datetime(2024, 5, 6, 9, 8, 9), told_by="GPX") is None
    assert clock_of_satellites(None, told_by="GPX") is None
