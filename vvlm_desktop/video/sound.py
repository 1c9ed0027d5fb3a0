"""How loud a clip is along its time. A clip without sound, or with sound that cannot be decoded, is a normal clip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError
from vvlm_desktop.video.container import MEDIA_ERRORS, open_container
from vvlm_desktop.video.index import FrameIndex

#: Shorter than a bang, longer than a period of any sound that matters.
WINDOW_S = 0.05
_RATE_HZ = 16_000
_FLOOR_DBFS = -100.0
_MAX_WINDOWS = 400_000


def loudness(
    path: Path, index: FrameIndex, *, cancelled: Callable[[], bool] = lambda: False
) -> NDArray[np.float32] | None:
    """RMS in dBFS of every `WINDOW_S` from the clip's first frame on, NaN where there is no sound; None without sound.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    if not index.has_audio:
        return None
    windows = min(_MAX_WINDOWS, int(index.duration_s / WINDOW_S) + 1)
    energy = np.zeros(windows)
    count = np.zeros(windows)
    try:
        container = open_container(path)
    except ClipUnreadableError:
        return None
    with container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        start_s = float(index.pts[0] * index.time_base)
        resampler = av.AudioResampler(format="fltp", rate=_RATE_HZ)
        packets = container.demux(stream)
        while True:
            if cancelled():
                raise JobCancelledError("Cancelled.")
            try:
                packet = next(packets)
            except StopIteration:
                break
            except MEDIA_ERRORS:
                break  # the rest of a truncated file
            try:
                for frame in packet.decode():
                    for piece in resampler.resample(frame):
                        _add(piece, energy, count, start_s=start_s)
            except MEDIA_ERRORS:
                continue  # a damaged packet costs its own moment
    if not count.any():
        return None
    heard = count > 0
    level = np.full(windows, np.nan, dtype=np.float32)
    rms = np.sqrt(energy[heard] / count[heard])
    level[heard] = np.maximum(20.0 * np.log10(np.maximum(rms, 1e-9)), _FLOOR_DBFS)
    return level


def _add(piece: av.AudioFrame, energy: NDArray[np.float64], count: NDArray[np.float64], *, start_s: float) -> None:
    if piece.pts is None or piece.time_base is None:
        return
    # Power, averaged over the channels: mixing them first adds 3 dB or takes everything away, as their phases will.
    power = (piece.to_ndarray().astype(np.float64) ** 2).mean(axis=0)
    first_s = float(piece.pts * piece.time_base) - start_s
    at = np.floor((first_s + np.arange(len(power)) / _RATE_HZ) / WINDOW_S).astype(np.int64)
    inside = (at >= 0) & (at < len(energy)) & np.isfinite(power)
    low = int(at[0])
    width = int(at[-1]) - low + 1 if len(at) else 0
    if not inside.any():
        return
    squares = np.bincount(at[inside] - low, weights=power[inside], minlength=width)
    numbers = np.bincount(at[inside] - low, minlength=width)
    for offset in range(width):
        if numbers[offset]:
            energy[low + offset] += squares[offset]
            count[low + offset] += numbers[offset]
