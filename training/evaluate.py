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

from typing_extensions import override

from training.failures import explained
from training.run_folder import RunFolder
from training.scores import Said, paired, score
from training.setting_up import make_rows, take_gpu
from training.training_set import Example, TrainingSet, read_training_set
from vvlm_desktop.backends.adapter_folder import adapter_sha256, examine_adapter
from vvlm_desktop.backends.atomic_file import write_atomically
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import ClipUnreadableError, FormatError, JobCancelledError, StorageFullError, UsageError

if TYPE_CHECKING:
    from training.clip_rows import ClipRows
    from vvlm_desktop.backends.gpu_slot import GpuSlot
    from vvlm_desktop.backends.local.loading import LoadedModel

METRICS_FILE = "metrics.json"
ANSWERS_FILE = "answers.jsonl"


class EvaluationFolder(RunFolder):
    """The folder of one evaluation: claimed, told and stopped as a run's is; finished with its metrics."""

    _what, _who = "This evaluation", "The evaluation"

    @property
    @override
    def finished(self) -> bool:
        """Whether its metrics are there."""
        return (self.path / METRICS_FILE).is_file()

    @override
    def _refuse_finished(self) -> None:
        if self.finished:
            raise UsageError(
                f"{self.path} holds an evaluation already, and none is ever overwritten.",
                hint="Name another folder, or none: then it gets the next number.",
            )


def make_folder(run_path: Path, split: str) -> Path:
    """A new folder `evaluation-SPLIT`, `evaluation-SPLIT-2` … in a run's folder; a second look stays visible.

    Raises:
        StorageFullError: nothing can be written there.
    """
    number = 1
    while True:
        folder = run_path / (f"evaluation-{split}" + (f"-{number}" if number > 1 else ""))
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise StorageFullError(
                f"The folder {folder} cannot be made: {error.strerror or error}.", hint="Name another one: --out FOLDER"
            ) from error
        else:
            return folder


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
    notes = EvaluationFolder(out)
    notes.claim()
    slot: GpuSlot | None = None
    try:
        notes.tell_interruption()
        notes.tell("started", pid=os.getpid(), split=split, answerers=["base", *adapters])
        slot = take_gpu(config, purpose=f"evaluation of {config.name or Path(config.run_dir).name or out.name}")
        with notes.stopping_on_signals():
            metrics = _evaluate(config, split=split, adapters=adapters, notes=notes)
        notes.tell("finished")
        return metrics
    except JobCancelledError:
        notes.tell("stopped")
        return None
    except Exception as error:  # the edge of the process: told in the folder, then raised again
        notes.tell_failure(error)
        plain = explained(error)
        if plain is None or plain is error:
            raise
        raise plain from error
    finally:
        if slot is not None:
            slot.release()
        notes.let_go()


def _evaluate(config: TrainConfig, *, split: str, adapters: Mapping[str, Path], notes: RunFolder) -> dict[str, Any]:
    from vvlm_desktop.backends.local.loading import load_model

    training_set = read_training_set(
        Path(config.train_set), schema_key=config.schema_key, include_samples=config.include_samples
    )
    examples = training_set.split(split)
    if not examples:
        raise FormatError(
            f"The set has no clip in its part {split}.", hint="Review clips of more recordings; parts are by recording."
        )
    loaded = load_model(Path(config.model_dir).expanduser(), precision=config.precision, device=config.device)
    # Rows are made anew: an adapter may bring its own projector, so features behind it could not be shared.
    rows = make_rows(config.model_copy(update={"cache": False}), loaded, training_set)
    weights = {name: {"weights_sha256": _weights_sha256(folder)} for name, folder in adapters.items()}
    said, unreadable = _answers(loaded, training_set, examples, rows, adapters=adapters, notes=notes)
    # A clip whose file is gone is as little answered as one that does not decode; no test gets smaller in silence.
    unreadable = {**training_set.missing.get(split, {}), **unreadable}
    # Promotion asks whether the weights that are there are still those that answered.
    metrics = _metrics(training_set, said, split=split, unreadable=unreadable, config=config) | {"adapters": weights}
    write_atomically(notes.path / ANSWERS_FILE, "".join(_lines(said)))
    text = json.dumps(metrics, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(notes.path / METRICS_FILE, text)
    return metrics


def _weights_sha256(folder: Path) -> str:
    examine_adapter(folder)  # says in plain words where it is none
    return adapter_sha256(folder)


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


def named_adapters(texts: Sequence[str], *, own: Path) -> dict[str, Path]:
    """Name and folder of each adapter that was asked for.

    Args:
        texts: each NAME=FOLDER, or FOLDER, which then has the name that it calls itself.
        own: the run's adapter, taken where none was asked for and it is there.

    Raises:
        UsageError: a folder that is not there, or a name that is empty, taken, or the base's.
    """
    pairs = [_named(text) for text in texts] or ([(adapter_name(own), own)] if own.is_dir() else [])
    found: dict[str, Path] = {}
    for name, folder in pairs:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.", hint="An adapter is given as FOLDER or NAME=FOLDER.")
        if name in {"base", ""} or name in found:
            told = "is taken" if name in found else "is the base's" if name else "is empty"
            raise UsageError(
                f"The adapter in {folder} cannot be called “{name}”: that name {told}.",
                hint=f"Give it another one: --adapter NAME={folder}",
            )
        found[name] = folder
    return found


def _named(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    plain = Path(text).expanduser()
    if not equals or plain.is_dir():
        return adapter_name(plain), plain
    return name.strip(), Path(folder).expanduser()


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
