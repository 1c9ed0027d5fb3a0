"""Which frames a model sees: chosen by time, so that a variable frame rate shifts nothing."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

from vvlm_desktop.video.index import FrameIndex


def uniform(index: FrameIndex, count: int, *, start: float | None = None, end: float | None = None) -> tuple[int, ...]:
    """The frames on screen in the middle of `count` equal stretches of time.

    Args:
        index: of the clip.
        count: how many; fewer come back where one frame fills several stretches.
        start, end: seconds from the first frame; the whole clip unless given.

    Returns:
        Ascending frame indices, none twice.
    """
    _check_count(count)
    if not index.pts:
        return ()
    return _unique(index, _midpoints(index, count, start=start, end=end))


def at_fps(index: FrameIndex, fps: float, *, limit: int) -> tuple[int, ...]:
    """The frames on screen `fps` times a second, the first one included; spread evenly when that is over `limit`."""
    _check_count(limit)
    if not fps > 0:
        raise ValueError(f"not a frame rate: {fps}")
    if not index.pts:
        return ()
    step = 1 / Fraction(fps)
    steps = -(-_end(index) // step)  # rounded up: how many steps begin before the end
    if steps > limit:
        return uniform(index, limit)
    return _unique(index, [step * k for k in range(max(1, steps))])


def around(index: FrameIndex, frame_index: int, *, before_s: float, after_s: float, count: int) -> tuple[int, ...]:
    """`count` frames of the time around one frame; that frame itself is always among them."""
    _check_count(count)
    if not 0 <= frame_index < len(index):
        raise ValueError(f"frame {frame_index} of {len(index)}")
    if before_s < 0 or after_s < 0:
        raise ValueError(f"negative stretch of time: {before_s}, {after_s}")
    here = _time(index, frame_index)
    start = max(Fraction(0), here - Fraction(before_s))
    end = min(_end(index), here + Fraction(after_s))
    times = _midpoints(index, count, start=start, end=end) if end > start else [here]
    nearest = min(range(len(times)), key=lambda k: abs(times[k] - here))
    times[nearest] = here
    return _unique(index, times)


def _midpoints(
    index: FrameIndex, count: int, *, start: float | Fraction | None, end: float | Fraction | None
) -> list[Fraction]:
    """Exact times: as floats, a midpoint that falls on a frame's start would tip to either side."""
    first = Fraction(start) if start is not None else Fraction(0)
    last = Fraction(end) if end is not None else _end(index)
    if last <= first:
        raise ValueError(f"the stretch of time ends before it starts: {float(first)} s to {float(last)} s")
    return [first + (last - first) * (2 * k + 1) / (2 * count) for k in range(count)]


def _time(index: FrameIndex, frame_index: int) -> Fraction:
    return (index.pts[frame_index] - index.pts[0]) * index.time_base


def _end(index: FrameIndex) -> Fraction:
    return _time(index, len(index) - 1) + index.frame_ticks * index.time_base


def _unique(index: FrameIndex, times: list[Fraction]) -> tuple[int, ...]:
    return tuple(sorted({max(0, bisect_right(index.pts, index.pts[0] + t / index.time_base) - 1) for t in times}))


def _check_count(count: int) -> None:
    if count < 1:
        raise ValueError(f"not a number of frames: {count}")
