"""Putting a log that knows only the wall clock on the clip's clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from vvlm_desktop.video.telemetry.boxes import is_boxed, movie_created, movie_duration_ms, open_clip
from vvlm_desktop.video.telemetry.track import Floats

#: `2026_0801_131218_000289F`, `NO20191130-120556-000125`, `20260311_234321_NF`, `2024-05-01 12.30.00`.
_TIME_IN_NAME = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_. T]{0,2}(\d\d)[-_.:]?(\d\d)[-_.:]?(\d\d)(?!\d{3})"
)
#: Every time zone is a multiple of it.
_ZONE_STEP_S = 900.0
#: By so much a camera's own clock is ahead of the satellites' before its name is not believed.
_AHEAD_S = 30.0
#: A log that is longer than the clip by more than this is one of a whole drive.
_MARGIN_S = 120.0
#: What of a whole drive's log is kept around the clip.
KEPT_MS = 5000.0
#: What told where a clip lies in a log, and how good that is.
_BY_NAME = ("by the time in the file's name", "good to about a second")
_BY_HEADER = (
    "by the creation time in the file's header, as its name has none",
    "good to about the clip's length: some cameras write it when a recording begins, some when it ends",
)


@dataclass(frozen=True, slots=True)
class ClipClock:
    """What is known of when a clip was taken.

    Attributes:
        named: the camera's own clock at the first frame, from the file's name; without a time zone.
        created: what the header says, by the format's rules in UTC, by many cameras' habit in their own time; some
            write it when a recording begins, some when it ends.
    """

    named: datetime | None = None
    duration_ms: float | None = None
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alignment:
    """The log's time, in s, that falls on the clip's first frame; how it was found; whether the name agrees."""

    zero_s: float
    words: str
    found: bool

    def ms(self, time_s: Floats | float) -> Floats:
        """Times of the log on the clip's clock."""
        return (np.asarray(time_s, np.float64) - self.zero_s) * 1000


def time_in_name(name: str) -> datetime | None:
    """The time that makers of dashcams write into a file's name."""
    for match in _TIME_IN_NAME.finditer(name):
        try:
            return datetime(*map(int, match.groups()))  # type: ignore[arg-type]  # six numbers
        except ValueError:
            continue
    return None


def clip_clock(path: Path, *, duration_ms: float | None = None) -> ClipClock:
    """From a clip's name and, if `duration_ms` is not given, its header.

    Raises:
        ClipUnreadableError: it cannot be opened.
    """
    with open_clip(path) as file:
        boxed = is_boxed(file)
        if duration_ms is None and boxed:
            duration_ms = movie_duration_ms(file)
        return ClipClock(time_in_name(path.stem), duration_ms, movie_created(file) if boxed else None)


def align(time_s: Floats, clock: ClipClock) -> Alignment:
    """Find the clip's first frame in a log's ascending wall-clock times.

    The log is in UTC, the name in the camera's time zone, which nobody tells: the difference is taken to the nearest
    quarter of an hour as the zone, the rest as the time that the receiver needed. Where the name has no time, the
    header's places a clip within the log of a whole drive; for a log of the clip alone it is not good enough.
    """
    first, last = float(time_s[0]), float(time_s[-1])
    duration_s = (clock.duration_ms or 0) / 1000
    whole_drive = last - first > duration_s + _MARGIN_S
    if clock.named is None and whole_drive and clock.created is not None:
        return _inside_drive(first, last, _utc_s(clock.created), duration_s, told=_BY_HEADER)
    if clock.named is None:
        return Alignment(first, "the log's first line was put on the first frame: the file's name has no time", False)
    named = _utc_s(clock.named)
    if whole_drive:
        return _inside_drive(first, last, named, duration_s, told=_BY_NAME)
    late = (first - named + _ZONE_STEP_S / 2) % _ZONE_STEP_S - _ZONE_STEP_S / 2
    if -_AHEAD_S <= late <= max(_AHEAD_S, duration_s):
        return Alignment(first - late, f"{_BY_NAME[0]}, {_BY_NAME[1]}", True)
    return Alignment(first, "the log's first line was put on the first frame: the file's name has another time", False)


def _inside_drive(first: float, last: float, named: float, duration_s: float, *, told: tuple[str, str]) -> Alignment:
    """A clip in the log of a whole drive: in which time zones does it lie within the log?"""
    zones = [zone * _ZONE_STEP_S for zone in range(-48, 57)]
    fits = [zone for zone in zones if first - 1 <= named - zone and named - zone + duration_s <= last + 1]
    whole = [zone for zone in fits if zone % 3600 == 0] or fits
    if len(whole) == 1:
        return Alignment(named - whole[0], f"{told[0]}, {told[1]}", True)
    if 0.0 in whole:
        return Alignment(named, f"{told[0]}, taken as UTC, {told[1]}; the log is long enough for others", True)
    return Alignment(first, "the log's first line was put on the first frame: the clip was not found in it", False)


def _utc_s(at: datetime) -> float:
    return at.replace(tzinfo=UTC).timestamp()


def utc_at(seconds: float) -> datetime | None:
    """A time in s since 1970 as a date, None for what is none."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None
