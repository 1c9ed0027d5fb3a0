"""Layouts of the `freeGPS ` block that are numbers at fixed places: one row of a table for each.

Offsets are from the block's start, numbers little-endian. Where acceleration's unit is not certain it is left out.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from vvlm_desktop.video.telemetry.nmea import packed_degrees
from vvlm_desktop.video.telemetry.track import FASTEST_MPS, KMH_MPS, KNOT_MPS, Fix

#: A number in the block: struct's letter and where it lies.
Place = tuple[str, int]
#: Within so much of each other a record's two forms of one position, in ddmm.mmmm, are the same.
_SAME = 0.001
_MOST_G = 32.0
_LATE_BYTES = 92
#: By how much Rexing's V1-4K moves and stretches latitude and longitude, in degrees.
_SHIFT = ((187.982162849635, 3.0), (2199.19873715495, 2.0))


def speed_in(value: float, unit_mps: float) -> float:
    """A speed in m/s, NaN for one that no car has."""
    return value * unit_mps if 0 <= value * unit_mps <= FASTEST_MPS else math.nan


def bearing(degrees: float) -> float:
    """0 to 360, NaN for what is none."""
    return degrees % 360 if -360 <= degrees <= 720 else math.nan


def milliseconds(values: Sequence[int]) -> float:
    """Time since 1970 from hour, minute, second, year (of this century or whole), month, day.

    Raises:
        ValueError, OverflowError: it is no time.
    """
    hour, minute, second, year, month, day = values
    at = datetime(year + 2000 if year < 2000 else year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    return at.timestamp() * 1000


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a block has what.

    Attributes:
        mark: what tells the layout. status, north, east: where `A` or `V`, N or S, E or W are.
        clock, date: where hour, minute, second and year, month, day begin, 32 bit each.
        position: "packed" ddmm.mmmm, "degrees", "e7" degrees × 10⁷, or "shifted" degrees, stretched and moved.
        precise: where positions and the altitude are once more, as doubles.
        degrees_in_bytes: in blocks that say they have so many bytes, positions that can be degrees are, and the speed
            is in km/h: as ddmm.mmmm they would lie in the sea off Ghana.
        forces: where three 32 bit numbers of 1/1000 g begin.
    """

    name: str
    mark: re.Pattern[bytes]
    status: int
    north: int
    east: int
    clock: int
    date: int
    lat: Place
    lon: Place
    speed: Place
    course: Place | None = None
    altitude: Place | None = None
    position: Literal["packed", "degrees", "e7", "shifted"] = "packed"
    speed_unit_mps: float = KNOT_MPS
    course_from_deg: float = 0.0
    precise: tuple[int, int, int] | None = None
    forces_at: int | None = None
    degrees_in_bytes: int | None = None

    def fits(self, block: bytes) -> bool:
        """Whether a block is filled in this way."""
        return self.mark.match(block) is not None

    def has_fix(self, block: bytes) -> bool:
        """Whether the receiver knew where it was."""
        return block[self.status : self.status + 1] == b"A"

    def fix(self, block: bytes) -> Fix:
        """The position.

        Raises:
            struct.error, ValueError, OverflowError: the block is too short, or has no time.
        """
        clock, date = struct.unpack_from("<3I", block, self.clock), struct.unpack_from("<3I", block, self.date)
        lat, lon = abs(_number(block, self.lat)), abs(_number(block, self.lon))
        altitude = _number(block, self.altitude)
        if self.position == "shifted":
            lat, lon = ((raw - moved) / stretched for raw, (moved, stretched) in zip((lat, lon), _SHIFT, strict=True))
        if self.degrees_in_bytes == struct.unpack_from(">I", block)[0] and lat <= 90 and lon <= 180:
            plain = replace(self, position="degrees", speed_unit_mps=KMH_MPS, degrees_in_bytes=None, precise=None)
            return plain.fix(block)
        if self.precise is not None and len(block) >= self.precise[2] + 8:
            finer = [_number(block, ("d", at)) for at in self.precise]
            if abs(finer[0] - lat) < _SAME and abs(finer[1] - lon) < _SAME:
                lat, lon, altitude = finer
        return Fix(
            milliseconds((*clock, *date)),
            self._degrees(lat, block, self.north),
            self._degrees(lon, block, self.east),
            speed_mps=speed_in(_number(block, self.speed), self.speed_unit_mps),
            altitude_m=altitude,
            course_deg=bearing(_number(block, self.course) + self.course_from_deg),
        )

    def _degrees(self, value: float, block: bytes, letter_at: int) -> float:
        letter = block[letter_at : letter_at + 1].decode("latin-1")
        if self.position == "packed":
            return packed_degrees(value, letter)
        degrees = value / 1e7 if self.position == "e7" else value
        return {"N": degrees, "E": degrees, "S": -degrees, "W": -degrees}.get(letter, math.nan)

    def forces(self, block: bytes) -> tuple[float, float, float] | None:
        """Acceleration in g; None where the layout has none, or the camera wrote nothing that can be."""
        if self.forces_at is None or len(block) < self.forces_at + 12:
            return None
        x, y, z = (value / 1000 for value in struct.unpack_from("<3i", block, self.forces_at))
        return (x, y, z) if 0 < max(abs(x), abs(y), abs(z)) <= _MOST_G else None


