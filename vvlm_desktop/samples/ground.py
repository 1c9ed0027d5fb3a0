"""The ground of one frame: every pixel below the horizon looks up its place on the road, in bands of fitting detail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.samples.camera import EYE_M, View, focal_px
from vvlm_desktop.samples.mood import Mood, beam_at
from vvlm_desktop.samples.pixels import Image
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.surface import TILE_M, Surface

_EDGES_M = (0.0, 4.5, 6.0, 8.0, 11.0, 15.0, 21.0, 30.0, 45.0, 70.0, 120.0, 100000.0)


@dataclass(frozen=True, slots=True)
class _Band:
    near_m: float
    far_m: float
    half_m: float
    per_m_d: float
    per_m_s: float
    tile: Image


class Ground:
    """Paints the ground; tiles are made once per clip."""

    def __init__(self, surface: Surface, scenario: Scenario, mood: Mood, *, size: tuple[int, int]) -> None:
        self._mood, self._wet, self._size = mood, scenario.wet, size
        focal = focal_px(size[0])
        self._bands = [_make_band(surface, a, b, focal=focal, width=size[0]) for a, b in pairwise(_EDGES_M)]
        self._rows = int(size[1] * 0.72)
        self._light, self._added = self._lighting(focal)
        self._scratch = np.empty((self._rows, size[0]), np.float32), np.empty((self._rows, size[0]), np.float32)

    def draw(self, canvas: Image, view: View, first_row: int, *, junction: tuple[float, float] | None = None) -> None:
        """Fill the canvas from `first_row` down.

        Args:
            junction: (from, to) along the road where another road crosses.
        """
        v = np.arange(first_row, view.height, dtype=np.float64)
        z = view.focal * EYE_M / np.maximum(v - view.horizon_v, 0.25)
        s = view.s + view.facing * z
        offset = view.winding.offset(view.s, np.clip(s, view.s - 400, view.s + 400))
        u = (np.arange(view.width) - view.centre_u) / view.focal
        middle = (view.d - offset + view.facing * math.tan(view.yaw) * z).astype(np.float32)[:, None]
        slope = (view.facing * z).astype(np.float32)[:, None]
        map_d = self._scratch[0][: len(v)]
        map_s = self._scratch[1][: len(v)]
        np.multiply(slope, u.astype(np.float32)[None, :], out=map_d)
        np.add(map_d, middle, out=map_d)
        if junction is not None:
            _open_junction(map_d, s, junction)
        for band in self._bands:
            top = int(np.searchsorted(-z, -band.far_m, side="right"))
            bottom = int(np.searchsorted(-z, -band.near_m, side="right"))
            if bottom <= top:
                continue
            part_d, part_s = map_d[top:bottom], map_s[top:bottom]
            np.add(part_d, np.float32(band.half_m - 0.5 / band.per_m_d), out=part_d)
            np.multiply(part_d, np.float32(band.per_m_d), out=part_d)
            start = math.floor(float(s[top:bottom].min()) / TILE_M) * TILE_M
            rows = (np.minimum(s[top:bottom] - start, 1e6) * band.per_m_s).astype(np.float32)
            if band.far_m > 1000.0:
                rows = np.mod(rows, np.float32(band.tile.shape[0] - 2))
            part_s[:] = rows[:, None]
            out = canvas[first_row + top : first_row + bottom]
            cv2.remap(band.tile, part_d, part_s, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REPLICATE)
        self._shade(canvas[first_row:])

    def _shade(self, ground: Image) -> None:
        rows = ground.shape[0]
        cv2.multiply(ground, self._light[:rows], dst=ground, scale=1 / 128)
        cv2.add(ground, self._added[:rows], dst=ground)

    def _lighting(self, focal: float) -> tuple[Image, Image]:
        """Factor (128 is 1) and added light per ground pixel, by rows below the horizon."""
        mood, width = self._mood, self._size[0]
        below = (np.arange(self._rows, dtype=np.float64) + 0.5)[:, None]
        z = focal * EYE_M / below
        x = (np.arange(width) - width / 2)[None, :] / focal * z
        light = np.ones((self._rows, width, 3)) * np.array(mood.ambient)
        if mood.beams > 0:
            beam = beam_at(x, np.repeat(z, width, axis=1)) * mood.beams * (0.75 if self._wet else 1.0)
            light += beam[:, :, None] * np.array([1.0, 0.96, 0.86])
        hazy = (1.0 - np.exp(-z / mood.sight_m))[:, :, None]
        added = hazy * np.array(mood.haze) * np.ones((1, width, 1))
        light = light * (1 - hazy)
        if self._wet:
            grazing = ((1.0 - EYE_M / np.hypot(z, EYE_M)) ** 3.2)[:, :, None]
            mirror = 0.52 * grazing * (1 - hazy)
            light = light * (1 - mirror)
            added = added + mirror * np.array(mood.low_sky)
        return _bytes(light * 128), _bytes(added)


def _open_junction(map_d: NDArray[np.float32], s: NDArray[np.float64], junction: tuple[float, float]) -> None:
    """Where the other road crosses, show ego's bare lane everywhere, folded so that no edge or line appears."""
    rows = np.flatnonzero((s > junction[0]) & (s < junction[1]))
    if len(rows):
        part = map_d[rows[0] : rows[-1] + 1]
        np.abs(np.mod(part + 1.1, 4.4, out=part) - 2.2, out=part)
        part -= 1.1


def _bytes(values: NDArray[np.float64]) -> Image:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)


def _make_band(surface: Surface, near_m: float, far_m: float, *, focal: float, width: int) -> _Band:
    close = max(near_m, 2.5)
    far = min(far_m, 150.0)
    half_m = min(62.0, far * width / 2 / focal * 1.15 + 6.0 + (far / 30.0) ** 2)
    per_m_d = min(36.0, focal / close * 0.9)
    per_m_s = min(30.0, max(0.35, focal * EYE_M / close**2 * 0.9))
    tile = surface.tile(half_m=half_m, per_m_d=per_m_d, per_m_s=per_m_s)
    per_m_d, per_m_s = tile.shape[1] / (2 * half_m), tile.shape[0] / TILE_M
    span = min(TILE_M, far - near_m if far_m < 1000.0 else 1.0) + 1.0
    extra = math.ceil(span * per_m_s) + 3
    repeated = np.concatenate([tile] * (1 + math.ceil(extra / tile.shape[0])), axis=0)[: tile.shape[0] + extra]
    return _Band(near_m, far_m, half_m, per_m_d, per_m_s, np.ascontiguousarray(repeated))
