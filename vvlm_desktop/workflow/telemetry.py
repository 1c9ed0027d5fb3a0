"""A clip's drive: speed, forces and track, read once from its file and kept beside the library by its content's hash.

How late the camera's sensors were against its pictures is the reviewer's to correct; that is kept beside it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.video.wall_clock import WallClock, clock_of_satellites
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.session import Session

if TYPE_CHECKING:
    from vvlm_desktop.video.telemetry import Track

_log = logging.getLogger(__name__)

_FORMAT = 4
#: An hour of a 200 Hz accelerometer is brought down to so many samples, the strongest of each stretch.
_MOST_SAMPLES = 20_000
#: No sensor is later or earlier than this against its pictures; beyond, it is another drive.
MOST_OFFSET_MS = 600_000

#: Unit of the settings → as it is written, and how many of it are one m/s.
SPEED_UNITS: Mapping[str, tuple[str, float]] = {"kmh": ("km/h", 3.6), "mph": ("mph", 3600 / 1609.344)}

#: Longer without a sample, or than a few of the usual distances between two, and nobody knows what was between.
_GAP_S = 3.0
_GAP_STEPS = 4.0
#: So near to a sample, in a gap, what it says still counts.
NEAR_S = 1.0

Floats = NDArray[np.float64]


def _none() -> Floats:
    return np.empty(0)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that the sensors found worth a look, as `video.telemetry.candidates` does; on the camera's clock."""

    start_ms: float
    end_ms: float
    kind: str
    peak_g: float


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """What the camera measured of its own movement, on the clip's clock as the camera has it.

    Attributes:
        fix_ms, lat, lon, speed_mps: of each position; NaN where no speed is known.
        force_ms, force_g: strength of the acceleration with gravity in it, 1.0 at rest.
        moments: hard brakings, pushes and jolts, in order of time.
        source, clock: where it was read from, and how its times were put on the clip's clock.
        offset_ms: the reviewer's correction: everything is so much later than the camera says.
        started_at: the wall clock at the first frame before that correction: with a time zone where it is known to be
            UTC, without where it is the camera's own.
        notes: what was left out or could not be read, a sentence each.
        speed_unit: in which speeds are shown, a key of `SPEED_UNITS`.
    """

    fix_ms: Floats = field(default_factory=_none)
    lat: Floats = field(default_factory=_none)
    lon: Floats = field(default_factory=_none)
    speed_mps: Floats = field(default_factory=_none)
    force_ms: Floats = field(default_factory=_none)
    force_g: Floats = field(default_factory=_none)
    source: str = ""
    clock: str = ""
    offset_ms: int = 0
    moments: tuple[Moment, ...] = ()
    notes: tuple[str, ...] = ()
    speed_unit: str = "kmh"
    started_at: datetime | None = None

    def __bool__(self) -> bool:
        return bool(len(self.fix_ms) or len(self.force_ms))

    @property
    def fix_s(self) -> Floats:
        """When each position was, corrected."""
        return (self.fix_ms + self.offset_ms) / 1000

    @property
    def force_s(self) -> Floats:
        """When each acceleration was, corrected."""
        return (self.force_ms + self.offset_ms) / 1000

    @property
    def wall_clock(self) -> WallClock | None:
        """The satellites' time at the first frame, corrected; None where it is not known."""
        if self.started_at is None:
            return None
        at = self.started_at - timedelta(milliseconds=self.offset_ms)
        return clock_of_satellites(at, told_by=f"{self.source}; {self.clock}")

    @property
    def speeds(self) -> Floats:
        """Of each position in the unit that is shown; NaN where no speed is known."""
        return self.speed_mps * SPEED_UNITS[self.speed_unit][1]

    @property
    def unit(self) -> str:
        """The unit of `speeds` as it is written."""
        return SPEED_UNITS[self.speed_unit][0]


def gaps(seconds: Floats) -> list[int]:
    """Numbers of the samples after which none comes for longer than usual: a tunnel, a receiver that was lost."""
    if len(seconds) < 2:
        return []
    steps = np.diff(seconds)
    longest = max(_GAP_S, _GAP_STEPS * float(np.median(steps)))
    return [int(i) for i in np.flatnonzero(steps > longest)]


