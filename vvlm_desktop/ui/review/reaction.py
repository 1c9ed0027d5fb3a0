"""Which frame somebody means who marks while the clip plays: the one that was on screen a reaction time ago."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject

from vvlm_desktop.ui.review.overlay import Toast
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.player_view import Picture

#: Nobody takes longer; and no more pictures than that are shown in the time.
_LONGEST_S, _MOST = 5.0, 2000


class Trail(QObject):
    """Remembers which frame was shown when, since the clip began to play from one place on.

    What was on screen is asked of the clock on the wall, and not reckoned from the speed: so it is right at every
    speed, backward, across gaps that are passed over, after a change of speed, and where decoding was late.
    """

    def __init__(
        self, playback: Playback, *, clock: Callable[[], float] = time.monotonic, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._playback, self._clock = playback, clock
        self._shown: deque[tuple[float, int]] = deque(maxlen=_MOST)  # when, which frame
        playback.picture_changed.connect(self._on_picture)
        playback.playing_changed.connect(self._on_playing)

    def before(self, seconds: float) -> int | None:
        """The frame that was shown so long ago; where it had not begun to play, the one from which it did."""
        if not self._shown:
            return None
        place = bisect_right([at for at, _ in self._shown], self._clock() - seconds)
        return self._shown[max(0, place - 1)][1]

    def _on_playing(self, playing: bool) -> None:
        self._shown.clear()
        if playing and self._playback.source is not None:
            self._shown.append((self._clock(), self._playback.position))

    def _on_picture(self, picture: Picture) -> None:
        if not self._playback.playing:
            return
        if self._shown and self._jumped(self._shown[-1][1], picture.frame_index):
            self._shown.clear()
        now = self._clock()
        self._shown.append((now, picture.frame_index))
        # The first one stays as long as it is needed to say what was there before the next.
        while len(self._shown) > 1 and self._shown[1][0] < now - _LONGEST_S:
            self._shown.popleft()

    def _jumped(self, before: int, now: int) -> bool:
        """Whether that was no playing on: a loop that began anew, or a step of a second and more."""
        way = (before - now) if self._playback.backward else (now - before)
        source = self._playback.source
        if way < 0 or source is None:
            return way < 0
        return not self._playback.only and way >= (1 / max(1e-3, source.index.usual_s))


class LookedAt(Protocol):
    """What of the desk is needed here."""

    playback: Playback
    trail: Trail
    toast: Toast

    def frame_on_screen(self) -> int | None:
        """The frame that is painted; None where it is not the wanted one, which is said."""


def frame_meant(desk: LookedAt, reaction_s: float) -> int | None:
    """The frame to mark, None where none is on screen; says by how much it is earlier than the key.

    A clip that stands is marked where it stands: nobody was too late.
    """
    here = desk.frame_on_screen()
    if here is None or not desk.playback.playing or reaction_s <= 0:
        return here
    meant = desk.trail.before(reaction_s)
    if meant is None or meant == here:
        return here
    word = "earlier" if meant < here else "later"
    desk.toast.say(f"Marked frame {meant}, {abs(here - meant)} {word}: {reaction_s:g} s of reaction time.")
    return meant
