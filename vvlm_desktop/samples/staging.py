"""Set the world up so that a scenario happens: who is where, and what every driver is going to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from vvlm_desktop.samples.road import ROADS, Road
from vvlm_desktop.samples.scenario import Density, Kind, Scenario
from vvlm_desktop.samples.world import BodyName, Move, Vehicle, World

EGO_ID = 0
_CARS: tuple[BodyName, ...] = ("hatchback", "sedan", "suv", "hatchback", "sedan", "van")


@dataclass(frozen=True, slots=True)
class Stage:
    """A world ready to run, and what is needed to say afterwards what happened.

    Attributes:
        conflict_id: the other party of the event, or of what looks like one; None where there is none.
        visible_at_s: when an attentive driver could first see the event coming.
        junction_s: middle of the crossing road, None without one.
        horn: (from, to) seconds in which ego sounds the horn.
    """

    world: World
    road: Road
    conflict_id: int | None = None
    visible_at_s: float | None = None
    junction_s: float | None = None
    horn: tuple[float, float] | None = None


def stage(scenario: Scenario, *, seed: int) -> Stage:
    """Build the world of `scenario`; the same seed gives the same world."""
    random = Random(f"world {seed} {scenario.kind}")  # noqa: S311 - a simulation, not a secret
    return _STAGES[scenario.kind](scenario, random)


def _pick(random: Random, *, paint_but: int = -1) -> tuple[BodyName, int]:
    paint = random.choice([p for p in range(8) if p != paint_but])
    return random.choice(_CARS), paint


def _fill(
    random: Random,
    road: Road,
    density: Density,
    *,
    first_id: int,
    lanes: tuple[float, ...],
    speed: float,
    ego_lane: bool,
) -> list[Vehicle]:
    """Traffic that only drives along: ahead and behind in `lanes`, and in the oncoming lanes."""
    vehicles: list[Vehicle] = []
    spacing = {"low": 95.0, "medium": 42.0, "high": 10.5}[density]
    for d in (*lanes, *road.oncoming):
        against = d in road.oncoming
        s = random.uniform(0.5, 1.0) * spacing if not ego_lane or d != lanes[0] else spacing * 0.9
        s += -60.0 if d != 0.0 else 10.0
        while s < (330.0 if density != "high" else 190.0):
            body, paint = _pick(random)
            if random.random() < 0.15 and d in (road.lanes[0], road.oncoming[-1]) and density != "high":
                body = "truck"
            v = speed * random.uniform(0.94, 1.04) + (1.5 if d != 0.0 and density != "high" else 0.0)
            vehicle = Vehicle(first_id + len(vehicles), body, s, d, v, paint, cruise=v)
            if against:
                vehicle.heading = math.pi
            vehicles.append(vehicle)
            s += vehicle.shape.length + spacing * random.uniform(0.75, 1.5)
    return vehicles


def _calm(scenario: Scenario, random: Random) -> Stage:
    road = ROADS[scenario.place]
    usual = {"highway": 28.0, "rural": 21.0, "suburban": 12.5, "urban": 12.5}[scenario.place]
    speed = {"low": usual, "medium": usual * 0.82, "high": 2.6}[scenario.density] * random.uniform(0.95, 1.05)
    ego = Vehicle(EGO_ID, "sedan", 0.0, 0.0, speed, cruise=speed * (1.0 if scenario.density == "low" else 1.15))
    others = _fill(random, road, scenario.density, first_id=1, lanes=road.lanes, speed=speed, ego_lane=True)
    if scenario.density != "low":
        body, paint = _pick(random)
        s = 4.6 + (speed * 1.7 + 2.5)
        others = [v for v in others if v.d != 0.0 or v.s > s + 14]
        others.append(Vehicle(900, body, s, 0.0, speed, paint, cruise=speed))
    return Stage(World(ego, others), road)


def _cut_in(scenario: Scenario, random: Random) -> Stage:
    road = ROADS[scenario.place]
    speed, paint = random.uniform(25.5, 28.5), random.choice((1, 4, 5))
    body: BodyName = random.choice(("hatchback", "suv", "sedan"))
    start = 0.36 * scenario.duration_s
    reaction = random.uniform(1.15, 1.3)

    def world(gap: float, *, traffic: bool) -> World:
        ego = Vehicle(EGO_ID, "sedan", 0.0, 0.0, speed, cruise=speed, follows=False)
        ego.moves = [Move(start + reaction, "brake", 7.2, until_v=speed - 9.0), Move(start + 4.5, "ignore", 0)]
        overtaking = 2.6
        centre = (ego.shape.length + 4.4) / 2
        cutter = Vehicle(1, body, centre + gap - overtaking * (start + 0.8), -3.75, speed + overtaking, paint)
        cutter.follows = False
        cutter.moves = [
            Move(start, "lane", 0.0, over_s=1.9),
            Move(start + 0.45, "brake", 6.0, until_v=speed - 7.0),
            Move(start + 3.2, "cruise", speed + 2.0),
        ]
        others = [cutter]
        if traffic:
            others.append(Vehicle(2, "truck", 78.0, 0.0, speed - 4.5, 0, cruise=speed - 4.5))
            others.append(Vehicle(3, "suv", 66.0, -3.75, speed + 2.5, 6, cruise=speed + 2.5))
            others.extend(_oncoming(random, road, speed, first_id=10))
            if scenario.density == "medium":
                others.append(Vehicle(4, "van", 135.0, -3.75, speed + 1.0, 2, cruise=speed + 1.0))
        return World(ego, others)

    wish = random.uniform(1.3, 2.0)
    gap = _bisect(lambda g: _closest(world(g, traffic=False), 1, until_s=start + 5.0) - wish, 2.0, 22.0)
    staged = world(gap, traffic=True)
    horn = (start + reaction + 0.15, start + reaction + 1.0)
    return Stage(staged, road, conflict_id=1, visible_at_s=start + 0.35, horn=horn)


def _rear_end(scenario: Scenario, random: Random) -> Stage:
    road = ROADS[scenario.place]
    speed, start = random.uniform(13.2, 14.6), 0.36 * scenario.duration_s
    reaction, mine, theirs, impact = random.uniform(1.65, 1.85), 7.0, 7.4, random.uniform(5.2, 6.6)
    # Ego's way until it is down to the impact speed, less the other's way to a stand; bite_s is the brakes' delay.
    bite_s = 0.12
    gap = speed * (reaction + bite_s) + (speed**2 - impact**2) / (2 * mine) - speed**2 / (2 * theirs) - speed * bite_s
    ego = Vehicle(EGO_ID, "sedan", 0.0, 0.0, speed, cruise=speed, follows=False)
    ego.moves = [Move(start + reaction, "brake", mine)]
    body: BodyName = random.choice(("suv", "hatchback"))
    lead = Vehicle(1, body, 0.0, 0.0, speed, random.choice((2, 3, 5)), cruise=speed, follows=False)
    lead.s = gap + (ego.shape.length + lead.shape.length) / 2
    lead.moves = [Move(start, "brake", theirs), Move(start + 4.2, "blink", 2)]
    queue = Vehicle(2, "van", lead.s + speed * start + 24.0, 0.0, 0.0, 0, cruise=0.0)
    queue2 = Vehicle(3, "sedan", queue.s + 7.2, 0.0, 0.0, 6, cruise=0.0)
    others = [lead, queue, queue2, *_oncoming(random, road, speed, first_id=10)]
    return Stage(World(ego, others), road, conflict_id=1, visible_at_s=start + 0.08)


def _red_light(scenario: Scenario, random: Random) -> Stage:
    road = ROADS[scenario.place]
    speed, yellow = random.uniform(14.4, 15.6), 0.26 * scenario.duration_s
    reaction, decel = random.uniform(0.7, 0.85), random.uniform(5.6, 6.2)
    ego = Vehicle(EGO_ID, "sedan", 0.0, 0.0, speed, cruise=speed, follows=False)
    ego.moves = [Move(yellow + reaction, "brake", decel)]
    front = ego.shape.length / 2
    line = front + speed * (yellow + reaction + 0.1) + speed**2 / (2 * decel) + random.uniform(1.6, 2.2)
    junction = line + 11.5
    red = yellow + 1.6
    others: list[Vehicle] = []
    for k, (side, after) in enumerate(((-1, 2.1), (1, 2.9), (-1, 3.9), (1, 5.0), (-1, 6.4))):
        body, paint = _pick(random)
        v = random.uniform(8.0, 9.5)
        s = junction + 1.8 * side  # right-hand traffic: from the right on the far half
        d = side * v * (red + after) + 4.0 * side
        others.append(Vehicle(20 + k, body, s, d, v, paint, heading=-side * math.pi / 2, cruise=v, follows=False))
    waiting = Vehicle(30, "sedan", junction + 11.5 + 2.6, road.oncoming[0], 0.0, 3, heading=math.pi, cruise=0.0)
    others.append(waiting)
    if len(road.lanes) > 1:
        neighbour = Vehicle(31, "hatchback", line - 14.0, road.lanes[1], 6.5, 4, cruise=6.5, follows=False)
        neighbour.s = line - neighbour.shape.length / 2 - 1.2 - 6.5 * (yellow + 0.6) - 6.5**2 / (2 * 2.2) - 0.4
        neighbour.moves = [Move(yellow + 0.6, "brake", 2.2)]
        others.append(neighbour)
    return Stage(World(ego, others, stop_line_s=line, light_times=(yellow, red)), road, junction_s=junction)


def _following_close(scenario: Scenario, random: Random) -> Stage:
    road = ROADS[scenario.place]
    speed = random.uniform(20.5, 22.5)
    gap = speed * random.uniform(0.56, 0.66)
    ego = Vehicle(EGO_ID, "sedan", 0.0, 0.0, speed, cruise=speed, follows=False)
    lead = Vehicle(1, "hatchback", 0.0, 0.0, speed, random.choice((3, 5, 2)), cruise=speed, follows=False)
    lead.s = gap + (ego.shape.length + lead.shape.length) / 2
    middle = 0.5 * scenario.duration_s
    lead.moves = [Move(middle, "brake", 1.5, until_v=speed - 1.6), Move(middle + 2.0, "cruise", speed - 1.2)]
    ego.moves = [Move(middle + 0.7, "brake", 1.8, until_v=speed - 1.9), Move(middle + 2.6, "cruise", speed - 1.3)]
    others = [lead, *_oncoming(random, road, speed, first_id=10, spacing=75.0)]
    return Stage(World(ego, others), road, conflict_id=1)


def _lane_change(scenario: Scenario, random: Random) -> Stage:
    road = ROADS[scenario.place]
    speed, start = random.uniform(26.0, 28.0), 0.26 * scenario.duration_s
    ego = Vehicle(EGO_ID, "sedan", 0.0, 0.0, speed, cruise=speed, follows=False)
    ego.moves = [
        Move(max(0.0, start - 1.2), "blink", -1),
        Move(start, "lane", road.lanes[1], over_s=4.2),
        Move(start + 4.0, "blink", 0),
    ]
    truck = Vehicle(1, "truck", 62.0, 0.0, speed - 5.0, random.choice((0, 4)), cruise=speed - 5.0)
    behind = Vehicle(2, "sedan", -34.0, 0.0, speed - 1.0, 5, cruise=speed - 1.0)
    behind.moves = [Move(start + 2.0, "cruise", speed - 3.0)]
    far = Vehicle(3, "suv", -92.0, -3.75, speed + 1.0, 1, cruise=speed + 1.0)
    fast = Vehicle(4, "hatchback", 96.0, -3.75, speed + 2.0, 3, cruise=speed + 2.0)
    others = [truck, behind, far, fast, *_oncoming(random, road, speed, first_id=10)]
    return Stage(World(ego, others), road, conflict_id=1)


def _crossing(scenario: Scenario, random: Random) -> Stage:
    road = ROADS[scenario.place]
    speed, start = random.uniform(12.5, 13.8), 0.34 * scenario.duration_s
    reaction, decel, cross_v = random.uniform(0.7, 0.85), 7.6, random.uniform(6.0, 7.0)
    ego = Vehicle(EGO_ID, "sedan", 0.0, 0.0, speed, cruise=speed, follows=False)
    ego.moves = [Move(start + reaction, "brake", decel)]
    stop = ego.shape.length / 2 + speed * (start + reaction + 0.1) + speed**2 / (2 * decel)
    crosser = Vehicle(1, "hatchback", 0.0, 0.0, cross_v, 1, heading=-math.pi / 2, cruise=cross_v, follows=False)
    crosser.s = stop + random.uniform(1.2, 1.7) + crosser.shape.width / 2
    # Its nose shows beside the houses when the driver can first see it.
    crosser.d = road.right + 4.5 + crosser.shape.length / 2 + cross_v * start
    others = [crosser, *[v for v in _oncoming(random, road, speed, first_id=10) if v.s > crosser.s + 60]]
    return Stage(World(ego, others), road, conflict_id=1, visible_at_s=start, junction_s=crosser.s + 1.5)


def _parked(scenario: Scenario, random: Random) -> Stage:
    road = ROADS[scenario.place]
    ego = Vehicle(EGO_ID, "sedan", 0.0, 0.0, 0.0, follows=False)
    others: list[Vehicle] = []
    for side in (-1, 1):
        for k in range(11):
            if random.random() < (0.2 if scenario.density == "low" else 0.08):
                continue
            body, paint = _pick(random)
            heading = random.choice((-1, 1)) * math.pi / 2
            d = side * 10.2 - 1.7 + random.uniform(-0.15, 0.15)
            others.append(Vehicle(40 + len(others), body, 4.0 + 24.0 / 9 * k, d, 0.0, paint, heading))
    passing = Vehicle(1, "hatchback", 52.0, -3.4, 4.2, 1, heading=math.pi, cruise=4.2, follows=False)
    others.append(passing)
    return Stage(World(ego, others), road)


def _oncoming(random: Random, road: Road, speed: float, *, first_id: int, spacing: float = 55.0) -> list[Vehicle]:
    vehicles: list[Vehicle] = []
    for d in road.oncoming:
        s = random.uniform(35.0, 90.0)
        while s < 480.0:
            body, paint = _pick(random)
            v = speed * random.uniform(0.95, 1.1)
            id_ = first_id + len(vehicles)
            vehicles.append(Vehicle(id_, body, s, d, v, paint, heading=math.pi, cruise=v, follows=False))
            s += spacing * random.uniform(0.8, 2.4)
    return vehicles


def _closest(world: World, other_id: int, *, until_s: float) -> float:
    """Smallest clear gap along the road between ego and the other while both are in one path; negative on contact."""
    other = next(v for v in world.others if v.id == other_id)
    nearest = math.inf
    while world.t_s < until_s:
        world.step()
        mine, theirs = world.ego.half_extent(), other.half_extent()
        if abs(other.d - world.ego.d) < mine[1] + theirs[1]:
            nearest = min(nearest, other.s - world.ego.s - mine[0] - theirs[0])
        if world.hit_at_s is not None:
            return -1.0
    return nearest


def _bisect(f: Callable[[float], float], low: float, high: float) -> float:
    """Where the rising `f` passes zero, to a few centimetres."""
    for _ in range(10):
        middle = (low + high) / 2
        if f(middle) > 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


_STAGES: dict[Kind, Callable[[Scenario, Random], Stage]] = {
    "calm": _calm,
    "cut_in": _cut_in,
    "rear_end": _rear_end,
    "hard_brake_red_light": _red_light,
    "following_close": _following_close,
    "lane_change": _lane_change,
    "crossing": _crossing,
    "parked": _parked,
}
