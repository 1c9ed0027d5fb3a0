"""When to send and when to wait: rate per minute, backing off, and what a server asks for by Retry-After."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import tenacity

from vvlm_desktop.errors import JobCancelledError

_SLICE_S = 0.05
_WINDOW_S = 60.0
_Result = TypeVar("_Result")

#: Answers after which the same request may succeed.
RETRIED_STATUS = frozenset({408, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things wait.

    Attributes:
        attempts: of one request, the first included.
        first_wait_s, longest_wait_s: between attempts, doubling, with jitter.
        patience_s: a server that asks for a longer pause is not waited for.
        poll_s: between two looks whether an upload is ready.
        sleep: how a short sleep is done; tests count instead.
    """

    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    patience_s: float = 120.0
    poll_s: float = 2.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait(self, seconds: float, cancelled: Callable[[], bool]) -> None:
        """Sleep in small pieces.

        Raises:
            JobCancelledError: `cancelled` said so.
        """
        ends = self.clock() + seconds
        while True:
            if cancelled():
                raise JobCancelledError("Cancelled.")
            left = ends - self.clock()
            if left <= 0:
                return
            self.sleep(min(left, _SLICE_S))


@dataclass(frozen=True, slots=True)
class Transient:
    """A failure after which it is worth trying again; `after_s` is what the server asked for, None for nothing."""

    after_s: float | None = None


@dataclass
class Limiter:
    """At most so many requests a minute from all threads together; a pause that one is asked for holds all of them."""

    per_minute: int
    pace: Pace
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _begun: deque[float] = field(default_factory=deque)
    _paused_until: float = 0.0

    def enter(self, cancelled: Callable[[], bool], *, counted: bool = True) -> None:
        """Wait until the next request may go; one that is not counted waits for pauses only."""
        while (left_s := self._reserve(counted)) > 0:
            self.pace.wait(left_s, cancelled)

    def pause(self, seconds: float) -> None:
        """Let nobody through for so long."""
        with self._lock:
            self._paused_until = max(self._paused_until, self.pace.clock() + seconds)

    def _reserve(self, counted: bool) -> float:
        """Take a place and return 0, or say how long there is none."""
        with self._lock:
            now = self.pace.clock()
            while self._begun and self._begun[0] <= now - _WINDOW_S:
                self._begun.popleft()
            full = counted and 0 < self.per_minute <= len(self._begun)
            left_s = max(self._paused_until - now, self._begun[0] + _WINDOW_S - now if full else 0.0)
            if left_s <= 0 and counted:
                self._begun.append(now)
            return left_s


def with_retries(
    request: Callable[[], _Result],
    *,
    transient: Callable[[BaseException], Transient | None],
    limiter: Limiter,
    cancelled: Callable[[], bool],
    counted: bool = True,
) -> _Result:
    """Send, and send again after failures that pass; the last failure comes through as it is.

    Args:
        counted: against the rate per minute, which is about answers; looking whether an upload is ready is not one.
    """
    pace = limiter.pace

    def worth_it(error: BaseException) -> bool:
        found = transient(error)
        return found is not None and (found.after_s or 0.0) <= pace.patience_s

    def wait_s(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        found = transient(error) if error is not None else None
        backoff_s: float = min(pace.longest_wait_s, pace.first_wait_s * 2 ** (state.attempt_number - 1))
        if found is not None and found.after_s is not None:
            limiter.pause(found.after_s)
            return found.after_s
        return backoff_s * random.uniform(0.75, 1.25)  # noqa: S311  spreads requests, guards nothing

    def attempt() -> _Result:
        limiter.enter(cancelled, counted=counted)
        return request()

    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(pace.attempts),
        retry=tenacity.retry_if_exception(worth_it),
        wait=wait_s,
        sleep=lambda seconds: pace.wait(seconds, cancelled),
        reraise=True,
    )(attempt)


def retry_after_s(headers: Mapping[str, str], *, now: Callable[[], float] = time.time) -> float | None:
    """What `Retry-After` asks for, in seconds; it holds seconds or a date."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now())
    except ValueError:
        return None


def google_retry_delay_s(details: Any) -> float | None:
    """What Google's `RetryInfo` in an error's body asks for, in seconds."""
    error = details.get("error", details) if isinstance(details, Mapping) else {}
    for each in error.get("details", ()) if isinstance(error, Mapping) else ():
        delay = each.get("retryDelay") if isinstance(each, Mapping) else None
        if isinstance(delay, str) and delay.endswith("s"):
            try:
                return max(0.0, float(delay[:-1]))
            except ValueError:
                return None
    return None
