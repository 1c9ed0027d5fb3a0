"""Starting and stopping a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.backends.train_config import load_config
from vvlm_desktop.errors import SettingsError, UsageError
from vvlm_desktop.workflow.run_launch import ask_to_stop, launch
from vvlm_desktop.workflow.run_planning import arguments_of
from vvlm_desktop.workflow.run_shelf import Run

#: Values that change nothing of what is learnt: a run may go on with others.
FREE_TO_CHANGE = ("cache", "cache_dir", "cache_limit_gb", "keep_checkpoints", "eval_clips", "device")


def start_run(run: Run, *, check_only: bool = False, values: Mapping[str, Any] | None = None) -> None:
    """Train in a process of its own, which lives on when this program ends; also goes on with a stopped run.

    Args:
        check_only: every clip, one batch as the model sees it and one real step; then it ends in state "checked".
        values: as `changed` takes them.

    Raises:
        SettingsError: a value that is not allowed.
        UsageError: it is being trained already, or has finished.
        StorageFullError: its folder cannot be written.
        JobError: the process could not be started.
    """
    files = RunFiles(run.folder)
    if files.finished:
        raise UsageError(
            f"{run.name} has finished; its adapter is there.", hint="Make another run to train with other values."
        )
    verb = "check" if check_only else "train"
    launch(files, [verb, *arguments_of(run), *changed(run, values or {})], busy=f"{run.name} is being trained already.")


def changed(run: Run, values: Mapping[str, Any]) -> list[str]:
    """Arguments by which a run goes on with other values than it began with; only `FREE_TO_CHANGE` may be others.

    Raises:
        UsageError: a value on which depends what is learnt.
        SettingsError: a value that is not allowed.
    """
    fixed = [key for key in values if key not in FREE_TO_CHANGE]
    if fixed:
        raise UsageError(
            f"A run goes on with the values that it began with: {', '.join(fixed)} cannot be changed.",
            hint=f"These may be: {', '.join(FREE_TO_CHANGE)}. With other values, make another run.",
        )
    typed = dict(values)
    if typed.get("cache_dir"):  # the trainer stands in another folder
        typed["cache_dir"] = str(Path(str(typed["cache_dir"])).expanduser().absolute())
    pairs = [f"{key}={value}" for key, value in typed.items()]
    try:
        load_config(RunFiles(run.folder).config_file, pairs)
    except SettingsError as error:
        sentence = str(error).partition(": ")[2] or str(error)
        raise SettingsError(sentence, hint=error.hint.replace("python -m training", "vvlm")) from error
    return pairs


def stop_run(run: Run) -> None:
    """Ask it to make a checkpoint at the next step and to end; nothing happens where it is not being trained.

    Raises:
        StorageFullError: its folder cannot be written.
    """
    ask_to_stop(RunFiles(run.folder))
