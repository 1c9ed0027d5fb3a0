"""Small copies of frames for dragging through clips with few keyframes, where the exact frame takes seconds to reach.

They are made once, in the background, and kept on disk under the clip's id, which is its content's hash. A copy knows
which frame it is of; it is shown on the way to the exact one and proves nothing.
"""

from __future__ import annotations

import contextlib
import threading
import zipfile
from bisect import bisect_left, insort
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path

import av
from av.codec import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from vvlm_desktop.video.container import MEDIA_ERRORS
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.rgb import source_colour

#: A group with more frames takes longer to decode than a hand on the mouse waits.
LONG_GOP_FRAMES = 200
#: All clips' copies together, on disk.
LIMIT_BYTES = 512 << 20
_WIDTH_PX = 320
_EVERY_S = 0.2
_AT_MOST = 2000
#: Of JPEG, 2 best, 31 worst; 5 kB a picture.
_QUALITY = 5


class SmallPictures:
    """Copies by frame index; safe for several threads."""

    def __init__(self) -> None:
        self._jpegs: dict[int, bytes] = {}
        self._order: list[int] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._jpegs)

    def put(self, frame_index: int, jpeg: bytes) -> None:
        """Add a copy."""
        with self._lock:
            if frame_index not in self._jpegs:
                insort(self._order, frame_index)
            self._jpegs[frame_index] = jpeg

    def nearest(self, frame_index: int) -> int | None:
        """The frame nearest to the wanted one of which there is a copy."""
        with self._lock:
            after = bisect_left(self._order, frame_index)
            near = self._order[max(0, after - 1) : after + 1]
            return min(near, key=lambda i: abs(i - frame_index), default=None)

    def frame(self, frame_index: int) -> av.VideoFrame | None:
        """The copy of exactly that frame."""
        jpeg = self._jpegs.get(frame_index)
        return _decode(jpeg) if jpeg is not None else None

    def save(self, file: Path, index: FrameIndex) -> None:
        """Keep them on disk, all or nothing; a full disk keeps none."""
        draft = file.with_suffix(".part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(draft, "w") as archive:
                for i, jpeg in sorted(self._jpegs.items()):
                    archive.writestr(f"{i}_{index.pts[i]}.jpg", jpeg)
            draft.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def load(self, file: Path, index: FrameIndex) -> bool:
        """Take what `save` wrote; False where there is nothing of this clip that can be used."""
        found: dict[int, bytes] = {}
        try:
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    number, _, pts = name.removesuffix(".jpg").partition("_")
                    if index.pts[int(number)] != int(pts):
                        return False
                    found[int(number)] = archive.read(name)
            file.touch()
        except (OSError, ValueError, IndexError, zipfile.BadZipFile):
            return False
        for i, jpeg in found.items():
            self.put(i, jpeg)
        return bool(found)


def frames_to_copy(index: FrameIndex) -> list[int]:
    """Frames within long groups, evenly in time; none for a clip that can be dragged through as it is."""
    starts = [0, *(i for i in index.keyframe_indices if i > 0), len(index)]
    long = [(start, end) for start, end in pairwise(starts) if end - start > LONG_GOP_FRAMES]
    frames = sum(end - start for start, end in long)
    step = max(1, round(_EVERY_S / index.usual_s), ceil(frames / _AT_MOST))
    return [i for start, end in long for i in range(start, end, step)]


def copy_of(frame: av.VideoFrame, reformatter: VideoReformatter | None = None) -> bytes:
    """A frame as a small JPEG, as it lies in the file: not turned."""
    width = min(_WIDTH_PX, frame.width) // 2 * 2 or 2
    height = max(2, round(frame.height * width / frame.width) // 2 * 2)
    small = (reformatter or VideoReformatter()).reformat(
        frame,
        width,
        height,
        "yuvj420p",
        dst_colorspace=Colorspace.ITU601,
        dst_color_range=ColorRange.JPEG,
        interpolation="AREA",
        **source_colour(frame),
    )
    context = CodecContext.create("mjpeg", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
    context.time_base, context.thread_count = Fraction(1, 25), 1
    context.qmin = context.qmax = _QUALITY
    small.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(small), *context.encode(None)))


def _decode(jpeg: bytes) -> av.VideoFrame | None:
    context = CodecContext.create("mjpeg", "r")
    context.thread_count = 1
    try:
        frames = context.decode(Packet(jpeg))
    except MEDIA_ERRORS:
        return None
    return next((frame for frame in frames if isinstance(frame, av.VideoFrame)), None)


def trim(folder: Path, *, limit_bytes: int = LIMIT_BYTES, unlink: Callable[[Path], object] = Path.unlink) -> None:
    """Forget the copies of clips that were not looked at for longest, until all together are below the limit."""
    try:
        files = [(file.stat().st_mtime, file.stat().st_size, file) for file in folder.glob("*.zip")]
    except OSError:
        return
    used = sum(size for _, size, _ in files)
    for _, size, file in sorted(files):
        if used <= limit_bytes:
            return
        with contextlib.suppress(OSError):
            unlink(file)
            used -= size
