"""An evaluation that is under way: how far it is, and Cancel; why it ended where it did not end well."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.tasks import Tasks
from vvlm_desktop.ui.training.live_notes import TroubleCard
from vvlm_desktop.ui.training.live_task import RunTask
from vvlm_desktop.ui.training.live_watch import Follower, Watch
from vvlm_desktop.ui.training.live_words import TimeLeft, left_words
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import ElidedLabel
from vvlm_desktop.ui.widgets.marks import MarkLabel
from vvlm_desktop.ui.words import shown
from vvlm_desktop.workflow.runs import Evaluation, EvaluationFollower, EvaluationProgress


def _follow(folder: Path) -> Follower:
    return EvaluationFollower(folder)


class MeasuringLine(QWidget):
    """Follows the folder of an evaluation, whoever started it; nothing is shown where there is none."""

    ended = Signal()
    cancel_pressed = Signal(object)  # Evaluation
    lead_pressed = Signal()  # in the status bar: this line is to be shown

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar_line = RunTask(tasks, self._on_cancel, self.lead_pressed.emit)
        self.evaluation: Evaluation | None = None
        self.progress: EvaluationProgress | None = None
        self._over: set[Path] = set()
        self._left = TimeLeft()
        self._first: tuple[int, float] | None = None
        self._watch = Watch(_follow, self)
        self._watch.told.connect(self._on_told)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._line = QWidget()
        row = QHBoxLayout(self._line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP)
        self.state = MarkLabel("half", "Measuring", ink="accent")
        self.words = ElidedLabel("", "muted")
        self.cancel = button("Cancel", self._on_cancel, icon="close")
        row.addWidget(self.state)
        row.addWidget(self.words, 1)
        row.addWidget(self.cancel)
        column.addWidget(self._line)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        column.addWidget(self.bar)
        self.trouble = TroubleCard()
        column.addWidget(self.trouble)
        self.hide()

    @property
    def active(self) -> bool:
        """Whether one is under way."""
        return self.evaluation is not None and (self.progress is None or self.progress.live)

    def follow(self, evaluation: Evaluation | None) -> None:
        """Follow this one; None for none."""
        if evaluation is not None and evaluation.folder in self._over:
            return  # what was read of it before it ended arrives late
        if evaluation is not None and self.active and self.evaluation is not None:  # noqa: SIM102
            if evaluation.folder == self.evaluation.folder:
                return
        self.evaluation, self.progress = evaluation, None
        self._left, self._first = TimeLeft(), None
        self.setVisible(evaluation is not None)
        if evaluation is None:
            self._bar_line.tell(None)
            self._watch.follow(None)
            return
        self._show(EvaluationProgress())
        self._watch.follow(evaluation.folder)

    def set_visible(self, visible: bool) -> None:
        """Look more often while somebody sees it."""
        self._watch.set_visible(visible)

    def close_line(self) -> None:
        """Let go of threads."""
        self._bar_line.tell(None)
        self._watch.close()

    def _on_told(self, progress: EvaluationProgress) -> None:
        self.progress = progress
        self._show(progress)
        name = self.evaluation.run.name if self.evaluation is not None else ""
        share = progress.done / progress.clips if progress.clips else None
        self._bar_line.tell(f"Measuring {shown(name)}" if progress.live else None, fraction=share)
        if not progress.live:
            self._watch.follow(None)
            if self.evaluation is not None:
                self._over.add(self.evaluation.folder)
            self.evaluation = None
            self.ended.emit()

    def _show(self, progress: EvaluationProgress) -> None:
        bad = progress.state in {"failed", "interrupted"}
        self.trouble.show_trouble(
            progress.message if bad else "", progress.hint if bad else "", bad=progress.state == "failed"
        )
        for part in (self._line, self.bar):
            part.setVisible(progress.live)
        self.setVisible(progress.live or bad)
        known = progress.clips > 0
        self.bar.setRange(0, progress.clips if known else 0)
        self.bar.setValue(progress.done)
        self.bar.setAccessibleName(f"Clips answered: {progress.done} of {progress.clips}")
        self.state.show_mark("half", "Stopping" if progress.state == "stopping" else "Measuring", ink="accent")
        self.cancel.setEnabled(progress.state != "stopping")
        if known:
            left_s = self._seconds_left(progress)
            left = f"{left_words(left_s)} left" if left_s is not None else ""
            clip = f"Clip {min(progress.done + 1, progress.clips):,} of {progress.clips:,}"
            self.words.setText(" · ".join(part for part in (clip, left, shown(progress.clip)) if part))
        else:
            self.words.setText("The model is being loaded. This can take a minute.")

    def _seconds_left(self, progress: EvaluationProgress) -> float | None:
        """From the clips that were answered while somebody looked."""
        now_s = time.monotonic()
        if self._first is None:
            self._first = (progress.done, now_s)
        first, since_s = self._first
        answered = progress.done - first
        left_s = (now_s - since_s) / answered * (progress.clips - progress.done) if answered else None
        return self._left.note(progress.done, left_s, now_s=now_s)

    def _on_cancel(self) -> None:
        self.cancel.setEnabled(False)
        if self.evaluation is not None:
            self.cancel_pressed.emit(self.evaluation)
