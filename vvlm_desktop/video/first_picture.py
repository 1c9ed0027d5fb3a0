"""The first picture of a clip whose frames are not known yet: from the head of its file, however long the rest is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vvlm_desktop.video.container import MEDIA_ERRORS, choose_stream, open_container, packets
from vvlm_desktop.video.scan import begins_with_zeros, clockwise
from vvlm_desktop.video.transport import damaged_packets

#: So much is decoded for a picture that only bridges a wait; what an edit list hides may be longer.
_PACKETS = 120
#: What a memory card gives back for a block that it lost; not all decoders notice it. Few pictures hold so many zeros.
_LOST_BLOCK = bytes(64)


@dataclass(frozen=True, slots=True)
class FirstPicture:
    """The first picture in showing order, and how it has to be shown; which frame it is, is not known yet."""

    frame: av.VideoFrame
    rotation: int
    sample_aspect: Fraction


class _DoubtError(Exception):
    """Something at the head of the file is not as it should be: no picture is better than a wrong one."""


def first_picture(
    path: Path, *, stream_index: int = 0, cancel: Callable[[], bool] | None = None
) -> FirstPicture | None:
    """Decode the first picture that the clip shows; None where its head leaves a doubt which one that is.

    Hidden by an edit list, damaged, or without the pictures that it builds on: such a picture is not given, and where
    the next one cannot be told for certain, none is.

    Raises:
        ClipUnreadableError: the file cannot be opened, or holds no such stream.
    """
    with open_container(path) as container:
        try:
            stream = choose_stream(container, path, stream_index)
            # With several threads some decoders patch damage up without saying so.
            stream.thread_type, stream.codec_context.thread_count = "SLICE", 1
            frame = _decode(path, container, stream, cancel=cancel)
        except (*MEDIA_ERRORS, _DoubtError):
            return None
        if frame is None:
            return None
        return FirstPicture(frame, clockwise(frame.rotation), stream.sample_aspect_ratio or Fraction(1))


def _decode(
    path: Path, container: InputContainer, stream: VideoStream, *, cancel: Callable[[], bool] | None
) -> av.VideoFrame | None:
    head = _Head()
    faults: list[str] = []
    for fed, packet in enumerate(packets(container, stream, faults)):
        if fed >= _PACKETS or (cancel is not None and cancel()):
            return None
        frame = head.first_shown(packet.decode()) if head.is_usable(packet) else None
        if frame is not None:
            break
    else:
        frame = head.first_shown(stream.codec_context.decode(None))
    if faults:
        raise _DoubtError
    if frame is not None and container.format.name == "mpegts":
        following = next(packets(container, stream), None)
        _check_counters(path, stream.id, head.positions, end=following.pos if following is not None else None)
    return frame


class _Head:
    """What the packets say about which pictures are shown."""

    def __init__(self) -> None:
        self.positions: list[int] = []  # in the file
        self._entry_pts: int | None = None
        self._shown: set[int] = set()

    def is_usable(self, packet: Packet[VideoStream]) -> bool:
        """Note a packet; whether it can be decoded, as what comes before the first entry point cannot."""
        if self._entry_pts is None:
            if not packet.is_keyframe or packet.pts is None:
                return False
            if packet.has_sidedata("encryption_info"):
                raise _DoubtError
            self._entry_pts = packet.pts
        if packet.is_corrupt or begins_with_zeros(packet) or bytes(packet).find(_LOST_BLOCK) >= 0:
            raise _DoubtError
        if packet.pos is not None:
            self.positions.append(packet.pos)
        if packet.pts is not None and not packet.is_discard:
            self._shown.add(packet.pts)
        return True

    def first_shown(self, frames: Iterable[av.VideoFrame]) -> av.VideoFrame | None:
        """The first of these that is shown; they leave the decoder in the order of showing."""
        for frame in frames:
            if frame.is_corrupt:
                raise _DoubtError
            if self._is_shown(frame.pts):
                return frame
        return None

    def _is_shown(self, pts: int | None) -> bool:
        # Decoded after the entry point and shown before it: it builds on pictures that are not there.
        return pts is not None and self._entry_pts is not None and pts >= self._entry_pts and pts in self._shown


def _check_counters(path: Path, pid: int, positions: list[int], *, end: int | None) -> None:
    """A transport stream's demuxer passes over lost data in silence."""
    if damaged_packets(path, pid, sorted(positions), end=end):
        raise _DoubtError
