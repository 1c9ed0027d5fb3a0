"""From a decoded frame to what is painted: size and colours by swscale, then what is changed for the eye alone."""

from __future__ import annotations

import av
from av.video.reformatter import ColorRange, VideoReformatter
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from vvlm_desktop.ui.review.picture_look import Look
from vvlm_desktop.video.deinterlace import deinterlaced, is_interlaced
from vvlm_desktop.video.levels import through
from vvlm_desktop.video.rgb import source_colour


class FrameImage:
    """Makes images of frames, one at a time: an image is valid until the next one is made."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._converted: av.VideoFrame | None = None  # a QImage borrows this frame's memory
        self.deinterlace = True
        self._look = Look()
        self._table = b""

    @property
    def look(self) -> Look:
        """What is changed for the eye."""
        return self._look

    def set_look(self, look: Look) -> None:
        """Change the next images for the eye."""
        self._look = look
        self._table = b"" if look.plain else look.table()

    def combed(self, frame: av.VideoFrame | None) -> bool:
        """Whether the frame is made of two fields, and will be shown as one picture."""
        return self.deinterlace and frame is not None and is_interlaced(frame)

    def make(
        self,
        frame: av.VideoFrame,
        size: QSize,
        *,
        before: av.VideoFrame | None = None,
        after: av.VideoFrame | None = None,
    ) -> QImage:
        """The frame at `size`, as it lies in the file: not turned yet. Its neighbours help to part its fields."""
        if self.combed(frame):
            frame = deinterlaced(frame, before=before, after=after)
        converted = self._reformatter.reformat(
            frame,
            size.width(),
            size.height(),
            "bgra",
            interpolation="FAST_BILINEAR",
            dst_color_range=ColorRange.JPEG,
            # Several are 1 ms faster at most, and on busy cores 20 ms slower: the window waits for the last of them.
            threads=1,
            **source_colour(frame),
        )
        plane = converted.planes[0]
        self._converted = converted
        pixels = memoryview(plane)
        if self._table:
            pixels = memoryview(through(self._table, pixels))
        return QImage(pixels, converted.width, converted.height, plane.line_size, QImage.Format.Format_RGB32)
