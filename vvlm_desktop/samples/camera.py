"""The pinhole camera in ego: where a point of the world falls in the picture, and how the car's motion shakes it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.samples.road import Road
from vvlm_desktop.samples.scenario import Camera
from vvlm_desktop.samples.world import Snapshot

Floats = NDArray[np.float64]

EYE_M = 1.3
NEAR_M = 0.35
_FOCAL_BY_WIDTH = 0.63  # about 77° from left to right
_HORIZON_BY_HEIGHT = 0.47


@dataclass(frozen=True, slots=True)
class Winding:
    """Lateral course of the road: curvature `bend * sin(2 pi s / wave)`, integrated exactly."""

    bend: float
    wave: float

    def heading(self, s: float) -> float:
        """Direction of the road at `s` in radians, positive to the right."""
        k = 2 * math.pi / self.wave
        return -self.bend / k * math.cos(k * s)

    def offset(self, s0: float, s: Floats) -> Floats:
        """How far the road has turned away at `s` from the straight line along it at `s0`."""
        if self.bend == 0.0:
            return np.zeros_like(s)
        k = 2 * math.pi / self.wave
        run = s - s0
        scale = self.bend / k / k
        offset: Floats = -scale * (np.sin(k * s) - math.sin(k * s0)) - self.heading(s0) * run
        return offset

    def offset_at(self, s0: float, s: float) -> float:
        """`offset` of a single place; many are asked for in every frame."""
        if self.bend == 0.0:
            return 0.0
        k = 2 * math.pi / self.wave
        return -self.bend / k / k * (math.sin(k * s) - math.sin(k * s0)) - self.heading(s0) * (s - s0)


@dataclass(frozen=True, slots=True)
class View:
    """The camera at one frame.

    Attributes:
        focal, centre_u, horizon_v: in pixels; shake and pitch are already in them.
        s, d: where the lens is.
        facing: 1 looks ahead, -1 looks back.
        pan_px: how far things at infinity have moved to the left.
    """

    width: int
    height: int
    focal: float
    centre_u: float
    horizon_v: float
    s: float
    d: float
    facing: int
    yaw: float
    winding: Winding
    pan_px: float

    def to_camera(self, s: Floats, d: Floats) -> tuple[Floats, Floats]:
        """Right and forward of the lens, in metres."""
        forward = (s - self.s) * self.facing
        across = (d + self.winding.offset(self.s, s) - self.d) * self.facing
        return across - math.tan(self.yaw) * forward, forward

    def place(self, s: float, d: float) -> tuple[float, float]:
        """`to_camera` of a single point."""
        forward = (s - self.s) * self.facing
        across = (d + self.winding.offset_at(self.s, s) - self.d) * self.facing
        return across - math.tan(self.yaw) * forward, forward

    def project(self, s: Floats, d: Floats, h: Floats) -> tuple[Floats, Floats]:
        """Pixels [N, 2] of points, and their distance ahead (pixels are meaningless where it is below `NEAR_M`)."""
        x, z = self.to_camera(s, d)
        return self.to_pixels(x, z, h), z

    def to_pixels(self, x: Floats, z: Floats, h: Floats) -> Floats:
        """Pixels [N, 2] of points in camera metres; `h` is the height above the road."""
        scale = self.focal / np.maximum(z, NEAR_M)
        return np.stack([self.centre_u + x * scale, self.horizon_v + (EYE_M - h) * scale], axis=1)


def focal_px(width: int) -> float:
    """Focal length for a picture of this width."""
    return width * _FOCAL_BY_WIDTH


def views(
    snapshots: list[Snapshot], road: Road, *, size: tuple[int, int], fps: float, camera: Camera, seed: int
) -> list[View]:
    """The camera at every frame: suspension pitch from braking, road shake from speed, a jolt at contact."""
    width, height = size
    focal = focal_px(width)
    winding = Winding(road.bend, road.bend_m)
    pitch, shake = _suspension(snapshots, fps=fps, seed=seed)
    facing = 1 if camera == "front" else -1
    result: list[View] = []
    for i, snapshot in enumerate(snapshots):
        ego = snapshot.ego
        yaw = ego.heading
        s = ego.s + (0.62 if facing > 0 else -1.75)
        heading = winding.heading(s) + yaw
        result.append(
            View(
                width,
                height,
                focal,
                width / 2 + focal * shake[i, 0],
                height * _HORIZON_BY_HEIGHT - focal * facing * pitch[i] + focal * shake[i, 1],
                s,
                ego.d,
                facing,
                yaw,
                winding,
                focal * heading,
            )
        )
    return result


def _suspension(snapshots: list[Snapshot], *, fps: float, seed: int) -> tuple[Floats, Floats]:
    """Pitch in radians (nose down positive) and shake [N, 2] in radians, per frame."""
    random = np.random.default_rng([seed, 77])
    count = len(snapshots)
    pitch, shake = np.zeros(count), np.zeros((count, 2))
    steps, stiffness, damping = 8, 130.0, 9.0
    angle = speed = 0.0
    hit = np.zeros(2)
    rough = np.zeros(2)
    for i, snapshot in enumerate(snapshots):
        ego = snapshot.ego
        before = snapshots[i - 1].ego.v if i else ego.v
        slowing = min(max((before - ego.v) * fps, -3.0), 45.0)
        for _ in range(steps):
            dt = 1 / fps / steps
            speed += (stiffness * (0.0030 * slowing - angle) - damping * speed) * dt
            angle += speed * dt
        just_hit = snapshot.hit_at_s is not None and i > 0 and snapshots[i - 1].hit_at_s is None
        if just_hit:
            hit = np.array([0.012, 0.02])
        hit = hit * np.array([-0.62, -0.66])
        rough = 0.55 * rough + random.normal(0.0, 1.0, 2) * np.array([0.0004, 0.0008]) * min(ego.v / 20.0, 1.2)
        pitch[i] = angle
        shake[i] = rough + hit
    return pitch, shake
