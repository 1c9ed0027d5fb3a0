"""When a whole batch stops: what went wrong concerns every clip, so trying them one by one would only fail them all."""

from __future__ import annotations

from dataclasses import dataclass, field

from vvlm_desktop.errors import (
    BackendUnavailableError,
    CloudAccessError,
    ConsentError,
    ModelFolderError,
    OutOfMemoryError,
    VvlmError,
    WorkerCrashedError,
)

#: Of a batch that has answered nothing yet; after an answer a network that fails is trouble over one clip.
_CONCERN_ALL: tuple[type[VvlmError], ...] = (
    BackendUnavailableError,
    ModelFolderError,
    OutOfMemoryError,
    CloudAccessError,
    ConsentError,
    WorkerCrashedError,
)
_NAMES = frozenset(each.__name__ for each in _CONCERN_ALL)
#: Two tries of one clip may be the clip's fault; a third death without an answer between is not.
MOST_DEATHS = 3
DEATH_HINT = "Perhaps memory ran out: choose fewer frames, or a smaller model."


def concerns_all(error: str) -> bool:
    """Whether an error of this class, told before any answer, would meet every other clip as well."""
    return error in _NAMES


def waiting_words(clips: int, hint: str) -> str:
    """The way out, and what became of the clips that were not analysed."""
    wait = "1 clip waits" if clips == 1 else f"{clips:,} clips wait"
    return f"{hint} {wait}; start the analysis again when this is mended.".strip()


@dataclass(slots=True)
class Deaths:
    """How often workers died: over each clip, and one after another without an answer between."""

    over: dict[str, int] = field(default_factory=dict)
    in_a_row: int = 0

    def count(self, clip_id: str) -> int:
        """Note one over a clip; how many those are now."""
        self.over[clip_id] = self.over.get(clip_id, 0) + 1
        return self.over[clip_id]
