"""The one reader through which every frame passes, to the screen and to the model: the frame asked for, or an error."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice, pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from vvlm_desktop.errors import ClipMissingError, FrameUnreadableError
from vvlm_desktop.video.decoder import (
    FROM_START,
    REORDER_FRAMES,
    DamageMetError,
    Decoder,
    careful_threads,
    swift_threads,
)
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.rgb import Picture, RgbConverter, source_colour
from vvlm_desktop.video.run import holder, owner

__all__ = ["FrameReader", "Picture", "source_colour"]

#: After a seek this one computes other times for the same packets (seen: MPEG-2 in a program stream, three frames off).
_GUESS_TIMES = frozenset({"mpeg"})
#: Entry points tried before a frame is given up, or decoded from the beginning if that is not far.
_ENTRIES_TRIED = 4
_NEAR_START_FRAMES = 3000
#: Decoding on is cheaper than seeking up to this many frames ahead.
_NEAR_FRAMES = 12


class FrameReader:
    """Decodes single frames of one clip exactly; use it from one thread at a time.

    A frame is found by its PTS: seek to the entry point at or before it, decode until the PTS is equal. Where that
    fails (a demuxer that lands late, an open group of pictures, a damaged entry), it starts further back. From a fault
    in the data on, up to the next keyframe, decoders patch pictures up with parts of their neighbours: these are
    refused like missing ones, unless `damaged` asks for them.

    Several frames are decoded at once until something is wrong with one of them; what was not yet given out is then
    decoded again, one frame after the other, and so is everything that follows.

    Args:
        threads: PyAV's kind of threading and number of threads (0 for as many as there are cores); chosen by what the
            codec reports of damage unless given, several frames at once also against what is given.
        damaged: give pictures that were patched up, too.

    Raises:
        ClipMissingError: the file is gone.
        ClipUnreadableError: it cannot be opened.
    """

    def __init__(
        self, path: Path, index: FrameIndex, *, threads: tuple[str, int] | None = None, damaged: bool = False
    ) -> None:
        if not path.exists():
            raise ClipMissingError(path)
        self.path = path
        self.index = index
        self._damaged = damaged
        at_once = 0 if damaged else swift_threads(index)
        if not at_once and threads is not None and threads[0] == "FRAME":
            threads = None  # other decoders do not tell of every fault then
        self._decoder = Decoder(path, index, threads=threads or (("FRAME", at_once) if at_once else self._careful))
        self._entries = [pts for pts, _ in index.keys]
        self._only_from_start = index.in_decode_order or not _GUESS_TIMES.isdisjoint(index.container.split(","))
        self._converter = RgbConverter(index)
        self._runs = 0  # counts seeks, so that a walk notices that somebody else moved the decoder
        self._newest: int | None = None  # highest frame index the present run has given
        self._current: tuple[int, av.VideoFrame] | None = None
        self._target = 0  # where the newest approach leads
        self._refused: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; frames given out stay valid."""
        self._current = None
        self._decoder.close()

    @property
    def creation_time(self) -> str:
        """When the header says that the clip was recorded; empty where it does not."""
        return self._decoder.metadata.get("creation_time", "")

    def frame(self, i: int) -> av.VideoFrame:
        """Decode one frame.

        Raises:
            FrameUnreadableError: it cannot be decoded exactly; a neighbour is never given instead.
            IndexError: there is no such frame.
        """
        if not 0 <= i < len(self.index):
            raise IndexError(f"frame {i} of {len(self.index)}")
        if self._current is not None and self._current[0] == i:
            return self._current[1]
        if i not in self._refused:
            found = self._sought(i)
            if found is not None:
                return found
            self._refused.add(i)
        raise FrameUnreadableError(
            self.path,
            i,
            "the picture is damaged or missing in the file",
            hint="Look at the frames before and after it; those that can be shown are exact.",
        )

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode several frames in the order given; ascending order decodes each stretch once, and no more than needed.

        Raises:
            FrameUnreadableError: as `frame`.
            IndexError: as `frame`.
        """
        for _, group in groupby(self._checked(indices), key=lambda i: self.index.gop(i)[0]):
            yield from self._together(list(group))

    @property
    def has_short_ways(self) -> bool:
        """Whether `approach` leaves anything out; not once the clip has turned out to be damaged."""
        return self._decoder.swift

    def approach(self, i: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames on the shortest way to frame `i`, ascending, some left out; it comes last, or not at all.

        The frame after it has to be sought again: `walk` is for going on.
        """
        start, self._target = self.index.gop(i)[0], i
        try:
            if self._decoder.swift and self._shortest_way([i]):
                own_run = self._runs
                while own_run == self._runs and (step := self._next()) is not None and step[0] <= self._target:
                    if self._may_be_half(step[1]):
                        break
                    start = step[0] + 1
                    yield step
                    if step[0] == self._target:
                        return
        except DamageMetError:
            self._be_careful()
        for step in self.walk(start):
            if step[0] <= self._target:
                yield step
            if step[0] >= self._target:
                return

    def redirect(self, i: int) -> bool:
        """Let the approach under way lead to frame `i`; False where it may be past it, or `i` lies elsewhere."""
        if self.index.gop(i) != self.index.gop(self._target) or not self._decoder.redirect(self.index.pts[i]):
            return False
        self._target = i
        return True

    def walk(self, start: int = 0) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode everything from `start` on, ascending.

        Frames that cannot be decoded are left out. Other calls in between are allowed; the walk finds its way back.
        """
        following = begun_at = start
        own_run, is_there = -1, False
        held: tuple[int, av.VideoFrame] | None = None  # far ahead of its turn: after a gap, or by a damaged time
        while following < len(self.index):
            try:
                if own_run != self._runs:
                    begun_at = following
                    is_there = any(self._start_at(entry, following) for entry in self._entry_points(following))
                    own_run = self._runs
                step = self._next() if is_there else None
            except DamageMetError:
                self._be_careful()
                continue
            if held is not None and (step is None or step[0] > held[0]):
                due, held = held, None
                following = due[0] + 1
                yield due
            if step is None or self._crosses(following, step[0]):
                further = self._next_recording(following, begun_at)
                if further is None:
                    return
                following, own_run = further, -1
            elif step[0] > following and held is None:
                held = step
            elif step[0] >= following and (held is None or step[0] < held[0]):
                following = step[0] + 1
                yield step

    def rgb(self, i: int, *, width: int | None = None, height: int | None = None) -> Picture:
        """Decode one frame to RGB as it is to be seen.

        Args:
            i: which frame.
            width: of the upright picture; None for its own, or in proportion to `height`.
            height: likewise.

        Returns:
            uint8, shape [height, width, 3], rotated upright.

        Raises:
            FrameUnreadableError: as `frame`.
        """
        return self._converter.upright(self.frame(i), width=width, height=height)

    def _next_recording(self, following: int, begun_at: int) -> int | None:
        """Where a walk goes on that has come to the end of one of several recordings."""
        if not self.index.recordings or following >= len(self.index):
            return None
        if following > begun_at:
            return following
        own = owner(self.index, self.index.pts[following])
        rest = range(following + 1, len(self.index))
        return next((i for i in rest if owner(self.index, self.index.pts[i]) != own), None)

    def _crosses(self, following: int, given: int) -> bool:
        """Whether frames of another recording come before the given one."""
        if not self.index.recordings or given <= following:
            return False
        own = owner(self.index, self.index.pts[given])
        return any(owner(self.index, self.index.pts[i]) != own for i in range(following, given))

    @property
    def _careful(self) -> tuple[str, int]:
        return careful_threads(self.index)

    def _checked(self, indices: Iterable[int]) -> Iterator[int]:
        for i in indices:
            if not 0 <= i < len(self.index):
                raise IndexError(f"frame {i} of {len(self.index)}")
            yield i

    def _be_careful(self) -> None:
        """From here on one frame after the other."""
        self._runs += 1
        self._newest = self._current = None
        former, self._decoder = self._decoder, Decoder(self.path, self.index, threads=self._careful)
        former.close()

    def _sought(self, i: int) -> av.VideoFrame | None:
        try:
            found = self._seek(i)
        except DamageMetError:
            found = None
        if found is None and self._decoder.swift:
            self._be_careful()
            found = self._seek(i)
        return found

    def _seek(self, i: int) -> av.VideoFrame | None:
        found = self._decode_to(i) if self._is_ahead(i) else None
        for entry in self._entry_points(i) if found is None else ():
            found = self._decode_to(i) if self._start_at(entry, i) else None
            if found is not None or self._decoder.met_fault:  # data lost on the way do not come back from further off
                break
        return found

    def _together(self, group: Sequence[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames of one group of pictures: the shortest way through it, as far as it leads."""
        done = 0
        ascending = all(a < b for a, b in pairwise(group))
        try:
            if self._decoder.swift and ascending and self._shortest_way(group):
                own_run = self._runs
                while done < len(group) and own_run == self._runs and (step := self._next()) is not None:
                    if self._may_be_half(step[1]) or step[0] > group[done]:
                        break
                    if step[0] == group[done]:
                        done += 1
                        yield step
        except DamageMetError:
            self._be_careful()
        for i in group[done:]:
            yield i, self.frame(i)

    def _shortest_way(self, group: Sequence[int]) -> bool:
        """Start on the way to these frames of one group of pictures; what is not needed for them is left out."""
        entry = next(self._entry_points(group[0]))
        return entry != FROM_START and self._start_at(entry, *group, shortest=True)

    def _may_be_half(self, frame: av.VideoFrame) -> bool:
        """Whether the frame's second field may have been left out on the way."""
        return bool(frame.interlaced_frame) and not self._decoder.pairs_fields

    def _is_ahead(self, frame_index: int) -> bool:
        """Whether the present run reaches the frame sooner than a seek would."""
        if self._newest is None or frame_index <= self._newest:
            return False
        first = 0 if self._only_from_start else self.index.gop(frame_index)[0]
        return first <= self._newest or frame_index - self._newest <= _NEAR_FRAMES

    def _entry_points(self, frame_index: int) -> Iterator[int]:
        """Where to start decoding, best first, as numbers of keys; `FROM_START` is a freshly opened file."""
        last = bisect_right(self._entries, self.index.pts[frame_index]) - 1
        if self.index.recordings:
            own = owner(self.index, self.index.pts[frame_index])
            mine = (entry for entry in range(last, -1, -1) if holder(self.index, entry) == own)
            yield from islice(mine, _ENTRIES_TRIED)
        elif not self._only_from_start:
            yield from range(last, max(-1, last - _ENTRIES_TRIED), -1)
        if self._only_from_start or (frame_index < _NEAR_START_FRAMES and not self.index.recordings):
            yield FROM_START

    def _start_at(self, entry: int, *frame_indices: int, shortest: bool = False) -> bool:
        """Bring the decoder to an entry point; False when the demuxer refuses."""
        self._runs += 1
        self._newest = None
        self._current = None
        return self._decoder.start(entry, [self.index.pts[i] for i in frame_indices], shortest=shortest)

    def _next(self) -> tuple[int, av.VideoFrame] | None:
        """The next frame of this run that the index knows."""
        while (frame := self._decoder.next(damaged=self._damaged)) is not None:
            i = bisect_left(self.index.pts, frame.pts or 0)
            if i == len(self.index.pts) or self.index.pts[i] != frame.pts:
                continue
            self._newest = i if self._newest is None else max(self._newest, i)
            self._current = (i, frame)
            return i, frame
        self._newest = None
        return None

    def _decode_to(self, frame_index: int) -> av.VideoFrame | None:
        behind = 0
        while (step := self._next()) is not None:
            if step[0] == frame_index:
                return step[1]
            behind += step[0] > frame_index
            if behind > REORDER_FRAMES:
                break
        return None
