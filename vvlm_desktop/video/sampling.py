"""Which frames a model sees: chosen by time, so that a variable frame rate shifts nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise

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


def over_spans(
    index: FrameIndex,
    count: int,
    spans: Sequence[tuple[float, float]],
    *,
    density: float = 1.5,
    outside: float = 0.1,
    start: float | None = None,
    end: float | None = None,
) -> tuple[int, ...]:
    """`count` frames, so many times as dense within `spans` as when spread evenly, the others even over the rest.

    Args:
        spans: seconds from the first frame; what lies outside the stretch is cut off, what overlaps is one span.
        density: times as many frames a second within the spans as `uniform` gives.
        outside: at least this share of the frames stays outside, unless the spans' share of the time is larger anyway.
        start, end: the stretch of time that is sampled; the whole clip unless given.

    Returns:
        Ascending frame indices, none twice; as many as asked for where the stretch has so many frames.

    Raises:
        ValueError: no span lies in the stretch.
    """
    _check_count(count)
    if density <= 0 or not 0 <= outside < 1:
        raise ValueError(f"not a density and a share: {density}, {outside}")
    if not index.pts:
        return ()
    first = Fraction(start) if start is not None else Fraction(0)
    last = Fraction(end) if end is not None else _end(index)
    dense = merged_spans(spans, start=first, end=last)
    if not dense:
        raise ValueError(f"no span lies in {float(first)} s to {float(last)} s: {spans}")
    part = sum((b - a for a, b in dense), Fraction(0)) / (last - first)
    share = max(part, min(part * Fraction(density), 1 - Fraction(outside)))
    inside = set(_unique(index, _spread(dense, max(1, round(count * share)))))
    edges = [first, *(time for span in dense for time in span), last]
    gaps = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
    rest = count - len(inside)
    if gaps and rest > 0:
        inside |= set(_unique(index, _spread(gaps, rest)))
    frames = _unique(index, [first])[0], bisect_right(index.pts, index.pts[0] + last / index.time_base) - 1
    return _filled(index, sorted(inside), count=count, within=frames)


def merged_spans(
    spans: Sequence[tuple[float | Fraction, float | Fraction]], *, start: float | Fraction, end: float | Fraction
) -> list[tuple[Fraction, Fraction]]:
    """Spans cut to a stretch of time, ascending, none touching another; what has no length is left out."""
    first, last = Fraction(start), Fraction(end)
    merged: list[tuple[Fraction, Fraction]] = []
    for a, b in sorted((max(first, Fraction(a)), min(last, Fraction(b))) for a, b in spans):
        if b <= a:
            continue
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return merged


def _spread(spans: Sequence[tuple[Fraction, Fraction]], count: int) -> list[Fraction]:
    """Midpoints of `count` equal parts of the spans' time, as if they lay end to end."""
    ends = list(accumulate(b - a for a, b in spans))
    times = []
    for k in range(count):
        along = ends[-1] * (2 * k + 1) / (2 * count)
        i = bisect_right(ends, along)
        times.append(spans[i][1] - (ends[i] - along))
    return times


def _filled(index: FrameIndex, chosen: list[int], *, count: int, within: tuple[int, int]) -> tuple[int, ...]:
    """Put frames into the widest gaps until there are `count`: one frame may have stood for several moments."""
    first, last = within[0], min(within[1], len(index) - 1)
    while len(chosen) < count:
        edges = [first - 1, *chosen, last + 1]
        room = [(b - a, a) for a, b in pairwise(edges) if b - a > 1]
        if not room:
            break
        gap, a = max(room)
        chosen = sorted([*chosen, a + gap // 2])
    return tuple(chosen)


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
