"""The `freeGPS ` block that cameras with a Novatek chip write once a second; makers fill it in several ways.

Known here, in the order in which they are told apart (offsets from the block's start, numbers little-endian):

* *scrambled text* (Azdome, EEEkit): from 18 on XOR 0xAA; date, N or S, ddmmmmmm, E or W, dddmmmmmm as digits
* *sentences* (Nextbase 512GW, Kenwood, and with 16 added to each letter): NMEA RMC and GGA; acceleration at 68
* *early record* (Viofo A119 v3, A129 Plus, A139, A229): time at 16, `A` N/S E/W at 40, floats at 44, acceleration at 60
* *doubles* (Vantrue N4, Rove R2-4K Pro): time at 16, `A` at 28, latitude at 32, longitude at 48, date at 80
* *late record* (Viofo A119, A129, most others): time at 48, `A` N/S E/W at 72, floats at 76

Positions are ddmm.mmmm, speed is in knots, time is UTC. `LIGOGPSINFO` blocks are encrypted: they are counted, not read.
Source: the tables of ExifTool's QuickTimeStream and sergei.nz; nothing of their code.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vvlm_desktop.video.telemetry.nmea import packed_degrees, parse_nmea
from vvlm_desktop.video.telemetry.track import KMH_MPS, KNOT_MPS, Fix

#: Enough for every layout.
BLOCK_BYTES = 4096
MAGIC = b"freeGPS "
_SCRAMBLED = b"\xaa\xaa\xf2\xe1\xf0\xee\x54\x54"
_SCRAMBLED_TEXT = re.compile(rb".{8}(\d{14})..{15}([NS])(\d{8})([EW])(\d{9})(?:(\d{8})|[-+]\d{4}(\d{3}))?", re.DOTALL)
_THREE_SIGNED = re.compile(rb"([-+]\d{3})([-+]\d{3})([-+]\d{3})")
_ENCIPHERED = b"4W`b]S<"
_EARLY = re.compile(rb".{37}\0\0\0[AV][NS\0][EW\0]", re.DOTALL)
_DOUBLES = re.compile(rb".{28}A.{11}[NS].{15}[EW]", re.DOTALL)
_LATE = re.compile(rb".{72}[AV][NS\0][EW\0]\0", re.DOTALL)
#: A G-sensor that was never read holds these.
_UNREAD = (bytes(12), struct.pack("<6H", 1, 2, 3, 4, 5, 6))


@dataclass(frozen=True, slots=True)
class Block:
    """What one block says.

    Attributes:
        fix: `time_ms` is UTC since 1970; None without a fix.
        acceleration: in g, axes of the camera.
        state: "read", "no fix", "encrypted" or "unknown".
    """

    state: str
    fix: Fix | None = None
    acceleration: tuple[float, float, float] | None = None


def read_block(block: bytes) -> Block:
    """Read one block; whatever it holds, nothing is raised."""
    for fits, read in _LAYOUTS:
        if fits(block):
            try:
                return read(block)
            except (struct.error, ValueError, OverflowError):  # too short, or no date and no number
                return Block("unknown")
    return Block("unknown")


def _is_encrypted(block: bytes) -> bool:
    return b"LIGOGPSINFO\0" in block[:128]


def _is_sentence(block: bytes) -> bool:
    return block[60:67] == _ENCIPHERED or re.search(rb"\$[A-Z]{2}(?:RMC|GGA),", block) is not None


def _sentence(block: bytes) -> Block:
    if block[60:67] == _ENCIPHERED:
        text = "$" + bytes(value - 16 for value in block[60:260] if value >= 16).decode("latin-1")
        # What is enciphered begins with the dollar sign; what is not, after it.
        log, acceleration = parse_nmea(text.replace("$$", "$")), None
    else:
        log, acceleration = parse_nmea(block.decode("latin-1")), _whole_g(block, 68)
    fix = log.fixes[-1] if log.fixes else None
    return Block("read" if fix else "no fix", fix if log.dated else None, acceleration if fix else None)


def _scrambled(block: bytes) -> Block:
    text = bytes(value ^ 0xAA for value in block[18:320])
    match = _SCRAMBLED_TEXT.match(text)
    if match is None:
        return Block("no fix")
    at = datetime.strptime(match[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    lat = packed_degrees(int(match[3]) / 1e4, match[2].decode("ascii"))
    lon = packed_degrees(int(match[5]) / 1e4, match[4].decode("ascii"))
    speed = match[6] or match[7]
    forces = _THREE_SIGNED.match(text, 65) or _THREE_SIGNED.match(text, 173)
    acceleration = tuple(int(value) / 100 for value in forces.groups()) if forces else None
    speed_mps = int(speed) * KMH_MPS if speed else math.nan
    return _checked(Fix(at.timestamp() * 1000, lat, lon, speed_mps=speed_mps), acceleration)


def _early(block: bytes) -> Block:
    acceleration = _whole_g(block, 60)
    if block[40:41] != b"A":
        return Block("no fix", acceleration=acceleration)
    at_ms = _utc_ms(struct.unpack_from("<6I", block, 16))
    return _checked(_floats(block, 41, 44, at_ms), acceleration)


def _late(block: bytes) -> Block:
    if block[72:73] != b"A":
        return Block("no fix")
    return _checked(_floats(block, 73, 76, _utc_ms(struct.unpack_from("<6I", block, 48))), None)


def _doubles(block: bytes) -> Block:
    clock, date = struct.unpack_from("<3I", block, 16), struct.unpack_from("<3I", block, 80)
    lat, lon, speed, course = (struct.unpack_from("<d", block, offset)[0] for offset in (32, 48, 64, 72))
    lat = packed_degrees(abs(lat), block[40:41].decode("latin-1"))
    lon = packed_degrees(abs(lon), block[56:57].decode("latin-1"))
    fix = Fix(_utc_ms((*clock, *date)), lat, lon, speed_mps=_speed(speed), course_deg=_course(course))
    return _checked(fix, None)


def _floats(block: bytes, letters: int, numbers: int, at_ms: float) -> Fix:
    lat, lon, speed, course = struct.unpack_from("<4f", block, numbers)
    return Fix(
        at_ms,
        packed_degrees(lat, block[letters : letters + 1].decode("latin-1")),
        packed_degrees(lon, block[letters + 1 : letters + 2].decode("latin-1")),
        speed_mps=_speed(speed),
        course_deg=_course(course),
    )


def _speed(knots: float) -> float:
    return knots * KNOT_MPS if 0 <= knots < 1000 else math.nan


def _course(degrees: float) -> float:
    return degrees % 360 if 0 <= degrees <= 720 else math.nan


def _utc_ms(values: tuple[int, ...]) -> float:
    """From hour, minute, second, year (of this century or whole), month, day."""
    hour, minute, second, year, month, day = values
    at = datetime(year + 2000 if year < 2000 else year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    return at.timestamp() * 1000


def _whole_g(block: bytes, offset: int) -> tuple[float, float, float] | None:
    """Three 32 bit numbers, 256 to one g; None where the camera wrote nothing or nothing that can be."""
    raw = block[offset : offset + 12]
    if len(raw) < 12 or raw in _UNREAD:
        return None
    x, y, z = (value / 256 for value in struct.unpack("<3i", raw))
    return (x, y, z) if max(abs(x), abs(y), abs(z)) <= 32 else None


def _checked(fix: Fix, acceleration: tuple[float, ...] | None) -> Block:
    forces = (acceleration[0], acceleration[1], acceleration[2]) if acceleration else None
    if not fix.plausible:
        return Block("no fix" if (fix.lat, fix.lon) == (0.0, 0.0) else "unknown", acceleration=forces)
    return Block("read", replace(fix), forces)


_LAYOUTS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Block]], ...] = (
    (lambda block: block[18:26] == _SCRAMBLED, _scrambled),
    (_is_sentence, _sentence),
    (_is_encrypted, lambda _block: Block("encrypted")),
    (lambda block: _EARLY.match(block) is not None, _early),
    (lambda block: _DOUBLES.match(block) is not None, _doubles),
    (lambda block: _LATE.match(block) is not None, _late),
)
