"""Everything at infinity: sky, clouds, hills, far trees and roofs, as one panorama that only pans."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.samples.camera import View, focal_px
from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Image, Rgb, mix, times
from vvlm_desktop.samples.scenario import Scenario

Floats32 = NDArray[np.floating[Any]]


class Panorama:
    """A picture wider and taller than the frame, cropped where the camera looks."""

    def __init__(self, scenario: Scenario, mood: Mood, *, size: tuple[int, int], seed: int) -> None:
        width, height = size
        self._margin_u = int(width * 0.3)
        self._horizon = int(height * 0.62)
        random = np.random.default_rng([seed, 11, 0 if scenario.camera == "front" else 1])
        self.image = _paint(scenario, mood, width + 2 * self._margin_u, self._horizon, focal_px(width), random)

    def draw(self, canvas: Image, view: View) -> int:
        """Copy the sky down to the horizon; returns the first row of the ground."""
        rows = int(np.clip(np.ceil(view.horizon_v), 1, view.height))
        pan = round(view.pan_px - (view.centre_u - view.width / 2))
        left = int(np.clip(self._margin_u + pan, 0, 2 * self._margin_u))
        top = self._horizon - rows
        if top < 0:
            canvas[:-top] = self.image[0, 0]
        canvas[max(0, -top) : rows] = self.image[max(0, top) :, left : left + view.width]
        return rows


def _paint(
    scenario: Scenario, mood: Mood, width: int, horizon: int, focal: float, random: np.random.Generator
) -> Image:
    rise = (np.arange(horizon, 0, -1, dtype=np.float32) / horizon)[:, None, None]
    zenith, low = np.array(mood.zenith, np.float32), np.array(mood.low_sky, np.float32)
    sky = np.repeat(low + (zenith - low) * np.clip(rise, 0, 1) ** 0.62, width, axis=1)
    if scenario.light != "night" and mood.sun > 0.5:
        _sun_glow(sky, at=(width * random.uniform(0.2, 0.4), -horizon * 0.1), strength=46.0)
    if scenario.light == "dusk" and mood.clouds < 1:
        _sun_glow(sky, at=(width * 0.56, horizon * 1.0), strength=70.0)
    if mood.clouds > 0:
        _clouds(sky, mood, horizon, focal, random)
    if scenario.light == "night" and scenario.weather == "clear":
        for _ in range(90):
            y, x = int(random.uniform(0, horizon * 0.8)), int(random.uniform(0, width))
            sky[y, x] += random.uniform(20, 110)
    picture = np.clip(sky, 0, 255).astype(np.uint8)
    _ridges(picture, scenario, mood, horizon, focal, random)
    return picture


def _sun_glow(sky: Floats32, *, at: tuple[float, float], strength: float) -> None:
    height, width = sky.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot(x - at[0], (y - at[1]) * 1.4) / width
    sky += (np.exp(-far * 5.0) * strength)[:, :, None] * np.array([1.0, 0.92, 0.72], np.float32)


def fractal(random: np.random.Generator, size: int, octaves: int, *, first: int = 4) -> Floats32:
    """Tileable noise [size, size] of mean 0 and deviation 1."""
    total = np.zeros((size, size), np.float32)
    weight = 1.0
    for k in range(octaves):
        cells = first << k
        if cells > size:
            break
        grid = random.standard_normal((cells, cells)).astype(np.float32)
        grid = np.pad(grid, 2, mode="wrap")
        scale = size // cells
        big = cv2.resize(grid, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        total += weight * big[2 * scale : 2 * scale + size, 2 * scale : 2 * scale + size]
        weight *= 0.55
    result: Floats32 = (total - total.mean()) / total.std()
    return result


def _clouds(sky: Floats32, mood: Mood, horizon: int, focal: float, random: np.random.Generator) -> None:
    """A layer of clouds in true perspective: a plane of noise above, seen at its distance."""
    height, width = sky.shape[:2]
    noise = fractal(random, 512, 7)
    row = (np.arange(horizon, 0, -1, dtype=np.float32) + focal * 0.035)[:, None]
    far = focal / row
    u = (np.arange(width, dtype=np.float32) - width / 2)[None, :]
    map_x = u / focal * far * 75.0 + 300.0
    map_y = np.repeat(far * 75.0, width, axis=1)
    cover = cv2.remap(noise, np.mod(map_x, 511.0), np.mod(map_y, 511.0), cv2.INTER_LINEAR)
    shade = cv2.remap(noise, np.mod(map_x + 9, 511.0), np.mod(map_y - 12, 511.0), cv2.INTER_LINEAR)
    closed = mood.clouds >= 1.0
    alpha = np.clip((cover + (1.6 if closed else -0.25)) * (0.9 if closed else 0.85), 0, 1)
    alpha *= np.clip(row / (height * 0.12), 0, 1) if not closed else 1.0
    lit = np.clip(0.5 + 0.45 * (cover - shade) - (0.18 * cover if closed else 0.0), 0, 1)[:, :, None]
    cloud = np.array(mood.cloud_dark, np.float32) * (1 - lit) + np.array(mood.cloud_light, np.float32) * lit
    fade = np.clip(1.0 - np.exp(-row / (height * 0.25)), 0.15, 1.0)
    alpha = (alpha * fade * (0.8 if closed else 0.92))[:, :, None]
    sky *= 1 - alpha
    sky += cloud * alpha


def _ridges(
    picture: Image, scenario: Scenario, mood: Mood, horizon: int, focal: float, random: np.random.Generator
) -> None:
    """Hills in three depths, then a far line of trees or roofs."""
    width = picture.shape[1]
    town = scenario.place in ("urban", "suburban", "parking")
    green: Rgb = (66, 88, 62) if scenario.weather != "snow" else (186, 192, 198)
    for depth, (high, distance) in enumerate(((0.075, 5200.0), (0.05, 2400.0), (0.03, 1100.0))):
        line = _ridge_line(random, width, smooth=width / (7 - 2 * depth)) * high * focal * (0.6 if town else 1.0)
        colour = mix(times(green, mood.ambient), mood.haze, _veil(scenario, mood, distance * 0.4))
        _below(picture, horizon - line - 0.003 * focal, colour)
    rough = _ridge_line(random, width, smooth=width / 160) * 0.7 + _ridge_line(random, width, smooth=width / 34) * 0.6
    trees = mix(times((46, 62, 40), mood.ambient), mood.haze, _veil(scenario, mood, 420.0))
    _below(picture, horizon - rough * 0.02 * focal - 0.004 * focal, trees)
    if town and scenario.weather != "fog":
        _roofs(picture, mood, horizon, focal, random)


def _veil(scenario: Scenario, mood: Mood, distance_m: float) -> float:
    """Share of haze in front of the horizon; only fog hides it altogether."""
    return 1.0 if scenario.weather == "fog" else min(0.9, mood.hazy(distance_m))


def _roofs(picture: Image, mood: Mood, horizon: int, focal: float, random: np.random.Generator) -> None:
    x = 0.0
    while x < picture.shape[1]:
        w = random.uniform(0.02, 0.07) * focal
        h = random.uniform(0.012, 0.055) * focal
        grey = random.uniform(0.75, 1.1)
        wall = mix(times((128 * grey, 122 * grey, 116 * grey), mood.ambient), mood.haze, min(0.8, mood.hazy(330.0)))
        a, b = (int(x), int(horizon - h)), (int(x + w), horizon)
        cv2.rectangle(picture, a, b, wall, -1)
        if mood.ambient[0] < 0.5:
            for _ in range(int(w * h / 60)):
                p = (int(random.uniform(a[0] + 1, b[0])), int(random.uniform(a[1] + 1, b[1])))
                cv2.circle(picture, p, 0, (168, 138, 84), -1)
        x += w * random.uniform(0.8, 1.6)


def _ridge_line(random: np.random.Generator, width: int, *, smooth: float) -> Floats32:
    count = max(4, int(width / smooth) + 4)
    grid = random.uniform(0.0, 1.0, (1, count)).astype(np.float32)
    line: Floats32 = np.clip(cv2.resize(grid, (width, 1), interpolation=cv2.INTER_CUBIC)[0], 0, None)
    return line


def _below(picture: Image, line: Floats32, colour: Rgb) -> None:
    height, width = picture.shape[:2]
    points = np.column_stack(
        [
            np.arange(width),
            line,
        ]
    )
    outline = np.vstack([points, [[width, height + 5], [-1, height + 5]]])
    fixed = (outline * 16).round().astype(np.int32)
    cv2.fillPoly(picture, [fixed], colour, cv2.LINE_AA, 4)
