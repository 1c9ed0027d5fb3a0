"""What to do when memory runs out: smaller batches, then fewer frames, then smaller pictures, then coarser weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch

from vvlm_desktop.errors import OutOfMemoryError

_Result = TypeVar("_Result")

#: Fewer frames show too little of a clip.
FEWEST_FRAMES = 4
#: Coarser and coarser. On a processor int8 is no smaller in practice than it is slow.
_COARSER: dict[str, tuple[str, ...]] = {"cuda": ("fp32", "bf16", "int8", "nf4"), "cpu": ("fp32", "bf16", "nf4")}
_PLAIN_RUNTIME_ERRORS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)

HINT = "Close other programs that use the memory, choose fewer frames or a smaller model, or let a server do it."


class MemoryRanOutError(Exception):
    """Memory ran out in a pass; never leaves this package: it becomes a step down, or an `OutOfMemoryError`."""


@dataclass(frozen=True, slots=True)
class Level:
    """How much of a clip is looked at, and with which weights.

    Attributes:
        frames: at most.
        side_px: square root of a picture's area, None for the family's own size.
    """

    frames: int
    side_px: int | None
    precision: str


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on whatever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # The processor's allocator, cuBLAS and drivers raise plain RuntimeErrors; torch has no class for them.
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _PLAIN_RUNTIME_ERRORS)


def with_memory_watched(work: Callable[[], _Result]) -> _Result:
    """What `work` returns; every way in which memory runs out becomes `MemoryRanOutError`, without its tensors."""
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        failed = str(error).splitlines()[0] if str(error) else type(error).__name__
    # Raised outside of the handler: the traceback of the first error holds every tensor of the pass.
    raise MemoryRanOutError(failed)


def step_down(
    level: Level, *, frames_seen: int, shown_px: tuple[int, int], sides: Sequence[int], device: str
) -> Level | None:
    """The next smaller level, None when nothing is left to give up.

    Args:
        frames_seen: how many frames the look that failed had; a short clip has fewer than its level allows.
        shown_px: width and height of its pictures; those of a small clip are small already.
        sides: square roots of the areas that the family can work with; empty where it has one size only.
        device: `cpu`, or `cuda:N`.
    """
    if frames_seen > FEWEST_FRAMES:
        return replace(level, frames=max(FEWEST_FRAMES, frames_seen // 2))
    smaller = [side for side in sides if side * side < shown_px[0] * shown_px[1] and side < (level.side_px or 1 << 30)]
    if smaller:
        return replace(level, side_px=max(smaller))
    coarser = coarser_precision(level.precision, device=device)
    return replace(level, precision=coarser) if coarser else None


def coarser_precision(precision: str, *, device: str) -> str | None:
    """The next coarser weights, None after the coarsest."""
    order = _COARSER["cuda" if device.startswith("cuda") else "cpu"]
    finer = order.index(precision) if precision in order else -1
    return order[finer + 1] if finer + 1 < len(order) else None


def told(first: Level, now: Level) -> tuple[str, ...]:
    """Sentences for the result that was had on a smaller level than asked for."""
    given_up = []
    if now.frames < first.frames:
        given_up.append(f"{now.frames} frames instead of {first.frames}")
    if now.side_px != first.side_px:
        given_up.append(f"smaller pictures ({now.side_px} × {now.side_px} px or as many in another form)")
    if now.precision != first.precision:
        given_up.append(f"weights as {now.precision} instead of {first.precision}")
    return (f"Memory ran out; this answer was had with {', '.join(given_up)}.",) if given_up else ()


def nothing_left(model: str, level: Level, *, device: str) -> OutOfMemoryError:
    """The error after the last step."""
    where = "the GPU's memory" if device.startswith("cuda") else "this computer's memory"
    return OutOfMemoryError(
        f"{model} does not fit into {where}, also not with {level.frames} frames and weights as {level.precision}.",
        hint=HINT,
    )
