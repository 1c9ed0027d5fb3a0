"""Fine-tunes: runs in the library's folder, each in a folder of its own, trained by a process that outlives the window.

The window and the command line start, follow, stop and resume them here; `training` itself is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_shelf import TrainingSet

RUNS_FOLDER = "runs"


@dataclass(frozen=True, slots=True)
class Run:
    """A fine-tune of this library.

    Attributes:
        folder: `runs/NAME-NUMBER` in the library's folder.
        name: of the run and of the adapter that it makes, for example "march-001".
        created_at: when its folder was made.
    """

    folder: Path
    name: str
    config: TrainConfig
    created_at: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Answers of base and adapters about one part of a training set, scored.

    Attributes:
        folder: holds `metrics.json` and `answers.jsonl`, or `events.jsonl` alone until it has ended.
        metrics: as `training.evaluate` writes them; empty until it has ended.
    """

    folder: Path
    run: Run
    split: str
    metrics: Mapping[str, Any]

    @property
    def answerers(self) -> tuple[str, ...]:
        """`base` and the names of the adapters."""
        return tuple(self.metrics.get("scores", ()))


def plan_run(
    session: Session, training_set: TrainingSet, *, model: str | None = None, name: str = "", values: Mapping[str, Any]
) -> TrainConfig:
    """The config of a run that could be started; nothing is written yet.

    Args:
        model: as `models.find_model` takes it; None for the settings' one.
        name: of the adapter; empty for the training set's name. It gets a number.
        values: anything else that `TrainConfig` has; texts are read as numbers where numbers are wanted.

    Raises:
        UsageError: no such model.
        ModelFolderError: a model that cannot be trained, such as one whose weights are compressed.
        SettingsError: a value that is not allowed; it names it.
    """
    raise NotImplementedError


def create_run(session: Session, config: TrainConfig) -> Run:
    """Make its folder with `run.toml`; not started yet.

    Raises:
        StorageFullError: the folder cannot be written.
    """
    raise NotImplementedError


def start_run(run: Run, *, check_only: bool = False) -> None:
    """Train in a process of its own, which lives on when this program ends; also goes on with a stopped run.

    Args:
        check_only: every clip, one batch as the model sees it and one real step; then it ends in state "checked".

    Raises:
        UsageError: it is being trained already, or has finished.
        JobError: the process could not be started.
    """
    raise NotImplementedError


def stop_run(run: Run) -> None:
    """Ask it to make a checkpoint at the next step and to end."""
    raise NotImplementedError


def list_runs(session: Session) -> list[Run]:
    """All runs, the newest first; a folder that cannot be read is not listed, and logged."""
    raise NotImplementedError


def find_run(session: Session, text: str) -> Run:
    """A run by its name, a unique part of it, or its folder.

    Raises:
        UsageError: none fits, or several.
    """
    raise NotImplementedError


def remove_run(session: Session, run: Run) -> None:
    """Delete its folder; an adapter that was taken to the models stays there.

    Raises:
        UsageError: it is being trained.
    """
    raise NotImplementedError


def command_of(run: Run | TrainConfig, *, check_only: bool = False) -> str:
    """The exact command for a terminal, quoted for the shell of this system."""
    raise NotImplementedError


def log_tail(run: Run, *, lines: int = 200) -> str:
    """The end of what the process wrote, without control characters."""
    raise NotImplementedError


def adopt_finished(session: Session) -> list[str]:
    """Take the adapters of finished runs to the models, so that Analyse and Compare can use them; names of new ones."""
    raise NotImplementedError


def start_evaluation(
    session: Session, run: Run, *, split: str = "test", adapters: Mapping[str, Path] | None = None
) -> Evaluation:
    """Answer a part of the run's training set with the base, the run's adapter, and those of `adapters`.

    In a process of its own; `EvaluationFollower` tells how far it is. Where the default in use is another adapter of
    the same base it answers too, so that promotion compares with it.

    Raises:
        UsageError: the run has no adapter, or one is being measured.
    """
    raise NotImplementedError


def evaluations(run: Run) -> list[Evaluation]:
    """All that ended well, the newest first."""
    raise NotImplementedError


def runs_apart(runs: Sequence[Run]) -> list[tuple[str, tuple[str, ...]]]:
    """Values of the config in which runs differ: title, and each run's value in words; for side by side."""
    raise NotImplementedError
