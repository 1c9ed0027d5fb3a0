"""What the timeline shows, as plain data in seconds from the clip's first frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.ui.review.timeline_axis import Axis
from vvlm_desktop.video.index import FrameIndex

_PLAIN = Axis()

MarkKind = Literal["candidate", "sensed", "model_event", "event", "evidence"]

#: kind → (token it is drawn in, word for it)
MARK_LOOKS: dict[MarkKind, tuple[str, str]] = {
    "candidate": ("doubtful", "measured"),
    "sensed": ("doubtful", "the camera's sensors"),
    "model_event": ("model", "analysis"),
    "event": ("accent", "reviewer"),
    "evidence": ("good", "evidence"),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """Which stored evidence a mark stands for."""

    field_key: str
    value: str | None
    span: PtsRange

    @property
    def key(self) -> tuple[str, str | None]:
        """What it shows."""
        return self.field_key, self.value


@dataclass(frozen=True, slots=True)
class EventTime:
    """The value of a time field that a mark stands for, as it is stored."""

    field_key: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class EventMark:
    """A stretch of the clip with a name: a candidate, the analysis's event, the reviewer's, or evidence."""

    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    kind: MarkKind
    label: str
    reason: str = ""
    proof: Proof | None = None  # of evidence
    time: EventTime | None = None  # of the event that the review holds
    lane: str = ""  # the curve that it is drawn on, where that is shown

    @property
    def movable(self) -> bool:
        """Whether its edges can be moved: it is what the review holds, and no answer of its own."""
        return self.proof is not None or self.time is not None

    @property
    def held_as(self) -> tuple[str, str | None] | None:
        """What its stretch is stored under; None where it cannot be moved."""
        if self.proof is not None:
            return self.proof.key
        return (self.time.field_key, None) if self.time is not None else None

    @property
    def look_frame(self) -> int:
        """Where to look first: an event's end is contact or closest approach; a candidate's middle stands out."""
        if self.kind in {"candidate", "sensed"}:
            return (self.start_frame + self.end_frame) // 2
        return self.end_frame if self.kind in {"event", "model_event"} else self.start_frame


@dataclass(frozen=True, slots=True, eq=False)
class CurveLane:
    """One measured quantity over time, scaled to 0…1.

    Attributes:
        low, high: what 0 and 1 stand for, in `unit`.
        unit: empty for a quantity that is only more or less.
        scale: the axis, for people; empty where it is not shown.
        help: where it comes from.
    """

    name: str
    t_s: NDArray[np.float64]
    level: NDArray[np.float64]
    ink: str
    filled: bool = True
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    scale: str = ""
    help: str = ""

    def text_at(self, seconds: float) -> str:
        """The value at a time with its unit; empty where there is no unit or nothing was measured."""
        if not self.unit or not len(self.t_s) or not self.t_s[0] <= seconds <= self.t_s[-1]:
            return ""
        level = float(np.interp(seconds, self.t_s, self.level))
        if not np.isfinite(level):
            return ""
        value = f"{self.low + level * (self.high - self.low):.{0 if self.high - self.low > 20 else 2}f}"
        return f"{value.replace('-', '−')} {self.unit}"


@dataclass(frozen=True, slots=True)
class Sensed:
    """A moment that the camera's sensors found worth a look; `lane` is the curve that it lies on."""

    start_s: float
    end_s: float
    label: str
    reason: str
    lane: str

    def mark(self, index: FrameIndex) -> EventMark:
        """Its frames in a clip."""
        first, last = index.at_time(max(0.0, self.start_s)), index.at_time(max(0.0, self.end_s))
        return EventMark(
            first, last, index.seconds(first), index.seconds(last), "sensed", self.label, self.reason, lane=self.lane
        )


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a model that looked more than once.

    Attributes:
        seen_s: times of the frames it was given.
        spans_s: what it looked at more closely; empty for the whole clip.
        text: for people.
    """

    seen_s: tuple[float, ...]
    spans_s: tuple[tuple[float, float], ...]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class TimelineModel:
    """Everything on the timeline of one clip.

    Attributes:
        seen_s: times of the frames that the analysis was given.
        seen_name: whose frames those are.
        looks: every look, where there were several; `seen_s` is what the last one saw.
    """

    duration_s: float = 0.0
    seen_s: tuple[float, ...] = ()
    seen_name: str = ""
    looks: tuple[Look, ...] = ()
    curves: tuple[CurveLane, ...] = ()
    marks: tuple[EventMark, ...] = ()

    @property
    def seen_help(self) -> str:
        """What the frames of the analysis are, look by look where there were several."""
        who = self.seen_name or "the analysis"
        if not self.looks:
            return f"{len(self.seen_s)} frames that {who} was given"
        return "\n".join((f"{who} looked {len(self.looks)} times", *(look.text for look in self.looks)))


def curve(
    name: str,
    t_s: NDArray[np.floating],
    values: NDArray[np.floating] | None,
    *,
    ink: str,
    filled: bool = True,
    bounds: tuple[float, float] | None = None,
    unit: str = "",
    scale: str = "",
    source: str = "",
    holes: bool = False,
) -> CurveLane | None:
    """Scale `values` to 0…1, by `bounds` where they are known, else by what occurs; None where nothing was measured.

    Args:
        holes: leave out what is not known, where it would otherwise be drawn as nothing.
    """
    if values is None or len(values) == 0 or len(values) != len(t_s):
        return None
    level = np.asarray(values, dtype=np.float64)
    known = np.isfinite(level)
    if not known.any():
        return None
    low, high = bounds or (float(level[known].min()), float(level[known].max()))
    level = np.clip((level - low) / (high - low), 0.0, 1.0) if high > low else np.zeros_like(level)
    level = level if holes else np.where(known, level, 0.0)
    times_s: NDArray[np.float64] = np.asarray(t_s, dtype=np.float64)
    return CurveLane(name, times_s, level, ink, filled, low, high, unit, scale, source)


@dataclass(frozen=True, slots=True)
class View:
    """The stretch of time that is visible, and where on the widget it lies."""

    left_px: float
    width_px: float
    start_s: float
    end_s: float
    axis: Axis = field(default=_PLAIN, compare=False)
    _start: float = field(init=False, repr=False, compare=False)
    _length: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        start = self.axis.place(self.start_s)
        object.__setattr__(self, "_start", start)
        object.__setattr__(self, "_length", max(1e-9, self.axis.place(self.end_s) - start))

    @property
    def right_px(self) -> float:
        """Where it ends."""
        return self.left_px + self.width_px

    @property
    def px_per_s(self) -> float:
        """How wide a second is where the axis is not broken."""
        return self.width_px / self._length

    def x(self, seconds: float) -> float:
        """Where a time is."""
        return self.left_px + (self.axis.place(seconds) - self._start) / self._length * self.width_px

    def xs(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where many times are."""
        return self.left_px + (self.axis.places(seconds) - self._start) * (self.width_px / self._length)

    def seconds(self, x: float) -> float:
        """The time at a place."""
        return self.axis.seconds(self._start + (x - self.left_px) / max(1.0, self.width_px) * self._length)

    def zoomed(self, factor: float, around_s: float, *, duration_s: float, shortest_s: float) -> View:
        """Show less (factor < 1) or more, keeping `around_s` where it is."""
        whole = self.axis.place(duration_s)
        span = min(max(self._length * factor, min(shortest_s, whole)), whole)
        around = self.axis.place(around_s)
        return self._at(around - (around - self._start) / self._length * span, span, whole=whole)

    def panned(self, seconds: float, *, duration_s: float) -> View:
        """Show what lies `seconds` later, within the clip."""
        return self._at(self._start + seconds, self._length, whole=self.axis.place(duration_s))

    def dragged(self, px: float, *, duration_s: float) -> View:
        """Show what a drag by so many pixels brings, within the clip."""
        return self.panned(-px / max(1.0, self.width_px) * self._length, duration_s=duration_s)

    def centred(self, seconds: float, *, duration_s: float) -> View:
        """Show what lies around a time, within the clip."""
        return self.panned(self.axis.place(seconds) - self._start - self._length / 2, duration_s=duration_s)

    def _at(self, start: float, span: float, *, whole: float) -> View:
        start = min(max(0.0, start), max(0.0, whole - span))
        return replace(self, start_s=self.axis.seconds(start), end_s=self.axis.seconds(start + span))
