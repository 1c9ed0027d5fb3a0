"""One fine-tune, from a config to an adapter; read it from top to bottom.

python -m training train --config run.toml preset=16gb
python -m training check --config run.toml                   everything before the first step, and nothing of it
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.failures import explained
from training.run_folder import RunFolder
from training.setting_up import Ready, measure_longest, set_up, take_gpu
from vvlm_desktop.backends.train_config import TrainConfig, save_config
from vvlm_desktop.errors import JobCancelledError, SettingsError

if TYPE_CHECKING:
    from training.callbacks import RunNotes
    from vvlm_desktop.backends.gpu_slot import GpuSlot

_COUNTER = "early_stopping_patience_counter"


def train(config: TrainConfig) -> bool:
    """Train, or go on from the last whole checkpoint; the run folder tells everything.

    Returns:
        False where the run was stopped before its end.

    Raises:
        VvlmError: in plain words; it is in the run folder, too.
    """
    return _in_run_folder(config, _train)


def check(config: TrainConfig) -> bool:
    """Do everything that `train` does before its first step, and write one batch as the model sees it into the folder.

    Returns:
        False where it was stopped.

    Raises:
        VvlmError: in plain words; it is in the run folder, too.
    """
    return _in_run_folder(config, _check)


def _in_run_folder(config: TrainConfig, work: Callable[[TrainConfig, RunFolder], bool]) -> bool:
    if not config.run_dir:
        raise SettingsError("There is no run folder.", hint="Name one: run_dir=…")
    run = RunFolder(Path(config.run_dir).expanduser(), quiet=int(os.environ.get("RANK", "0")) > 0)
    slot: GpuSlot | None = None
    run.claim()
    try:
        run.tell_interruption()
        if not run.quiet:
            save_config(config, run.config_file)
        run.tell("started", pid=os.getpid(), config=config.model_dump())
        slot = take_gpu(config, purpose=f"fine-tune {config.name or run.path.name}")
        with run.stopping_on_signals():
            return work(config, run)
    except JobCancelledError:
        run.tell("stopped", step=0)
        return False
    except Exception as error:  # the edge of the process: told in the run folder, then raised again
        run.tell_failure(error)
        plain = explained(error)
        if plain is None or plain is error:
            raise
        raise plain from error
    finally:
        if slot is not None:
            slot.release()
        run.let_go()


def _check(config: TrainConfig, run: RunFolder) -> bool:
    from training.checking import write_batch

    ready = set_up(config, run)
    clips = write_batch(ready, run.check_dir) if not run.quiet else 0
    measure_longest(ready, run)
    run.tell("checked", folder=run.check_dir.name, clips=clips)
    return True


def _train(config: TrainConfig, run: RunFolder) -> bool:
    """The step on the longest clip, the steps, the result; a linear recipe."""
    from training.adapter import base_name, make_card, write_adapter
    from training.arguments import trainer_arguments
    from training.callbacks import RunNotes
    from training.tuning import AnswerTrainer, known_warnings, set_seed

    ready = set_up(config, run)
    loaded, prepared = ready.loaded, ready.prepared
    notes = RunNotes(run, identity=ready.identity, answer_validation=_validation(ready))
    patience = _early_stopping(ready)
    with known_warnings():
        arguments = trainer_arguments(config, run, prepared, loaded)
        trainer = AnswerTrainer(
            config=config,
            base=loaded.model,
            frozen=_frozen(ready),
            model=ready.tuned,
            args=arguments,
            samples=ready.train,
            eval_dataset=ready.val if len(ready.val) else None,
            data_collator=ready.collate,
            callbacks=[notes, *patience],
        )
        trainer.remove_callback(_printer())
        checkpoint = _last_checkpoint(run, ready.identity)
        _wait_no_longer_than_before(patience, checkpoint)
        measure_longest(ready, run)
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
    card = make_card(
        config,
        name=config.name or run.path.resolve().name,
        loaded=loaded,
        training_set=ready.training_set,
        metrics=metrics,
        steps=trainer.state.global_step,
    )
    write_adapter(run.adapter_dir, ready.tuned, card=card, base_name=base_name(config, loaded))
    run.tell("finished", step=trainer.state.global_step, adapter="adapter", metrics=metrics)
    return True


# --- parts ----------------------------------------------------------------------------------------------------------


def _frozen(ready: Ready) -> list[Any]:
    """Parts of the model that rest; a projector that is trained may lie inside one of them."""
    family = ready.loaded.family
    names = [*family.vision_modules, *(() if ready.config.projector else family.projector_modules)]
    return [ready.loaded.model.get_submodule(name) for name in names]


def _early_stopping(ready: Ready) -> list[Any]:
    from transformers import EarlyStoppingCallback

    patience = ready.config.early_stopping
    return [EarlyStoppingCallback(early_stopping_patience=patience)] if patience and ready.prepared.val else []


def _wait_no_longer_than_before(patience: list[Any], checkpoint: Path | None) -> None:
    """Let early stopping count on from a checkpoint; Trainer would begin to count anew."""
    if not patience or checkpoint is None:
        return
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    kept = state.get("stateful_callbacks", {}).get("EarlyStoppingCallback", {})
    patience[0].early_stopping_patience_counter = int(kept.get("attributes", {}).get(_COUNTER, 0))


def _printer() -> Any:
    from transformers import PrinterCallback

    return PrinterCallback


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


def _validation(ready: Ready) -> Callable[[], Mapping[str, Any] | None]:
    """Answers of the adapter as it is now, scored; None where that is not wanted."""

    def answered() -> Mapping[str, Any] | None:
        from training.answering import answer
        from training.scores import score

        chosen, schema = ready.prepared.val[: ready.config.eval_clips], ready.training_set.schema
        if not chosen:
            return None
        return score(schema, [answer(ready.loaded, schema, each, ready.rows.row(each)) for each in chosen])

    return answered


def _is_new(trainer: Any, notes: RunNotes) -> bool:
    """Whether the weights have changed since the last evaluation."""
    return bool(notes.evaluated_step != trainer.state.global_step)


def _last_loss(trainer: Any) -> float | None:
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return losses[-1] if losses else None
