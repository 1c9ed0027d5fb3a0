"""GPX 1.0 and 1.1: track points with time, with speed and course where an extension has them; and writing them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np

from vvlm_desktop.errors import TelemetryError
from vvlm_desktop.video.telemetry.clock import ClipClock, align, utc_at
from vvlm_desktop.video.telemetry.track import Fix, Positions, Track

_MAX_POINTS = 400_000
#: Names under a point, whatever their namespace, and the field they fill.
_FIELDS = {"ele": "altitude_m", "speed": "speed_mps", "course": "course_deg", "bearing": "course_deg"}


class _Points:
    """Takes what the parser finds; only track points and what lies in them."""

    def __init__(self) -> None:
        self.fixes: list[Fix] = []
        self.skipped = 0
        self._point: dict[str, str] | None = None
        self._name = ""
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._name, self._text = _local(name), []
        if self._name == "trkpt":
            self._point = {"lat": attributes.get("lat", ""), "lon": attributes.get("lon", "")}

    def text(self, piece: str) -> None:
        if self._point is not None and len(self._text) < 100:
            self._text.append(piece)

    def end(self, name: str) -> None:
        local = _local(name)
        if self._point is None:
            return
        if local == "trkpt":
            self._keep(self._point)
            self._point = None
        elif local == self._name:
            self._point.setdefault(local, "".join(self._text).strip())

    def _keep(self, point: dict[str, str]) -> None:
        at_ms = parse_iso_ms(point.get("time", ""))
        lat, lon = _number(point["lat"]), _number(point["lon"])
        if math.isnan(at_ms + lat + lon) or len(self.fixes) >= _MAX_POINTS:
            self.skipped += 1
            return
        known = {field: _number(point[name]) for name, field in _FIELDS.items() if name in point}
        self.fixes.append(Fix(at_ms, lat, lon, **known))  # type: ignore[arg-type]  # floats by name


def read_gpx(data: bytes, clock: ClipClock, *, path: Path) -> Track:
    """The track in a GPX file.

    Raises:
        TelemetryError: it is not GPX, or has no point with a time.
    """
    points = _Points()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = points.start, points.end
    parser.CharacterDataHandler = points.text

    def refuse(*_: object) -> None:
        raise TelemetryError(path, "it declares its own document type", hint="No GPX file needs one; export it again.")

    # Entities that contain each other can grow without end.
    parser.StartDoctypeDeclHandler = refuse
    broken = ""
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        broken = str(error)
    positions = Positions.of(points.fixes)
    if not len(positions):
        reason = f"it is no readable GPX file ({broken})" if broken else "it has no track point with a time"
        raise TelemetryError(path, reason, hint="Export the drive again, with times.")
    notes = [f"{points.skipped} points without a place or time skipped"] if points.skipped else []
    if broken:
        notes.append(f"the file is damaged ({broken}); what comes before is used")
    alignment = align(positions.time_ms / 1000, clock)
    return Track(
        source=f"GPX sidecar {path.name}",
        clock=alignment.words,
        positions=positions.shifted(-alignment.zero_s * 1000),
        started_at=utc_at(alignment.zero_s),
        notes=tuple(notes),
    )


def write_gpx(track: Track, file: Path) -> None:
    """Write the positions as GPX 1.1.

    Raises:
        OSError: it cannot be written.
        ValueError: no start time is known, without which GPX has no times.
    """
    if track.started_at is None:
        raise ValueError("a track without a wall clock")
    started = track.started_at if track.started_at.tzinfo else track.started_at.replace(tzinfo=UTC)
    positions = track.positions
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write('<gpx version="1.1" creator="VVLM Desktop" xmlns="http://www.topografix.com/GPX/1/1"\n')
        out.write(' xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">\n')
        out.write(f"<trk><name>{escape(track.source)}</name><trkseg>\n")
        for i in range(len(positions)):
            at = started + timedelta(milliseconds=float(positions.time_ms[i]))
            out.write(f'<trkpt lat="{positions.lat[i]:.7f}" lon="{positions.lon[i]:.7f}">')
            if np.isfinite(positions.altitude_m[i]):
                out.write(f"<ele>{positions.altitude_m[i]:.2f}</ele>")
            out.write(f"<time>{at.astimezone(UTC).isoformat(timespec='milliseconds').replace('+00:00', 'Z')}</time>")
            inner = "".join(
                f"<gpxtpx:{name}>{values[i]:.3f}</gpxtpx:{name}>"
                for name, values in (("speed", positions.speed_mps), ("course", positions.course_deg))
                if np.isfinite(values[i])
            )
            if inner:
                out.write(f"<extensions><gpxtpx:TrackPointExtension>{inner}</gpxtpx:TrackPointExtension></extensions>")
            out.write("</trkpt>\n")
        out.write("</trkseg></trk></gpx>\n")


def parse_iso_ms(text: str) -> float:
    """A date and time of ISO 8601 as ms since 1970, UTC where it names no zone; NaN for what is none."""
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError):
        return math.nan


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()
