"""The physical world: vehicles on a road, moved in fixed steps; knows nothing of pictures.

Coordinates in metres: `s` along the road in ego's direction, `d` across it, positive to the right, 0 in the middle of
ego's first lane. Headings in radians: 0 along `s`, positive to the right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

STEP_S = 0.01
#: Drivers look and decide every 0.04 s; the cars move in finer steps.
_STEPS_PER_DECISION = 4
_JERK = 28.0  # m/s³: how fast a brake bites
_RESTITUTION = 0.12

BodyName: TypeAlias = Literal["hatchback", "sedan", "suv", "van", "truck"]
Aspect: TypeAlias = Literal["green", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class Body:
    """Outer measures in metres and mass in kilograms."""

    length: float
    width: float
    height: float
    mass: float


BODIES: dict[BodyName, Body] = {
    "hatchback": Body(4.15, 1.78, 1.47, 1250),
    "sedan": Body(4.65, 1.84, 1.44, 1550),
    "suv": Body(4.60, 1.90, 1.68, 1850),
    "van": Body(5.30, 2.00, 2.25, 2300),
    "truck": Body(9.60, 2.50, 3.45, 12000),
}


@dataclass(frozen=True, slots=True)
class Move:
    """Something a driver does at a given time.

    Attributes:
        what: `brake` at `amount` m/s² until `until_v` (0: to a stand, and stay); `lane` to d = `amount` within
            `over_s`; `cruise` at `amount` m/s; `blink` (-1 left, 1 right, 2 hazard, 0 off); `ignore` the car
            ahead (1) or see it again (0).
    """

    at_s: float
    what: Literal["brake", "lane", "cruise", "blink", "ignore"]
    amount: float
    over_s: float = 3.0
    until_v: float = 0.0


@dataclass(slots=True)
class Vehicle:
    """A vehicle and its driver.

    Attributes:
        s, d: of its centre.
        cruise: the speed its driver wants, 0 for one who waits with a foot on the brake, None to keep what it is.
    """

    id: int
    body: BodyName
    s: float
    d: float
    v: float
    paint: int = 0
    heading: float = 0.0
    cruise: float | None = None
    headway_s: float = 1.5
    follows: bool = True
    moves: list[Move] = field(default_factory=list)
    a: float = 0.0
    yaw: float = 0.0
    blink: int = 0
    hit: bool = False
    _brake: Move | None = None
    _lane: tuple[float, float, float, float] | None = None  # start time, from, to, duration

    @property
    def shape(self) -> Body:
        """Outer measures."""
        return BODIES[self.body]

    def half_extent(self) -> tuple[float, float]:
        """Half of its extent along `s` and along `d`."""
        c, n = abs(math.cos(self.heading)), abs(math.sin(self.heading))
        length, width = self.shape.length / 2, self.shape.width / 2
        return length * c + width * n, length * n + width * c


@dataclass(frozen=True, slots=True)
class State:
    """A vehicle at one instant, as the renderer and the truth see it."""

    id: int
    body: BodyName
    paint: int
    s: float
    d: float
    v: float
    a: float
    heading: float
    braking: bool
    blink: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world at one frame. `hit_at_s` is the time of the first contact so far."""

    t_s: float
    ego: State
    others: tuple[State, ...]
    light: Aspect | None
    hit_at_s: float | None


