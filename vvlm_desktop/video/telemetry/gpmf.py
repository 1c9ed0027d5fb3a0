"""GoPro's GPMF: samples in a tree of KLV records, one payload for about each second of film.

A record is a four-letter key, a type letter, the size of one structure, how many there are, and the data padded to
four bytes, all big-endian; type 0 holds further records. In a stream (`STRM`) what precedes the last record describes
it: `SCAL` divides, `SIUN`/`UNIT` name the unit, `GPSF`/`GPSP`/`GPSU` are fix, precision and UTC, `STMP` the time of
the first sample in µs, `TSMP` the samples so far.

Source: github.com/gopro/gpmf-parser, README and docs.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

import numpy as np

from vvlm_desktop.video.telemetry.track import (
    FIX_2D,
    FIX_3D,
    FIX_NONE,
    FIX_UNKNOWN,
    STANDARD_GRAVITY,
    Fix,
    Floats,
    Motion,
    Positions,
    Track,
)

#: struct letters of GPMF's number types.
_NUMBERS = {
    "b": "b", "B": "B", "s": "h", "S": "H", "l": "i", "L": "I", "f": "f", "d": "d", "j": "q", "J": "Q",
    "q": "i", "Q": "q",
}  # fmt: skip
#: Fixed point types are whole numbers over this.
_FIXED_POINT = {"q": 65536.0, "Q": 4294967296.0}
_DEPTH = 8
#: A second of gyroscope at 3.2 kHz is 3,200.
_MAX_SAMPLES = 100_000
_EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)
#: GPSP is the dilution of precision × 100; above it GoPro itself calls a position bad.
_WORST_PRECISION = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One KLV record with its data still packed."""

    key: str
    kind: str
    size: int
    count: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Payload:
    """One packet of the metadata track and when the film shows it."""

    time_ms: float
    duration_ms: float
    data: bytes


@dataclass(slots=True)
class _Sensor:
    """What one kind of stream gave over all payloads."""

    times: list[tuple[float, float, float | None, int]] = field(default_factory=list)
    rows: list[Floats] = field(default_factory=list)
    heads: list[dict[str, Record]] = field(default_factory=list)


def read_gpmf(payloads: Sequence[Payload]) -> Track:
    """The track in a film's GPMF payloads; what is damaged is skipped and counted in the notes."""
    sensors: dict[str, _Sensor] = {}
    skipped: Counter[str] = Counter()
    for payload in payloads:
        for stream in _streams(payload.data, skipped):
            _take(stream, payload, sensors, skipped)
    notes = [f"{count} damaged {what} skipped" for what, count in sorted(skipped.items())]
    gps = sensors.get("GPS9") or sensors.get("GPS5")
    positions, started_at = (
        _positions(gps, nine=bool(sensors.get("GPS9")), notes=notes) if gps else (Positions.of([]), None)
    )
    return Track(
        source="GoPro GPMF",
        clock="the film's own: each payload carries its time",
        positions=positions,
        accelerometer=_motion(sensors.get("ACCL"), per_unit=1 / STANDARD_GRAVITY),
        gyroscope=_motion(sensors.get("GYRO"), per_unit=1.0),
        started_at=started_at,
        notes=tuple(notes),
    )


def records(data: bytes, skipped: Counter[str]) -> Iterator[Record]:
    """The records that follow each other; one that reaches beyond the data ends them."""
    position = 0
    while position + 8 <= len(data):
        key, kind, size, count = struct.unpack_from(">4scBH", data, position)
        length = size * count
        begin = position + 8
        if key == b"\0\0\0\0":  # padding at the end
            return
        if begin + length > len(data) or not key.isascii():
            skipped["GPMF record"] += 1
            return
        yield Record(
            key.decode("ascii"),
            "\0" if kind == b"\0" else kind.decode("latin-1"),
            size,
            count,
            data[begin : begin + length],
        )
        position = begin + (length + 3) // 4 * 4


