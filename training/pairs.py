"""Pairs of answers about one clip, for learning by preference: what a person said, and what the model had said.

Both have the full form and the same values wherever nobody judged the model, so that they differ in truth alone. How
likely the starting policy finds each is computed once and kept in the run's folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.answers import Target, target_text, tokenize_target
from vvlm_desktop.backends.atomic_file import write_atomically

if TYPE_CHECKING:
    from training.batches import Collator, Pair, Samples
    from training.training_set import Example
    from vvlm_desktop.domain.schema import LabelSchema

REFERENCE_FILE = "reference.json"


@dataclass(frozen=True, slots=True, eq=False)
class PairTarget:
    """Both answers as tokens; only tokens of judged values are labelled."""

    chosen: Target
    rejected: Target


def pair_targets(examples: Sequence[Example], schema: LabelSchema, tokenizer: Any) -> dict[str, PairTarget]:
    """The two answers of every clip in which a model was corrected, by the clip's id."""
    return {each.clip_id: _pair_target(each, schema, tokenizer) for each in examples if each.rejected}


def _pair_target(example: Example, schema: LabelSchema, tokenizer: Any) -> PairTarget:
    judged = frozenset(example.rejected)
    wrong = {**example.known, **example.rejected}
    return PairTarget(
        tokenize_target(tokenizer, target_text(schema, example.known), judged=judged),
        tokenize_target(tokenizer, target_text(schema, wrong), judged=judged),
    )


def reference_log_p(
    run_path: Path,
    samples: Samples,
    *,
    model: Any,
    base: Any,
    collate: Collator,
    start: str,
    progress: Callable[[int, int, str], None],
    write: bool,
) -> dict[str, tuple[float, float]]:
    """Log-probabilities of the right and the wrong answer of each clip under the policy that training starts from.

    Args:
        samples: pairs, of which nothing is known yet.
        model: with its adapter as it is before the first step.
        start: what the starting policy is; what was kept for another one is not used.
        write: whether this process writes to the run's folder.
    """
    key = _key(samples, start)
    kept = _kept(run_path / REFERENCE_FILE, key)
    if kept is not None and set(kept) == {example.clip_id for example in samples.examples}:
        return kept
    found = {}
    was_training = model.training
    model.eval()
    try:
        for number, example in enumerate(samples.examples):
            progress(number, len(samples), example.name)
            found[example.clip_id] = _log_p(model, base, collate, samples.pair(example))
    finally:
        model.train(was_training)
    if write:
        write_atomically(run_path / REFERENCE_FILE, json.dumps({"key": key, "log_p": found}) + "\n")
    return found


def _log_p(model: Any, base: Any, collate: Collator, pair: Pair) -> tuple[float, float]:
    import torch

    from training.objectives import log_p_of_answers
    from training.tuning import to_device

    with torch.no_grad():
        right, wrong = log_p_of_answers(model, base, to_device(collate([pair]), base.device)).tolist()
    return right, wrong


def _key(samples: Samples, start: str) -> str:
    digest = hashlib.sha256(start.encode())
    for example in samples.examples:
        both = samples.targets_of(example)
        for target in (both.chosen, both.rejected):
            digest.update(f"{example.sha256} {target.ids.tolist()} {target.labels.tolist()}".encode())
    return digest.hexdigest()


def _kept(file: Path, key: str) -> dict[str, tuple[float, float]] | None:
    """What was computed before; None where that is absent, damaged, or of something else."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["key"] != key:
            return None
        return {clip_id: (float(right), float(wrong)) for clip_id, (right, wrong) in data["log_p"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
