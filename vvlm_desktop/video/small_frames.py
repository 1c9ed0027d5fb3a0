"""Frames of a clip that is looked at beside another one: small ones, decoded when the other one leaves time for it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import av
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.rgb import source_colour

_log = logging.getLogger(__name__)
#: Longer side of a picture that is kept: 0.35 MB instead of 3.1 for 1080p.
LONG_SIDE_PX = 640
#: Enough to go second; at 10, on two busy cores, they came seconds late.
_NICER_BY = 4


class SmallFrames:
    """A reader whose frames are exact in time and small in size; their pixels are square. Made on its own thread."""

    def __init__(self, path: Path, index: FrameIndex) -> None:
        _yield_to_others()
        self.index = index
        self._reader = FrameReader(path, index, threads=("SLICE", 1))
        self._reformatter = VideoReformatter()

    def walk(self, start: int = 0) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames from `start` on, ascending; unreadable ones may be left out."""
        for i, frame in self._reader.walk(start):
            yield i, self._small(frame)

    @property
    def has_short_ways(self) -> bool:
        """Whether `approach` leaves anything out."""
        return self._reader.has_short_ways

    def redirect(self, i: int) -> bool:
        """Let the approach under way lead to frame `i`; False where it cannot."""
        return self._reader.redirect(i)

    def approach(self, i: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames on the shortest way to frame `i`, some left out; it comes last, or not at all."""
        for passing, frame in self._reader.approach(i):
            yield passing, self._small(frame)

    def frame(self, i: int) -> av.VideoFrame:
        """Exactly frame `i`, or `FrameUnreadableError`."""
        return self._small(self._reader.frame(i))

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def _small(self, frame: av.VideoFrame) -> av.VideoFrame:
        width = frame.width * float(self.index.sample_aspect or 1)
        scale = min(1.0, LONG_SIDE_PX / max(width, frame.height))
        small = self._reformatter.reformat(
            frame,
            max(2, round(width * scale / 2) * 2),
            max(2, round(frame.height * scale / 2) * 2),
            "yuv420p",
            interpolation="FAST_BILINEAR",
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.JPEG,
            threads=1,  # a second one would have to wait for its turn as well
            **source_colour(frame),
        )
        # Told from its size alone it would be taken for another colour space.
        small.colorspace, small.color_range = Colorspace.ITU601, ColorRange.JPEG
        return small


def _yield_to_others() -> None:
    """Let the thread that decodes what is judged go first."""
    if not sys.platform.startswith("linux"):
        return  # elsewhere only whole processes can be told to wait
    try:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + _NICER_BY))
    except OSError as error:
        _log.info("The pictures of other cameras are decoded at normal priority: %s", error)
