"""The frames that a server is shown: chosen as for a local model, upright, as JPEG."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.errors import BackendError, FrameUnreadableError, JobCancelledError
from vvlm_desktop.video import sampling as by_time
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.reader import FrameReader

_QUALITY = 90


@dataclass(frozen=True, slots=True)
class SentFrame:
    """One picture as it leaves.

    Attributes:
        time_s: from the clip's first frame.
    """

    frame_index: int
    pts: int
    time_s: float
    jpeg: bytes


def choose_frames(index: FrameIndex, sampling: Sampling, *, range_ms: tuple[int, int] | None) -> tuple[int, ...]:
    """Frame indices by `sampling`, within `range_ms` where one is given.

    Raises:
        BackendError: the range lies outside of the clip.
    """
    start_s, end_s = range_of(index, range_ms)
    if sampling.kind == "around" and sampling.at_ms is not None:
        at = index.at_time(sampling.at_ms / 1000)
        return by_time.around(
            index, at, before_s=sampling.before_ms / 1000, after_s=sampling.after_ms / 1000, count=sampling.frames
        )
    count = sampling.frames
    if sampling.kind == "fps" and sampling.fps:
        count = min(count, max(1, math.ceil((end_s - start_s) * sampling.fps)))
    return by_time.uniform(index, count, start=start_s, end=end_s)


def range_of(index: FrameIndex, range_ms: tuple[int, int] | None) -> tuple[float, float]:
    """The stretch to look at in seconds from the clip's first frame.

    Raises:
        BackendError: it lies outside of the clip.
    """
    if range_ms is None:
        return 0.0, index.duration_s
    start_s, end_s = max(0.0, range_ms[0] / 1000), min(index.duration_s, range_ms[1] / 1000)
    if end_s <= start_s:
        raise BackendError(
            f"The part from {range_ms[0] / 1000:.1f} s to {range_ms[1] / 1000:.1f} s is not in this clip, "
            f"which is {index.duration_s:.1f} s long.",
            hint="Mark a part of the clip again.",
        )
    return start_s, end_s


def fitted(width: int, height: int, *, longest_side_px: int) -> tuple[int, int]:
    """The size at which a picture is sent: never larger than it is, even numbers."""
    scale = min(1.0, longest_side_px / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def read_jpegs(
    path: Path,
    index: FrameIndex,
    frame_indices: Sequence[int],
    *,
    longest_side_px: int,
    cancelled: Callable[[], bool],
) -> tuple[list[SentFrame], list[str]]:
    """The frames as JPEG, and a sentence for every one that could not be decoded and is left out.

    Raises:
        FrameUnreadableError: none of them could be decoded.
        JobCancelledError: `cancelled` said so.
    """
    width, height = fitted(index.width, index.height, longest_side_px=longest_side_px)
    frames: list[SentFrame] = []
    told: list[str] = []
    with FrameReader(path, index) as reader:
        for i in frame_indices:
            if cancelled():
                raise JobCancelledError("Cancelled.")
            try:
                picture = reader.rgb(i, width=width, height=height)
            except FrameUnreadableError as error:
                told.append(f"The frame at {index.seconds(i):.2f} s could not be decoded and was not sent.")
                if len(told) == len(frame_indices):
                    raise FrameUnreadableError(path, i, error.reason, hint=error.hint) from error
                continue
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY)
            frames.append(SentFrame(i, index.pts[i], index.seconds(i), buffer.getvalue()))
    return frames, told
