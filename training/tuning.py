"""The adapter on the loaded base, and Trainer with our own loss."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from typing_extensions import override

from training.answers import IGNORED
from training.batches import Samples, WeightedOrder
from training.objectives import batch_loss
from training.starting import examine_start, load_start
from vvlm_desktop.backends.local.loading import transformers_package
from vvlm_desktop.errors import BackendError

transformers_package()  # offline, and beside whatever torchvision there is

from transformers import Trainer, set_seed  # noqa: E402

__all__ = ["AnswerTrainer", "known_warnings", "not_a_number", "put_adapter_on", "set_seed", "to_device"]

if TYPE_CHECKING:
    from vvlm_desktop.backends.local.loading import LoadedModel
    from vvlm_desktop.backends.train_config import TrainConfig


@contextmanager
def known_warnings() -> Iterator[None]:
    """Let through what is known and harmless."""
    with warnings.catch_warnings():
        # WORKAROUND peft 0.21 reads an attribute that transformers 5.23 renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        # The loader of a processor-only build says that there is no memory to pin.
        warnings.filterwarnings("ignore", "'pin_memory' argument is set as true", UserWarning)
        yield


def put_adapter_on(loaded: LoadedModel, config: TrainConfig) -> Any:
    """An adapter on the base, whose own weights rest; the adapter's numbers are fp32 whatever the base's are.

    It is fresh, or has the weights of `start_from`. `prepare_model_for_kbit_training` is not used: it casts far more to
    fp32 than is needed.

    Raises:
        BackendError: no layer fits `targets`.
        ModelFolderError: `start_from` is no adapter, or one of another base.
        SettingsError: `start_from` has another size or other layers than the config.
    """
    from peft import LoraConfig, get_peft_model

    start = examine_start(loaded.folder, loaded.family, config)

    torch.manual_seed(config.seed)
    saved = [name.rpartition(".")[2] for name in loaded.family.projector_modules] if config.projector else None
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=config.targets or loaded.family.lora_targets,
        modules_to_save=saved,
        task_type="CAUSAL_LM",
    )
    try:
        with known_warnings():
            tuned = get_peft_model(loaded.model, lora)
    except ValueError as error:
        raise BackendError(
            f"The adapter does not fit {loaded.folder.name}: {str(error).splitlines()[0]}",
            hint="Leave targets empty to train the language model's linear layers.",
        ) from error
    if config.checkpointing:
        # Here, not only by Trainer: the step on the longest clip must be like all others.
        loaded.model.activation_checkpointing_enable({"use_reentrant": False})
    for name in saved or ():
        _train_in_fp32(loaded.model, name)
    if start is not None:
        load_start(tuned, start)
    return tuned


def _train_in_fp32(model: Any, name: str) -> None:
    """Let a projector learn in fp32 between parts that work in less; steps of bf16 are too coarse to add up."""
    dtype = model.dtype
    for path, module in model.named_modules():
        if not path.endswith(f".{name}.modules_to_save.default") or dtype == torch.float32:
            continue
        module.float()
        module.register_forward_pre_hook(lambda _, given: tuple(_cast(each, torch.float32) for each in given))
        module.register_forward_hook(lambda _, __, output: _cast(output, dtype))


def _cast(value: Any, dtype: torch.dtype) -> Any:
    return value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value


def to_device(batch: Mapping[str, Any], device: Any) -> dict[str, Any]:
    """A batch with all its tensors on a device."""
    return {
        name: to_device(each, device) if isinstance(each, Mapping) else each.to(device) for name, each in batch.items()
    }


class AnswerTrainer(Trainer):
    """Trainer whose loss is the mean over all answer tokens (or pairs) of a step, however they fall into batches."""

    def __init__(self, *, config: TrainConfig, base: Any, frozen: list[Any], samples: Samples, **given: Any) -> None:
        super().__init__(train_dataset=samples, **given)
        self._config = config
        self._margins: list[Tensor] = []
        self._weights = samples.weights
        self._base = base
        self._frozen = frozen
        # Tells Trainer to count a step's labels, which it then hands to `compute_loss`.
        self.model_accepts_loss_kwargs = True

    @override
    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Loss of one batch as its part of the whole step's.

        Raises:
            BackendError: the loss is not a number any more.
        """
        for module in self._frozen:
            module.eval()  # what rests must not drop out either, or cached features would differ
        found = batch_loss(model, self._base, to_device(inputs, self._base.device), self._config)
        if not model.training:
            num_items_in_batch = None  # clip by clip, so that the number of processes changes nothing
        elif found.margins is not None:
            self._margins.append(found.margins)
        count = found.count if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
        loss = found.total / count.to(found.total.device)
        if not torch.isfinite(loss):
            raise not_a_number(self.state.global_step)
        if num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        loss = loss.to(self.args.device)  # Trainer always takes the first GPU for its own
        return (loss, {}) if return_outputs else loss

    @override
    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
        """Pairs where those are learnt from, else answer tokens."""
        if batch_samples and "reference" in batch_samples[0]:
            # One label for each pair; the first column is left out by Trainer, as in real labels.
            batch_samples = [
                {"labels": torch.tensor([[IGNORED, 0]]).expand(len(batch["supervised"]), 2)} for batch in batch_samples
            ]
        return super()._get_num_items_in_batch(batch_samples, device)

    @override
    def _clip_grad_norm(self, model: Any) -> Any:
        """Refuse a step that would write what is no number into every weight, and then into a checkpoint.

        Raises:
            BackendError: a gradient is not a number any more.
        """
        norm: Any = super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]  # transformers has no types here
        if not torch.isfinite(torch.as_tensor(norm)):
            raise not_a_number(self.state.global_step)
        return norm

    @override
    def log(self, logs: dict[str, float], *given: Any, **named: Any) -> None:
        """Pairs also tell how far the right answer is ahead of the wrong one, and how often it is."""
        if "loss" in logs and self._margins:
            margins = torch.cat(self._margins)
            self._margins.clear()
            logs["margin"] = float(margins.mean())
            logs["preferred"] = float((margins > 0).float().mean())
        super().log(logs, *given, **named)

    @override
    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        """By weight where the set has weights, else every clip once an epoch."""
        if len(set(self._weights)) == 1:
            return super()._get_train_sampler(train_dataset)
        return WeightedOrder(self._weights, seed=self.args.seed)

    @override
    def _move_model_to_device(self, model: Any, device: Any) -> None:
        """It is there already; compressed weights must not be moved."""


def not_a_number(step: int) -> BackendError:
    """The failure when the loss explodes."""
    return BackendError(
        f"Training went astray after step {step}: the loss or its gradient is not a number any more.",
        hint="Begin a new run with half the learning_rate or a longer warmup; with"
        " start_from=RUN/checkpoints/checkpoint-N it goes on from the last good weights.",
    )
