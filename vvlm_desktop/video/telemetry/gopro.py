"""GPMF payloads out of a film's container; the container's own reader hands them out with their times."""

from __future__ import annotations

from pathlib import Path

from av.container import InputContainer
from av.stream import Discard

from vvlm_desktop.video.container import MEDIA_ERRORS, open_container, video_streams_of
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.telemetry.gpmf import Payload, read_gpmf
from vvlm_desktop.video.telemetry.track import Track

#: Twelve hours of payloads; a damaged table cannot ask for more.
_MAX_PAYLOADS = 50_000
_MAX_BYTES = 256 << 20


def read_gopro(path: Path, *, index: FrameIndex | None = None) -> Track | None:
    """The GPMF track of a film, None when it has none.

    Args:
        index: of the clip; its first frame is zero. Without it, zero is where the video stream says it starts.

    Raises:
        ClipUnreadableError: the film cannot be opened.
    """
    with open_container(path) as container:
        payloads = _payloads(container, zero_s(container, index))
    if not payloads:
        return None
    track = read_gpmf(payloads)
    return track if track else None


def zero_s(container: InputContainer, index: FrameIndex | None) -> float:
    """When the film's first frame is shown, on the film's own clock."""
    if index is not None and index.pts:
        return float(index.pts[0] * index.time_base)
    stream = video_streams_of(container)[0]
    return float((stream.start_time or 0) * (stream.time_base or 0))


def _payloads(container: InputContainer, zero_s: float) -> list[Payload]:
    found: list[Payload] = []
    streams = list(container.streams.data)
    if "mov" not in container.format.name or not streams:
        return found
    for stream in container.streams:
        if stream not in streams:
            stream.discard = Discard.all  # or every picture of the film is read on the way
    size = 0
    try:
        for packet in container.demux(streams):
            data = bytes(packet)
            if not data.startswith(b"DEVC") or packet.pts is None or packet.time_base is None:
                continue
            size += len(data)
            if len(found) == _MAX_PAYLOADS or size > _MAX_BYTES:
                break
            start_ms = (float(packet.pts * packet.time_base) - zero_s) * 1000
            found.append(Payload(start_ms, float((packet.duration or 0) * packet.time_base) * 1000, data))
    except MEDIA_ERRORS:
        pass  # what was read before the damage counts; the clip's own index tells of the damage
    return found
