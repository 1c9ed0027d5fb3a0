"""Ego-motion: how the camera itself moved between two pictures, from corners followed by sparse optical flow.

A turning camera moves the whole picture sideways by the same amount, whatever the distance. A camera that drives
forward makes the surroundings grow away from the point it drives towards, near things faster than far ones. So corners
near the middle, which are far away, tell the turn; what is left of the others' movement tells the drive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Vectors: TypeAlias = NDArray[np.float64]

#: Enough corners for a robust fit. Far and near get half each, and within a half they keep apart: left alone, the
#: detector takes the strongest, which crowd where trees meet the sky.
_CORNERS = 100
_APART_PX = 12
MIN_TRACKED = 12
_WINDOW_PX = 13
_LEVELS = 3
#: A corner counts when following it there and back ends within this distance of where it began.
_THERE_AND_BACK_PX = 0.5
#: Below this a corner did not move: three times the tracker's own error on such pictures.
_STILL_PX = 0.15
#: Clock and logo sit in the first and last rows of most dashcams, the bonnet in the last; none moves with the world.
_TOP, _BOTTOM = 0.08, 0.90
#: Corners within this distance of the middle (in widths) are mostly far away and tell the turn.
_FAR_RADIUS = 0.12
#: Growth is read off corners at least this far out: nearer to the middle it drowns in the tracker's error.
_GROWTH_RADIUS = 0.10
_MIN_SIDE_PX = 48
#: Longer between two pictures, and what is followed is chance.
_MAX_GAP_S = 0.5


#: A quarter's movement is the median of its corners.
_MIN_IN_QUARTER = 3
_MIN_QUARTERS = 3
#: Corners of a quarter that really moves as one differ by their distances only. Rain at night does not move as one.
_AGREEING_WIDTHS, _AGREEING_SHARE = 0.003, 0.5

#: Four numbers.
Quarters: TypeAlias = tuple[float, ...]
_NOWHERE: Quarters = (math.nan,) * 4


@dataclass(frozen=True, slots=True)
class Motion:
    """Between two pictures; NaN where it could not be measured.

    Attributes:
        forward: 1/s, growth of the surroundings.
        yaw: widths a second, positive when the camera turns right (the picture moves left).
        shift_x, shift_y: widths by which each quarter of the picture moved right and down from the one to the other,
            its growth taken off: upper left, upper right, lower left, lower right. NaN for a quarter that does not move
            as one.
        still: 0..1, share of the corners that moved no more than the whole picture: a car that stands rocks on its
            springs.
        tracked: corners followed.
    """

    forward: float = math.nan
    yaw: float = math.nan
    shift_x: Quarters = _NOWHERE
    shift_y: Quarters = _NOWHERE
    still: float = math.nan
    tracked: int = 0


class EgoMotion:
    """Takes the pictures of a clip one after the other."""

    def __init__(self) -> None:
        self._before: Picture | None = None
        self._before_s = 0.0

    def update(self, picture: Picture, time_s: float) -> Motion:
        """The motion since the picture before.

        Args:
            picture: luma, shape [height, width], about 320 wide.
            time_s: when it was taken.
        """
        before, gap_s = self._before, time_s - self._before_s
        self._before, self._before_s = picture, time_s
        if before is None or before.shape != picture.shape or min(picture.shape) < _MIN_SIDE_PX:
            return Motion()
        if not 0.0 < gap_s <= _MAX_GAP_S:
            return Motion()
        points, moves_px = _follow(before, picture)
        if len(points) < MIN_TRACKED:
            return _shift_only(before, picture, len(points), gap_s)
        height, width = picture.shape
        # Widths from the middle, and widths a second: what follows does not depend on the size of the picture.
        offsets = (points - (width / 2, height / 2)) / width
        speeds = moves_px / (width * gap_s)
        drift_x, drift_y, growth = _turn(offsets, speeds)
        own_px = moves_px - np.multiply((drift_x, drift_y), width * gap_s)
        agreed = _agreeing(*_quarters(offsets, (speeds - growth * offsets) * gap_s))
        moved, _ = _quarters(offsets, speeds)
        return Motion(
            forward=_growth(offsets, speeds - (drift_x, drift_y)),
            yaw=-_shared_by(moved[:, 0], drift_x),
            shift_x=tuple(agreed[:, 0].tolist()),
            shift_y=tuple(agreed[:, 1].tolist()),
            still=float(np.mean(np.hypot(own_px[:, 0], own_px[:, 1]) < _STILL_PX)),
            tracked=len(points),
        )


def _follow(before: Picture, picture: Picture) -> tuple[Vectors, Vectors]:
    """Corners of `before` and how far each moved, in pixels; only those that also lead back."""
    height = before.shape[0]
    parts: list[NDArray[np.float32]] = []
    for start, end in ((_TOP, 0.5), (0.5, _BOTTOM)):
        top, bottom = int(start * height), int(end * height)
        found = cv2.goodFeaturesToTrack(before[top:bottom], _CORNERS // 2, 0.005, _APART_PX, blockSize=5)
        if found is not None:
            parts.append(found.astype(np.float32) + np.array([0, top], dtype=np.float32))
    nothing = np.empty((0, 2))
    corners = np.concatenate(parts) if parts else None
    if corners is None or len(corners) < MIN_TRACKED:
        return nothing, nothing
    window = (_WINDOW_PX, _WINDOW_PX)
    there, ok, _ = cv2.calcOpticalFlowPyrLK(before, picture, corners, corners.copy(), winSize=window, maxLevel=_LEVELS)
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(picture, before, there, there.copy(), winSize=window, maxLevel=_LEVELS)
    corners, there, back = corners.reshape(-1, 2), there.reshape(-1, 2), back.reshape(-1, 2)
    led_back = np.abs(back - corners).max(axis=1) < _THERE_AND_BACK_PX
    good = (ok.ravel() == 1) & (ok_back.ravel() == 1) & led_back
    return corners[good].astype(np.float64), (there - corners)[good].astype(np.float64)


def _turn(offsets: Vectors, speeds: Vectors) -> tuple[float, float, float]:
    """Drift (right, down, widths a second) and growth (1/s) of the picture: far corners count most.

    Other cars are outliers; they are weighed down by how badly they fit (iteratively reweighted least squares).
    """
    x, y = offsets[:, 0], offsets[:, 1]
    u, v = speeds[:, 0], speeds[:, 1]
    squared = x * x + y * y
    prior = 1.0 / (1.0 + squared / _FAR_RADIUS**2)
    weight = prior
    drift_x = drift_y = growth = 0.0
    terms = np.stack([np.ones_like(x), x, y, squared, u, v, x * u + y * v])
    for _ in range(4):
        w, wx, wy, wr, wu, wv, wg = terms @ weight
        # Both equations of the drift solved for it, put into the growth's; the ridge keeps corners that sit in one
        # spot from dividing by zero.
        growth = (wg - (wx * wu + wy * wv) / w) / (wr - (wx * wx + wy * wy) / w + 1e-9)
        drift_x, drift_y = (wu - growth * wx) / w, (wv - growth * wy) / w
        misfit = np.hypot(u - drift_x - growth * x, v - drift_y - growth * y)
        scale = max(1e-3, 1.5 * float(np.partition(misfit, len(misfit) // 2)[len(misfit) // 2]))
        weight = prior / (1.0 + (misfit / scale) ** 2)
    return float(drift_x), float(drift_y), float(growth)


def _quarters(offsets: Vectors, shifts: Vectors) -> tuple[Vectors, Vectors]:
    """Median shift of each quarter and how far its corners lie off it; NaN where too few corners are in it."""
    which = (offsets[:, 0] > 0).astype(int) + 2 * (offsets[:, 1] > 0)
    middle, off = np.full((4, 2), math.nan), np.full(4, math.nan)
    for quarter in range(4):
        inside = shifts[which == quarter]
        if len(inside) >= _MIN_IN_QUARTER:
            middle[quarter] = np.median(inside, axis=0)
            off[quarter] = np.median(np.hypot(*(inside - middle[quarter]).T))
    return middle, off


def _agreeing(middle: Vectors, off: Vectors) -> Vectors:
    """The quarters' shifts, NaN for those whose corners do not move as one."""
    as_one = off <= np.maximum(_AGREEING_WIDTHS, _AGREEING_SHARE * np.hypot(middle[:, 0], middle[:, 1]))
    return np.where(as_one[:, None], middle, math.nan)


