"""Qwen2.5-VL, and VideoChat-R1.5, which is the same architecture taught to point at clues and look again."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

from typing_extensions import override

from vvlm_desktop.backends.local.families.base import Config, Family, ModelInput, times_line
from vvlm_desktop.errors import ModelFolderError

#: Square root of a frame's area: 256 patches of 28 px, a third of the largest that these models were trained with.
_SIDE_PX = 448
#: Up to this many frames each has its full size; more share the same number of pixels.
_FULL_SIZE_FRAMES = 64
#: VideoChat-R1.5's smallest frames: 128 patches of 28 px.
_SMALLEST_AREA = 128 * 28 * 28
_VIDEOCHAT = re.compile(r"videochat[-_ ]?r1[._-]5", re.IGNORECASE)


class QwenVL(Family):
    """Frames of any size in steps of a patch; two of them make one grid of tokens."""

    sides = (448, 336, 252)
    max_frames = 512
    vision_modules = ("model.visual",)
    #: Inside the vision tower, so that it is left alone together with it.
    projector_modules: ClassVar[tuple[str, ...]] = ("model.visual.merger",)

    @property
    def _factor(self) -> int:
        """Pixels that one token is wide and high."""
        vision = self.config.get("vision_config", {})
        return int(vision.get("patch_size", 14)) * int(vision.get("spatial_merge_size", 2))

    @property
    def _temporal(self) -> int:
        return int(self.config.get("vision_config", {}).get("temporal_patch_size", 2))

    @override
    def decode_size(self, width: int, height: int, *, frames: int, side: int | None = None) -> tuple[int, int]:
        """In the clip's proportions, never larger than the clip, in whole patches."""
        area = (side or _SIDE_PX) ** 2
        if frames > _FULL_SIZE_FRAMES:
            area = max(min(area, _SMALLEST_AREA), area * _FULL_SIZE_FRAMES // frames)
        scale = min(1.0, math.sqrt(area / (width * height)))
        return self._whole(width * scale), self._whole(height * scale)

    def _whole(self, length: float) -> int:
        return max(1, int(length / self._factor + 0.25)) * self._factor

    @override
    def tokens(self, size: tuple[int, int], *, frames: int) -> int:
        """Two frames share their tokens."""
        return math.ceil(frames / self._temporal) * (size[0] // self._factor) * (size[1] // self._factor)

    @override
    def check(self, settings: Config, config: Config) -> None:
        """Patches must be cut as the vision tower expects them."""
        vision = config.get("vision_config", {})
        for ours, theirs in (("patch_size", "patch_size"), ("merge_size", "spatial_merge_size")):
            if ours in settings and theirs in vision and settings[ours] != vision[theirs]:
                raise ModelFolderError(
                    f"The processor of this model cuts pictures differently ({ours} {settings[ours]}) "
                    f"from what the model expects ({vision[theirs]}).",
                    hint="Download the model again.",
                )

    @override
    def processor_arguments(self, item: ModelInput) -> dict[str, Any]:
        """Real times: without them 24 frames a second are assumed silently."""
        height, width = item.frames.rgb.shape[1:3]
        if height % self._factor or width % self._factor:
            raise ValueError(f"frames of {width} × {height} are not in whole patches of {self._factor}")
        return {"video_metadata": [item.frames.metadata()], "cap_pixels_per_frame": False}


class Qwen25VL(QwenVL):
    """Time is told by the positions of tokens, at one rate for the whole video."""

    name = "qwen2_5_vl"
    title = "Qwen2.5-VL and VideoChat-R1.5"
    model_types = ("qwen2_5_vl",)

    def __init__(self, config: Config, *, source: str = "") -> None:
        super().__init__(config, source=source)
        self.iterative = bool(_VIDEOCHAT.search(f"{source} {config.get('_name_or_path', '')}"))
        self.title = "VideoChat-R1.5" if self.iterative else "Qwen2.5-VL"

    @override
    def question(self, item: ModelInput) -> str:
        """Frames that are not evenly spread over the clip cannot be told by one rate, so their times are said."""
        return item.prompt if item.frames.is_uniform else times_line(item.frames) + item.prompt


FAMILY = Qwen25VL
