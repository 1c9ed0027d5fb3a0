"""The one model that is loaded: kept while requests want it, gone before another comes, the GPU held meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.backends.local import devices
from vvlm_desktop.backends.local.families import family_for
from vvlm_desktop.backends.local.families.base import Family
from vvlm_desktop.backends.local.loading import LoadedModel, load_model
from vvlm_desktop.backends.local.stepping_down import (
    FEWEST_FRAMES,
    HINT,
    Level,
    MemoryRanOutError,
    coarser_precision,
    nothing_left,
    with_memory_watched,
)
from vvlm_desktop.backends.local_options import ON_PROCESSOR, ON_PROCESSOR_BY_CHOICE, LocalOptions, Precision
from vvlm_desktop.backends.model_folder import ModelFolder, examine_model
from vvlm_desktop.backends.model_memory import CONTEXT_BYTES, Fit, best_fit
from vvlm_desktop.backends.model_shape import shape_of_config
from vvlm_desktop.errors import BackendUnavailableError, OutOfMemoryError

#: Whatever is asked for: the frames of all of them are held several times over.
MOST_AT_ONCE = 64
_CPU_PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
_GPU_PRECISIONS: tuple[Precision, ...] = ("bf16", "int8", "nf4")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is going to be used; made before its weights are read.

    Attributes:
        asked: the most that is tried: what the family takes, or the estimate has room for.
        ceiling: the most that is tried since memory ran out.
        batch: clips at once, by the estimate.
        batch_limit: the most that is tried since memory ran out.
        flags: sentences for every result.
    """

    options: LocalOptions
    folder: ModelFolder
    family: Family
    device: str
    asked: Level
    ceiling: Level
    batch: int
    flags: tuple[str, ...]
    batch_limit: int = MOST_AT_ONCE

    def batch_for(self, options: LocalOptions) -> int:
        """How many clips with these options are looked at in one pass."""
        return min(options.batch or self.batch, self.batch_limit)


