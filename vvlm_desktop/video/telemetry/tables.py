"""CSV tables of positions and accelerations, read by their header; and writing them.

A header names its unit, `speed (km/h)`, `speed_mph`, `ax [m/s2]`; a speed without a unit is left out rather than
guessed. Accelerations without one are told by gravity: their usual length is near 1 in g and near 9.8 in m/s².
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from vvlm_desktop.errors import TelemetryError
from vvlm_desktop.video.telemetry.clock import Alignment, ClipClock, align, utc_at
from vvlm_desktop.video.telemetry.gpx import parse_iso_ms
from vvlm_desktop.video.telemetry.track import (
    KMH_MPS,
    KNOT_MPS,
    MPH_MPS,
    STANDARD_GRAVITY,
    Fix,
    Floats,
    Motion,
    Positions,
    Track,
)

_MAX_ROWS = 2_000_000
_SPEED_UNITS = {
    "kmh": KMH_MPS, "kph": KMH_MPS, "kmph": KMH_MPS, "mph": MPH_MPS, "mps": 1.0, "ms": 1.0, "kn": KNOT_MPS,
    "kt": KNOT_MPS, "kts": KNOT_MPS, "knots": KNOT_MPS, "knot": KNOT_MPS,
}  # fmt: skip
_TIME_UNITS = {
    "ms": 1.0,
    "millis": 1.0,
    "milliseconds": 1.0,
    "s": 1000.0,
    "sec": 1000.0,
    "secs": 1000.0,
    "seconds": 1000.0,
}
#: A date that names its zone, or seconds since 1970, which are in UTC.
_TELLS_ZONE = re.compile(r"([zZ]|[-+]\d\d:?\d\d|^\d+([.,]\d+)?)$")
_FORCE_UNITS = {"g": 1.0, "mg": 0.001, "ms2": 1 / STANDARD_GRAVITY, "mps2": 1 / STANDARD_GRAVITY}
#: Field → the words that may begin its header, once what is no letter or digit has become a space.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("timestamp", "datetime", "date time", "time", "utc", "cts", "t", "seconds", "millis", "ms"),
    "lat": ("latitude", "lat", "gps lat", "gps latitude"),
    "lon": ("longitude", "lon", "lng", "long", "gps lon", "gps longitude"),
    "speed": ("gps speed", "speed", "velocity"),
    "altitude": ("altitude", "alt", "elevation", "ele", "height"),
    "course": ("course", "heading", "bearing", "cog", "direction"),
    "x": ("ax", "acc x", "accel x", "acceleration x", "accelerometer x", "x"),
    "y": ("ay", "acc y", "accel y", "acceleration y", "accelerometer y", "y"),
    "z": ("az", "acc z", "accel z", "acceleration z", "accelerometer z", "z"),
}


@dataclass(frozen=True, slots=True)
class _Column:
    place: int
    unit: str
    utc: bool = False  # its title says that the times are


def read_table(text: str, clock: ClipClock, *, path: Path) -> Track:
    """The track in a CSV file.

    Raises:
        TelemetryError: it has no header that names a time and something measured, or no row fits it.
    """
    rows, columns = _rows(text, path)
    notes: list[str] = []
    times, absolute = _times(rows, columns["time"])
    known = np.isfinite(times)
    if (~known).any():
        notes.append(f"{int((~known).sum())} rows without a time skipped")
    rows = [row for row, fits in zip(rows, known, strict=True) if fits]
    times = times[known]
    if not rows:
        raise TelemetryError(path, "no row has a time", hint="The time column holds seconds, or a date and time.")
    alignment = (
        align(np.sort(times) / 1000, clock)
        if absolute
        else Alignment(0.0, "the table's own, from the first frame", True)
    )
    at_ms = alignment.ms(times / 1000)
    positions = _positions(rows, columns, at_ms, notes)
    motion = _motion(rows, columns, at_ms, notes)
    if not len(positions) and not len(motion):
        raise TelemetryError(path, "no row has a place or an acceleration", hint="Check the numbers below the header.")
    return Track(
        source=f"CSV sidecar {path.name}",
        clock=alignment.words,
        positions=positions,
        accelerometer=motion,
        started_at=_started_at(rows, columns["time"], alignment) if absolute else None,
        notes=tuple(notes),
    )


def _started_at(rows: Sequence[Sequence[str]], column: _Column, alignment: Alignment) -> datetime | None:
    """Without a zone where the table's dates name none: it may be anyone's local time."""
    at = utc_at(alignment.zero_s)
    texts = [row[column.place].strip() for row in rows if column.place < len(row)]
    told = column.utc or all(_TELLS_ZONE.search(text) for text in texts)
    return at if at is None or told else at.replace(tzinfo=None)


def _rows(text: str, path: Path) -> tuple[list[list[str]], dict[str, _Column]]:
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > _MAX_ROWS:
                break
    except csv.Error as error:
        raise TelemetryError(
            path, f"it is no readable table ({error})", hint="Save it as CSV with a header."
        ) from error
    columns = _columns(rows[0]) if rows else {}
    measured = {"lat", "lon"} <= columns.keys() or {"x", "y", "z"} <= columns.keys()
    if "time" not in columns or not measured:
        raise TelemetryError(
            path,
            "its header names no time with a place or an acceleration",
            hint="The first line should be like: time_s,lat,lon,speed_kmh,ax,ay,az",
        )
    return rows[1:], columns


def _columns(header: Sequence[str]) -> dict[str, _Column]:
    """Which column is what; the first that fits counts."""
    found: dict[str, _Column] = {}
    for place, title in enumerate(header):
        spaced = re.sub(r"[^a-z0-9]+", " ", title.lower().replace("²", "2").replace("/s", "ps").replace("km/h", "kmh"))
        spaced = re.sub(r"\bkm h\b", "kmh", spaced).strip()
        for name, words in _NAMES.items():
            word = max((w for w in words if spaced == w or spaced.startswith(f"{w} ")), key=len, default=None)
            if word is not None and name not in found:
                unit = spaced.removeprefix(word).replace(" ", "")
                found[name] = _Column(place, word if word in _TIME_UNITS else unit, utc="utc" in spaced.split())
                break
    return found


def _cell(row: Sequence[str], column: _Column | None) -> float:
    if column is None or column.place >= len(row):
        return math.nan
    try:
        value = float(row[column.place].strip().replace(",", "."))
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _times(rows: Sequence[Sequence[str]], column: _Column) -> tuple[Floats, bool]:
    """Times in ms, and whether they are since 1970 rather than since the first frame."""
    numbers = np.array([_cell(row, column) for row in rows], np.float64)
    if np.isfinite(numbers).sum() * 2 > len(rows):
        usual = float(np.nanmedian(numbers))
        per_unit = _TIME_UNITS.get(column.unit) or (1.0 if usual > 1e11 else 1000.0)
        return numbers * per_unit, usual * per_unit > 1e11
    texts = (row[column.place] if column.place < len(row) else "" for row in rows)
    return np.array([parse_iso_ms(text) for text in texts], np.float64), True


def _positions(
    rows: Sequence[Sequence[str]], columns: Mapping[str, _Column], at_ms: Floats, notes: list[str]
) -> Positions:
    speed = columns.get("speed")
    per_unit = _SPEED_UNITS.get(speed.unit, math.nan) if speed else math.nan
    if speed and math.isnan(per_unit):
        notes.append("the speed was left out: its header names no unit, such as speed_kmh or speed (m/s)")
    if not {"lat", "lon"} <= columns.keys():
        return Positions.of([])
    fixes = [
        Fix(
            float(at),
            _cell(row, columns["lat"]),
            _cell(row, columns["lon"]),
            speed_mps=_cell(row, speed) * per_unit,
            altitude_m=_cell(row, columns.get("altitude")),
            course_deg=_cell(row, columns.get("course")),
        )
        for row, at in zip(rows, at_ms, strict=True)
    ]
    return Positions.of(fixes)


def _motion(rows: Sequence[Sequence[str]], columns: Mapping[str, _Column], at_ms: Floats, notes: list[str]) -> Motion:
    if not {"x", "y", "z"} <= columns.keys():
        return Motion.of([])
    table = [(float(at), *(_cell(row, columns[name]) for name in "xyz")) for row, at in zip(rows, at_ms, strict=True)]
    motion = Motion.of(table)  # type: ignore[arg-type]  # four numbers
    if not len(motion):
        return motion
    unit = columns["x"].unit
    per_g = _FORCE_UNITS.get(unit) or _by_gravity(float(np.median(motion.magnitude)))
    if per_g is None:
        notes.append("the acceleration was left out: its header names no unit, such as ax_g or ax (m/s2)")
        return Motion.of([])
    if unit not in _FORCE_UNITS:
        notes.append(f"the acceleration's unit was told by gravity: {'g' if per_g == 1 else 'm/s²'}")
    rows_in_g = np.column_stack([motion.time_ms, motion.vectors * per_g])
    return Motion.of(rows_in_g, axes="as the table names them")


def _by_gravity(usual: float) -> float | None:
    if 0.7 <= usual <= 1.4:
        return 1.0
    return 1 / STANDARD_GRAVITY if 7 <= usual <= 13 else None


def write_table(track: Track, file: Path) -> None:
    """Write every sample as CSV: a line for each time, empty where that kind has none.

    Raises:
        OSError: it cannot be written.
    """
    lines: dict[float, dict[str, float]] = {}
    positions = track.positions
    for name in ("lat", "lon", "speed_mps", "altitude_m", "course_deg"):
        for at, value in zip(positions.time_ms.tolist(), getattr(positions, name).tolist(), strict=True):
            lines.setdefault(at, {})[name] = value
    for motion, names in (
        (track.accelerometer, ("ax_g", "ay_g", "az_g")),
        (track.gyroscope, ("gx_rad_s", "gy_rad_s", "gz_rad_s")),
    ):
        for at, vector in zip(motion.time_ms.tolist(), motion.vectors.tolist(), strict=True):
            lines.setdefault(at, {}).update(zip(names, vector, strict=True))
    columns = (
        "lat", "lon", "speed_mps", "altitude_m", "course_deg", "ax_g", "ay_g", "az_g",
        "gx_rad_s", "gy_rad_s", "gz_rad_s",
    )  # fmt: skip
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("time_ms", *columns))
        for at in sorted(lines):
            values = (lines[at].get(name, math.nan) for name in columns)
            writer.writerow((f"{at:.3f}", *("" if math.isnan(value) else f"{value:.7f}" for value in values)))
