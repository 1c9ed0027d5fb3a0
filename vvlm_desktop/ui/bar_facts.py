"""Keeps two facts of the status bar up to date: what left this computer, and how much GPU memory is free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.ledger.cleaner import Cleaner
from vvlm_desktop.ui.ledger.sent_words import SentView, sent_view
from vvlm_desktop.ui.models.gpu_line import GpuView
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.status_bar import StatusBar
from vvlm_desktop.ui.work_line import Job, WorkLine

_GPU_EVERY_MS = 5_000
_LEDGER, _GPU = "look-at-ledger", "look-at-gpu"


def _look_at_gpu() -> GpuView:
    from vvlm_desktop.ui.models.local_shelf import gpu_view
    from vvlm_desktop.workflow.gpu import hardware

    return gpu_view(hardware())


class BarFacts(QObject):
    """Looks in a thread, after the window is there; a computer without a GPU is asked only once."""

    def __init__(
        self, shell: Shell, bar: StatusBar, parent: QObject, *, look_at_gpu: Callable[[], GpuView] = _look_at_gpu
    ) -> None:
        super().__init__(parent)
        self._shell, self._bar, self._gpu = shell, bar, look_at_gpu
        self._line = WorkLine(shell.tasks, self)
        self._cleaner = Cleaner(shell, self)
        self._again = False
        self._timer = QTimer(self)
        self._timer.setInterval(_GPU_EVERY_MS)
        self._timer.timeout.connect(self._look_at_gpu)

    def start(self) -> None:
        """Look for the first time."""
        self.look_at_ledger()
        self._look_at_gpu()
        self._cleaner.clean_unasked()

    def on_change(self, change: Change) -> None:
        """Something was written."""
        if "sent" in change.what:
            self.look_at_ledger()

    def look_at_ledger(self) -> None:
        """Look at the ledger of the library that is open now."""
        if self._line.holds(_LEDGER):
            self._again = True
            return
        self._again = False
        session = self._shell.session

        def look(_report: object, _cancelled: object) -> SentView:
            from vvlm_desktop.workflow.ledger import transmissions

            return sent_view(transmissions(session))

        self._line.add(Job(_LEDGER, look, on_success=self._on_ledger, on_failure=self._shell.report))

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._cleaner.close()
        self._line.close()

    def _on_ledger(self, view: SentView) -> None:
        self._bar.show_sent(view)
        if self._again:
            QTimer.singleShot(0, self, self.look_at_ledger)

    def _look_at_gpu(self) -> None:
        if not self._line.holds(_GPU):
            look = self._gpu
            job: Callable[[Any, Any], GpuView] = lambda _report, _cancelled: look()  # noqa: E731
            self._line.add(Job(_GPU, job, on_success=self._on_gpu, on_failure=self._on_no_gpu))

    def _on_gpu(self, view: GpuView) -> None:
        self._bar.show_gpu(view)
        if view.name:
            self._timer.start()

    def _on_no_gpu(self, _error: VvlmError) -> None:
        self._timer.stop()
