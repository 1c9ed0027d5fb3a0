"""70mai: a `GPS ` box beside the film's others, or `GPSData….txt` with one line a second for all films of the card.

Box, 36 bytes a second, little-endian: number, 1 with a fix, s since the film's start, speed in m/h, N or S, latitude
as ddmm.mmm × 1000, E or W, longitude likewise, ten bytes that nobody has explained.

Text: `time,status,latitude,longitude,course × 100,speed in cm/s,a,b,c,file name,…`, `$V02` before each drive. The
three numbers before the file name look like an accelerometer, but its unit and axes are not known: they are not read.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path, PurePosixPath

from vvlm_desktop.video.telemetry.boxes import find_boxes, is_boxed, open_clip, read_box
from vvlm_desktop.video.telemetry.nmea import packed_degrees
from vvlm_desktop.video.telemetry.track import Fix, Positions, Track

_SECOND = struct.Struct("<IIIIcici10x")
_LATEST_S = 12 * 3600
_COLUMNS = 13


def read_seventy_mai(path: Path) -> Track | None:
    """The film's own `GPS ` box, None when it has none of this kind.

    Raises:
        ClipUnreadableError: it cannot be opened.
    """
    with open_clip(path) as file:
        data = b"".join(read_box(file, box) for box in find_boxes(file, (b"GPS ",))) if is_boxed(file) else b""
    fixes, skipped, unlocked = [], 0, 0
    for _, locked, second, speed, ns, lat, ew, lon in _SECOND.iter_unpack(data[: len(data) // 36 * 36]):
        if second > _LATEST_S or locked > 1:
            skipped += 1
        elif not locked:
            unlocked += 1
        else:
            fix = Fix(
                second * 1000.0,
                packed_degrees(lat / 1000, ns.decode("latin-1")),
                packed_degrees(lon / 1000, ew.decode("latin-1")),
                speed_mps=speed / 3600,
            )
            if fix.plausible:
                fixes.append(fix)
            else:
                skipped += 1
    if not fixes:
        return None
    return _track(fixes, "70mai GPS box", "the camera's own: whole seconds since the start", skipped, unlocked)


def is_seventy_mai_text(text: str) -> bool:
    """Whether a text is one of 70mai's."""
    return text.lstrip("\ufeff \r\n").upper().startswith("$V0")


def read_seventy_mai_text(text: str, *, clip: str, source: str) -> Track | None:
    """The lines that name the clip's file, None when there is none."""
    lines = [line.split(",") for line in text.splitlines() if not line.startswith("$")]
    ours = [values for values in lines if len(values) == _COLUMNS and _names(values[9], clip)]
    fixes, skipped, unlocked = [], 0, 0
    first_s: float | None = None
    for values in ours:
        numbers = [_number(values[i]) for i in (0, 2, 3, 4, 5)]
        if any(map(math.isnan, numbers)):
            skipped += 1
            continue
        at_s, lat, lon, course, speed = numbers
        first_s = at_s if first_s is None else first_s
        if values[1].strip().upper() != "A":
            unlocked += 1
            continue
        fixes.append(Fix((at_s - first_s) * 1000, lat, lon, speed_mps=speed / 100, course_deg=course / 100))
    if not fixes:
        return None
    return _track(fixes, source, "the first line that names this file was put on its first frame", skipped, unlocked)


def _names(value: str, clip: str) -> bool:
    return PurePosixPath(value.strip().replace("\\", "/")).stem.lower() == clip.lower()


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _track(fixes: list[Fix], source: str, clock: str, skipped: int, unlocked: int) -> Track | None:
    notes = [f"{skipped} damaged records skipped"] if skipped else []
    if unlocked:
        notes.append(f"{unlocked} seconds without a fix left out")
    positions = Positions.of(fixes)
    return Track(source=source, clock=clock, positions=positions, notes=tuple(notes)) if len(positions) else None
