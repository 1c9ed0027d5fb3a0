"""From a config to everything that a training needs: the set, the model, clips that decode, the adapter on the base."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.run_folder import RunFolder
from training.training_set import TrainingSet, only_corrected, read_training_set
from vvlm_desktop import paths
from vvlm_desktop.errors import JobCancelledError, SettingsError

if TYPE_CHECKING:
    from training.batches import Collator, Samples
    from training.clip_rows import ClipRows
    from training.preflight import Prepared
    from vvlm_desktop.backends.gpu_slot import GpuSlot
    from vvlm_desktop.backends.local.loading import LoadedModel
    from vvlm_desktop.backends.train_config import TrainConfig

#: How often the preparation of clips is told.
_TELL_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """What is ready for the first step.

    Attributes:
        tuned: the model with the adapter on it.
        trainable: how many numbers learn.
        identity: what a checkpoint belongs to.
    """

    config: TrainConfig
    loaded: LoadedModel
    training_set: TrainingSet
    rows: ClipRows
    prepared: Prepared
    tuned: Any
    trainable: int
    collate: Collator
    train: Samples
    val: Samples
    identity: Mapping[str, Any]


def set_up(config: TrainConfig, run: RunFolder) -> Ready:
    """Load, decode, put the adapter on, and tell the preflight; a linear recipe.

    Raises:
        VvlmError: in plain words.
    """
    from training.batches import Collator, Samples
    from training.pairs import pair_targets
    from training.preflight import make_targets, prepare, require_disk, require_frames, show_sample
    from training.starting import examine_start
    from training.tuning import put_adapter_on
    from vvlm_desktop.backends.local.families import family_for
    from vvlm_desktop.backends.local.loading import load_model
    from vvlm_desktop.backends.model_folder import examine_model

    _refuse_other_gpu(config)
    training_set = read_training_set(
        Path(config.train_set), schema_key=config.schema_key, include_samples=config.include_samples
    )
    if config.objective == "preference":
        training_set = only_corrected(training_set)
    base = examine_model(Path(config.model_dir).expanduser())
    if not base.is_adapter:  # what can be known before minutes are spent; the loader says what is wrong with others
        family = family_for(base.config, source=str(base.path))
        require_frames(config, title=family.title, most=family.max_frames)
        examine_start(base, family, config)
    loaded = load_model(base.path, precision=config.precision, device=device_of(config))
    pairs = None
    if config.objective == "preference":
        pairs = pair_targets(training_set.split("train"), training_set.schema, loaded.tokenizer)
    targets = make_targets(training_set, loaded.tokenizer, limit=config.max_answer_tokens, pairs=pairs)
    rows = make_rows(config, loaded, training_set)
    if rows.store is not None and not run.quiet:
        rows.store.shrink(int(config.cache_limit_gb * 1e9))
    prepared = prepare(training_set, rows, targets, pairs=pairs, progress=telling(run))
    tuned = put_adapter_on(loaded, config)
    trainable = sum(parameter.numel() for parameter in tuned.parameters() if parameter.requires_grad)
    require_disk(config, run_path=run.path, trainable=trainable)
    train = Samples(prepared.train, prepared.targets, rows, pairs=pairs)
    ready = Ready(
        config=config,
        loaded=loaded,
        training_set=training_set,
        rows=rows,
        prepared=prepared,
        tuned=tuned,
        trainable=trainable,
        collate=Collator(loaded),
        train=train,
        val=Samples(prepared.val, prepared.targets, rows),
        identity=_identity(config, training_set, prepared, base=rows.base_fingerprint),
    )
    run.tell(
        "preflight",
        **prepared.facts,
        trainable=trainable,
        sample=show_sample(
            loaded.tokenizer,
            prepared.longest,
            rows.row(prepared.longest),
            targets[prepared.longest.clip_id] if pairs is None else pairs[prepared.longest.clip_id].chosen,
        ),
    )
    if pairs is not None:
        _judge_by_starting_policy(ready, run)
    return ready


def _judge_by_starting_policy(ready: Ready, run: RunFolder) -> None:
    """Fill in how likely the starting policy finds both answers of every pair."""
    from training.pairs import reference_log_p

    samples, config = ready.train, ready.config
    start = f"{ready.rows.base_fingerprint} {ready.identity['start']} {ready.loaded.precision} {config.projector}"
    frames = f"{config.frames} {config.sampling} {config.fps}"
    samples.reference = reference_log_p(
        run.path,
        samples,
        model=ready.tuned,
        base=ready.loaded.model,
        collate=ready.collate,
        start=f"{start} {frames}",
        progress=telling(run),
        write=not run.quiet,
    )


def make_rows(config: TrainConfig, loaded: LoadedModel, training_set: TrainingSet) -> ClipRows:
    """Where the clips' rows come from."""
    from training.clip_rows import ClipRows
    from training.features import FeatureStore
    from vvlm_desktop.backends.model_folder import fingerprint

    folder = Path(config.cache_dir).expanduser() if config.cache_dir else paths.data_dir() / "features"
    return ClipRows(
        loaded=loaded,
        config=config,
        prompt=training_set.prompt,
        base_fingerprint=fingerprint(loaded.folder),
        store=FeatureStore(folder) if config.cache else None,
    )


