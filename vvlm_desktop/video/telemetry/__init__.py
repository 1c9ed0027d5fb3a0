"""Telemetry: position, speed and acceleration as the camera measured them, on the clip's own clock. No Qt.

`find_telemetry(path)` reads what lies in the film (GoPro's GPMF, Novatek's freeGPS, BlackVue,
70mai, sentences in its text tracks), then the files
beside it (NMEA, BlackVue's .gps and .3gf, 70mai's GPSData.txt, GPX, CSV, DJI's SRT). Everything that is read is taken
for damaged or hostile: sizes are checked, what cannot be is skipped and counted in `Track.notes`.

To read another camera: a module with a function from a path (or bytes) to `Track | None`, named in `finding._embedded`
or `finding.read_sidecar`.
"""

from vvlm_desktop.video.telemetry.candidates import MotionCandidate, motion_candidates
from vvlm_desktop.video.telemetry.finding import find_telemetry, read_sidecar, sidecars
from vvlm_desktop.video.telemetry.track import Fix, Motion, Positions, Track, resample

__all__ = [
    "Fix",
    "Motion",
    "MotionCandidate",
    "Positions",
    "Track",
    "find_telemetry",
    "motion_candidates",
    "read_sidecar",
    "resample",
    "sidecars",
]
