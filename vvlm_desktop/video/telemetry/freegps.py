"""The `freeGPS ` block that cameras with a Novatek chip write once a second; makers fill it in several ways.

Known here, in the order in which they are told apart (offsets from the block's start, numbers little-endian):

* *scrambled text* (Azdome, EEEkit): from 18 on XOR 0xAA; date, N or S, ddmmmmmm, E or W, dddmmmmmm as digits
* *sentences* (Nextbase 512GW, Kenwood, and with 16 added to each letter): NMEA RMC and GGA; acceleration at 68
* *early record* (Viofo A119 v3, A129 Plus, A139, A229): time at 16, `A` N/S E/W at 40, floats at 44, acceleration at
  60; in some films 48 bytes later, in some with the two positions as digits of 20 bytes each
* what `freegps_numbers` has: *doubles* (Vantrue N4, Rove R2-4K Pro), *late record* (Viofo A119, A129, most others) and
  rarer ones
* *512G* (Nextbase): 32 bytes from 50 on, big-endian, positions × 10⁷

Positions are ddmm.mmmm and speed is in knots where nothing else is said, time is UTC but for early records with a whole
year (Kenwood), which is the camera's own. `LIGOGPSINFO` blocks and those whose positions are enciphered (Akaso V1,
Redtiger F7N) are counted, not read. Rexing's V1-4K moves and stretches the positions of its late records; that it does
only the film tells, by the firmware in `frea/ver `. Not known: INNOVV (several records without a date), ring buffers
marked `ATC`.
Source: the tables of ExifTool's QuickTimeStream and sergei.nz; nothing of their code.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vvlm_desktop.video.telemetry.freegps_numbers import LAYOUTS, SHIFTED, Layout, bearing, milliseconds, speed_in
from vvlm_desktop.video.telemetry.nmea import packed_degrees, parse_nmea
from vvlm_desktop.video.telemetry.track import KMH_MPS, KNOT_MPS, Fix

#: Enough for every layout.
BLOCK_BYTES = 4096
MAGIC = b"freeGPS "
_SCRAMBLED = b"\xaa\xaa\xf2\xe1\xf0\xee\x54\x54"
_SCRAMBLED_TEXT = re.compile(rb".{8}(\d{14})..{15}([NS])(\d{8})([EW])(\d{9})(?:(\d{8})|[-+]\d{4}(\d{3}))?", re.DOTALL)
#: Of Rexing's V1-4K.
SHIFTING_FIRMWARE = "3.01.054"
_THREE_SIGNED = re.compile(rb"([-+]\d{3})([-+]\d{3})([-+]\d{3})")
_ENCIPHERED = b"4W`b]S<"
_EARLY = re.compile(rb"(?:.{37}|.{85})\0\0\0[AV][NS\0][EW\0]", re.DOTALL)
#: By how much an early record's block may be longer at its beginning.
_EARLY_LATER = 48
_DIGITS = re.compile(rb"\d{1,5}\.\d+\0*")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,20}={0,2}\0*")
#: Positions under a key of the maker's: a time and letters where a late record has them, and five zeros after.
_HIDDEN = re.compile(rb".{64}[\x01-\x0c]\0{3}[\x01-\x1f]\0{3}A[NS][EW]\0{5}", re.DOTALL)
#: EACHPAI's sentences, enciphered by something that nobody has found.
_EACHPAI = re.compile(rb".{12}\xac\0\0\0.{44}", re.DOTALL)
_NEXTBASE = struct.Struct(">HhHBBBBHBii")
#: A G-sensor that was never read holds these.
_UNREAD = (bytes(12), struct.pack("<6H", 1, 2, 3, 4, 5, 6))


@dataclass(frozen=True, slots=True)
class Block:
    """What one block says.

    Attributes:
        fix: `time_ms` is since 1970; None without a fix.
        acceleration: in g, axes of the camera.
        state: "read", "no fix", "encrypted" or "unknown".
        local: whether the time is the camera's own, of a zone that is not told, rather than UTC.
    """

    state: str
    fix: Fix | None = None
    acceleration: tuple[float, float, float] | None = None
    local: bool = False


def read_block(block: bytes, *, firmware: str = "") -> Block:
    """Read one block; whatever it holds, nothing is raised.

    Args:
        firmware: what the film says of its camera's, where it does.
    """
    for fits, read in _LAYOUTS if firmware != SHIFTING_FIRMWARE else _SHIFTED_LAYOUTS:
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
    speed_mps = speed_in(int(speed), KMH_MPS) if speed else math.nan
    return _checked(Fix(at.timestamp() * 1000, lat, lon, speed_mps=speed_mps), acceleration)


def _early(block: bytes) -> Block:
    if block[37:40] != bytes(3) or block[40:41] not in {b"A", b"V"}:
        block = block[_EARLY_LATER:]
    texts = (block[44:64], block[64:84])
    if all(_DIGITS.fullmatch(text) for text in texts):
        numbers, speeds, acceleration = [float(text.rstrip(b"\0")) for text in texts], 84, None
    elif all(_BASE64.fullmatch(text) for text in texts):
        return Block("encrypted")
    else:
        numbers, speeds, acceleration = [*struct.unpack_from("<2f", block, 44)], 52, _whole_g(block, 60)
    if block[40:41] != b"A":
        return Block("no fix", acceleration=acceleration)
    clock = struct.unpack_from("<6I", block, 16)
    speed, course = struct.unpack_from("<2f", block, speeds)
    lat, lon = (packed_degrees(numbers[i], block[41 + i : 42 + i].decode("latin-1")) for i in (0, 1))
    fix = Fix(milliseconds(clock), lat, lon, speed_mps=speed_in(speed, KNOT_MPS), course_deg=bearing(course))
    return replace(_checked(fix, acceleration), local=clock[3] >= 2000)


def _numbers(block: bytes, layout: Layout) -> Block:
    if not layout.has_fix(block):
        return Block("no fix")
    return _checked(layout.fix(block), layout.forces(block))


def _is_nextbase(block: bytes) -> bool:
    if len(block) < 50 + _NEXTBASE.size:
        return False
    _, _, year, month, day, hour, minute, tenths, *_ = _NEXTBASE.unpack_from(block, 50)
    return bool(2000 < year < 2100 and 0 < month < 13 and 0 < day < 32 and hour < 24 and minute < 60 and tenths < 600)


def _nextbase(block: bytes) -> Block:
    """The first of the block's records: those that follow are of the same second."""
    speed, course, year, month, day, hour, minute, tenths, _, lat, lon = _NEXTBASE.unpack_from(block, 50)
    at = datetime(year, month, day, hour, minute, tenths // 10, tenths % 10 * 100_000, tzinfo=UTC)
    speed_mps = speed_in(speed / 100, 1.0)
    return _checked(
        Fix(at.timestamp() * 1000, lat / 1e7, lon / 1e7, speed_mps=speed_mps, course_deg=course / 100 % 360), None
    )


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
    return Block("read", fix, forces)


def _of(layout: Layout) -> tuple[Callable[[bytes], bool], Callable[[bytes], Block]]:
    return layout.fits, lambda block: _numbers(block, layout)


_LAYOUTS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Block]], ...] = (
    (lambda block: block[18:26] == _SCRAMBLED, _scrambled),
    _of(LAYOUTS[0]),
    (_is_sentence, _sentence),
    (_is_encrypted, lambda _block: Block("encrypted")),
    (lambda block: _EARLY.match(block) is not None, _early),
    (lambda block: _HIDDEN.match(block) is not None, lambda _block: Block("encrypted")),
    (lambda block: _EACHPAI.match(block) is not None, lambda _block: Block("encrypted")),
    *map(_of, LAYOUTS[1:]),
    (_is_nextbase, _nextbase),
)
_SHIFTED_LAYOUTS = (_of(SHIFTED), *_LAYOUTS)
