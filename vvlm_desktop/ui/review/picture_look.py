"""Brightness, contrast and gamma for the eye alone: what is saved, sent or judged stays as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 100
GAMMA_LIMITS = (0.25, 4.0)


@dataclass(frozen=True, slots=True)
class Look:
    """How the picture is changed on its way to the screen.

    Attributes:
        brightness, contrast: -100..100, 0 as recorded.
        gamma: 0.25..4, 1 as recorded; above it, dark parts become lighter.
    """

    brightness: int = 0
    contrast: int = 0
    gamma: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether it changes nothing."""
        return self == Look()

    def table(self) -> bytes:
        """What each of the 256 levels becomes."""
        slope = 2.0 ** (self.contrast / 50)
        shift = self.brightness / 200
        levels = (((i / 255) ** (1 / self.gamma) - 0.5) * slope + 0.5 + shift for i in range(256))
        return bytes(round(255 * max(0.0, min(level, 1.0))) for level in levels)

    def words(self) -> str:
        """What is changed, for the mark over the picture."""
        parts = [f"{name} {value:+d}" for name, value in self._percentages() if value]
        if self.gamma != 1:
            parts.append(f"gamma {self.gamma:.2f}")
        return ", ".join(parts) or "nothing changed yet"

    def _percentages(self) -> tuple[tuple[str, int], ...]:
        return ("brightness", self.brightness), ("contrast", self.contrast)
