"""One request in hand, and the words in which its end is told."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable

from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.protocol import Done, Failure, Message, Progress, Result

_PROGRESS_EVERY_S = 0.1


class Errand:
    """What is said about one request, and nothing any more once its end was told; for any thread."""

    def __init__(self, request_id: str, stop: threading.Event, *, send: Callable[[Message], None]) -> None:
        self.id = request_id
        self.stop = stop
        self.started_s = time.monotonic()
        self._send = send
        self._lock = threading.Lock()
        self._over = False
        self._stage = ""
        self._told_at_s = 0.0

    def progress(self, done: float, stage: str) -> None:
        """Pass on progress when its words change, else ten times a second."""
        now = time.monotonic()
        if stage != self._stage or now - self._told_at_s >= _PROGRESS_EVERY_S:
            self._stage, self._told_at_s = stage, now
            self.tell(Progress(self.id, round(min(max(done, 0.0), 1.0), 4), stage))

    def tell(self, message: Message) -> None:
        """Send any message about this request."""
        with self._lock:
            if not self._over:
                self._send(message)

    def end(self, message: Result | Failure) -> None:
        """Tell how it ended; a result that JSON has no form for is a failure."""
        with self._lock:
            if self._over:
                return
            self._over = True
            try:
                self._send(message)
            except ValueError as error:
                self._send(failure(self.id, error))
            self._send(Done(self.id))


def failure(request_id: str, error: Exception) -> Failure:
    """`error` as it is told to the program above."""
    name = type(error).__name__
    if isinstance(error, JobCancelledError):
        return Failure(request_id, "Cancelled.", cancelled=True, error=name)
    # Without the frames' variables: those hold requests, and requests hold keys.
    details = "".join(traceback.format_exception(error))
    if isinstance(error, VvlmError):
        return Failure(request_id, str(error), hint=error.hint, details=details, error=name)
    return Failure(
        request_id,
        f"This stopped on a fault of the program: {name}: {error}",
        hint="Everything else goes on. Please report it with the details.",
        details=details,
        error=name,
    )