@dataclass(slots=True)
class World:
    """Ego, the others, and a traffic light where there is one.

    Attributes:
        stop_line_s: where vehicles have to stop at red, None without a light.
        light_times: when it turns yellow and red.
    """

    ego: Vehicle
    others: list[Vehicle]
    stop_line_s: float | None = None
    light_times: tuple[float, float] = (math.inf, math.inf)
    t_s: float = 0.0
    hit_at_s: float | None = None
    hit_speed: float | None = None
    hit_id: int | None = None
    _steps: int = 0
    _decided: list[float] = field(default_factory=list)

    @property
    def light(self) -> Aspect | None:
        """What the light shows to ego."""
        if self.stop_line_s is None:
            return None
        yellow, red = self.light_times
        return "red" if self.t_s >= red else "yellow" if self.t_s >= yellow else "green"

    def step(self) -> None:
        """Advance by `STEP_S`."""
        vehicles = [self.ego, *self.others]
        if self._steps % _STEPS_PER_DECISION == 0:
            self._decided = [self._wanted(vehicle, vehicles) for vehicle in vehicles]
        self._steps += 1
        for vehicle, acceleration in zip(vehicles, self._decided, strict=True):
            self._move(vehicle, acceleration)
        self.t_s = round(self.t_s + STEP_S, 6)
        self._collide()

    def snapshot(self) -> Snapshot:
        """The world as it is now."""
        return Snapshot(self.t_s, _state(self.ego), tuple(_state(v) for v in self.others), self.light, self.hit_at_s)

    def ahead_of(self, me: Vehicle, vehicles: list[Vehicle], *, margin: float = 0.15) -> tuple[Vehicle, float] | None:
        """The next vehicle in the path of `me` and the clear gap to it, for vehicles that drive along the road."""
        sign = math.cos(me.heading)
        if abs(sign) < 0.5:
            return None
        mine = me.half_extent()
        best: tuple[Vehicle, float] | None = None
        for other in vehicles:
            if other is me or (other.s - me.s) * sign <= 0:
                continue
            theirs = other.half_extent()
            if abs(other.d - me.d) > mine[1] + theirs[1] + margin:
                continue
            gap = abs(other.s - me.s) - mine[0] - theirs[0]
            if best is None or gap < best[1]:
                best = (other, gap)
        return best

    def _wanted(self, me: Vehicle, vehicles: list[Vehicle]) -> float:
        self._read_moves(me)
        if me.hit:
            return -8.0
        if me._brake is not None:
            if me.v > me._brake.until_v + 1e-6:
                return -me._brake.amount
            if me._brake.until_v == 0.0:
                me.cruise = 0.0
            me._brake = None
        cruise = me.v if me.cruise is None else me.cruise
        wanted = max(-2.0, min(1.6, 0.8 * (cruise - me.v)))
        ahead = self.ahead_of(me, vehicles) if me.follows else None
        if ahead is not None:
            other, gap = ahead
            speed = other.v * math.cos(other.heading - me.heading)
            wish = 2.0 + me.v * me.headway_s + me.v * (me.v - speed) / (2 * math.sqrt(1.5 * 2.5))
            wanted = min(wanted, 1.5 * (1.0 - (max(wish, 0.5) / max(gap, 0.5)) ** 2))
        return max(-6.0, wanted)

    def _read_moves(self, me: Vehicle) -> None:
        while me.moves and self.t_s >= me.moves[0].at_s:
            move = me.moves.pop(0)
            if move.what == "brake":
                me._brake = move
            elif move.what == "lane":
                me._lane = (self.t_s, me.d, move.amount, move.over_s)
            elif move.what == "cruise":
                me.cruise = move.amount
            elif move.what == "blink":
                me.blink = int(move.amount)
            else:
                me.follows = move.amount == 0

    def _move(self, me: Vehicle, wanted: float) -> None:
        change = _JERK * STEP_S
        me.a = min(me.a + change, max(me.a - change, wanted))
        before = me.v
        me.v = max(0.0, me.v + me.a * STEP_S)
        if before == 0.0 == me.v:
            me.a = max(me.a, 0.0)
        way = (before + me.v) / 2 * STEP_S
        me.s += way * math.cos(me.heading)
        me.d += way * math.sin(me.heading)
        if me._lane is not None:
            start, d0, d1, over_s = me._lane
            x = min(1.0, (self.t_s + STEP_S - start) / over_s)
            d = d0 + (d1 - d0) * x * x * x * (x * (6 * x - 15) + 10)
            me.yaw = math.atan2(d - me.d, max(way, 0.02)) if way > 1e-4 else 0.0
            me.d = d
            if x >= 1.0:
                me._lane = None
                me.yaw = 0.0

    def _collide(self) -> None:
        ego = self.ego
        for other in self.others:
            if not touching(ego, other):
                continue
            if self.hit_at_s is None:
                self.hit_at_s = self.t_s
                self.hit_speed = ego.v - other.v * math.cos(other.heading)
                self.hit_id = other.id
            along = math.cos(other.heading)
            closing = ego.v - other.v * along
            if closing > 0 and other.s > ego.s:
                total = ego.shape.mass + other.shape.mass
                common = (ego.shape.mass * ego.v + other.shape.mass * other.v * along) / total
                bounce = _RESTITUTION * closing
                ego.v = max(0.0, common - bounce * other.shape.mass / total)
                other.v = max(0.0, common + bounce * ego.shape.mass / total) if along > 0.5 else 0.0
            ego.hit = other.hit = True


def touching(one: Vehicle, other: Vehicle) -> bool:
    """Whether the outlines of two vehicles overlap."""
    a, b = one.half_extent(), other.half_extent()
    return abs(one.s - other.s) < a[0] + b[0] and abs(one.d - other.d) < a[1] + b[1]


def _state(v: Vehicle) -> State:
    braking = v.hit or v.a < -0.6 or (v.v < 0.05 and v.cruise is not None)
    return State(v.id, v.body, v.paint, v.s, v.d, v.v, v.a, v.heading + v.yaw, braking, v.blink)


def run(world: World, *, frames: int, fps: float) -> list[Snapshot]:
    """Simulate until every frame has its snapshot; frame i is the world at time i / fps."""
    snapshots: list[Snapshot] = []
    for i in range(frames):
        while world.t_s + STEP_S / 2 < i / fps:
            world.step()
        snapshots.append(world.snapshot())
    return snapshots
