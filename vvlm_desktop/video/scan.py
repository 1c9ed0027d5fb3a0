"""One pass over the packets of a video stream: what they say, before it is judged."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError
from vvlm_desktop.video.container import MEDIA_ERRORS, codec_name, packets
from vvlm_desktop.video.fields import FieldPairs
from vvlm_desktop.video.lost_bytes import (
    CODECS_WITHOUT_ZEROS,
    LOOK_FROM_BYTES,
    USUAL_SIZE_BYTES,
    has_zeroed_block,
    may_have_lost,
)
from vvlm_desktop.video.nal_units import size_bytes
from vvlm_desktop.video.stretches import Stretches
from vvlm_desktop.video.transport import damaged_packets

#: A day at 120 frames a second; a header that leads to more is not to be believed.
_MAX_PACKETS = 24 * 3600 * 120
#: How many packets may be fed until the first picture tells its orientation.
_PACKETS_TO_FIRST_PICTURE = 64
#: No codec's packet begins with this many zeros; a lost block of a memory card does.
_ZEROS_BYTES = 16
#: How many pictures show whether they come out in the order of their times.
_PICTURES_TO_ORDER = 16
_TELLING_BYTE = 3
_LOOK_EVERY = 1024


@dataclass(slots=True)
class Scan:
    """What one pass over a stream found.

    Attributes:
        times: PTS of the frames that can be reached, ascending, each once.
        keys: entry points as (PTS, DTS), ascending, those that an edit list hides included.
        breaks: PTS of packets that lost data.
        hidden: packets that an edit list hides.
        damaged: packets that the demuxer calls damaged, or that begin with nothing but zeros.
        goes_back: whether the decoding clock does; what then belongs together is read in another pass (`settle`).
        repeated_times, without_time, before_first_key: packets that give no frame of their own.
        second_fields: packets that complete the frame of the one before; that gives them its time.
        width, height: of the coded picture; `rotation` degrees clockwise make it upright.
    """

    times: tuple[int, ...] = ()
    keys: tuple[tuple[int, int], ...] = ()
    breaks: tuple[int, ...] = ()
    packets: int = 0
    hidden: int = 0
    damaged: int = 0
    goes_back: bool = False
    stretches: Stretches = field(default_factory=Stretches)
    repeated_times: int = 0
    without_time: int = 0
    before_first_key: int = 0
    second_fields: int = 0
    encrypted: bool = False
    faults: list[str] = field(default_factory=list)
    width: int = 0
    height: int = 0
    rotation: int = 0
    sample_aspect: Fraction = Fraction(1)
    in_decode_order: bool = False
    declared_frames: int | None = None
    declared_duration_s: float | None = None


def scan_stream(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    *,
    cancel: Callable[[], bool] | None,
    progress: Callable[[float], None] | None = None,
) -> Scan:
    """Read every packet of a stream, and its first picture; `progress` hears how much of the file was read, 0..1.

    Raises:
        ClipUnreadableError: more packets than any recording has.
        JobCancelledError: `cancel` said so.
    """
    scan = Scan(declared_frames=stream.frames or None, declared_duration_s=_declared_duration_s(container, stream))
    _read_times(container, stream, scan=scan, watch=_Watch(path, cancel, progress))
    if scan.times:
        scan.sample_aspect = stream.sample_aspect_ratio or Fraction(1)
        _look(container, stream, scan)
    return scan


class _Watch:
    """Looked at now and then while packets are read: is it still wanted, how far is it, is there an end?"""

    def __init__(self, path: Path, cancel: Callable[[], bool] | None, progress: Callable[[float], None] | None) -> None:
        self.path = path
        self._cancel = cancel
        self._progress = progress
        self._size_bytes = max(1, path.stat().st_size)

    def look(self, read: int, *, position: int | None = None) -> None:
        """`read` packets are read, the last one from `position` in the file."""
        if self._cancel is not None and self._cancel():
            raise JobCancelledError(f"Reading {self.path.name} was stopped.")
        if read > _MAX_PACKETS:
            raise ClipUnreadableError(
                self.path, f"the file claims more than {_MAX_PACKETS:,} frames", hint="Cut it into shorter files."
            )
        if self._progress is not None and position is not None:
            self._progress(min(1.0, position / self._size_bytes))


def _read_times(container: InputContainer, stream: VideoStream, *, scan: Scan, watch: _Watch) -> None:
    """One turn for each packet, hundreds of thousands in a long clip: what costs time is kept out of the loop."""
    shown: array[int] = array("q")
    keys: list[tuple[int, int]] = []
    places: list[tuple[int, int]] = []  # (position in the file, PTS) in a transport stream
    in_transport_stream = container.format.name == "mpegts"
    read = damaged = hidden = 0
    last_dts: int | None = None
    broken: list[int] = []
    alone: list[int] = []
    has_lost = _looking_for_lost_bytes(stream)
    fields = FieldPairs(stream, codec=codec_name(stream))
    for read, packet in enumerate(packets(container, stream, scan.faults), start=1):
        if read % _LOOK_EVERY == 0:
            watch.look(read, position=packet.pos)
        elif read == 1:
            scan.encrypted = packet.has_sidedata("encryption_info")
        pts = fields.time_of(packet)
        if packet.is_corrupt:
            damaged += 1
        elif has_lost(packet):
            damaged += 1
            if pts is not None:
                broken.append(pts)
        if fields.left_alone is not None:
            alone.append(fields.left_alone)
        if fields.is_second:
            scan.second_fields += 1
            if in_transport_stream and packet.pos is not None and pts is not None:
                places.append((packet.pos, pts))
            continue
        is_hidden = packet.is_discard
        if is_hidden:
            hidden += 1
        if pts is None:
            scan.without_time += 1
            continue
        if not is_hidden:
            shown.append(pts)
        dts = packet.dts
        if dts is not None:
            if last_dts is not None and dts < last_dts:
                scan.goes_back = True
            last_dts = dts
        if packet.is_keyframe:  # one hidden by an edit list is still an entry point
            keys.append((pts, dts if dts is not None else pts))
        if in_transport_stream and packet.pos is not None:
            places.append((packet.pos, pts))
    watch.look(read)
    scan.packets, scan.damaged, scan.hidden = read, damaged, hidden
    _settle_times(scan, shown, keys)
    if fields.still_alone is not None:
        alone.append(fields.still_alone)
    broken += _halves(scan, alone)
    if places:
        breaks = _breaks(watch.path, stream.id, sorted(places))
        scan.damaged += len(breaks)
        broken += breaks
    scan.breaks = tuple(sorted(set(broken)))


def _halves(scan: Scan, alone: list[int]) -> list[int]:
    """Frames of which one field was lost; where most fields are alone, that is how the clip was made."""
    if len(alone) >= scan.second_fields:
        return []
    found = [pts for pts in alone if pts >= scan.keys[0][0]]
    scan.damaged += len(found)
    return found


def _looking_for_lost_bytes(stream: VideoStream) -> Callable[[Packet[VideoStream]], bool]:
    """What tells whether zeros stand at the beginning of a packet, or instead of a page of it."""
    codec = codec_name(stream)
    sizes = size_bytes(stream.codec_context.extradata, codec=codec)
    known = codec in CODECS_WITHOUT_ZEROS and sizes in {0, USUAL_SIZE_BYTES}
    look_from_bytes = LOOK_FROM_BYTES if known else sys.maxsize

    def has_lost(packet: Packet[VideoStream]) -> bool:
        data = memoryview(packet)
        if _begins_with_zeros(data):
            return True
        if len(data) < look_from_bytes or not may_have_lost(data, codec=codec):
            return False
        return has_zeroed_block(bytes(packet), codec=codec, sized=bool(sizes))

    return has_lost


def begins_with_zeros(packet: Packet[VideoStream]) -> bool:
    """Whether a packet begins with nothing but zeros."""
    return _begins_with_zeros(memoryview(packet))


def _begins_with_zeros(data: memoryview) -> bool:
    # Lengths and start codes of the usual codecs have their first other byte here: one look settles it.
    return (len(data) <= _TELLING_BYTE or not data[_TELLING_BYTE]) and not any(data[:_ZEROS_BYTES])


def _settle_times(scan: Scan, shown: array[int], keys: list[tuple[int, int]]) -> None:
    times = sorted(set(shown))
    scan.repeated_times = len(shown) - len(times)
    scan.keys = tuple(sorted(keys)) or tuple((pts, pts) for pts in times[:1])
    scan.before_first_key = bisect_left(times, scan.keys[0][0]) if times else 0  # nothing to decode them from
    scan.times = tuple(times[scan.before_first_key :])


def settle(scan: Scan, stretches: Stretches) -> None:
    """Take over what several recordings in one file show together."""
    scan.stretches = stretches
    if not stretches.recordings or not stretches.keys:
        return
    scan.repeated_times += len(scan.times) - len(stretches.times) + scan.before_first_key
    scan.before_first_key = bisect_left(stretches.times, stretches.keys[0][0])
    scan.times = stretches.times[scan.before_first_key :]
    scan.keys = tuple((pts, dts) for pts, dts, _ in stretches.keys)


def _breaks(path: Path, pid: int, places: list[tuple[int, int]]) -> tuple[int, ...]:
    broken = damaged_packets(path, pid, [position for position, _ in places])
    return tuple(sorted({places[i][1] for i in broken}))


def _declared_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    else:
        return None
    return seconds if seconds > 0 else None


def _look(container: InputContainer, stream: VideoStream, scan: Scan) -> None:
    """Decode the first picture; in an AVI a few more, which show whether its times are those of showing."""
    scan.width, scan.height = stream.codec_context.width, stream.codec_context.height
    wanted = _PICTURES_TO_ORDER if container.format.name == "avi" else 1
    pictures: list[av.VideoFrame] = []
    try:
        container.seek(stream.start_time or 0, stream=stream, backward=True)
    except MEDIA_ERRORS:
        return
    for fed, packet in enumerate(packets(container, stream)):
        with suppress(*MEDIA_ERRORS):
            pictures += packet.decode()
        if len(pictures) >= wanted or fed >= _PACKETS_TO_FIRST_PICTURE:
            break
    if not pictures:
        with suppress(*MEDIA_ERRORS):  # a clip may be shorter than its decoder's delay
            pictures += stream.codec_context.decode(None)
    if pictures:
        first = pictures[0]
        scan.width, scan.height, scan.rotation = first.width, first.height, clockwise(first.rotation)
        times = [picture.pts for picture in pictures if picture.pts is not None]
        scan.in_decode_order = wanted > 1 and times != sorted(times)


def clockwise(degrees: int) -> int:
    """PyAV counts counter-clockwise; only quarter turns are applied."""
    return -degrees % 360 if degrees % 90 == 0 else 0
