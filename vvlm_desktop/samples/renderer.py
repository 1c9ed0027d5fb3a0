"""Puts one frame together, from the sky down to the stamp."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from vvlm_desktop.samples.camera import views
from vvlm_desktop.samples.ground import Ground
from vvlm_desktop.samples.junction import half_width_m
from vvlm_desktop.samples.lens import Lens
from vvlm_desktop.samples.mood import mood_of
from vvlm_desktop.samples.own_car import OwnCar, Stamp
from vvlm_desktop.samples.pixels import Glow, Image
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.scenery import Scenery
from vvlm_desktop.samples.sky import Panorama
from vvlm_desktop.samples.staging import Stage
from vvlm_desktop.samples.surface import Surface
from vvlm_desktop.samples.vehicles import Solid
from vvlm_desktop.samples.weather import Falling, WetRoad
from vvlm_desktop.samples.world import Snapshot


def render(
    scenario: Scenario, stage: Stage, snapshots: list[Snapshot], *, seed: int, size: tuple[int, int], fps: float
) -> Iterator[Image]:
    """Yield every frame as RGB [height, width, 3]; the array is reused, so copy it to keep it."""
    mood = mood_of(scenario)
    sky = Panorama(scenario, mood, size=size, seed=seed)
    ground = Ground(Surface(stage.road, scenario, mood, seed=seed), scenario, mood, size=size)
    scenery = Scenery(scenario, stage, mood, size=size, seed=seed)
    falling, wet = Falling(scenario, mood, seed=seed), WetRoad(scenario, mood)
    own, lens = OwnCar(scenario, mood, size=size), Lens(scenario, mood, size=size, seed=seed)
    stamp = Stamp(scenario, seed=seed, size=size) if scenario.stamp else None
    noise = _sensor_noise(seed, size) if mood.ambient[0] < 0.3 else None
    junction = None
    if stage.junction_s is not None:
        half = half_width_m(stage.road)
        junction = (stage.junction_s - half, stage.junction_s + half)
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    all_views = views(snapshots, stage.road, size=size, fps=fps, camera=scenario.camera, seed=seed)
    for i, (snapshot, view) in enumerate(zip(snapshots, all_views, strict=True)):
        glow = Glow(size)
        ground.draw(canvas, view, sky.draw(canvas, view), junction=junction)
        scenery.draw_flat(canvas, view)
        solids = [Solid(state, view, at_s=snapshot.t_s) for state in snapshot.others]
        solids = sorted((s for s in solids if s.visible), key=lambda s: -s.z)
        for solid in solids:
            solid.draw_shadow(canvas, mood)
        wet.streaks(canvas, solids)  # on the ground, so before what stands on it
        things = scenery.near(view, light=snapshot.light)
        for thing in sorted([*things, *solids], key=lambda thing: -thing.z):
            thing.draw(canvas, glow, mood)
        wet.mirror(canvas, view, solids)
        glow.shine(canvas, strength=1.0 if mood.ambient[0] < 0.3 else 0.5)
        falling.draw(canvas, view, speed=snapshot.ego.v)
        own.draw(canvas)
        if noise is not None:
            _add_noise(canvas, noise, i)
        lens.apply(canvas)
        if stamp is not None:
            stamp.draw(canvas, t_s=snapshot.t_s)
        yield canvas


def _sensor_noise(seed: int, size: tuple[int, int]) -> Image:
    random = np.random.default_rng([seed, 41])
    grain = random.normal(3.0, 3.0, (size[1] + 64, size[0] + 64, 1))
    return np.repeat(np.clip(grain, 0, 255), 3, axis=2).astype(np.uint8)


def _add_noise(canvas: Image, noise: Image, i: int) -> None:
    du, dv = (i * 37) % 64, (i * 23) % 64
    cv2.add(canvas, noise[dv : dv + canvas.shape[0], du : du + canvas.shape[1]], dst=canvas)
