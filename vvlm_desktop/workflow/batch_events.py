"""What a batch of analyses tells its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vvlm_desktop.domain.clip import Clip

EventKind: TypeAlias = Literal["started", "progress", "analysed", "failed", "finished", "cancelled", "stopped"]


@dataclass(frozen=True, slots=True)
class BatchEvent:
    """What a batch tells its owner.

    `stopped` is the end of a batch over something that concerns every clip; the others wait in the library.

    Attributes:
        clip: the clip in question, None for events of the whole batch.
        message: the stage in words, or the error's sentence; `hint` and `details` belong to errors.
        fraction: 0..1 of the whole batch.
        seconds_left, clips_per_minute: None until the first clip is done.
        flags: of an analysed clip: what the backend found worth saying about its answer.
    """

    kind: EventKind
    done: int
    failed: int
    total: int
    fraction: float
    clip: Clip | None = None
    message: str = ""
    hint: str = ""
    details: str = ""
    seconds_left: float | None = None
    clips_per_minute: float | None = None
    flags: tuple[str, ...] = ()
