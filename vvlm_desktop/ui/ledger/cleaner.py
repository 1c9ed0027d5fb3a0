"""Deletes what a killed program left at Google: when the window opens, or when the ledger's button is pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    from vvlm_desktop.workflow.left_overs import Cleaned

_NAME = "clean-left-overs"


class Cleaner(QObject):
    """One cleaning at a time."""

    ended = Signal()

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._line = WorkLine(shell.tasks, self)

    @property
    def busy(self) -> bool:
        """Whether it cleans."""
        return self._line.busy

    def clean_unasked(self) -> None:
        """Where uploads are switched on and there is a key; contacts nobody where nothing is left over."""
        self._begin(unasked=True)

    def clean(self) -> None:
        """Somebody pressed the button."""
        self._begin(unasked=False)

    def close(self) -> None:
        """Stop."""
        self._line.close()

    def _begin(self, *, unasked: bool) -> None:
        if self._line.holds(_NAME):
            return
        session, keys = self._shell.session, self._shell.keys

        def work(report: Callable[[object], None], cancelled: Callable[[], bool]) -> Cleaned | None:
            from vvlm_desktop.workflow.cloud import require_switched_on, secrets_for
            from vvlm_desktop.workflow.left_overs import BACKEND, clean, left_overs, may_clean

            if not left_overs(session).here:
                return None
            if unasked and not may_clean(session.settings, keys):
                return None
            require_switched_on(session.settings)
            secrets = secrets_for(keys, BACKEND)
            return clean(
                session, secrets=secrets, on_progress=lambda share, stage: report((share, stage)), cancelled=cancelled
            )

        self._line.add(
            Job(
                _NAME,
                work,
                on_success=self._on_cleaned,
                on_failure=self._on_failed,
                title=None if unasked else "Deleting what was left over",
                on_progress=_show,
                on_end=self.ended.emit,  # not before: whoever hears it may ask for the next cleaning at once
            )
        )

    def _on_cleaned(self, cleaned: Cleaned | None) -> None:
        if cleaned is not None and cleaned.sentence:
            self._shell.report(Problem(cleaned.sentence, tone="doubtful" if cleaned.left else "good"))
            self._shell.announce(Change(what=frozenset({"sent"})))

    def _on_failed(self, error: VvlmError) -> None:
        if not isinstance(error, JobCancelledError):
            self._shell.report(error)


def _show(progress: tuple[float, str], task: Task) -> None:
    share, stage = progress
    task.update(f"Google: {stage}", fraction=share)
