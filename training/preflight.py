"""Before hours are spent: every clip decodes, every answer fits, and one real step on the longest clip."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training.answers import IGNORED, Target, target_text, tokenize_target
from training.clip_rows import ClipRow, ClipRows
from training.training_set import Example, TrainingSet, class_counts
from vvlm_desktop.errors import ClipMissingError, ClipUnreadableError, FormatError, SettingsError, StorageFullError

if TYPE_CHECKING:
    from training.batches import Pair, Sample
    from training.pairs import PairTarget
    from vvlm_desktop.backends.train_config import TrainConfig

_NAMES_SHOWN = 5
#: What a checkpoint takes beside the adapter: the optimiser's two numbers for each of its own.
_CHECKPOINT_BYTES = 4 * 3
#: For events, the log and what else is written beside them.
_SPARE_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is ready to be trained on.

    Attributes:
        train, val: clips that decode.
        targets: the taught answer of each, by the clip's id.
        longest: the training clip with the most tokens.
        unreadable: name and reason of clips that do not decode and were left out.
    """

    train: tuple[Example, ...]
    val: tuple[Example, ...]
    targets: Mapping[str, Target]
    longest: Example
    unreadable: Mapping[str, str]
    facts: Mapping[str, Any]


def make_targets(
    training_set: TrainingSet, tokenizer: Any, *, limit: int, pairs: Mapping[str, PairTarget] | None = None
) -> dict[str, Target]:
    """The taught answers.

    Args:
        pairs: with the answers that are not to be given, which must fit as well.

    Raises:
        FormatError: some are longer than `limit` tokens; it names them.
    """
    targets = {
        example.clip_id: tokenize_target(tokenizer, target_text(training_set.schema, example.known))
        for example in training_set.examples
    }
    long = {each.name: _tokens(targets, pairs, each) for each in training_set.examples}
    long = {name: tokens for name, tokens in long.items() if tokens > limit}
    if long:
        told = ", ".join(f"{name} ({tokens})" for name, tokens in list(long.items())[:_NAMES_SHOWN])
        more = f" and {len(long) - _NAMES_SHOWN} more" if len(long) > _NAMES_SHOWN else ""
        raise FormatError(
            f"Answers longer than max_answer_tokens={limit}: {told}{more}. They would have to be cut, which is never"
            " done.",
            hint=f"Set max_answer_tokens={max(long.values())}, or shorten the texts.",
        )
    return targets


def _tokens(targets: Mapping[str, Target], pairs: Mapping[str, PairTarget] | None, example: Example) -> int:
    """Of the longer one of the answers about a clip."""
    both = (pairs or {}).get(example.clip_id)
    return max(len(targets[example.clip_id].ids), len(both.rejected.ids) if both is not None else 0)


def prepare(
    training_set: TrainingSet,
    rows: ClipRows,
    targets: Mapping[str, Target],
    *,
    pairs: Mapping[str, PairTarget] | None = None,
    progress: Callable[[int, int, str], None],
) -> Prepared:
    """Decode every clip of the training and validation splits once, and keep what the vision tower sees.

    Raises:
        FormatError: nothing is left to train on.
    """
    wanted = (*training_set.split("train"), *training_set.split("val"))
    unreadable: dict[str, str] = {}
    lengths: dict[str, int] = {}
    began_s = time.monotonic()
    for number, example in enumerate(wanted):
        progress(number, len(wanted), example.name)
        try:
            row = rows.row(example)
        except (ClipUnreadableError, ClipMissingError) as error:
            unreadable[example.name] = str(error)
            continue
        if not lengths:
            _require_room(rows, row, clips=len(wanted))
        lengths[example.clip_id] = row.tokens + _tokens(targets, pairs, example)
    good = [example for example in wanted if example.clip_id in lengths]
    train = tuple(example for example in good if example.split == "train")
    if not train:
        reasons = "; ".join(list(unreadable.values())[:_NAMES_SHOWN]) or "no reviewed clip is in its part for training"
        raise FormatError(f"There is nothing to train on: {reasons}.", hint="Review more clips, of other recordings.")
    longest = max(train, key=lambda example: lengths[example.clip_id])
    return Prepared(
        train=train,
        val=tuple(example for example in good if example.split == "val"),
        targets=targets,
        longest=longest,
        unreadable=unreadable,
        facts={
            "train": len(train),
            "val": len(good) - len(train),
            "test": len(training_set.split("test")),
            "pairs": len(train) if pairs is not None else None,
            "left_out": {reason: list(names) for reason, names in training_set.left_out.items()},
            "unreadable": dict(unreadable),
            "notes": [*training_set.notes, *_notes(rows, good)],
            "classes": class_counts(training_set),
            "longest": {"clip": longest.name, "tokens": lengths[longest.clip_id]},
            "answer_tokens": max(_tokens(targets, pairs, each) for each in good),
            "features": {"made": rows.made, "found": rows.found, "seconds": round(time.monotonic() - began_s, 3)},
        },
    )


