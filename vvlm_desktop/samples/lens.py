"""The state of the lens: drops on the glass, dirt, something in front of it, out of focus."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Image
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.sky import fractal


class Lens:
    """Applies the state of the lens to every frame."""

    def __init__(self, scenario: Scenario, mood: Mood, *, size: tuple[int, int], seed: int) -> None:
        self._state, self._size = scenario.lens, size
        random = np.random.default_rng([seed, 31])
        width, height = size
        if self._state == "obscured":
            self._cover, self._dirt = _mud(random, mood, width, height)
        elif self._state == "dirty":
            self._cover, self._dirt = _dust(random, mood, width, height)
        elif self._state == "wet":
            self._drops = _drops(random, width, height)

    def apply(self, canvas: Image) -> None:
        """Change the picture in place."""
        state = self._state
        if state == "unfocused":
            canvas[:] = cv2.GaussianBlur(canvas, (0, 0), self._size[0] / 960 * 7.0)
        elif state in ("obscured", "dirty"):
            small = cv2.resize(canvas, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
            soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), 2.2), self._size, interpolation=cv2.INTER_LINEAR)
            behind = cv2.addWeighted(soft, 0.3, self._dirt, 0.7, 0.0)
            canvas[:] = cv2.blendLinear(behind, canvas, self._cover, 1.0 - self._cover)
        elif state == "wet":
            self._refract(canvas)

    def _refract(self, canvas: Image) -> None:
        """Every drop shows the scene small, upside down and brighter above."""
        source = canvas.copy()
        height, width = canvas.shape[:2]
        for (u, v, r), disc, shine in self._drops:
            u0, v0, side = u - r, v - r, 2 * r + 1
            wide = min(width, side * 5)
            a = min(max(0, u - wide // 2), width - wide)
            tall = min(height, side * 4)
            b = min(max(0, v - tall // 2), height - tall)
            inside = cv2.resize(source[b : b + tall, a : a + wide], (side, side), interpolation=cv2.INTER_AREA)
            inside = cv2.add(cv2.flip(inside, -1), shine)
            roi = canvas[v0 : v0 + side, u0 : u0 + side]
            roi[:] = cv2.blendLinear(inside, roi, disc, 1.0 - disc)


_Drop = tuple[tuple[int, int, int], NDArray[np.float32], Image]


def _drops(random: np.random.Generator, width: int, height: int) -> list[_Drop]:
    drops: list[_Drop] = []
    for _ in range(46):
        r = max(1, int(random.gamma(2.2, 2.6) * width / 960) + 1)
        if width < 2 * r + 4 or height < 2 * r + 4:
            continue
        u, v = int(random.integers(r + 1, width - r - 1)), int(random.integers(r + 1, height - r - 1))
        y, x = np.mgrid[-r : r + 1, -r : r + 1].astype(np.float32) / (r + 0.3)
        far = np.hypot(x * 1.08, y)
        disc = np.clip((1.0 - far) * r * 0.9, 0, 1).astype(np.float32) * 0.9
        rim = np.clip(26 * np.exp(-(((y + 0.45) ** 2 + (x + 0.2) ** 2) * 6)) + 8 * (far > 0.8), 0, 255)
        shine = np.repeat(rim[:, :, None], 3, axis=2).astype(np.uint8)
        drops.append(((u, v, r), disc, shine))
    return drops


def _mud(random: np.random.Generator, mood: Mood, width: int, height: int) -> tuple[NDArray[np.float32], Image]:
    """Cover over four fifths of the picture; a ragged window stays at the upper left."""
    noise = cv2.resize(fractal(random, 256, 6, first=2), (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    gap = np.hypot((x / width - 0.19) / 0.25, (y / height - 0.3) / 0.36)
    cover = np.clip((gap - 0.75) * 1.5 + noise * 0.17, 0, 1)
    cover = np.clip(cover * 1.25, 0, 0.97).astype(np.float32)
    return np.ascontiguousarray(cover), _brown(random, mood, noise, width, height)


def _dust(random: np.random.Generator, mood: Mood, width: int, height: int) -> tuple[NDArray[np.float32], Image]:
    """A film of dust with smears where a wiper has been."""
    noise = cv2.resize(fractal(random, 256, 6, first=4), (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    arc = np.hypot(x / width - 0.35, (y / height - 1.35) * 0.7)
    smear = 0.5 + 0.5 * np.sin(arc * 90 + noise * 1.3)
    cover = 0.22 + 0.12 * noise + 0.1 * smear
    for _ in range(70):
        u, v, r = random.uniform(0, width), random.uniform(0, height), random.gamma(2.0, 3.0) * width / 960 + 1
        cover += 0.5 * np.exp(-(((x - u) ** 2 + (y - v) ** 2) / (r * r)))
    return np.clip(cover, 0, 0.85).astype(np.float32), _brown(random, mood, noise, width, height)


def _brown(random: np.random.Generator, mood: Mood, noise: NDArray[Any], width: int, height: int) -> Image:
    grain = random.normal(0, 4, (height, width)).astype(np.float32)
    bright = max(0.25, mood.ambient[0])
    level = (1.0 + 0.13 * noise + grain / 100)[:, :, None] * np.array([104.0, 92.0, 76.0], np.float32) * bright
    return np.clip(level, 0, 255).astype(np.uint8)
