"""Gives the system back what decoded frames took: the C library keeps what is freed, hundreds of megabytes of it."""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)
#: The clip that is opened for the one that was closed decodes its first pictures before.
_DELAY_S = 0.5


class FreedMemory:
    """Returns freed memory a moment after the last call of `give_back`, on a thread of its own.

    Letting the C library map each frame by itself would return it at once as well, but costs every frame 0.15 ms of
    zeroed pages; this costs some 10 ms for each clip that is left.

    Args:
        trim: returns what is free; None where the system's C library needs no telling.
        delay_s: how long to wait for more.
    """

    def __init__(self, trim: Callable[[], object] | None, *, delay_s: float = _DELAY_S) -> None:
        self._trim = trim
        self._delay_s = delay_s
        self._lock = threading.Lock()
        self._due_s = 0.0
        self._thread: threading.Thread | None = None

    def give_back(self) -> None:
        """Something large was freed; callable from any thread, returns at once."""
        if self._trim is None:
            return
        with self._lock:
            self._due_s = time.monotonic() + self._delay_s
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="freed-memory", daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Whether all was given back within `timeout_s`."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def _run(self) -> None:
        trim, given_s = self._trim, -1.0
        assert trim is not None
        while True:
            with self._lock:
                due_s = self._due_s
                if due_s == given_s:
                    self._thread = None
                    return
            left_s = due_s - time.monotonic()
            if left_s > 0:
                time.sleep(left_s)
            else:
                trim()
                given_s = due_s


def _trim_of_c_library() -> Callable[[], object] | None:
    if not sys.platform.startswith("linux"):
        return None  # elsewhere large blocks go back by themselves
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError) as error:  # not every Linux has GNU's C library
        _log.info("Freed memory stays with the program: %s", error)
        return None
    trim.argtypes = [ctypes.c_size_t]
    return lambda: trim(0)


#: Of this process.
freed_memory = FreedMemory(_trim_of_c_library())
