"""Where a clip is damaged: what its index says, and frames that turned out to be unreadable."""

from __future__ import annotations

from bisect import bisect_left

from vvlm_desktop.video.index import FrameIndex

#: A header may be a few frames off without anything being lost.
_LEAST_LOST_FRAMES = 3


def lost_rest_s(index: FrameIndex) -> float:
    """How much is missing behind the last frame of a file that was cut off, as its header tells; 0 where nothing is."""
    declared_s, frames = index.declared_duration_s, index.declared_frames
    if index.problem is None or declared_s is None or (frames is not None and frames <= len(index)):
        return 0.0
    lost_s = declared_s - index.duration_s
    return lost_s if lost_s >= _LEAST_LOST_FRAMES * index.usual_s else 0.0


class Damage:
    """Damaged stretches of one clip."""

    def __init__(self, index: FrameIndex | None = None) -> None:
        self._index = index
        self._frames: set[int] = set()
        self._holes: set[int] = set()  # first frames after others that cannot be shown and have no number
        self.spans_s: tuple[tuple[float, float], ...] = ()
        self.lost_rest_s = lost_rest_s(index) if index is not None and len(index) else 0.0
        if index is not None and index.breaks:
            for pts in index.breaks:
                after = bisect_left(index.pts, pts)
                if index.pts[after : after + 1] == (pts,):  # what follows lost data is built on it, up to the next key
                    self._frames.update(range(after, index.gop(after)[1]))
                elif 0 < after < len(index):
                    self._holes.add(after)
            self._join()

    def add(self, frame_index: int) -> bool:
        """A frame cannot be read; whether that is new."""
        if self._index is None or frame_index in self._frames or not 0 <= frame_index < len(self._index):
            return False
        self._frames.add(frame_index)
        self._join()
        return True

    def covers(self, seconds: float) -> bool:
        """Whether a time lies in one of them."""
        return any(start_s <= seconds <= end_s for start_s, end_s in self.spans_s)

    def _join(self) -> None:
        assert self._index is not None
        runs: list[list[int]] = []
        for frame in sorted(self._frames):
            if runs and frame == runs[-1][1] + 1:
                runs[-1][1] = frame
            else:
                runs.append([frame, frame])
        last = len(self._index) - 1
        ends = [self._index.seconds(b + 1) if b < last else self._index.duration_s for _, b in runs]
        spans = [(self._index.seconds(a), end) for (a, _), end in zip(runs, ends, strict=True)]
        holes = [(self._index.seconds(i - 1) + self._index.usual_s, self._index.seconds(i)) for i in self._holes]
        self.spans_s = tuple(sorted([*spans, *holes]))
