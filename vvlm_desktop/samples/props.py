"""Things beside the road that stand up: how each is drawn from where the camera is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from vvlm_desktop.samples.camera import EYE_M, View
from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Floats, Glow, Image, Rgb, Sprite, fill, fill_soft, mix, paste, times

_NEAR_M = 0.6
_WHITE: Rgb = (1.0, 1.0, 1.0)


class Drawable(Protocol):
    """Something at a distance."""

    @property
    def z(self) -> float:
        """Metres ahead of the lens; what is farther is drawn first."""
        ...

    def draw(self, canvas: Image, glow: Glow, mood: Mood) -> None:
        """Paint it."""
        ...


class Prop(Protocol):
    """Something that stands at a place along the road."""

    @property
    def s(self) -> float:
        """Where along the road."""
        ...

    def draw(self, canvas: Image, glow: Glow, mood: Mood, view: View) -> None:
        """Paint it."""
        ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A prop at one frame."""

    prop: Prop
    view: View
    z: float

    def draw(self, canvas: Image, glow: Glow, mood: Mood) -> None:
        """Paint it."""
        self.prop.draw(canvas, glow, mood, self.view)


@dataclass(frozen=True, slots=True)
class Standing:
    """A flat picture that always faces the camera: trees, bushes."""

    s: float
    d: float
    sprite: Sprite
    wide: float
    high: float

    def draw(self, canvas: Image, glow: Glow, mood: Mood, view: View) -> None:  # noqa: ARG002
        """Paint it."""
        x, z = view.place(self.s, self.d)
        # Too near, too small to be seen, or beside the picture.
        if z < 1.5 or view.focal * self.high < 5.0 * z or abs(x) > 0.86 * z + self.wide:
            return
        if mood.sun > 0.5 and z < 42:
            _tree_shadow(canvas, view, self.s, self.d, self.wide)
        scale = view.focal / z
        u, v = view.centre_u + x * scale, view.horizon_v + EYE_M * scale
        half, tall = self.wide * scale / 2, self.high * scale
        corners = np.array([[u - half, v - tall], [u + half, v - tall], [u + half, v], [u - half, v]])
        paste(canvas, self.sprite, corners, light=mood.lit(x, z), haze=mood.haze, hazy=mood.hazy(z))


def _tree_shadow(canvas: Image, view: View, s: float, d: float, wide: float) -> None:
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    across = np.cos(angle) * wide * 0.55 + wide * 0.5
    along = np.sin(angle) * wide * 0.35
    pixels, z = view.project(s + along, d + across, np.zeros(12))
    if z.min() > 2.0:
        fill_soft(canvas, pixels, (22, 28, 22), alpha=0.42, blur=min(10.0, view.focal * 0.2 / float(z.min())))


@dataclass(frozen=True, slots=True)
class Block:
    """A house: the side towards the road and the end towards the camera; `s` is its far end: it is drawn first."""

    s: float
    near_s: float
    d: float
    depth: float
    high: float
    front: Sprite
    end: Sprite
    roof: Rgb | None = None

    def draw(self, canvas: Image, glow: Glow, mood: Mood, view: View) -> None:  # noqa: ARG002
        """Paint it."""
        away = 1.0 if self.d > 0 else -1.0
        back = self.d + away * self.depth
        first, last = (self.near_s, self.s) if view.facing > 0 else (self.s, self.near_s)
        _, z = view.place(first, self.d)
        hazy = mood.hazy(max(z, 1.0))
        shade: Rgb = (0.82, 0.82, 0.86) if self.d > 0 else _WHITE
        if _NEAR_M + 0.5 < z < 110.0:  # farther away the next house hides it
            corners, _ = view.project(
                np.array([first] * 4),
                np.array([self.d, back, back, self.d]),
                np.array([self.high, self.high, 0.0, 0.0]),
            )
            paste(canvas, self.end, corners, light=times(shade, (0.9, 0.9, 0.92)), haze=mood.haze, hazy=hazy)
            if self.roof is not None:
                self._gable(canvas, view, mood, first, last, back, hazy)
        wall(canvas, view, self.front, first, last, self.d, self.high, light=shade, mood=mood)
        if self.roof is not None and z > _NEAR_M + 0.5:
            self._slope(canvas, view, mood, first, last, back, hazy)

    def _ridge(self, back: float) -> tuple[float, float]:
        return (self.d + back) / 2, self.high + self.depth * 0.32

    def _gable(
        self, canvas: Image, view: View, mood: Mood, first: float, last: float, back: float, hazy: float
    ) -> None:
        del last
        middle, top = self._ridge(back)
        d, h = np.array([self.d, back, middle]), np.array([self.high, self.high, top])
        pixels, _ = view.project(np.array([first] * 3), d, h)
        wall_colour = tuple(float(c) for c in self.end.levels[-1].reshape(-1, 4)[:, :3].mean(axis=0))
        fill(canvas, pixels, mix((wall_colour[0], wall_colour[1], wall_colour[2]), mood.haze, hazy))

    def _slope(
        self, canvas: Image, view: View, mood: Mood, first: float, last: float, back: float, hazy: float
    ) -> None:
        middle, top = self._ridge(back)
        eaves = self.d - (0.4 if self.d > 0 else -0.4)
        over = 0.4 if first < last else -0.4
        s = np.array([first - over, last + over, last + over, first - over])
        pixels, z = view.project(
            s, np.array([eaves, eaves, middle, middle]), np.array([self.high - 0.15, self.high - 0.15, top, top])
        )
        if z.min() > _NEAR_M and self.roof is not None:
            fill(canvas, pixels, mix(times(self.roof, mood.ambient), mood.haze, hazy))


