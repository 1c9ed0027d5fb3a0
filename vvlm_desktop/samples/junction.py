"""A crossing with a traffic light: stop line, zebra, signals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vvlm_desktop.samples.camera import View
from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Glow, Image, Rgb, fill, mix, times
from vvlm_desktop.samples.props import upright
from vvlm_desktop.samples.road import Road
from vvlm_desktop.samples.world import Aspect

_LAMPS: dict[Aspect, tuple[float, Rgb]] = {
    "red": (0.34, (255, 44, 32)),
    "yellow": (0.0, (255, 190, 40)),
    "green": (-0.34, (60, 240, 130)),
}


def half_width_m(road: Road) -> float:
    """Half of the crossing road's width."""
    return 5.5 if road.scene == "urban" else 3.6


def draw_marks(
    canvas: Image, view: View, mood: Mood, road: Road, *, junction_s: float, stop_line_s: float | None
) -> None:
    """Stop line and zebras."""
    if stop_line_s is None:
        return
    half = half_width_m(road)
    for start in (junction_s - half - 4.4, junction_s + half + 1.2):
        for d in np.arange(road.left + 0.5, road.right - 0.6, 1.05):
            _mark(canvas, view, mood, start, start + 3.0, float(d), float(d) + 0.52)
    lanes_left = min(road.lanes) - 1.55
    _mark(canvas, view, mood, stop_line_s, stop_line_s + 0.45, lanes_left, road.right - 0.25)


def _mark(canvas: Image, view: View, mood: Mood, s0: float, s1: float, d0: float, d1: float) -> None:
    """A painted rectangle on the road."""
    near = view.s + 1.4 * view.facing
    if view.facing > 0:
        s0, s1 = max(s0, near), max(s1, near)
    else:
        s0, s1 = min(s0, near), min(s1, near)
    if s1 - s0 < 0.02:
        return
    pixels, z = view.project(np.array([s0, s0, s1, s1]), np.array([d0, d1, d1, d0]), np.zeros(4))
    tall = float(np.ptp(pixels[:, 1]))
    x = (pixels[0, 0] - view.centre_u) / view.focal * z[0]
    paint = mix(times((216, 216, 210), mood.lit(float(x), float(z[0]))), mood.haze, mood.hazy(float(z[0])))
    road = times((92, 92, 95), mood.lit(float(x), float(z[0])))
    fill(canvas, pixels, mix(road, paint, min(1.0, 0.25 + tall / 2.5)))


@dataclass(frozen=True, slots=True)
class Signal:
    """A traffic light on a mast; `arm` metres of mast arm towards the left."""

    s: float
    d: float
    high: float
    arm: float
    light: Aspect | None

    def draw(self, canvas: Image, glow: Glow, mood: Mood, view: View) -> None:
        """Paint it."""
        head_d = self.d - self.arm
        x, z = view.to_camera(np.array([self.s]), np.array([head_d]))
        far = float(z[0])
        if far < 1.5:
            return
        light, hazy = mood.lit(float(x[0]), far), mood.hazy(far)
        grey = mix(times((92, 96, 100), light), mood.haze, hazy)
        upright(canvas, view, self.s, self.d, 0.0, self.high + 0.3, 0.1, grey)
        if self.arm:
            d = np.array([self.d, head_d - 0.3, head_d - 0.3, self.d])
            h = self.high + np.array([0.35, 0.5, 0.38, 0.18])
            pixels, _ = view.project(np.array([self.s] * 4), d, h)
            fill(canvas, pixels, grey)
        if view.facing < 0:
            self._box(canvas, view, head_d, (46, 47, 50))
            return
        self._box(canvas, view, head_d, mix(times((28, 30, 30), light), mood.haze, hazy))
        for aspect, (offset, colour) in _LAMPS.items():
            on = aspect == self.light
            angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
            pixels, _ = view.project(
                np.full(14, self.s - 0.05), head_d + 0.13 * np.cos(angle), self.high + offset + 0.13 * np.sin(angle)
            )
            fill(canvas, pixels, colour if on else times(colour, (0.16 * max(light[0], 0.2),) * 3))
            if on:
                centre = pixels.mean(axis=0)
                glow.add((float(centre[0]), float(centre[1])), max(1.6, view.focal * 0.2 / far), colour)
                core = centre + (pixels - centre) * 0.5
                fill(canvas, core, mix(colour, (255, 255, 255), 0.45))

    def _box(self, canvas: Image, view: View, d: float, colour: Rgb) -> None:
        across = np.array([d - 0.22, d + 0.22, d + 0.22, d - 0.22])
        h = self.high + np.array([0.58, 0.58, -0.58, -0.58])
        pixels, _ = view.project(np.array([self.s] * 4), across, h)
        fill(canvas, pixels, colour)


def signals(road: Road, *, junction_s: float, stop_line_s: float, light: Aspect | None) -> list[Signal]:
    """One beside the stop line, one over the road beyond the crossing."""
    beyond = junction_s + half_width_m(road) + 2.0
    return [
        Signal(stop_line_s + 1.6, road.right + 0.8, 3.1, 0.0, light),
        Signal(beyond, road.right + 1.0, 5.3, road.right + 1.0 + 0.2, light),
        Signal(beyond, road.left - 1.0, 3.2, 0.0, light),
    ]
