"""One fine-tune, from a config to an adapter; read it from top to bottom.

python -m training train --config run.toml preset=16gb
accelerate launch -m training train --config run.toml        on several GPUs
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.failures import explained
from training.run_folder import RunFolder
from training.training_set import TrainingSet, read_training_set
from vvlm_desktop import paths
from vvlm_desktop.backends.train_config import TrainConfig, save_config
from vvlm_desktop.errors import JobCancelledError, SettingsError

if TYPE_CHECKING:
    from training.callbacks import RunNotes
    from training.clip_rows import ClipRows
    from training.preflight import Prepared
    from vvlm_desktop.backends.gpu_slot import GpuSlot
    from vvlm_desktop.backends.local.loading import LoadedModel

#: How often the preparation of clips is told.
_TELL_EVERY_S = 1.0


def train(config: TrainConfig) -> bool:
    """Train, or go on from the last whole checkpoint; the run folder tells everything.

    Returns:
        False where the run was stopped before its end.

    Raises:
        VvlmError: in plain words; it is in the run folder, too.
    """
    if not config.run_dir:
        raise SettingsError("There is no run folder.", hint="Name one: run_dir=…")
    run = RunFolder(Path(config.run_dir).expanduser(), quiet=int(os.environ.get("RANK", "0")) > 0)
    run.claim()
    slot: GpuSlot | None = None
    try:
        run.tell_interruption()
        save_config(config, run.config_file)
        run.tell("started", pid=os.getpid(), config=config.model_dump())
        slot = take_gpu(config, purpose=f"fine-tune {config.name or run.path.name}")
        with run.stopping_on_signals():
            return _train(config, run)
    except JobCancelledError:
        run.tell("stopped", step=0)
        return False
    except Exception as error:  # the edge of the process: told in the run folder, then raised again
        _tell_failure(run, error)
        plain = explained(error)
        if plain is None or plain is error:
            raise
        raise plain from error
    finally:
        if slot is not None:
            slot.release()
        run.let_go()


def _train(config: TrainConfig, run: RunFolder) -> bool:
    from training.preflight import make_targets, prepare, require_frames
    from vvlm_desktop.backends.local.loading import load_model

    _refuse_other_gpu(config)
    training_set = read_training_set(
        Path(config.train_set), schema_key=config.schema_key, include_samples=config.include_samples
    )
    loaded = load_model(Path(config.model_dir).expanduser(), precision=config.precision, device=_device(config))
    require_frames(config, title=loaded.family.title, most=loaded.family.max_frames)
    targets = make_targets(training_set, loaded.tokenizer, limit=config.max_answer_tokens)
    rows = make_rows(config, loaded, training_set)
    if rows.store is not None and not run.quiet:
        rows.store.shrink(int(config.cache_limit_gb * 1e9))
    prepared = prepare(training_set, rows, targets, progress=_telling(run))
    return _fit(config, run, loaded=loaded, training_set=training_set, rows=rows, prepared=prepared)


def _fit(
    config: TrainConfig,
    run: RunFolder,
    *,
    loaded: LoadedModel,
    training_set: TrainingSet,
    rows: ClipRows,
    prepared: Prepared,
) -> bool:
    """The adapter, the step on the longest clip, the steps, the result; a linear recipe."""
    from transformers import set_seed

    from training.adapter import base_name, make_card, write_adapter
    from training.arguments import total_steps, trainer_arguments
    from training.batches import Collator, Sample, Samples
    from training.callbacks import RunNotes
    from training.preflight import measure_step, require_disk, show_sample
    from training.tuning import AnswerTrainer, known_warnings, put_adapter_on

    tuned = put_adapter_on(loaded, config)
    trainable = sum(parameter.numel() for parameter in tuned.parameters() if parameter.requires_grad)
    require_disk(config, run_path=run.path, trainable=trainable)
    collate = Collator(loaded)
    train_samples = Samples(prepared.train, prepared.targets, rows)
    val_samples = Samples(prepared.val, prepared.targets, rows)
    identity = _identity(config, training_set, prepared)
    notes = RunNotes(
        run, identity=identity, answer_validation=_validation(config, loaded, training_set, prepared, rows)
    )
    with known_warnings():
        arguments = trainer_arguments(config, run, prepared, loaded)
        trainer = AnswerTrainer(
            base=loaded.model,
            frozen=_frozen(loaded, config),
            model=tuned,
            args=arguments,
            samples=train_samples,
            eval_dataset=val_samples if len(val_samples) else None,
            data_collator=collate,
            callbacks=[notes, *_early_stopping(config, prepared)],
        )
        trainer.remove_callback(_printer())
        longest = Sample(rows.row(prepared.longest), prepared.targets[prepared.longest.clip_id])
        run.tell(
            "preflight",
            **prepared.facts,
            trainable=trainable,
            sample=show_sample(loaded.tokenizer, prepared.longest, longest.row, longest.target),
        )
        checkpoint = _last_checkpoint(run, identity)
        step = measure_step(tuned, loaded.model, [longest] * config.batch, collate, config)
        steps = total_steps(config, prepared)
        run.tell("first_step", **step, steps=steps, whole_s=round(step["step_s"] * steps, 1))
        set_seed(config.seed)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
        stopped = notes.stopped and trainer.state.global_step < trainer.state.max_steps
        if prepared.val and not stopped and (arguments.load_best_model_at_end or _is_new(trainer, notes)):
            trainer.evaluate()
    if stopped:
        run.tell("stopped", step=trainer.state.global_step)
        return False
    if run.quiet:
        return True
    metrics = {"train_loss": _last_loss(trainer), **notes.validation}
    name = config.name or run.path.resolve().name
    card = make_card(
        config,
        name=name,
        loaded=loaded,
        training_set=training_set,
        metrics=metrics,
        steps=trainer.state.global_step,
    )
    write_adapter(run.adapter_dir, tuned, card=card, base_name=base_name(config, loaded))
    run.tell("finished", step=trainer.state.global_step, adapter="adapter", metrics=metrics)
    return True


# --- parts ----------------------------------------------------------------------------------------------------------


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


def _device(config: TrainConfig) -> str:
    """Each process of a training on several GPUs has its own."""
    rank = os.environ.get("LOCAL_RANK")
    return f"cuda:{rank}" if rank is not None and config.device == "auto" and _has_gpu() else config.device


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


def take_gpu(config: TrainConfig, *, purpose: str) -> GpuSlot | None:
    """The GPU's slot; the first process of several takes it for all.

    Raises:
        BackendUnavailableError: somebody else has it; it says who.
    """
    from vvlm_desktop.backends.local.devices import choose_device, take_slot

    if choose_device(_device(config)) == "cpu" or int(os.environ.get("RANK", "0")) > 0:
        return None
    return take_slot(str(paths.gpu_slot_file()), purpose=purpose)


def _frozen(loaded: LoadedModel, config: TrainConfig) -> list[Any]:
    """Parts of the model that rest; a projector that is trained may lie inside one of them."""
    names = [*loaded.family.vision_modules, *(() if config.projector else loaded.family.projector_modules)]
    return [loaded.model.get_submodule(name) for name in names]


def _early_stopping(config: TrainConfig, prepared: Prepared) -> list[Any]:
    from transformers import EarlyStoppingCallback

    wanted = config.early_stopping and prepared.val
    return [EarlyStoppingCallback(early_stopping_patience=config.early_stopping)] if wanted else []


def _printer() -> Any:
    from transformers import PrinterCallback

    return PrinterCallback


def _identity(config: TrainConfig, training_set: TrainingSet, prepared: Prepared) -> dict[str, Any]:
    """What a checkpoint belongs to."""
    return {
        **config.identity(),
        "set_fingerprint": training_set.fingerprint,
        "schema_wording": training_set.schema.wording_sha,
        "clips": [example.clip_id for example in prepared.train],
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
    }


def _last_checkpoint(run: RunFolder, identity: Mapping[str, Any]) -> Path | None:
    if not run.quiet:
        for name in run.discard_broken():
            run.tell("checkpoint_skipped", folder=f"checkpoints/{name}", reason="it was not written to its end")
    whole = run.checkpoints()
    if not whole:
        return None
    run.require_same(whole[-1], identity)
    run.tell("resumed", folder=f"checkpoints/{whole[-1].name}", step=int(whole[-1].name[11:]))
    return whole[-1]


def _validation(
    config: TrainConfig, loaded: LoadedModel, training_set: TrainingSet, prepared: Prepared, rows: ClipRows
) -> Callable[[], Mapping[str, Any] | None]:
    """Answers of the adapter as it is now, scored; None where that is not wanted."""

    def answered() -> Mapping[str, Any] | None:
        from training.answering import answer
        from training.scores import score

        chosen = prepared.val[: config.eval_clips]
        if not chosen:
            return None
        return score(
            training_set.schema, [answer(loaded, training_set.schema, each, rows.row(each)) for each in chosen]
        )

    return answered


def _is_new(trainer: Any, notes: RunNotes) -> bool:
    """Whether the weights have changed since the last evaluation."""
    return bool(notes.evaluated_step != trainer.state.global_step)


def _last_loss(trainer: Any) -> float | None:
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return losses[-1] if losses else None


def _telling(run: RunFolder) -> Callable[[int, int, str], None]:
    """Tells the preparation of clips, not too often."""
    last_s = [0.0]

    def tell(done: int, total: int, name: str) -> None:
        if run.stop_requested:
            raise JobCancelledError("Stopped before the first step.")
        if time.monotonic() - last_s[0] >= _TELL_EVERY_S:
            last_s[0] = time.monotonic()
            run.tell("preparing", done=done, clips=total, clip=name)

    return tell


def _tell_failure(run: RunFolder, error: Exception) -> None:
    """Tell why it failed; on a full disk even that may not be possible."""
    plain = explained(error)
    message, hint = (str(plain), plain.hint) if plain is not None else (f"{type(error).__name__}: {error}", "")
    if plain is None:
        hint = "This is a mistake of the program; please report it with the run folder's log."
    whole = run.checkpoints()
    try:
        run.tell(
            "failed",
            error=type(plain or error).__name__,
            message=message,
            hint=hint,
            checkpoint=f"checkpoints/{whole[-1].name}" if whole else None,
        )
    except OSError:
        return
