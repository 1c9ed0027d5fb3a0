"""“Which clips would change their answer?”: finds them, has missing answers made, and shows them in the library."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.changes import Changes
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.training.changing_facts import Found, look, newest_run, sources_of_run
from vvlm_desktop.ui.training.changing_words import missing_question
from vvlm_desktop.ui.words import count
from vvlm_desktop.ui.work_line import Job, WorkLine
from vvlm_desktop.workflow.answerers import Source

if TYPE_CHECKING:
    from vvlm_desktop.workflow.runs import Run

_JOB = "find-changing"
Sources = tuple[Source, Source]


class ChangingFlow(QObject):
    """One look through the library at a time; what is found is shown there, and kept up to date there."""

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._line = WorkLine(shell.tasks, self)

    @property
    def busy(self) -> bool:
        """Whether it looks."""
        return self._line.busy

    def close(self) -> None:
        """Its owner goes."""
        self._line.close()

    def start(self, run: Run) -> None:
        """Find which clips the adapter of this run would answer otherwise than what is the default now."""
        session = self._shell.session
        self._look(lambda: sources_of_run(session.settings, run))

    def start_newest(self) -> None:
        """The same for the newest run whose adapter is on this computer."""
        session = self._shell.session
        self._look(lambda: sources_of_run(session.settings, newest_run(session)))

    def answer_missing(self, changes: Changes) -> None:
        """Offer to have made what is still missing."""
        self._look(lambda: changes.sources, show_found=False)

    def _look(self, find_sources: Callable[[], Sources], *, show_found: bool = True) -> None:
        if self._line.holds(_JOB):
            return
        session = self._shell.session

        def run(report: Callable[[object], None], cancelled: Callable[[], bool]) -> Found:
            return look(session, find_sources(), report=report, cancelled=cancelled)

        def on_progress(fraction: float, task: Task) -> None:
            task.update("Looking which clips would change", fraction=fraction)

        self._line.add(
            Job(
                _JOB,
                run,
                on_success=partial(self._on_found, show_found=show_found),
                on_failure=self._on_failed,
                title="Looking which clips would change",
                on_progress=on_progress,
            )
        )

    def _on_failed(self, error: VvlmError) -> None:
        if not isinstance(error, JobCancelledError):
            self._shell.report(error)

    def _on_found(self, found: Found, *, show_found: bool) -> None:
        changes = found.changes
        if show_found and changes.compared:
            self.show_changes(changes)
        if found.missing:
            self._shell.ask(missing_question(found, on_yes=lambda _answer: self._have_made(found)))
        elif not changes.compared:
            self._shell.report(
                Problem(
                    f"No clip can be compared: {changes.now.title} and {changes.then.title} were not asked alike.",
                    hint="They saw other frames, had another prompt or other settings. Analyse the clips with both.",
                )
            )

    def show_changes(self, changes: Changes) -> None:
        """Show the library with only the clips that change; where none does, say so."""
        if not changes.by_row and not changes.missing:
            said = f"No answer would change with {changes.then.title}: {count(changes.compared, 'clip')} compared."
            self._shell.report(Problem(said, tone="good"))
            return
        self._shell.list_clips(Scope(changes.title, sources=changes.sources, changes=changes))

    def _have_made(self, found: Found) -> None:
        """In the window's own line of batches, where it is seen, stopped, and gone on with after a crash."""
        for part in found.missing:
            self._shell.analyse(part.clips, choice=part.choice)
        if not found.changes.compared:
            # Nothing to show yet: the list fills as the answers arrive.
            self.show_changes(found.changes)