def _number(block: bytes, place: Place | None) -> float:
    if place is None:
        return math.nan
    return float(struct.unpack_from("<" + place[0], block, place[1])[0])


def _mark(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


_AKASO = Layout(
    "Akaso", _mark(rb".{16}x\.xx.{40}[AV]\0{3}.{4}[NS\0]\0{3}.{4}[EW\0]\0{3}"), 60, 68, 76, 48, 88,
    ("f", 64), ("f", 72), ("f", 80), ("f", 84), speed_unit_mps=KMH_MPS, course_from_deg=180.0,
)  # fmt: skip
#: The first comes before sentences are looked for, as it may hold one as well.
LAYOUTS = (
    Layout(
        "doubles", _mark(rb".{28}[AV].{11}[NS\0].{15}[EW\0]"), 28, 40, 56, 16, 80,
        ("d", 32), ("d", 48), ("d", 64), ("d", 72), forces_at=92,
    ),
    _AKASO,
    Layout(
        "floats", _mark(rb".{60}[AV]\0{3}.{4}[NS\0]\0{3}.{4}[EW\0]\0{3}"), 60, 68, 76, 48, 88,
        ("f", 64), ("f", 72), ("f", 80), ("f", 84), speed_unit_mps=KMH_MPS, forces_at=100,
    ),
    Layout(
        "Vantrue S1", _mark(rb".{64}[AV][NS\0][EW\0]\0"), 64, 65, 66, 80, 68,
        ("f", 96), ("f", 92), ("f", 100), ("f", 104), ("f", 108),
    ),
    Layout(
        "late doubles", _mark(rb".{60}[AV]\0.{10}[NS\0]\0.{14}[EW\0]\0"), 60, 72, 88, 48, 112,
        ("d", 64), ("d", 80), ("d", 96), ("d", 104), forces_at=124,
    ),
    Layout(
        "IQS", _mark(rb".{16}IQS.{53}[AV][NS\0][EW\0]\0"), 72, 73, 74, 48, 60,
        ("i", 76), ("i", 80), ("i", 84), position="e7", speed_unit_mps=0.01,
    ),
    Layout(
        "late record", _mark(rb".{72}[AV][NS\0][EW\0]\0"), 72, 73, 74, 48, 60,
        ("f", 76), ("f", 80), ("f", 84), ("f", 88), precise=(0x70, 0x80, 0xA0), degrees_in_bytes=0x4000,
    ),
)  # fmt: skip
#: Late records of a camera that moves its positions: nothing in a block tells it, only the film does.
SHIFTED = replace(LAYOUTS[-1], name="Rexing V1-4K", position="shifted", precise=None, degrees_in_bytes=None)


def may_be_shifted(blocks: Sequence[bytes]) -> bool:
    """Whether all late records hold numbers as a camera writes that moves them; some real places look like that."""
    late = [block for block in blocks if SHIFTED.fits(block) and SHIFTED.has_fix(block) and len(block) >= _LATE_BYTES]
    return bool(late) and all(map(_looks_shifted, late))


def _looks_shifted(block: bytes) -> bool:
    raw = (_number(block, SHIFTED.lat), _number(block, SHIFTED.lon))
    lat, lon = ((value - moved) / stretched for value, (moved, stretched) in zip(raw, _SHIFT, strict=True))
    return 0 <= lat <= 90 and 0 <= lon <= 180
