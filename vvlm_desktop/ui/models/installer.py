"""The installation of packages as the window runs it: in the background, with its output, to be stopped."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.models import install
from vvlm_desktop.ui.models.install_card import InstallCard
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.tasks import Task

_TITLE = "Installing the packages for local models"


class Installer(QObject):
    """Keeps the card up to date; `done` says that something has been tried."""

    done = Signal()

    def __init__(self, shell: Shell, card: InstallCard, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell, self._card = shell, card
        self._work: Work[None] | None = None
        self._task: Task | None = None
        self._closed = False
        self.missing: tuple[str, ...] = ()
        card.install_pressed.connect(self.start)
        card.stop_pressed.connect(self.stop)
        self.look()

    @property
    def running(self) -> bool:
        """Whether packages are being installed."""
        return self._work is not None

    @property
    def possible(self) -> bool:
        """Whether there is something to install that this program can install, and it is not at it already."""
        return bool(self.missing) and install.can_install() and not self.running

    def look(self, *, failed: str = "") -> None:
        """Look which packages are missing."""
        if self.running:
            return
        self.missing = install.missing_packages()
        self._card.setVisible(bool(self.missing))
        self._card.show_idle(self.missing, failed=failed)

    def start(self) -> None:
        """Install, in the background."""
        if not self.possible:
            return
        self._card.show_running()
        self._work = work = Work(install.run_install, name="install-packages", parent=self)
        self._task = self._shell.tasks.begin(_TITLE, cancel=work.cancel)
        work.progressed.connect(self._on_line)
        work.succeeded.connect(self._on_succeeded)
        work.failed.connect(self._on_failed)
        work.ended.connect(self._on_ended)
        work.start()

    def stop(self) -> None:
        """Stop it; what was installed so far stays."""
        if self._task is not None:
            self._task.cancel()

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop it and wait."""
        self._closed = True
        if self._work is not None:
            self._work.cancel()
            self._work.wait(timeout_s)

    def _on_line(self, line: str) -> None:
        if not self._closed:
            self._card.add_line(line)

    def _on_succeeded(self, _result: object) -> None:
        self._end()
        self.look()
        if self.missing:
            failed = "The installation ended, but packages are still missing: what it said is here."
            self._card.show_idle(self.missing, failed=failed)
        elif not self._closed:
            self._shell.report(Problem("The packages for local models are installed.", tone="good"))

    def _on_failed(self, error: VvlmError) -> None:
        self._end()
        stopped = isinstance(error, JobCancelledError)
        self.look(failed=f"{error} {error.hint}".strip())
        if not stopped and not self._closed:
            self._shell.report(error)

    def _end(self) -> None:
        if self._task is not None:
            self._task.finish()
        self._work = self._task = None

    def _on_ended(self) -> None:
        self._end()  # after a bug, of which neither of the others is told
        if not self._closed:
            self.done.emit()
