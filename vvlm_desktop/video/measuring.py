"""One pass over a clip at reduced size: light, sharpness, structure, ego-motion and sound, measured and not judged."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError
from vvlm_desktop.video.curves import Curves, running_median
from vvlm_desktop.video.ego_motion import MIN_TRACKED, EgoMotion, Motion
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.picture import WIDTH_PX, Look, PictureStatistics, Structure
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.rgb import source_colour
from vvlm_desktop.video.sound import WINDOW_S, loudness

Picture: TypeAlias = NDArray[np.uint8]
Series: TypeAlias = NDArray[np.float32]

#: A jolt lasts about a tenth of a second; more samples only cost time.
_SAMPLES_HZ = 15.0
#: Keeps an hour-long clip's measurements to a few megabytes; below 5 Hz corners can no longer be followed.
_MAX_SAMPLES, _MIN_HZ = 36_000, 5.0
#: Half a frame of 60 fps: which frame is due must not hang on rounding. Counted from the frame before and not from a
#: schedule, so that the frames of a steady clip are taken at steady distances (25 fps: every second one).
_DUE_TOLERANCE_S = 0.008
_PROGRESS_EVERY_S = 0.25
#: Pixel formats whose first plane is luma, lowest bits first; everything else is converted, which takes longer.
_LUMA_PLANE = re.compile(r"(yuvj?a?4\d\dp(9|10|12|14|16)?(le)?|nv(12|21|16|24)|gray(9|10|12|14|16)?(le)?)$")
_LEVELLING_SAMPLES = 7
_MIN_QUARTERS = 3
#: From 16..235, as video is coded, to 0..255.
_FULL_RANGE = np.clip((np.arange(256) - 16) * (255 / 219) + 0.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """Everything measured along one clip, at full rate; the arrays share the length of `curves`.

    Attributes:
        looks: per sample, by name of `picture.Look`'s fields.
        motions: per sample, by name of `ego_motion.Motion`'s fields; NaN for the first. Shifts have the shape
            [samples, 4].
        structure: which parts of the picture ever show or change anything.
        loudness: dBFS of every `sound.WINDOW_S`; None for a clip without sound.
        decoded, expected: frames that came out, frames that the index promised.
        gaps_s: (start, end) of stretches inside the clip that gave no picture.
        rate_hz: at most so many frames a second were measured.
        seconds: spent on pictures and on sound.
    """

    curves: Curves
    looks: dict[str, Series]
    motions: dict[str, Series]
    structure: Structure
    loudness: Series | None
    decoded: int
    expected: int
    gaps_s: tuple[tuple[float, float], ...]
    rate_hz: float
    seconds: dict[str, float]


def measure(
    path: Path,
    index: FrameIndex,
    *,
    progress: Callable[[float, str], None] = lambda _done, _stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Measurements:
    """Decode the whole clip once and measure about 15 frames of each second.

    Raises:
        ClipUnreadableError: not one picture comes out.
        JobCancelledError: `cancelled` said so.
    """
    # Pictures of 320 × 180 are too small for OpenCV's threads to gain anything; the decoder uses the cores.
    cv2.setNumThreads(1)
    began = time.monotonic()
    duration_s = max(index.duration_s, 1e-3)
    rate_hz = max(_MIN_HZ, min(_SAMPLES_HZ, _MAX_SAMPLES / duration_s))
    pictures = PictureStatistics()
    ego = EgoMotion()
    numbers: list[int] = []
    looks: list[Look] = []
    motions: list[Motion] = []
    decoded = np.zeros(len(index), dtype=bool)
    with FrameReader(path, index, threads=("FRAME", decoder_threads())) as reader:
        due_s, told = -1.0, began
        for number, frame in _every_frame(reader, cancelled):
            decoded[number] = True
            at_s = index.seconds(number)
            if at_s < due_s - _DUE_TOLERANCE_S or (numbers and number <= numbers[-1]):
                continue
            due_s = at_s + 1.0 / rate_hz
            luma = upright_luma(frame, rotation=index.rotation)
            looks.append(pictures.add(luma))
            motions.append(ego.update(pictures.small, at_s))
            numbers.append(number)
            if time.monotonic() - told > _PROGRESS_EVERY_S:
                told = time.monotonic()
                progress(0.95 * at_s / duration_s, "measuring the picture")
    if not numbers:
        raise ClipUnreadableError(path, "not one picture comes out of it", hint="Copy it again from the camera's card.")
    seen = time.monotonic()
    progress(0.95, "measuring the sound")
    sound = loudness(path, index, cancelled=cancelled)
    look_series = {name: _series(looks, name) for name in Look.__dataclass_fields__}
    motion_series = {name: _series(motions, name) for name in Motion.__dataclass_fields__}
    times_s = np.array([index.seconds(number) for number in numbers], dtype=np.float32)
    return Measurements(
        curves=Curves(
            pts=np.array([index.pts[number] for number in numbers], dtype=np.int64),
            t_s=times_s,
            brightness=look_series["mean"],
            contrast=look_series["high"] - look_series["low"],
            sharpness=look_series["sharpness"],
            motion=look_series["change"],
            forward=motion_series["forward"],
            yaw=motion_series["yaw"],
            jolt=jolts(motion_series["shift_x"], motion_series["shift_y"], tracked=motion_series["tracked"]),
            sound=None if sound is None else _since_before(times_s, sound),
        ),
        looks=look_series,
        motions=motion_series,
        structure=pictures.structure(),
        loudness=sound,
        decoded=int(decoded.sum()),
        expected=len(index),
        gaps_s=_gaps(index, decoded),
        rate_hz=rate_hz,
        seconds={"picture_s": round(seen - began, 4), "sound_s": round(time.monotonic() - seen, 4)},
    )


def decoder_threads() -> int:
    """All cores but the window's, and at least three, so that decoding goes on while a frame is measured.

    On two cores three give 12 times real time where two give 10; the process is nice, the window comes first anyway.
    """
    return max(3, (os.cpu_count() or 1) - 1)


def upright_luma(frame: av.VideoFrame, *, rotation: int) -> Picture:
    """Luma of a frame, 0..255 from black to white, at the size that is measured, turned upright.

    The luma plane is read where the decoder left it: resizing it is twice as fast as converting the frame.
    """
    if not _LUMA_PLANE.match(frame.format.name):
        frame = frame.reformat(format="gray")
    bits = frame.format.components[0].bits
    depth = np.dtype(np.uint8 if bits == 8 else np.uint16)
    plane = frame.planes[0]
    rows: NDArray[Any] = np.frombuffer(memoryview(plane), depth).reshape(-1, plane.line_size // depth.itemsize)
    width = min(2 * WIDTH_PX, frame.width)
    size = (width, max(1, round(width * frame.height / frame.width)))
    small: NDArray[Any] = cv2.resize(rows[: frame.height, : frame.width], size, interpolation=cv2.INTER_AREA)
    if bits > 8:
        small = (small >> (bits - 8)).astype(np.uint8)
    if not (frame.format.name == "gray" or source_colour(frame)["src_color_range"] == int(ColorRange.JPEG)):
        small = cv2.LUT(small, _FULL_RANGE)
    return np.ascontiguousarray(np.rot90(np.asarray(small, dtype=np.uint8), -(rotation // 90)))


def jolts(shift_x: Series, shift_y: Series, *, tracked: Series) -> Series:
    """How far the whole picture jumped off its course within seven samples around, in widths.

    Each quarter's shift counts against its own usual one; of what is left the smallest counts, and only where all
    quarters go the same way: a passing car takes one or two of them along, a blow takes all.

    Args:
        shift_x: shape [samples, 4], as `ego_motion.Motion`.
        shift_y: likewise.
        tracked: corners followed. Where there were enough and no quarters agree, nothing jumped.
    """
    shared = []
    for shift in (shift_x, shift_y):
        usual = [running_median(quarter, reach=_LEVELLING_SAMPLES) for quarter in shift.T]
        off = shift - np.stack(usual, axis=1)
        known = ~np.isnan(off)
        low = np.where(known, off, np.inf).min(axis=1)
        high = np.where(known, off, -np.inf).max(axis=1)
        same_way = np.where(low > 0, low, np.where(high < 0, -high, 0.0))
        unknown = np.where(tracked >= MIN_TRACKED, 0.0, np.nan)
        shared.append(np.where(known.sum(axis=1) >= _MIN_QUARTERS, same_way, unknown))
    return np.hypot(*shared).astype(np.float32)


def _every_frame(reader: FrameReader, cancelled: Callable[[], bool]) -> Iterator[tuple[int, av.VideoFrame]]:
    for step in reader.walk():
        if cancelled():
            raise JobCancelledError("Cancelled.")
        yield step


def _series(records: list[Look] | list[Motion], name: str) -> Series:
    return np.array([getattr(record, name) for record in records], dtype=np.float32)


def _since_before(times_s: Series, sound: Series) -> Series:
    """Energy mean of the sound windows between each sample and the one before, in dBFS."""
    ends = np.minimum((times_s / WINDOW_S).astype(np.int64) + 1, len(sound))
    starts = np.concatenate([[0], ends[:-1]])
    starts = np.minimum(starts, np.maximum(ends - 1, 0))
    energy = np.where(np.isnan(sound), 0.0, 10.0 ** (sound / 10.0))
    known = (~np.isnan(sound)).astype(np.float64)
    energy_to, known_to = np.concatenate([[0.0], np.cumsum(energy)]), np.concatenate([[0.0], np.cumsum(known)])
    number = known_to[ends] - known_to[starts]
    mean = (energy_to[ends] - energy_to[starts]) / np.maximum(number, 1.0)
    return np.where(number > 0, 10.0 * np.log10(np.maximum(mean, 1e-10)), np.nan).astype(np.float32)


def _gaps(index: FrameIndex, decoded: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Stretches between two decoded frames in which the index promised frames that did not come."""
    came = np.flatnonzero(decoded)
    holes = np.flatnonzero(np.diff(came) > 1)
    return tuple((index.seconds(int(came[i])), index.seconds(int(came[i + 1]))) for i in holes)
