"""The few numbers of a run in a row, each under its name; GPU memory as a bar of what there is."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.live_words import (
    TimeLeft,
    epoch_words,
    left_words,
    memory_words,
    step_reached,
    step_words,
)
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.workflow.run_progress import RunProgress

_FULL = 0.92


class Fact(QWidget):
    """A name and a value that keeps its place while it changes."""

    def __init__(self, name: str, widest: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.value: QLabel = label("–", "strong")
        self.value.setFont(theme.font("strong"))
        self.value.setMinimumWidth(self.value.fontMetrics().horizontalAdvance(widest) + 4)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(1)
        self.column.addWidget(label(name, "small"))
        self.column.addWidget(self.value)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_value(self, words: str) -> None:
        """Show another value."""
        self.value.setText(words)
        self.setAccessibleName(f"{self._name}: {words}")


class FactRow(QWidget):
    """Step, epoch, time left, time of a step and GPU memory."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._left = TimeLeft()
        #: as it is shown
        self.left_s: float | None = None
        self.step = Fact("Step", "88,888 of 88,888")
        self.epoch = Fact("Epoch", "88.88 of 88")
        self.left = Fact("Time left", "88 h 88 min")
        self.step_time = Fact("A step takes", "888 ms")
        self.memory = Fact("GPU memory, at most", "88.8 of 88.8 GB")
        self.memory_bar = QProgressBar()
        self.memory_bar.setTextVisible(False)
        self.memory_bar.setRange(0, 1000)
        self.memory_bar.setAccessibleName("GPU memory")
        self.memory.column.addWidget(self.memory_bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.MARGIN + theme.GAP)
        for fact in (self.step, self.epoch, self.left, self.step_time, self.memory):
            row.addWidget(fact, alignment=Qt.AlignmentFlag.AlignTop)
        row.addStretch(1)

    def begin(self) -> None:
        """Another run: no time left is carried over."""
        self._left = TimeLeft()

    def show_progress(self, progress: RunProgress, config: TrainConfig, *, now_s: float | None = None) -> None:
        """Show other numbers."""
        steps = f" of {progress.steps:,}" if progress.steps else ""
        self.step.show_value(f"{step_reached(progress):,}{steps}")
        self.epoch.show_value(epoch_words(progress, config))
        now_s = time.monotonic() if now_s is None else now_s
        told_s = progress.left_s if progress.state == "training" else None
        self.left_s = self._left.note(progress.step, told_s, now_s=now_s)
        self.left.show_value(left_words(self.left_s))
        self.left.setVisible(progress.live)
        self.step_time.show_value(step_words(progress.step_s))
        self._show_memory(progress)

    def _show_memory(self, progress: RunProgress) -> None:
        self.memory.setVisible(progress.memory_bytes is not None)
        self.memory.show_value(memory_words(progress))
        share = (progress.memory_bytes or 0) / progress.memory_of_bytes if progress.memory_of_bytes else 0.0
        self.memory_bar.setVisible(bool(share))
        self.memory_bar.setValue(round(1000 * min(1.0, share)))
        self.memory_bar.setAccessibleDescription(f"{share:.0%} used at most")
        tight = "; nearly all of it" if share > _FULL else ""
        self.memory.setToolTip(f"The most that training has taken so far, {share:.0%}{tight}" if share else "")
