"""Which of the compared clips are listed after a click on the table or the matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vvlm_desktop.workflow.agreement import ClipLine


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which clips of the list are wanted."""

    field_key: str = ""
    event: tuple[str, str] | None = None
    words: str = ""

    def fits(self, line: ClipLine) -> bool:
        """Whether a clip is wanted."""
        if self.event is not None and line.event != self.event:
            return False
        return not self.field_key or self.field_key in line.differing


def narrowed(lines: Iterable[ClipLine], narrowing: Narrowing | None) -> list[ClipLine]:
    """The clips that are wanted, in their order."""
    return [line for line in lines if narrowing is None or narrowing.fits(line)]