def _shared_by(quarters: Vectors, fitted: float) -> float:
    """The fitted drift, as far as it is one of the whole picture.

    A car that cuts in takes two quarters with it, and the fit; a drive takes left and right apart; a turn takes all the
    same way. Twice the slowest quarter leaves room for a turn while driving.
    """
    known = [value for value in quarters.tolist() if not math.isnan(value)]
    if len(known) < _MIN_QUARTERS:
        return fitted
    same_way = min(known) > 0.0 or max(known) < 0.0
    limit: float = (2.0 if same_way else 1.0) * min(abs(value) for value in known)
    return min(limit, max(-limit, fitted))


def _growth(offsets: Vectors, speeds: Vectors) -> float:
    """How fast the surroundings grow, 1/s: the mean of the upper middle of all corners.

    The lowest two fifths are left out because cars ahead keep their size, the highest fifth because of errors and
    because, where ego stands, up to a fifth of the corners may sit on passing traffic and the growth is still zero.
    """
    squared = (offsets**2).sum(axis=1)
    outer = squared > _GROWTH_RADIUS**2
    if outer.sum() < MIN_TRACKED // 2:
        return math.nan
    growth = np.sort((offsets[outer] * speeds[outer]).sum(axis=1) / squared[outer])
    # By size for a view that shrinks (rear camera), so that both directions are treated alike.
    if np.median(growth) < 0:
        growth = growth[::-1]
    low, high = int(0.4 * len(growth)), int(0.8 * len(growth))
    return float(growth[low : max(high, low + 1)].mean())


def _shift_only(before: Picture, picture: Picture, tracked: int, gap_s: float) -> Motion:
    """Where corners are too few (violent jolt, fog): the shift of the whole picture by phase correlation."""
    if before.std() < 2.0 or picture.std() < 2.0:
        return Motion(tracked=tracked)
    height, width = picture.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (right, down), response = cv2.phaseCorrelate(before.astype(np.float32), picture.astype(np.float32), window)
    # Unrelated pictures correlate at a few per cent.
    if response < 0.15:
        return Motion(tracked=tracked)
    return Motion(
        yaw=-right / width / gap_s, shift_x=(right / width,) * 4, shift_y=(down / width,) * 4, tracked=tracked
    )
