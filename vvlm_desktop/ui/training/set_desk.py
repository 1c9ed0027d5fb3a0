"""Makes, reads and checks training sets for the page, each in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.training.set_facts import facts_of, title_of_set
from vvlm_desktop.ui.training.set_outlook import Outlook, outlook
from vvlm_desktop.ui.work_line import Job, WorkLine
from vvlm_desktop.workflow.training_check import check_training_set
from vvlm_desktop.workflow.training_sets import (
    MadeSet,
    SetOptions,
    TrainingSet,
    list_training_sets,
    make_training_set,
)

_MAKING, _CHECKING = "Making the training set", "Checking the training set"

Report = Callable[[object], None]
Cancelled = Callable[[], bool]


class SetDesk(QObject):
    """What is asked for last is what arrives; making and checking run beside the reading."""

    looked = Signal(object, object)  # Outlook, list[TrainingSet]
    facts_read = Signal(object)  # SetFacts
    making = Signal(float, str)
    made = Signal(object)  # MadeSet
    make_ended = Signal()
    checking = Signal(float, str)
    checked = Signal(object, object)  # TrainingSet, CheckReport
    check_ended = Signal()
    failed = Signal(object)  # VvlmError

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._reading = WorkLine(shell.tasks, self)
        self._making = WorkLine(shell.tasks, self)
        self._checking = WorkLine(shell.tasks, self)
        self._looks = 0

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return self._reading.busy or self._making.busy or self._checking.busy

    @property
    def makes(self) -> bool:
        """Whether a set is being made."""
        return self._making.busy

    @property
    def checks(self) -> bool:
        """Whether a set is being looked at."""
        return self._checking.busy

    def look(self, scope: Scope, *, include_samples: bool) -> None:
        """Look through the reviews and the sets there are."""
        session = self._shell.session
        self._looks += 1
        number = self._looks

        def run(_report: Report, cancelled: Cancelled) -> tuple[Outlook, list[TrainingSet]]:
            def over() -> bool:
                return cancelled() or number != self._looks  # somebody asked anew

            found = outlook(session, chosen=_clips(session, scope), include_samples=include_samples, cancelled=over)
            return found, list_training_sets(session)

        self._reading.add(Job("training-look", run, on_success=self._on_looked, on_failure=self._on_failed))

    def read(self, training_set: TrainingSet) -> None:
        """Find out what is in a set."""
        session = self._shell.session
        self._reading.add(
            Job(
                "training-facts",
                lambda _report, _cancelled: facts_of(session, training_set),
                on_success=self.facts_read.emit,
                on_failure=self._on_failed,
            )
        )

    def make(self, name: str, scope: Scope, options: SetOptions) -> None:
        """Make the next version."""
        if self._making.busy:
            return
        session = self._shell.session

        def run(report: Report, cancelled: Cancelled) -> MadeSet:
            return make_training_set(
                session,
                name,
                clips=_clips(session, scope),
                options=options,
                progress=lambda fraction, text: report((fraction, text)),
                cancelled=cancelled,
            )

        title = f"{_MAKING} {name}"
        self.making.emit(0.0, "Looking through the reviews…")
        self._making.add(
            Job(
                "training-make",
                run,
                on_success=self._on_made,
                on_failure=self._on_make_failed,
                title=title,
                on_progress=self._on_making,
            )
        )

    def cancel_making(self) -> None:
        """Stop; nothing is written."""
        self._cancel(_MAKING)

    def check(self, training_set: TrainingSet) -> None:
        """Look at every clip of a set."""
        if self._checking.busy:
            return

        def run(report: Report, cancelled: Cancelled) -> tuple[TrainingSet, Any]:
            return training_set, check_training_set(
                training_set.folder, progress=lambda done, text: report((done, text)), cancelled=cancelled
            )

        self.checking.emit(0.0, "")
        self._checking.add(
            Job(
                "training-check",
                run,
                on_success=self._on_checked,
                on_failure=self._on_check_failed,
                title=f"{_CHECKING} {title_of_set(training_set)}",
                on_progress=self._on_checking,
            )
        )

    def cancel_check(self) -> None:
        """Stop looking."""
        self._cancel(_CHECKING)

    def _cancel(self, title: str) -> None:
        for task in self._shell.tasks.running:
            if task.title.startswith(title):
                task.cancel()

    def close(self) -> None:
        """Stop everything and wait for it."""
        for line in (self._making, self._checking, self._reading):
            line.close()

    # -- what the threads bring

    def _on_looked(self, found: tuple[Outlook, list[TrainingSet]]) -> None:
        self.looked.emit(*found)

    def _on_making(self, progress: tuple[float, str], task: Task) -> None:
        task.update(task.title, fraction=progress[0])
        self.making.emit(*progress)

    def _on_made(self, made: MadeSet) -> None:
        self.made.emit(made)
        self.make_ended.emit()

    def _on_make_failed(self, error: VvlmError) -> None:
        self._on_failed(error)
        self.make_ended.emit()

    def _on_checking(self, progress: tuple[float, str], task: Task) -> None:
        task.update(task.title, fraction=progress[0])
        self.checking.emit(*progress)

    def _on_checked(self, found: tuple[TrainingSet, Any]) -> None:
        self.checked.emit(*found)
        self.check_ended.emit()

    def _on_check_failed(self, error: VvlmError) -> None:
        self._on_failed(error)
        self.check_ended.emit()

    def _on_failed(self, error: VvlmError) -> None:
        if not isinstance(error, JobCancelledError):
            self.failed.emit(error)


def _clips(session: Any, scope: Scope) -> list[Any] | None:
    """The clips of a scope; None for all, which withdraws what is gone from earlier sets."""
    if scope.chosen is None:
        return None
    return [row.clip for row in session.library.clip_rows(scope.rowids(session))]
