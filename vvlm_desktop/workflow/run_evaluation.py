"""Measuring a run: base and adapters answer the same clips, in a process of its own that is followed by its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from vvlm_desktop.backends.run_folder import RunFiles, last_failure
from vvlm_desktop.errors import ModelFolderError, UsageError
from vvlm_desktop.workflow.adapters import adapter_named, find_adapter
from vvlm_desktop.workflow.evaluation_files import METRICS_FILE
from vvlm_desktop.workflow.model_shelf import find_model
from vvlm_desktop.workflow.run_adoption import card_identity
from vvlm_desktop.workflow.run_events import Event, EventTail, last_error, last_words, text, whole
from vvlm_desktop.workflow.run_launch import Watch, ask_to_stop, cannot_write, launch, launched, working
from vvlm_desktop.workflow.run_planning import arguments_of
from vvlm_desktop.workflow.run_shelf import (
    EVALUATION_PREFIX,
    Evaluation,
    Run,
    evaluation_folders,
    read_evaluation,
)
from vvlm_desktop.workflow.session import Session

EvaluationState: TypeAlias = Literal[
    "starting", "answering", "stopping", "finished", "stopped", "failed", "interrupted"
]
SPLITS = ("test", "val", "train")


@dataclass(frozen=True, slots=True)
class EvaluationProgress:
    """How far an evaluation is; `message` and `hint` say why it failed or broke off."""

    state: EvaluationState = "starting"
    done: int = 0
    clips: int = 0
    clip: str = ""
    message: str = ""
    hint: str = ""

    @property
    def live(self) -> bool:
        """Whether a process works on it."""
        return self.state in {"starting", "answering", "stopping"}


class EvaluationFollower:
    """Follows an evaluation's folder, as `RunFollower` does a run's."""

    def __init__(self, folder: Path, *, look_every_s: float = 0.5) -> None:
        self.files = RunFiles(folder)
        self.progress = EvaluationProgress()
        self._told = EvaluationProgress()
        self._tail = EventTail(self.files)
        self._watch = Watch(self.files, every_s=look_every_s)

    def poll(self) -> EvaluationProgress:
        """Read what was told since."""
        self._watch.look()
        events = self._tail.new_events()
        if self._tail.begun_anew:
            self._told = EvaluationProgress()
        for event in events:
            self._told = _folded(self._told, event)
        self.progress = self._with_process(self._told)
        return self.progress

    def _with_process(self, told: EvaluationProgress) -> EvaluationProgress:
        if not told.live:
            return told
        if self._watch.alive:
            return replace(told, state="stopping") if self.files.stop_file.exists() else told
        if (self.files.path / METRICS_FILE).is_file():  # killed between its numbers and its last word
            return replace(told, state="finished", done=told.clips, clip="")
        begun = self._watch.launched
        after = begun.log_bytes if begun is not None else 0
        failure = last_failure(self.files.log_file, after=after) if begun is not None else None
        if failure is not None:
            return replace(told, state="failed", message=text(failure[0]), hint=text(failure[1]))
        if told.state == "starting" and not self._tail.position:
            words = last_words(self.files.log_file, after=after)
            message = f"The evaluation could not begin: {words}" if words else "The evaluation was not begun."
            return replace(told, state="failed", message=message, hint=f"More in {self.files.log_file}.")
        words = last_error(self.files.log_file, after=after)
        ended = f" Its log ends with: {words}" if words else ""
        return replace(
            told,
            state="interrupted",
            message=f"The evaluation ended without a word: it was killed, or the computer went off.{ended}",
            hint="Start it again; it begins anew.",
        )


def _folded(told: EvaluationProgress, event: Event) -> EvaluationProgress:
    kind = event.get("kind")
    if kind == "started":
        return EvaluationProgress()
    if kind == "answering":
        clips = whole(event.get("clips"))
        done = min(whole(event.get("done")), clips)
        return replace(told, state="answering", done=done, clips=clips, clip=text(event.get("clip")))
    if kind == "finished":
        return replace(told, state="finished", done=told.clips, clip="")
    if kind == "stopped":
        return replace(told, state="stopped", clip="")
    if kind in ("failed", "interrupted"):
        message = text(event.get("message")) or "The evaluation failed and did not say why."
        return replace(told, state=kind, message=message, hint=text(event.get("hint")))
    return told


def start_evaluation(
    session: Session, run: Run, *, split: str = "test", adapters: Mapping[str, Path] | None = None
) -> Evaluation:
    """Answer a part of the run's training set with the base, the run's adapter, and those of `adapters`.

    In a process of its own; `EvaluationFollower` tells how far it is. Where the default in use is another adapter of
    the same base it answers too, so that promotion compares with it.

    Raises:
        UsageError: the run has no adapter, or one is being measured.
        StorageFullError: the run's folder cannot be written.
        JobError: the process could not be started.
    """
    if split not in SPLITS:
        raise UsageError(f"A training set has no part “{split}”.", hint=f"Parts: {', '.join(SPLITS)}.")
    if not RunFiles(run.folder).finished:
        raise UsageError(f"{run.name} has no adapter yet.", hint="It is there when the run has finished.")
    if live_evaluation(run) is not None:
        raise UsageError(f"{run.name} is being measured already.", hint="Wait until that has ended.")
    wanted = answerers_of(session, run, adapters or {})
    folder = _new_folder(run, split)
    given = [f"--adapter={name}={path}" for name, path in wanted.items()]
    arguments = ["evaluate", *arguments_of(run), "--split", split, "--out", str(folder), *given]
    launch(RunFiles(folder), arguments, busy=f"{run.name} is being measured already.")
    return read_evaluation(run, folder)


def live_evaluation(run: Run) -> Evaluation | None:
    """The evaluation of a run on which a process works, None where there is none."""
    busy = [folder for folder in evaluation_folders(run) if working(RunFiles(folder))]
    return read_evaluation(run, busy[-1]) if busy else None


def newest_evaluation(run: Run) -> tuple[Evaluation, EvaluationProgress] | None:
    """The evaluation of a run that was begun last, ended or not, and how far it is; None where there is none."""
    folders = evaluation_folders(run)
    if not folders:
        return None
    newest = max(folders, key=_begun)
    return read_evaluation(run, newest), EvaluationFollower(newest).poll()


def _begun(folder: Path) -> tuple[str, str]:
    begun = launched(RunFiles(folder))
    return (begun.at if begun is not None else ""), folder.name


def stop_evaluation(evaluation: Evaluation) -> None:
    """Ask it to end after the clip in work; nothing of it is kept.

    Raises:
        StorageFullError: its folder cannot be written.
    """
    ask_to_stop(RunFiles(evaluation.folder))


def answerers_of(session: Session, run: Run, others: Mapping[str, Path]) -> dict[str, Path]:
    """Name and folder of each adapter that answers: the run's, the default in use, and the others; none twice."""
    wanted = {run.name: RunFiles(run.folder).adapter_dir}
    default = _default_adapter(session, run)
    for name, path in [*([default] if default is not None else []), *others.items()]:
        if name == "base":
            raise UsageError("An adapter cannot be called base.", hint="Give it another name: NAME=FOLDER")
        if "=" in name:
            raise UsageError(f"An adapter cannot be called “{name}”.", hint="Give it a name without =.")
        same = [known for known in wanted.values() if known.resolve() == path.resolve() or _same(known, path)]
        if not same and name in wanted:
            raise UsageError(f"Two adapters are called {name}.", hint="Give one of them another name: NAME=FOLDER")
        if not same:
            wanted[name] = path
    return wanted


