"""Damaged and hostile input: whatever is changed, a track, None or an error that says so; never anything else."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.errors import ClipUnreadableError, TelemetryError
from vvlm_desktop.video.telemetry import Track, find_telemetry, motion_candidates, read_sidecar
from vvlm_desktop.video.telemetry.believable import believable
from vvlm_desktop.video.telemetry.boxes import boxes, find_boxes
from vvlm_desktop.video.telemetry.clock import ClipClock
from vvlm_desktop.video.telemetry.freegps import read_block
from vvlm_desktop.video.telemetry.gpmf import Payload, read_gpmf
from vvlm_desktop.video.telemetry.track import LONGEST_MS

START = datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC)
CLOCK = ClipClock(datetime(2024, 5, 1, 12, 20, 30), 5000.0)
PLACE = (47.123456, -8.654321)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def _log() -> str:
    lines = [f"[{round(at(i).timestamp() * 1000)}]{make.rmc(at(i), *PLACE)}\r\n$GSENSORD,0,0,1" for i in range(3)]
    return "\r\n".join([*lines, make.gga(at(3), *PLACE, altitude=3)])


def _payload() -> bytes:
    days = (START - datetime(2000, 1, 1, tzinfo=UTC)).days
    return make.device(
        make.gps5([(*PLACE, 400.0, 3.0, 3.0)] * 4, utc="240501102030.000"),
        make.gps9([(*PLACE, 400.0, 3.0, 3.0, days, 37_230.0, 1.2, 3)] * 2),
        make.accl([(1.0, 2.0, 9.8)] * 8, stamp_us=1000, orin="XzY"),
        make.gyro([(0.1, 0.2, 0.3)] * 4),
    )


FORCES = make.three_gf([(i * 100, 1.0, 0.5, 0.0) for i in range(9)])
POINT = '<trkpt lat="1" lon="2"><ele>3</ele><time>2024-05-01T10:20:31Z</time><speed>4</speed></trkpt>'
SIDECARS: dict[str, bytes] = {
    "a.gps": _log().encode(),
    "a.3gf": FORCES,
    "a.gpx": f'<?xml version="1.0"?><gpx><trk><trkseg>{POINT}{POINT}</trkseg></trk></gpx>'.encode(),
    "a.csv": b"time_s,lat,lon,speed_kmh,ax,ay,az\n0.5,47,8,50,0,0,1\n1.5,47,8,51,0,0,1\n",
    "a.srt": b"1\n00:00:01,000 --> 00:00:02,000\n[latitude: 47.1] [longitude: 8.1] [abs_alt: 3]\n",
    "a.txt": b"$V02\n" + b"1714600000,A,47.1,8.1,9050,1000,1,2,3,a.mp4,0,0,0\n" * 2,
}
BLOCKS: tuple[bytes, ...] = (
    make.late_block(at(0), *PLACE, knots=3, course=4),
    make.early_block(at(0), *PLACE, knots=3, course=4, g=(0, 0, 1)),
    make.doubles_block(at(0), *PLACE, knots=3, course=4),
    make.scrambled_block(at(0), *PLACE, kmh=50),
    make.sentence_block(at(0), make.rmc(at(0), *PLACE).encode(), g=(0, 0, 1)),
    make.floats_block(at(0), *PLACE, kmh=3, course=4, g=(0, 0, 1), akaso=False),
    make.vantrue_s1_block(at(0), *PLACE, knots=3, course=4, altitude=5),
    make.late_doubles_block(at(0), *PLACE, knots=3, course=4, g=(0, 0, 1)),
    make.iqs_block(at(0), *PLACE, metres_a_second=3),
    make.nextbase_block(at(0), *PLACE, metres_a_second=3, course=4),
)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Some bytes changed, a piece taken out, doubled or cut off."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(data)))
        change = draw(
            st.sampled_from(
                [b"\0", b"\xff", b"\x80", b"\xff" * 4, b"\0" * 8, b"\x7f\xff\xff\xff", b"nan", b"-1", b"\n"]
            )
        )
        data[place : place + draw(st.sampled_from([0, 1, len(change), 40]))] = change
    return bytes(data[: draw(st.sampled_from([len(data), len(data), draw(st.integers(0, len(data)))]))])


def check(track: Track | None) -> None:
    """What is said of a track holds, whatever it was read from."""
    if track is None:
        return
    positions = track.positions
    assert (np.abs(positions.lat) <= 90).all()
    assert (np.abs(positions.lon) <= 180).all()
    assert track.span_ms is None or max(map(abs, track.span_ms)) <= LONGEST_MS
    for part in (positions, track.accelerometer, track.gyroscope):
        assert np.isfinite(part.time_ms).all()
        assert (np.diff(part.time_ms) >= 0).all()
    assert np.isfinite(track.accelerometer.vectors).all()
    track.summary()
    motion_candidates(track)


@given(st.data())
@settings(deadline=None, max_examples=120)
def test_damaged_payloads_never_raise(data: st.DataObject) -> None:
    payload = data.draw(damaged(_payload()))
    check(
        believable(
            read_gpmf([Payload(0, 1001, payload), Payload(1001, 1001, _payload()), Payload(2002, 1001, payload)])
        )
    )


@given(st.data())
@settings(deadline=None, max_examples=120)
def test_damaged_blocks_never_raise(data: st.DataObject) -> None:
    block = read_block(data.draw(damaged(data.draw(st.sampled_from(BLOCKS)))))
    assert block.fix is None or block.fix.plausible


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_damaged_sidecars_give_a_track_or_say_why(data: st.DataObject, folder: Path) -> None:
    name = data.draw(st.sampled_from(sorted(SIDECARS)))
    path = folder / name
    path.write_bytes(data.draw(damaged(SIDECARS[name])))
    try:
        check(read_sidecar(path, folder / "a.mp4", clock=CLOCK))
    except TelemetryError as error:
        assert error.hint  # noqa: PT017 - a track is right as well


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("films")
    writers: dict[str, Callable[[Path], Path]] = {
        "gopro": lambda path: make.gopro_film(path, [_payload()] * 3),
        "novatek": lambda path: make.novatek_film(path, BLOCKS),
        "unlisted": lambda path: make.novatek_film(path, BLOCKS, listed=False),
        "blackvue": lambda path: make.blackvue_film(path, _log(), FORCES, start_ms=1_714_558_830_000),
        "text": lambda path: make.gopro_film(
            path, [make.text_sample(_log()), *[make.text_sample(_log()[:200])] * 2], kind=b"tx3g", handler=b"sbtl"
        ),
        "data": lambda path: make.gopro_film(
            path,
            [
                make.fmas_sample(at(0), *PLACE, mph=30, course=4, g=(0, 0, 1)),
                make.scrambled_sample(at(1), *PLACE, kmh=50, g=(0, 0, 1)),
            ],
        ),
        "70mai": lambda path: make.seventy_mai_film(
            path, [make.seventy_mai_second(i, *PLACE, kmh=50) for i in range(4)]
        ),
    }
    return {name: write(folder / f"{name}.mp4").read_bytes() for name, write in writers.items()} | {
        "stream": b"".join(
            make.transport_packets(0x300, make.early_record(at(i), *PLACE, knots=1, course=2)) for i in range(9)
        )
    }


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_damaged_films_give_a_track_or_say_why(data: st.DataObject, films: dict[str, bytes], folder: Path) -> None:
    path = folder / "film.mp4"
    path.write_bytes(data.draw(damaged(films[data.draw(st.sampled_from(sorted(films)))])))
    try:
        check(find_telemetry(path))
    except ClipUnreadableError as error:
        assert str(error)  # noqa: PT017 - a track is right as well


def test_boxes_within_boxes_are_followed_only_as_deep_as_was_asked(tmp_path: Path) -> None:
    data = b""
    for _ in range(3000):
        data = make.box(b"moov", data)
    path = tmp_path / "a.mp4"
    path.write_bytes(make.box(b"ftyp", b"isom") + data)
    assert find_telemetry(path) is None


def test_box_that_claims_the_whole_disk_reads_only_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    huge = struct.pack(">I4sQ", 1, b"gps ", 1 << 62)
    path.write_bytes(make.box(b"ftyp", b"isom") + make.box(b"moov", huge + b"\0" * 100))
    with path.open("rb") as file:
        (found,) = find_boxes(file, (b"moov", b"gps "))
        assert found.size == 100
    assert find_telemetry(path) is None


def test_boxes_of_no_size_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(struct.pack(">I4s", 3, b"free") * 10)
    with path.open("rb") as file:
        assert list(boxes(file, 0, 80)) == []


class CountingFile:
    """A file that knows how much was read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.bytes_read += len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> CountingFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_four_gigabytes_of_film_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sparse file: its length is there, its blocks are not."""
    path = tmp_path / "a.mp4"
    size = 4 << 30
    with path.open("wb") as file:
        file.write(make.box(b"ftyp", b"isom") + struct.pack(">I4sQ", 1, b"mdat", size))
        file.truncate(size)
    opened: list[CountingFile] = []

    def open_counting(path: Path) -> CountingFile:
        opened.append(CountingFile(path.open("rb")))
        return opened[-1]

    for module in ("novatek", "blackvue", "seventy_mai", "clock"):
        monkeypatch.setattr(f"vvlm_desktop.video.telemetry.{module}.open_clip", open_counting)
    assert find_telemetry(path) is None
    assert len(opened) == 4
    assert sum(file.bytes_read for file in opened) < 48 << 20
