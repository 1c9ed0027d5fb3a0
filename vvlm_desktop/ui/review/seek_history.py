"""Where the reviewer has jumped from: back and forward among places, as in a browser. Playing leaves no trace."""

from __future__ import annotations

#: Older places are forgotten; nobody goes back further than this.
_KEPT = 100
#: Going this little further is nudging and no jump.
NEAR_FRAMES = 3


class SeekHistory:
    """Frames that were left by a jump, and those that going back has left."""

    def __init__(self) -> None:
        self._back: list[int] = []
        self._forward: list[int] = []

    def clear(self) -> None:
        """Another clip is open."""
        self._back.clear()
        self._forward.clear()

    def jumped(self, origin: int, target: int) -> None:
        """A jump from one frame to another; a nudge is none."""
        if abs(target - origin) <= NEAR_FRAMES:
            return
        if not self._back or self._back[-1] != origin:
            self._back.append(origin)
        del self._back[:-_KEPT]
        self._forward.clear()

    def back(self, here: int) -> int | None:
        """The place before, None where there is none."""
        return self._move(self._back, self._forward, here)

    def forward(self, here: int) -> int | None:
        """The place that `back` has left, None where there is none."""
        return self._move(self._forward, self._back, here)

    @staticmethod
    def _move(source: list[int], other: list[int], here: int) -> int | None:
        while source:
            found = source.pop()
            if found != here:
                other.append(here)
                return found
        return None
