"""One reading of a file at a time in this program: who wants the same meanwhile waits, and hears how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.video.probe import ExamineProgress

#: How often who waits for another's reading looks whether it is still wanted.
_LOOK_EVERY_S = 0.05

Tell = Callable[[ExamineProgress], None]


@dataclass(slots=True, eq=False)
class _Reading:
    alone: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    listeners: list[Tell] = field(default_factory=list)


_readings: dict[Path, _Reading] = {}
_guard = threading.Lock()


@contextmanager
def reading_once(result: Path, *, cancelled: Callable[[], bool] | None, progress: Tell | None) -> Iterator[Tell]:
    """Wait until nobody else makes `result`; gives what tells everybody who waits for it how far that is.

    Whether it is there by then is the caller's to look. Where the one who read gives up, the next one reads.

    Raises:
        JobCancelledError: `cancelled` said so while it waited.
    """
    listening = [progress] if progress is not None else []
    with _guard:
        reading = _readings.setdefault(result, _Reading())
        reading.users += 1
        reading.listeners += listening
    try:
        while not reading.alone.acquire(timeout=_LOOK_EVERY_S):
            if cancelled is not None and cancelled():
                raise JobCancelledError("Reading was stopped.")
        try:
            yield lambda so_far: _tell(reading, so_far)
        finally:
            reading.alone.release()
    finally:
        with _guard:
            reading.users -= 1
            for each in listening:
                reading.listeners.remove(each)
            if not reading.users:
                del _readings[result]


def _tell(reading: _Reading, so_far: ExamineProgress) -> None:
    with _guard:  # nobody is told who has left
        for each in reading.listeners:
            each(so_far)
