"""Which pictures of a run of decoding may show parts of others, because data that they build on were lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import av

#: More than any codec reorders; a picture that was to come out and did not is waited for no longer than this.
_MOST_HELD = 16
_REMEMBERED = 128


class Doubts:
    """Told of every packet fed, every fault met and every picture that comes out, in that order.

    Decoders take a fault in stride: they patch the picture up, and what builds on it, with parts of other pictures. All
    that was fed from a fault on is in doubt, up to a keyframe fed after it. What is fed after that keyframe and shown
    before it may build on what lies before it, and stays in doubt; nothing shown after it builds on that.

    Pictures do not come out in the order in which they were fed: one that is called damaged only when it comes out
    spoils others that came out before it, so each waits for those.
    """

    def __init__(self) -> None:
        self._faults = 0
        self._levels: dict[int | None, int] = {}  # PTS of a packet → number of faults up to it, in the order of feeding
        self._sound_from: dict[int, int] = {}  # number of faults → PTS of a sound keyframe fed after so many
        self._broken: set[int | None] = set()  # packets that lost data, and what leads up to a keyframe after them
        self._keys: dict[int | None, bool] = {}  # PTS of a keyframe → whether data were lost in what leads up to it
        self._due: dict[int | None, None] = {}  # PTS of what was fed and did not come out, in that order
        self._held: deque[tuple[av.VideoFrame, tuple[int, ...]]] = deque()

    @property
    def any(self) -> bool:
        """Whether anything has been wrong so far."""
        return self._faults > 0

    def feed(self, pts: int | None, *, broken: bool, key: bool = False) -> None:
        """A packet is about to be decoded; `key` where decoding can start at it."""
        if key:
            self._keys[pts] = False
        self._due[pts] = None
        if broken:  # whole pictures may be lost with it, that others build on
            self._broken.add(pts)
            self._faults += 1
        elif self._leads_up_to(pts, lost=True):
            self._broken.add(pts)
        self._levels[pts] = self._faults
        if len(self._levels) > _REMEMBERED:
            self._forget(next(iter(self._levels)))

    def fail(self, pts: int | None) -> None:
        """The packet that was fed last could not be decoded."""
        self._broken.add(pts)
        if self._leads_up_to(pts):
            self._keys[next(reversed(self._keys))] = True
        else:
            self._faults += 1
        self._levels[pts] = self._faults
        self._due.pop(pts, None)

    def come(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """A picture came out; gives those of which it is now known whether they are sound."""
        pts = frame.pts
        self._due.pop(pts, None)
        if frame.is_corrupt:
            self._spoil(pts)
        elif frame.key_frame and pts is not None and pts not in self._broken:
            self._sound_from.setdefault(self._levels.get(pts, self._faults), pts)
        self._held.append((frame, self._fed_before_and_shown_after(pts)))
        while self._held and (len(self._held) > _MOST_HELD or not self._is_waiting(self._held[0][1])):
            yield self._held.popleft()[0]

    def rest(self) -> Iterator[av.VideoFrame]:
        """What was still waited for: nothing more comes out."""
        while self._held:
            yield self._held.popleft()[0]

    def is_sound(self, frame: av.VideoFrame) -> bool:
        """Whether a picture shows what was recorded and nothing else, as far as anybody can tell."""
        if frame.is_corrupt or frame.pts in self._broken:
            return False
        level = self._levels.get(frame.pts, self._faults)
        sound_from = self._sound_from.get(level)
        return level == 0 or (sound_from is not None and frame.pts is not None and frame.pts >= sound_from)

    def _is_waiting(self, for_pts: tuple[int, ...]) -> bool:
        return any(pts in self._due for pts in for_pts)

    def _fed_before_and_shown_after(self, pts: int | None) -> tuple[int, ...]:
        if pts is None or pts not in self._levels:
            return ()
        later = [other for other in self._due if other is not None and other > pts]
        if not later:
            return ()
        order = {fed: place for place, fed in enumerate(self._levels)}
        return tuple(other for other in later if order.get(other, -1) < order[pts])

    def _leads_up_to(self, pts: int | None, *, lost: bool = False) -> bool:
        """Whether a picture is shown before the newest keyframe; with `lost`, and data of others like it were lost."""
        key = next(reversed(self._keys), None)
        return pts is not None and key is not None and pts < key and (self._keys[key] or not lost)

    def _spoil(self, pts: int | None) -> None:
        """A picture turned out to be damaged: so may be all that was fed from it on."""
        order = list(self._levels)
        later = order[order.index(pts) :] if pts in self._levels else order
        before = [fed for fed in order[: len(order) - len(later)] if fed in self._keys]
        key = before[-1] if before else None
        if pts is not None and key is not None and pts < key:
            self._broken |= {fed for fed in later if fed is not None and fed < key}
            self._keys[key] = True
            return
        self._faults += 1
        for fed in later:
            self._levels[fed] += 1

    def _forget(self, pts: int | None) -> None:
        del self._levels[pts]
        self._due.pop(pts, None)
        self._broken.discard(pts)
        if len(self._keys) > 1:
            self._keys.pop(pts, None)
