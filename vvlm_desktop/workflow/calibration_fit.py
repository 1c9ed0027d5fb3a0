"""Fits the curve from a model's confidence to how often it is right, and measures it on recordings it did not see.

scikit-learn is imported inside functions: the window applies curves without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.workflow.calibration_pairs import Pair

Method: TypeAlias = Literal["platt", "isotonic"]
Floats: TypeAlias = NDArray[np.float64]

#: Fewer answers than these, and the measured error of the curve is mostly chance: at 100 answers in three bins, a
#: perfect model still seems to be wrong by about four points.
ENOUGH_PAIRS = 100
#: A straight line in log-odds has two parameters; the usual rule is ten of the rarer kind for each.
ENOUGH_OF_EACH = 20
#: Each part of the test is whole recordings, so fewer than this cannot be tested.
ENOUGH_RECORDINGS = 5
#: A curve of free shape needs many points; below, a line in log-odds errs less (Niculescu-Mizil and Caruana, 2005).
ISOTONIC_FROM = 1000
#: A curve that is off by more than this on recordings it did not see is not shown as a percentage.
MOST_ECE = 0.15
_FOLDS = 5
_BIN_ANSWERS, _MOST_BINS = 30, 10
#: Each knot of a curve of free shape rests on so many answers.
_KNOT_ANSWERS = 25
_EPSILON = 1e-4
#: No number of reviews that a fleet makes proves certainty.
_LOWEST, _HIGHEST = 0.01, 0.99
#: A file may hold so many knots; what we write has at most as many as answers, thinned.
MOST_KNOTS = 400


@dataclass(frozen=True, slots=True)
class Measures:
    """How far confidence and truth lie apart.

    Attributes:
        ece: expected calibration error, 0..1: the mean gap between what is claimed and how often it is right.
        brier: mean squared difference, 0..1.
    """

    ece: float
    brier: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted curve and what was measured of it on recordings that each test left out.

    Attributes:
        method: `platt`: the share right is logistic in the log-odds, `knots` then is ((slope, offset),).
            `isotonic`: straight lines between `knots`, (confidence, share right), both ascending.
        answers, right: what it was fitted on.
        before, after: of the bare confidence, and of the curve.
        span: the lowest and the highest confidence that it was fitted on; outside, nothing was tested.
    """

    method: Method
    knots: tuple[tuple[float, float], ...]
    answers: int
    right: int
    recordings: int
    before: Measures
    after: Measures
    span: tuple[float, float] = (0.0, 1.0)

    @property
    def trusted(self) -> bool:
        """Whether its percentages may be shown."""
        return self.after.ece <= MOST_ECE and self.after.brier <= self.before.brier + 0.01

    def covers(self, confidence: float) -> bool:
        """Whether answers as sure as this were among those it was fitted on."""
        return self.span[0] <= confidence <= self.span[1]

    def apply(self, confidence: float) -> float:
        """How often an answer with this confidence is right, 0..1."""
        if self.method == "platt":
            slope, offset = self.knots[0]
            exponent = slope * _log_odds(confidence) + offset
            share = 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, exponent))))
        else:
            share = float(np.interp(confidence, [x for x, _ in self.knots], [y for _, y in self.knots]))
        return min(max(share, _LOWEST), _HIGHEST)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "method": self.method,
            "knots": [list(knot) for knot in self.knots],
            "answers": self.answers,
            "right": self.right,
            "recordings": self.recordings,
            "span": list(self.span),
            "before": {"ece": self.before.ece, "brier": self.before.brier},
            "after": {"ece": self.after.ece, "brier": self.after.brier},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Curve:
        """The inverse of `to_json`; ValueError, KeyError or TypeError for anything that is no curve."""
        knots = tuple((_finite(x), _finite(y)) for x, y in data["knots"])
        lowest, highest = data["span"]
        curve = cls(
            method=data["method"],
            knots=knots,
            answers=_whole(data["answers"]),
            right=_whole(data["right"]),
            recordings=_whole(data["recordings"]),
            before=_measures(data["before"]),
            after=_measures(data["after"]),
            span=(_finite(lowest), _finite(highest)),
        )
        curve._check()
        return curve

    def _check(self) -> None:
        if self.method == "platt":
            good = len(self.knots) == 1 and self.knots[0][0] > 0
        elif self.method == "isotonic":
            ascending = all(x < x2 and y <= y2 for (x, y), (x2, y2) in pairwise(self.knots))
            inside = all(0 <= x <= 1 and 0 <= y <= 1 for x, y in self.knots)
            good = 2 <= len(self.knots) <= MOST_KNOTS and ascending and inside
        else:
            good = False
        in_order = 0 <= self.span[0] <= self.span[1] <= 1
        if not good or not in_order or self.right > self.answers:
            raise ValueError("no curve that this program writes")


