"""NMEA 0183 logs: plain ones, BlackVue's with a time in ms before each sentence, and with acceleration between.

RMC gives date, position, speed (knots) and course; GGA altitude and fix. A sentence whose checksum is wrong is
skipped; one without is taken. `$GSENSORD,x,y,z` (Vicovation, DOD) is acceleration in g.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from vvlm_desktop.video.telemetry.clock import Alignment, ClipClock, align, utc_at
from vvlm_desktop.video.telemetry.track import FIX_2D, FIX_3D, KNOT_MPS, Fix, Floats, Motion, Positions, Track

_LINE = re.compile(r"(?:\[(\d{1,16})\])?\s*\$([A-Z]{2,5}?)(RMC|GGA),([^*$\[\]\r\n]*)(?:\*([0-9A-Fa-f]{2}))?")
_GSENSOR = re.compile(r"(?:\[(\d{1,16})\])?\s*\$GSENSORD,([^*$\[\]\r\n]*)")
_DAY_S = 86_400.0
#: An hour of ten sentences a second and several kinds.
_MAX_LINES = 400_000


@dataclass(slots=True)
class NmeaLog:
    """What the sentences say, with times in s: those of the satellites, and the recorder's stamps where it wrote any.

    Attributes:
        fixes: `time_ms` is the satellites' time in ms: since 1970, or of the day while no date was told.
        stamps_s: for each fix the recorder's stamp, None where it has none.
        places: for each fix where in the text it begins.
        accelerations: (where in the text, x, y, z) in g; sentences of acceleration have no time of their own.
        dated: whether a date was told.
    """

    fixes: list[Fix] = field(default_factory=list)
    stamps_s: list[float | None] = field(default_factory=list)
    places: list[float] = field(default_factory=list)
    accelerations: list[tuple[float, float, float, float]] = field(default_factory=list)
    dated: bool = False
    skipped: int = 0
    unlocked: int = 0


def degrees(text: str, hemisphere: str) -> float:
    """`ddmm.mmmm` and N, S, E or W as degrees; NaN for what is none."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return packed_degrees(value, hemisphere)


def packed_degrees(value: float, hemisphere: str) -> float:
    """ddmm.mmmm as a number; NaN unless it and its hemisphere can be."""
    if not (0 <= value <= 18_000) or hemisphere not in {"N", "S", "E", "W"}:
        return math.nan
    whole = math.floor(value / 100)
    minutes = value - whole * 100
    result = whole + minutes / 60
    if minutes >= 60.001 or result > (90 if hemisphere in {"N", "S"} else 180):
        return math.nan
    return -result if hemisphere in {"S", "W"} else result


def parse_nmea(text: str) -> NmeaLog:
    """Every sentence that is understood; others are passed over, damaged ones counted."""
    log = NmeaLog()
    date: datetime | None = None
    previous_s, days_s = -1.0, 0.0
    for number, match in enumerate(_LINE.finditer(text)):
        if number == _MAX_LINES:
            break
        stamp_text, talker, kind, content, checksum = match.groups()
        if checksum is not None and not _sums(f"{talker}{kind},{content}", checksum):
            log.skipped += 1
            continue
        values = [value.strip() for value in content.split(",")]
        at_s = _day_seconds(values[0])
        if kind == "RMC" and len(values) > 8:
            date = _date(values[8]) or date
        elif kind != "GGA" or len(values) < 9:
            log.skipped += 1
            continue
        if math.isnan(at_s):
            log.skipped += bool(values[0])
            log.unlocked += not values[0]
            continue
        if previous_s - at_s > _DAY_S / 2:  # midnight; only counted for while there is no date
            days_s += _DAY_S
        previous_s = at_s
        base = date.timestamp() if date else days_s
        log.dated |= date is not None
        fix = _rmc(values) if kind == "RMC" else _gga(values)
        if fix is None:
            log.unlocked += 1
            continue
        stamp = int(stamp_text) / 1000 if stamp_text else None
        _add(log, replace(fix, time_ms=(base + at_s) * 1000), stamp, match.start())
    log.accelerations = _accelerations(text)
    _date_early_ones(log)
    return log


