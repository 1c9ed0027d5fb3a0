"""The sound of a clip as samples that a device takes: from any moment on, without holes, at another speed in pitch."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import av.filter
import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.container import MEDIA_ERRORS, open_container
from vvlm_desktop.video.index import FrameIndex

#: float32, shape [sample, 2].
Samples: TypeAlias = NDArray[np.float32]

#: Speeds at which voices and horns are still themselves.
SLOWEST, FASTEST = 0.5, 2.0
#: Decoding begins this much earlier: codecs need a packet or two to be right.
_RUN_UP_S = 0.1
#: Time stamps are rounded; a smaller difference is no gap.
_GAP_S = 0.005
#: Silence is given in pieces, as a gap may last for hours.
_PIECE = 8192


def samples(path: Path, index: FrameIndex, *, start_s: float, rate_hz: int, speed: float = 1.0) -> Iterator[Samples]:
    """Stereo from `start_s` (counted from the clip's first frame) to the end; silence where the file has none.

    Damaged packets cost their own moment. At another `speed` than 1 the pitch stays.
    """
    plain = _without_holes(path, index, start_s=start_s, rate_hz=rate_hz)
    return plain if speed == 1.0 else _stretched(plain, rate_hz=rate_hz, speed=speed)


def _without_holes(path: Path, index: FrameIndex, *, start_s: float, rate_hz: int) -> Iterator[Samples]:
    given = 0
    for at, piece in _pieces(path, index, start_s=start_s, rate_hz=rate_hz):
        ahead, late = at - given, 0
        allowed = _GAP_S * rate_hz if given else 0  # the first sample is exact, the others follow it
        if ahead > allowed:
            for begin in range(0, ahead, _PIECE):
                yield np.zeros((min(_PIECE, ahead - begin), 2), dtype=np.float32)
            given = at
        elif ahead < -allowed:
            late = -ahead  # before the start, or said twice
        fresh = piece[late:]
        if len(fresh):
            given += len(fresh)
            yield fresh


def _pieces(path: Path, index: FrameIndex, *, start_s: float, rate_hz: int) -> Iterator[tuple[int, Samples]]:
    """Decoded samples, and the place of the first of them counted from `start_s`."""
    try:
        container = open_container(path)
    except ClipUnreadableError:
        return
    with container:
        if not container.streams.audio or not len(index):
            return
        stream = container.streams.audio[0]
        zero_s = float(index.pts[0] * index.time_base) + start_s
        if stream.time_base is not None and start_s > _RUN_UP_S:
            try:
                container.seek(int((zero_s - _RUN_UP_S) / stream.time_base), stream=stream)
            except MEDIA_ERRORS:
                return
        resampler = av.AudioResampler(format="flt", layout="stereo", rate=rate_hz)
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except MEDIA_ERRORS:
                return  # the rest of a truncated file
            if packet is None:
                return
            try:
                found = [piece for frame in packet.decode() for piece in resampler.resample(frame)]
            except MEDIA_ERRORS:
                resampler = av.AudioResampler(format="flt", layout="stereo", rate=rate_hz)
                continue
            for piece in found:
                if piece.pts is not None and piece.time_base is not None:
                    at_s = float(piece.pts * piece.time_base) - zero_s
                    yield round(at_s * rate_hz), _finite(piece.to_ndarray().reshape(-1, 2))


def _finite(piece: NDArray[np.generic]) -> Samples:
    """What damaged packets decode to must not reach anybody's ears."""
    return np.clip(np.nan_to_num(piece.astype(np.float32)), -1.0, 1.0)


def _stretched(plain: Iterator[Samples], *, rate_hz: int, speed: float) -> Iterator[Samples]:
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate_hz, format="flt", layout="stereo", time_base=Fraction(1, rate_hz))
    tempo, sink = graph.add("atempo", f"{speed:.6f}"), graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    given = 0
    for piece in plain:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece.reshape(1, -1)), format="flt", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, given, Fraction(1, rate_hz)
        given += len(piece)
        source.push(frame)
        yield from _drained(sink)
    source.push(None)
    yield from _drained(sink)


def _drained(sink: av.filter.FilterContext) -> Iterator[Samples]:
    while True:
        try:
            frame = sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame.to_ndarray().reshape(-1, 2).astype(np.float32)
