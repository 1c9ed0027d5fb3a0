"""BlackVue: NMEA with a stamp in ms before each sentence, and 3GF, an accelerometer of ten bytes a sample.

In the film both lie in a `free` box as `gps ` and `3gf `, beside `sttm` (ms since 1970 at the first frame, in the
camera's clock); on the card of older cameras as `20160907_163421_N.gps` and `.3gf` beside `…_NF.mp4`.

3GF: ms since the first frame (32 bit), then three signed 16 bit numbers, all big-endian, 128 to one g; a time of all
ones ends it. x is down, y to the right, z to the back.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from vvlm_desktop.video.telemetry.boxes import find_boxes, is_boxed, open_clip, read_box
from vvlm_desktop.video.telemetry.clock import ClipClock
from vvlm_desktop.video.telemetry.nmea import parse_nmea, track_of_log
from vvlm_desktop.video.telemetry.track import Motion, Track

_SAMPLE = struct.Struct(">Ihhh")
_END = 0xFFFFFFFF
_PER_G = 128.0
#: An hour; a damaged time is not believed.
_LATEST_MS = 3_600_000 * 12
#: The start and the stamps come from one clock; they are further apart only by a time zone.
_ZONE_STEP_S = 900.0
_WIDEST_ZONE_S = 14 * 3600


def read_3gf(data: bytes) -> tuple[Motion, int]:
    """Accelerations, and how many samples were skipped because their time cannot be."""
    rows, skipped = [], 0
    for time_ms, x, y, z in _SAMPLE.iter_unpack(data[: len(data) // _SAMPLE.size * _SAMPLE.size]):
        if time_ms == _END:
            break
        if time_ms > _LATEST_MS:
            skipped += 1
            continue
        rows.append((float(time_ms), x / _PER_G, y / _PER_G, z / _PER_G))
    return Motion.of(rows, axes="x down, y to the right, z to the back of the car", forward=(2, -1)), skipped


def motion_track(data: bytes, *, source: str) -> Track | None:
    """A 3GF sidecar or box as a track; None if it has no sample."""
    motion, skipped = read_3gf(data)
    notes = (f"{skipped} damaged accelerometer samples skipped",) if skipped else ()
    if not len(motion):
        return None
    return Track(source=source, clock="the camera's own: ms since the first frame", accelerometer=motion, notes=notes)


def read_blackvue(path: Path, clock: ClipClock) -> Track | None:
    """What a BlackVue film has within itself, None when it has nothing.

    Raises:
        ClipUnreadableError: it cannot be opened.
    """
    with open_clip(path) as file:
        if not is_boxed(file):
            return None
        gps, accelerations = _first(file, b"gps "), _first(file, b"3gf ")
        start = _first(file, b"sttm")
    track = motion_track(accelerations, source="BlackVue 3gf box") if accelerations else None
    if gps and b"$" in gps:
        log = parse_nmea(gps.decode("ascii", "replace"))
        stamps = [stamp for stamp in log.stamps_s if stamp is not None]
        zero_s = _start_s(start, stamps[0]) if stamps else None
        positions = track_of_log(log, clock, source="BlackVue gps box", zero_stamp_s=zero_s)
        if positions is not None:
            return positions.filled_from(track) if track else positions
    return track


def _first(file: BinaryIO, kind: bytes) -> bytes:
    for box in find_boxes(file, (b"free", kind)):
        return read_box(file, box)
    return b""


def _start_s(data: bytes, first_stamp_s: float) -> float | None:
    """The stamp at the first frame; `sttm` may be of another time zone than the stamps."""
    if len(data) < 8:
        return None
    start_s = struct.unpack_from(">Q", data)[0] / 1000
    late_s = first_stamp_s - start_s
    zone_s = round(late_s / _ZONE_STEP_S) * _ZONE_STEP_S
    return start_s + zone_s if abs(zone_s) <= _WIDEST_ZONE_S else None