class Resident:
    """Prepares, loads, steps down and unloads; one thread uses it."""

    def __init__(self) -> None:
        self.loads = 0
        self._plan: Plan | None = None
        self._loaded: LoadedModel | None = None
        self._slot: GpuSlot | None = None

    @property
    def plan(self) -> Plan:
        """Of the model that was prepared."""
        if self._plan is None:
            raise ValueError("nothing was prepared")
        return self._plan

    def serves(self, options: LocalOptions) -> bool:
        """Whether what is prepared is what these options want; adapters are switched, not loaded anew."""
        if self._plan is None:
            return False
        mine = self._plan.options
        same = Path(mine.model_dir) == Path(options.model_dir) and mine.gpu_slot == options.gpu_slot
        try:
            if not same or devices.choose_device(options.device) != self._plan.device:
                return False
        except BackendUnavailableError:
            return False  # `prepare` says why
        if options.precision == "auto" and mine.precision != "auto" and self._plan.folder.quantised is None:
            # Somebody insisted on coarser weights before; that is nobody else's choice.
            return self._plan.ceiling.precision == _precisions(options, self._plan.folder, device=self._plan.device)[0]
        return options.precision in {"auto", mine.precision, self._plan.ceiling.precision}

    def prepare(self, options: LocalOptions) -> Plan:
        """Make room, take the GPU, look at folder and memory, and decide how the model will be loaded.

        Raises:
            BackendUnavailableError: no such device, or somebody else has it.
            ModelFolderError: the folder cannot be used.
            OutOfMemoryError: it does not fit.
        """
        if self._plan is not None and self.serves(options):
            return self._plan
        self.unload()
        folder = examine_model(Path(options.model_dir))
        family = family_for(folder.config, source=f"{options.model} {folder.path.name}")
        device = devices.choose_device(options.device)
        if device != "cpu":
            purpose = f"the local model {options.model} of a window or command"
            self._slot = devices.take_slot(options.gpu_slot, purpose=purpose)
        try:
            if device != "cpu":  # what a pass that failed has left would be taken for somebody else's
                devices.let_go_of_memory()
            self._plan = self._planned(options, folder, family, device)
        except Exception:
            self._let_go_of_slot()
            raise
        return self._plan

    def _planned(self, options: LocalOptions, folder: ModelFolder, family: Family, device: str) -> Plan:
        wished = min(options.sampling.frames, family.max_frames)
        fit = _fit(options, folder, device=device, frames=wished)
        if fit.precision is None and options.precision == "auto":
            raise OutOfMemoryError(f"{options.model}: {fit.sentence}", hint=HINT)
        # A precision that somebody insists on is tried, whatever the estimate says.
        precision = fit.precision or _precisions(options, folder, device=device)[0]
        short = fit.precision is not None and fit.frames < wished
        level = Level(fit.frames if short else family.max_frames, None, precision)
        flags = []
        if folder.quantised is not None and options.precision not in {"auto", precision}:
            flags.append(f"The weights are compressed already ({precision}); {options.precision} was not used.")
        if device == "cpu":
            chosen = options.device == "cpu"
            flags.append(ON_PROCESSOR_BY_CHOICE if chosen else ON_PROCESSOR)
        batch = 1 if device == "cpu" else fit.batch
        return Plan(options, folder, family, device, level, level, batch, tuple(flags))

    def loaded(self) -> LoadedModel:
        """The model that was prepared, its weights read now where they were not.

        Raises:
            ModelFolderError: they cannot be read.
            OutOfMemoryError: they do not fit, also not coarser.
        """
        while self._loaded is None:
            plan = self.plan
            try:
                self._loaded = with_memory_watched(partial(self._load, plan))
            except MemoryRanOutError:
                devices.let_go_of_memory()  # of the part that did fit
                self.coarser()
            except Exception:
                self.unload()
                raise
        return self._loaded

    def _load(self, plan: Plan) -> LoadedModel:
        self.loads += 1
        return load_model(plan.folder.path, precision=plan.ceiling.precision, device=plan.device)

    @property
    def in_memory(self) -> LoadedModel | None:
        """The model, where its weights are in memory; for any thread."""
        return self._loaded

    def coarser(self) -> None:
        """Let go of the weights, and plan with the next coarser ones.

        Raises:
            OutOfMemoryError: there are none.
        """
        plan = self.plan
        self._drop_weights()
        precision = coarser_precision(plan.ceiling.precision, device=plan.device)
        if precision is None:
            self.unload()
            raise nothing_left(plan.options.model, plan.ceiling, device=plan.device)
        self._plan = replace(plan, ceiling=replace(plan.ceiling, precision=precision))

    def lower(self, *, batch: int | None = None, level: Level | None = None) -> Plan:
        """From now on so many clips at once, or no more of each than `level`; weights stay as they are."""
        plan = self.plan
        if batch is not None:
            plan = replace(plan, batch_limit=max(1, batch))
        if level is not None:
            frames = max(FEWEST_FRAMES, min(plan.ceiling.frames, level.frames))
            plan = replace(plan, ceiling=replace(plan.ceiling, frames=frames, side_px=level.side_px))
        self._plan = plan
        if plan.device != "cpu":  # the processor's allocator keeps nothing back
            devices.let_go_of_memory()
        return plan

    def try_all_again(self) -> None:
        """Forget with how many clips, frames and pixels memory ran out: another program may have had it then.

        Weights that were loaded coarser stay: reading them again would cost more than they take away.
        """
        if self._plan is not None:
            ceiling = replace(self._plan.asked, precision=self._plan.ceiling.precision)
            self._plan = replace(self._plan, ceiling=ceiling, batch_limit=MOST_AT_ONCE)

    @property
    def is_wanted(self) -> bool:
        """Whether somebody else waits for the GPU that is held here."""
        return self._slot is not None and self._slot.wanted

    def unload(self) -> None:
        """Let go of model, memory and GPU; harmless when there is none."""
        try:
            self._drop_weights()
        finally:  # also where the driver has failed
            self._plan = None
            self._let_go_of_slot()

    def _drop_weights(self) -> None:
        if self._loaded is not None:
            self._loaded = None
            devices.let_go_of_memory()

    def _let_go_of_slot(self) -> None:
        if self._slot is not None:
            self._slot.release()
            self._slot = None


def _fit(options: LocalOptions, folder: ModelFolder, *, device: str, frames: int) -> Fit:
    """What fits now: of the precision that was chosen, or of all that the device can do."""
    on_gpu = device != "cpu"
    return best_fit(
        shape_of_config(folder.config, parameters=folder.parameters),
        free_bytes=devices.free_bytes(device),
        frames=frames,
        precisions=_precisions(options, folder, device=device),
        context_bytes=CONTEXT_BYTES if on_gpu else 0,
        place="the GPU" if on_gpu else "this computer's memory",
    )


def _precisions(options: LocalOptions, folder: ModelFolder, *, device: str) -> tuple[Precision, ...]:
    """What may be chosen; weights that were compressed before stay as they are."""
    if folder.quantised is not None:
        return ("int8",) if folder.config.get("quantization_config", {}).get("load_in_8bit") else ("nf4",)
    if options.precision != "auto":
        return (options.precision,)
    return _CPU_PRECISIONS if device == "cpu" else _GPU_PRECISIONS
