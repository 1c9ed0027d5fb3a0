"""What a single picture looks like, and which parts of the pictures of a clip ever show or change anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Map: TypeAlias = NDArray[np.float32]

#: Width at which everything but sharpness is measured.
WIDTH_PX = 320
#: Sharpness and what the pictures have in common change slowly, and cost the most.
_SLOWLY = 4
_CELLS = (6, 8)
#: Grey levels between neighbours that a sensor in daylight makes up.
_NOISE_LEVELS = 3
_SHADED_ABOVE = 0.2


@dataclass(frozen=True, slots=True)
class Look:
    """One picture, luma 0..1.

    Attributes:
        mean, low, median, high: mean and 5th, 50th, 95th percentile.
        sky, road: median of the upper third; median of the lower half's middle.
        dark, saturated, road_saturated: share of pixels below 0.1, above 0.97, above 0.97 in the lower half.
        horizon_contrast: 5th to 95th percentile in the band around the horizon, where the road is far away.
        road_contrast: the same in the lower half's middle.
        far_dark: 5th percentile in the middle of that band, where what is forty metres away and more is seen.
        sharpness: 0..1; NaN for a picture without gradients.
        change: mean change of a pixel since the picture before; NaN for the first.
    """

    mean: float
    low: float
    median: float
    high: float
    sky: float
    road: float
    dark: float
    saturated: float
    road_saturated: float
    horizon_contrast: float
    road_contrast: float
    far_dark: float
    sharpness: float
    change: float


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Over all pictures of a clip, in a grid of 6 × 8 cells, row by row from the top.

    Attributes:
        detail: mean gradient of each cell once noise is smoothed away, luma a pixel at 320 wide.
        change: standard deviation along time of a cell's pixels, averaged over the cell.
        level: mean luma of each cell.
        histogram: share of pixels in 32 steps from black to white.
    """

    detail: Map
    change: Map
    level: Map
    histogram: Map


class PictureStatistics:
    """Takes the pictures of a clip one after the other; its memory does not grow with their number."""

    def __init__(self) -> None:
        self.small: Picture = np.zeros((1, 1), dtype=np.uint8)
        self._number = self._accumulated = 0
        self._sharpness = float("nan")
        self._histogram = np.zeros(32)
        self._sum: Map = np.zeros((1, 1), dtype=np.float32)
        self._squares, self._gradients = self._sum, self._sum

    def add(self, luma: Picture) -> Look:
        """Measure one picture, up to 640 wide; `small` is then the same at 320."""
        before = self.small
        self.small = small = _halve(luma)
        if before.shape != small.shape:  # the first, or a camera that changed its size on the way
            self._sum, self._squares, self._gradients = (np.zeros(small.shape, np.float32) for _ in range(3))
            self._number = self._accumulated = 0
            change = float("nan")
        else:
            change = float(cv2.norm(small, before, cv2.NORM_L1)) / small.size / 255
        if self._number % _SLOWLY == 0:
            self._sharpness = sharpness(luma)
            self._accumulate(small)
        self._number += 1
        return _look(small, sharpness=self._sharpness, change=change)

    def structure(self) -> Structure:
        """What the pictures so far have in common."""
        mean = self._sum / max(1, self._accumulated)
        deviation = np.sqrt(np.maximum(self._squares / max(1, self._accumulated) - mean * mean, 0.0))
        return Structure(
            detail=_cells(self._gradients / max(1, self._accumulated)),
            change=_cells(deviation),
            level=_cells(mean),
            histogram=(self._histogram / max(1.0, self._histogram.sum())).astype(np.float32),
        )

    def _accumulate(self, small: Picture) -> None:
        self._accumulated += 1
        scaled = small.astype(np.float32) / 255
        cv2.accumulate(scaled, self._sum)
        cv2.accumulateSquare(scaled, self._squares)
        calm = cv2.blur(scaled, (3, 3))
        self._gradients[1:, 1:] += np.abs(calm[1:, 1:] - calm[1:, :-1]) + np.abs(calm[1:, 1:] - calm[:-1, 1:])
        self._histogram += np.bincount(small.ravel() >> 3, minlength=32)


