"""What is pressed on the result of a run, done in a thread: measuring, promotion, and back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.errors import VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.training.result_work import TEST, Errand
from vvlm_desktop.ui.words import shown
from vvlm_desktop.workflow import promotion, runs
from vvlm_desktop.workflow.promotion import Promotion
from vvlm_desktop.workflow.runs import Evaluation, Run


class ResultActs(QObject):
    """One act at a time."""

    changed = Signal()  # something is to be read again
    default_changed = Signal()

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._then: Callable[[Evaluation], object] | None = None
        self._before: Settings | None = None
        self._errand = Errand("run-act", self)
        self._errand.done.connect(self._on_done)
        self._errand.failed.connect(self._on_failed)

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._errand.busy

    def measure(self, run: Run, *, then: Callable[[Evaluation], object]) -> None:
        """Begin an evaluation; `then` gets it."""
        if self.busy:
            return
        session = self._shell.session
        self._then = then
        self._errand.start(lambda: runs.start_evaluation(session, run, split=TEST))

    def stop(self, evaluation: Evaluation) -> None:
        """Have an evaluation end after the clip in work."""
        try:
            runs.stop_evaluation(evaluation)
        except VvlmError as error:
            self._shell.report(error)

    def promote(self, evaluation: Evaluation) -> None:
        """Make the adapter that was measured the default."""
        if not self.busy:
            session = self._shell.session
            self._before = session.settings
            self._errand.start(lambda: promotion.promote(session, evaluation))

    def rollback(self) -> None:
        """Back to what was the default before."""
        if not self.busy:
            session = self._shell.session
            self._before = session.settings
            self._errand.start(lambda: promotion.rollback(session))

    def close(self) -> None:
        """Wait for what is under way."""
        self._errand.close()

    def _on_done(self, result: object) -> None:
        if isinstance(result, Promotion):
            self._on_default(result)
        elif isinstance(result, Evaluation):
            then, self._then = self._then, None
            if then is not None:
                then(result)
        self.changed.emit()

    def _on_default(self, done: Promotion) -> None:
        session, before = self._shell.session, self._before
        settings, self._before = session.settings, None
        if before is not None:
            # Saved by now; the window tells its pages only what differs from the settings that it knows.
            session.settings = before
            self._shell.change_settings(settings)
        now = done.adapter or done.model or done.backend
        what = "is the default now" if done.kind == "promoted" else "is the default again"
        self._shell.report(Problem(f"{shown(now)} {what}.", tone="good"))
        self.default_changed.emit()

    def _on_failed(self, error: VvlmError) -> None:
        self._then = self._before = None
        self._shell.report(error)
        self.changed.emit()
