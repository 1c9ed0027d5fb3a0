"""What a simulated clip shall show: the only input of the simulator beside the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "cut_in",
    "rear_end",
    "hard_brake_red_light",
    "following_close",
    "lane_change",
    "crossing",
    "parked",
    "calm",
]
Light: TypeAlias = Literal["day", "dusk", "night"]
Weather: TypeAlias = Literal["clear", "cloudy", "rain", "fog", "snow"]
Density: TypeAlias = Literal["low", "medium", "high"]
Scene: TypeAlias = Literal["highway", "rural", "suburban", "urban", "parking"]
Lens: TypeAlias = Literal["clean", "wet", "dirty", "obscured", "unfocused"]
Camera: TypeAlias = Literal["front", "rear"]

KINDS: tuple[Kind, ...] = get_args(Kind)

_USUAL_SCENE: dict[Kind, Scene] = {
    "cut_in": "highway",
    "rear_end": "suburban",
    "hard_brake_red_light": "urban",
    "following_close": "rural",
    "lane_change": "highway",
    "crossing": "suburban",
    "parked": "parking",
    "calm": "rural",
}
#: Scenes that have what the kind needs: a second lane in ego's direction, a crossing road, bays to park in.
_POSSIBLE_SCENES: dict[Kind, tuple[Scene, ...]] = {
    "cut_in": ("highway",),
    "rear_end": ("suburban", "urban", "rural"),
    "hard_brake_red_light": ("urban", "suburban"),
    "following_close": ("rural", "highway"),
    "lane_change": ("highway",),
    "crossing": ("suburban", "urban"),
    "parked": ("parking",),
    "calm": ("highway", "rural", "suburban", "urban"),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One clip to simulate.

    Attributes:
        scene: where; None takes the usual one of the kind.
        density: `high` (a queue) only for `calm`; other kinds need the room to happen.
        lens: state of the camera; everything but `clean` is visible in the picture and in the labels.
        duration_s: length of the clip; events happen at about two fifths of it.
        stamp: whether date, time and the word SIMULATED are burned into the picture.
        sound: whether the clip has an audio track.
    """

    kind: Kind
    light: Light = "day"
    weather: Weather = "clear"
    density: Density = "low"
    scene: Scene | None = None
    lens: Lens = "clean"
    camera: Camera = "front"
    duration_s: float = 8.0
    stamp: bool = True
    sound: bool = True

    def __post_init__(self) -> None:
        if self.scene is not None and self.scene not in _POSSIBLE_SCENES[self.kind]:
            raise ValueError(f"{self.kind} cannot happen in scene {self.scene!r}")
        if self.density == "high" and self.kind != "calm":
            raise ValueError(f"{self.kind} cannot happen in a queue")
        if not 0.1 <= self.duration_s <= 120.0:
            raise ValueError(f"duration_s must lie in 0.1..120, not {self.duration_s}")

    @property
    def place(self) -> Scene:
        """The scene in force."""
        return self.scene or _USUAL_SCENE[self.kind]

    @property
    def wet(self) -> bool:
        """Whether the road is wet."""
        return self.weather == "rain"
