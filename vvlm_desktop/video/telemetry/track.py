"""A track: what the camera measured of its own movement, on the clip's clock (ms from the clip's first frame)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Metres a second in one knot, km/h and mph.
KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6
MPH_MPS = 1609.344 / 3600
#: m/s² in one g.
STANDARD_GRAVITY = 9.80665
#: Faster than any car; a camera in an airliner stays below.
FASTEST_MPS = 350.0
#: No clip is longer than a day; a time beyond is a damaged one.
LONGEST_MS = 86_400_000.0
#: Fix quality: nothing known, no fix, position only, position and altitude.
FIX_UNKNOWN, FIX_NONE, FIX_2D, FIX_3D = -1, 0, 2, 3


@dataclass(frozen=True, slots=True)
class Fix:
    """One position as a reader finds it; NaN where the source says nothing.

    Attributes:
        time_ms: on whatever clock the source has; `Positions.of` takes it as it is.
        course_deg: 0 is north, 90 east.
        fix: one of `FIX_…`.
    """

    time_ms: float
    lat: float
    lon: float
    speed_mps: float = float("nan")
    altitude_m: float = float("nan")
    course_deg: float = float("nan")
    fix: int = FIX_UNKNOWN

    @property
    def plausible(self) -> bool:
        """Whether it can be a place on Earth; receivers without a fix write 0, 0."""
        return abs(self.lat) <= 90 and abs(self.lon) <= 180 and (self.lat, self.lon) != (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Fixes over time; every array has the shape [fixes], ascending in `time_ms`, NaN where nothing is known.

    Attributes:
        left_out: how many fixes were 0, 0 or no place on Earth.
    """

    time_ms: Floats
    lat: Floats
    lon: Floats
    speed_mps: Floats
    altitude_m: Floats
    course_deg: Floats
    fix: NDArray[np.int8]
    left_out: int = 0

    @classmethod
    def of(cls, fixes: Sequence[Fix]) -> Positions:
        """In order of time; fixes that are no place on Earth and further fixes at the very same time are left out."""
        ordered = sorted((fix for fix in fixes if fix.plausible and np.isfinite(fix.time_ms)), key=lambda f: f.time_ms)
        kept = [fix for i, fix in enumerate(ordered) if i == 0 or fix.time_ms > ordered[i - 1].time_ms]
        columns: dict[str, Any] = {
            item.name: np.array([getattr(fix, item.name) for fix in kept], np.float64) for item in fields(Fix)
        }
        columns["fix"] = columns["fix"].astype(np.int8)
        nowhere = [fix for fix in fixes if not fix.plausible and np.isfinite(fix.lat + fix.lon)]
        return cls(**columns, left_out=len(nowhere))

    def __len__(self) -> int:
        return len(self.time_ms)

    def shifted(self, ms: float) -> Positions:
        """The same, `ms` later."""
        return replace(self, time_ms=self.time_ms + ms)

    def between(self, start_ms: float, end_ms: float) -> Positions:
        """Those from `start_ms` up to and including `end_ms`."""
        chosen = (self.time_ms >= start_ms) & (self.time_ms <= end_ms)
        arrays: dict[str, Any] = {item.name: getattr(self, item.name)[chosen] for item in fields(Fix)}
        return replace(self, **arrays)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Three axes over time: an accelerometer in g or a gyroscope in rad/s; arrays of the shape [samples].

    Attributes:
        axes: a sentence on which way x, y and z point, as far as the source says.
        forward: the axis that points along the car as (0 for x … 2 for z, +1 or -1 for ahead), None where unknown.
    """

    time_ms: Floats
    x: Floats
    y: Floats
    z: Floats
    axes: str = "as the file gives them; which way they point is not said"
    forward: tuple[int, int] | None = None

    @classmethod
    def of(
        cls,
        rows: Sequence[tuple[float, float, float, float]] | Floats,
        *,
        axes: str = "",
        forward: tuple[int, int] | None = None,
    ) -> Self:
        """From (time_ms, x, y, z), also as an array of the shape [samples, 4].

        They are put in order of time; rows that are no numbers are left out.
        """
        table = np.array(rows, np.float64).reshape(-1, 4)
        table = table[np.isfinite(table).all(axis=1)]
        table = table[np.argsort(table[:, 0], kind="stable")]
        said = {"axes": axes} if axes else {}
        return cls(table[:, 0], table[:, 1], table[:, 2], table[:, 3], forward=forward, **said)

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def vectors(self) -> Floats:
        """Shape [samples, 3]."""
        return np.stack([self.x, self.y, self.z], axis=1)

    @property
    def magnitude(self) -> Floats:
        """Length of each sample's vector; 1.0 g for an accelerometer at rest."""
        return np.asarray(np.linalg.norm(self.vectors, axis=1), np.float64)

    def shifted(self, ms: float) -> Motion:
        """The same, `ms` later."""
        return replace(self, time_ms=self.time_ms + ms)

    def between(self, start_ms: float, end_ms: float) -> Motion:
        """Samples from `start_ms` up to and including `end_ms`."""
        chosen = (self.time_ms >= start_ms) & (self.time_ms <= end_ms)
        return replace(self, time_ms=self.time_ms[chosen], x=self.x[chosen], y=self.y[chosen], z=self.z[chosen])


