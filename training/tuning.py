"""The adapter on the loaded base, and Trainer with our own loss: over the answer, logits for nothing else."""

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
from training.features import model_arguments
from vvlm_desktop.backends.local.loading import transformers_package
from vvlm_desktop.errors import BackendError

transformers_package()  # offline, and beside whatever torchvision there is

from transformers import Trainer  # noqa: E402

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
    """A fresh adapter on the base, whose own weights rest; the adapter's numbers are fp32 whatever the base's are.

    `prepare_model_for_kbit_training` is not used: it casts far more to fp32 than is needed.
    """
    from peft import LoraConfig, get_peft_model

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


def answer_loss(model: Any, base: Any, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Sum of the loss over the answers' tokens, and how many they are.

    Args:
        model: with the adapter, perhaps wrapped for several GPUs.
        base: transformers' model inside it.
        batch: as from `Collator`, on the model's device.
    """
    inputs = {name: value for name, value in batch.items() if name not in {"labels", "pictures"}}
    labels: Tensor = batch["labels"]
    output = model(
        **inputs, **model_arguments(base, batch["pictures"]), logits_to_keep=labels.shape[1], use_cache=False
    )
    logits = output.logits[:, :-1].float()
    wanted = labels[:, 1:]
    total = torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), wanted.reshape(-1), ignore_index=IGNORED, reduction="sum"
    )
    return total, (wanted != IGNORED).sum()


class AnswerTrainer(Trainer):
    """Trainer whose loss is the mean over all answer tokens of a step, however they fall into batches and GPUs."""

    def __init__(self, *, base: Any, frozen: list[Any], samples: Samples, **given: Any) -> None:
        super().__init__(train_dataset=samples, **given)
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
        total, count = answer_loss(model, self._base, to_device(inputs, self._base.device))
        if not model.training:
            num_items_in_batch = None  # clip by clip, so that the number of processes changes nothing
        loss = total / (count if num_items_in_batch is None else torch.as_tensor(num_items_in_batch).to(total.device))
        if not torch.isfinite(loss):
            raise not_a_number(self.state.global_step)
        if num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        loss = loss.to(self.args.device)  # Trainer always takes the first GPU for its own
        return (loss, {}) if return_outputs else loss

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
        f"Training went astray after step {step}: the loss is not a number any more.",
        hint="Go on from the last checkpoint in a new run with half the learning_rate, or a longer warmup.",
    )
