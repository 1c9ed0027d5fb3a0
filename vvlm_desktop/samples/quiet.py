"""Keep OpenCV from starting threads of its own while clips are drawn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_lock = threading.Lock()
_inside = 0
_usual = 0


@contextmanager
def single_threaded() -> Iterator[None]:
    """Within, OpenCV works in the calling thread only.

    The pieces drawn here are small: its threads cost twice the time they save, and would fight with the other clip
    that is being made. The setting is one for the process, so the last to leave restores it.
    """
    global _inside, _usual  # noqa: PLW0603 - mirrors OpenCV's own global
    with _lock:
        if _inside == 0:
            _usual = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                cv2.setNumThreads(_usual)
