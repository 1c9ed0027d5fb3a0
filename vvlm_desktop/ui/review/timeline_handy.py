"""Small pictures that need no decoding: frames that the player has at hand, and small copies of long groups."""

from __future__ import annotations

from dataclasses import dataclass

import av
from PySide6.QtGui import QImage

from vvlm_desktop.ui.review.filmstrip import as_image
from vvlm_desktop.ui.review.open_clip import OpenClip
from vvlm_desktop.ui.review.timeline_cells import shown_shape
from vvlm_desktop.video.rgb import RgbConverter

SMALL_COPY = "small copy"


@dataclass(frozen=True, slots=True, eq=False)
class Handy:
    """A picture and the frame that it is of, or (`problem`) why that frame has none.

    Attributes:
        note: what has to be said of the picture.
    """

    frame_index: int
    image: QImage | None = None
    note: str = ""
    problem: str = ""


class HandyPictures:
    """Of one open clip."""

    def __init__(self, opened: OpenClip) -> None:
        self._opened = opened
        self._converter = RgbConverter(opened.index)

    def exact(self, frame_index: int, *, height_px: int) -> Handy | None:
        """The frame itself if the player has it, or knows that it cannot be read."""
        picture = self._opened.source.cached(frame_index)
        if picture is None:
            return None
        if picture.frame is None:
            return Handy(frame_index, problem="cannot be read")
        return Handy(frame_index, self._image(picture.frame, height_px))

    def near(self, frame_index: int, *, height_px: int) -> Handy | None:
        """The small copy of the frame, or of one close to it; None where the clip has none."""
        picture = self._opened.source.preview(frame_index)
        if picture is None or picture.frame is None:
            return None
        return Handy(picture.frame_index, self._image(picture.frame, height_px), note=SMALL_COPY)

    def _image(self, frame: av.VideoFrame, height_px: int) -> QImage:
        width_px = max(1, round(height_px * shown_shape(self._opened.index)))
        return as_image(self._converter.upright(frame, width=width_px, height=height_px))