def wall(
    canvas: Image,
    view: View,
    sprite: Sprite,
    first: float,
    last: float,
    d: float,
    high: float,
    *,
    light: Rgb,
    mood: Mood,
) -> None:
    """An upright surface along the road from `first` (near) to `last`, cut off where it passes the lens."""
    _, z = view.to_camera(np.array([first, last]), np.array([d, d]))
    if z[1] < _NEAR_M + 0.4:
        return
    share = 0.0
    if z[0] < _NEAR_M:
        share = float((_NEAR_M - z[0]) / (z[1] - z[0]))
        first = first + (last - first) * share
    corners, _ = view.project(np.array([first, last, last, first]), np.array([d] * 4), np.array([high, high, 0.0, 0.0]))
    middle = float(max(z[0], 1.0) + z[1]) / 2
    paste(canvas, sprite, corners, light=light, haze=mood.haze, hazy=mood.hazy(middle), part=(share, 0.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class LampPost:
    """A street lamp whose arm reaches over the road."""

    s: float
    d: float
    high: float = 7.5

    def draw(self, canvas: Image, glow: Glow, mood: Mood, view: View) -> None:
        """Paint it."""
        x, z = view.place(self.s, self.d)
        if z < 1.5:
            return
        reach = -1.7 if self.d > 0 else 1.7
        colour = mix(times((112, 116, 120), mood.lit(x, z)), mood.haze, mood.hazy(z))
        upright(canvas, view, self.s, self.d, 0.0, self.high, 0.09, colour)
        tips = np.array([self.d, self.d + reach, self.d + reach, self.d])
        heights = np.array([self.high, self.high + 0.3, self.high + 0.2, self.high - 0.15])
        pixels, _ = view.project(np.array([self.s] * 4), tips, heights)
        fill(canvas, pixels, colour)
        ends = np.array([self.d + reach * 0.7, self.d + reach * 1.15, self.d + reach * 1.15, self.d + reach * 0.7])
        head, _ = view.project(np.array([self.s] * 4), ends, self.high + np.array([0.34, 0.34, 0.16, 0.16]))
        lit = mood.ambient[0] < 0.6
        fill(canvas, head, (255, 220, 160) if lit else mix(colour, (200, 202, 204), 0.4))
        if lit:
            centre = head.mean(axis=0)
            glow.add((float(centre[0]), float(centre[1])), max(1.2, view.focal * 0.3 / z), (255, 196, 120))


@dataclass(frozen=True, slots=True)
class Marker:
    """A white post with a reflector."""

    s: float
    d: float

    def draw(self, canvas: Image, glow: Glow, mood: Mood, view: View) -> None:
        """Paint it."""
        x, z = view.place(self.s, self.d)
        if z < 1.2 or z > 140:
            return
        light, hazy = mood.lit(x, z), mood.hazy(z)
        upright(canvas, view, self.s, self.d, 0.0, 1.0, 0.06, mix(times((226, 226, 222), light), mood.haze, hazy))
        upright(canvas, view, self.s, self.d, 0.68, 0.88, 0.062, mix(times((36, 36, 38), light), mood.haze, hazy))
        if mood.beams > 1.0 and self.d > 0:
            pixels, _ = view.project(np.array([self.s]), np.array([self.d]), np.array([0.78]))
            shine = 0.9 / (1 + (z / 40) ** 2)
            glow.add((float(pixels[0, 0]), float(pixels[0, 1])), max(0.8, view.focal * 0.05 / z), (255 * shine,) * 3)


@dataclass(frozen=True, slots=True)
class Sign:
    """A panel on posts."""

    s: float
    d: float
    sprite: Sprite
    wide: float
    high: float
    foot: float

    def draw(self, canvas: Image, glow: Glow, mood: Mood, view: View) -> None:  # noqa: ARG002
        """Paint it."""
        x, z = view.place(self.s, self.d)
        if z < 1.5:
            return
        light, hazy = mood.lit(x, z), mood.hazy(z)
        grey = mix(times((134, 138, 142), light), mood.haze, hazy)
        posts = (0.0,) if self.wide < 1.2 else (-self.wide * 0.32, self.wide * 0.32)
        for offset in posts:
            upright(
                canvas, view, self.s, self.d + offset, 0.0, self.foot + self.high * 0.6, 0.05 + 0.02 * self.wide, grey
            )
        half, top = self.wide / 2, self.foot + self.high
        d = np.array([self.d - half, self.d + half, self.d + half, self.d - half])
        if view.facing < 0:
            back, _ = view.project(np.array([self.s] * 4), d, np.array([top, top, self.foot, self.foot]))
            fill(canvas, back, grey)
            return
        corners, _ = view.project(np.array([self.s] * 4), d, np.array([top, top, self.foot, self.foot]))
        # The foil throws the head lamps back.
        boost = 1.0 if mood.beams == 0 else 2.2
        paste(canvas, self.sprite, corners, light=times(light, (boost,) * 3), haze=mood.haze, hazy=hazy)


def upright(canvas: Image, view: View, s: float, d: float, low: float, high: float, half: float, colour: Rgb) -> None:
    """A pole."""
    x, z = view.place(s, d)
    if z <= _NEAR_M:
        return
    scale = view.focal / z
    u0, u1 = view.centre_u + (x - half) * scale, view.centre_u + (x + half) * scale
    if u1 < 0 or u0 > view.width:
        return
    top, foot = view.horizon_v + (EYE_M - high) * scale, view.horizon_v + (EYE_M - low) * scale
    fill(canvas, np.array([[u0, top], [u1, top], [u1, foot], [u0, foot]]), colour)


def draw_rail(canvas: Image, view: View, mood: Mood, d: float) -> None:
    """A guard rail along the whole road."""
    z = np.geomspace(1.1, 230.0, 20)
    s = view.s + view.facing * z
    rows: list[Floats] = []
    for height in (0.82, 0.72, 0.6, 0.5):
        pixels, _ = view.project(s, np.full(20, d), np.full(20, height))
        rows.append(pixels)
    tones: tuple[Rgb, ...] = ((186, 190, 194), (132, 136, 141), (164, 168, 172))
    for k in range(int(view.s // 4) * 4 - 80, int(view.s // 4) * 4 + 81, 4):
        far = (k - view.s) * view.facing
        if 1.1 < far < 48:
            x, _ = view.place(float(k), d)
            tone = mix(times((104, 108, 112), mood.lit(x, far)), mood.haze, mood.hazy(far))
            upright(canvas, view, float(k), d, 0.0, 0.55, 0.06, tone)
    x_all, _ = view.to_camera(s, np.full(20, d))
    # Under head lamps every piece has its own light; by day long pieces will do.
    cuts = (0, 8, 13, 19) if mood.beams <= 0.0 else tuple(range(0, 20, 1))
    for i, j in reversed(list(pairwise(cuts))):
        middle = (i + j) // 2
        light, hazy = mood.lit(float(x_all[middle]), float(z[middle])), mood.hazy(float(z[middle]))
        for k, tone in enumerate(tones):
            strip = np.concatenate([rows[k][i : j + 1], rows[k + 1][i : j + 1][::-1]])
            fill(canvas, strip, mix(times(tone, light), mood.haze, hazy))
