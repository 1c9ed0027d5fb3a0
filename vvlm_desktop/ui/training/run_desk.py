"""Plans, checks, starts, stops and removes runs for the page, each in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.models.install import missing_packages
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.training.form_model import BaseModel, Workplace
from vvlm_desktop.ui.training.form_start import start_of
from vvlm_desktop.ui.work_line import Job, WorkLine
from vvlm_desktop.workflow import runs
from vvlm_desktop.workflow.gpu import hardware
from vvlm_desktop.workflow.models import installed_models, shape_of_model
from vvlm_desktop.workflow.runs import Run
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_sets import TrainingSet


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is wanted to be."""

    training_set: TrainingSet
    model: str
    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be run, with its command; `refused` where it cannot be."""

    wish: Wish
    config: TrainConfig | None = None
    command: str = ""
    refused: VvlmError | None = None


class RunDesk(QObject):
    """What is asked for last is what arrives."""

    looked = Signal(object)  # Workplace
    planned = Signal(object)  # Plan
    listed = Signal(object, object)  # list[Run], the newest first; the one of them that a process works on, or None
    created = Signal(object)  # Run: its folder is there, and it is being checked or trained
    started = Signal(object)  # Run: it goes on
    ended = Signal()  # creating or starting is over, however that went
    adopted = Signal(object)  # list[str]: adapters that are among the models now
    failed = Signal(object)  # VvlmError

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._reading = WorkLine(shell.tasks, self)
        self._doing = WorkLine(shell.tasks, self)
        self._plans = 0
        self._in_hand: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return self._reading.busy or self._doing.busy

    @property
    def doing(self) -> bool:
        """Whether a run is being made, started or removed."""
        return bool(self._in_hand)

    def look(self) -> None:
        """Look at the models that are here and at this computer."""
        settings = self._shell.session.settings
        if not self._reading.holds("training-workplace"):
            self._read("training-workplace", lambda: workplace(settings), self.looked.emit)

    def list_runs(self) -> None:
        """Find all runs, and take what they have made to the models."""
        session = self._shell.session

        def found() -> tuple[list[str], list[Run], Run | None]:
            adopted, every = runs.adopt_finished(session), runs.list_runs(session)
            return adopted, every, next((run for run in every if RunFiles(run.folder).trainer() is not None), None)

        def tell(result: tuple[list[str], list[Run], Run | None]) -> None:
            adopted, every, live = result
            if adopted:
                self.adopted.emit(adopted)
            self.listed.emit(every, live)

        if not self._reading.holds("training-runs"):
            self._read("training-runs", found, tell)

    def plan(self, wish: Wish) -> None:
        """Find out whether this can be run, and with which command."""
        session = self._shell.session
        self._plans += 1
        number = self._plans

        def tell(plan: Plan) -> None:
            if number == self._plans:
                self.planned.emit(plan)

        self._read("training-plan", lambda: _planned(session, wish), tell)

    def create(self, wish: Wish, *, check_only: bool, instead_of: Run | None = None) -> None:
        """Make a run and check it, or train it at once; a run that was only checked gives way to it."""
        session = self._shell.session

        def made() -> Run:
            config = runs.plan_run(
                session, wish.training_set, model=wish.model, name=wish.name, values=dict(wish.values)
            )
            run = runs.create_run(session, config)
            try:
                runs.start_run(run, check_only=check_only)
            except VvlmError:
                runs.remove_run(session, run)  # it never was one
                raise
            if instead_of is not None:
                runs.remove_run(session, instead_of)
            return run

        self._do("training-create", made, self.created.emit)

    def start(self, run: Run) -> None:
        """Train a run that was checked, or go on with one."""

        def begun() -> Run:
            runs.start_run(run)
            return run

        self._do("training-start", begun, self.started.emit)

    def stop(self, run: Run) -> None:
        """Ask it to stop."""
        self._do("training-stop", lambda: runs.stop_run(run), lambda _none: None)

    def remove(self, run: Run) -> None:
        """Delete its folder."""
        session = self._shell.session
        self._do("training-remove", lambda: runs.remove_run(session, run), lambda _none: self.list_runs())

    def close(self) -> None:
        """The page goes; runs go on."""
        self._doing.close()
        self._reading.close()

    def _read(self, name: str, function: Callable[[], Any], tell: Callable[[Any], object]) -> None:
        def told(result: Any) -> None:
            tell(result)

        self._reading.add(
            Job(name, lambda _report, _cancelled: function(), on_success=told, on_failure=self._on_failed)
        )

    def _do(self, name: str, function: Callable[[], Any], tell: Callable[[Any], object]) -> None:
        if name in self._in_hand:
            return
        self._in_hand.add(name)

        def told(result: Any) -> None:
            self._in_hand.discard(name)
            tell(result)

        def refused(error: VvlmError) -> None:
            self._in_hand.discard(name)
            self._on_failed(error)

        def over() -> None:
            self._in_hand.discard(name)
            self.ended.emit()

        self._doing.add(
            Job(name, lambda _report, _cancelled: function(), on_success=told, on_failure=refused, on_end=over)
        )

    def _on_failed(self, error: VvlmError) -> None:
        if not isinstance(error, JobCancelledError):
            self.failed.emit(error)


def workplace(settings: Settings) -> Workplace:
    """The models that are here and can be trained, and what this computer has."""
    on = hardware()
    models = []
    for each in installed_models(settings):
        if each.state != "ready" or (each.folder is not None and each.folder.quantised is not None):
            continue  # what was compressed when it was saved cannot be trained
        start = start_of(runs.suggested(each, on=on), frames=settings.frames)
        parameters = each.folder.parameters if each.folder is not None else 0
        chosen = each.name == settings.local_model
        models.append(BaseModel(each.name, each.name, parameters, shape_of_model(each), chosen, start))
    return Workplace(tuple(models), on, missing_packages())


def _planned(session: Session, wish: Wish) -> Plan:
    try:
        config = runs.plan_run(session, wish.training_set, model=wish.model, name=wish.name, values=dict(wish.values))
        return Plan(wish, config, runs.command_of(config))
    except VvlmError as error:
        return Plan(wish, refused=error)