def _date_early_ones(log: NmeaLog) -> None:
    """Fixes before the first date are of the day of the first that has one."""
    early_ms = 1e11  # 1973
    day_ms = _DAY_S * 1000
    dated = next((fix.time_ms for fix in log.fixes if fix.time_ms > early_ms), None)
    if dated is not None:
        log.fixes = [
            fix if fix.time_ms > early_ms else replace(fix, time_ms=dated // day_ms * day_ms + fix.time_ms % day_ms)
            for fix in log.fixes
        ]


def _sums(content: str, checksum: str) -> bool:
    total = 0
    for char in content:
        total ^= ord(char)
    return total == int(checksum, 16)


def _day_seconds(text: str) -> float:
    match = re.fullmatch(r"(\d\d)(\d\d)(\d\d(?:\.\d*)?)", text)
    if match is None:
        return math.nan
    hours, minutes, seconds = int(match[1]), int(match[2]), float(match[3])
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds < 61 else math.nan


def _date(text: str) -> datetime | None:
    if not re.fullmatch(r"\d{6}", text, re.ASCII):
        return None
    try:
        day, month, year = int(text[:2]), int(text[2:4]), int(text[4:])
        return datetime(year + (1900 if year >= 80 else 2000), month, day, tzinfo=UTC)
    except ValueError:
        return None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _rmc(values: list[str]) -> Fix | None:
    if values[1] not in {"A", ""}:  # some recorders leave the status out
        return None
    lat, lon = degrees(values[2], values[3]), degrees(values[4], values[5])
    if math.isnan(lat) or math.isnan(lon):
        return None
    return Fix(0.0, lat, lon, speed_mps=_number(values[6]) * KNOT_MPS, course_deg=_number(values[7]))


def _gga(values: list[str]) -> Fix | None:
    lat, lon = degrees(values[1], values[2]), degrees(values[3], values[4])
    if math.isnan(lat) or math.isnan(lon) or values[5] in {"0", ""}:
        return None
    altitude = _number(values[8])
    return Fix(0.0, lat, lon, altitude_m=altitude, fix=FIX_2D if math.isnan(altitude) else FIX_3D)


def _add(log: NmeaLog, fix: Fix, stamp: float | None, place: int) -> None:
    """A sentence of the same moment as the one before completes it, also where only one of the two has a date."""
    last = log.fixes[-1] if log.fixes else None
    same = last is not None and (last.time_ms - fix.time_ms) % (_DAY_S * 1000) == 0
    if last is None or not same:
        log.fixes.append(fix)
        log.stamps_s.append(stamp)
        log.places.append(float(place))
        return
    log.fixes[-1] = Fix(
        max(last.time_ms, fix.time_ms),
        last.lat,
        last.lon,
        speed_mps=_known(last.speed_mps, fix.speed_mps),
        altitude_m=_known(last.altitude_m, fix.altitude_m),
        course_deg=_known(last.course_deg, fix.course_deg),
        fix=max(last.fix, fix.fix),
    )
    if log.stamps_s[-1] is None:
        log.stamps_s[-1] = stamp


def _known(first: float, second: float) -> float:
    return second if math.isnan(first) else first


def _accelerations(text: str) -> list[tuple[float, float, float, float]]:
    """(position of the sentence among the log's characters, x, y, z)."""
    found = []
    for match in _GSENSOR.finditer(text):
        values = [_number(value) for value in match[2].split(",")[:3]]
        if len(values) == 3 and not any(map(math.isnan, values)):
            found.append((float(match.start()), values[0], values[1], values[2]))
    return found


def track_of_log(log: NmeaLog, clock: ClipClock, *, source: str, zero_stamp_s: float | None = None) -> Track | None:
    """The log on the clip's clock; None if it has no position.

    Args:
        zero_stamp_s: the recorder's stamp at the clip's first frame, where the file tells it.
    """
    if not log.fixes:
        return None
    stamped = all(stamp is not None for stamp in log.stamps_s)
    own = np.array(log.stamps_s if stamped else [fix.time_ms / 1000 for fix in log.fixes], np.float64)
    alignment = (
        Alignment(zero_stamp_s, "by the recorder's own stamps", True)
        if stamped and zero_stamp_s is not None
        else align(np.sort(own), clock)
    )
    times = alignment.ms(own)
    fixes = [replace(fix, time_ms=float(time)) for fix, time in zip(log.fixes, times, strict=True)]
    started_at = None
    if log.dated:
        middle = len(fixes) // 2
        started_at = utc_at((log.fixes[middle].time_ms - float(times[middle])) / 1000)
    notes = []
    if log.skipped:
        notes.append(f"{log.skipped} damaged sentences skipped")
    if log.unlocked:
        notes.append(f"{log.unlocked} sentences without a fix left out")
    return Track(
        source=source,
        clock=alignment.words,
        positions=Positions.of(fixes),
        accelerometer=_between_fixes(log, times),
        started_at=started_at,
        notes=tuple(notes),
    )


def _between_fixes(log: NmeaLog, times_ms: Floats) -> Motion:
    """Sentences of acceleration have no time: they lie between the fixes as they do in the text."""
    if len(log.places) < 2:
        return Motion.of([])
    inside = [row for row in log.accelerations if log.places[0] <= row[0] <= log.places[-1]]
    at_ms = np.interp([row[0] for row in inside], log.places, times_ms)
    return Motion.of([(float(at), *row[1:]) for at, row in zip(at_ms, inside, strict=True)])
