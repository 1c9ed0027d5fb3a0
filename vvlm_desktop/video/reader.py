"""The one reader through which every frame passes, to the screen and to the model: the frame asked for, or an error."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vvlm_desktop.errors import ClipMissingError, FrameUnreadableError
from vvlm_desktop.video.container import MEDIA_ERRORS, choose_stream, open_container, packets
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.rgb import Picture, RgbConverter, source_colour

__all__ = ["FrameReader", "Picture", "source_colour"]

#: Demuxers that find a place in the file by DTS; the others keep a table of keyframes by PTS.
_BY_DTS = frozenset({"mpegts"})
#: After a seek this one computes other times for the same packets (seen: MPEG-2 in a program stream, three frames off).
_GUESS_TIMES = frozenset({"mpeg"})
#: With several threads the H.264 and MPEG decoders patch faults up without saying so, each time differently; these do
#: not patch at all.
_REPORT_DAMAGE_ANYHOW = frozenset({"hevc", "av1", "vp9", "vvc"})
_FROM_START = -1
#: Entry points tried before a frame is given up, or decoded from the beginning if that is not far.
_ENTRIES_TRIED = 4
_NEAR_START_FRAMES = 3000
#: Decoding on is cheaper than seeking up to this many frames ahead.
_NEAR_FRAMES = 12
#: How far behind the wanted frame decoding goes on before it is given up: more than any codec reorders.
_REORDER_FRAMES = 32


class FrameReader:
    """Decodes single frames of one clip exactly; use it from one thread at a time.

    A frame is found by its PTS: seek to the entry point at or before it, decode until the PTS is equal. Where that
    fails (a demuxer that lands late, an open group of pictures, a damaged entry), it starts further back. From a fault
    in the data on, up to the next keyframe, decoders patch pictures up with parts of their neighbours: these are
    refused like missing ones, unless `damaged` asks for them.

    Args:
        threads: PyAV's kind of threading and number of threads (0 for as many as there are cores). Unless given, one
            thread for codecs that report damage only then; slices of one picture are rarely worth more.
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
        self._threads = threads or ("SLICE", 0 if index.codec in _REPORT_DAMAGE_ANYHOW else 1)
        self._container, self._stream = self._open()
        self._entries = [pts for pts, _ in index.keys]
        self._breaks = frozenset(index.breaks)
        demuxers = set(index.container.split(","))
        self._seek_by_dts = not _BY_DTS.isdisjoint(demuxers)
        self._only_from_start = index.in_decode_order or not _GUESS_TIMES.isdisjoint(demuxers)
        self._converter = RgbConverter(index)
        self._run: Iterator[av.VideoFrame] = iter(())
        self._runs = 0  # counts seeks, so that a walk notices that somebody else moved the decoder
        self._newest: int | None = None  # highest frame index the present run has given
        self._current: tuple[int, av.VideoFrame] | None = None
        self._met_fault = False  # data were lost in the present run
        self._doubtful = False  # a fault, or a picture that the decoder calls damaged, and no keyframe since
        self._fed: deque[int | None] = deque(maxlen=_REORDER_FRAMES)  # PTS of the packets fed since the last fault
        self._refused: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; frames given out stay valid."""
        self._run = iter(())
        self._current = None
        self._container.close()

    @property
    def creation_time(self) -> str:
        """When the header says that the clip was recorded; empty where it does not."""
        return self._container.metadata.get("creation_time", "")

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
            found = self._decode_to(i) if self._is_ahead(i) else None
            for entry in self._entry_points(i) if found is None else ():
                found = self._decode_to(i) if self._start_at(entry, i) else None
                if found is not None or self._met_fault:  # data lost on the way do not come back from further off
                    break
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
        """Decode several frames in the order given; ascending order decodes each stretch once."""
        for frame_index in indices:
            yield frame_index, self.frame(frame_index)

    def walk(self, start: int = 0) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode everything from `start` on, ascending.

        Frames that cannot be decoded are left out. Other calls in between are allowed; the walk finds its way back.
        """
        following = start
        own_run = -1
        while following < len(self.index):
            if own_run != self._runs:
                if not any(self._start_at(entry, following) for entry in self._entry_points(following)):
                    return
                own_run = self._runs
            step = self._next()
            if step is None:
                return
            frame_index, frame = step
            if frame_index >= following:
                following = frame_index + 1
                yield frame_index, frame

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

    def _is_ahead(self, frame_index: int) -> bool:
        """Whether the present run reaches the frame sooner than a seek would."""
        if self._newest is None or frame_index <= self._newest:
            return False
        first = 0 if self._only_from_start else self.index.gop(frame_index)[0]
        return first <= self._newest or frame_index - self._newest <= _NEAR_FRAMES

    def _entry_points(self, frame_index: int) -> Iterator[int]:
        """Where to start decoding, best first, as numbers of keys; `_FROM_START` is a freshly opened file."""
        last = bisect_right(self._entries, self.index.pts[frame_index]) - 1
        if not self._only_from_start:
            yield from range(last, max(-1, last - _ENTRIES_TRIED), -1)
        if self._only_from_start or frame_index < _NEAR_START_FRAMES:
            yield _FROM_START

    def _start_at(self, entry: int, frame_index: int) -> bool:
        """Bring the demuxer to an entry point; False when it refuses."""
        self._runs += 1
        self._newest = None
        self._current = None
        self._met_fault = self._doubtful = False
        self._fed.clear()
        self._run = iter(())
        if entry == _FROM_START:
            former = self._container
            self._container, self._stream = self._open()
            former.close()
        else:
            try:
                time = self.index.keys[entry][1 if self._seek_by_dts else 0]
                self._container.seek(time, stream=self._stream, backward=True)
            except MEDIA_ERRORS:
                return False
        frames = self._decode(self.index.pts[frame_index], from_start=entry == _FROM_START)
        self._run = self._in_order(frames) if self.index.in_decode_order else frames
        return True

    def _open(self) -> tuple[InputContainer, VideoStream]:
        container = open_container(self.path)
        stream = choose_stream(container, self.path, self.index.stream_index)
        stream.thread_type, stream.codec_context.thread_count = self._threads
        return container, stream

    def _decode(self, wanted_pts: int, *, from_start: bool) -> Iterator[av.VideoFrame]:
        """Frames from here on. Nothing is fed before an entry point: decoders invent pictures from nothing."""
        entered = False
        for packet in packets(self._container, self._stream):
            if not entered:
                if not self._is_entry(packet.pts):
                    continue
                if packet.pts is not None and packet.pts > wanted_pts and not from_start:
                    return  # landed too late
                entered = True
            if packet.is_corrupt or packet.pts in self._breaks:
                self._met_fault = self._doubtful = True
            if not self._doubtful:
                self._fed.append(packet.pts)
            try:
                yield from packet.decode()
            except MEDIA_ERRORS:
                self._met_fault = self._doubtful = True
        try:
            yield from self._stream.codec_context.decode(None)
        except MEDIA_ERRORS:
            return

    def _in_order(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Give the index's times to frames in the order in which they come out; a lost one ends it."""
        for pts, frame in zip(self.index.pts, frames, strict=False):
            if self._doubtful or frame.is_corrupt:
                return
            frame.pts = pts
            yield frame

    def _is_entry(self, pts: int | None) -> bool:
        if pts is None:
            return False
        i = bisect_left(self._entries, pts)
        return i < len(self._entries) and self._entries[i] == pts

    def _next(self) -> tuple[int, av.VideoFrame] | None:
        """The next frame of this run that the index knows."""
        for frame in self._run:
            if frame.pts is None or (self._is_patched(frame) and not self._damaged):
                continue
            i = bisect_left(self.index.pts, frame.pts)
            if i == len(self.index.pts) or self.index.pts[i] != frame.pts:
                continue
            self._newest = i if self._newest is None else max(self._newest, i)
            self._current = (i, frame)
            return i, frame
        self._newest = None
        return None

    def _is_patched(self, frame: av.VideoFrame) -> bool:
        """Whether a frame may show parts of others: the decoder says so, or a frame it builds on was lost."""
        if frame.is_corrupt:
            self._doubtful = True
            return True
        if frame.key_frame and frame.pts not in self._breaks:
            self._doubtful = False
        return self._doubtful and frame.pts not in self._fed  # decoded before the fault, given out after it

    def _decode_to(self, frame_index: int) -> av.VideoFrame | None:
        behind = 0
        while (step := self._next()) is not None:
            if step[0] == frame_index:
                return step[1]
            behind += step[0] > frame_index
            if behind > _REORDER_FRAMES:
                break
        return None
