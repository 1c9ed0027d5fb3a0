"""What stands where beside the road: endless, made piece by piece from the seed, the same whenever one looks again."""

from __future__ import annotations

import numpy as np

from vvlm_desktop.samples import plants
from vvlm_desktop.samples.camera import View
from vvlm_desktop.samples.junction import draw_marks, half_width_m, signals
from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Image, Rgb, Sprite
from vvlm_desktop.samples.props import Block, Drawable, LampPost, Marker, Placed, Prop, Sign, Standing, draw_rail
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.staging import Stage
from vvlm_desktop.samples.world import Aspect

PIECE_M = 24.0
_SIGHT_M = 260.0
_ROOFS: tuple[Rgb, ...] = ((120, 62, 48), (84, 80, 82), (134, 88, 62))


class Scenery:
    """Props of a clip, by pieces of `PIECE_M` metres."""

    def __init__(self, scenario: Scenario, stage: Stage, mood: Mood, *, size: tuple[int, int], seed: int) -> None:
        del size
        self._scenario, self._road, self._mood, self._seed = scenario, stage.road, mood, seed
        self._junction_s, self._stop_line_s = stage.junction_s, stage.world.stop_line_s
        random = np.random.default_rng([seed, 61])
        grown = plants.plants(scenario.weather)
        self._trees, self._conifers, self._bushes = grown.trees, grown.conifers, grown.bushes
        self._fronts = self._make_fronts(random) if self._road.scene in ("urban", "suburban", "parking") else []
        self._signs = _make_signs() if self._road.scene in ("highway", "rural") else []
        self._pieces: dict[int, list[Prop]] = {}

    def draw_flat(self, canvas: Image, view: View) -> None:
        """Marks on the ground and the guard rails that lie behind all traffic."""
        if self._junction_s is not None:
            stop = self._stop_line_s
            draw_marks(canvas, view, self._mood, self._road, junction_s=self._junction_s, stop_line_s=stop)
        for d in sorted(self._road.rails, key=lambda d: -abs(d - view.d)):
            draw_rail(canvas, view, self._mood, d)

    def near(self, view: View, *, light: Aspect | None) -> list[Drawable]:
        """What is in view, with its distance."""
        sight = min(_SIGHT_M, self._mood.sight_m * 4.0)
        low, high = (view.s - 30, view.s + sight) if view.facing > 0 else (view.s - sight, view.s + 30)
        found: list[Drawable] = []
        for k in range(int(low // PIECE_M), int(high // PIECE_M) + 1):
            for prop in self._piece(k):
                z = (prop.s - view.s) * view.facing
                if isinstance(prop, Block) and view.facing < 0:
                    z = (prop.near_s - view.s) * view.facing
                if 0.5 < z < sight:
                    found.append(Placed(prop, view, z))
        if self._stop_line_s is not None and self._junction_s is not None:
            masts = signals(self._road, junction_s=self._junction_s, stop_line_s=self._stop_line_s, light=light)
            found += [Placed(signal, view, (signal.s - view.s) * view.facing) for signal in masts]
        return found

    def _piece(self, k: int) -> list[Prop]:
        if k not in self._pieces:
            random = np.random.default_rng([self._seed, 62, k + 100_000])
            fill = {
                "highway": self._highway,
                "rural": self._rural,
                "suburban": self._suburban,
                "urban": self._urban,
                "parking": self._parking,
            }[self._road.scene]
            self._pieces[k] = [prop for prop in fill(k * PIECE_M, random) if self._clear_of_junction(prop)]
        return self._pieces[k]

    def _clear_of_junction(self, prop: Prop) -> bool:
        if self._junction_s is None:
            return True
        free = half_width_m(self._road) + 3.0
        near = prop.near_s if isinstance(prop, Block) else prop.s
        return near > self._junction_s + free or prop.s < self._junction_s - free

    def _plant(self, random: np.random.Generator, s: float, d: float, *, conifers: float = 0.3) -> Standing:
        if random.random() < conifers:
            high = random.uniform(7, 13)
            return Standing(s, d, self._conifers[int(random.integers(3))], high * 0.5, high)
        high = random.uniform(6, 11)
        return Standing(s, d, self._trees[int(random.integers(4))], high * 0.8, high)

    def _plants(self, random: np.random.Generator, s0: float, count: int, low: float, high: float) -> list[Prop]:
        return [self._plant(random, s0 + random.uniform(0, PIECE_M), random.uniform(low, high)) for _ in range(count)]

    def _bush(self, random: np.random.Generator, s: float, d: float) -> Standing:
        high = random.uniform(0.8, 1.8)
        return Standing(s, d, self._bushes[int(random.integers(3))], high * 2, high)

    def _highway(self, s0: float, random: np.random.Generator) -> list[Prop]:
        props: list[Prop] = [Marker(s0 + 12, 5.75)]
        props += self._plants(random, s0, int(random.integers(1, 4)), 12, 34)
        props += self._plants(random, s0, int(random.integers(1, 3)), -46, -25)
        props += [self._bush(random, s0 + random.uniform(0, 24), random.uniform(8, 16)) for _ in range(3)]
        if int(s0 // PIECE_M) % 11 == 5:
            props.append(Sign(s0 + 6, 9.2, self._signs[0], 3.8, 2.6, 2.2))
        return props

    def _rural(self, s0: float, random: np.random.Generator) -> list[Prop]:
        props: list[Prop] = [Marker(s0 + 12, 2.95), Marker(s0 + 12, -6.25)]
        props += self._plants(random, s0, int(random.integers(0, 3)), 7, 22)
        props += self._plants(random, s0, int(random.integers(0, 3)), -26, -10.5)
        for side in (-1, 1):
            d = random.uniform(5, 12)
            props.append(self._bush(random, s0 + random.uniform(0, 24), d if side > 0 else -d - 3.4))
        if int(s0 // PIECE_M) % 9 == 3:
            props.append(Sign(s0 + 3, 4.1, self._signs[1], 0.9, 0.9, 1.6))
        return props

    def _suburban(self, s0: float, random: np.random.Generator) -> list[Prop]:
        props: list[Prop] = []
        for side in (-1, 1):
            edge = self._road.right if side > 0 else self._road.left
            d = edge + side * random.uniform(7.5, 10.5)
            near = s0 + random.uniform(2, 5)
            front, end = self._fronts[int(random.integers(len(self._fronts)))]
            roof = _ROOFS[int(random.integers(3))]
            props.append(Block(near + 13, near, d, 8.5, 5.6, front, end, roof))
            props.append(
                self._plant(random, s0 + random.uniform(18, 23), edge + side * random.uniform(4, 9), conifers=0.1)
            )
            hedge = (s0 + 4 * k + random.uniform(0, 3) for k in range(3))
            props.extend(self._bush(random, s, edge + side * 3.4) for s in hedge)
        if int(s0 // PIECE_M) % 2 == 0:
            props.append(LampPost(s0 + 21, self._road.right + 1.6, 5.8))
        return props

    def _urban(self, s0: float, random: np.random.Generator) -> list[Prop]:
        props: list[Prop] = []
        for side in (-1, 1):
            edge = self._road.right if side > 0 else self._road.left
            d = edge + side * 4.2
            cut = random.uniform(9, 15)
            for near, far in ((s0, s0 + cut), (s0 + cut, s0 + PIECE_M)):
                front, end = self._fronts[int(random.integers(len(self._fronts)))]
                props.append(
                    Block(far, near, d + side * random.uniform(0, 0.5), 11.0, random.uniform(8.5, 17.0), front, end)
                )
            props.append(LampPost(s0 + (2 if side > 0 else 14), edge + side * 0.7))
            if random.random() < 0.6:
                tree = self._trees[int(random.integers(4))]
                high = random.uniform(4.5, 6.5)
                props.append(Standing(s0 + 9 + random.uniform(0, 4), edge + side * 1.5, tree, high * 0.75, high))
        return props

    def _parking(self, s0: float, random: np.random.Generator) -> list[Prop]:
        props: list[Prop] = []
        if 36.0 < s0 <= 72.0:
            across = (-36 + 7.5 * k + random.uniform(-2, 2) for k in range(10))
            props.extend(self._plant(random, s0 + random.uniform(0, 8), d) for d in across)
        elif 72.0 < s0 <= 96.0:
            front, end = self._fronts[0]
            props.append(Block(s0 + 20, s0, 8.0, 26.0, 9.0, front, end))
        props.extend(self._plant(random, s0 + random.uniform(0, 24), side * random.uniform(17, 24)) for side in (-1, 1))
        if 0 <= s0 < 60:
            props.append(LampPost(s0 + 10, -17.5, 6.5))
        return props

    def _make_fronts(self, random: np.random.Generator) -> list[tuple[Sprite, Sprite]]:
        night = self._scenario.light != "day"
        # Street lamps light the fronts of a town; a few times more than the sky does at night.
        ambient = self._mood.ambient
        light: Rgb = (
            ambient if not night else (ambient[0] * 1.5 + 0.07, ambient[1] * 1.5 + 0.055, ambient[2] * 1.5 + 0.035)
        )
        town = self._road.scene != "suburban"
        fronts: list[tuple[Sprite, Sprite]] = []
        for _ in range(6 if town else 4):
            wide, high = (12.0, 13.0) if town else (13.0, 5.6)
            front = plants.facade(random, wide_m=wide, high_m=high, night=night, shops=town, light=light)
            end = plants.facade(random, wide_m=9.0, high_m=high, night=night, shops=False, light=light)
            fronts.append((front, end))
        return fronts


def _make_signs() -> list[Sprite]:
    blue = plants.panel(
        ["A 17", "Simville  12", "Probe       34"], back=(28, 70, 150), ink=(240, 240, 240), wide_m=3.8, high_m=2.6
    )
    return [blue, plants.limit_sign("100")]
