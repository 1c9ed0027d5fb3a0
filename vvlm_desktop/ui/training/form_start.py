"""Where a run's values start from on this computer, and what it will need; an estimate until the check has measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vvlm_desktop.backends.model_memory import CONTEXT_BYTES, in_gib
from vvlm_desktop.backends.model_shape import ModelShape
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.backends.training_memory import estimate_training
from vvlm_desktop.workflow.gpu import Hardware, duration_in_words, processor_seconds_per_clip
from vvlm_desktop.workflow.run_planning import Suggestion

PRESET_TITLES: Mapping[str, str] = {
    "none": "None",
    "8gb": "GPU with 8 GB",
    "16gb": "GPU with 16 GB",
    "24gb": "GPU with 24 GB",
    "80gb": "GPU with 80 GB",
}
#: Backward goes twice as far as forward, and forward is done again where activations are not kept.
_PASSES, _PASSES_CHECKPOINTED = 3, 4


@dataclass(frozen=True, slots=True)
class Start:
    """Values that a run starts from, and why."""

    preset: str
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)


def start_of(suggestion: Suggestion, *, frames: int) -> Start:
    """Values that suit a model on this computer; as many frames as analyses use, or it learns from other pictures."""
    values = {key: value for key, value in suggestion.values.items() if key != "preset"}
    return Start(str(suggestion.values.get("preset", "none")), suggestion.sentence, {"frames": frames, **values})


def start_of_preset(preset: str, *, on: Hardware) -> Start:
    """Another preset, chosen by hand."""
    gpu = on.gpu
    if preset == "none":
        return Start(preset, "The program's own start values, for no computer in particular.")
    has = f"This computer's GPU, {gpu.name}, has {in_gib(gpu.total_bytes)}." if gpu is not None else on.problem
    made_for = PRESET_TITLES.get(preset, preset).removeprefix("GPU with ")
    return Start(preset, f"Made for {made_for} and a model of 8 billion parameters. {has}".strip())


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run needs, in a sentence; `fits` is None where nobody can tell."""

    sentence: str
    fits: bool | None


def needs(shape: ModelShape | None, config: TrainConfig, *, on: Hardware, clips: int) -> Needs:
    """What training `clips` clips would need, before anything is measured."""
    if shape is None:
        return Needs("Nobody can tell how much memory this model needs; the check measures it.", None)
    gpu = on.gpu if config.device != "cpu" else None
    context_bytes = CONTEXT_BYTES if gpu is not None else 0
    need = estimate_training(shape, config, context_bytes=context_bytes).total_bytes
    free = gpu.available_bytes if gpu is not None else on.memory_free_bytes
    place = f"{in_gib(free)} are free on the GPU" if gpu is not None else f"{in_gib(free)} of memory are free"
    said = f"About {in_gib(need)} of memory; {place}."
    if gpu is None:
        said += (
            f" On the processor at least {duration_in_words(_processor_seconds(shape, config, on=on, clips=clips))}."
        )
    if need > free:
        said += " Take a smaller preset, fewer frames, a smaller rank or a smaller model."
    return Needs(f"{said} An estimate: the check measures it.", need <= free)


def _processor_seconds(shape: ModelShape, config: TrainConfig, *, on: Hardware, clips: int) -> float:
    once = processor_seconds_per_clip(shape, frames=config.frames, cores=on.cores)
    seen = config.steps * config.batch * config.accumulation if config.steps else config.epochs * clips
    return once * seen * (_PASSES_CHECKPOINTED if config.checkpointing else _PASSES)
