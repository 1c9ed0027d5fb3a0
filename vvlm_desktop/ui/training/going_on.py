"""Finds what went on while no window was open: a run that trains, or one that is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    from vvlm_desktop.workflow.runs import Run
    from vvlm_desktop.workflow.session import Session


@dataclass(frozen=True, slots=True)
class GoingOn:
    """A run that a process works on; `measured` where it answers about the test part."""

    run: Run
    measured: bool = False


def going_on(session: Session) -> GoingOn | None:
    """What goes on, training first; reads the folders of runs and nothing else."""
    if not (session.library.folder / "runs").is_dir():
        return None  # nothing is imported for those who never trained
    from vvlm_desktop.backends.run_folder import RunFiles
    from vvlm_desktop.workflow import runs

    every = runs.list_runs(session)
    trained = next((run for run in every if RunFiles(run.folder).trainer() is not None), None)
    if trained is not None:
        return GoingOn(trained)
    measured = (run for run in every if (live := runs.live_evaluation(run)) is not None and live.split == "test")
    found = next(measured, None)
    return GoingOn(found, measured=True) if found is not None else None


class RunFinder(QObject):
    """Looks in a thread, after the window is there; the Training page is built only where something goes on."""

    def __init__(self, shell: Shell, page: Callable[[], Page], parent: QObject) -> None:
        super().__init__(parent)
        self._shell, self._page = shell, page
        self._line = WorkLine(shell.tasks, self)

    def look(self) -> None:
        """Look in the library that is open now."""
        session = self._shell.session

        def found(going: GoingOn | None) -> None:
            if going is not None and session is self._shell.session:
                self._follow(going)

        self._line.add(
            Job(
                "look-for-runs",
                lambda _report, _cancelled: going_on(session),
                on_success=found,
                on_failure=self._shell.report,
            )
        )

    def close(self) -> None:
        """Look no more."""
        self._line.close()

    def _follow(self, going: GoingOn) -> None:
        from vvlm_desktop.ui.training.page import TrainingPage

        page = self._page()
        if isinstance(page, TrainingPage):
            page.follow(going.run, measured=going.measured)
