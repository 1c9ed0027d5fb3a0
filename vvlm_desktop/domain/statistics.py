"""How far chance alone could have moved a number. Plain Python, no I/O."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

_Z_95 = 1.959963984540054
_RESAMPLES = 1000
_T = TypeVar("_T")


def wilson(right: int, total: int) -> tuple[float, float]:
    """95 % interval of a share; (0, 1) of nothing."""
    if total == 0:
        return 0.0, 1.0
    share, z2 = right / total, _Z_95 * _Z_95
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z_95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(only_one: int, only_other: int) -> float:
    """Exact two-sided p that two answerers who differ so often are equally good; 1 where they never differ."""
    total = only_one + only_other
    if total == 0:
        return 1.0
    tail = sum(math.comb(total, k) for k in range(min(only_one, only_other) + 1)) / (1 << total)
    return min(1.0, 2 * tail)


def bootstrapped(
    rows: Sequence[_T], measure: Callable[[Sequence[_T]], float], *, level: float = 0.05, resamples: int = _RESAMPLES
) -> tuple[float, float, float]:
    """A measure with its `1 - level` interval over resampled rows; the same rows give the same interval.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("nothing to resample")
    chance = random.Random(0)  # noqa: S311 - resampling, not secrets
    found = sorted(measure(chance.choices(rows, k=len(rows))) for _ in range(resamples))
    low = found[math.floor(level / 2 * (resamples - 1))]
    high = found[math.ceil((1 - level / 2) * (resamples - 1))]
    return measure(rows), low, high


def p_in_words(p_value: float | None) -> str:
    """A probability as it is shown everywhere; very small ones are not zero."""
    if p_value is None:
        return "–"
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"
