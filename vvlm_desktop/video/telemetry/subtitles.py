"""SRT subtitles into which DJI's cameras write where they are; their times are the clip's own."""

from __future__ import annotations

import math
import re
from pathlib import Path

from vvlm_desktop.errors import TelemetryError
from vvlm_desktop.video.telemetry.track import Fix, Positions, Track

_CUE = re.compile(r"(\d{1,3}):(\d\d):(\d\d)[,.](\d{3})\s*-->")
_NUMBER = r"\s*:?\s*([-+]?\d{1,3}\.\d+)"
_LAT = re.compile(r"\blatitude" + _NUMBER)
_LON = re.compile(r"\blongt?itude" + _NUMBER)  # some firmware writes "longtitude"
_ALT = re.compile(r"\b(?:abs_alt|altitude)\s*:\s*([-+]?\d+(?:\.\d+)?)")
#: The older form, longitude first.
_OLD = re.compile(r"GPS\s*\(\s*([-+]?\d{1,3}\.\d+)\s*,\s*([-+]?\d{1,3}\.\d+)\s*,\s*([-+]?\d+(?:\.\d+)?)")
_SPEED = re.compile(r"\bH\.S\s+([\d.]+)\s*m/s")
_MAX_CUES = 500_000


def read_subtitles(text: str, *, path: Path) -> Track:
    """The positions in an SRT file.

    Raises:
        TelemetryError: it has none; most subtitles are words.
    """
    cues = list(_CUE.finditer(text))[:_MAX_CUES]
    fixes = []
    for i, cue in enumerate(cues):
        hours, minutes, seconds, ms = map(int, cue.groups())
        content = text[cue.end() : cues[i + 1].start() if i + 1 < len(cues) else len(text)][:4000]
        fix = _fix(((hours * 60 + minutes) * 60 + seconds) * 1000.0 + ms, content)
        if fix is not None:
            fixes.append(fix)
    positions = Positions.of(fixes)
    if not len(positions):
        raise TelemetryError(
            path, "these subtitles name no place", hint="Nothing to do: they are not of a camera with GPS."
        )
    left_out = len(cues) - len(positions)
    return Track(
        source=f"SRT sidecar {path.name}",
        clock="the subtitles' own, from the film's start",
        positions=positions,
        notes=(f"{left_out} subtitles without a place left out",) if left_out else (),
    )


def _fix(time_ms: float, content: str) -> Fix | None:
    speed = _SPEED.search(content)
    speed_mps = _number(speed[1]) if speed else math.nan
    old = _OLD.search(content)
    if old is not None:
        return Fix(time_ms, float(old[2]), float(old[1]), altitude_m=float(old[3]), speed_mps=speed_mps)
    lat, lon, altitude = _LAT.search(content), _LON.search(content), _ALT.search(content)
    if lat is None or lon is None:
        return None
    height = float(altitude[1]) if altitude else math.nan
    return Fix(time_ms, float(lat[1]), float(lon[1]), altitude_m=height, speed_mps=speed_mps)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
