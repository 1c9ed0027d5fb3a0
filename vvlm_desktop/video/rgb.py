"""From a decoded frame to RGB as it is to be seen: the right way up, in the right colours."""

from __future__ import annotations

from typing import Any, TypeAlias

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from vvlm_desktop.video.index import FrameIndex

#: uint8, shape [height, width, 3].
Picture: TypeAlias = NDArray[np.uint8]

_RGB = 0
_UNSPECIFIED = 2


class RgbConverter:
    """Converts the frames of one clip; keeps the scaler's tables between them."""

    def __init__(self, index: FrameIndex) -> None:
        self._index = index
        self._reformatter = VideoReformatter()

    def upright(self, frame: av.VideoFrame, *, width: int | None = None, height: int | None = None) -> Picture:
        """Convert one frame.

        Args:
            frame: as decoded.
            width: of the upright picture; None for its own, or in proportion to `height`.
            height: likewise.
        """
        width, height = self._target_size(width, height)
        turned = self._index.rotation in {90, 270}
        target = (height, width) if turned else (width, height)
        converted = self._reformatter.reformat(
            frame, *target, "rgb24", dst_color_range=ColorRange.JPEG, **source_colour(frame)
        )
        return np.ascontiguousarray(np.rot90(converted.to_ndarray(), -(self._index.rotation // 90)))

    def _target_size(self, width: int | None, height: int | None) -> tuple[int, int]:
        own_width, own_height = self._index.width, self._index.height
        if width is not None and height is None:
            height = round(width * own_height / own_width)
        elif height is not None and width is None:
            width = round(height * own_width / own_height)
        return max(1, own_width if width is None else width), max(1, own_height if height is None else height)


def source_colour(frame: av.VideoFrame) -> dict[str, Any]:
    """How the colours of a frame are coded, as arguments for PyAV's reformat.

    Cameras often leave it unsaid: then HD is BT.709 and smaller pictures BT.601, as their encoders do.
    """
    space = frame.colorspace
    if space in {_RGB, _UNSPECIFIED}:
        hd = frame.height >= 720 or frame.width >= 1280
        space = Colorspace.ITU709 if hd else Colorspace.ITU601
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith(("yuvj", "rgb", "gbr", "bgr"))
    return {"src_colorspace": int(space), "src_color_range": int(ColorRange.JPEG if full else ColorRange.MPEG)}
