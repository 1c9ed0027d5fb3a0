"""How far adding is: which file, and of a large one how much of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.video.probe import ExamineProgress

#: A file that takes longer than this tells how far it is, and again each time so much has passed.
_TELL_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class AddProgress:
    """`done` of `total` files; `path` is the one in work.

    Attributes:
        read_bytes, size_bytes: how far that one is, where it takes long enough to be told; else 0.
        checked: how much of a file that promises more than it holds has been decoded, 0..1; None while it is read.
    """

    done: int
    total: int
    path: Path
    read_bytes: int = 0
    size_bytes: int = 0
    checked: float | None = None

    @property
    def share(self) -> float:
        """How much of everything is done, 0..1, each file counted alike."""
        return (self.done + self.read_bytes / max(1, self.size_bytes)) / max(1, self.total)


class Meter:
    """Tells now and then how far one file is: what both of those who read it at once have read."""

    def __init__(
        self, start: AddProgress, tell: Callable[[AddProgress], None] | None, *, cancelled: Callable[[], bool]
    ) -> None:
        self.cancelled = cancelled
        self._progress, self._tell = start, tell
        self._told_s = time.monotonic()
        self._hashed_bytes, self._indexed_bytes = 0, 0
        self._lock = threading.Lock()

    def begin(self, size_bytes: int) -> None:
        """The file has so many bytes."""
        self._progress = replace(self._progress, size_bytes=size_bytes)

    def hashed(self, done_bytes: int) -> None:
        """So much of it is hashed; stops that by raising.

        Raises:
            JobCancelledError: it is no longer wanted.
        """
        if self.cancelled():
            raise JobCancelledError("Adding was stopped.")
        with self._lock:
            self._hashed_bytes = done_bytes
            self._say()

    def examined(self, progress: ExamineProgress, *, stream_index: int, streams: int) -> None:
        """So much of it is examined: each stream reads all of it."""
        with self._lock:
            if not progress.decoding:
                self._indexed_bytes = round(self._progress.size_bytes * (stream_index + progress.share) / streams)
            self._say(checked=progress.share if progress.decoding else None)

    def _say(self, *, checked: float | None = None) -> None:
        now_s = time.monotonic()
        if self._tell is not None and now_s - self._told_s >= _TELL_EVERY_S:
            self._told_s = now_s
            read_bytes = min(self._hashed_bytes, self._indexed_bytes, self._progress.size_bytes)
            self._tell(replace(self._progress, read_bytes=read_bytes, checked=checked))