def with_gaps(seconds: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The same samples, and in each gap two that are not known, a second after and before it."""
    after = np.array(gaps(seconds), np.int64)
    times = np.stack([seconds[after] + NEAR_S, seconds[after + 1] - NEAR_S], axis=1) if len(after) else _none()
    at = np.repeat(after + 1, 2)
    return np.insert(seconds, at, times.ravel()), np.insert(values, at, np.nan)


_ARRAYS = ("fix_ms", "lat", "lon", "speed_mps", "force_ms", "force_g")


def kept_drive(session: Session, clip: Clip) -> Drive | None:
    """What was read before; an empty drive where nothing was found, None where nobody has looked."""
    kept = _load(session.library.telemetry_file(clip))
    return replace(kept[0], speed_unit=session.settings.speed_unit) if kept is not None else None


def read_drive(session: Session, clip: Clip) -> Drive:
    """The clip's drive, from its file and those beside it unless these are the ones that were read before.

    Raises:
        ClipMissingError, ClipUnreadableError: its file cannot be read.
        StorageFullError: it cannot be kept.
    """
    file = session.library.telemetry_file(clip)
    path = existing_path(session, clip)
    beside = _beside(path)
    kept = _load(file)
    if kept is not None and kept[1] == beside:
        drive = kept[0]
    else:
        found = _find(path)
        _save(found, file, beside=beside)
        drive = _corrected(found, file)
    return replace(drive, speed_unit=session.settings.speed_unit)


def _find(path: Path) -> Drive:
    # A dozen readers that the window does not need in order to open.
    from vvlm_desktop.video.telemetry import find_telemetry

    track = find_telemetry(path)
    return drive_of(track) if track is not None else Drive()


def _moments(track: Track) -> tuple[Moment, ...]:
    from vvlm_desktop.video.telemetry import motion_candidates

    return tuple(Moment(c.start_ms, c.end_ms, c.kind, c.peak_g) for c in motion_candidates(track))


def drive_of(track: Track) -> Drive:
    """What is drawn of a track."""
    at, forces = track.positions, track.accelerometer
    force_ms, force_g = _strongest(forces.time_ms, forces.magnitude) if len(forces) else (_none(), _none())
    return Drive(
        at.time_ms, at.lat, at.lon, at.speed_mps, force_ms, force_g, track.source, track.clock,
        moments=_moments(track), notes=track.notes, started_at=track.started_at,
    )  # fmt: skip


def _strongest(time_ms: Floats, force_g: Floats) -> tuple[Floats, Floats]:
    """At most `_MOST_SAMPLES`, of each stretch the one that is furthest from rest."""
    if len(time_ms) <= _MOST_SAMPLES:
        return time_ms, force_g
    starts = np.unique(np.linspace(0, len(time_ms), _MOST_SAMPLES, endpoint=False).astype(np.int64))
    away = np.abs(force_g - 1.0)
    ends = np.append(starts[1:], len(time_ms))
    chosen = np.array([a + int(np.argmax(away[a:b])) for a, b in zip(starts, ends, strict=True)])
    return time_ms[chosen], force_g[chosen]


def set_clock_offset(session: Session, clip: Clip, offset_ms: int) -> Change:
    """Everything that the sensors measured was so much later than the camera says.

    Raises:
        ValueError: more than any camera is wrong.
        StorageFullError: it cannot be kept.
    """
    if abs(offset_ms) > MOST_OFFSET_MS:
        raise ValueError(f"a clock that is wrong by {offset_ms} ms")
    file = _offset_file(session.library.telemetry_file(clip))
    _write(file, json.dumps({"format": _FORMAT, "offset_ms": offset_ms}).encode())
    return Change((clip.id,), frozenset({"analyses"}))


def _offset_file(file: Path) -> Path:
    return file.with_suffix(".json")


def _corrected(drive: Drive, file: Path) -> Drive:
    try:
        held = json.loads(_offset_file(file).read_text(encoding="utf-8"))
        offset_ms = int(held["offset_ms"])
    except FileNotFoundError:
        return drive
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("The clock correction beside %s cannot be read: %s", file, error)
        return drive
    return replace(drive, offset_ms=offset_ms)


def _beside(path: Path) -> list[list[Any]]:
    """The files that were there to read from: another one, or a change, is a reason to read again."""
    from vvlm_desktop.video.telemetry import sidecars

    found = []
    for each in sidecars(path):
        try:
            state = each.stat()
        except OSError:
            continue
        found.append([each.name, state.st_size, state.st_mtime_ns])
    return found


def _load(file: Path) -> tuple[Drive, list[list[Any]]] | None:
    if not file.exists():
        return None
    import zipfile

    try:
        # Opened here, because np.load leaves a file that it cannot read open.
        with file.open("rb") as handle, np.load(handle, allow_pickle=False) as data:
            about = json.loads(str(data["about"]))
            if about["format"] != _FORMAT:
                return None
            arrays: dict[str, Any] = {name: np.asarray(data[name], np.float64) for name in _ARRAYS}
            moments = tuple(Moment(**each) for each in about["moments"])
            drive = Drive(
                **arrays, source=about["source"], clock=about["clock"], moments=moments, notes=tuple(about["notes"]),
                started_at=datetime.fromisoformat(about["started_at"]) if about["started_at"] else None,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        _log.warning("The telemetry %s cannot be used and is read again: %s", file, error)
        return None
    return _corrected(drive, file), about["beside"]


def _save(drive: Drive, file: Path, *, beside: list[list[Any]]) -> None:
    import io

    moments = [asdict(each) for each in drive.moments]
    about = {
        "format": _FORMAT, "source": drive.source, "clock": drive.clock, "beside": beside, "moments": moments,
        "notes": drive.notes, "started_at": drive.started_at.isoformat() if drive.started_at is not None else None,
    }  # fmt: skip
    arrays: Mapping[str, Any] = {name: getattr(drive, name) for name in _ARRAYS}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, about=np.array(json.dumps(about)), **arrays)
    _write(file, buffer.getvalue())


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all."""
    import tempfile

    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
        temporary.replace(file)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StorageFullError(
            f"The telemetry could not be saved to {file}: {error.strerror}.",
            hint="Check free space and rights of the library folder.",
        ) from error
