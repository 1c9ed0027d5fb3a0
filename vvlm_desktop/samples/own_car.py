"""What the camera always sees: ego's bonnet or boot, the frame of the window, and the stamp in the corner."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import cv2
import numpy as np

from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Image, Rgb, Sprite, mix, paste, times
from vvlm_desktop.samples.scenario import Light, Scenario

_HOURS: dict[Light, tuple[int, int]] = {"day": (9, 15), "dusk": (18, 18), "night": (21, 23)}


class OwnCar:
    """Bonnet (front camera) or boot edge (rear camera), fixed in the picture."""

    def __init__(self, scenario: Scenario, mood: Mood, *, size: tuple[int, int]) -> None:
        width, height = size
        self._sprite = Sprite.of(_bonnet(scenario, mood, width, height))
        self._corners = np.array([[-1, -1], [width, -1], [width, height], [-1, height]], np.float64)
        tall = self._sprite.levels[0].shape[0] - 2
        self._corners[:2, 1] = height - tall

    def draw(self, canvas: Image) -> None:
        """Paint it over the scene."""
        paste(canvas, self._sprite, self._corners)


def _bonnet(scenario: Scenario, mood: Mood, width: int, height: int) -> Image:
    """RGBA of the lower part of the picture."""
    tall = int(height * (0.135 if scenario.camera == "front" else 0.1))
    x = np.linspace(-1, 1, width)[None, :]
    y = (np.arange(tall)[:, None] + 0.5) / tall
    rise = 0.16 + 0.5 * np.abs(x) ** 2.6 if scenario.camera == "front" else 0.38 + 0.1 * np.abs(x) ** 3
    depth = (y - rise) / (1 - rise)
    alpha = np.clip((y - rise) * tall / 1.3 + 0.5, 0, 1)
    paint: Rgb = (52, 60, 72) if scenario.camera == "front" else (30, 31, 34)
    bright = max(mood.ambient[0], 0.12)
    base = np.array(times(paint, (bright, bright, bright)))
    sky = np.array(mix(mood.low_sky, mood.zenith, 0.4))
    # A lacquered bonnet mirrors the sky most where it is seen at a grazing angle, near its edge.
    mirror = np.clip(np.exp(-depth * 3.2) * 0.5 + 0.08, 0, 1) * (1 - 0.5 * np.abs(x) ** 2)
    mirror = mirror * (1.0 if scenario.camera == "front" else 0.25)
    crease = np.exp(-(((np.abs(x) - 0.52 - 0.12 * depth) / 0.012) ** 2)) * 0.22
    image = base * (1 - mirror[..., None]) + sky * mirror[..., None] + (sky - base) * crease[..., None]
    image = image * (1 - 0.35 * np.clip(depth, 0, 1))[..., None]
    edge = np.exp(-(((y - rise) * tall / 2.2) ** 2))[..., None]
    image = image * (1 - 0.45 * edge)
    return np.dstack([np.clip(image, 0, 255), alpha * 255]).astype(np.uint8)


class Stamp:
    """Date, time and the word SIMULATED, as dash cameras burn them in."""

    def __init__(self, scenario: Scenario, *, seed: int, size: tuple[int, int]) -> None:
        random = Random(f"stamp {seed}")  # noqa: S311 - a date, not a secret
        low, high = _HOURS[scenario.light]
        self._start = datetime(
            2026, random.randint(4, 9), random.randint(1, 28), random.randint(low, high), random.randint(0, 59),
            random.randint(0, 40),
        )  # fmt: skip
        self._name = "FRONT" if scenario.camera == "front" else "REAR"
        self._size = size
        self._made: tuple[str, Image, Image] | None = None

    def draw(self, canvas: Image, *, t_s: float) -> None:
        """Write the time of this frame."""
        now = self._start + timedelta(seconds=int(t_s))
        words = f"{now:%Y-%m-%d  %H:%M:%S}  {self._name}  SIMULATED"
        if self._made is None or self._made[0] != words:
            self._made = (words, *self._write(words))
        _, ink, mask = self._made
        height = mask.shape[0]
        roi = canvas[self._size[1] - height :]
        cv2.copyTo(ink, mask, roi)

    def _write(self, words: str) -> tuple[Image, Image]:
        width = self._size[0]
        scale = width / 960 * 0.52
        tall = max(6, int(34 * width / 960))
        letters = np.zeros((tall, width), np.uint8)
        at = (int(16 * width / 960), int(tall * 0.62))
        weight = max(1, round(width / 960))
        cv2.putText(letters, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (255,), weight, cv2.LINE_AA)
        outline = np.ones((3, 3), np.uint8)
        mask = np.asarray(cv2.dilate((letters > 40).astype(np.uint8) * 255, outline), np.uint8)
        ink = np.repeat((letters * 0.93).astype(np.uint8)[:, :, None], 3, axis=2)
        return ink, mask
