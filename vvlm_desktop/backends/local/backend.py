"""The local backend: a video language model on this computer, several clips at a time, read ahead of the GPU."""

from __future__ import annotations

from collections.abc import Iterator

from vvlm_desktop.backends.base import Feed, Job, Outcome
from vvlm_desktop.backends.local.pipeline import Pipeline
from vvlm_desktop.backends.local.resident import Resident
from vvlm_desktop.errors import VvlmError

#: A model that nobody has asked anything for so long is let go of: other programs want the memory, too.
IDLE_S = 300.0


class LocalBackend:
    """Keeps one model loaded between calls, and the GPU with it, until another is wanted or nobody asks any more."""

    name = "local"

    def __init__(self) -> None:
        self._resident = Resident()

    @property
    def loads(self) -> int:
        """How often weights were read so far."""
        return self._resident.loads

    def analyse_many(self, feed: Feed) -> Iterator[tuple[Job, Outcome]]:
        """See `backends.base.ManyBackend`."""
        try:
            yield from Pipeline(self._resident, feed).outcomes()
        except VvlmError:
            raise
        except Exception:  # whoever catches it begins anew, and must not find the GPU taken by us
            self.close()
            raise

    def rest(self, idle_s: float) -> None:
        """See `backends.base.Resting`: away after `IDLE_S`, at once where somebody waits for the GPU."""
        if idle_s >= IDLE_S or self._resident.is_wanted:
            self.close()

    def close(self) -> None:
        """Let go of the model, its memory and the GPU."""
        self._resident.unload()
