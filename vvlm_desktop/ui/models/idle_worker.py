"""Ends the worker with the local model when nobody has used it for a while: its memory belongs to others then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from vvlm_desktop.ui.tasks import Tasks
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    from vvlm_desktop.workflow.workers import Workers

KIND = "local"
IDLE_MS = 3 * 60_000


class IdleWorker(QObject):
    """Counts from the last time that the worker said something."""

    def __init__(self, tasks: Tasks, *, busy: Callable[[], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._busy = busy
        self._workers: Workers | None = None
        self._line = WorkLine(tasks, self)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(IDLE_MS)
        self.timer.timeout.connect(self.end)

    def used(self, workers: Workers) -> None:
        """It has just been used."""
        self._workers = workers
        self.timer.start()

    def end(self) -> None:
        """End it now, unless it works; in a thread, since a child may take a second to go."""
        workers = self._workers
        if workers is None:
            return
        if self._busy():
            self.timer.start()
            return
        job = Job(
            "end-idle-worker",
            lambda _report, _cancelled: workers.forget(KIND),
            on_success=lambda _result: None,
            on_failure=lambda _error: None,
        )
        self._line.add(job)

    def close(self) -> None:
        """The window goes; it ends all workers."""
        self.timer.stop()
        self._line.close()
