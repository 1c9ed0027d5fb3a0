"""The calibrations of the models whose answers are shown; fitted anew in the background when reviews have grown."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.work_line import Job, WorkLine
from vvlm_desktop.workflow.calibration import Calibration, CalibrationReport, load_calibration, refit, reviews_grew
from vvlm_desktop.workflow.calibration_pairs import ModelKey, model_key

#: Not while somebody judges one clip after the other: looking is cheap, but not free.
_LOOK_MS = 20_000


class Calibrations(QObject):
    """Reads calibrations once, and has them renewed."""

    changed = Signal()  # other percentages hold now

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._known: dict[ModelKey, Calibration | None] = {}
        self._unknown = False  # a model was shown whose curves were never fitted
        self._line = WorkLine(shell.tasks, self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)

    def of(self, analysis: Analysis | None) -> Calibration | None:
        """What is known of the confidence of the model that gave this answer."""
        key = model_key(analysis) if analysis is not None else None
        if analysis is None or key is None:
            return None
        if key not in self._known:
            self._known[key] = load_calibration(self._shell.session, analysis)
            if self._known[key] is None:
                self._unknown = True
                self._look_soon()
        return self._known[key]

    def note(self, change: Change) -> None:
        """Something was written; verdicts may be enough for a percentage now."""
        if change.what & {"review", "analyses"}:
            self._look_soon()

    def _look_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def look(self) -> None:
        """Fit curves anew, in the background, if the reviews have grown enough since the last time."""
        session = self._shell.session
        if self._line.busy:
            return

        unknown, self._unknown = self._unknown, False

        def run(_report: object, cancelled: Callable[[], bool]) -> list[CalibrationReport]:
            worth_it = unknown or reviews_grew(session)
            return refit(session, only_due=True, cancelled=cancelled) if worth_it else []

        self._line.add(Job("calibrate", run, on_success=self._on_fitted, on_failure=self._on_failed))

    def close(self) -> None:
        """The page goes: nothing is fitted any more."""
        self._timer.stop()
        self._line.close()

    def _on_fitted(self, reports: list[CalibrationReport]) -> None:
        if reports:
            self._known.clear()
            self.changed.emit()

    def _on_failed(self, error: VvlmError) -> None:
        self._shell.report(error)
