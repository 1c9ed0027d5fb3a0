"""SmolVLM2: small models that also run on a processor; square frames, each announced with minute and second."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from vvlm_desktop.backends.local.families.base import Family, ModelInput, times_line

if TYPE_CHECKING:
    from torch import Tensor

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


class SmolVLM(Family):
    """Frames are squeezed into the vision tower's square, as the model's own processor does."""

    name = "smolvlm"
    title = "SmolVLM2"
    model_types = ("smolvlm",)
    max_frames = 64
    language_module = "model.text_model"
    vision_modules = ("model.vision_model",)
    projector_modules = ("model.connector",)

    @property
    def _side(self) -> int:
        return int(self.config.get("vision_config", {}).get("image_size", 512))

    @override
    def decode_size(self, width: int, height: int, *, frames: int, side: int | None = None) -> tuple[int, int]:
        """The vision tower's square."""
        return self._side, self._side

    @override
    def tokens(self, size: tuple[int, int], *, frames: int) -> int:
        """The square's patches after the connector's shuffle, and about ten to announce each frame."""
        patch = int(self.config.get("vision_config", {}).get("patch_size", 16))
        return frames * ((self._side // patch) ** 2 // int(self.config.get("scale_factor", 4)) ** 2 + 10)

    @override
    def question(self, item: ModelInput) -> str:
        """The processor tells whole seconds only, too coarse for a collision."""
        return times_line(item.frames) + item.prompt

    @override
    def processor_arguments(self, item: ModelInput) -> dict[str, Any]:
        """Real times."""
        return {"video_metadata": [item.frames.metadata()]}

    @override
    def before_loading(self) -> None:
        """Do without the package num2words, which the processor wants for the one word that counts the frames."""
        processing_smolvlm: Any = importlib.import_module("transformers.models.smolvlm.processing_smolvlm")
        if processing_smolvlm.num2words is None:
            processing_smolvlm.num2words = number_words

    @override
    def join_pictures(self, parts: Sequence[Tensor]) -> Tensor:
        """Clips with fewer frames get empty ones behind, which the model leaves out."""
        import torch

        most = max(part.shape[1] for part in parts)
        filled = [torch.cat([part, part.new_zeros(1, most - part.shape[1], *part.shape[2:])], dim=1) for part in parts]
        return torch.cat(filled)


def number_words(number: int) -> str:
    """`number` in English words, 0 to 999; all that the processor needs of the package num2words."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    hundreds, rest = divmod(number, 100)
    return f"{_ONES[hundreds]} hundred" + (f" and {number_words(rest)}" if rest else "")


FAMILY = SmolVLM
