"""What a model needs in memory, by precision and by the frames of a clip, as lines of its card's details."""

from __future__ import annotations

from vvlm_desktop.backends.local_options import Precision
from vvlm_desktop.backends.model_memory import estimate, in_gib
from vvlm_desktop.backends.model_shape import ModelShape

_PRECISIONS: tuple[tuple[Precision, str], ...] = (
    ("bf16", "Full precision (bf16)"),
    ("int8", "Compressed (int8)"),
    ("nf4", "Compressed (NF4)"),
)
_FRAMES = (8, 16, 32)


def memory_lines(shape: ModelShape, *, frames: int) -> list[tuple[str, str]]:
    """One line for each precision: memory at the peak with a few numbers of frames, the one in force among them."""
    counts = sorted({*_FRAMES, frames})
    return [
        (
            words,
            " · ".join(
                f"{count} frames {in_gib(estimate(shape, precision=precision, frames=count).total_bytes)}"
                for count in counts
            ),
        )
        for precision, words in _PRECISIONS
    ]
