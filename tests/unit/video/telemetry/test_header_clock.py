"""A clip whose name has no time lies in the log of a whole drive where its header says, and that is said."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.video.telemetry import find_telemetry
from vvlm_desktop.video.telemetry.boxes import movie_created

DRIVE = datetime(2024, 5, 1, 10, 0, 0, tzinfo=UTC)
TAKEN = DRIVE + timedelta(minutes=10)


def film(path: Path, created: datetime | int, *, wide: bool = False) -> Path:
    """A clip of a minute that was made at a time, or at so many seconds since 1904."""
    since = created if isinstance(created, int) else int((created - datetime(1904, 1, 1, tzinfo=UTC)).total_seconds())
    times = struct.pack(">QQIQ" if wide else ">IIII", since, since, 1000, 60_000)
    movie = make.box(b"mvhd", bytes([int(wide), 0, 0, 0]) + times + bytes(80))
    path.write_bytes(make.box(b"ftyp", b"isom") + make.box(b"moov", movie) + make.box(b"mdat", bytes(100)))
    return path


def log(path: Path, *, minutes: int = 30) -> None:
    """A degree of latitude for each minute, a fix every five seconds."""
    rows = [f"{(DRIVE + timedelta(seconds=s)).isoformat()},{s / 60},8" for s in range(0, minutes * 60, 5)]
    path.write_text("\n".join(["time,lat,lon", *rows]))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("zone_h", [0, -8, 9])
def test_clip_is_found_in_the_log_by_its_header(tmp_path: Path, zone_h: int, wide: bool) -> None:
    clip = film(tmp_path / "clip.mp4", TAKEN + timedelta(hours=zone_h), wide=wide)
    log(tmp_path / "clip.csv")
    track = find_telemetry(clip)
    assert track is not None
    at = track.positions
    assert at.lat[at.time_ms == 0].tolist() == [10.0]
    assert at.time_ms[-1] <= 65_000
    assert "creation time in the file's header" in track.clock
    assert "good to about the clip's length" in track.clock


@pytest.mark.parametrize("created", [0, 2_082_844_800, 2_082_844_801], ids=["1904", "1970", "a second later"])
def test_header_that_was_never_set_places_nothing(tmp_path: Path, created: int) -> None:
    clip = film(tmp_path / "clip.mp4", created)
    log(tmp_path / "clip.csv")
    track = find_telemetry(clip)
    assert track is not None
    assert "first line was put on the first frame" in track.clock
    with clip.open("rb") as file:
        assert movie_created(file) is None


def test_header_outside_of_the_drive_places_nothing(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", TAKEN + timedelta(minutes=45))
    log(tmp_path / "clip.csv")
    track = find_telemetry(clip)
    assert track is not None
    assert "the clip was not found in it" in track.clock


def test_name_goes_before_the_header(tmp_path: Path) -> None:
    clip = film(tmp_path / "20240501_101500.mp4", TAKEN)
    log(clip.with_suffix(".csv"))
    track = find_telemetry(clip)
    assert track is not None
    assert track.clock.startswith("by the time in the file's name")
    assert track.positions.lat[track.positions.time_ms == 0].tolist() == [15.0]


def test_log_of_the_clip_alone_begins_with_it_whatever_the_header_says(tmp_path: Path) -> None:
    """A header that was written at the end would move a log that fits as it is."""
    clip = film(tmp_path / "clip.mp4", DRIVE + timedelta(seconds=60))
    log(tmp_path / "clip.csv", minutes=1)
    track = find_telemetry(clip)
    assert track is not None
    assert track.positions.time_ms[0] == 0
    assert "the file's name has no time" in track.clock


def test_damaged_header_is_no_time(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    for movie in (b"", b"\0", b"\0\0\0\0\1", b"\1" + b"\xff" * 40):
        clip.write_bytes(make.box(b"ftyp", b"isom") + make.box(b"moov", make.box(b"mvhd", movie)))
        with clip.open("rb") as file:
            assert movie_created(file) is None