def sharpness(luma: Picture) -> float:
    """How much of a picture's gradients a slight further blur removes: a lot where it is crisp, little where it is not.

    Compares the picture with itself, so it depends little on what is in it. NaN where there is nothing in it, 0 where
    there is light and dark but no edge at all. The first and last rows, where cameras burn in clock and logo, and steps
    as small as noise do not count: both stay crisp in front of the worst lens.

    Source: Crété-Roffet et al., "The blur effect: perception and estimation with a new no-reference perceptual blur
    metric", 2007.
    """
    scene = luma[int(0.08 * luma.shape[0]) : int(0.90 * luma.shape[0])]
    if min(scene.shape) < 16:
        return float("nan")
    kept = []
    for axis, kernel in ((1, (9, 1)), (0, (1, 9))):
        blurred = np.asarray(cv2.blur(scene, kernel), dtype=np.uint8)
        steps = cv2.threshold(_steps(scene, axis), _NOISE_LEVELS, 255, cv2.THRESH_TOZERO)[1]
        lost = cv2.subtract(steps, _steps(blurred, axis))
        total = float(steps.sum(dtype=np.int64))
        if total < 0.1 * scene.size:
            shades = _cumulative(scene)
            return 0.0 if _percentile(shades, 0.95) - _percentile(shades, 0.05) > _SHADED_ABOVE else float("nan")
        kept.append(float(lost.sum(dtype=np.int64)) / total)
    return min(kept)


def _steps(luma: Picture, axis: int) -> Picture:
    if axis == 1:
        return np.asarray(cv2.absdiff(luma[:, 1:], luma[:, :-1]), dtype=np.uint8)
    return np.asarray(cv2.absdiff(luma[1:], luma[:-1]), dtype=np.uint8)


def _halve(luma: Picture) -> Picture:
    height, width = luma.shape
    if width <= WIDTH_PX:
        return luma
    size = (WIDTH_PX, max(1, round(WIDTH_PX * height / width)))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _look(small: Picture, *, sharpness: float, change: float) -> Look:
    height, width = small.shape
    upper = small[: max(1, height // 3)]
    lower = small[height // 2 :]
    ahead = small[int(0.55 * height) : max(int(0.9 * height), 1), width // 4 : max(3 * width // 4, 1)]
    ahead = ahead if ahead.size else lower
    horizon = small[int(0.38 * height) : int(0.62 * height) + 1]
    middle = small[int(0.40 * height) : int(0.52 * height) + 1, int(0.3 * width) : int(0.7 * width) + 1]
    whole = _cumulative(small)
    far, near = _cumulative(horizon), _cumulative(ahead)
    return Look(
        mean=float(small.mean()) / 255,
        low=_percentile(whole, 0.05),
        median=_percentile(whole, 0.50),
        high=_percentile(whole, 0.95),
        sky=_percentile(_cumulative(upper), 0.50),
        road=_percentile(near, 0.50),
        dark=float(whole[25]),
        saturated=1.0 - float(whole[247]),
        road_saturated=1.0 - float(_cumulative(lower)[247]),
        horizon_contrast=_percentile(far, 0.95) - _percentile(far, 0.05),
        road_contrast=_percentile(near, 0.95) - _percentile(near, 0.05),
        far_dark=_percentile(_cumulative(middle), 0.05),
        sharpness=sharpness,
        change=change,
    )


def _cumulative(pixels: Picture) -> NDArray[np.float64]:
    """Share of pixels at or below each of the 256 levels; percentiles from it are ten times as fast as sorting."""
    return np.cumsum(np.bincount(pixels.ravel(), minlength=256)) / max(1, pixels.size)


def _percentile(cumulative: NDArray[np.float64], share: float) -> float:
    return float(np.searchsorted(cumulative, share)) / 255


def _cells(values: NDArray[np.floating]) -> Map:
    rows, columns = _CELLS
    return np.asarray(
        cv2.resize(values.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.float32
    )
