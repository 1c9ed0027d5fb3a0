"""The video that leaves: only the pictures of one clip, only the part that is wanted, nothing else of the file.

A camera's file also holds sound, the route by GPS, speed, serial numbers. None of it goes along: the pictures are put
into a new file without re-encoding where that is exact, else encoded again. Exact means: every frame of the new file
has the time that it has in the clip, counted from the first frame that is sent; this is read back, not assumed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vvlm_desktop.backends.cloud_frames import fitted, range_of
from vvlm_desktop.backends.cloud_mp4 import COPIED_CODECS, Write, add_sound, copy_pictures, encode_pictures
from vvlm_desktop.errors import BackendError, ClipUnreadableError
from vvlm_desktop.video.container import MEDIA_ERRORS
from vvlm_desktop.video.index import FrameIndex, read_index

MIME_TYPE = "video/mp4"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to leave; see `GeminiOptions` for the attributes."""

    range_ms: tuple[int, int] | None = None
    width_px: int | None = None
    sound: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A file made for sending.

    Attributes:
        first, last: frame indices in the clip of the first and the last frame in it.
        offset_ms: time of its first frame in the clip.
        content: what it holds, for the ledger.
        copied: the pictures are the camera's own, not encoded again.
        notes: what went another way than wished, as sentences.
    """

    path: Path
    size_bytes: int
    first: int
    last: int
    offset_ms: int
    duration_s: float
    content: str
    copied: bool
    notes: tuple[str, ...] = ()


def make_excerpt(
    path: Path,
    index: FrameIndex,
    wish: Wish,
    *,
    folder: Path,
    progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Excerpt:
    """Write the file that is to leave into `folder`.

    Raises:
        ClipUnreadableError: no picture can be had from the clip.
        BackendError: the range lies outside of the clip.
        JobCancelledError: `cancelled` said so.
    """
    first, last = _frames_of(index, wish.range_ms)
    whole = (first, last) == (0, len(index) - 1)
    narrower = wish.width_px is not None and wish.width_px < index.width
    write = Write(path, index, folder / "clip.mp4", progress=progress, cancelled=cancelled)
    notes: list[str] = []
    copied = whole and not narrower and _copied_exactly(write)
    if not copied:
        written = encode_pictures(write, range(first, last + 1), size=_size(index, wish.width_px))
        if len(written) < last + 1 - first:
            notes.append(f"{last + 1 - first - len(written)} frames could not be decoded and were not sent.")
        first = written[0]
    silent = not (wish.sound and index.has_audio)
    if not silent:
        problem = add_sound(write, start=first, end=last)
        notes += [problem] if problem else []
        silent = bool(problem)
    end_s = index.seconds(last) + float(index.frame_ticks * index.time_base)
    what = "video" if whole else f"video from {index.seconds(first):.1f} s to {end_s:.1f} s"
    width = f", {_size(index, wish.width_px)[0]} pixels wide" if narrower else ""
    return Excerpt(
        path=write.target,
        size_bytes=write.target.stat().st_size,
        first=first,
        last=last,
        offset_ms=index.ms(first),
        duration_s=end_s - index.seconds(first),
        content=f"{what}, {'without' if silent else 'with'} sound{width}",
        copied=copied,
        notes=tuple(notes),
    )


def make_frames_video(
    path: Path,
    index: FrameIndex,
    frame_indices: Sequence[int],
    *,
    target: Path,
    longest_side_px: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[int, ...]:
    """A video of exactly these frames, each at its own time; returns those that could be decoded.

    Raises:
        ClipUnreadableError: none of them could be.
    """
    size = fitted(index.width, index.height, longest_side_px=longest_side_px)
    return encode_pictures(Write(path, index, target, cancelled=cancelled), frame_indices, size=size)


def frames_at(index: FrameIndex, excerpt: Excerpt, *, fps: float, start_s: float, end_s: float) -> set[int]:
    """PTS of the frames that are on screen `fps` times a second between two times of the clip."""
    step, time, found = 1 / Fraction(fps), Fraction(start_s), set[int]()
    while time < Fraction(end_s):
        i = bisect_right(index.pts, index.pts[0] + time / index.time_base) - 1
        found.add(index.pts[min(max(i, excerpt.first), excerpt.last)])
        time += step
    return found


def same_times(clip: FrameIndex, made: FrameIndex, frame_indices: Sequence[int]) -> bool:
    """Whether each frame of `made` has the time, from its first, that its frame in the clip has from the first one."""
    if len(made) != len(frame_indices):
        return False
    origin, new_origin = clip.pts[frame_indices[0]], made.pts[0]
    tolerance = max(clip.time_base, made.time_base)
    return all(
        abs((clip.pts[i] - origin) * clip.time_base - (pts - new_origin) * made.time_base) <= tolerance
        for i, pts in zip(frame_indices, made.pts, strict=True)
    )


def _copied_exactly(write: Write) -> bool:
    """The camera's own pictures, where a new file shows exactly the frames of the clip at exactly their times."""
    index = write.index
    if index.codec not in COPIED_CODECS or index.rotation or index.in_decode_order or index.problem:
        return False
    try:
        copy_pictures(write)
        made = read_index(write.target, cancel=write.cancelled)
        return made.pts[0] == 0 and same_times(index, made, range(len(index)))
    except (ClipUnreadableError, *MEDIA_ERRORS):
        return False


def _frames_of(index: FrameIndex, range_ms: tuple[int, int] | None) -> tuple[int, int]:
    if not len(index):
        raise BackendError("The clip has no frame that can be shown, so nothing can be sent.")
    start_s, end_s = range_of(index, range_ms)
    first = index.at_time(start_s)
    ends = bisect_left(index.pts, index.pts[0] + Fraction(end_s) / index.time_base)
    return first, max(first, ends - 1)


def _size(index: FrameIndex, width_px: int | None) -> tuple[int, int]:
    width = min(width_px or index.width, index.width)
    return max(2, round(width / 2) * 2), max(2, round(width * index.height / index.width / 2) * 2)
