"""The time by which a clip plays: that of the sound device while one is heard, that of the computer otherwise."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

#: Share of the difference to the device that is made up with each block; its reports jitter by a block's length.
_GAIN = 0.08
#: A device that is further off has stalled or begun anew: what it says counts from there on, without a jump.
_LOST_S = 0.15
#: Devices fill their buffers at once when they begin, and only then ask at their own pace.
_SETTLE_S = 0.4
#: No sound device is further off than this; one that seems to be has no clock at all, as a null device has not.
_MAX_PACE = 0.02


@dataclass(frozen=True, slots=True)
class Timing:
    """Which moment of a clip is due at which moment of the clock."""

    base_s: float
    started_s: float
    rate: float

    def media_s(self, clock_s: float) -> float:
        """The moment of the clip that is due."""
        return self.base_s + (clock_s - self.started_s) * self.rate


class SoundClock:
    """Seconds that never go back, at the pace of a sound device while there is one.

    So sound and picture cannot drift apart, however long a clip is. The time goes on without a jump when the device
    comes, stalls or goes.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._offset_s = 0.0
        self._zero_s: float | None = None  # of the device on this clock
        self._settled_at_s = 0.0
        self._followed_at_s = 0.0
        self._last_s = float("-inf")

    def __call__(self) -> float:
        """The time now."""
        with self._lock:
            self._last_s = max(self._last_s, self._monotonic() + self._offset_s)
            return self._last_s

    def follow(self, played_s: float) -> None:
        """The device has just asked for what comes after `played_s` seconds of samples."""
        with self._lock:
            now_s = self._monotonic()
            ahead_s = played_s - now_s
            most_s = (now_s - self._followed_at_s) * _MAX_PACE
            self._followed_at_s = now_s
            if self._zero_s is None:
                self._settled_at_s = now_s + _SETTLE_S
            error_s = 0.0 if self._zero_s is None else ahead_s - self._zero_s - self._offset_s
            if self._zero_s is None or now_s < self._settled_at_s or abs(error_s) > _LOST_S:
                self._zero_s = ahead_s - self._offset_s
            else:
                self._offset_s += max(-most_s, min(most_s, error_s * _GAIN))

    def let_go(self) -> None:
        """No device is heard any more."""
        with self._lock:
            self._zero_s = None
