"""The timeline's axis: where time is drawn to scale, where frames are missing, and where it is broken.

A file whose clock jumps has an hour without a frame between two pictures. Drawn to scale, that hour would push
everything there is to see into one pixel; the axis is broken there, and says so.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.video.index import FrameIndex

#: Between two frames lies a gap when nothing comes for so long, and for so many times the usual.
_LEAST_GAP_S, _GAP_FRAMES = 0.5, 5.0
#: A gap is drawn to scale up to this share of the time that has frames; a longer one takes only `_BROKEN_SHARE` of it.
_LONGEST_SHARE, _BROKEN_SHARE = 0.5, 0.1
_MOST_GAPS = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without frames; `broken` where it is drawn shorter than it is."""

    start_s: float
    end_s: float
    broken: bool = False

    @property
    def length_s(self) -> float:
        """How long nothing comes."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """From seconds to places along the axis, which has the same unit wherever it is not broken.

    Attributes:
        frame_s: how long a frame is usually shown.
        times_s: one per frame, ascending, from the first frame.
    """

    duration_s: float = 0.0
    frame_s: float = 0.04
    times_s: Floats | None = None
    gaps: tuple[Gap, ...] = ()
    _seconds: Floats | None = None
    _places: Floats | None = None

    @property
    def length(self) -> float:
        """Place of the clip's end."""
        return self.place(self.duration_s)

    def place(self, seconds: float) -> float:
        """Where a time lies along the axis."""
        if self._seconds is None or self._places is None:
            return seconds
        if seconds > self.duration_s:
            return float(self._places[-1]) + seconds - self.duration_s
        return float(np.interp(seconds, self._seconds, self._places)) if seconds > 0 else seconds

    def places(self, seconds: Floats) -> Floats:
        """Likewise for many."""
        if self._seconds is None or self._places is None:
            return seconds
        return np.interp(seconds, self._seconds, self._places)

    def seconds(self, place: float) -> float:
        """The time at a place along the axis."""
        if self._seconds is None or self._places is None:
            return place
        if place > self._places[-1]:
            return self.duration_s + place - float(self._places[-1])
        return float(np.interp(place, self._places, self._seconds)) if place > 0 else place

    def gap_at(self, seconds: float) -> Gap | None:
        """The gap that a time lies in."""
        return next((gap for gap in self.gaps if gap.start_s < seconds < gap.end_s), None)

    def frames_between(self, start_s: float, end_s: float) -> tuple[int, int]:
        """First frame that is shown at or after `start_s` or still at it, and the end of those before `end_s`."""
        if self.times_s is None or not len(self.times_s):
            return 0, 0
        first = max(0, int(np.searchsorted(self.times_s, start_s, side="right")) - 1)
        return first, max(first + 1, int(np.searchsorted(self.times_s, end_s, side="left")))

    def shown_s(self, seconds: float) -> float:
        """The time of the frame that is on screen at a time; the time itself where none is."""
        if self.times_s is None or not len(self.times_s) or self.gap_at(seconds) is not None:
            return seconds
        return float(self.times_s[max(0, int(np.searchsorted(self.times_s, seconds, side="right")) - 1)])

    def frame_end_s(self, frame_index: int) -> float:
        """When a frame ceases to be shown: at the next one, or where a gap begins."""
        if self.times_s is None:
            return 0.0
        if frame_index + 1 >= len(self.times_s):
            return self.duration_s
        end_s = float(self.times_s[frame_index + 1])
        place = bisect_left(self.gaps, end_s, key=lambda gap: gap.end_s)
        gap = self.gaps[place] if place < len(self.gaps) else None
        return gap.start_s if gap is not None and gap.end_s == end_s else end_s


def axis_of(index: FrameIndex | None) -> Axis:
    """The axis of a clip: its gaps, drawn to scale as long as they leave room for what there is to see."""
    if index is None or not len(index):
        return Axis()
    pts = np.asarray(index.pts, np.int64)
    times_s = (pts - pts[0]) * float(index.time_base)
    steps = np.diff(times_s)
    frame_s = float(np.median(steps)) if len(steps) else index.duration_s
    duration_s = index.duration_s
    long = np.flatnonzero(steps > max(_LEAST_GAP_S, _GAP_FRAMES * frame_s))
    if not len(long):
        return Axis(duration_s, frame_s, times_s)
    if len(long) > _MOST_GAPS:
        long = np.sort(long[np.argsort(steps[long])[-_MOST_GAPS:]])
    starts, ends = times_s[long] + frame_s, times_s[long + 1]
    shown_s = max(duration_s - float((ends - starts).sum()), frame_s)
    broken = ends - starts > _LONGEST_SHARE * shown_s
    gaps = tuple(Gap(float(a), float(b), bool(c)) for a, b, c in zip(starts, ends, broken, strict=True))
    if not broken.any():
        return Axis(duration_s, frame_s, times_s, gaps)
    drawn = np.where(broken, _BROKEN_SHARE * shown_s, ends - starts)
    seconds = np.concatenate([[0.0], np.stack([starts, ends], axis=1).ravel(), [duration_s]])
    lengths = np.diff(seconds)
    lengths[1::2] = drawn
    return Axis(duration_s, frame_s, times_s, gaps, seconds, np.concatenate([[0.0], np.cumsum(lengths)]))
