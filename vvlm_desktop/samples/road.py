"""The fixed part of a place: lanes, edges, what stands beside the road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vvlm_desktop.samples.scenario import Scene

Edge: TypeAlias = Literal["grass", "pavement", "yard"]


@dataclass(frozen=True, slots=True)
class Line:
    """A painted line along the road at `d`; dashed when `dash_m` is set; `period_m` must divide 24 m."""

    d: float
    width: float = 0.14
    dash_m: float = 0.0
    period_m: float = 12.0
    yellow: bool = False


@dataclass(frozen=True, slots=True)
class Road:
    """A straight or gently winding road.

    Attributes:
        left, right: edges of the asphalt.
        lanes: centres of the lanes in ego's direction, ego's first.
        oncoming: centres of the lanes against it.
        medians: (from, to) strips of grass inside the asphalt.
        rails: d of guard rails.
        bend: curvature amplitude in 1/m, bend_m its wave length.
    """

    scene: Scene
    left: float
    right: float
    lanes: tuple[float, ...]
    oncoming: tuple[float, ...]
    lines: tuple[Line, ...]
    edge: Edge
    medians: tuple[tuple[float, float], ...] = ()
    rails: tuple[float, ...] = ()
    bend: float = 0.0
    bend_m: float = 700.0


ROADS: dict[Scene, Road] = {
    "highway": Road(
        "highway",
        left=-18.2,
        right=5.2,
        lanes=(0.0, -3.75),
        oncoming=(-11.0, -14.75),
        lines=(
            Line(1.95, 0.2),
            Line(-1.875, 0.15, dash_m=4.0),
            Line(-5.7, 0.2),
            Line(-9.1, 0.2),
            Line(-12.9, 0.15, dash_m=4.0),
            Line(-16.7, 0.2),
        ),
        edge="grass",
        medians=((-8.5, -6.5),),
        rails=(6.4, -6.9, -8.1),
        bend=0.00055,
    ),
    "rural": Road(
        "rural",
        left=-5.6,
        right=2.3,
        lanes=(0.0,),
        oncoming=(-3.4,),
        lines=(Line(1.72, 0.12), Line(-1.7, 0.12, dash_m=4.0), Line(-5.1, 0.12)),
        edge="grass",
        bend=0.0011,
        bend_m=520.0,
    ),
    "suburban": Road(
        "suburban",
        left=-5.6,
        right=2.5,
        lanes=(0.0,),
        oncoming=(-3.4,),
        lines=(Line(-1.7, 0.12, dash_m=3.0, period_m=8.0),),
        edge="yard",
    ),
    "urban": Road(
        "urban",
        left=-9.1,
        right=2.6,
        lanes=(0.0, -3.2),
        oncoming=(-6.7,),
        lines=(
            Line(-1.6, 0.12, dash_m=3.0, period_m=8.0),
            Line(-4.88, 0.12, yellow=True),
            Line(-5.12, 0.12, yellow=True),
        ),
        edge="pavement",
    ),
    "parking": Road("parking", left=-30.0, right=30.0, lanes=(0.0,), oncoming=(-3.4,), lines=(), edge="grass"),
}