def _notes(rows: ClipRows, examples: Sequence[Example]) -> list[str]:
    """What goes another way than asked for."""
    notes, config = [], rows.config
    shown = [name for clip_id, name in rows.damaged.items() if any(each.clip_id == clip_id for each in examples)]
    if shown:
        notes.append(f"Damaged, and looked at where they can be: {', '.join(shown[:_NAMES_SHOWN])} ({len(shown)}).")
    unnamed = sum(not example.stored_pts for example in examples)
    if config.sampling == "stored" and unnamed:
        notes.append(f"The set names no frames for {unnamed} clips; theirs are spread evenly.")
    if all(example.split != "val" for example in examples):
        off = " Early stopping is off." if config.early_stopping else ""
        notes.append(f"The set has no clip for validation, so nothing is measured on unseen clips.{off}")
    return notes


def require_frames(config: TrainConfig, *, title: str, most: int) -> None:
    """Check that analyses can use as many frames as are trained.

    Raises:
        SettingsError: the family takes fewer.
    """
    if config.frames > most:
        raise SettingsError(
            f"{title} takes at most {most} frames, and frames is {config.frames}.", hint=f"frames={most}"
        )


def _require_room(rows: ClipRows, row: ClipRow, *, clips: int) -> None:
    """Check, after the first clip, that the features of all will fit.

    Raises:
        StorageFullError: says how much is needed.
    """
    if rows.store is None or not rows.made:
        return
    needed, free = row.size_bytes * clips, shutil.disk_usage(rows.store.folder).free
    if free < needed:
        raise StorageFullError(
            f"The features of {clips} clips need {_size(needed)}, and {_size(free)} are free.",
            hint="Free some space, or start it again with cache=false or another cache_dir.",
        )


def show_sample(tokenizer: Any, example: Example, row: ClipRow, target: Target) -> dict[str, Any]:
    """One sample as the model sees it: the end of its prompt, its answer, and which part of that carries loss."""
    learnt = [token if label != IGNORED else None for token, label in zip(target.ids, target.labels, strict=True)]
    marked, run = [], []
    for token in [*learnt, None]:
        if token is not None:
            run.append(int(token))
        elif run:
            marked.append(tokenizer.decode(run))
            run = []
    prompt = row.text["input_ids"][0]
    return {
        "clip": example.name,
        "prompt_tokens": len(prompt),
        "prompt_end": tokenizer.decode(prompt[-200:]),
        "answer": tokenizer.decode(target.ids),
        "answer_tokens": len(target.ids),
        "learnt": marked,
        "learnt_tokens": int((target.labels != IGNORED).sum()),
    }


def require_disk(config: TrainConfig, *, run_path: Any, trainable: int) -> None:
    """Check that checkpoints will fit.

    Raises:
        StorageFullError: says how much is needed.
    """
    needed = 2 * trainable * _CHECKPOINT_BYTES * (config.keep_checkpoints + 1) + _SPARE_BYTES
    free = shutil.disk_usage(run_path).free
    if free < needed:
        less = " or start it again with keep_checkpoints=1" if config.keep_checkpoints > 1 else ""
        raise StorageFullError(
            f"{_size(free)} are free where the run is kept; its checkpoints need {_size(needed)}.",
            hint=f"Free some space{',' if less else ''}{less}; a run with a smaller rank needs less.",
        )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def measure_step(
    model: Any, base: Any, samples: Sequence[Sample | Pair], collate: Callable[..., dict[str, Any]], config: TrainConfig
) -> dict[str, Any]:
    """One real step on the longest clip: forward, backward, optimiser; afterwards everything is as it was before.

    Returns:
        Seconds of a batch and of a whole step, and the peak of memory; the loss for the curious.
    """
    import torch

    from training.objectives import batch_loss
    from training.tuning import to_device

    device = next(model.parameters()).device
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    before = [parameter.detach().to("cpu", copy=True) for parameter in trained]
    chance = torch.random.get_rng_state(), _gpu_state(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    began_s = time.monotonic()
    was_training = model.training
    model.train()
    try:
        batch = to_device(collate(samples), device)
        found = batch_loss(model, base, batch, config)
        loss = found.total / found.count
        torch.autograd.backward(loss)
        torch.optim.AdamW(trained, lr=config.learning_rate).step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds = time.monotonic() - began_s
    finally:
        model.train(was_training)
        with torch.no_grad():
            for parameter, value in zip(trained, before, strict=True):
                parameter.copy_(value)
                parameter.grad = None
        torch.random.set_rng_state(chance[0])
        if chance[1] is not None:
            torch.cuda.set_rng_state(chance[1], device)
    memory = int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else None
    return {
        "batch_s": round(seconds, 4),
        "step_s": round(seconds * config.accumulation, 3),
        "memory_bytes": memory,
        "memory_of_bytes": int(torch.cuda.get_device_properties(device).total_memory) if memory is not None else None,
        "loss": float(loss.detach()),
        "tokens": int(batch["input_ids"].numel()),
    }


def _gpu_state(device: Any) -> Any:
    import torch

    return torch.cuda.get_rng_state(device) if device.type == "cuda" else None
