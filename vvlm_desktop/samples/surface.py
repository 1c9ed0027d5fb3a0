"""What the ground looks like: a strip along the road, painted at any resolution, that repeats every `TILE_M` metres."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.road import Line, Road
from vvlm_desktop.samples.scenario import Scenario

Floats = NDArray[np.floating[Any]]

TILE_M = 24.0
#: Width of a parking bay; nine fit into a tile.
BAY_M = TILE_M / 9
_HALF_M = 64.0
#: (cell along s, cell along d, amplitude on asphalt, amplitude on grass) in metres and grey levels
_OCTAVES = (
    (0.05, 0.035, 11.0, 24.0),
    (0.25, 0.2, 3.5, 17.0),
    (1.2, 0.8, 3.0, 12.0),
    (6.0, 2.6, 4.0, 9.0),
    (16.0, 1.1, 3.2, 5.0),
)
_FINE_PERIOD_M = 7.0


class Surface:
    """Noise and colours of one place; `tile` paints a piece of it."""

    def __init__(self, road: Road, scenario: Scenario, mood: Mood, *, seed: int) -> None:
        self._road, self._scenario, self._mood = road, scenario, mood
        random = np.random.default_rng([seed, 5])
        self._grids: list[Floats] = []
        for along, across, _, _ in _OCTAVES:
            wide = _FINE_PERIOD_M if across < 0.1 else 2 * _HALF_M
            shape = (max(2, round(TILE_M / along)), max(2, round(wide / across)))
            self._grids.append(random.standard_normal(shape).astype(np.float32))
        self._cracks = _cracks(random, road)

    def tile(self, *, half_m: float, per_m_d: float, per_m_s: float) -> NDArray[np.uint8]:
        """RGB [s, d, 3] of d from -half_m to half_m and s from 0 to `TILE_M`."""
        shape = (max(1, round(TILE_M * per_m_s)), max(2, round(2 * half_m * per_m_d)))
        d = ((np.arange(shape[1], dtype=np.float32) + 0.5) / per_m_d - half_m)[None, :]
        asphalt_noise, grass_noise = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        edge = np.zeros(shape, np.float32)
        for grid, (along, across, on_asphalt, on_grass) in zip(self._grids, _OCTAVES, strict=True):
            layer = _stretch(grid, shape, along=along, across=across, half_m=half_m, per_m=(per_m_s, per_m_d))
            if layer is None:
                continue
            asphalt_noise += on_asphalt * layer
            grass_noise += on_grass * layer
            edge += (0.05 if across < 1 else 0.12) * layer * (across > 0.1)
        pixel = 1.0 / per_m_d
        image = self._asphalt(d, asphalt_noise, pixel)
        self._sides(image, d, edge, grass_noise, pixel)
        self._paint_lines(image, d, asphalt_noise, per_m_s, pixel)
        return np.clip(image, 0, 255).astype(np.uint8)

    def _asphalt(self, d: Floats, noise: Floats, pixel: float) -> Floats:
        base = np.array((92.0, 92.0, 95.0), np.float32)
        if self._scenario.weather == "rain":
            base = np.array((62.0, 64.0, 68.0), np.float32)
        tracks = np.zeros_like(d)
        for lane in (*self._road.lanes, *self._road.oncoming):
            for side in (-0.82, 0.82):
                tracks += np.exp(-(((d - lane - side) / 0.32) ** 2))
            tracks += 0.55 * np.exp(-(((d - lane) / 0.25) ** 2))
        grey = noise - 7.0 * tracks
        if self._scenario.weather == "snow":
            grey = grey + 70.0 * np.clip(1.0 - 0.8 * tracks, 0.2, 1) + noise
        cracked = _sample_cracks(self._cracks, noise.shape, d, pixel)
        image: Floats = base[None, None, :] + (grey * (1 - 0.4 * cracked) - 34.0 * cracked)[:, :, None]
        return image

    def _sides(self, image: Floats, d: Floats, edge: Floats, noise: Floats, pixel: float) -> None:
        road = self._road
        grass = np.array((93.0, 114.0, 58.0), np.float32)
        if self._scenario.weather == "snow":
            grass = np.array((214.0, 218.0, 224.0), np.float32)
            noise = noise * 0.35
        dirt = np.array((132.0, 120.0, 98.0), np.float32)
        tint = np.array((1.0, 0.92, 0.62), np.float32)
        outside = np.maximum(d - road.right, road.left - d)
        for left, right in road.medians:
            outside = np.maximum(outside, np.minimum(d - left, right - d))
        verge = outside + edge
        if road.edge == "grass":
            _lay(image, dirt + noise[:, :, None] * 0.7, verge, 0.0, soft=pixel + 0.12)
            _lay(image, grass + noise[:, :, None] * tint, verge, 0.55, soft=pixel + 0.5)
            return
        slab = np.array((158.0, 154.0, 147.0) if road.edge == "pavement" else (146.0, 142.0, 134.0), np.float32)
        wide = 3.4 if road.edge == "pavement" else 2.0
        kerb = np.array((178.0, 176.0, 172.0), np.float32)
        gutter = np.array((70.0, 70.0, 72.0), np.float32)
        rows = image.shape[0]
        s = (np.arange(rows, dtype=np.float32) + 0.5)[:, None] * (TILE_M / rows)
        joints = _stripe(np.mod(s, 1.0) - 0.5, 0.03, TILE_M / rows) + _stripe(np.mod(outside, 1.1) - 0.5, 0.03, pixel)
        _lay(image, gutter + noise[:, :, None] * 0.2, outside + 0 * edge, -0.25, soft=pixel)
        _lay(image, kerb + noise[:, :, None] * 0.25, outside + 0 * edge, 0.0, soft=pixel)
        _lay(image, slab + (noise * 0.28 - 22 * joints)[:, :, None], outside + 0 * edge, 0.18, soft=pixel)
        beyond = grass if road.edge == "yard" else np.array((132.0, 128.0, 121.0), np.float32)
        colourful = tint if road.edge == "yard" else np.float32(0.4)
        _lay(image, beyond + noise[:, :, None] * colourful, outside + 0.3 * edge, wide, soft=pixel + 0.1)

    def _paint_lines(self, image: Floats, d: Floats, noise: Floats, per_m_s: float, pixel: float) -> None:
        rows = image.shape[0]
        s = ((np.arange(rows, dtype=np.float32) + 0.5) / per_m_s)[:, None]
        fresh = 0.25 if self._scenario.weather == "snow" else 1.0
        for line in self._road.lines:
            near = np.flatnonzero(np.abs(d[0] - line.d) < line.width / 2 + pixel)
            if not len(near):
                continue
            columns = slice(near[0], near[-1] + 1)
            cover = _stripe(d[:, columns] - line.d, line.width, pixel) * _dashes(s, line, 1.0 / per_m_s)
            alpha = (fresh * cover * np.clip(0.9 - 0.012 * noise[:, columns], 0.35, 1.0))[:, :, None]
            colour = np.array((214, 176, 62) if line.yellow else (222, 222, 214), np.float32)
            part = image[:, columns]
            part += alpha * (colour - part)
        if self._road.scene == "parking":
            along = _stripe(np.mod(s, BAY_M) - BAY_M / 2, 0.12, 1.0 / per_m_s)
            bays = along * ((np.abs(d + 1.7) > 7.6) & (np.abs(d + 1.7) < 12.8))
            image += (fresh * bays)[:, :, None] * (np.array((210, 210, 204), np.float32) - image)


def _lay(image: Floats, over: Floats, distance: Floats, start: float, *, soft: float) -> None:
    """Cover `image` by `over` where `distance` exceeds `start`."""
    alpha = np.clip((distance - start) / soft + 0.5, 0, 1)[:, :, None]
    image += (over - image) * alpha


def _stripe(offset: Floats, width: float, pixel: float) -> Floats:
    """How much of each pixel a stripe of `width` around 0 covers."""
    cover: Floats = np.clip((width / 2 - np.abs(offset)) / pixel + 0.5, 0, 1) * min(1.0, width / pixel)
    return cover


def _dashes(s: Floats, line: Line, pixel: float) -> Floats:
    if not line.dash_m:
        return np.ones_like(s)
    phase = np.mod(s, line.period_m) - line.period_m / 2
    cover: Floats = np.clip((line.dash_m / 2 - np.abs(phase)) / pixel + 0.5, 0, 1)
    return cover


def _stretch(
    grid: Floats, shape: tuple[int, int], *, along: float, across: float, half_m: float, per_m: tuple[float, float]
) -> Floats | None:
    """Noise of a given cell size on the wanted raster, None where a pixel is larger than its cells."""
    step_s, step_d = 1 / per_m[0] / along, 1 / per_m[1] / across
    if step_d > 2.0 or step_s > 12.0:
        return None
    fade = 1.0 / max(1.0, step_s) ** 0.5
    if step_s > 1.0:  # average what falls into one pixel, or far noise flickers
        grid = np.asarray(cv2.resize(grid, (grid.shape[1], shape[0]), interpolation=cv2.INTER_AREA))
        fade, step_s = 1.0, 1.0
    start = (_HALF_M - half_m) / across
    matrix = np.array([[step_d, 0.0, start], [0.0, step_s, 0.0]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    layer = cv2.warpAffine(grid, matrix, (shape[1], shape[0]), flags=flags, borderMode=cv2.BORDER_WRAP)
    return np.asarray(layer * fade, np.float32)


_CRACKS_PER_M = 16


def _cracks(random: np.random.Generator, road: Road) -> Floats:
    """Cracks and tar seams as a mask over d -20..20 m."""
    mask = np.zeros((int(TILE_M * _CRACKS_PER_M), 40 * _CRACKS_PER_M), np.uint8)
    left, right = max(-19.0, road.left), min(19.0, road.right)
    for _ in range(13):
        at = np.array([random.uniform(left, right), random.uniform(2, TILE_M - 8)])
        angle = random.choice((0.0, 1.57)) + random.normal(0, 0.2)
        points = [at]
        for _ in range(int(random.uniform(6, 22))):
            angle += random.normal(0, 0.16)
            points.append(points[-1] + 0.3 * np.array([np.cos(angle), np.sin(angle)]))
        line = np.array(points)
        line[:, 0] = np.clip(line[:, 0], left + 0.1, right - 0.1)
        fixed = ((line + np.array([20.0, 0.0])) * _CRACKS_PER_M * 16).round().astype(np.int32)
        strength = float(random.uniform(60, 210))
        cv2.polylines(mask, [fixed], isClosed=False, color=(strength,), thickness=1, lineType=cv2.LINE_AA, shift=4)
    for _ in range(2):  # patches of newer asphalt
        x, y = random.uniform(left, right - 2), random.uniform(0, TILE_M - 7)
        w, h = random.uniform(1.0, 2.2), random.uniform(2, 6)
        a = (int((x + 20) * _CRACKS_PER_M), int(y * _CRACKS_PER_M))
        b = (int((x + w + 20) * _CRACKS_PER_M), int((y + h) * _CRACKS_PER_M))
        part = mask[a[1] : b[1], a[0] : b[0]]
        np.maximum(part, 62, out=part)
    return mask.astype(np.float32) / 255


def _sample_cracks(mask: Floats, shape: tuple[int, ...], d: Floats, pixel: float) -> Floats:
    rows = np.asarray(cv2.resize(mask, (mask.shape[1], shape[0]), interpolation=cv2.INTER_AREA))
    if pixel * _CRACKS_PER_M > 1.5:
        rows = np.asarray(cv2.blur(rows, (int(pixel * _CRACKS_PER_M) | 1, 1)))
    map_x = np.repeat((d + 20) * _CRACKS_PER_M - 0.5, shape[0], axis=0).astype(np.float32)
    map_y = np.repeat(np.arange(shape[0], dtype=np.float32)[:, None], shape[1], axis=1)
    return np.asarray(cv2.remap(rows, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)
