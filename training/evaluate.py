"""Base and adapter on the same clips and frames, from one loaded model, exactly as analyses answer.

python -m training evaluate --config run.toml --split test
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.failures import explained
from training.run_folder import RunFolder
from training.scores import Said, paired, score
from training.training_set import Example, TrainingSet, read_training_set
from vvlm_desktop.backends.atomic_file import write_atomically
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import ClipUnreadableError, FormatError, JobCancelledError, UsageError

if TYPE_CHECKING:
    from training.clip_rows import ClipRows
    from vvlm_desktop.backends.gpu_slot import GpuSlot
    from vvlm_desktop.backends.local.loading import LoadedModel

METRICS_FILE = "metrics.json"
ANSWERS_FILE = "answers.jsonl"


def evaluate(config: TrainConfig, *, split: str, adapters: Mapping[str, Path], out: Path) -> dict[str, Any] | None:
    """Answer every clip of a split with the base and with each adapter.

    Args:
        split: train, val or test.
        adapters: name and folder of each.
        out: gets `metrics.json`, `answers.jsonl`, and `events.jsonl` as it goes on; a file `stop` in it ends it.

    Returns:
        What is in `metrics.json`; None where it was stopped.

    Raises:
        VvlmError: in plain words; also told in `out`.
    """
    from training.train import take_gpu

    notes = RunFolder(out)
    notes.open()
    slot: GpuSlot | None = None
    try:
        notes.tell("started", pid=os.getpid(), split=split, answerers=["base", *adapters])
        slot = take_gpu(config, purpose="evaluation")
        with notes.stopping_on_signals():
            metrics = _evaluate(config, split=split, adapters=adapters, notes=notes)
        notes.tell("finished")
        return metrics
    except JobCancelledError:
        notes.tell("stopped")
        return None
    except Exception as error:
        plain = explained(error)
        notes.tell("failed", message=str(plain or error), hint=plain.hint if plain is not None else "")
        if plain is None or plain is error:
            raise
        raise plain from error
    finally:
        if slot is not None:
            slot.release()


def _evaluate(config: TrainConfig, *, split: str, adapters: Mapping[str, Path], notes: RunFolder) -> dict[str, Any]:
    from training.train import make_rows
    from vvlm_desktop.backends.local.loading import load_model

    training_set = read_training_set(
        Path(config.train_set), schema_key=config.schema_key, include_samples=config.include_samples
    )
    examples = training_set.split(split)
    if not examples:
        raise FormatError(
            f"The set has no clip in its part {split}.", hint="Review clips of more recordings; parts are by recording."
        )
    if "base" in adapters:
        raise UsageError("An adapter cannot be called base.")
    loaded = load_model(Path(config.model_dir).expanduser(), precision=config.precision, device=config.device)
    # Rows are made anew: an adapter may bring its own projector, so features behind it could not be shared.
    rows = make_rows(config.model_copy(update={"cache": False}), loaded, training_set)
    said, unreadable = _answers(loaded, training_set, examples, rows, adapters=adapters, notes=notes)
    metrics = _metrics(training_set, said, split=split, unreadable=unreadable, config=config)
    write_atomically(notes.path / ANSWERS_FILE, "".join(_lines(said)))
    text = json.dumps(metrics, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(notes.path / METRICS_FILE, text)
    return metrics


def _answers(
    loaded: LoadedModel,
    training_set: TrainingSet,
    examples: Sequence[Example],
    rows: ClipRows,
    *,
    adapters: Mapping[str, Path],
    notes: RunFolder,
) -> tuple[dict[str, list[Said]], dict[str, str]]:
    """Answers by name of the answerer; clip by clip, so that each is decoded once."""
    from training.answering import answer

    said: dict[str, list[Said]] = {name: [] for name in ("base", *adapters)}
    unreadable: dict[str, str] = {}
    for number, example in enumerate(examples):
        if notes.stop_requested:
            raise JobCancelledError("Stopped.")
        notes.tell("answering", done=number, clips=len(examples), clip=example.name)
        try:
            row = rows.row(example)
        except ClipUnreadableError as error:
            unreadable[example.name] = str(error)
            continue
        for name, answers in said.items():
            loaded.use_adapter(None if name == "base" else name, adapters.get(name))
            answers.append(answer(loaded, training_set.schema, example, row))
    if not said["base"]:
        raise FormatError("No clip of this part can be read.", hint="; ".join(list(unreadable.values())[:3]))
    return said, unreadable


def _metrics(
    training_set: TrainingSet,
    said: Mapping[str, Sequence[Said]],
    *,
    split: str,
    unreadable: Mapping[str, str],
    config: TrainConfig,
) -> dict[str, Any]:
    schema = training_set.schema
    others = [name for name in said if name != "base"]
    return {
        "v": 1,
        "created_at": utc_now(),
        "split": split,
        "training_set": {"name": training_set.folder.name, "fingerprint": training_set.fingerprint},
        "schema": {"key": schema.key, "labels_sha": schema.labels_sha, "wording_sha": schema.wording_sha},
        "frames": config.frames,
        "precision": config.precision,
        "unreadable": dict(unreadable),
        "scores": {name: score(schema, answers) for name, answers in said.items()},
        "paired": {name: paired(schema, said["base"], said[name]) for name in others},
    }


def _lines(said: Mapping[str, Sequence[Said]]) -> list[str]:
    return [
        json.dumps({"answerer": name, **asdict(each)}, ensure_ascii=False, allow_nan=False) + "\n"
        for name, answers in said.items()
        for each in answers
    ]


def adapter_name(folder: Path) -> str:
    """What an adapter calls itself, else its folder's name."""
    try:
        name = json.loads((folder / "card.json").read_text(encoding="utf-8"))["name"]
    except (OSError, ValueError, KeyError, TypeError):
        name = ""
    return str(name or folder.resolve().name)


def plain_summary(metrics: Mapping[str, Any]) -> str:
    """A few lines for a terminal."""
    lines = []
    for name, scores in metrics["scores"].items():
        lines.append(f"{name}: {scores['clips']} clips, valid JSON {scores['valid_json']['value']:.0%}")
        lines += [f"  {key:<28} {each['score']:.3f}" for key, each in scores["fields"].items()]
    return "\n".join(lines)
