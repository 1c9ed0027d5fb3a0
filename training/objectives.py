"""What is made smaller: the loss over right answers, or over right ones against what the model had said (DPO).

Preference, for a pair of answers about one clip:

    margin = (log p(right) - log p(wrong)) - (the same two under the starting policy)
    loss   = -log sigmoid(beta * margin)

where log p is the sum over the tokens of judged values alone: what both answers share, such as keys, says nothing.

Source: Rafailov et al., Direct Preference Optimization, 2023, equation 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from training.answers import IGNORED
from training.features import model_arguments

if TYPE_CHECKING:
    from vvlm_desktop.backends.train_config import TrainConfig

#: In a batch, but not for the model.
_NOT_INPUTS = frozenset({"labels", "pictures", "reference", "supervised"})


@dataclass(frozen=True, slots=True, eq=False)
class BatchLoss:
    """Sum of the loss, and over how many things it is the sum: tokens of answers, or pairs.

    Attributes:
        margins: of each pair, without beta; None where right answers alone are learnt.
    """

    total: Tensor
    count: Tensor
    margins: Tensor | None = None


def batch_loss(model: Any, base: Any, batch: Mapping[str, Any], config: TrainConfig) -> BatchLoss:
    """Loss of a batch; what kind of batch it is says which.

    Args:
        model: with the adapter, perhaps wrapped for several GPUs.
        base: transformers' model inside it.
        batch: as from `Collator`, on the model's device.
    """
    if "reference" in batch:
        return preference_loss(model, base, batch, beta=config.beta, supervised_weight=config.supervised_weight)
    return BatchLoss(*answer_loss(model, base, batch))


def answer_loss(model: Any, base: Any, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Sum of the loss over the answers' tokens, and how many they are."""
    logits = _answer_logits(model, base, batch)
    wanted = batch["labels"][:, 1:]
    total = torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), wanted.reshape(-1), ignore_index=IGNORED, reduction="sum"
    )
    return total, (wanted != IGNORED).sum()


def preference_loss(
    model: Any, base: Any, batch: Mapping[str, Any], *, beta: float, supervised_weight: float
) -> BatchLoss:
    """Loss of pairs: rows are the right answers, then the wrong ones in the same order."""
    logits = _answer_logits(model, base, batch)
    right, wrong = sum_log_p(logits, batch["labels"]).chunk(2)
    right_before, wrong_before = batch["reference"].chunk(2)
    margins = (right - wrong) - (right_before - wrong_before)
    losses = -torch.nn.functional.logsigmoid(beta * margins)
    if supervised_weight:
        learnt = batch["supervised"]
        lengths = (learnt[:, 1:] != IGNORED).sum(1).clamp(min=1)
        losses = losses - supervised_weight * sum_log_p(logits[: len(learnt)], learnt) / lengths
    return BatchLoss(losses.sum(), torch.tensor(len(margins), device=losses.device), margins.detach())


def log_p_of_answers(model: Any, base: Any, batch: Mapping[str, Any]) -> Tensor:
    """Log-probability of each row's labelled tokens, shape [rows]."""
    return sum_log_p(_answer_logits(model, base, batch), batch["labels"])


def sum_log_p(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum over the labelled tokens of each row; `logits` [rows, answer, vocabulary], `labels` [rows, answer + 1]."""
    wanted = labels[:, 1:]
    each = torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), wanted.reshape(-1), ignore_index=IGNORED, reduction="none"
    )
    return -each.reshape(wanted.shape).sum(1)


def _answer_logits(model: Any, base: Any, batch: Mapping[str, Any]) -> Tensor:
    """Logits in fp32 for the answers' tokens alone, shape [rows, answer, vocabulary]."""
    inputs = {name: value for name, value in batch.items() if name not in _NOT_INPUTS}
    output = model(
        **inputs, **model_arguments(base, batch["pictures"]), logits_to_keep=batch["labels"].shape[1], use_cache=False
    )
    logits: Tensor = output.logits[:, :-1].float()
    return logits
