"""Other vehicles as solids: painted faces put into perspective, lamps, shadow, reflection on a wet road."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from vvlm_desktop.samples import vehicle_paint
from vvlm_desktop.samples.bodies import OUTLINES, half_width, lamp_shapes
from vvlm_desktop.samples.camera import NEAR_M, View
from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Floats, Glow, Image, Rgb, Sprite, fill, fill_soft, paste, times
from vvlm_desktop.samples.world import BODIES, State

_AMBER: Rgb = (255, 168, 40)
_NEAR_FACE_M = NEAR_M + 0.1


class Solid:
    """One vehicle at one frame, ready to be drawn."""

    def __init__(self, state: State, view: View, *, at_s: float) -> None:
        self.state, self._view, self._t = state, view, at_s
        self.x, self.z = view.place(state.s, state.d)
        x, z = view.place(state.s + 1.0, state.d)
        bend = math.atan2(x - self.x, z - self.z)
        self.turn = bend + state.heading  # of its nose, to the right of straight ahead
        shape = BODIES[state.body]
        self._half, self._length = shape.width / 2, shape.length

    @property
    def reach(self) -> float:
        """Half of its longest extent."""
        return self._length / 2

    @property
    def visible(self) -> bool:
        """Whether any of it can be in the picture."""
        reach = self._length * 0.6
        if self.z + reach < NEAR_M or self.z > 420:
            return False
        edge = self._view.width / self._view.focal * 0.62 * max(self.z + reach, 1.0) + reach
        return abs(self.x) < edge

    def points(self, local: Floats) -> tuple[Floats, Floats]:
        """Pixels and distances of points in the vehicle's own metres: x right, y up, z forward, [N, 3]."""
        c, n = math.cos(self.turn), math.sin(self.turn)
        x = self.x + local[:, 0] * c + local[:, 2] * n
        z = self.z - local[:, 0] * n + local[:, 2] * c
        return self._view.to_pixels(x, z, local[:, 1]), z

    def draw_shadow(self, canvas: Image, mood: Mood) -> None:
        """The dark ground below it."""
        strong = 0.5 + 0.25 * mood.sun
        near = max(self.z - self._length / 2, 2.0)
        if near > 110 or mood.ambient[0] < 0.12:
            return
        a, b = self._half * 0.98, self._length / 2 * 0.98
        lean = 0.5 * mood.sun
        local = np.array([[-a, 0, -b - 0.15], [a + lean, 0, -b - 0.1], [a + lean, 0, b], [-a, 0, b]])
        pixels, z = self.points(local)
        if z.min() < NEAR_M:
            local[:, 2] = np.where(z < NEAR_M + 0.3, local[:, 2] + (NEAR_M + 0.3 - z.min()), local[:, 2])
            pixels, z = self.points(local)
            if z.min() < NEAR_M:
                return
        blur = min(14.0, self._view.focal * 0.1 / near)
        fill_soft(canvas, pixels, (12, 13, 16), alpha=strong, blur=blur)

    def draw(self, canvas: Image, glow: Glow, mood: Mood) -> None:
        """Faces from far to near, then lamps."""
        c, n = math.cos(self.turn), math.sin(self.turn)
        # Where the lens is, in the vehicle's own metres.
        lens_x, lens_z = -(self.x * c - self.z * n), -(self.x * n + self.z * c)
        light = mood.lit(self.x, max(self.z - self._length / 2, 1.5))
        hazy = mood.hazy(self.z)
        self._hide_lamps_behind(glow, lens_x)
        body, paint = self.state.body, self.state.paint
        per_m = self._paint_scale()
        # Of a far car's side only a sliver would show.
        sliver = self._length * self._view.focal * abs(lens_x) / max(self.z, 1.0) ** 2 < 1.2
        if abs(lens_x) > self._half * 0.9 and not sliver:
            shade = 0.86 if mood.sun < 0.5 else (0.98 if lens_x > 0 else 0.74)
            self._side(
                canvas, vehicle_paint.side(body, paint, per_m), 1 if lens_x > 0 else -1, light, shade, mood, hazy
            )
        if lens_z < -self._length / 2 + 0.4:
            self._end(canvas, vehicle_paint.rear(body, paint, per_m), OUTLINES[body].rear, -1, light, mood, hazy)
            self._tail_lamps(canvas, glow, mood, hazy)
        elif lens_z > self._length / 2 - 0.4:
            self._end(canvas, vehicle_paint.front(body, paint, per_m), OUTLINES[body].front, 1, light, mood, hazy)
            self._head_lamps(glow, mood)

    def _hide_lamps_behind(self, glow: Glow, lens_x: float) -> None:
        belt, top = OUTLINES[self.state.body].belt, BODIES[self.state.body].height
        roof, half, end = half_width(self.state.body, top), self._half, self._length / 2
        near = -end if math.cos(self.turn) > 0 else end
        side = half if lens_x > 0 else -half
        faces = (
            [
                (-half, 0.2, near),
                (-half, belt, near),
                (-roof, top, near),
                (roof, top, near),
                (half, belt, near),
                (half, 0.2, near),
            ],
            [(side, 0.2, -end), (side, belt, -end), (side, belt, end), (side, 0.2, end)],
        )
        for face in faces:
            pixels, z = self.points(np.array(face))
            if z.min() > NEAR_M:
                glow.hide(pixels)

    def _paint_scale(self) -> float:
        """Texture pixels per metre: two sizes, so that far cars cost little."""
        scale = min(self._view.width / 960, 2.0)
        fine = 150.0 if self._length < 7 else 80.0
        return max(12.0, (fine if abs(self.z) - self._length / 2 < 12.0 else 56.0) * scale)

    def _side(
        self, canvas: Image, sprite: Sprite, right: int, light: Rgb, shade: float, mood: Mood, hazy: float
    ) -> None:
        shape, outline = BODIES[self.state.body], OUTLINES[self.state.body]
        light = times(light, (shade, shade, shade))
        # Three centimetres more at each end, so that no light falls through the corner between two faces.
        back, ahead, left, far = -self._length / 2 - 0.03, self._length / 2 + 0.03, 0.0, 1.0
        # A car beside the lens: keep the part that is in front of it.
        probe = np.array([[right * self._half, 0.0, back], [right * self._half, 0.0, ahead]])
        _, z = self.points(probe)
        if z.min() < _NEAR_FACE_M:
            if z.max() < _NEAR_FACE_M + 0.2:
                return
            share = float((_NEAR_FACE_M - z[0]) / (z[1] - z[0]))
            if z[0] < z[1]:
                back, left = back + share * (ahead - back), share
            else:
                ahead, far = back + share * (ahead - back), share
        belt, top = outline.belt, shape.height
        for low, high in ((0.0, belt), (belt, top)):
            x0 = right * (self._half * 0.985)
            x1 = right * (self._half * 0.985 if low == 0.0 else half_width(self.state.body, high))
            local = np.array([[x1, high, back], [x1, high, ahead], [x0, low, ahead], [x0, low, back]])
            pixels, _ = self.points(local)
            part = (left, 1 - high / top, far, 1 - low / top)
            paste(canvas, sprite, pixels, light=light, haze=mood.haze, hazy=hazy, part=part)

    def _end(
        self,
        canvas: Image,
        sprite: Sprite,
        profile: tuple[tuple[float, float], ...],
        end: int,
        light: Rgb,
        mood: Mood,
        hazy: float,
    ) -> None:
        shape = BODIES[self.state.body]
        half, top = self._half + 0.02, shape.height
        levels = profile
        if self._view.focal * top / max(self.z, 1.0) < 26:  # far: one flat face will do
            levels = (profile[0], (top, profile[len(profile) // 2][1]))
        for (low, in0), (high, in1) in pairwise(levels):
            z0, z1 = end * (self._length / 2 - in0), end * (self._length / 2 - in1)
            local = np.array([[-half, high, z1], [half, high, z1], [half, low, z0], [-half, low, z0]])
            if end > 0:
                local[:, 0] *= -1
            pixels, z = self.points(local)
            if z.min() < NEAR_M:
                continue
            pixels[2:, 1] += 0.35  # no gap between two bands
            part = (0.0, 1 - high / top, 1.0, 1 - low / top)
            paste(canvas, sprite, pixels, light=light, haze=mood.haze, hazy=hazy, part=part)

    def _on_end(self, shape: list[tuple[float, float]], end: int, side: int) -> Floats:
        """Pixels of a lamp's outline on the rear (-1) or front (1) end; empty when too near."""
        profile = OUTLINES[self.state.body].rear if end < 0 else OUTLINES[self.state.body].front
        heights, insets = [p[0] for p in profile], [p[1] for p in profile]
        local = np.array(
            [[side * x, y, end * (self._length / 2 - float(np.interp(y, heights, insets)))] for x, y in shape]
        )
        pixels, z = self.points(local)
        return pixels if z.min() > NEAR_M else np.empty((0, 2))

    def _tail_lamps(self, canvas: Image, glow: Glow, mood: Mood, hazy: float) -> None:
        state = self.state
        dark = mood.ambient[0] < 0.6 or mood.lamps
        blinking = state.blink != 0 and math.fmod(self._t, 0.66) < 0.36
        if not (state.braking or dark or blinking):
            return
        bright: Rgb = (255, 52, 40) if state.braking else (214, 26, 24)
        for lamp in lamp_shapes(state.body, "tail"):
            for side in (-1, 1):
                pixels = self._on_end(lamp, -1, side)
                if not len(pixels):
                    continue
                if state.braking or dark:
                    fill(canvas, pixels, times(bright, (1 - hazy * 0.5,) * 3))
                    middle = pixels.mean(axis=0)
                    if state.braking:
                        fill(canvas, middle + (pixels - middle) * 0.5, (255, 150, 130))
                    self._shine(glow, pixels, (255, 30, 22) if state.braking else (120, 10, 8), mood)
                if blinking and state.blink in (side, 2):
                    middle = pixels.mean(axis=0)
                    fill(canvas, middle + (pixels - middle) * (1.0, 0.45), _AMBER)
                    self._shine(glow, pixels, _AMBER, mood)
        if state.braking and state.body != "truck":
            y = BODIES[state.body].height - 0.075
            third = self._on_end([(-0.2, y - 0.02), (0.2, y - 0.02), (0.2, y + 0.02), (-0.2, y + 0.02)], -1, 1)
            if len(third):
                fill(canvas, third, (255, 70, 56))
                self._shine(glow, third, (200, 24, 18), mood)

    def _shine(self, glow: Glow, pixels: Floats, colour: Rgb, mood: Mood) -> None:
        gain = 0.55 if mood.ambient[0] > 0.5 else 1.0
        size = float(np.ptp(pixels[:, 0]))
        if size < 5.0:
            centre = pixels.mean(axis=0)
            far = 0.9 if mood.ambient[0] < 0.3 else 0.5
            glow.add((float(centre[0]), float(centre[1])), max(size, far), times(colour, (gain,) * 3))
        else:
            glow.add_shape(pixels, times(colour, (gain,) * 3))

    def _head_lamps(self, glow: Glow, mood: Mood) -> None:
        if not mood.lamps:
            return
        night = mood.ambient[0] < 0.3
        for lamp in lamp_shapes(self.state.body, "head"):
            for side in (-1, 1):
                pixels = self._on_end(lamp, 1, side)
                if len(pixels):
                    centre = pixels.mean(axis=0)
                    size = max(2.8 if night else 0.9, float(np.ptp(pixels[:, 0])) * (1.7 if night else 0.3))
                    colour: Rgb = (255, 246, 224) if night else (190, 186, 170)
                    glow.add((float(centre[0]), float(centre[1])), size, colour)

    def lamps_on_wet(self) -> list[tuple[tuple[float, float], float, float, Rgb]]:
        """Mirror images of its lamps in a wet road: pixel, length, width, colour."""
        end = -1 if math.cos(self.turn) > 0 else 1
        which = "tail" if end < 0 else "head"
        result: list[tuple[tuple[float, float], float, float, Rgb]] = []
        for lamp in lamp_shapes(self.state.body, which):
            for side in (-1, 1):
                mirrored = [(x, y) for x, y in lamp]
                pixels = self._on_end(mirrored, end, side)
                if not len(pixels):
                    continue
                ground, _ = self.points(np.array([[side * lamp[0][0], 0.0, end * self._length / 2]]))
                u, v = float(pixels[:, 0].mean()), float(ground[0, 1])
                above = v - float(pixels[:, 1].mean())
                colour: Rgb = (255, 240, 214) if end > 0 else ((255, 40, 30) if self.state.braking else (150, 16, 14))
                result.append(((u, v), above, max(2.0, float(np.ptp(pixels[:, 0])) * 0.8), colour))
        return result