def _default_adapter(session: Session, run: Run) -> tuple[str, Path] | None:
    """The adapter that analyses use, where it is one of the same base."""
    settings = session.settings
    if not settings.local_adapter.strip():
        return None
    try:
        base = find_model(settings, settings.local_model)
        if base.path.resolve() != Path(run.config.model_dir).expanduser().resolve():
            return None
        found = find_adapter(settings, settings.local_adapter, base=base)
    except (UsageError, ModelFolderError):
        return None
    return found.name, found.path


def named_adapters(session: Session, run: Run, given: list[str]) -> dict[str, Path]:
    """Adapters as they are typed: the name of one that is here, a folder, or NAME=FOLDER.

    Raises:
        UsageError: there is no such adapter.
        ModelFolderError: it cannot be used with the run's base.
    """
    base = find_model(session.settings, run.config.model_dir)
    found: dict[str, Path] = {}
    for typed in given:
        name, equals, folder = typed.partition("=")
        if equals and adapter_named(session.settings, typed) is None:
            adapter = find_adapter(session.settings, folder, base=base)
            found[name.strip() or adapter.name] = adapter.path
        else:
            adapter = find_adapter(session.settings, typed, base=base)
            found[adapter.name] = adapter.path
    return found


def _same(one: Path, other: Path) -> bool:
    mine = card_identity(one)
    return mine != "" and mine == card_identity(other)


def _new_folder(run: Run, split: str) -> Path:
    """`evaluation-SPLIT`, or with a number where that is there already."""
    number = 1
    try:
        while True:
            folder = run.folder / f"{EVALUATION_PREFIX}{split}{f'-{number}' if number > 1 else ''}"
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
                continue
            return folder
    except OSError as error:
        raise cannot_write(run.folder, error) from error
