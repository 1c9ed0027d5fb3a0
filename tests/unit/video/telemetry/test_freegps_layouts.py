"""The rarer ways of filling a freeGPS block; and blocks that look like a known one but hide their position."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.video.telemetry.clock import ClipClock
from vvlm_desktop.video.telemetry.freegps import read_block
from vvlm_desktop.video.telemetry.novatek import read_novatek
from vvlm_desktop.video.telemetry.track import KNOT_MPS

AT = datetime(2024, 5, 1, 23, 59, 58, tzinfo=UTC)
PLACE = (-33.856784, 151.215297)
FORCE = (0.25, -0.5, 1.0)
RARE = {
    "doubles": make.doubles_block(AT, *PLACE, knots=20, course=90, g=FORCE),
    "akaso": make.floats_block(AT, *PLACE, kmh=20 * 1.852, course=90, g=FORCE, akaso=True),
    "floats": make.floats_block(AT, *PLACE, kmh=20 * 1.852, course=90, g=FORCE, akaso=False),
    "vantrue s1": make.vantrue_s1_block(AT, *PLACE, knots=20, course=90, altitude=33.5),
    "late doubles": make.late_doubles_block(AT, *PLACE, knots=20, course=90, g=FORCE),
    "IQS": make.iqs_block(AT, *PLACE, metres_a_second=20 * KNOT_MPS),
    "512G": make.nextbase_block(AT, *PLACE, metres_a_second=20 * KNOT_MPS, course=90),
}


@pytest.mark.parametrize("layout", RARE)
def test_place_time_speed_and_course(layout: str) -> None:
    block = read_block(RARE[layout])
    assert block.state == "read"
    assert block.fix is not None
    assert (block.fix.lat, block.fix.lon) == pytest.approx(PLACE, abs=2e-5)
    assert block.fix.time_ms == AT.timestamp() * 1000
    assert block.fix.speed_mps == pytest.approx(20 * KNOT_MPS, abs=0.01)
    assert block.fix.course_deg == pytest.approx(90) or layout == "IQS"


@pytest.mark.parametrize("layout", ["doubles", "floats", "late doubles"])
def test_forces_of_a_thousandth_of_g(layout: str) -> None:
    assert read_block(RARE[layout]).acceleration == pytest.approx(FORCE)


@pytest.mark.parametrize("layout", ["akaso", "vantrue s1", "IQS", "512G"])
def test_forces_of_no_certain_unit_are_left_out(layout: str) -> None:
    assert read_block(RARE[layout]).acceleration is None


def test_numbers_of_a_block_count_before_its_sentence() -> None:
    """A Vantrue N4 writes both; where its sentence lies, the sentence's reader would look for forces."""
    numbers = bytearray(RARE["doubles"])
    text = b" " + make.rmc(AT, *PLACE, knots=20, course=90).encode()
    numbers[104 : 104 + len(text)] = text
    assert read_block(bytes(numbers)).acceleration == pytest.approx(FORCE)


def test_precise_positions_are_taken_where_they_agree() -> None:
    block = bytearray(make.late_block(AT, *PLACE, knots=20, course=90))
    struct.pack_into("<d", block, 0x70, make.ddmm(PLACE[0]))
    struct.pack_into("<d", block, 0x80, make.ddmm(PLACE[1]))
    struct.pack_into("<d", block, 0xA0, 12.5)
    fix = read_block(bytes(block)).fix
    assert fix is not None
    assert (fix.lat, fix.lon, fix.altitude_m) == pytest.approx((*PLACE, 12.5), abs=1e-9)
    struct.pack_into("<d", block, 0x70, 1.0)
    fix = read_block(bytes(block)).fix
    assert fix is not None
    assert math.isnan(fix.altitude_m)


def test_late_record_in_whole_degrees() -> None:
    block = bytearray(make.late_block(AT, *PLACE, knots=50, course=90))
    struct.pack_into(">I", block, 0, 0x4000)
    struct.pack_into("<2f", block, 76, 33.856784, 151.215297)
    fix = read_block(bytes(block)).fix
    assert fix is not None
    assert (fix.lat, fix.lon) == pytest.approx(PLACE, abs=2e-5)
    assert fix.speed_mps == pytest.approx(50 / 3.6)


@pytest.mark.parametrize("size", [0x200, 0x4000])
def test_position_under_a_key_is_no_place_near_the_equator(size: int) -> None:
    block = bytearray(make.late_block(AT, *PLACE, knots=50, course=90))
    struct.pack_into(">I", block, 0, size)
    block[76:96] = bytes.fromhex("00000000f14e3e3d90dfca40e350bf0b0b31a040")
    assert read_block(bytes(block)).state == "encrypted"


def _early_texts(lat: bytes, lon: bytes) -> bytes:
    block = bytearray(make.early_block(AT, *PLACE, knots=0, course=0))
    block[44:64], block[64:84] = lat.ljust(20, b"\0"), lon.ljust(20, b"\0")
    struct.pack_into("<2f", block, 84, 20.0, 90.0)
    return bytes(block)


def test_early_record_with_digits() -> None:
    fix = read_block(_early_texts(b"3351.40704", b"15112.91782")).fix
    assert fix is not None
    assert (fix.lat, fix.lon) == pytest.approx(PLACE, abs=1e-7)
    assert fix.speed_mps == pytest.approx(20 * KNOT_MPS)


def test_early_record_with_enciphered_digits_is_no_place_near_the_equator() -> None:
    assert read_block(_early_texts(b"TG9yZW1JcHN1bQ==", b"RG9sb3JTaXRBbWV0")).state == "encrypted"


def test_early_record_48_bytes_later() -> None:
    early = make.early_block(AT, *PLACE, knots=20, course=90, g=FORCE)
    block = read_block(early[:16] + bytes(48) + early[16:])
    assert block.fix is not None
    assert (block.fix.lat, block.fix.lon) == pytest.approx(PLACE, abs=2e-5)
    assert block.acceleration == pytest.approx(FORCE)


def _film(path: Path, *, whole_years: range) -> Path:
    blocks = []
    for i in range(5):
        block = bytearray(make.early_block(AT + timedelta(seconds=i), *PLACE, knots=20, course=90))
        if i in whole_years:
            at = AT + timedelta(hours=10, seconds=i)
            struct.pack_into("<6I", block, 16, at.hour, at.minute, at.second, at.year, at.month, at.day)
        blocks.append(bytes(block))
    return make.novatek_film(path, blocks)


def test_camera_s_own_time_is_not_called_utc(tmp_path: Path) -> None:
    track = read_novatek(_film(tmp_path / "a.mp4", whole_years=range(5)), ClipClock(duration_ms=5000.0))
    assert track is not None
    assert track.started_at == (AT + timedelta(hours=10)).replace(tzinfo=None)


def test_utc_of_some_blocks_is_enough(tmp_path: Path) -> None:
    track = read_novatek(_film(tmp_path / "a.mp4", whole_years=range(2, 5)), ClipClock(duration_ms=5000.0))
    assert track is not None
    assert track.started_at == AT
