"""ExifTool, which others have checked against hundreds of cameras, reads the same from the films as this reader.

Opt-in (`-m formats`), as it needs ExifTool 12.57 or later on the path (Debian: libimage-exiftool-perl).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.video.telemetry import encoders as make
from tests.unit.video.telemetry.test_real_gopro import FILM
from vvlm_desktop.video.telemetry import Track, find_telemetry

pytestmark = [
    pytest.mark.formats,
    pytest.mark.skipif(shutil.which("exiftool") is None, reason="no exiftool on the path"),
]
START = datetime(2024, 5, 1, 23, 59, 57, tzinfo=UTC)
#: The south and the west, the north and the east, and across the date line.
DRIVES = {
    "Sydney": [(-33.856784 + i * 1e-3, 151.215297 + i * 1e-3) for i in range(5)],
    "Fiji": [(-16.8 + i * 1e-3, (179.998 + i * 1e-3 + 180) % 360 - 180) for i in range(5)],
    "Quito": [(0.0025 - i * 1e-3, -78.456 + i * 1e-3) for i in range(5)],
}
FORCE = (0.25, -0.5, 1.0)
Writer = Callable[[datetime, float, float, int], bytes]

LISTED: dict[str, Writer] = {
    "late": lambda at, lat, lon, i: make.late_block(at, lat, lon, knots=20 + i, course=90 + i),
    "early": lambda at, lat, lon, i: make.early_block(at, lat, lon, knots=20 + i, course=90 + i, g=FORCE),
    "scrambled": lambda at, lat, lon, i: make.scrambled_block(at, lat, lon, kmh=50 + i, g=FORCE),
    "sentence": lambda at, lat, lon, i: make.sentence_block(
        at, f"{make.rmc(at, lat, lon, knots=20 + i, course=90 + i)}\r\n".encode(), g=FORCE
    ),
    "akaso": lambda at, lat, lon, i: make.floats_block(at, lat, lon, kmh=50 + i, course=90, g=FORCE, akaso=True),
    "vantrue s1": lambda at, lat, lon, i: make.vantrue_s1_block(at, lat, lon, knots=20 + i, course=9, altitude=33.5),
}
UNLISTED: dict[str, Writer] = {
    "late": LISTED["late"],
    "doubles": lambda at, lat, lon, i: make.doubles_block(at, lat, lon, knots=20 + i, course=90 + i, g=FORCE),
    "floats": lambda at, lat, lon, i: make.floats_block(at, lat, lon, kmh=50 + i, course=90, g=FORCE, akaso=False),
    "late doubles": lambda at, lat, lon, i: make.late_doubles_block(at, lat, lon, knots=20 + i, course=9, g=FORCE),
    "IQS": lambda at, lat, lon, i: make.iqs_block(at, lat, lon, metres_a_second=11.5 + i),
    "512G": lambda at, lat, lon, i: make.nextbase_block(at, lat, lon, metres_a_second=11.5 + i, course=350),
}
#: What ExifTool gives, but is not sure of by its own notes; this reader leaves it out.
NOT_SURE = {"vantrue s1": "forces", "IQS": "height"}


def samples(film: Path) -> list[dict[str, Any]]:
    """ExifTool's answer: one table for each position, in the order of the film."""
    run = subprocess.run(
        ["exiftool", "-ee3", "-G3", "-n", "-json", str(film)], capture_output=True, check=True, timeout=60
    )
    tables: dict[str, dict[str, Any]] = {}
    for key, value in json.loads(run.stdout)[0].items():
        group, _, name = key.rpartition(":")
        if group.startswith("Doc"):
            tables.setdefault(group, {})[name] = value
    return [table for table in tables.values() if "GPSLatitude" in table]


def found(film: Path) -> Track:
    track = find_telemetry(film)
    assert track is not None
    return track


