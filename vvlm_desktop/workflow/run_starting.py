"""Starting and stopping a run."""

from __future__ import annotations

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.errors import UsageError
from vvlm_desktop.workflow.run_launch import ask_to_stop, launch
from vvlm_desktop.workflow.run_planning import arguments_of
from vvlm_desktop.workflow.run_shelf import Run


def start_run(run: Run, *, check_only: bool = False) -> None:
    """Train in a process of its own, which lives on when this program ends; also goes on with a stopped run.

    Args:
        check_only: every clip, one batch as the model sees it and one real step; then it ends in state "checked".

    Raises:
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
    launch(files, [verb, *arguments_of(run)], busy=f"{run.name} is being trained already.")


def stop_run(run: Run) -> None:
    """Ask it to make a checkpoint at the next step and to end; nothing happens where it is not being trained.

    Raises:
        StorageFullError: its folder cannot be written.
    """
    ask_to_stop(RunFiles(run.folder))
