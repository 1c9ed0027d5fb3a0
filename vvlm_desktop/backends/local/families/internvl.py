"""InternVL 2.5, 3 and 3.5 in the form that transformers knows (`-hf`): 448 px, one tile and 256 tokens a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from vvlm_desktop.backends.local.families.base import Config, Family, ModelInput, times_line
from vvlm_desktop.errors import ModelFolderError

_SIDE_PX = 448
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_HINT = (
    "Download the model again, or correct that file; set like this, it would see pictures unlike those it learnt from."
)


class InternVL(Family):
    """Frames are pictures of a fixed size, announced as `Frame1:`, `Frame2:` … by the processor."""

    name = "internvl"
    title = "InternVL"
    model_types = ("internvl",)
    max_frames = 64
    vision_modules = ("model.vision_tower",)
    projector_modules = ("model.multi_modal_projector",)

    @override
    def decode_size(self, width: int, height: int, *, frames: int, side: int | None = None) -> tuple[int, int]:
        """Always the one size that the vision tower was built for; `side` cannot make it smaller."""
        return _SIDE_PX, _SIDE_PX

    @override
    def tokens(self, size: tuple[int, int], *, frames: int) -> int:
        """`image_seq_length` for each frame, and about eight for its announcement."""
        return frames * (int(self.config.get("image_seq_length", 256)) + 8)

    @override
    def check(self, settings: Config, config: Config) -> None:
        """The processor's own defaults are 384 px and other colours; the checkpoint must say 448."""
        side = _sides(settings.get("size"))
        where = f" ({settings['_file']})" if settings.get("_file") else ""
        if side != (_SIDE_PX, _SIDE_PX):
            raise ModelFolderError(
                f"The processor of this InternVL model is set to {side[0]} px instead of {_SIDE_PX} px{where}.",
                hint=_HINT,
            )
        if not _close(settings.get("image_mean"), _IMAGENET_MEAN) or not _close(
            settings.get("image_std"), _IMAGENET_STD
        ):
            raise ModelFolderError(
                f"The processor of this InternVL model normalises colours wrongly{where}.", hint=_HINT
            )
        vision = config.get("vision_config", {})
        image_size = vision.get("image_size", (_SIDE_PX, _SIDE_PX))
        if _sides(image_size) != (_SIDE_PX, _SIDE_PX):
            raise ModelFolderError(
                f"This InternVL model takes pictures of {_sides(image_size)[0]} px instead of {_SIDE_PX} px.",
                hint=_HINT,
            )

        told, wanted = settings.get("image_seq_length"), config.get("image_seq_length")
        if told is not None and wanted is not None and told != wanted:
            raise ModelFolderError(
                f"The processor of this InternVL model writes {told} tokens a frame instead of {wanted}.", hint=_HINT
            )

    @override
    def question(self, item: ModelInput) -> str:
        """The family is told no times, so they are said."""
        return times_line(item.frames) + item.prompt

    @override
    def processor_arguments(self, item: ModelInput) -> dict[str, Any]:
        """The picture's size is already right; anything else is our own mistake."""
        if item.frames.rgb.shape[1:3] != (_SIDE_PX, _SIDE_PX):
            raise ValueError(f"frames of {item.frames.rgb.shape[1:3]} for InternVL")
        return {}


def _sides(size: Any) -> tuple[int, int]:
    """Height and width, however they are written; (0, 0) for what cannot be read."""
    if isinstance(size, int):
        return size, size
    if isinstance(size, Sequence) and len(size) == 2:
        return int(size[0]), int(size[1])
    if isinstance(size, dict):
        return int(size.get("height") or 0), int(size.get("width") or 0)
    return 0, 0


def _close(values: Any, wanted: tuple[float, ...]) -> bool:
    return (
        isinstance(values, Sequence)
        and len(values) == len(wanted)
        and all(abs(float(a) - b) < 1e-3 for a, b in zip(values, wanted, strict=True))
    )


FAMILY = InternVL
