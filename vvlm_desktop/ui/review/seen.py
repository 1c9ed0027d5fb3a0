"""What the reviewer has had on screen: whether Enter may be trusted, and whether the event window was seen."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

from vvlm_desktop.video.index import FrameIndex

#: Enter does nothing before the event frame has been on screen for this long.
LOOK_S = 0.3
#: A window counts as seen when a frame of every stretch of this length was painted.
_STRETCH_S = 0.5


class Attention:
    """Counts what was painted of one clip, for one reviewer and one answer.

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
        self._looked_s: defaultdict[int, float] = defaultdict(float)  # of each frame that was painted
        self._told: set[int] = set()  # cannot be shown, and the screen said so
        self._on_screen = -1
        self._since_s = 0.0

    def aim(self, *, look_at: int, window: tuple[int, int]) -> None:
        """The reviewer moved the event; what was on screen so far counts for the new place too."""
        self.look_at, self.window = look_at, window

    @property
    def ready(self) -> bool:
        """Whether the event frame has been on screen long enough."""
        return self.wait_s <= 0

    @property
    def wait_s(self) -> float:
        """How much longer the event frame has to be on screen."""
        if self.look_at in self._told:
            return 0.0
        looked = self._looked_s.get(self.look_at, 0.0)
        if self._on_screen == self.look_at:
            looked += self._clock() - self._since_s
        # Timers count in whole milliseconds; one that is due has waited long enough.
        return max(0.0, LOOK_S - looked - 0.001)

    @property
    def window_seen(self) -> bool:
        """Whether something of every half second of the window that has frames was on screen."""
        frames = range(self.window[0], self.window[1] + 1)
        painted = {self._stretch(i) for i in self._looked_s if i in frames}
        return all(self._stretch(i) in painted for i in frames)

    def _stretch(self, i: int) -> int:
        return int((self._index.seconds(i) - self._index.seconds(self.window[0])) / _STRETCH_S)

    def painted(self, frame_index: int) -> None:
        """Frame `frame_index` is on screen now; negative for none."""
        now = self._clock()
        if self._on_screen >= 0:
            self._looked_s[self._on_screen] += now - self._since_s
        self._on_screen, self._since_s = frame_index, now
        if frame_index >= 0:
            self._looked_s[frame_index] += 0.0

    def told(self, frame_index: int) -> None:
        """The screen says why `frame_index` cannot be shown: there is nothing more to look at in it."""
        self._told.add(frame_index)