def compare(track: Track, theirs: list[dict[str, Any]], *, not_sure: str = "") -> None:
    assert len(track.positions) == len(theirs) > 0
    for i, sample in enumerate(theirs):
        positions = track.positions
        assert (positions.lat[i], positions.lon[i]) == pytest.approx(
            (float(sample["GPSLatitude"]), float(sample["GPSLongitude"])), abs=1e-7
        )
        assert positions.speed_mps[i] * 3.6 == pytest.approx(sample["GPSSpeed"], rel=1e-4)
        if "GPSTrack" in sample:
            assert positions.course_deg[i] == pytest.approx(float(sample["GPSTrack"]), abs=0.01)
        if "GPSAltitude" in sample and not_sure != "height":
            assert positions.altitude_m[i] == pytest.approx(sample["GPSAltitude"], abs=0.01)
        if "Accelerometer" in sample and not_sure != "forces":
            theirs_g = [float(value) for value in re.findall(r"-?[\d.]+", str(sample["Accelerometer"]))]
            assert track.accelerometer.vectors[i] == pytest.approx(theirs_g, abs=0.005)
        if "GPSDateTime" in sample:
            at = datetime.strptime(sample["GPSDateTime"].rstrip("Z")[:19], "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
            assert track.started_at is not None
            ours = track.started_at + timedelta(milliseconds=float(positions.time_ms[i]))
            assert abs(ours - at) < timedelta(seconds=1)


@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("layout", LISTED)
def test_listed_blocks(layout: str, drive: str, tmp_path: Path) -> None:
    blocks = [LISTED[layout](START + timedelta(seconds=i), *DRIVES[drive][i], i) for i in range(5)]
    film = make.novatek_film(tmp_path / "a.mp4", blocks)
    compare(found(film), samples(film), not_sure=NOT_SURE.get(layout, ""))


@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("layout", UNLISTED)
def test_blocks_that_lie_in_the_film(layout: str, drive: str, tmp_path: Path) -> None:
    """ExifTool looks for them in pieces of 32 kB."""
    blocks = [UNLISTED[layout](START + timedelta(seconds=i), *DRIVES[drive][i], i) for i in range(5)]
    film = tmp_path / "a.mp4"
    media = b"".join(b"\xff" * 40_000 + block for block in blocks) + b"\xff" * 80_000
    movie = make.full_box(b"mvhd", bytes(8) + b"\0\0\x02\x58\0\0\x0b\xb8" + bytes(80))
    film.write_bytes(make.box(b"ftyp", b"isom\0\0\2\0isom") + make.box(b"mdat", media) + make.box(b"moov", movie))
    compare(found(film), samples(film), not_sure=NOT_SURE.get(layout, ""))


@pytest.mark.parametrize("drive", DRIVES)
def test_transport_stream(drive: str, tmp_path: Path) -> None:
    film = tmp_path / "a.ts"
    records = [
        make.early_record(START + timedelta(seconds=i), *DRIVES[drive][i], knots=20 + i, course=90, g=FORCE)
        for i in range(5)
    ]
    packets = [make.transport_packets(0x100, b"picture" * 60) + make.transport_packets(0x300, r) for r in records]
    film.write_bytes(b"".join(packets))
    track, theirs = found(film), samples(film)
    assert len(theirs) in {4, 5}  # it wants a packet after the last one
    compare(replace(track, positions=track.positions.between(0, len(theirs) * 1000 - 500)), theirs)


@pytest.mark.parametrize("drive", DRIVES)
def test_blackvue(drive: str, tmp_path: Path) -> None:
    places = DRIVES[drive]
    times = [START + timedelta(seconds=i) for i in range(5)]
    log = "".join(
        f"[{round(at.timestamp() * 1000)}]{make.rmc(at, *place, knots=20, course=90)}\r\n"
        for at, place in zip(times, places, strict=True)
    )
    forces = make.three_gf([(i * 100, 1.0, 0.5, 0.0) for i in range(9)])
    film = make.blackvue_film(tmp_path / "a.mp4", log, forces, start_ms=round(START.timestamp() * 1000))
    theirs = samples(film)
    compare(found(film), theirs)
    assert found(film).positions.time_ms == pytest.approx([sample["SampleTime"] * 1000 for sample in theirs])


@pytest.mark.parametrize("drive", DRIVES)
def test_seventy_mai(drive: str, tmp_path: Path) -> None:
    seconds = [make.seventy_mai_second(i, *DRIVES[drive][i], kmh=50 + i) for i in range(5)]
    film = make.seventy_mai_film(tmp_path / "a.mp4", seconds)
    theirs = samples(film)
    assert len(theirs) == 4  # it leaves out the last one
    track = found(film)
    assert len(track.positions) == 5
    compare(replace(track, positions=track.positions.between(0, 3000)), theirs)


@pytest.mark.parametrize("drive", DRIVES)
def test_gopro(drive: str, tmp_path: Path) -> None:
    payloads = [
        make.device(make.gps5([(*place, 400.0 + i, 3.0 + i, 3.0)], utc=f"24050123595{i}.000"))
        for i, place in enumerate(DRIVES[drive])
    ]
    film = make.gopro_film(tmp_path / "a.mp4", payloads)
    theirs = samples(film)
    for sample in theirs:
        sample["GPSSpeed"] *= 3.6  # GoPro's own unit: m/s
        del sample["GPSDateTime"]
    track = found(film)
    compare(track, theirs)
    assert track.positions.time_ms == pytest.approx([sample["SampleTime"] * 1000 for sample in theirs], abs=1)


TRACKS: dict[str, tuple[bytes, bytes, Writer]] = {
    "sentences": (
        b"text",
        b"text",
        lambda at, lat, lon, i: make.text_sample(f"{make.rmc(at, lat, lon, knots=20 + i, course=90)}\r\n"),
    ),
    "scrambled": (
        b"gpmd",
        b"meta",
        lambda at, lat, lon, i: make.scrambled_sample(at, lat, lon, kmh=50 + i, g=FORCE),
    ),
    "FMAS": (
        b"gpmd",
        b"meta",
        lambda at, lat, lon, i: make.fmas_sample(at, lat, lon, mph=30 + i, course=90, g=FORCE),
    ),
}


@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("kind", TRACKS)
def test_text_and_data_tracks(kind: str, drive: str, tmp_path: Path) -> None:
    box, handler, write = TRACKS[kind]
    payloads = [write(START + timedelta(seconds=i), *DRIVES[drive][i], i) for i in range(5)]
    film = make.gopro_film(tmp_path / "a.mp4", payloads, kind=box, handler=handler, duration_ms=1000)
    theirs = samples(film)
    for sample in theirs if kind == "scrambled" else ():
        # It gives forces as they are written, in hundredths of g, and heights that it doubts in a block.
        sample["Accelerometer"] = str([float(value) / 100 for value in sample["Accelerometer"].split()])
        del sample["GPSAltitude"]
    compare(found(film), theirs)
    assert found(film).positions.time_ms == pytest.approx([sample["SampleTime"] * 1000 for sample in theirs])


@pytest.mark.skipif(not FILM.is_file(), reason=f"no {FILM}")
def test_real_gopro_film() -> None:
    # One table for a payload, its positions as lists of the same name: the first and last are told apart by -a.
    run = subprocess.run(
        ["exiftool", "-ee3", "-a", "-n", "-p", "$GPSLatitude $GPSLongitude $GPSSpeed", str(FILM)],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    rows = np.array([line.split()[:3] for line in run.stdout.decode().splitlines()], float)
    positions = found(FILM).positions
    columns = (positions.lat, positions.lon, positions.speed_mps)
    ours = {(round(lat, 7), round(lon, 7), round(speed, 3)) for lat, lon, speed in zip(*columns, strict=True)}
    assert len(rows)
    assert all((round(lat, 7), round(lon, 7), round(speed, 3)) in ours for lat, lon, speed in rows)
