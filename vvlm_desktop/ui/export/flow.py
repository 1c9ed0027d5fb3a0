"""Export from the window: ask, write in the background, tell what came of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.errors_view import Problem, ProblemItem
from vvlm_desktop.ui.export.dialog import Exportable, ExportChoice, ExportDialog, FormatEntry
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.words import count

if TYPE_CHECKING:
    from vvlm_desktop.formats.base import ExportReport


class ExportFlow(QObject):
    """One export at a time; the window stays usable meanwhile."""

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__(parent)
        self._shell = shell
        self._window = parent
        self._work: Work[ExportReport] | None = None
        self._task: Task | None = None
        self._out = Path()

    def ask(self) -> ExportDialog | None:
        """Open the dialog; None while an export is running, which is then said."""
        if self._work is not None:
            self._shell.report(
                Problem("An export is running.", hint="Wait for it, or cancel it below.", tone="doubtful")
            )
            return None
        dialog = ExportDialog(_formats(), _exportable(self._shell), suggested=_suggested(), parent=self._window)
        dialog.chosen.connect(self._on_chosen)
        dialog.open()
        return dialog

    def cancel(self) -> None:
        """Tell an export to stop, without waiting for it."""
        if self._work is not None:
            self._work.cancel()

    def close(self) -> None:
        """The window has closed: an export that is not complete leaves nothing behind, so it is waited for."""
        self.cancel()
        if self._work is not None:
            self._work.wait(10.0)

    def _on_chosen(self, choice: ExportChoice) -> None:
        from vvlm_desktop.workflow.exporting import export

        session = self._shell.session
        self._out = choice.out
        self._work = Work(
            lambda report, cancelled: export(
                session,
                choice.format_name,
                choice.out,
                unreviewed=choice.unreviewed,
                copy=choice.copy,
                include_samples=choice.include_samples,
                progress=lambda done, total, name: report((done, total, name)),
                cancelled=cancelled,
            ),
            name="export",
            parent=self,
        )
        self._task = self._shell.tasks.begin("Exporting", cancel=self._work.cancel)
        self._work.progressed.connect(self._on_progress)
        self._work.succeeded.connect(self._on_success)
        self._work.failed.connect(self._on_failure)
        self._work.ended.connect(self._on_ended)
        self._work.start()

    def _on_progress(self, progress: tuple[int, int, str]) -> None:
        done, total, name = progress
        if self._task is not None:
            self._task.update(f"Exporting {done:,} of {total:,}: {name}", fraction=done / max(1, total))

    def _on_success(self, report: ExportReport) -> None:
        left = tuple(ProblemItem(row.name, row.reason) for row in (*report.failed, *report.left_out))
        words = f"{count(report.records, 'record', 'records')} exported to {report.out}."
        hints = [*report.notes]
        if left:
            hints.insert(0, f"{count(len(left), 'clip is', 'clips are')} not in it.")
        self._shell.report(
            Problem(
                words,
                hint=" ".join(hints),
                tone="doubtful" if report.failed else "good",
                items=left,
                offer="Open the folder",
                do=self._open_folder,
            )
        )

    def _on_failure(self, error: VvlmError) -> None:
        if isinstance(error, JobCancelledError):
            self._shell.report(Problem("The export was stopped. Nothing was left behind.", tone="good"))
        else:
            self._shell.report(error)

    def _on_ended(self) -> None:
        if self._task is not None:
            self._task.finish()
        if self._work is not None:
            self._work.deleteLater()
        self._work = self._task = None

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._out)))


def _formats() -> tuple[FormatEntry, ...]:
    from vvlm_desktop.formats.registry import FORMATS

    return tuple(FormatEntry(f.name, f.title, f.description, f.losses) for f in FORMATS.values())


def _exportable(shell: Shell) -> Exportable:
    from vvlm_desktop.domain.review import SETTLED
    from vvlm_desktop.store.records import ClipFilter

    library = shell.session.library
    settled = tuple(sorted(SETTLED))
    return Exportable(
        reviewed=library.count_clips(ClipFilter(status=settled)),
        samples=library.count_clips(ClipFilter(status=settled, sample=True)),
        clips=library.count_clips(ClipFilter(readable=True)),
    )


def _suggested() -> Path:
    """A folder that does not exist yet, named after today."""
    base = Path.home() / f"vvlm-export-{date.today().isoformat()}"
    number = 2
    folder = base
    while folder.exists():
        folder = base.with_name(f"{base.name}-{number}")
        number += 1
    return folder
