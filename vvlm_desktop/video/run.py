"""One run of decoding through a file in which times may come twice: where it enters and ends, what it must not give."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.stretches import Recording


def owner(index: FrameIndex, pts: int) -> int:
    """Which of a file's recordings shows this time, by its number."""
    return next((i for i, recording in enumerate(index.recordings) if recording.covers(pts)), 0)


def holder(index: FrameIndex, entry: int) -> int:
    """Which of a file's recordings an entry point lies in, by their numbers."""
    return bisect_right(index.recordings, index.key_places[entry], key=_position) - 1


class Run:
    """A run through one recording of a file; through all of an ordinary file.

    Attributes:
        place: position in the file of the packet at which decoding starts; None where its time tells.
    """

    def __init__(self, *, place: int | None = None, end: int | None = None, earlier: Sequence[Recording] = ()) -> None:
        self.place = place
        self._end = end
        self._earlier = tuple(earlier)
        self._strange: set[int] = set()

    @classmethod
    def of(cls, index: FrameIndex, entry: int | None) -> Run:
        """From an entry point, by its number among the index's keys, or from the beginning of the file."""
        if not index.recordings:
            return cls()
        place = None if entry is None else index.key_places[entry]
        behind = 1 if entry is None else holder(index, entry) + 1
        later = index.recordings[behind : behind + 1]
        return cls(place=place, end=later[0].position if later else None, earlier=index.recordings[: behind - 1])

    def is_behind(self, position: int | None) -> bool:
        """Whether a packet belongs to the next recording."""
        return self._end is not None and position is not None and position >= self._end

    def meet(self, pts: int, strange: bool) -> None:
        """A packet of this time is about to be decoded."""
        (self._strange.add if strange else self._strange.discard)(pts)

    def is_stranger(self, pts: int) -> bool:
        """Whether a picture of this time is another one than the index means."""
        return pts in self._strange or any(earlier.covers(pts) for earlier in self._earlier)


def _position(recording: Recording) -> int:
    return recording.position
