"""What falls through the air, and what a wet road throws back."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vvlm_desktop.samples.camera import EYE_M, View
from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Image, Rgb
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.vehicles import Solid


class Falling:
    """Rain streaks or snow flakes, placed in three dimensions and drawn where they move during one exposure."""

    def __init__(self, scenario: Scenario, mood: Mood, *, seed: int) -> None:
        self._snow = scenario.weather == "snow"
        self._on = scenario.weather in ("rain", "snow")
        self._random = np.random.default_rng([seed, 21])
        self._mood = mood
        self._count = 260 if scenario.weather == "rain" else 520

    def draw(self, canvas: Image, view: View, *, speed: float) -> None:
        """Add this frame's drops."""
        if not self._on:
            return
        n = self._count
        z = self._random.uniform(1.0, 5.0, n) ** 1.5
        x = self._random.uniform(-1, 1, n) * z * 0.9
        h = EYE_M + self._random.uniform(-0.62, 0.62, n) * z * 0.95
        fall, exposure = (1.6, 0.005) if self._snow else (8.0, 0.009)
        run = speed * exposure * view.facing
        z2 = np.maximum(z - run, 0.5)
        a = view.to_pixels(x, z, h)
        b = view.to_pixels(x, z2, h - fall * exposure)
        layer = np.zeros(canvas.shape[:2], np.uint8)
        lamp = 0.55 if self._mood.ambient[0] < 0.3 else 1.0
        glint = (105.0 if self._snow else 92.0) * lamp / (0.8 + 0.12 * z)
        flakes = np.maximum(1, (view.focal * 0.006 / z).round()).astype(int) if self._snow else np.ones(n, int)
        starts, ends = (a * 8).round().astype(int), (b * 8).round().astype(int)
        for p, q, light, thick in zip(starts.tolist(), ends.tolist(), glint.tolist(), flakes.tolist(), strict=True):
            cv2.line(layer, p, q, (light,), thick, cv2.LINE_AA, 3)
        cv2.add(canvas, cv2.merge([layer, layer, layer]), dst=canvas)


class WetRoad:
    """Mirror images on a wet road: the bodies of vehicles, blurred and dim, and streaks below their lamps."""

    def __init__(self, scenario: Scenario, mood: Mood) -> None:
        self.on = scenario.wet
        self._mood = mood
        self._dark = mood.ambient[0] < 0.3

    def mirror(self, canvas: Image, view: View, solids: list[Solid]) -> None:
        """Mirror each vehicle in the road below it."""
        if not self.on:
            return
        for solid in solids:
            near = solid.z - solid.reach
            if near < 3.0 or near > 70 or abs(math.sin(solid.turn)) > 0.5:
                continue
            scale = view.focal / near
            base = int(view.horizon_v + EYE_M * scale)
            half, tall = int(scale), int(scale * 1.1)
            u = int(view.centre_u + solid.x * scale)
            u0, u1 = max(0, u - half), min(view.width, u + half)
            rows = min(tall, view.height - base - 1, base)
            if u1 - u0 < 4 or rows < 4:
                continue
            image = cv2.flip(canvas[base - rows : base, u0:u1], 0)
            image = cv2.blur(image, (max(1, half // 9), max(1, half // 3)))
            roi = canvas[base : base + rows, u0:u1]
            fade = np.linspace(0.42, 0.0, rows, dtype=np.float32)[:, None] * np.ones((1, u1 - u0), np.float32)
            edge = np.hanning(u1 - u0 + 2)[1:-1].astype(np.float32) ** 0.5
            weight = fade * edge[None, :]
            roi[:] = cv2.blendLinear(image, roi, weight, 1 - weight)

    def streaks(self, canvas: Image, solids: list[Solid]) -> None:
        """Long reflections of lamps."""
        if not self.on:
            return
        height, width = canvas.shape[0] // 2, canvas.shape[1] // 2
        layer = np.zeros((height, width, 3), np.uint8)
        gain = 0.34 if self._dark else 0.12
        for solid in solids:
            for (u, v), above, wide, colour in solid.lamps_on_wet():
                _streak(layer, (u / 2, v / 2), above / 2, wide / 2, colour, gain)
        soft = cv2.GaussianBlur(layer, (0, 0), 1.4 * width / 480, sigmaY=5.0 * width / 480)
        cv2.add(canvas, cv2.resize(soft, (canvas.shape[1], canvas.shape[0])), dst=canvas)


def _streak(layer: Image, at: tuple[float, float], above: float, wide: float, colour: Rgb, gain: float) -> None:
    """A vertical smear that starts below the wheels and runs towards the lens."""
    length = 1.2 * above + 26.0 * layer.shape[1] / 480
    steps = 5
    for k in range(steps):
        y0, y1 = at[1] + length * k / steps, at[1] + length * (k + 1) / steps
        fade = gain * (1 - k / steps) ** 1.3
        a = (round((at[0] - wide / 2) * 8), round(y0 * 8))
        b = (round((at[0] + wide / 2) * 8), round(y1 * 8))
        cv2.rectangle(layer, a, b, tuple(c * fade for c in colour), -1, cv2.LINE_8, 3)
