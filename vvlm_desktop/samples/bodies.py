"""The solids that vehicles are made of: cross-sections, widths, where the lamps sit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vvlm_desktop.samples.world import BODIES, BodyName


@dataclass(frozen=True, slots=True)
class Outline:
    """Cross-sections of a body, in metres.

    Attributes:
        rear, front: (height, how far in from the end) from the bottom up.
        belt: height of the side windows' lower edge.
        roof_half: half of the roof's width.
        axles: distances of the wheels from the rear and from the front end.
        wheel: radius of the wheels.
    """

    rear: tuple[tuple[float, float], ...]
    front: tuple[tuple[float, float], ...]
    belt: float
    roof_half: float
    axles: tuple[float, float]
    wheel: float


OUTLINES: dict[BodyName, Outline] = {
    "hatchback": Outline(
        rear=((0.0, 0.1), (0.24, 0.08), (0.6, 0.0), (0.93, 0.06), (1.38, 0.42), (1.47, 0.75)),
        front=((0.0, 0.12), (0.24, 0.08), (0.55, 0.0), (0.72, 0.1), (0.95, 1.02), (1.4, 1.72), (1.47, 2.1)),
        belt=0.93,
        roof_half=0.62,
        axles=(0.78, 0.8),
        wheel=0.31,
    ),
    "sedan": Outline(
        rear=((0.0, 0.1), (0.25, 0.08), (0.6, 0.0), (0.92, 0.03), (0.98, 0.5), (1.36, 1.12), (1.44, 1.55)),
        front=((0.0, 0.12), (0.24, 0.08), (0.55, 0.0), (0.7, 0.1), (0.93, 1.2), (1.37, 1.95), (1.44, 2.4)),
        belt=0.93,
        roof_half=0.62,
        axles=(0.98, 0.86),
        wheel=0.32,
    ),
    "suv": Outline(
        rear=((0.0, 0.1), (0.32, 0.08), (0.7, 0.0), (1.08, 0.05), (1.58, 0.34), (1.68, 0.6)),
        front=((0.0, 0.12), (0.3, 0.08), (0.65, 0.0), (0.9, 0.08), (1.1, 1.05), (1.58, 1.65), (1.68, 2.1)),
        belt=1.08,
        roof_half=0.68,
        axles=(0.85, 0.88),
        wheel=0.36,
    ),
    "van": Outline(
        rear=((0.0, 0.06), (0.32, 0.04), (0.62, 0.0), (1.2, 0.02), (2.1, 0.07), (2.25, 0.14)),
        front=((0.0, 0.1), (0.3, 0.06), (0.62, 0.0), (0.95, 0.14), (1.2, 0.75), (2.0, 1.5), (2.25, 2.0)),
        belt=1.2,
        roof_half=0.86,
        axles=(0.95, 0.95),
        wheel=0.36,
    ),
    "truck": Outline(
        rear=((0.0, 0.1), (0.5, 0.05), (1.05, 0.0), (2.2, 0.0), (3.45, 0.0)),
        front=((0.0, 0.1), (0.4, 0.02), (1.4, 0.0), (1.6, 0.04), (2.6, 0.22), (3.45, 0.9)),
        belt=1.6,
        roof_half=1.25,
        axles=(1.9, 1.35),
        wheel=0.5,
    ),
}


def half_width(body: BodyName, height: float) -> float:
    """Half of the body's width at a height: bulging at the belt, leaning in above."""
    shape, outline = BODIES[body], OUTLINES[body]
    half = shape.width / 2
    if height <= outline.belt:
        return half * float(np.interp(height, [0.0, 0.22, 0.5, outline.belt], [0.9, 0.93, 1.0, 0.985]))
    return float(np.interp(height, [outline.belt, shape.height], [half * 0.985, outline.roof_half]))


def outline_of(body: BodyName, *, bottom: float) -> list[tuple[float, float]]:
    """The silhouette seen from behind."""
    top = BODIES[body].height
    heights = [bottom, 0.3, 0.5, 0.8, OUTLINES[body].belt, (OUTLINES[body].belt + top) / 2, top - 0.07]
    if body == "truck":
        heights = [bottom, 1.0, 2.0, 3.0, top - 0.02]
    right = [(half_width(body, h), h) for h in heights]
    crown = [(half_width(body, top) * 0.9, top - 0.015), (half_width(body, top) * 0.5, top)]
    half = [*right, *(crown if body != "truck" else [(half_width(body, top), top)])]
    return half + [(-x, y) for x, y in reversed(half)]


def lamp_shapes(body: BodyName, which: str) -> list[list[tuple[float, float]]]:
    """Outlines of the right-hand lamps, in metres from the middle."""
    half = BODIES[body].width / 2
    if which == "head":
        y = {"truck": 0.85, "van": 0.78, "suv": 0.76}.get(body, 0.62)
        return [[(half * 0.58, y - 0.05), (half * 0.95, y - 0.02), (half * 0.93, y + 0.12), (half * 0.66, y + 0.07)]]
    if body == "truck":
        return [[(0.82, 0.72), (1.18, 0.72), (1.18, 0.86), (0.82, 0.86)]]
    if body == "van":
        return [[(half * 0.86, 0.75), (half * 0.985, 0.75), (half * 0.98, 1.18), (half * 0.87, 1.18)]]
    belt = OUTLINES[body].belt
    if body == "sedan":
        return [
            [
                (half * 0.58, belt - 0.24),
                (half * 0.98, belt - 0.24),
                (half * 0.97, belt - 0.06),
                (half * 0.64, belt - 0.1),
            ]
        ]
    return [
        [(half * 0.7, belt - 0.27), (half * 0.985, belt - 0.24), (half * 0.96, belt + 0.02), (half * 0.78, belt - 0.06)]
    ]
