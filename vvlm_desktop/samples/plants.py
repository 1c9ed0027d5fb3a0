"""Pictures of trees, bushes, house fronts and signs; painted from noise once per clip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vvlm_desktop.samples.pixels import Image, Rgb, Sprite, mix, times
from vvlm_desktop.samples.scenario import Weather

_TALL = 256  # pixels


@dataclass(frozen=True, slots=True)
class Plants:
    """The few kinds of which every clip of one weather is planted."""

    trees: tuple[Sprite, ...]
    conifers: tuple[Sprite, ...]
    bushes: tuple[Sprite, ...]


@lru_cache(maxsize=8)
def plants(weather: Weather) -> Plants:
    """Painted once: it takes a tenth of a second."""
    random = np.random.default_rng([60, len(weather)])
    return Plants(
        tuple(tree(random, weather=weather) for _ in range(4)),
        tuple(conifer(random, weather=weather) for _ in range(3)),
        tuple(bush(random, weather=weather) for _ in range(3)),
    )


def tree(random: np.random.Generator, *, weather: Weather) -> Sprite:
    """A broad-leaved tree, as high as the picture, four fifths as wide."""
    image = np.zeros((_TALL, int(_TALL * 0.8), 4), np.uint8)
    width = image.shape[1]
    trunk: Rgb = (70, 59, 48)
    foot = width / 2 + random.normal(0, 2)
    _line(image, (foot, _TALL), (width / 2, _TALL * 0.45), trunk, max(3, _TALL // 26))
    for _ in range(4):
        tip = (width / 2 + random.normal(0, width * 0.16), _TALL * random.uniform(0.3, 0.5))
        _line(image, (width / 2 + random.normal(0, 2), _TALL * random.uniform(0.55, 0.7)), tip, trunk, 3)
    base: Rgb = _leaf_colour(random, weather)
    blobs: list[tuple[float, float, float]] = []
    for _ in range(15):
        angle, out = random.uniform(0, 2 * np.pi), random.uniform(0, 1) ** 0.5
        cx = width * (0.5 + 0.3 * out * np.cos(angle))
        cy = _TALL * (0.36 + 0.22 * out * np.sin(angle))
        reach = width * random.uniform(0.1, 0.19)
        for _ in range(110):
            turn, far = random.uniform(0, 2 * np.pi), random.uniform(0, 1) ** 0.6 * reach
            blobs.append((cx + np.cos(turn) * far, cy + np.sin(turn) * far * 0.9, random.uniform(1.0, 3.0)))
    _foliage(image, blobs, base, random)
    return Sprite.of(image)


def conifer(random: np.random.Generator, *, weather: Weather) -> Sprite:
    """A spruce, half as wide as high."""
    image = np.zeros((_TALL, _TALL // 2, 4), np.uint8)
    width = image.shape[1]
    _line(image, (width / 2, _TALL), (width / 2, _TALL * 0.2), (66, 54, 44), 5)
    base: Rgb = (196, 204, 208) if weather == "snow" else (44 + random.uniform(-6, 8), 74 + random.uniform(-8, 8), 46)
    blobs: list[tuple[float, float, float]] = []
    for _ in range(1100):
        y = random.uniform(0.02, 0.93) ** 0.8
        tier = 0.75 + 0.25 * ((y * 9) % 1)
        x = width / 2 + random.uniform(-1, 1) * (0.03 + 0.44 * y * tier) * width
        blobs.append((x, y * _TALL, random.uniform(1.0, 2.8)))
    _foliage(image, blobs, base, random)
    return Sprite.of(image)


def bush(random: np.random.Generator, *, weather: Weather) -> Sprite:
    """A bush, twice as wide as high."""
    image = np.zeros((_TALL // 3, _TALL * 2 // 3, 4), np.uint8)
    height, width = image.shape[:2]
    blobs: list[tuple[float, float, float]] = []
    for _ in range(700):
        x = random.uniform(0.05, 0.95)
        top = 1 - np.sin(np.pi * x) ** 0.6 * 0.8
        blobs.append((x * width, random.uniform(top, 1.0) * height, random.uniform(1.2, 3.2)))
    _foliage(image, blobs, _leaf_colour(random, weather), random)
    return Sprite.of(image)


def facade(
    random: np.random.Generator, *, wide_m: float, high_m: float, night: bool, shops: bool, light: Rgb
) -> Sprite:
    """The front of a house in the light that falls on it, with lit windows at night; paint it with light (1, 1, 1)."""
    per_m = 14
    width, height = max(16, int(wide_m * per_m)), max(16, int(high_m * per_m))
    walls: tuple[Rgb, ...] = (
        (176, 150, 122),
        (150, 96, 80),
        (188, 182, 170),
        (134, 134, 138),
        (196, 176, 134),
        (120, 86, 72),
    )
    wall = walls[int(random.integers(len(walls)))]
    grain = cv2.resize(random.normal(0, 1, (height // 3 + 2, width // 3 + 2)).astype(np.float32), (width, height))
    fine = random.normal(0, 1, (height, width)).astype(np.float32)
    rgb = np.array(wall, np.float32) + (3.0 * np.asarray(grain) + 2.0 * fine)[:, :, None]
    rgb *= np.linspace(1.04, 0.86, height, dtype=np.float32)[:, None, None]
    image = np.clip(rgb * np.array(light), 0, 255).astype(np.uint8)
    floor_m, axis_m = 3.1, random.uniform(2.0, 2.9)
    floors, axes = max(1, int(high_m / floor_m)), max(1, int(wide_m / axis_m))
    for floor in range(floors):
        low = height - floor * floor_m * per_m
        for axis in range(axes):
            middle = (axis + 0.5) * width / axes
            if floor == 0 and shops:
                _shop(image, middle, low, width / axes, per_m, random, light, night=night)
                continue
            _window(image, middle, low, per_m, random, light, lit=night and random.random() < 0.3)
        band = times(mix(wall, (255, 255, 255), 0.25), light)
        cv2.rectangle(image, (0, int(low - floor_m * per_m)), (width, int(low - floor_m * per_m) + 1), band, -1)
    cv2.rectangle(image, (0, 0), (width, per_m // 3), times(mix(wall, (0, 0, 0), 0.35), light), -1)
    return Sprite.of(np.dstack([image, np.full((height, width), 255, np.uint8)]))


def panel(words: list[str], *, back: Rgb, ink: Rgb, wide_m: float, high_m: float) -> Sprite:
    """A road sign with lines of text."""
    per_m = 60
    width, height = int(wide_m * per_m), int(high_m * per_m)
    image = np.full((height, width, 3), back, np.uint8)
    cv2.rectangle(image, (4, 4), (width - 5, height - 5), ink, 3, cv2.LINE_AA)
    step = height / (len(words) + 0.4)
    for k, word in enumerate(words):
        size = step / 46
        at = (int(width * 0.08), int(step * (k + 0.95)))
        cv2.putText(image, word, at, cv2.FONT_HERSHEY_SIMPLEX, size, ink, max(1, int(size * 2.4)), cv2.LINE_AA)
    return Sprite.of(np.dstack([image, np.full((height, width), 255, np.uint8)]))


def limit_sign(words: str) -> Sprite:
    """A round speed-limit sign."""
    side = 96
    image = np.zeros((side, side, 4), np.uint8)
    middle = (side // 2, side // 2)
    cv2.circle(image, middle, side // 2 - 1, (190, 26, 28, 255), -1, cv2.LINE_AA)
    cv2.circle(image, middle, int(side * 0.37), (242, 242, 238, 255), -1, cv2.LINE_AA)
    size = 1.05 if len(words) > 2 else 1.4
    (wide, high), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 3)
    at = (middle[0] - wide // 2, middle[1] + high // 2)
    cv2.putText(image, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, (24, 24, 26, 255), 3, cv2.LINE_AA)
    return Sprite.of(image)


def _leaf_colour(random: np.random.Generator, weather: Weather) -> Rgb:
    if weather == "snow":
        return (150, 146, 142)
    return (74 + random.uniform(-14, 22), 100 + random.uniform(-10, 14), 48 + random.uniform(-8, 10))


def _foliage(image: Image, blobs: list[tuple[float, float, float]], base: Rgb, random: np.random.Generator) -> None:
    """Leaves from the shaded underside to the sunlit top left."""
    points = np.array(blobs)
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    height = (points[:, 1] - low[1]) / max(1.0, high[1] - low[1])
    aside = (points[:, 0] - low[0]) / max(1.0, high[0] - low[0])
    local = random.uniform(-0.16, 0.16, len(points))
    bright = np.clip(1.28 - 0.55 * height - 0.3 * aside + local, 0.45, 1.5)
    for k in np.argsort(bright + 0.25 * random.uniform(-1, 1, len(points))):
        x, y, r = points[k]
        colour = times(base, (bright[k],) * 3)
        centre = (round(x * 16), round(y * 16))
        cv2.circle(image, centre, round(r * 16), (*colour, 255), -1, cv2.LINE_8, 4)


def _line(image: Image, a: tuple[float, float], b: tuple[float, float], colour: Rgb, thickness: int) -> None:
    p, q = (round(a[0]), round(a[1])), (round(b[0]), round(b[1]))
    cv2.line(image, p, q, (*colour, 255), thickness, cv2.LINE_8)


def _window(
    image: Image, middle: float, low: float, per_m: int, random: np.random.Generator, light: Rgb, *, lit: bool
) -> None:
    half, sill, top = 0.55 * per_m, low - 0.95 * per_m, low - 2.4 * per_m
    a, b = (int(middle - half), int(top)), (int(middle + half), int(sill))
    frame = times((218, 216, 210), light)
    cv2.rectangle(image, (a[0] - 1, a[1] - 1), (b[0] + 1, b[1] + 2), frame, -1)
    if lit:
        glass: Rgb = (232, 186, 112) if random.random() < 0.8 else (196, 206, 220)
        glass = times(glass, (random.uniform(0.6, 1.0),) * 3)
    else:
        glass = times(mix((52, 62, 74), (140, 158, 176), random.uniform(0, 0.6)), light)
    cv2.rectangle(image, a, b, glass, -1)
    cv2.line(image, (int(middle), a[1]), (int(middle), b[1]), frame, 1)


def _shop(
    image: Image,
    middle: float,
    low: float,
    wide: float,
    per_m: int,
    random: np.random.Generator,
    light: Rgb,
    *,
    night: bool,
) -> None:
    half, top = wide * 0.44, low - 2.5 * per_m
    a, b = (int(middle - half), int(top)), (int(middle + half), int(low - 0.3 * per_m))
    glass: Rgb = (226, 204, 158) if night and random.random() < 0.6 else times((46, 54, 62), light)
    cv2.rectangle(image, a, b, glass, -1)
    awnings: tuple[Rgb, ...] = ((150, 40, 36), (40, 84, 60), (44, 66, 110), (190, 150, 70), (70, 70, 74))
    awning = times(awnings[int(random.integers(len(awnings)))], light)
    cv2.rectangle(image, (a[0], a[1] - per_m // 2), (b[0], a[1] + per_m // 4), awning, -1)
