"""Numbers of a plot: round ticks, their words, curves thinned to what a screen can show, smoothing. No Qt."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Unit: TypeAlias = Literal["number", "share", "steps"]

_FACTORS = (1.0, 2.0, 2.5, 5.0, 10.0)
_WHOLE_FACTORS = (1.0, 2.0, 5.0, 10.0)
#: Below it, numbers are written with a power of ten.
_TINY = 1e-3
_LONGEST_SMOOTHING = 64


def ticks(low: float, high: float, *, most: int = 6, whole: bool = False) -> list[float]:
    """Round numbers within `low`..`high`, at most about `most`; whole ones for steps."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low] if math.isfinite(low) else []
    rough = span / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    factors = _WHOLE_FACTORS if whole else _FACTORS
    step = next(factor * power for factor in factors if factor * power >= rough * (1 - 1e-9))
    if whole:
        step = max(1.0, round(step))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_words(values: Sequence[float], unit: Unit) -> list[str]:
    """`values` with as many digits as tell them apart, and no more."""
    if unit == "steps":
        return [f"{round(value):,}" for value in values]
    if unit == "share":
        return [f"{100 * value:.0f} %" for value in values]
    step = min((abs(b - a) for a, b in itertools.pairwise(values)), default=abs(values[0]) if values else 1)
    largest = max((abs(value) for value in values), default=1.0)
    if largest < _TINY * 10:
        return ["0" if value == 0 else _with_power(value) for value in values]
    if largest >= 1e6:
        return [f"{value:.3g}" for value in values]
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 2
    if step > 0 and abs(step * 10**digits - round(step * 10**digits)) > 1e-6:
        digits += 1  # steps of 2.5
    return [f"{value:,.{digits}f}" for value in values]


def number_words(value: float, unit: Unit) -> str:
    """One value to be read."""
    if not math.isfinite(value):
        return "no number"
    if unit == "steps":
        return f"{round(value):,}"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if value != 0 and abs(value) < _TINY:
        return _with_power(value)
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"


def _with_power(value: float) -> str:
    digits, _, power = f"{value:.2e}".partition("e")
    return f"{float(digits):g}e{int(power)}"


def as_arrays(points: Sequence[tuple[int, float]]) -> tuple[Floats, Floats]:
    """Steps and values, without values that are no numbers."""
    if not points:
        return np.empty(0), np.empty(0)
    table = np.array(points, dtype=np.float64)
    kept = table[np.isfinite(table[:, 1])]
    return np.ascontiguousarray(kept[:, 0]), np.ascontiguousarray(kept[:, 1])


def thinned(xs: Floats, ys: Floats, *, low: float, high: float, columns: int) -> tuple[Floats, Floats]:
    """What a screen of `columns` pixels shows of a curve within `low`..`high`: first, least, most and last of each.

    One point beyond each end is kept, so that lines run to the edge. `xs` rise.
    """
    start = max(0, int(np.searchsorted(xs, low, side="left")) - 1)
    end = min(len(xs), int(np.searchsorted(xs, high, side="right")) + 1)
    xs, ys = xs[start:end], ys[start:end]
    if len(xs) <= 4 * columns or high <= low:
        return xs, ys
    place = np.floor((xs - low) * (columns / (high - low)))
    first = np.concatenate(([0], np.flatnonzero(np.diff(place)) + 1))
    last = np.concatenate((first[1:] - 1, [len(xs) - 1]))
    least, most = np.minimum.reduceat(ys, first), np.maximum.reduceat(ys, first)
    across = np.stack((xs[first], xs[first], xs[first], xs[last]), axis=1).ravel()
    return across, np.stack((ys[first], least, most, ys[last]), axis=1).ravel()


def smoothed(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """A running mean in which older points fade; over the more points the more there are, in powers of two."""
    if len(points) < 4:
        return list(points)
    span = min(_LONGEST_SMOOTHING, 2 ** max(1, int(math.log2(len(points))) - 4))
    keep = 1 - 2 / (span + 1)
    mean, weight = 0.0, 0.0
    result = []
    for step, value in points:
        if not math.isfinite(value):
            continue
        mean, weight = keep * mean + (1 - keep) * value, keep * weight + (1 - keep)
        result.append((step, mean / weight))
    return result


def value_at(xs: Floats, ys: Floats, step: float) -> tuple[int, float] | None:
    """The last known point at `step` or before; None where there is none yet."""
    place = int(np.searchsorted(xs, step, side="right")) - 1
    return (int(xs[place]), float(ys[place])) if place >= 0 else None


def value_range(ys: Sequence[Floats]) -> tuple[float, float]:
    """Least and most over all curves with some air; one number alone gets room around it."""
    parts = [each for each in ys if len(each)]
    if not parts:
        return 0.0, 1.0
    low, high = min(float(each.min()) for each in parts), max(float(each.max()) for each in parts)
    if high - low < 1e-12 * max(1.0, abs(high)):
        room = abs(high) * 0.1 or 1.0
        return low - room, high + room
    room = (high - low) * 0.06
    return (0.0 if 0 <= low < room * 4 else low - room), high + room
