"""Which of the compared clips are listed after a click on the table or the matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vvlm_desktop.workflow.agreement import ClipLine


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which clips of the list are wanted.

    Attributes:
        field_key: the field in which they differ.
        event: what A and what B says, of the choice at `place`.
        truth: a side, what a person says, and what that side says.
        place: of the field among the tally's choices; the event is the first.
        marked: key of the field to be marked, where it is not `field_key`.
    """

    field_key: str = ""
    event: tuple[str, str] | None = None
    words: str = ""
    truth: tuple[int, str, str] | None = None
    place: int = 0
    marked: str = ""

    def fits(self, line: ClipLine) -> bool:
        """Whether a clip is wanted."""
        if self.event is not None and line.said[self.place][:2] != self.event:
            return False
        if self.truth is not None:
            side, truth, value = self.truth
            said = line.said[self.place]
            if (said[2], said[side]) != (truth, value):
                return False
        return not self.field_key or self.field_key in line.differing


def narrowed(lines: Iterable[ClipLine], narrowing: Narrowing | None) -> list[ClipLine]:
    """The clips that are wanted, in their order."""
    return [line for line in lines if narrowing is None or narrowing.fits(line)]
