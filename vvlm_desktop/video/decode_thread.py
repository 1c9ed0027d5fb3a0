"""The one thread that decodes for the eye.

It serves the newest request first and then decodes what will be asked for next: the rest of the group of pictures, and
the group before when the request lies near its start. It knows nothing of Qt; its callbacks run on the decode thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import av

from vvlm_desktop.errors import ClipMissingError, ClipUnreadableError, FrameUnreadableError
from vvlm_desktop.video.frame_cache import FrameCache
from vvlm_desktop.video.index import FrameIndex

#: Up to this length a group is decoded to the wanted frame before a newer request is looked at: it takes less than
#: 100 ms, and starting over for each mouse move would show nothing during a drag.
SHORT_GOP = 60
#: While a long group is decoded, the frame on the way is shown this often.
PREVIEW_S = 0.08
#: After a picture the decoder waits this long before it decodes ahead: on few cores it would hinder its being painted.
PAINT_S = 0.012
#: Going on decoding beats seeking when the wanted frame is at most this far ahead.
_NEAR = 12
#: Within this many frames of a group's edge, the group beyond it is prefetched too (stepping across).
_NEAR_EDGE = 20
#: Frames that surely fit before the size of one is known.
_ROOM_UNKNOWN = 64


class FrameSource(Protocol):
    """What the decode thread needs of a reader; `FrameReader` has it."""

    index: FrameIndex

    def walk(self, start: int = 0) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames from `start` on, ascending; unreadable ones may be left out."""

    @property
    def has_short_ways(self) -> bool:
        """Whether `approach` leaves anything out."""

    def approach(self, i: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames on the shortest way to frame `i`, some left out; it comes last, or not at all."""

    def redirect(self, i: int) -> bool:
        """Let the approach under way lead to frame `i`; False where it cannot."""

    def frame(self, i: int) -> av.VideoFrame:
        """Exactly frame `i`, or `FrameUnreadableError`."""

    def close(self) -> None:
        """Let go of the file."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the eye wants: frame `target` now, unless None; then what lies around `around`."""

    target: int | None
    around: int
    ahead: int | None = None  # None: to the end of the group
    backward: bool = False


class DecodeThread:
    """Decodes for one clip on a thread of its own; the newest request wins.

    Args:
        open_source: opens the reader; called on the decode thread, so that a slow disk blocks nobody.
        on_frame: called on the decode thread with (frame index, frame, exact); a preview on the way is not exact.
        on_error: called on the decode thread with (frame index, what is wrong with it).
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        cache: FrameCache,
        *,
        on_frame: Callable[[int, av.VideoFrame, bool], None],
        on_error: Callable[[int, ClipUnreadableError], None],
    ) -> None:
        self._open_source = open_source
        self._cache = cache
        self._on_frame = on_frame
        self._on_error = on_error
        self._source: FrameSource | None = None
        self._walk: Iterator[tuple[int, av.VideoFrame]] | None = None
        self._at = -1  # last frame that the walk gave
        self._approach: Iterator[tuple[int, av.VideoFrame]] | None = None
        self._skipped: set[int] = set()  # left out by a walk; not worth walking again, unless asked for by number
        self._unreadable: dict[int, ClipUnreadableError] = {}
        self._wake = threading.Condition()
        self._wish: _Wish | None = None
        self._generation = 0
        self._closing = False
        self._idle = threading.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    def request(self, i: int) -> None:
        """Deliver frame `i`; an older request that is still waiting is forgotten."""
        self._ask(_Wish(i, i))

    def keep_ahead(self, i: int, *, frames: int, backward: bool = False) -> None:
        """Have `frames` frames from `i` on in the cache, for playing; nothing is delivered."""
        self._ask(_Wish(None, i, frames, backward))

    def unreadable(self, i: int) -> ClipUnreadableError | None:
        """Why frame `i` has turned out to be unreadable; None as long as nothing is known against it."""
        return self._unreadable.get(i)

    def left_out(self, i: int) -> bool:
        """Whether decoding went past frame `i` without getting it; a request finds out for good."""
        return i in self._skipped

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether everything asked for and foreseen was decoded within `timeout_s`."""
        return self._idle.wait(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """End the thread; no callback is made after this returns."""
        with self._wake:
            self._closing = True
            self._generation += 1
            self._wake.notify()
        self._thread.join(timeout_s)

    def _ask(self, wish: _Wish) -> None:
        with self._wake:
            if wish.target is None and self._wish is not None and self._wish.target is not None:
                return  # somebody waits for a picture; what to play next will be asked for again
            self._wish = wish
            self._generation += 1
            self._idle.clear()
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._wish is None and not self._closing:
                    self._idle.set()
                while self._wish is None and not self._closing:
                    self._wake.wait()
                if self._closing:
                    break
                wish, generation = self._wish, self._generation
                self._wish = None
            if wish is None:  # for the type checker; the loop above waits for a wish
                continue
            try:
                if self._source is None:
                    self._source = self._open_source()
                self._serve(self._source, wish, generation)
            except ClipUnreadableError as error:
                self._report(wish.around, error)
            except ClipMissingError as error:  # taken away since the clip was opened; it may come back
                gone = ClipUnreadableError(error.path, "its file is no longer there", hint=error.hint)
                self._report(wish.around, gone)
        self._idle.set()
        self._walk = self._approach = None
        if self._source is not None:
            self._source.close()
            # It holds decoded frames, and knows whoever opened it: kept here, hundreds of megabytes of a clip that was
            # left would wait for a full collection.
            self._source = None

    def _serve(self, source: FrameSource, wish: _Wish, generation: int) -> None:
        target: int | None = wish.target
        while target is not None:
            newer = self._deliver(source, target, generation)
            if newer is None:
                break
            target, generation = newer
        delivered = target is not None
        for start, end in self._foreseen(source, wish if target == wish.target else _Wish(target, target or 0)):
            span = self._cache.missing(start, end, ignoring=self._skipped)
            if span is not None and delivered:
                self._let_it_be_painted(generation)
                delivered = False
            if self._generation != generation or (span is not None and not self._fill(source, span, generation)):
                return

    def _let_it_be_painted(self, generation: int) -> None:
        """Wait a moment, or until something newer is wanted."""
        with self._wake:
            if self._generation == generation and not self._closing:
                self._wake.wait(PAINT_S)

    def _deliver(self, source: FrameSource, target: int, generation: int) -> tuple[int, int] | None:
        """Decode to `target` and deliver it; give the newer request if that took over on the way."""
        if (error := self._unreadable.get(target)) is not None:
            self._report(target, error)
            return None
        frame = self._cache.get(target)
        if frame is None:
            start, end = source.index.gop(target)
            long = end - start > SHORT_GOP
            shown_at = time.monotonic()
            for i, passing in self._way_to(source, target):
                if i == target:
                    frame = passing
                elif long:
                    if time.monotonic() - shown_at >= PREVIEW_S:
                        shown_at = time.monotonic()
                        self._on_frame(i, passing, False)
                    newer = self._newer_target(generation) if self._generation != generation else None
                    if self._closing or newer is not None:
                        return newer
            if frame is None and not self._closing:
                frame = self._exactly(source, target)
        if frame is not None and not self._closing:
            self._on_frame(target, frame, True)
        return None

    def _newer_target(self, generation: int) -> tuple[int, int] | None:
        """Take over a waiting request for a picture, if there is one."""
        with self._wake:
            if self._generation == generation or self._wish is None or self._wish.target is None:
                return None
            target = self._wish.target
            self._wish = None
            return target, self._generation

    def _way_to(self, source: FrameSource, target: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """What lies on the way to a frame, which comes last if it can be had; all of it is kept."""
        start, _ = source.index.gop(target)
        if not source.has_short_ways or self._goes_on(start, target) or target - start <= _NEAR:
            yield from self._walk_over(source, target, target)
            return
        # Shorter than the walk over every frame: those are decoded afterwards, when nobody waits.
        self._walk = None
        if self._approach is None or not source.redirect(target):
            self._approach = source.approach(target)
        for step in self._approach:
            if step[0] == target:  # the others come again; keeping them would cost each new memory on the way
                self._cache.put(*step)
            yield step

    def _goes_on(self, start: int, target: int) -> bool:
        """Whether the walk that was begun leads to a frame sooner than a new one from the frame `start`."""
        if self._walk is None or self._at >= target:
            return False
        return self._at >= start or target - self._at <= _NEAR

    def _walk_over(self, source: FrameSource, first: int, last: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode, cache and give what lies on the way to `first`, and on to `last`."""
        start, _ = source.index.gop(first)
        if self._walk is None or not self._goes_on(start, first):
            self._walk, self._at, self._approach = source.walk(start), start - 1, None
        while self._at < last:
            try:
                step = next(self._walk, None)
            except FrameUnreadableError:
                step = None
            if step is None:
                self._skipped.update(range(max(start, self._at + 1), last + 1))
                self._walk = None
                return
            self._skipped.update(range(self._at + 1, step[0]))
            self._skipped.discard(step[0])  # a decoder may give it late, out of order
            self._at = max(self._at, step[0])
            self._cache.put(*step)
            yield step

    def _exactly(self, source: FrameSource, target: int) -> av.VideoFrame | None:
        """Ask the reader itself, which also tries further back; reports the error when even that fails."""
        self._walk = self._approach = None
        try:
            frame = source.frame(target)
        except FrameUnreadableError as error:
            self._unreadable[target] = error
            self._report(target, error)
            return None
        self._cache.put(target, frame)
        return frame

    def _foreseen(self, source: FrameSource, wish: _Wish) -> Iterator[tuple[int, int]]:
        """Ranges that will be wanted next, nearest first, small enough not to push each other out."""
        room = max(1, (self._cache.room_frames or _ROOM_UNKNOWN) // 2 - 1)
        i, count = wish.around, len(source.index)
        start, end = source.index.gop(i)
        if wish.ahead is None:
            yield i, min(end, i + room)
            if end - i <= _NEAR_EDGE and end < count:
                yield end, min(source.index.gop(end)[1], i + room)
            if i - start < _NEAR_EDGE and start > 0:
                before, _ = source.index.gop(start - 1)
                yield max(before, start - room), start
        elif wish.backward:
            yield max(start, i - room), i + 1
            first = i
            while start > 0 and i - start < wish.ahead and first - start < room:
                first = start
                start, _ = source.index.gop(start - 1)
                yield max(start, i - room), first
        else:
            yield i, min(count, i + min(room, wish.ahead))

    def _fill(self, source: FrameSource, span: tuple[int, int], generation: int) -> bool:
        """Decode from the first to the last of a span; False when something newer is wanted."""
        for _ in self._walk_over(source, *span):
            if self._generation != generation:
                return False
        return self._generation == generation

    def _report(self, i: int, error: ClipUnreadableError) -> None:
        if not self._closing:
            self._on_error(i, error)