def measure_longest(ready: Ready, run: RunFolder) -> None:
    """Do one real step on the longest clip, and tell what it took."""
    from training.arguments import total_steps
    from training.preflight import measure_step

    samples = [ready.train.of(ready.prepared.longest)] * ready.config.batch
    step = measure_step(ready.tuned, ready.loaded.model, samples, ready.collate, ready.config)
    steps = total_steps(ready.config, ready.prepared)
    run.tell("first_step", **step, steps=steps, whole_s=round(step["step_s"] * steps, 1))


def device_of(config: TrainConfig) -> str:
    """Each process of a training on several GPUs has its own."""
    rank = os.environ.get("LOCAL_RANK")
    return f"cuda:{rank}" if rank is not None and config.device == "auto" and _has_gpu() else config.device


def take_gpu(config: TrainConfig, *, purpose: str) -> GpuSlot | None:
    """The GPU's slot, if need be from a worker that has nothing to do; the first process of several takes it for all.

    Raises:
        BackendUnavailableError: somebody else has it; it says who.
    """
    from vvlm_desktop.backends.gpu_slot import PATIENCE_S
    from vvlm_desktop.backends.local.devices import choose_device, take_slot

    if choose_device(device_of(config)) == "cpu" or int(os.environ.get("RANK", "0")) > 0:
        return None
    return take_slot(str(paths.gpu_slot_file()), purpose=purpose, patience_s=PATIENCE_S)


def telling(run: RunFolder) -> Callable[[int, int, str], None]:
    """Tells the preparation of clips, not too often.

    Raises:
        JobCancelledError: somebody wants the run to stop.
    """
    last_s = [0.0]

    def tell(done: int, total: int, name: str) -> None:
        if run.stop_requested:
            raise JobCancelledError("Stopped before the first step.")
        if time.monotonic() - last_s[0] >= _TELL_EVERY_S:
            last_s[0] = time.monotonic()
            run.tell("preparing", done=done, clips=total, clip=name)

    return tell


def _refuse_other_gpu(config: TrainConfig) -> None:
    """Check that a compressed base is trained on the first GPU that this process sees; accelerate knows no other."""
    kind, _, number = config.device.partition(":")
    if config.is_qlora and kind == "cuda" and number not in {"", "0"}:
        raise SettingsError(
            f"A compressed base cannot be trained on {config.device}.",
            hint=f"Set CUDA_VISIBLE_DEVICES={number} and device=cuda:0.",
        )


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _identity(config: TrainConfig, training_set: TrainingSet, prepared: Prepared, *, base: str) -> dict[str, Any]:
    """What a checkpoint belongs to."""
    from training.starting import start_fingerprint

    return {
        **config.identity(),
        "base": base,
        "start": start_fingerprint(config),
        "set_fingerprint": training_set.fingerprint,
        "schema_wording": training_set.schema.wording_sha,
        "clips": [example.clip_id for example in prepared.train],
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
    }
