"""Which of the compared clips are listed after a click on the table or the matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vvlm_desktop.workflow.agreement import ClipLine


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which clips of the list are wanted.

    Attributes:
        event: what A and what B says the event is.
        truth: a side, what the event is, and what that side says it is.
    """

    field_key: str = ""
    event: tuple[str, str] | None = None
    words: str = ""
    truth: tuple[int, str, str] | None = None

    def fits(self, line: ClipLine) -> bool:
        """Whether a clip is wanted."""
        if self.event is not None and line.event != self.event:
            return False
        if self.truth is not None and (line.truth, line.event[self.truth[0]]) != self.truth[1:]:
            return False
        return not self.field_key or self.field_key in line.differing


def narrowed(lines: Iterable[ClipLine], narrowing: Narrowing | None) -> list[ClipLine]:
    """The clips that are wanted, in their order."""
    return [line for line in lines if narrowing is None or narrowing.fits(line)]
