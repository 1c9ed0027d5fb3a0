"""What of the clip table is out of date."""

from __future__ import annotations

from dataclasses import dataclass, field

from vvlm_desktop.domain.review import Change


@dataclass(slots=True)
class Stale:
    """What has been written since the table was read.

    Attributes:
        order: clips may have come, gone or moved: the list must be read again.
        every_line: lines have changed, it was not said which.
        clip_ids: clips whose lines have changed.
    """

    order: bool = False
    every_line: bool = False
    clip_ids: set[str] = field(default_factory=set)

    @property
    def any(self) -> bool:
        """Whether anything is."""
        return self.order or self.every_line or bool(self.clip_ids)

    def note(self, change: Change, *, moves: bool) -> None:
        """Add what a write changed; `moves` where it can change which clips are listed, or their order."""
        self.order |= moves
        self.every_line |= not change.clip_ids
        self.clip_ids.update(change.clip_ids)
