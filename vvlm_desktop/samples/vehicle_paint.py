"""Pictures of a vehicle's rear, front and side, painted once per body and colour, straight on, in metres."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from vvlm_desktop.samples.bodies import OUTLINES, half_width, lamp_shapes, outline_of
from vvlm_desktop.samples.pixels import Image, Rgb, Sprite, blend, mix
from vvlm_desktop.samples.world import BODIES, BodyName

PAINTS: tuple[Rgb, ...] = (
    (228, 230, 232),
    (166, 30, 30),
    (172, 177, 182),
    (38, 74, 142),
    (66, 70, 76),
    (36, 92, 84),
    (178, 164, 138),
    (30, 32, 36),
)
GLASS_TOP: Rgb = (118, 138, 156)
GLASS: Rgb = (28, 34, 40)
PLASTIC: Rgb = (34, 35, 37)
_TYRE: Rgb = (22, 22, 23)


class Pen:
    """Paints polygons given in metres (x right, y up) on a transparent picture, at twice its final size."""

    def __init__(self, width_m: float, height_m: float, *, per_m: float) -> None:
        self._k = per_m * 2
        self._origin = (width_m / 2, height_m)
        shape = (max(4, round(height_m * self._k)), max(4, round(width_m * self._k)))
        self.rgb = np.zeros((*shape, 3), np.uint8)
        self.alpha = np.zeros(shape, np.uint8)

    def poly(
        self, points: list[tuple[float, float]], top: Rgb, bottom: Rgb | None = None, *, strength: float = 1.0
    ) -> None:
        """A polygon, shaded from `top` down to `bottom`."""
        xy = (np.array(points) * (1, -1) + self._origin) * self._k
        v0, v1 = max(0, int(xy[:, 1].min())), min(self.alpha.shape[0], int(np.ceil(xy[:, 1].max())) + 1)
        u0, u1 = max(0, int(xy[:, 0].min())), min(self.alpha.shape[1], int(np.ceil(xy[:, 0].max())) + 1)
        if v1 <= v0 or u1 <= u0:
            return
        mask = np.zeros((v1 - v0, u1 - u0), np.uint8)
        fixed = ((xy - (u0, v0)) * 16).round().astype(np.int32)
        cv2.fillPoly(mask, [fixed], (255.0 * strength,), cv2.LINE_AA, 4)
        t = np.linspace(0, 1, v1 - v0)[:, None]
        shades = np.array(top) * (1 - t) + np.array(bottom or top) * t
        over = np.repeat(shades.round().astype(np.uint8)[:, None, :], u1 - u0, axis=1)
        blend(self.rgb[v0:v1, u0:u1], over, mask)
        np.maximum(self.alpha[v0:v1, u0:u1], mask, out=self.alpha[v0:v1, u0:u1])

    def both(
        self, points: list[tuple[float, float]], top: Rgb, bottom: Rgb | None = None, *, strength: float = 1.0
    ) -> None:
        """A polygon and its mirror image."""
        self.poly(points, top, bottom, strength=strength)
        self.poly([(-x, y) for x, y in points], top, bottom, strength=strength)

    def box(self, x0: float, y0: float, x1: float, y1: float, top: Rgb, bottom: Rgb | None = None) -> None:
        """A rectangle."""
        self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], top, bottom)

    def disc(self, x: float, y: float, r: float, top: Rgb, bottom: Rgb | None = None) -> None:
        """A circle."""
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        self.poly([(x + r * float(np.cos(t)), y + r * float(np.sin(t))) for t in angle], top, bottom)

    def text(self, words: str, x: float, y: float, height_m: float, colour: Rgb) -> None:
        """Letters whose left lower corner is at x, y."""
        at = (round((x + self._origin[0]) * self._k), round((self._origin[1] - y) * self._k))
        size = height_m * self._k / 22
        weight = max(1, round(size * 2.2))
        cv2.putText(self.rgb, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, weight, cv2.LINE_AA)

    def sprite(self) -> Sprite:
        """The finished picture."""
        rgba = np.dstack([self.rgb, self.alpha])
        half: Image = np.asarray(cv2.resize(rgba, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        return Sprite.of(half)


@lru_cache(maxsize=128)
def rear(body: BodyName, paint: int, per_m: float) -> Sprite:
    """A vehicle from behind."""
    pen, colour = _start(body, paint, per_m)
    if body == "truck":
        _truck_rear(pen, colour)
        return pen.sprite()
    shape, outline = BODIES[body], OUTLINES[body]
    belt, top, half = outline.belt, shape.height, shape.width / 2
    _window(pen, body, belt + 0.03, top - (0.14 if body != "van" else 0.3), inset=0.1)
    if body == "van":
        pen.box(-0.012, 0.35, 0.012, top - 0.05, mix(colour, (0, 0, 0), 0.55))
    pen.poly(
        [(-half * 0.6, top - 0.09), (half * 0.6, top - 0.09), (half * 0.56, top - 0.05), (-half * 0.56, top - 0.05)],
        mix(colour, (0, 0, 0), 0.35),
    )
    crease = mix(colour, (0, 0, 0), 0.42)
    pen.box(-half * 0.93, belt - 0.31, half * 0.93, belt - 0.298, crease)
    pen.box(-half * 0.8, belt - 0.3, half * 0.8, belt - 0.27, mix(colour, (255, 255, 255), 0.28))
    pen.box(-half * 0.9, 0.53, half * 0.9, 0.545, crease)
    pen.poly([(-half * 0.9, 0.24), (half * 0.9, 0.24), (half * 0.8, 0.4), (-half * 0.8, 0.4)], (52, 53, 55), PLASTIC)
    pen.both([(half * 0.5, 0.29), (half * 0.74, 0.29), (half * 0.74, 0.34), (half * 0.5, 0.34)], (96, 20, 20))
    for lamp in lamp_shapes(body, "tail"):
        pen.both(lamp, (150, 22, 26), (96, 10, 14))
        grown = [(x, y + 0.03) for x, y in lamp[-2:]]
        pen.both([*lamp[:2], *grown], (170, 60, 60), strength=0.25)
    plate_y = belt - 0.24 if body in ("suv", "hatchback") else 0.62
    pen.box(-0.3, plate_y - 0.02, 0.3, plate_y + 0.13, mix(colour, (0, 0, 0), 0.5))
    pen.box(-0.26, plate_y, 0.26, plate_y + 0.11, (236, 236, 228), (218, 218, 210))
    pen.text(f"SIM {paint}{len(body)}{paint + 2}", -0.22, plate_y + 0.022, 0.062, (30, 32, 40))
    pen.disc(0.0, belt - 0.055, 0.05, (214, 218, 222), (128, 132, 138))
    return pen.sprite()


@lru_cache(maxsize=128)
def front(body: BodyName, paint: int, per_m: float) -> Sprite:
    """A vehicle from the front."""
    pen, colour = _start(body, paint, per_m)
    shape, outline = BODIES[body], OUTLINES[body]
    belt, top, half = outline.belt, shape.height, shape.width / 2
    if body == "truck":
        pen.box(-1.22, 0.35, 1.22, 3.35, mix(colour, (255, 255, 255), 0.2), mix(colour, (0, 0, 0), 0.3))
        pen.box(-1.08, 1.75, 1.08, 2.6, GLASS_TOP, GLASS)
        pen.box(-0.85, 0.75, 0.85, 1.45, (46, 48, 52), (26, 27, 30))
    else:
        _window(pen, body, belt + 0.05, top - 0.11, inset=0.08)
        bonnet = [(-half * 0.86, belt - 0.2), (half * 0.86, belt - 0.2), (half * 0.8, belt), (-half * 0.8, belt)]
        pen.poly(bonnet, mix(colour, (255, 255, 255), 0.35), mix(colour, (255, 255, 255), 0.08))
        pen.poly([(-0.42, 0.5), (0.42, 0.5), (0.5, 0.64), (-0.5, 0.64)], (40, 42, 46), (20, 21, 23))
        pen.poly(
            [(-half * 0.78, 0.24), (half * 0.78, 0.24), (half * 0.66, 0.4), (-half * 0.66, 0.4)], (38, 39, 42), PLASTIC
        )
    pen.box(-0.26, 0.42, 0.26, 0.53, (236, 236, 228), (218, 218, 210))
    for lamp in lamp_shapes(body, "head"):
        pen.both(lamp, (214, 222, 230), (150, 158, 168))
    pen.disc(0.0, 0.69 if body != "truck" else 1.6, 0.05, (224, 226, 230), (140, 144, 150))
    return pen.sprite()


@lru_cache(maxsize=128)
def side(body: BodyName, paint: int, per_m: float) -> Sprite:
    """A vehicle from its right side: the front is on the right."""
    shape, outline, colour = BODIES[body], OUTLINES[body], PAINTS[paint]
    half, top, belt = shape.length / 2, shape.height, outline.belt
    pen = Pen(shape.length, top, per_m=per_m)
    tail = [(-half + back, y) for y, back in outline.rear if y >= 0.2]
    nose = [(half - back, y) for y, back in outline.front if y >= 0.2]
    tail = [(-half + outline.rear[1][1], 0.26), *tail[1:]]
    hull = [*tail, *reversed(nose)]
    if body == "truck":
        pen.poly([(-half, 0.95), (half - 2.3, 0.95), (half - 2.3, top), (-half, top)], (226, 228, 230), (176, 178, 182))
        pen.box(-half, 2.0, half - 2.3, 2.5, mix(colour, (255, 255, 255), 0.1), colour)
        pen.box(-half, 0.45, half - 2.2, 0.95, (58, 60, 64), (34, 35, 37))
        cab = [(half - 2.2, 0.4), (half, 0.4), (half, 1.6), (half - 0.22, 2.6), (half - 0.9, top), (half - 2.2, top)]
        pen.poly(cab, colour, mix(colour, (0, 0, 0), 0.35))
        pen.poly([(half - 1.6, 1.75), (half - 0.2, 1.75), (half - 0.35, 2.5), (half - 1.6, 2.5)], GLASS_TOP, GLASS)
    else:
        pen.poly(hull, mix(colour, (255, 255, 255), 0.2), mix(colour, (0, 0, 0), 0.35))
        pen.poly([(-half + 0.05, 0.22), (half - 0.05, 0.22), (half - 0.1, 0.36), (-half + 0.1, 0.36)], PLASTIC)
        glass = [(x, y) for x, y in hull if y >= belt - 0.02]
        centre = np.mean(np.array(glass), axis=0)
        inner = [
            (float(centre[0] + (x - centre[0]) * 0.88), float(belt + 0.04 + max(0, y - belt) * 0.8)) for x, y in glass
        ]
        if body == "van":
            inner = [(half - 2.2, belt), (half - 1.15, belt), (half - 1.55, top - 0.35), (half - 2.2, top - 0.35)]
        pen.poly(inner, GLASS_TOP, GLASS)
        for x in (-0.15, 0.85, -1.05):
            dark = mix(colour, (0, 0, 0), 0.5)
            if x < 0.5 and body != "van":
                pen.poly(
                    [(x - 0.05, belt), (x + 0.05, belt), (x + 0.1, top - 0.1), (x, top - 0.1)], mix(colour, GLASS, 0.7)
                )
            pen.box(x - 0.008, 0.36, x + 0.008, belt, dark)
        pen.box(-half + 0.2, belt - 0.1, half - 0.4, belt - 0.085, mix(colour, (255, 255, 255), 0.4))
        pen.box(-half, 0.68, -half + 0.22, 0.86, (140, 20, 24), (96, 12, 16))
        pen.box(half - 0.34, 0.6, half - 0.03, 0.7, (206, 212, 220))
    for x in (-half + outline.axles[0], half - outline.axles[1]):
        r = outline.wheel
        pen.disc(x, r + 0.03, r + 0.07, (26, 26, 28))
        pen.disc(x, r, r, _TYRE)
        pen.disc(x, r, r * 0.66, (150, 153, 158), (92, 95, 100))
        pen.disc(x, r, r * 0.2, (60, 62, 66))
    return pen.sprite()


def _start(body: BodyName, paint: int, per_m: float) -> tuple[Pen, Rgb]:
    """Tyres, the gap under the car, and the painted silhouette."""
    shape, colour = BODIES[body], PAINTS[paint]
    half = shape.width / 2
    pen = Pen(shape.width + 0.04, shape.height, per_m=per_m)
    wheel = OUTLINES[body].wheel
    pen.both([(half - 0.26, 0.0), (half - 0.05, 0.0), (half - 0.03, wheel), (half - 0.26, wheel)], _TYRE, (12, 12, 13))
    pen.box(-half + 0.2, 0.17, half - 0.2, 0.34, (20, 20, 22), (8, 8, 9))
    if body != "truck":
        pen.poly(outline_of(body, bottom=0.24), mix(colour, (255, 255, 255), 0.22), mix(colour, (0, 0, 0), 0.38))
        belt = OUTLINES[body].belt
        rim = [(half * 0.98, belt), (half * 0.99, belt - 0.05), (-half * 0.99, belt - 0.05), (-half * 0.98, belt)]
        pen.poly(rim, mix(colour, (255, 255, 255), 0.5), colour)
    return pen, colour


def _window(pen: Pen, body: BodyName, low: float, high: float, *, inset: float) -> None:
    a, b = half_width(body, low) - inset * 0.8, half_width(body, high) - inset
    pen.poly([(-a, low), (a, low), (b, high), (-b, high)], GLASS_TOP, GLASS)
    seat_y = low + (high - low) * 0.45
    for x in (-0.36, 0.36):
        seat = [(x - 0.13, low), (x + 0.13, low), (x + 0.11, seat_y), (x - 0.11, seat_y)]
        pen.poly(seat, (18, 20, 23), strength=0.55)
    gleam = [(-a * 0.75, low), (-a * 0.45, low), (-b * 0.15, high), (-b * 0.5, high)]
    pen.poly(gleam, (220, 230, 238), strength=0.13)


def _truck_rear(pen: Pen, colour: Rgb) -> None:
    pen.box(-1.25, 1.0, 1.25, 3.45, (222, 224, 227), (170, 172, 176))
    pen.box(-1.25, 3.36, 1.25, 3.45, (140, 142, 146))
    pen.box(-1.25, 1.0, 1.25, 1.1, (120, 122, 126))
    pen.both([(1.2, 1.0), (1.25, 1.0), (1.25, 3.45), (1.2, 3.45)], (146, 148, 152))
    pen.box(-0.012, 1.1, 0.012, 3.36, (110, 112, 116))
    for x in (-0.5, 0.5):
        pen.box(x - 0.02, 1.1, x + 0.02, 3.36, (150, 152, 156))
    pen.box(-1.0, 2.25, 1.0, 2.75, mix(colour, (255, 255, 255), 0.1), colour)
    pen.text("SIMTRANS", -0.72, 2.4, 0.2, (236, 236, 236))
    for k in range(10):
        x = -1.2 + 0.24 * k
        pen.box(x, 1.02, x + 0.12, 1.09, (196, 40, 36))
    pen.box(-1.15, 0.5, 1.15, 0.62, (120, 122, 126), (70, 72, 76))
    pen.box(-1.1, 0.68, 1.1, 0.9, (44, 45, 48), (30, 31, 33))
    for lamp in lamp_shapes("truck", "tail"):
        pen.both(lamp, (150, 22, 26), (96, 10, 14))
    pen.box(-0.26, 0.74, 0.26, 0.85, (236, 220, 150), (220, 204, 130))
