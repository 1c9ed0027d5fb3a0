"""The config in Trainer's own words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.preflight import Prepared
    from training.run_folder import RunFolder
    from vvlm_desktop.backends.local.loading import LoadedModel
    from vvlm_desktop.backends.train_config import TrainConfig


def trainer_arguments(config: TrainConfig, run: RunFolder, prepared: Prepared, loaded: LoadedModel) -> Any:
    """Trainer's arguments; one step is one line of events."""
    from transformers import TrainingArguments

    every = max(1, _steps_per_epoch(config, prepared))
    best = bool(config.early_stopping and prepared.val)
    arguments = TrainingArguments(
        output_dir=str(run.checkpoints_dir),
        num_train_epochs=config.epochs,
        max_steps=config.steps or -1,
        per_device_train_batch_size=config.batch,
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type={"constant": "constant_with_warmup"}.get(config.schedule, config.schedule),
        warmup_steps=round(config.warmup * total_steps(config, prepared)),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        activation_checkpointing=config.checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if config.checkpointing else None,
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if prepared.val else "no",
        eval_steps=config.eval_every or every,
        save_strategy="steps",
        save_steps=config.save_every or every,
        save_total_limit=config.keep_checkpoints,
        load_best_model_at_end=best,
        metric_for_best_model="eval_loss" if best else None,
        greater_is_better=False if best else None,
        average_tokens_across_devices=True,
        prediction_loss_only=True,
        remove_unused_columns=False,
        label_names=["labels"],
        ddp_find_unused_parameters=False,  # all that learns is used in every step
        dataloader_num_workers=0,
        dataloader_pin_memory=loaded.device.type == "cuda",
        use_cpu=loaded.device.type == "cpu",
        seed=config.seed,
        report_to=[],
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        # One process, one GPU: Trainer would copy the model to all that it finds.
        arguments._n_gpu = 1
    return arguments


def total_steps(config: TrainConfig, prepared: Prepared) -> int:
    """Steps of the whole run."""
    return config.steps or max(1, -int(-config.epochs * _steps_per_epoch(config, prepared) // 1))


def _steps_per_epoch(config: TrainConfig, prepared: Prepared) -> int:
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    batches = -(-len(prepared.train) // (config.batch * processes))
    return max(1, -(-batches // config.accumulation))
