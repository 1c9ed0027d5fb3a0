"""Two fields, taken one after the other, as one picture without a comb: for the eye alone.

What is stored, and what a model is given, are the frames as they were decoded.
"""

from __future__ import annotations

from fractions import Fraction

import av
import av.filter
from av.filter import Graph

from vvlm_desktop.video.container import MEDIA_ERRORS

_ANY_TIME_BASE = Fraction(1, 90_000)


def is_interlaced(frame: av.VideoFrame) -> bool:
    """Whether the stream says that the frame is made of two fields."""
    return bool(frame.interlaced_frame)


def deinterlaced(
    frame: av.VideoFrame, *, before: av.VideoFrame | None = None, after: av.VideoFrame | None = None
) -> av.VideoFrame:
    """The frame's first field in full height; better with its neighbours. The frame itself where that fails."""
    try:
        return _filtered([each for each in (before, frame, after) if each is not None and _alike(each, frame)], frame)
    except MEDIA_ERRORS:
        return frame


def _filtered(frames: list[av.VideoFrame], wanted: av.VideoFrame) -> av.VideoFrame:
    graph = Graph()
    # Frames that the decoder held back to the end of the file come without a time base; the order alone counts here.
    time_base = wanted.time_base or _ANY_TIME_BASE
    source = graph.add_buffer(width=wanted.width, height=wanted.height, format=wanted.format, time_base=time_base)
    # Of a single frame, only the second one makes a picture.
    name, mode = ("bwdif", "send_frame") if len(frames) > 1 else ("estdif", "frame")
    parting = graph.add(name, f"mode={mode}:parity=auto:deint=interlaced")
    graph.link_nodes(source, parting, graph.add("buffersink")).configure()
    for frame in frames:
        graph.push(frame)
    graph.push(None)
    place = next(i for i, frame in enumerate(frames) if frame is wanted)
    picture = wanted
    for _ in range(place + 1):
        pulled = graph.pull()
        if isinstance(pulled, av.VideoFrame):
            picture = pulled
    return picture


def _alike(one: av.VideoFrame, other: av.VideoFrame) -> bool:
    return (one.width, one.height, one.format.name) == (other.width, other.height, other.format.name)
