"""The bar at the bottom: what runs and how long yet, which model answers, and whether anything left this computer."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.ledger.sent_words import LOOKING, SentView
from vvlm_desktop.ui.models.gpu_line import GpuView
from vvlm_desktop.ui.tasks import Tasks
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label, rule
from vvlm_desktop.ui.widgets.mark_button import MarkButton
from vvlm_desktop.ui.widgets.marks import MarkLabel
from vvlm_desktop.ui.words import clock, plain_tip, shown

_NEWS_MS = 10_000
_ROOMY_PX = 1200


def time_left(seconds: float | None) -> str:
    """`seconds` as "00:41 left"; empty while unknown."""
    return "" if seconds is None else f"{clock(seconds)} left"


class StatusBar(QFrame):
    """One line; it never opens anything by itself."""

    ledger_pressed = Signal()
    gpu_pressed = Signal()

    def __init__(self, tasks: Tasks, *, backend: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.setProperty("surface", "panel")
        self.setAccessibleName("Status")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(rule())
        row = QHBoxLayout()
        row.setContentsMargins(theme.PAD + 2, 0, theme.PAD + 2, 0)
        row.setSpacing(theme.MARGIN)
        column.addLayout(row)
        self.setFixedHeight(theme.px(28))

        self._news = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_NEWS_MS)
        self._timer.timeout.connect(self._on_news_over)
        # What is long gives way here, instead of widening the window.
        self.title = ElidedLabel("", "muted")
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.news = MarkLabel()
        self.news.setMinimumWidth(theme.px(24))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(theme.px(140))
        self.bar.setAccessibleName("Progress")
        self.left = label("", "muted")
        self.more = label("", "muted")
        self.cancel = button("Cancel", self._on_cancel, kind="link")
        self.cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_it = button("Show", self._on_show, kind="link")
        self.show_it.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.backend = ElidedLabel(backend, "muted")
        self.gpu = MarkButton()
        self.gpu.clicked.connect(self.gpu_pressed)
        self._has_gpu = False
        self.sent = MarkButton()
        self.sent.clicked.connect(self.ledger_pressed)
        self.show_sent(LOOKING)
        for item in (self.title, self.news, self.bar, self.left, self.show_it, self.cancel, self.more):
            row.addWidget(item)
        row.addWidget(self.backend, 1)
        row.addWidget(self.gpu)
        row.addWidget(self.sent)
        self.gpu.hide()
        tasks.changed.connect(self._on_tasks_changed)
        self._on_tasks_changed()

    def show_news(self, sentence: str) -> None:
        """Say for a while what has been done; work that goes on is more important."""
        self._news = sentence
        self.news.show_mark("check", sentence, ink="good")
        self.news.setToolTip(plain_tip(sentence))
        self._timer.start()
        self._on_tasks_changed()

    def _on_news_over(self) -> None:
        self._news = ""
        self._on_tasks_changed()

    def show_backend(self, text: str) -> None:
        """Say which model answers, and where it runs."""
        self.backend.setText(text)

    def show_sent(self, view: SentView) -> None:
        """Say what left this computer."""
        self.sent.show_mark(view.mark, view.words, ink=view.ink, tip=view.tip)

    def show_gpu(self, view: GpuView) -> None:
        """Say how much GPU memory is free; nothing where there is no GPU."""
        self._has_gpu = bool(view.name)
        self.gpu.show_mark(None, f"GPU {view.memory}", ink="muted", tip=shown(view.in_words))
        self._show_what_fits()

    def _show_what_fits(self) -> None:
        self.gpu.setVisible(self._has_gpu and self.width() >= theme.px(_ROOMY_PX))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_what_fits()
        # Which model answers is short and stays whole, as long as there is room for what runs beside it.
        roomy = self.width() >= theme.px(_ROOMY_PX)
        self.backend.setMinimumWidth(min(self.backend.sizeHint().width(), theme.px(300)) if roomy else theme.px(24))

    def _on_tasks_changed(self) -> None:
        running = self._tasks.running
        task = running[0] if running else None
        for item in (self.bar, self.left, self.show_it, self.cancel, self.more):
            item.setVisible(task is not None)
        self.news.setVisible(task is None and bool(self._news))
        self.title.setVisible(task is not None or not self._news)
        if task is None:
            self.title.setText("Ready")
            return
        self.title.setText(f"Stopping: {task.title}" if task.cancelling else task.title)
        self.title.setAccessibleDescription(task.details)
        self.bar.setToolTip(plain_tip(task.details))
        self.bar.setRange(0, 0 if task.fraction is None else 1000)
        self.bar.setValue(round(1000 * (task.fraction or 0.0)))
        self.left.setText(time_left(task.seconds_left))
        self.left.setVisible(bool(self.left.text()))
        self.show_it.setVisible(task.lead is not None)
        self.show_it.setAccessibleName(f"Show: {task.title}")
        self.cancel.setVisible(task.can_cancel)
        self.cancel.setAccessibleName(f"Cancel: {task.title}")
        others = len(running) - 1
        self.more.setText(f"{others} more waiting" if others else "")
        self.more.setVisible(others > 0)

    def _on_show(self) -> None:
        task = self._tasks.running[0] if self._tasks.running else None
        if task is not None and task.lead is not None:
            task.lead()

    def _on_cancel(self) -> None:
        if self._tasks.running:
            self._tasks.running[0].cancel()
