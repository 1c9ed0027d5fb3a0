"""Moments worth a look, by acceleration and speed. They are candidates: potholes, doors and mounts make them too.

*Hard braking*: the car slows by more than 0.4 g for more than 0.3 s, by the low-passed acceleration along the car.
Where the source does not say which axis that is, the acceleration across the direction of gravity counts, whatever its
direction, and is called hard braking only if the speed falls by at least 1.5 m/s around it, else a *push*, sideways or
lengthwise. Without an accelerometer: a speed that falls by more than 0.4 g between fixes at most 2 s apart.
Verizon Connect calls 9 mph in a second severe (0.41 g), Digital Matter's trackers log from 4.4 m/s² (0.45 g), GPS
Insight recommends 0.38 g for cars and less for what is heavier: 0.4 g is among them.

*Jolt*: an acceleration that differs by more than 0.7 g from the second around it, however short, and by four times as
much as is usual in this clip: a loose mount or a rough road shakes all the time. The figures are our own; a walk with
the camera in the hand stays below them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.video.telemetry.track import LONGEST_MS, STANDARD_GRAVITY, Floats, Motion, Positions, Track

Kind = Literal["hard_braking", "push", "jolt"]
#: What slows, turns and tilts the car is slower than this; what shakes the mount is faster.
_LOW_PASS_MS = 200.0
#: Gravity and the mount's tilt are what stays over so long.
_REST_MS = 10_000.0
_GRID_MS = 250.0
_PIECE = 20_000
_JOLT_AROUND_MS = 1000.0
_JOLT_OF_USUAL = 4.0
_FALL_MPS = 1.5
_AROUND_MS = 1500.0
_JOIN_MS = 500.0


@dataclass(frozen=True, slots=True)
class MotionCandidate:
    """A moment to look at; `peak_g` is the strongest low-passed (jolt: sudden) acceleration in it, without gravity."""

    start_ms: float
    end_ms: float
    kind: Kind
    peak_g: float


def motion_candidates(
    track: Track, *, brake_g: float = 0.4, brake_ms: float = 300.0, jolt_g: float = 0.7
) -> tuple[MotionCandidate, ...]:
    """Hard braking, pushes and jolts in order of time; the module says what each is."""
    motion = track.accelerometer.between(-LONGEST_MS, LONGEST_MS)
    found: list[MotionCandidate] = []
    if len(motion) > 2:
        found += _pushes(motion, track.positions, brake_g=brake_g, brake_ms=brake_ms)
        found += _jolts(motion, jolt_g=jolt_g)
    else:
        found += _slowing(track.positions, brake_g=brake_g)
    return tuple(sorted(found, key=lambda candidate: candidate.start_ms))


def _pushes(motion: Motion, positions: Positions, *, brake_g: float, brake_ms: float) -> list[MotionCandidate]:
    smooth = np.stack([_mean_around(motion.time_ms, axis, _LOW_PASS_MS) for axis in motion.vectors.T], axis=1)
    rest = np.stack([_usual_around(motion.time_ms, axis) for axis in smooth.T], axis=1)
    change = smooth - rest
    if motion.forward is not None:
        axis, sign = motion.forward
        strength = -sign * change[:, axis]
    else:
        length = np.linalg.norm(rest, axis=1, keepdims=True)
        down = rest / np.where(length > 0, length, 1.0)
        across = change - (change * down).sum(axis=1, keepdims=True) * down
        strength = np.linalg.norm(across, axis=1)
    found = []
    for first, last in _runs(strength > brake_g, motion.time_ms, join_ms=0.0):
        start, end = float(motion.time_ms[first]), float(motion.time_ms[last])
        if end - start > brake_ms:
            slows = motion.forward is not None or _fall(positions, start, end) >= _FALL_MPS
            peak = float(strength[first : last + 1].max())
            found.append(MotionCandidate(start, end, "hard_braking" if slows else "push", peak))
    return found


def _jolts(motion: Motion, *, jolt_g: float) -> list[MotionCandidate]:
    usual = np.stack([_mean_around(motion.time_ms, axis, _JOLT_AROUND_MS) for axis in motion.vectors.T], axis=1)
    sudden = np.asarray(np.linalg.norm(motion.vectors - usual, axis=1))
    least_g = max(jolt_g, _JOLT_OF_USUAL * float(np.median(sudden)))
    return [
        MotionCandidate(
            float(motion.time_ms[first]), float(motion.time_ms[last]), "jolt", float(sudden[first : last + 1].max())
        )
        for first, last in _runs(sudden > least_g, motion.time_ms, join_ms=_JOIN_MS)
    ]


def _slowing(positions: Positions, *, brake_g: float) -> list[MotionCandidate]:
    """From speeds alone; fixes further apart than 2 s say nothing of how hard."""
    known = np.isfinite(positions.speed_mps)
    times, speeds = positions.time_ms[known], positions.speed_mps[known]
    if len(times) < 2:
        return []
    gaps_ms = np.diff(times)
    slowing_g = -np.diff(speeds) / (gaps_ms / 1000) / STANDARD_GRAVITY
    # A receiver at 18 Hz is too noisy from fix to fix: over at least half a second.
    if float(np.median(gaps_ms)) < 500:
        speeds = _mean_around(times, speeds, 500.0)
        slowing_g = -np.diff(speeds) / (gaps_ms / 1000) / STANDARD_GRAVITY
    hard = (slowing_g > brake_g) & (gaps_ms <= 2000)
    return [
        MotionCandidate(
            float(times[first]), float(times[last + 1]), "hard_braking", float(slowing_g[first : last + 1].max())
        )
        for first, last in _runs(hard, times[:-1], join_ms=0.0)
    ]


def _fall(positions: Positions, start_ms: float, end_ms: float) -> float:
    """By how many m/s the speed falls around a span of time; 0 where it is not known."""
    near = positions.between(start_ms - _AROUND_MS, end_ms + _AROUND_MS)
    speeds = near.speed_mps[np.isfinite(near.speed_mps)]
    if len(speeds) < 2:
        return 0.0
    return float((np.maximum.accumulate(speeds) - speeds).max())


def _usual_around(time_ms: Floats, values: Floats) -> Floats:
    """Median over `_REST_MS` around each sample: what a short braking does not move."""
    grid = np.arange(time_ms[0], time_ms[-1] + _GRID_MS, _GRID_MS)
    reach = round(_REST_MS / _GRID_MS / 2)
    padded = np.pad(np.interp(grid, time_ms, values), reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    # A median copies what it looks at: a day at once would be hundreds of MB.
    pieces = [np.median(windows[i : i + _PIECE], axis=1) for i in range(0, len(windows), _PIECE)]
    usual = np.concatenate(pieces)
    return np.asarray(np.interp(time_ms, grid, usual), np.float64)


def _mean_around(time_ms: Floats, values: Floats, width_ms: float) -> Floats:
    """Mean of what lies within half of `width_ms` to either side of each sample."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    first = np.searchsorted(time_ms, time_ms - width_ms / 2, "left")
    end = np.searchsorted(time_ms, time_ms + width_ms / 2, "right")
    return np.asarray((total[end] - total[first]) / (end - first), np.float64)


def _runs(chosen: NDArray[np.bool_], time_ms: Floats, *, join_ms: float) -> list[tuple[int, int]]:
    """First and last index of each run of true values; runs closer than `join_ms` are one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    runs = [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]
    joined: list[tuple[int, int]] = runs[:1]
    for (_, before), run in pairwise(runs):
        if time_ms[run[0]] - time_ms[before] <= join_ms:
            joined[-1] = (joined[-1][0], run[1])
        else:
            joined.append(run)
    return joined