def no_positions() -> Positions:
    """Positions of a source that has none."""
    return Positions.of([])


def no_motion() -> Motion:
    """Accelerations or turns of a source that has none."""
    return Motion.of([])


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """All that was measured along one clip.

    Attributes:
        source: what it was read from, "GoPro GPMF" or "NMEA sidecar drive.nmea".
        clock: how its times were put on the clip's clock, and how sure that is.
        accelerometer: in g. gyroscope: in rad/s.
        started_at: wall clock at the clip's first frame: with a time zone where it is known to be UTC (from the
            satellites), without where it is the camera's own clock.
        notes: what was skipped or not understood, a sentence each.
    """

    source: str
    clock: str
    positions: Positions = field(default_factory=no_positions)
    accelerometer: Motion = field(default_factory=no_motion)
    gyroscope: Motion = field(default_factory=no_motion)
    started_at: datetime | None = None
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(len(self.positions) or len(self.accelerometer) or len(self.gyroscope))

    @property
    def span_ms(self) -> tuple[float, float] | None:
        """From the first to the last sample of any kind."""
        times = [part.time_ms for part in (self.positions, self.accelerometer, self.gyroscope) if len(part)]
        return (min(float(t[0]) for t in times), max(float(t[-1]) for t in times)) if times else None

    @property
    def max_speed_mps(self) -> float | None:
        """Highest speed, None where no speed is known."""
        speeds = self.positions.speed_mps
        return float(np.nanmax(speeds)) if np.isfinite(speeds).any() else None

    @property
    def strongest_g(self) -> float | None:
        """Length of the strongest acceleration, with gravity in it; None without an accelerometer."""
        return float(self.accelerometer.magnitude.max()) if len(self.accelerometer) else None

    def shifted(self, ms: float) -> Track:
        """The same track, `ms` later against the pictures: the reviewer's correction of the clock."""
        return replace(
            self,
            positions=self.positions.shifted(ms),
            accelerometer=self.accelerometer.shifted(ms),
            gyroscope=self.gyroscope.shifted(ms),
            started_at=self.started_at - timedelta(milliseconds=ms) if self.started_at else None,
        )

    def between(self, start_ms: float, end_ms: float, *, why: str) -> Track:
        """Without the samples outside of a range of time; `why` is the note that tells of them."""
        parts = {name: getattr(self, name) for name in ("positions", "accelerometer", "gyroscope")}
        kept = {name: part.between(start_ms, end_ms) for name, part in parts.items()}
        left_out = sum(map(len, parts.values())) - sum(map(len, kept.values()))
        return replace(self, **kept, notes=(*self.notes, f"{left_out} {why}")) if left_out else self

    def filled_from(self, other: Track) -> Track:
        """With `other`'s samples of the kinds that this one has none of."""
        took = {
            name: getattr(other, name)
            for name in ("positions", "accelerometer", "gyroscope")
            if not len(getattr(self, name)) and len(getattr(other, name))
        }
        if not took:
            return self
        parts = ", ".join(took)
        return replace(
            self,
            source=f"{self.source}; {parts}: {other.source}",
            clock=f"{self.clock}; {parts}: {other.clock}",
            started_at=self.started_at or other.started_at,
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
            **took,
        )

    def summary(self) -> dict[str, Any]:
        """As plain JSON: what there is, without the samples."""
        span = self.span_ms
        first = len(self.positions) > 0
        return {
            "source": self.source,
            "clock": self.clock,
            "span_ms": [round(span[0]), round(span[1])] if span else None,
            "positions": len(self.positions),
            "accelerometer": len(self.accelerometer),
            "accelerometer_axes": self.accelerometer.axes if len(self.accelerometer) else None,
            "gyroscope": len(self.gyroscope),
            "max_speed_mps": self.max_speed_mps,
            "strongest_g": self.strongest_g,
            "start": [float(self.positions.lat[0]), float(self.positions.lon[0])] if first else None,
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "notes": list(self.notes),
        }


def resample(time_ms: Floats, values: Floats, *, start_ms: float, end_ms: float, buckets: int) -> tuple[Floats, Floats]:
    """Lowest and highest value in each of `buckets` equal parts of a time range, for drawing.

    Args:
        time_ms: ascending.

    Returns:
        Two arrays of the shape [buckets], NaN where a part has no known value.
    """
    if buckets < 1 or not end_ms > start_ms:
        raise ValueError(f"{buckets} buckets from {start_ms} to {end_ms} ms")
    low, high = np.full(buckets, np.inf), np.full(buckets, -np.inf)
    chosen = (time_ms >= start_ms) & (time_ms < end_ms) & np.isfinite(values)
    part = ((time_ms[chosen] - start_ms) * (buckets / (end_ms - start_ms))).astype(np.int64).clip(0, buckets - 1)
    np.minimum.at(low, part, values[chosen])
    np.maximum.at(high, part, values[chosen])
    empty = low > high
    low[empty] = high[empty] = np.nan
    return low, high
