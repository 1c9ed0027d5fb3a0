"""Drawing primitives on RGB pictures: anti-aliased polygons, sprites with alpha in perspective, light that blooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
Floats = NDArray[np.float64]
Rgb: TypeAlias = tuple[float, float, float]

_SHIFT = 4


def mix(a: Rgb, b: Rgb, amount: float) -> Rgb:
    """Colour between `a` (0) and `b` (1)."""
    keep = 1.0 - amount
    return (a[0] * keep + b[0] * amount, a[1] * keep + b[1] * amount, a[2] * keep + b[2] * amount)


def times(a: Rgb, b: Rgb) -> Rgb:
    """Product of a colour and a light."""
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def fill(canvas: Image, points: Floats, colour: Rgb) -> None:
    """Fill a polygon given in sub-pixels."""
    fixed = (np.clip(points, -6000.0, 9000.0) * (1 << _SHIFT)).round().astype(np.int32)
    cv2.fillPoly(canvas, [fixed], colour, cv2.LINE_AA, _SHIFT)


def fill_soft(canvas: Image, points: Floats, colour: Rgb, *, alpha: float, blur: float = 0.0) -> None:
    """Blend a polygon over the picture with `alpha`, its edge blurred over `blur` pixels: shadows, stains."""
    height, width = canvas.shape[:2]
    pad = int(blur * 2) + 2
    low = np.floor(points.min(axis=0)).astype(int) - pad
    high = np.ceil(points.max(axis=0)).astype(int) + pad
    u0, v0 = max(0, int(low[0])), max(0, int(low[1]))
    u1, v1 = min(width, int(high[0])), min(height, int(high[1]))
    if u1 - u0 < 1 or v1 - v0 < 1:
        return
    mask = np.zeros((v1 - v0, u1 - u0), np.uint8)
    fixed = ((np.clip(points, -6000.0, 9000.0) - (u0, v0)) * (1 << _SHIFT)).round().astype(np.int32)
    cv2.fillPoly(mask, [fixed], (255.0 * alpha,), cv2.LINE_AA, _SHIFT)
    if blur >= 0.7:
        side = int(blur) * 2 + 1
        mask = np.asarray(cv2.blur(cv2.blur(mask, (side, side)), (side, side)), np.uint8)
    roi = canvas[v0:v1, u0:u1]
    over = np.empty_like(roi)
    over[:] = colour
    blend(roi, over, mask)


def blend(roi: Image, over: Image, mask: Image) -> None:
    """Write `over` onto `roi` where `mask` (0..255) says so."""
    alpha = cv2.merge([mask, mask, mask])
    kept = cv2.multiply(roi, cv2.bitwise_not(alpha), scale=1 / 255)
    added = cv2.multiply(over, alpha, scale=1 / 255)
    cv2.add(kept, added, dst=roi)


@dataclass(frozen=True, slots=True)
class Sprite:
    """A picture with alpha, premultiplied, in halving sizes."""

    levels: tuple[Image, ...]

    @classmethod
    def of(cls, rgba: Image) -> Sprite:
        """From straight RGBA; a transparent border is added so that its edges stay smooth."""
        padded = cv2.copyMakeBorder(rgba, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
        alpha = cv2.merge([padded[:, :, 3]] * 3)
        rgb = cv2.multiply(np.ascontiguousarray(padded[:, :, :3]), alpha, scale=1 / 255)
        image = np.dstack([rgb, padded[:, :, 3]]).astype(np.uint8)
        levels: list[Image] = [image]
        while min(levels[-1].shape[:2]) > 6:
            last = levels[-1]
            half = (max(2, last.shape[1] // 2), max(2, last.shape[0] // 2))
            levels.append(np.asarray(cv2.resize(last, half, interpolation=cv2.INTER_AREA), np.uint8))
        return cls(tuple(levels))

    def level_for(self, shrink: float) -> Image:
        """The size that is closest above what is needed."""
        step = 0 if shrink <= 1.0 else int(np.log2(shrink) + 0.35)
        return self.levels[min(step, len(self.levels) - 1)]


def paste(
    canvas: Image,
    sprite: Sprite,
    corners: Floats,
    *,
    light: Rgb = (1.0, 1.0, 1.0),
    haze: Rgb = (0.0, 0.0, 0.0),
    hazy: float = 0.0,
    part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
) -> None:
    """Draw `part` (left, top, right, bottom as fractions) of a sprite into four corners: tl, tr, br, bl.

    Args:
        light: what shines on it, a factor per channel.
        haze: colour of the air, of which `hazy` (0..1) lies in front of it.
    """
    height, width = canvas.shape[:2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    u0, v0 = max(0, int(low[0]) - 1), max(0, int(low[1]) - 1)
    u1, v1 = min(width, int(high[0]) + 3), min(height, int(high[1]) + 3)
    if u1 <= u0 or v1 <= v0 or high[0] - low[0] < 0.3 or high[1] - low[1] < 0.3:
        return
    full = sprite.levels[0]
    wide = (part[2] - part[0]) * full.shape[1] / max(1e-3, float(high[0] - low[0]))
    tall = (part[3] - part[1]) * full.shape[0] / max(1e-3, float(high[1] - low[1]))
    image = sprite.level_for(float(np.sqrt(wide * tall)))
    h, w = image.shape[:2]
    x0, y0, x1, y1 = part[0] * w - 0.5, part[1] * h - 0.5, part[2] * w - 0.5, part[3] * h - 0.5
    source = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    target = (corners - (u0, v0)).astype(np.float32)
    box = (u1 - u0, v1 - v0)
    if abs(target[0, 0] - target[3, 0]) + abs(target[0, 1] - target[1, 1]) + abs(target[3, 1] - target[2, 1]) < 0.02:
        matrix = cv2.getAffineTransform(source[:3], target[:3])
        warped: Any = cv2.warpAffine(image, matrix, box, flags=cv2.INTER_LINEAR)
    else:
        matrix = cv2.getPerspectiveTransform(source, target)
        warped = cv2.warpPerspective(image, matrix, box, flags=cv2.INTER_LINEAR)
    alpha = cv2.extractChannel(warped, 3)
    alpha3 = np.asarray(cv2.merge([alpha, alpha, alpha]), np.uint8)
    rgb = _in_air(warped, alpha3, times(light, (1 - hazy,) * 3), times(haze, (hazy / 255,) * 3))
    roi = canvas[v0:v1, u0:u1]
    kept = cv2.multiply(roi, cv2.bitwise_not(alpha3), scale=1 / 255)
    cv2.add(kept, rgb, dst=roi)


def _in_air(warped: Image, alpha3: Image, light: Rgb, air: Rgb) -> Image:
    """Premultiplied colour in its light, plus the air's colour (for an alpha of 1) where there is something."""
    if alpha3.size < 9000:  # one call is what counts
        tint = np.array([[light[0], 0, 0, air[0]], [0, light[1], 0, air[1]], [0, 0, light[2], air[2]]])
        return np.asarray(cv2.transform(warped, tint), np.uint8)
    rgb = np.asarray(cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB), np.uint8)  # here the pixels are
    if min(light) < 0.98 or max(light) > 1.02:
        rgb = np.asarray(cv2.LUT(rgb, _curve(light)), np.uint8)
    if max(air) > 0.02:
        rgb = np.asarray(cv2.add(rgb, cv2.LUT(alpha3, _curve(air))), np.uint8)
    return rgb


