"""What cannot be true of any drive is left out of a track, and the notes say how much of it there was."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.video.telemetry.track import FASTEST_MPS, LONGEST_MS, Motion, Positions, Track

#: Twice what the sensors in cameras can measure.
_MOST_G = 64.0
#: Gyroscopes end at 4,000 degrees a second.
_MOST_RAD_S = 100.0
_HIGHEST_M = 20_000.0
#: Before, no camera had a receiver; a receiver whose weeks began again from zero gives such dates, and dates far ahead.
_YEARS = range(2004, 2070)


def believable(track: Track) -> Track:
    """The track without times, places, speeds, heights, forces and dates that cannot be."""
    track = track.between(-LONGEST_MS, LONGEST_MS, why="samples with an impossible time left out")
    notes: list[str] = []
    if track.positions.left_out:
        notes.append(f"{track.positions.left_out} positions at 0, 0 or at no place on Earth left out")
    positions = _positions(track.positions, notes)
    accelerometer = _motion(track.accelerometer, _MOST_G, "accelerations", notes)
    gyroscope = _motion(track.gyroscope, _MOST_RAD_S, "turns", notes)
    started_at = _date(track.started_at, notes)
    return replace(
        track,
        positions=positions,
        accelerometer=accelerometer,
        gyroscope=gyroscope,
        started_at=started_at,
        notes=(*track.notes, *(note for note in notes if note not in track.notes)),
    )


def _positions(positions: Positions, notes: list[str]) -> Positions:
    """Where only the speed or height is wrong, the place stays."""
    with np.errstate(invalid="ignore"):  # NaN is "not known" and stays
        fast = (positions.speed_mps < 0) | (positions.speed_mps > FASTEST_MPS) | np.isinf(positions.speed_mps)
        high = (np.abs(positions.altitude_m) > _HIGHEST_M) | np.isinf(positions.altitude_m)
    for wrong, word in ((fast, "speeds"), (high, "heights")):
        _count(wrong, word, notes)
    return replace(
        positions,
        speed_mps=np.where(fast, np.nan, positions.speed_mps),
        altitude_m=np.where(high, np.nan, positions.altitude_m),
        course_deg=np.where(np.isfinite(positions.course_deg), positions.course_deg % 360, np.nan),
    )


def _motion(motion: Motion, most: float, word: str, notes: list[str]) -> Motion:
    wrong = np.abs(motion.vectors).max(axis=1, initial=0.0) > most
    if not wrong.any():
        return motion
    _count(wrong, word, notes)
    right = ~wrong
    return replace(motion, time_ms=motion.time_ms[right], x=motion.x[right], y=motion.y[right], z=motion.z[right])


def _date(started_at: datetime | None, notes: list[str]) -> datetime | None:
    if started_at is None or started_at.year in _YEARS:
        return started_at
    notes.append(f"the date {started_at:%Y-%m-%d} cannot be and was left out")
    return None


def _count(wrong: NDArray[np.bool_], word: str, notes: list[str]) -> None:
    if wrong.any():
        notes.append(f"{int(wrong.sum())} impossible {word} left out")
