"""Which frame stands at which place of the filmstrip: one for each stretch, or every single one where there is room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vvlm_desktop.ui.review.timeline_axis import Axis
from vvlm_desktop.ui.review.timeline_model import View
from vvlm_desktop.video.index import FrameIndex

#: A keyframe stands for a stretch if it is no further from its middle than this share of it: it is cheap to decode.
_KEY_SHARE = 0.35
#: From this width on a frame has a cell of its own, with its number.
SINGLE_PX = 28.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A place of the filmstrip.

    Attributes:
        frame_index: what is to be seen there.
        first, last: the frames that it stands for; both `frame_index` where it stands for itself alone.
    """

    frame_index: int
    left_px: float
    right_px: float
    first: int
    last: int

    @property
    def single(self) -> bool:
        """Whether it stands for one frame."""
        return self.first == self.last


def shown_shape(index: FrameIndex) -> float:
    """Width over height of a picture as it is shown: upright, and by the shape of its pixels."""
    aspect = float(index.sample_aspect or 1)
    plain = index.width / max(1, index.height)
    return plain / aspect if index.rotation in {90, 270} else plain * aspect


def shows_single_frames(axis: Axis, view: View, *, least_px: float = SINGLE_PX) -> bool:
    """Whether a usual frame is wide enough for a cell of its own."""
    return view.px_per_s * axis.frame_s >= least_px


def cells_of(index: FrameIndex, axis: Axis, view: View, *, cell_px: float) -> tuple[Cell, ...]:
    """The filmstrip's places from left to right; none where a gap is."""
    if not len(index) or view.width_px <= 1:
        return ()
    return tuple(_singles(axis, view) if shows_single_frames(axis, view) else _stretches(index, axis, view, cell_px))


def _singles(axis: Axis, view: View) -> list[Cell]:
    first, end = axis.frames_between(view.start_s, view.end_s)
    assert axis.times_s is not None
    return [
        Cell(i, view.x(float(axis.times_s[i])), view.x(axis.frame_end_s(i)), i, i) for i in range(first, end)
    ]  # fmt: skip


def _stretches(index: FrameIndex, axis: Axis, view: View, cell_px: float) -> list[Cell]:
    """Places on a fixed grid, so that panning moves the pictures that are there instead of wanting others."""
    count = max(1, round(view.width_px / cell_px))
    start, end = axis.place(view.start_s), axis.place(view.end_s)
    step = (end - start) / count
    cells = []
    number = int(start / step)
    while number * step < end - step * 1e-6:
        from_s, to_s = axis.seconds(number * step), axis.seconds((number + 1) * step)
        number += 1
        middle = axis.seconds((number - 0.5) * step)
        gap = axis.gap_at(middle)
        if gap is not None:
            # What there is of the place before or behind the gap.
            from_s, to_s = (gap.end_s, to_s) if to_s > gap.end_s else (from_s, min(to_s, gap.start_s))
            middle = (from_s + to_s) / 2
        if from_s >= to_s or middle > axis.duration_s:
            continue
        first, past = axis.frames_between(from_s, to_s)
        frame = _standing_for(index, axis, middle, reach_s=(to_s - from_s) * _KEY_SHARE)
        cells.append(Cell(frame, view.x(from_s), view.x(to_s), min(first, frame), max(past - 1, frame, first + 1)))
    return cells


def _standing_for(index: FrameIndex, axis: Axis, middle_s: float, *, reach_s: float) -> int:
    """The frame in the middle of a stretch, or a keyframe close by."""
    assert axis.times_s is not None
    middle = max(0, int(np.searchsorted(axis.times_s, middle_s, side="right")) - 1)
    at_s = axis.times_s[middle]
    near = [key for key in index.gop(middle) if key < len(index) and abs(axis.times_s[key] - at_s) <= reach_s]
    return min(near, key=lambda key: abs(key - middle), default=middle)
