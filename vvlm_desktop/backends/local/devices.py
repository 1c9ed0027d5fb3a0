"""On what a local model runs, how much memory is free there, and who else has it."""

from __future__ import annotations

import gc
from pathlib import Path

import psutil
import torch

from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.errors import BackendUnavailableError

#: The window and the clips need memory too.
_LEFT_FOR_OTHERS_BYTES = 1 << 30
#: How long one try for the GPU takes; a job that was cancelled is noticed between tries.
slot_patience_s = 0.5


class GpuTakenError(BackendUnavailableError):
    """Somebody else has the GPU; it can be waited for."""


def choose_device(wanted: str) -> str:
    """`cpu` or `cuda:N` for `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        BackendUnavailableError: that GPU is not there, or cannot be used.
    """
    if wanted == "cpu":
        return "cpu"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda:0" if count else "cpu"
    name, _, number = wanted.partition(":")
    if name != "cuda" or not (number or "0").isdecimal():
        raise BackendUnavailableError(f"There is no device {wanted!r}.", hint="Known: auto, cpu, cuda:0, cuda:1, …")
    if int(number or 0) < count:
        return f"cuda:{int(number or 0)}"
    raise BackendUnavailableError(f"{wanted} cannot be used: {_why_not(count)}.", hint=_hint(count))


def _why_not(count: int) -> str:
    if count:
        return f"this computer has {'one GPU' if count == 1 else f'{count} GPUs'}, counted from cuda:0"
    if torch.version.cuda is None:
        return "the installed PyTorch is a build for processors only"
    return "PyTorch finds no GPU with a driver that fits it"


def _hint(count: int) -> str:
    if count:
        return "Choose another one, or “auto”."
    if torch.version.cuda is None:
        return "Install the build for CUDA; `vvlm doctor` shows the command. Or choose the processor, which is slow."
    return "Update the NVIDIA driver; `vvlm doctor` shows what it found. Or choose the processor, which is slow."


def free_bytes(device: str) -> int:
    """How much memory can be taken there now.

    Raises:
        BackendUnavailableError: the GPU's driver does not answer.
    """
    if not device.startswith("cuda"):
        return max(0, int(psutil.virtual_memory().available) - _LEFT_FOR_OTHERS_BYTES)
    try:
        free, _ = torch.cuda.mem_get_info(device)
    except RuntimeError as error:
        raise BackendUnavailableError(
            f"The GPU does not answer: {str(error).splitlines()[0]}.",
            hint="Start the computer again if it goes on; `vvlm doctor` shows what the driver says.",
        ) from error
    return int(free)


def let_go_of_memory() -> None:
    """Give back what nothing refers to any more, on every device."""
    gc.collect()
    if torch.cuda.is_available():  # a free call where the GPU was not used yet
        torch.cuda.empty_cache()


def take_slot(file: str, *, purpose: str, patience_s: float | None = None) -> GpuSlot | None:
    """The GPU's slot, taken, if need be from a worker that has nothing to do; None where nothing else can use it.

    Args:
        patience_s: how long this one try takes; None for `slot_patience_s`.

    Raises:
        GpuTakenError: somebody else has it; it says who, and since when.
    """
    if not file:
        return None
    slot = GpuSlot(Path(file))
    if slot.acquire_asking(purpose, patience_s=slot_patience_s if patience_s is None else patience_s):
        return slot
    holder = slot.holder()
    who = f"{holder.purpose} (process {holder.pid}, since {holder.since})" if holder is not None else "another program"
    raise GpuTakenError(
        f"The GPU is taken: {who}.",
        hint="Wait until that has ended, or close it. One model at a time fits, so the GPU is not shared.",
    )