def why_not(pairs: Sequence[Pair]) -> str:
    """What is missing before a curve can be fitted, as a sentence; empty where nothing is."""
    right = sum(pair.right for pair in pairs)
    wrong, recordings = len(pairs) - right, len({pair.recording for pair in pairs})
    if len(pairs) < ENOUGH_PAIRS:
        return f"{len(pairs)} of {ENOUGH_PAIRS} reviewed answers"
    if min(right, wrong) < ENOUGH_OF_EACH:
        kind = "wrong" if wrong < right else "right"
        return f"only {min(right, wrong)} {kind} answers; {ENOUGH_OF_EACH} are needed to tell them apart"
    if recordings < ENOUGH_RECORDINGS:
        return f"answers from {recordings} recordings; {ENOUGH_RECORDINGS} are needed to test a curve"
    return ""


def fit_curve(pairs: Sequence[Pair]) -> Curve | None:
    """The curve for these answers, tested by recording; None where confidence does not rise with being right.

    Raises:
        ValueError: too few, see `why_not`.
    """
    if reason := why_not(pairs):
        raise ValueError(f"cannot fit: {reason}")
    method: Method = "isotonic" if len(pairs) >= ISOTONIC_FROM else "platt"
    confidence = np.array([pair.confidence for pair in pairs], dtype=np.float64)
    right = np.array([pair.right for pair in pairs], dtype=np.float64)
    knots = _fit(method, confidence, right)
    if knots is None:
        return None
    held_out = _held_out(method, confidence, right, recordings=[pair.recording for pair in pairs])
    return Curve(
        method=method,
        knots=knots,
        answers=len(pairs),
        right=int(right.sum()),
        recordings=len({pair.recording for pair in pairs}),
        before=measure(confidence, right),
        after=measure(held_out, right),
        span=(float(confidence.min()), float(confidence.max())),
    )


def measure(claimed: Floats, right: Floats) -> Measures:
    """Gap between claim and truth, in bins of equal numbers of answers so that none is mostly chance."""
    bins = max(2, min(_MOST_BINS, len(claimed) // _BIN_ANSWERS))
    order = np.argsort(claimed, kind="stable")
    gaps = [
        len(part) * abs(float(claimed[part].mean()) - float(right[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return Measures(ece=sum(gaps) / len(claimed), brier=float(np.mean((claimed - right) ** 2)))


def _held_out(method: Method, confidence: Floats, right: Floats, *, recordings: Sequence[str]) -> Floats:
    """What curves say that were fitted without the recording in question."""
    claimed = np.empty_like(confidence)
    for train, test in _folds(recordings):
        knots = _fit(method, confidence[train], right[train])
        if knots is None:  # nothing to be learnt from that part: the best guess is how often it is right
            claimed[test] = float(right[train].mean())
            continue
        part = Curve(method, knots, len(train), 0, 0, Measures(0, 0), Measures(0, 0))
        claimed[test] = [part.apply(float(value)) for value in confidence[test]]
    return claimed


def _folds(recordings: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import GroupKFold

    folds = min(_FOLDS, len(set(recordings)))
    yield from GroupKFold(n_splits=folds).split(np.zeros(len(recordings)), groups=np.array(recordings))


def _fit(method: Method, confidence: Floats, right: Floats) -> tuple[tuple[float, float], ...] | None:
    if right.min() == right.max():
        return None
    return _fit_platt(confidence, right) if method == "platt" else _fit_isotonic(confidence, right)


def _fit_platt(confidence: Floats, right: Floats) -> tuple[tuple[float, float], ...] | None:
    from sklearn.linear_model import LogisticRegression

    odds = np.array([_log_odds(float(value)) for value in confidence]).reshape(-1, 1)
    # A weak pull towards 0, so that a part without overlap of right and wrong does not give an infinite slope.
    model = LogisticRegression(C=10.0).fit(odds, right.astype(int))
    slope, offset = float(model.coef_[0][0]), float(model.intercept_[0])
    return ((slope, offset),) if slope > 1e-6 else None


def _fit_isotonic(confidence: Floats, right: Floats) -> tuple[tuple[float, float], ...] | None:
    from sklearn.isotonic import IsotonicRegression

    # Of single answers the curve ends at 0 and 1 wherever the last few happen to be wrong or right.
    parts = np.array_split(np.argsort(confidence, kind="stable"), max(1, len(confidence) // _KNOT_ANSWERS))
    claimed, share = (np.array([float(values[part].mean()) for part in parts]) for values in (confidence, right))
    model = IsotonicRegression(y_min=0.0, y_max=1.0, increasing=True, out_of_bounds="clip").fit(claimed, share)
    knots = [(float(x), float(y)) for x, y in zip(model.X_thresholds_, model.y_thresholds_, strict=True)]
    if len(knots) > MOST_KNOTS:
        kept = np.unique(np.linspace(0, len(knots) - 1, MOST_KNOTS, dtype=int))
        knots = [knots[i] for i in kept]
    return tuple(knots) if len(knots) >= 2 and knots[0][1] < knots[-1][1] else None


def _log_odds(confidence: float) -> float:
    inside = min(max(confidence, _EPSILON), 1.0 - _EPSILON)
    return math.log(inside / (1.0 - inside))


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _measures(data: Mapping[str, Any]) -> Measures:
    ece, brier = _finite(data["ece"]), _finite(data["brier"])
    if not (0 <= ece <= 1 and 0 <= brier <= 1):
        raise ValueError("an error outside 0..1")
    return Measures(ece, brier)
