"""What the reviewer has had on screen: whether Enter may be trusted, and whether the event window was seen."""

from __future__ import annotations

import time
from collections.abc import Callable

from vvlm_desktop.video.index import FrameIndex

#: Enter does nothing before the event frame has been on screen for this long.
LOOK_S = 0.3
#: A window counts as seen when a frame of every stretch of this length was painted.
_STRETCH_S = 0.5


class Attention:
    """Counts what was painted of one clip.

    Args:
        index: of the clip.
        look_at: the frame that has to be looked at before Enter works.
        window: first and last frame of what has to be seen for a verdict to count as seen.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        index: FrameIndex,
        *,
        look_at: int,
        window: tuple[int, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index = index
        self._clock = clock
        self.look_at = look_at
        self.window = window
        self._first_s = index.seconds(window[0])
        last_s = index.seconds(window[1])
        self._unseen = set(range(int((last_s - self._first_s) / _STRETCH_S) + 1))
        self._looked_s = 0.0
        self._since_s: float | None = None

    @property
    def ready(self) -> bool:
        """Whether the event frame has been on screen long enough."""
        return self.wait_s <= 0

    @property
    def wait_s(self) -> float:
        """How much longer the event frame has to be on screen."""
        looked = self._looked_s + (self._clock() - self._since_s if self._since_s is not None else 0.0)
        # Timers count in whole milliseconds; one that is due has waited long enough.
        return max(0.0, LOOK_S - looked - 0.001)

    @property
    def window_seen(self) -> bool:
        """Whether something of every half second of the window was on screen."""
        return not self._unseen

    def painted(self, frame_index: int) -> None:
        """Frame `frame_index` is on screen now; negative for none."""
        now = self._clock()
        if self._since_s is not None:
            self._looked_s += now - self._since_s
        self._since_s = now if frame_index == self.look_at else None
        if self.window[0] <= frame_index <= self.window[1]:
            self._unseen.discard(int((self._index.seconds(frame_index) - self._first_s) / _STRETCH_S))

    def told(self, frame_index: int) -> None:
        """The screen says why `frame_index` cannot be shown: there is nothing more to look at in it."""
        if frame_index == self.look_at:
            self._looked_s = LOOK_S
