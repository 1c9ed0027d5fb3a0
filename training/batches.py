"""Clips with their answers as batches: the prompt on the left, the answer after it, labels for the answer alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from training.answers import IGNORED, Target
from training.clip_rows import ClipRow, ClipRows
from training.features import Tensors, join_features
from training.pairs import PairTarget
from training.training_set import Example
from vvlm_desktop.backends.local.families.base import Family, pad_id

if TYPE_CHECKING:
    from vvlm_desktop.backends.local.loading import LoadedModel


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One clip with the answer that it is to be given."""

    row: ClipRow
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One clip with the answer that is right and the one that the model had given.

    Attributes:
        target: the right answer with all that a person knows, for those who also recite it.
        chosen, rejected: both answers, labelled in judged values alone.
        reference: log-probabilities of the two under the starting policy.
    """

    name: str
    row: ClipRow
    target: Target
    chosen: Target
    rejected: Target
    reference: tuple[float, float] = (0.0, 0.0)


class Samples(Dataset["Sample | Pair"]):
    """The clips of a split, in a fixed order; as pairs where `pairs` are given."""

    def __init__(
        self,
        examples: Sequence[Example],
        targets: Mapping[str, Target],
        rows: ClipRows,
        *,
        pairs: Mapping[str, PairTarget] | None = None,
    ) -> None:
        self.examples = examples
        self.reference: Mapping[str, tuple[float, float]] = {}
        self._targets = targets
        self._rows = rows
        self._pairs = pairs

    @property
    def weights(self) -> list[float]:
        """How often each clip is to be drawn, compared with others."""
        return [example.weight for example in self.examples]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Sample | Pair:
        return self.of(self.examples[index])

    def of(self, example: Example) -> Sample | Pair:
        """The sample of a clip."""
        return (
            Sample(self._rows.row(example), self._targets[example.clip_id])
            if self._pairs is None
            else self.pair(example)
        )

    def pair(self, example: Example) -> Pair:
        """The pair of a clip, where this is about pairs."""
        both = self.targets_of(example)
        return Pair(
            name=example.name,
            row=self._rows.row(example),
            target=self._targets[example.clip_id],
            chosen=both.chosen,
            rejected=both.rejected,
            reference=self.reference.get(example.clip_id, (0.0, 0.0)),
        )

    def targets_of(self, example: Example) -> PairTarget:
        """Both answers about a clip."""
        if self._pairs is None:
            raise ValueError("these samples are not pairs")
        return self._pairs[example.clip_id]


class WeightedOrder(Sampler[int]):
    """Draws clips by weight, with replacement; the same in every process, and again after a resume."""

    def __init__(self, weights: Sequence[float], *, seed: int) -> None:
        self._weights = torch.tensor(weights, dtype=torch.double)
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Another order for another epoch; the loader says which."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._weights)

    def __iter__(self) -> Iterator[int]:
        chance = torch.Generator().manual_seed(self._seed + 1_000_003 * self._epoch)
        drawn = torch.multinomial(self._weights, len(self._weights), replacement=True, generator=chance)
        yield from drawn.tolist()


class Collator:
    """Makes a batch of samples.

    A batch holds the model's text inputs padded on the left; `labels`, shape [rows, answer + 1], of the last columns
    alone, -100 where no loss is taken; and `pictures`, see `features`. Of pairs it holds the right answers, then the
    wrong ones; `reference`, shape [rows]; and `supervised`, labels of the right answers with all that is known.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._family: Family = loaded.family
        self._pad_id = pad_id(loaded.processor)

    def __call__(self, samples: Sequence[Sample | Pair]) -> dict[str, Any]:
        """The batch; tensors on the processor."""
        pairs = [sample for sample in samples if isinstance(sample, Pair)]
        if not pairs:
            return self._batch([(sample.row, sample.target) for sample in samples])
        both = [(pair.row, pair.chosen) for pair in pairs] + [(pair.row, pair.rejected) for pair in pairs]
        batch = self._batch(both)
        width = batch["labels"].shape[1]
        batch["reference"] = torch.tensor([pair.reference[side] for side in (0, 1) for pair in pairs])
        batch["supervised"] = torch.stack([_on_the_right(pair.target.labels, width) for pair in pairs])
        return batch

    def _batch(self, answered: Sequence[tuple[ClipRow, Target]]) -> dict[str, Any]:
        rows = [with_answer(row.text, target.ids) for row, target in answered]
        batch: dict[str, Any] = dict(self._family.collate(rows, pad_id=self._pad_id))
        if not any(name.endswith("grid_thw") for name in batch):
            # As at inference: padding is no position. Qwen counts its three-dimensional positions itself.
            batch["position_ids"] = (batch["attention_mask"].cumsum(1) - 1).clamp(min=0)
        width = 1 + max(len(target.ids) for _, target in answered)
        batch["labels"] = torch.stack([_on_the_right(target.labels, width) for _, target in answered])
        batch["pictures"] = join_features([row.pictures for row, _ in answered], family=self._family)
        return batch


def with_answer(text: Tensors, ids: Tensor) -> Tensors:
    """A prompt with the answer's tokens behind it; what has one entry a token says "text" for them."""
    shape = text["input_ids"].shape
    tail = ids[None]
    longer = {
        name: torch.cat([value, torch.zeros_like(tail, dtype=value.dtype)], 1)
        for name, value in text.items()
        if value.shape == shape
    }
    longer["input_ids"] = torch.cat([text["input_ids"], tail], 1)
    longer["attention_mask"] = torch.cat([text["attention_mask"], torch.ones_like(tail)], 1)
    return {**text, **longer}


def _on_the_right(labels: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(labels, (width - len(labels), 0), value=IGNORED)
