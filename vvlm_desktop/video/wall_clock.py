"""When a clip was recorded, as its name, its header or the satellites tell it; nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

#: As cameras write it: 20191130-120556, 2023_0101_120000, 2024-05-06 07.08.09.
_STAMP = re.compile(
    r"(?<![0-9])(20[0-9]{2})[-_.]?([01][0-9])[-_.]?([0-3][0-9])[-_ T.]{0,3}"
    r"([0-2][0-9])[-_.:h]?([0-5][0-9])[-_.:m]?([0-5][0-9])(?![0-9]{2})"
)
_EARLIEST_YEAR = 2000  # cameras without a battery write 1904 or 1970


@dataclass(frozen=True, slots=True)
class WallClock:
    """The time of the first frame.

    Attributes:
        start: on the clock that `source` goes by.
        source: `name` (the camera's own clock), `header` (by the format's rules UTC, by many cameras' habit their own)
            or `satellites` (UTC).
        told_by: what of the telemetry has the satellites' time, and how it was put on the clip's clock.
    """

    start: datetime
    source: str
    told_by: str = ""

    @property
    def zone(self) -> str:
        """By which clock a time is, as it is written behind it."""
        return "UTC" if self.source == "satellites" else "camera's clock"

    def at(self, seconds: float) -> datetime:
        """The time that many seconds after the first frame."""
        return self.start + timedelta(seconds=seconds)


def clock_of_name(path: PurePath) -> WallClock | None:
    """The time in a file's name; None where there is none, or one that does not exist."""
    for match in _STAMP.finditer(path.stem):
        year, month, day, hour, minute, second = (int(part) for part in match.groups())
        try:
            return WallClock(datetime(year, month, day, hour, minute, second), "name")
        except ValueError:  # the 31st of February: some other number
            continue
    return None


def clock_of_header(creation_time: str) -> WallClock | None:
    """The time in a container's `creation_time`; None where it is absent or plainly unset."""
    try:
        start = datetime.fromisoformat(creation_time).replace(tzinfo=None)
    except ValueError:
        return None
    return WallClock(start, "header") if start.year >= _EARLIEST_YEAR else None


def clock_of_satellites(started_at: datetime | None, *, told_by: str) -> WallClock | None:
    """The time that telemetry has for the first frame; None where it has none that is known to be UTC."""
    if started_at is None or started_at.tzinfo is None:
        return None
    return WallClock(started_at.astimezone(UTC).replace(tzinfo=None), "satellites", told_by)