def _streams(data: bytes, skipped: Counter[str]) -> Iterator[list[Record]]:
    """The records of every STRM, however deep."""
    waiting: list[tuple[bytes, int]] = [(data, 0)]
    while waiting:
        content, depth = waiting.pop()
        for record in records(content, skipped):
            if record.kind != "\0":
                continue
            if record.key == "STRM":
                yield list(records(record.data, skipped))
            elif depth < _DEPTH:
                waiting.append((record.data, depth + 1))


def _take(stream: Sequence[Record], payload: Payload, sensors: dict[str, _Sensor], skipped: Counter[str]) -> None:
    """Put one stream of one payload to what its sensor gave before."""
    head: dict[str, Record] = {}
    for record in stream:
        if record.key not in {"GPS5", "GPS9", "ACCL", "GYRO"}:
            head[record.key] = record
            continue
        rows = _scaled(record, head)
        if rows is None or not len(rows) or rows.shape[1] < (3 if record.key in {"ACCL", "GYRO"} else 5):
            skipped[f"{record.key} block"] += bool(record.count)
            continue
        stamp = _first_number(head.get("STMP"))
        sensor = sensors.setdefault(record.key, _Sensor())
        sensor.times.append((payload.time_ms, payload.duration_ms, stamp, len(rows)))
        sensor.rows.append(rows)
        sensor.heads.append(head)