def _curve(factors: Rgb) -> Image:
    curve: Image = np.clip(_LEVELS * np.array(factors, np.float32), 0, 255).astype(np.uint8)
    return curve


_LEVELS = np.arange(256, dtype=np.float32)[:, None, None]


class Glow:
    """Lamps of one frame: collected while drawing, then added with their bloom, at a quarter of the size."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._small = np.zeros((max(2, size[1] // 4), max(2, size[0] // 4), 3), np.uint8)
        self._used = False

    def add(self, centre: tuple[float, float], radius_px: float, colour: Rgb) -> None:
        """A round lamp."""
        r = max(radius_px / 4, 0.4)
        c = (round(centre[0] * 4), round(centre[1] * 4))  # a quarter of a pixel, 4 fractional bits
        if -800 < c[0] < self._size[0] * 4 + 800 and -800 < c[1] < self._size[1] * 4 + 800:
            dim = min(1.0, radius_px / 1.6)
            cv2.circle(self._small, c, round(r * 16), tuple(x * dim for x in colour), -1, cv2.LINE_AA, _SHIFT)
            self._used = True

    def add_shape(self, points: Floats, colour: Rgb) -> None:
        """A lamp of any outline, in pixels of the picture."""
        fill(self._small, points / 4 - 0.375, colour)
        self._used = True

    def hide(self, points: Floats) -> None:
        """Something solid stands before whatever shone here so far."""
        if self._used:
            fill(self._small, points / 4 - 0.375, (0, 0, 0))

    def shine(self, canvas: Image, *, strength: float) -> None:
        """Add the light to the picture."""
        if not self._used:
            return
        k = max(1.0, self._size[0] / 960)
        near = cv2.GaussianBlur(self._small, (0, 0), 1.6 * k)
        far = cv2.GaussianBlur(
            cv2.resize(self._small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), (0, 0), 5.0 * k
        )
        far = cv2.resize(far, (self._small.shape[1], self._small.shape[0]))
        light = cv2.addWeighted(near, 0.75 * strength, far, 1.3 * strength, 0.0)
        whole = cv2.resize(light, self._size, interpolation=cv2.INTER_LINEAR)
        cv2.add(canvas, whole, dst=canvas)
