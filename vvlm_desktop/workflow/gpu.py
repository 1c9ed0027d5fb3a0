"""What this computer has for models: GPUs and their free memory, its own memory, who is using it; no torch."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Literal, TypeAlias

import psutil

from vvlm_desktop import paths
from vvlm_desktop.backends.gpu_slot import GpuSlot, Holder
from vvlm_desktop.backends.local_options import Precision
from vvlm_desktop.backends.model_memory import (
    ANSWER_TOKENS,
    Fit,
    best_fit,
    estimate,
    frames_in_words,
    in_gib,
    prompt_and_frames_tokens,
)
from vvlm_desktop.backends.model_shape import ModelShape

Badge: TypeAlias = Literal["fits", "tight", "too_big", "processor"]

#: Weights read, checked and put into form; a cold disk is slower.
_DISK_BYTES_PER_S = 5e8
#: Of one processor core, in matrix products of the size that models have; measured at 100 with AVX-512, 25 with AVX2.
_CORE_OPERATIONS_PER_S = 25e9
#: Of a computer's main memory, of which each word of an answer reads all weights once.
_MEMORY_BYTES_PER_S = 15e9


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes:
        index: the N of `cuda:N`.
        ours_bytes: held by this program's own workers, which let go of one model before they load another.
    """

    index: int
    name: str
    total_bytes: int
    free_bytes: int
    ours_bytes: int = 0

    @property
    def available_bytes(self) -> int:
        """What the next model can have."""
        return self.free_bytes + self.ours_bytes


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a model can run on now.

    Attributes:
        driver: version of the NVIDIA driver, empty where there is none.
        cuda: the newest CUDA that this driver can run ("12.8"), empty where there is none.
        problem: why there is no GPU, as a sentence; empty where there is one.
        mend: what to do about it; empty where nothing needs to be done.
        holder: who has the GPU slot.
    """

    gpus: tuple[Gpu, ...]
    driver: str
    cuda: str
    problem: str
    mend: str
    memory_free_bytes: int
    memory_total_bytes: int
    cores: int
    holder: Holder | None = None

    @property
    def gpu(self) -> Gpu | None:
        """The one that the device `auto` means: the first."""
        return self.gpus[0] if self.gpus else None


@dataclass(frozen=True, slots=True)
class FitsNow:
    """Whether a model fits now, in one word and in one sentence.

    Attributes:
        badge: `fits` as asked; `tight` with other weights or fewer frames; `too_big`; `processor` without a GPU.
        precision, frames: what it would be loaded with.
        seconds_per_clip: only an order of magnitude, and only known for a processor.
    """

    badge: Badge
    sentence: str
    precision: Precision | None
    frames: int
    need_bytes: int
    seconds_per_clip: float | None = None


def hardware() -> Hardware:
    """Look at this computer; a few milliseconds, and never an error."""
    gpus, driver, cuda, problem, mend = _ask_driver()
    memory = psutil.virtual_memory()
    return Hardware(
        gpus=gpus,
        driver=driver,
        cuda=cuda,
        problem=problem,
        mend=mend,
        memory_free_bytes=memory.available,
        memory_total_bytes=memory.total,
        cores=psutil.cpu_count(logical=False) or psutil.cpu_count() or 1,
        holder=_holder(),
    )


def fits_now(shape: ModelShape, *, on: Hardware, frames: int, precision: Precision = "auto") -> FitsNow:
    """Whether a model of this shape fits now, with `frames` frames of one clip.

    Args:
        shape: of the model.
        on: what is free.
        frames: that a clip is looked at with.
        precision: `auto` takes the best that fits; anything else is taken as it is.
    """
    gpu = on.gpu
    if gpu is None:
        return _on_processor(shape, on=on, frames=frames, precision=precision)
    chosen: tuple[Precision, ...] = ("bf16", "int8", "nf4") if precision == "auto" else (precision,)
    fit = best_fit(
        shape, free_bytes=gpu.available_bytes, frames=frames, precisions=chosen, place=f"the GPU ({gpu.name})"
    )
    as_asked = fit.precision == chosen[0] and fit.frames == frames
    badge: Badge = ("fits" if as_asked else "tight") if fit.fits else "too_big"
    return FitsNow(badge, fit.sentence, fit.precision, fit.frames, fit.estimate.total_bytes)


def processor_seconds_per_clip(shape: ModelShape, *, frames: int, cores: int) -> float:
    """How long one clip takes on a processor: an order of magnitude, from operations and from memory's speed."""
    tokens = prompt_and_frames_tokens(shape, frames=frames)
    pictures = -(-frames // shape.vision.frames_together)
    tower = 2 * shape.vision.layers * (4 * shape.vision.hidden + 3 * shape.vision.mlp) * shape.vision.hidden
    operations = 2 * shape.linear_parameters * tokens + tower * shape.vision.tokens * pictures
    # About half of an answer's tokens follow from the form and are not computed one by one.
    reading = ANSWER_TOKENS / 2 * shape.linear_parameters * 4 / _MEMORY_BYTES_PER_S
    return operations / (_CORE_OPERATIONS_PER_S * cores) + reading


def loading_seconds(shape: ModelShape) -> float:
    """How long a model's weights take from the disk into this computer's memory: an order of magnitude."""
    return shape.parameters * 2 / _DISK_BYTES_PER_S


def _on_processor(shape: ModelShape, *, on: Hardware, frames: int, precision: Precision) -> FitsNow:
    chosen: tuple[Precision, ...] = ("fp32", "bf16") if precision == "auto" else (precision,)
    fit: Fit = best_fit(
        shape,
        free_bytes=on.memory_free_bytes,
        frames=frames,
        precisions=chosen,
        context_bytes=0,
        place="this computer's memory",
    )
    if not fit.fits:
        need = estimate(shape, precision=chosen[-1], frames=fit.frames, context_bytes=0).total_bytes
        sentence = (
            f"Too big for this computer without a GPU: it needs about {in_gib(need)} of memory, "
            f"{in_gib(on.memory_free_bytes)} are free."
        )
        return FitsNow("too_big", sentence, None, fit.frames, need)
    seconds = processor_seconds_per_clip(shape, frames=fit.frames, cores=on.cores)
    sentence = f"On the processor, {frames_in_words(fit.frames)}: roughly {duration_in_words(seconds)} a clip."
    return FitsNow("processor", sentence, fit.precision, fit.frames, fit.estimate.total_bytes, seconds)


def duration_in_words(seconds: float) -> str:
    """A rough duration as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"


def _holder() -> Holder | None:
    file = paths.gpu_slot_file()
    return GpuSlot(file).holder() if file.exists() else None


def _ask_driver() -> tuple[tuple[Gpu, ...], str, str, str, str]:
    """GPUs, driver, CUDA, and where there are none: why, and what to do."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        if shutil.which("nvidia-smi"):
            return (
                (),
                "",
                "",
                f"The NVIDIA driver does not answer: {error}.",
                "Install the NVIDIA driver, then restart.",
            )
        return (), "", "", "No NVIDIA GPU or driver was found.", ""
    try:
        gpus = tuple(_gpu(pynvml.nvmlDeviceGetHandleByIndex(n), n) for n in range(pynvml.nvmlDeviceGetCount()))
        driver = _text(pynvml.nvmlSystemGetDriverVersion())
        cuda = pynvml.nvmlSystemGetCudaDriverVersion_v2()
    except pynvml.NVMLError as error:
        return (), "", "", f"The NVIDIA driver does not answer: {error}.", "Restart the computer."
    finally:
        pynvml.nvmlShutdown()
    problem = "" if gpus else "The NVIDIA driver runs, but finds no GPU."
    return gpus, driver, f"{cuda // 1000}.{cuda % 1000 // 10}", problem, ""


def _gpu(handle: object, index: int) -> Gpu:
    import pynvml

    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    name = _text(pynvml.nvmlDeviceGetName(handle))
    return Gpu(index, name, int(memory.total), int(memory.free), _ours_bytes(handle))


def _ours_bytes(handle: object) -> int:
    """What this process and its children hold; 0 where the driver does not say (Windows, containers)."""
    import pynvml

    try:
        held = {each.pid: each.usedGpuMemory or 0 for each in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)}
    except pynvml.NVMLError:
        return 0
    if not held:
        return 0
    here = psutil.Process()
    ours = {here.pid, *(child.pid for child in here.children(recursive=True))}
    return sum(size for pid, size in held.items() if pid in ours)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