def _scaled(record: Record, head: dict[str, Record]) -> Floats | None:
    """Shape [samples, elements], in the unit that the stream names; None if it cannot be understood."""
    kinds = record.kind
    if kinds == "?":
        kinds = head["TYPE"].data.decode("latin-1").rstrip("\0 ") if "TYPE" in head else ""
    elif kinds in _NUMBERS:
        kinds *= max(1, record.size // struct.calcsize(">" + _NUMBERS[kinds]))
    if not kinds or any(kind not in _NUMBERS for kind in kinds) or record.count > _MAX_SAMPLES:
        return None
    layout = struct.Struct(">" + "".join(_NUMBERS[kind] for kind in kinds))
    if layout.size != record.size:
        return None
    if len(set(kinds)) == 1:
        number = np.dtype(_NUMBERS[kinds[0]]).newbyteorder(">")
        rows = np.frombuffer(record.data, number).astype(np.float64).reshape(-1, len(kinds))
    else:
        rows = np.array(list(layout.iter_unpack(record.data)), np.float64).reshape(-1, len(kinds))
    rows /= np.array([_FIXED_POINT.get(kind, 1.0) for kind in kinds])
    scale = _numbers(head.get("SCAL"))
    if scale is None or not len(scale):
        return rows
    if len(scale) not in {1, len(kinds)} or not scale.all():
        return None
    return np.asarray(rows / scale, np.float64)


def _numbers(record: Record | None) -> Floats | None:
    if record is None or record.kind not in _NUMBERS:
        return None
    each = struct.calcsize(">" + _NUMBERS[record.kind])
    count = min(len(record.data) // each, 64)
    return np.array(struct.unpack_from(f">{count}{_NUMBERS[record.kind]}", record.data), np.float64)


def _first_number(record: Record | None) -> float | None:
    numbers = _numbers(record)
    return float(numbers[0]) if numbers is not None and len(numbers) else None


def sample_times(blocks: Sequence[tuple[float, float, float | None, int]]) -> Floats:
    """Time of every sample in ms, from (payload's time, its duration, µs of its first sample, samples).

    With a stamp in every block the samples lie evenly from one stamp to the next, and the stamps as a whole lie on the
    payloads' times where these agree best (their median). Without, they lie evenly within their payload.
    """
    stamps = [stamp for _, _, stamp, _ in blocks if stamp is not None]
    ascending = len(stamps) == len(blocks) and all(a < b for a, b in pairwise(stamps))
    starts = [time for time, _, _, _ in blocks]
    ends = [time + duration for time, duration, _, _ in blocks]
    if ascending and len(blocks) > 1:
        offset = median(time - stamp / 1000 for time, stamp in zip(starts, stamps, strict=True))
        starts = [stamp / 1000 + offset for stamp in stamps]
        # The last payload is often a part of a second; its samples come at the rate of the one before.
        rate_ms = (starts[-1] - starts[-2]) / blocks[-2][3]
        ends = [*starts[1:], starts[-1] + rate_ms * blocks[-1][3]]
    pieces = [
        np.linspace(start, end, count, endpoint=False)
        for start, end, (_, _, _, count) in zip(starts, ends, blocks, strict=True)
    ]
    return np.concatenate(pieces) if pieces else np.empty(0)


def _motion(sensor: _Sensor | None, *, per_unit: float) -> Motion:
    if sensor is None:
        return Motion.of([])
    rows = np.concatenate([_turned(rows[:, :3], head) for rows, head in zip(sensor.rows, sensor.heads, strict=True)])
    known = _order(sensor.heads[0]) is not None
    axes = "the camera's own x, y and z" if known else "the camera's channels in the order in which they are stored"
    table = np.column_stack([sample_times(sensor.times), rows * per_unit])
    return Motion.of(table, axes=f"{axes}; which way they point in the car depends on the mount")


def _order(head: dict[str, Record]) -> list[str] | None:
    """The axis of each stored channel, "XzY": a small letter is an axis that is stored the other way round."""
    record = head.get("ORIN")
    letters = list(record.data.decode("latin-1").strip("\0 ")) if record else []
    return letters if sorted(map(str.upper, letters)) == ["X", "Y", "Z"] else None


def _turned(rows: Floats, head: dict[str, Record]) -> Floats:
    """Channels as x, y, z where the file says which is which, else as they are."""
    order = _order(head)
    if order is None:
        return rows
    turned = np.empty_like(rows)
    for channel, letter in enumerate(order):
        turned[:, "XYZ".index(letter.upper())] = rows[:, channel] * (1 if letter.isupper() else -1)
    return turned


def _positions(sensor: _Sensor, *, nine: bool, notes: list[str]) -> tuple[Positions, datetime | None]:
    """Positions, and the UTC at the film's zero as most payloads have it."""
    times = sample_times(sensor.times)
    fixes: list[Fix] = []
    starts: list[datetime] = []
    position = unlocked = 0
    for rows, head in zip(sensor.rows, sensor.heads, strict=True):
        for row in rows.tolist():
            time_ms = float(times[position])
            position += 1
            quality, precision = (row[8], row[7] * 100) if nine and len(row) > 8 else _lock(head)
            if nine and len(row) > 8:
                starts += _gps9_start(row, time_ms)
            if quality == FIX_NONE or (precision is not None and precision > _WORST_PRECISION):
                unlocked += 1
                continue
            known = int(quality) if quality in {FIX_2D, FIX_3D} else FIX_UNKNOWN
            fixes.append(Fix(time_ms, row[0], row[1], row[3], row[2], fix=known))
        if not nine and "GPSU" in head:
            starts += _gpsu_start(head["GPSU"], float(times[position - len(rows)]))
    if unlocked:
        notes.append(f"{unlocked} positions without a fix left out")
    return Positions.of(fixes), _middle(starts)


def _lock(head: dict[str, Record]) -> tuple[float, float | None]:
    fix = _first_number(head.get("GPSF"))
    return (FIX_UNKNOWN if fix is None else fix), _first_number(head.get("GPSP"))


def _gps9_start(row: Sequence[float], time_ms: float) -> list[datetime]:
    days, seconds = row[5], row[6]
    if not (0 < days < 36525 and 0 <= seconds < 86_401):
        return []
    return [_EPOCH_2000 + timedelta(days=days, seconds=seconds) - timedelta(milliseconds=time_ms)]


def _gpsu_start(record: Record, time_ms: float) -> list[datetime]:
    """From `yymmddhhmmss.sss`."""
    try:
        at = datetime.strptime(record.data.decode("ascii")[:16].rstrip("\0"), "%y%m%d%H%M%S.%f").replace(tzinfo=UTC)
        return [at - timedelta(milliseconds=time_ms)]
    except (ValueError, OverflowError):
        return []


def _middle(starts: Sequence[datetime]) -> datetime | None:
    """The median: a receiver that has just woken up gives an old time first."""
    return sorted(starts)[len(starts) // 2] if starts else None
