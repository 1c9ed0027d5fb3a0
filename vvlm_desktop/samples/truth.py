"""What really happened in a simulated clip, measured frame by frame; kept as `<clip>.truth.json`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.staging import Stage
from vvlm_desktop.samples.world import Snapshot, State, Vehicle, World

FORMAT = "vvlm-truth-1"
#: Rises whenever the same seed would give another clip.
SIMULATOR_VERSION = 1
PROVENANCE = "simulated"


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """One frame, measured.

    Attributes:
        speed_kmh, acceleration: of ego, the latter in m/s².
        gap_m: clear distance to the vehicle ahead in ego's path, None where there is none.
        time_gap_s: that gap driven at ego's speed, None without one or below 1 m/s.
        ttc_s: time to collision at the present speeds, None when not closing.
        conflict_m: shortest distance between the outlines of ego and the other party, None where there is none.
    """

    pts: int
    time_s: float
    speed_kmh: float
    acceleration: float
    lateral_m: float
    gap_m: float | None
    time_gap_s: float | None
    ttc_s: float | None
    conflict_m: float | None
    light: str | None


@dataclass(frozen=True, slots=True)
class EventTruth:
    """The event, as PTS of frames of the clip.

    Attributes:
        start_pts: first frame in which an attentive driver could see it coming.
        end_pts: contact or closest approach.
    """

    kind: str
    start_pts: int
    end_pts: int
    start_ms: int
    end_ms: int
    contact: bool
    contact_speed_kmh: float | None
    min_gap_m: float
    min_ttc_s: float | None


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything known about a simulated clip.

    Attributes:
        labels: every field of the dashcam schema.
        time_base: of the PTS, as (numerator, denominator).
        scenario: what the simulator was asked for.
    """

    labels: dict[str, LabelValue]
    event: EventTruth | None
    frames: tuple[FrameTruth, ...]
    fps: int
    time_base: tuple[int, int]
    size: tuple[int, int]
    scenario: dict[str, Any]
    seed: int
    min_gap_m: float | None
    min_time_gap_s: float | None
    min_ttc_s: float | None
    hardest_braking: float
    provenance: str = PROVENANCE
    simulator_version: int = SIMULATOR_VERSION

    @property
    def pts(self) -> tuple[int, ...]:
        """PTS of all frames."""
        return tuple(frame.pts for frame in self.frames)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Truth:
        """From what `to_json` gave."""
        if data.get("format") != FORMAT:
            raise ValueError(f"not a truth file: format {data.get('format')!r}")
        rest = {key: value for key, value in data.items() if key != "format"}
        rest["event"] = EventTruth(**rest["event"]) if rest["event"] else None
        rest["frames"] = tuple(FrameTruth(**frame) for frame in rest["frames"])
        rest["time_base"], rest["size"] = tuple(rest["time_base"]), tuple(rest["size"])
        return cls(**rest)


def truth_file(clip: Path) -> Path:
    """Where the truth of a clip is kept."""
    return clip.with_suffix(".truth.json")


def read_truth(clip: Path) -> Truth:
    """The truth kept beside a clip."""
    return Truth.from_json(json.loads(truth_file(clip).read_text(encoding="utf-8")))


def measure(snapshots: list[Snapshot], stage: Stage, *, pts: tuple[int, ...]) -> tuple[FrameTruth, ...]:
    """Distances and speeds of every frame."""
    return tuple(_frame(s, stage.conflict_id, pts=p) for s, p in zip(snapshots, pts, strict=True))


def find_event(
    frames: tuple[FrameTruth, ...], snapshots: list[Snapshot], stage: Stage, scenario: Scenario
) -> EventTruth | None:
    """The event of the clip: contact, or an approach that only emergency braking ended; None where nothing happened."""
    if stage.visible_at_s is None or scenario.kind not in ("cut_in", "rear_end", "crossing"):
        return None
    start = next((i for i, s in enumerate(snapshots) if s.t_s >= stage.visible_at_s - 1e-9), None)
    if start is None:
        return None
    hit = next((i for i, s in enumerate(snapshots) if s.hit_at_s is not None), None)
    near = [(f.conflict_m, i) for i, f in enumerate(frames) if f.conflict_m is not None and i > start]
    if not near:
        return None
    end = hit if hit is not None else min(near)[1]
    if hit is None and end >= len(frames) - 1:
        return None  # the clip ends before the closest approach: what came of it is not shown
    window = frames[start : end + 1]
    closing = [f.ttc_s for f in window if f.ttc_s is not None]
    return EventTruth(
        kind="collision" if hit is not None else "near_miss",
        start_pts=frames[start].pts,
        end_pts=frames[end].pts,
        start_ms=round(frames[start].time_s * 1000),
        end_ms=round(frames[end].time_s * 1000),
        contact=hit is not None,
        contact_speed_kmh=round((stage.world.hit_speed or 0.0) * 3.6, 2) if hit is not None else None,
        min_gap_m=0.0 if hit is not None else round(min(near)[0] or 0.0, 3),
        min_ttc_s=min(closing) if closing else None,
    )


def smallest(values: list[float | None]) -> float | None:
    """The smallest of those that are known."""
    known = [value for value in values if value is not None]
    return min(known) if known else None


def _frame(snapshot: Snapshot, conflict_id: int | None, *, pts: int) -> FrameTruth:
    ego = snapshot.ego
    ahead = _ahead(snapshot)
    gap = time_gap = ttc = None
    if ahead is not None:
        gap = max(0.0, round(ahead[1], 3))
        time_gap = round(gap / ego.v, 3) if ego.v > 1.0 else None
        closing = ego.v - ahead[0].v * math.cos(ahead[0].heading)
        ttc = round(gap / closing, 3) if closing > 0.3 else None
    conflict = None
    if conflict_id is not None:
        other = next(state for state in snapshot.others if state.id == conflict_id)
        conflict = round(distance(ego, other), 3)
    return FrameTruth(
        pts=pts,
        time_s=round(snapshot.t_s, 4),
        speed_kmh=round(ego.v * 3.6, 2),
        acceleration=round(ego.a, 3),
        lateral_m=round(ego.d, 3),
        gap_m=gap,
        time_gap_s=time_gap,
        ttc_s=ttc,
        conflict_m=conflict,
        light=snapshot.light,
    )


def distance(one: State, other: State) -> float:
    """Shortest distance between the outlines of two vehicles, 0 when they touch."""
    a, b = _vehicle(one).half_extent(), _vehicle(other).half_extent()
    along = max(0.0, abs(one.s - other.s) - a[0] - b[0])
    across = max(0.0, abs(one.d - other.d) - a[1] - b[1])
    return math.hypot(along, across)


def _ahead(snapshot: Snapshot) -> tuple[Vehicle, float] | None:
    ego = _vehicle(snapshot.ego)
    ego.heading = 0.0
    others = [_vehicle(state) for state in snapshot.others if state.s - ego.s < 150.0]
    return World(ego, others).ahead_of(ego, others, margin=0.0)


def _vehicle(state: State) -> Vehicle:
    return Vehicle(state.id, state.body, state.s, state.d, state.v, heading=state.heading)
