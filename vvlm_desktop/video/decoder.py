"""From packets to frames, from an entry point on: swiftly as long as nothing is wrong, carefully from then on."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vvlm_desktop.video.container import MEDIA_ERRORS, choose_stream, open_container, packets
from vvlm_desktop.video.doubts import Doubts
from vvlm_desktop.video.fields import FieldPairs
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.lost_bytes import USUAL_SIZE_BYTES, has_zeroed_block
from vvlm_desktop.video.nal_units import in_higher_sublayer, size_bytes
from vvlm_desktop.video.run import Run

#: As an entry point: a freshly opened file.
FROM_START = -1
#: How far behind the wanted frame decoding goes on before it is given up: more than any codec reorders.
REORDER_FRAMES = 32

#: Demuxers that find a place in the file by DTS; the others keep a table of keyframes by PTS.
_BY_DTS = frozenset({"mpegts"})
#: Decoders that tell of every fault that they notice while they decode several frames at once (MPEG-4's does not).
_FRAME_THREADED = frozenset({"h264", "hevc"})
#: With several threads the H.264 and MPEG decoders patch faults up without saying so, each time differently; these do
#: not patch at all.
_REPORT_DAMAGE_ANYHOW = frozenset({"hevc", "av1", "vp9", "vvc"})
#: Of the others some call pictures faulty that are not (H.264 of cameras that count their references wrongly).
_STOP_AT_FAULTS = frozenset({"hevc"})
#: Decoders that can leave out pictures on which no other builds.
_KNOW_UNUSED = frozenset({"h264", "hevc"})
#: More threads hold more pictures, and gain little on the short way to one frame.
_MOST_THREADS = 8


class DamageMetError(Exception):
    """Something is wrong in the data, and which frames suffer is not known while several are decoded at once."""


def swift_threads(index: FrameIndex) -> int:
    """How many frames to decode at once; 0 where one after the other is right.

    One more than there are cores, as FFmpeg itself takes: the thread that feeds mostly waits.
    """
    known_faults = index.breaks or index.in_decode_order
    if known_faults or index.codec not in _FRAME_THREADED:
        return 0
    return min(_MOST_THREADS, (os.cpu_count() or 1) + 1)


class Decoder:
    """Decodes one stream from one entry point after the other.

    Decoding several frames at once is up to twice as fast on two cores, but then FFmpeg's decoders patch faults up with
    parts of neighbouring pictures, and tell late or not at all which ones. So a swift decoder asks for an error at the
    first fault, and raises `DamageMetError`; one frame after the other, each picture tells for itself.

    Args:
        threads: PyAV's kind of threading and number of threads; frames at once (`FRAME`) are decoded swiftly.

    Raises:
        ClipUnreadableError: the file cannot be opened.
    """

    def __init__(self, path: Path, index: FrameIndex, *, threads: tuple[str, int]) -> None:
        self._path = path
        self._index = index
        self._threads = threads
        self.swift = threads[0] == "FRAME"
        self._container, self._stream = self._open()
        self._entries = [pts for pts, _ in index.keys]
        self._breaks = frozenset(index.breaks)
        self._seek_by_dts = not _BY_DTS.isdisjoint(index.container.split(","))
        self._sizes = size_bytes(self._stream.codec_context.extradata, codec=index.codec)
        self._leaves_out = index.codec in _KNOW_UNUSED
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._entry_pts = 0
        self._sought: set[int] = set()  # what the shortest way still leads to
        self._newest_fed = 0
        self._doubts = Doubts()
        self._strangers = frozenset(index.strangers)
        self._fields = FieldPairs(self._stream, codec=index.codec)
        self._fed_pts: int | None = None  # of the frame that the newest packet belongs to
        self._run = Run()

    @property
    def metadata(self) -> dict[str, str]:
        """What the file's header says."""
        return self._container.metadata

    @property
    def pairs_fields(self) -> bool:
        """Whether a frame's second field is fed with the first where it has a packet of its own."""
        return self._fields.possible

    @property
    def met_fault(self) -> bool:
        """Whether data were lost since the entry point."""
        return self._doubts.any

    def close(self) -> None:
        """Close the file; frames given out stay valid."""
        self._frames = iter(())
        self._container.close()

    def start(self, entry: int, wanted_pts: Sequence[int], *, shortest: bool = False) -> bool:
        """Go to an entry point, by its number among the index's keys; False when the demuxer refuses.

        Args:
            wanted_pts: what is sought, ascending; nothing comes if the demuxer lands behind the first of it.
            shortest: leave out what the wanted frames do not need, and end with the last of them.
        """
        self._doubts = Doubts()
        self._frames = iter(())
        self._run = Run.of(self._index, None if entry == FROM_START else entry)
        if entry == FROM_START or (self._run.place is not None and not self._seek_by_dts):
            former = self._container
            self._container, self._stream = self._open()
            former.close()
        elif not self._seek(entry):
            return False
        self._stream.codec_context.skip_frame = "DEFAULT"
        self._fields.restart()
        first_pts = None if entry == FROM_START else wanted_pts[0]
        self._sought = set(wanted_pts) if shortest else set()
        self._newest_fed = -1 << 63
        fed = self._shortest(self._enter(first_pts)) if shortest else self._enter(first_pts)
        frames = self._decode(fed)
        self._frames = self._in_order(frames) if self._index.in_decode_order else frames
        return True

    def _seek(self, entry: int) -> bool:
        by_place = self._run.place is not None
        where = self._run.place if by_place else self._index.keys[entry][1 if self._seek_by_dts else 0]
        try:
            self._container.seek(where or 0, stream=self._stream, backward=True, unsupported_byte_offset=by_place)
        except MEDIA_ERRORS:
            return False
        return True

    def redirect(self, pts: int) -> bool:
        """Let the shortest way lead to another frame; False where it has ended, or may be past that."""
        if not self._sought or pts <= self._newest_fed:
            return False
        self._sought = {pts}
        return True

    def next(self, *, damaged: bool = False) -> av.VideoFrame | None:
        """The next frame that shows what was recorded, and nothing else; None at the end.

        Args:
            damaged: give pictures that were patched up, too.

        Raises:
            DamageMetError: a swift decoder cannot go on from this entry point.
        """
        for frame in self._frames:
            pts = frame.pts
            if pts is None or self._run.is_stranger(pts):
                continue
            if damaged or self._doubts.is_sound(frame):
                return frame
        return None

    def _open(self) -> tuple[InputContainer, VideoStream]:
        container = open_container(self._path)
        stream = choose_stream(container, self._path, self._index.stream_index)
        stream.thread_type, stream.codec_context.thread_count = self._threads
        if self.swift or self._index.codec in _STOP_AT_FAULTS:
            stream.codec_context.options = {"err_detect": "explode"}
        return container, stream

    def _enter(self, first_pts: int | None) -> Iterator[Packet[VideoStream]]:
        """Packets from the entry point on. Nothing is fed before one: decoders invent pictures from nothing."""
        entered = leading = False
        for packet in packets(self._container, self._stream):
            self._fed_pts = pts = self._fields.time_of(packet)
            if self._run.is_behind(packet.pos):
                return
            if not entered:
                if pts is None or not self._enters(pts) or self._run.place not in {None, packet.pos}:
                    continue
                if first_pts is not None and pts > first_pts:
                    return  # landed too late
                self._entry_pts, entered, leading = pts, True, self.swift
            elif leading and pts is not None:
                # Shown before the entry point and built on what lies before it: an error, if it were decoded.
                if pts < self._entry_pts and not packet.is_keyframe:
                    continue
                leading = False
            yield packet

    def _shortest(self, stream: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        """Packets up to the last one sought; the decoder is told to leave out what no other picture builds on."""
        context = self._stream.codec_context
        for packet in stream:
            checked = self._leaves_out and self._index.codec == "hevc"
            if checked and in_higher_sublayer(memoryview(packet), sizes=self._sizes):
                self._leaves_out = False
                return  # what was left out may be needed from here on
            pts = self._fed_pts
            if not self._fields.is_second:  # with the first field it was settled for both
                if not self._sought:
                    return
                context.skip_frame = "NONREF" if self._leaves_out and pts not in self._sought else "DEFAULT"
            if pts is not None:
                self._newest_fed = max(self._newest_fed, pts)
                self._sought.discard(pts)
            ended = not self._sought and self._fields.still_alone is None
            yield packet
            if ended:
                return

    def _decode(self, fed: Iterator[Packet[VideoStream]]) -> Iterator[av.VideoFrame]:
        doubts = self._doubts
        for packet in fed:
            pts = self._fed_pts
            if self._strangers and pts is not None and not packet.is_discard and not self._fields.is_second:
                self._run.meet(pts, (pts, packet.pos) in self._strangers)
            broken = self._is_broken(packet, pts)
            self._give_up_if(broken)
            doubts.feed(pts, broken=broken, key=self._enters(pts))
            try:
                frames = packet.decode()
            except MEDIA_ERRORS:
                self._give_up_if(True)
                doubts.fail(pts)
                continue
            for frame in frames:
                self._give_up_if(frame.is_corrupt)
                yield from doubts.come(frame)
        try:
            frames = self._stream.codec_context.decode(None)
        except av.EOFError:
            frames = []
        except MEDIA_ERRORS:
            self._give_up_if(True)
            frames = []
        for frame in frames:
            self._give_up_if(frame.is_corrupt)
            yield from doubts.come(frame)
        yield from doubts.rest()

    def _is_broken(self, packet: Packet[VideoStream], pts: int | None) -> bool:
        if packet.is_corrupt or pts in self._breaks:
            return True
        if self._sizes not in {0, USUAL_SIZE_BYTES}:
            return False
        return has_zeroed_block(bytes(packet), codec=self._index.codec, sized=bool(self._sizes))

    def _give_up_if(self, fault: bool) -> None:
        if fault and self.swift:
            raise DamageMetError

    def _in_order(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Give the index's times to frames in the order in which they come out; a lost one ends it."""
        for pts, frame in zip(self._index.pts, frames, strict=False):
            if self._doubts.any or frame.is_corrupt:
                return
            frame.pts = pts
            yield frame

    def _enters(self, pts: int | None) -> bool:
        """Whether decoding can start at the newest packet, which belongs to a frame of this time."""
        if pts is None or self._fields.is_second:
            return False
        i = bisect_left(self._entries, pts)
        return i < len(self._entries) and self._entries[i] == pts


def careful_threads(index: FrameIndex) -> tuple[str, int]:
    """One thread for codecs that report damage only then; slices of one picture are rarely worth more."""
    return "SLICE", 0 if index.codec in _REPORT_DAMAGE_ANYHOW else 1
