"""Novatek's freeGPS blocks: every layout, every place in which they lie, and what is not one."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.video.telemetry.clock import ClipClock, clip_clock
from vvlm_desktop.video.telemetry.freegps import read_block
from vvlm_desktop.video.telemetry.novatek import read_novatek
from vvlm_desktop.video.telemetry.track import KNOT_MPS, Track

START = datetime(2024, 5, 1, 23, 59, 58, tzinfo=UTC)
PLACES = [(-33.856784 + i * 1e-4, 151.215297 + i * 1e-4) for i in range(5)]
FORCE = (0.25, -0.5, 4.0)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def _sentence(i: int) -> bytes:
    text = f"{make.rmc(at(i), *PLACES[i], knots=20 + i, course=90)}\r\n{make.gga(at(i), *PLACES[i], altitude=12.5)}\r\n"
    return make.sentence_block(at(i) + timedelta(hours=10), text.encode(), g=FORCE)


LAYOUTS: dict[str, Callable[[int], bytes]] = {
    "late": lambda i: make.late_block(at(i), *PLACES[i], knots=20 + i, course=90),
    "early": lambda i: make.early_block(at(i), *PLACES[i], knots=20 + i, course=90, g=FORCE),
    "doubles": lambda i: make.doubles_block(at(i), *PLACES[i], knots=20 + i, course=90),
    "scrambled": lambda i: make.scrambled_block(at(i), *PLACES[i], kmh=50 + i, g=FORCE),
    "sentence": _sentence,
}


def late(i: int) -> bytes:
    return LAYOUTS["late"](i)


def read(path: Path) -> Track | None:
    return read_novatek(path, clip_clock(path))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_place_speed_and_time(layout: str, tmp_path: Path) -> None:
    track = read(make.novatek_film(tmp_path / "a.mp4", [LAYOUTS[layout](i) for i in range(5)]))
    assert track is not None
    for i, (lat, lon) in enumerate(PLACES):
        assert track.positions.lat[i] == pytest.approx(lat, abs=1e-5)
        assert track.positions.lon[i] == pytest.approx(lon, abs=2e-5)  # a 32 bit float of dddmm.mmmm
        speed = (50 + i) / 3.6 if layout == "scrambled" else (20 + i) * KNOT_MPS
        assert track.positions.speed_mps[i] == pytest.approx(speed, rel=1e-5)
    assert track.positions.time_ms.tolist() == [0, 1000, 2000, 3000, 4000]
    assert track.started_at == START
    assert track.notes == ()


@pytest.mark.parametrize("layout", ["early", "scrambled", "sentence"])
def test_acceleration_is_in_g(layout: str, tmp_path: Path) -> None:
    track = read(make.novatek_film(tmp_path / "a.mp4", [LAYOUTS[layout](i) for i in range(5)]))
    assert track is not None
    assert track.accelerometer.vectors[0] == pytest.approx(FORCE, abs=0.005)
    assert len(track.accelerometer) == 5


@pytest.mark.parametrize("force", [None, (0.0, 0.0, 0.0)])
def test_counting_numbers_and_zeros_in_place_of_forces_are_none(force: tuple[float, float, float] | None) -> None:
    block = make.early_block(at(0), *PLACES[0], knots=1, course=2, g=force)
    assert read_block(block).fix is not None
    assert read_block(block).acceleration is None


def test_blocks_that_are_not_listed_are_found(tmp_path: Path) -> None:
    film = make.novatek_film(tmp_path / "a.mp4", [late(i) for i in range(5)], listed=False)
    track = read(film)
    assert track is not None
    assert len(track.positions) == 5
    assert "found in the film" in track.source


def test_blocks_in_spare_boxes_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(make.box(b"ftyp", b"isom") + b"".join(make.box(b"skip", late(i)) for i in range(5)))
    track = read(path)
    assert track is not None
    assert track.positions.lat[4] == pytest.approx(PLACES[4][0], abs=1e-5)


def test_block_across_two_reads_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vvlm_desktop.video.telemetry.novatek._CHUNK_BYTES", 512)
    for lead in range(500, 514):
        path = tmp_path / f"{lead}.mp4"
        path.write_bytes(make.box(b"ftyp", b"isom") + make.box(b"mdat", b"\xff" * lead + late(0) + b"\xff" * 2000))
        track = read(path)
        assert track is not None, lead
        assert len(track.positions) == 1, lead


def test_seconds_without_a_fix_are_left_out_and_said(tmp_path: Path) -> None:
    blind = [make.late_block(at(i), 0, 0, knots=0, course=0, status="V") for i in range(3)]
    track = read(make.novatek_film(tmp_path / "a.mp4", [*blind, late(3), late(4)]))
    assert track is not None
    assert track.positions.time_ms.tolist() == [3000, 4000]
    assert track.notes == ("3 blocks without a fix left out",)
    assert track.started_at == START


def test_film_without_any_fix_has_none(tmp_path: Path) -> None:
    blind = [make.late_block(at(i), 0, 0, knots=0, course=0, status="V") for i in range(3)]
    assert read(make.novatek_film(tmp_path / "a.mp4", blind)) is None


def test_lost_blocks_are_put_where_the_satellites_say(tmp_path: Path) -> None:
    """Fewer blocks than seconds: by number, the last would be minutes too early."""
    blocks = [make.late_block(at(s), *PLACES[i], knots=1, course=2) for i, s in enumerate((0, 1, 30, 31, 58))]
    track = read(make.novatek_film(tmp_path / "a.mp4", blocks, seconds=60))
    assert track is not None
    assert track.positions.time_ms.tolist() == [0, 1000, 30_000, 31_000, 58_000]
    assert "satellites" in track.clock


def test_impossible_values_are_skipped_and_counted(tmp_path: Path) -> None:
    def spoiled(offset: int, value: bytes) -> bytes:
        block = bytearray(late(0))
        block[offset : offset + len(value)] = value
        return bytes(block)

    bad = [
        spoiled(64, struct.pack("<I", 13)),  # a thirteenth month
        spoiled(76, struct.pack("<f", 9999.0)),  # 99° 99'
        spoiled(76, struct.pack("<f", float("nan"))),
    ]
    track = read(make.novatek_film(tmp_path / "a.mp4", [*bad, late(3)]))
    assert track is not None
    assert track.positions.time_ms.tolist() == [3000]
    assert track.notes == ("3 blocks of an unknown or damaged kind skipped",)


def test_encrypted_blocks_are_named(tmp_path: Path) -> None:
    encrypted = bytearray(make.late_block(at(0), 1, 1, knots=0, course=0, status="\0"))
    encrypted[16:28] = b"LIGOGPSINFO\0"
    track = read(make.novatek_film(tmp_path / "a.mp4", [bytes(encrypted)] * 2))
    assert track is not None
    assert not track
    assert "2 blocks are encrypted" in track.notes[0]


def test_list_that_points_elsewhere_is_not_believed(tmp_path: Path) -> None:
    path = make.novatek_film(tmp_path / "a.mp4", [late(i) for i in range(3)])
    data = bytearray(path.read_bytes())
    table = data.index(b"gps ") + 4
    struct.pack_into(">I", data, table + 4, 0xFFFFFFFF)  # so many
    struct.pack_into(">II", data, table + 8, 0xFFFFFF00, 0xFFFFFFFF)
    path.write_bytes(data)
    track = read(path)
    assert track is not None
    assert len(track.positions) == 2


@pytest.mark.parametrize("prefix", [0, 164])
@pytest.mark.parametrize("size", [188, 192])
def test_transport_stream_holds_the_records(prefix: int, size: int, tmp_path: Path) -> None:
    film = b""
    for i in range(5):
        record = bytes(prefix) + make.early_record(at(i), *PLACES[i], knots=20 + i, course=90, g=FORCE)
        film += make.transport_packets(0x100, b"picture" * 60) + make.transport_packets(0x300, record)
    if size == 192:
        film = b"".join(bytes(4) + film[i : i + 188] for i in range(0, len(film), 188))
    path = tmp_path / "a.ts"
    path.write_bytes(film)
    track = read_novatek(path, ClipClock(duration_ms=5000.0))
    assert track is not None
    assert track.positions.lat == pytest.approx([lat for lat, _ in PLACES], abs=1e-5)
    assert track.accelerometer.vectors[4] == pytest.approx(FORCE, abs=0.005)
    assert track.started_at == START


def test_enciphered_sentence_is_read() -> None:
    text = make.rmc(at(0), *PLACES[0], knots=20, course=90)
    content = bytes(48) + bytes(value + 16 for value in text.encode())
    block = read_block((struct.pack(">I", 0x200) + b"freeGPS " + content).ljust(0x200, b"\0"))
    assert block.fix is not None
    assert (block.fix.lat, block.fix.lon) == pytest.approx(PLACES[0], abs=1e-6)


REXING = [(33.669774 + i * 1e-4, -112.09692 - i * 1e-4) for i in range(4)]


def rexing(folder: Path, firmware: str | None) -> Track | None:
    blocks = [make.shifted_block(at(i), *place, knots=50) for i, place in enumerate(REXING)]
    blocks.insert(0, make.late_block(at(0), 0, 0, knots=0, course=0, status="V"))
    return read(make.novatek_film(folder / "a.mp4", blocks, firmware=firmware))


def test_positions_that_the_camera_moves_are_moved_back_where_the_film_names_its_firmware(tmp_path: Path) -> None:
    track = rexing(tmp_path, "3.01.054")
    assert track is not None
    assert track.positions.lat == pytest.approx([lat for lat, _ in REXING], abs=1e-5)
    assert track.positions.lon == pytest.approx([lon for _, lon in REXING], abs=2e-4)
    assert track.positions.speed_mps == pytest.approx([50 * KNOT_MPS] * 4)
    assert not any("Rexing" in note for note in track.notes)


@pytest.mark.parametrize("firmware", [None, "", "3.01.055"])
def test_positions_that_may_be_moved_are_doubted(tmp_path: Path, firmware: str | None) -> None:
    blocks = [make.shifted_block(at(i), 40.0 + i * 1e-3, -112.1, knots=50) for i in range(3)]  # minutes below sixty
    track = read(make.novatek_film(tmp_path / "a.mp4", blocks, firmware=firmware))
    assert track is not None
    assert len(track.positions) == 3
    assert any("Rexing" in note and "Central Africa" in note for note in track.notes)


def test_moved_positions_that_cannot_be_places_say_so_too(tmp_path: Path) -> None:
    track = rexing(tmp_path, None)
    assert track is not None
    assert len(track.positions) == 0
    assert any("Rexing" in note for note in track.notes)


def test_places_elsewhere_are_not_doubted_and_not_moved(tmp_path: Path) -> None:
    track = read(make.novatek_film(tmp_path / "a.mp4", [late(i) for i in range(5)], firmware="1.0"))
    assert track is not None
    assert track.notes == ()
    assert track.positions.lat == pytest.approx([lat for lat, _ in PLACES], abs=1e-5)


def test_early_records_of_that_firmware_are_read_as_they_are(tmp_path: Path) -> None:
    track = read(make.novatek_film(tmp_path / "a.mp4", [LAYOUTS["early"](i) for i in range(5)], firmware="3.01.054"))
    assert track is not None
    assert track.positions.lat == pytest.approx([lat for lat, _ in PLACES], abs=1e-5)
