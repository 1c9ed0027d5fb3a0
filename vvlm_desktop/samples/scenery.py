"""What stands beside the road."""

from __future__ import annotations

from typing import Protocol

from vvlm_desktop.samples.camera import View
from vvlm_desktop.samples.mood import Mood
from vvlm_desktop.samples.pixels import Glow, Image
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.staging import Stage
from vvlm_desktop.samples.world import Aspect


class Drawable(Protocol):
    """Something with a distance."""

    @property
    def z(self) -> float:
        """Metres ahead of the lens."""
        ...

    def draw(self, canvas: Image, glow: Glow, mood: Mood) -> None:
        """Paint it."""
        ...


class Scenery:
    """Nothing yet."""

    def __init__(self, scenario: Scenario, stage: Stage, mood: Mood, *, size: tuple[int, int], seed: int) -> None:
        self._all = (scenario, stage, mood, size, seed)

    def draw_flat(self, canvas: Image, view: View) -> None:
        """Marks on the ground."""

    def near(self, view: View, *, light: Aspect | None) -> list[Drawable]:  # noqa: ARG002
        """What is in view."""
        return []
