"""The local backend: a video language model on this computer, several clips at a time, read ahead of the GPU."""

from __future__ import annotations

from collections.abc import Iterator

from vvlm_desktop.backends.base import Feed, Job, Outcome
from vvlm_desktop.backends.local.pipeline import Pipeline
from vvlm_desktop.backends.local.resident import Resident


class LocalBackend:
    """Keeps one model loaded between calls, and the GPU with it, until another is wanted or it is closed."""

    name = "local"

    def __init__(self) -> None:
        self._resident = Resident()

    @property
    def loads(self) -> int:
        """How often weights were read so far."""
        return self._resident.loads

    def analyse_many(self, feed: Feed) -> Iterator[tuple[Job, Outcome]]:
        """See `backends.base.ManyBackend`."""
        yield from Pipeline(self._resident, feed).outcomes()

    def close(self) -> None:
        """Let go of the model, its memory and the GPU."""
        self._resident.unload()
