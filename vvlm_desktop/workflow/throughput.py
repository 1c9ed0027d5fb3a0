"""How fast a batch goes, from what it has done lately; holds where answers come several at once and overlap."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from vvlm_desktop.backends.catalogue import BackendInfo
from vvlm_desktop.domain.clip import Clip

#: Answers that are looked back on: several rounds of the largest batch, few enough to follow a change of pace.
_WINDOW = 64
#: Answers that came this close after the window's first, as a share of it, came together with it.
_TOGETHER = 0.1


def work_in(clip: Clip, backend: BackendInfo) -> float:
    """How much work a clip is, in units of the backend's own.

    A measurement looks at every frame, so a clip counts by its length; a model looks at about the same number of frames
    whatever the length.
    """
    return 1.0 if backend.needs_model or backend.leaves_computer else clip.duration_s


class Throughput:
    """Notes when how much was done."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int, float]] = deque(maxlen=_WINDOW)
        self._clips = 0
        self._work = 0.0

    def begin(self) -> None:
        """Work begins now; said again before anything is done, it has only begun now (a model was loaded first)."""
        if not self._clips:
            self._marks.clear()
            self._marks.append((self._clock(), 0, 0.0))

    def add(self, work: float) -> None:
        """A clip is done."""
        self._clips += 1
        self._work += work
        self._marks.append((self._clock(), self._clips, self._work))

    def clips_per_minute(self) -> float | None:
        """None until a clip is done."""
        (seconds, clips, _) = self._lately()
        return clips * 60.0 / seconds if seconds > 0 and clips else None

    def seconds_for(self, works: Iterable[float]) -> float | None:
        """How long so much more work will take; None until a clip is done."""
        seconds, _, work = self._lately()
        return sum(works) * seconds / work if seconds > 0 and work > 0 else None

    def _lately(self) -> tuple[float, int, float]:
        """Seconds, clips and work between the window's first answers and its last."""
        if len(self._marks) < 2:
            return 0.0, 0, 0.0
        end = self._marks[-1]
        together_s = self._marks[0][0] + _TOGETHER * (end[0] - self._marks[0][0])
        begin = [mark for mark in self._marks if mark[0] <= together_s][-1]
        return end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]
