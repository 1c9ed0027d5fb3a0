"""The end of what a process wrote, folded away until somebody asks; it can be copied."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.widgets.buttons import button

_EVERY_MS = 2000
_EMPTY = "Nothing was written yet."


class LogFold(QWidget):
    """Reads the log only while it is unfolded, and in a thread."""

    unfolded = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._read: Callable[[], str] | None = None
        self._work: Work[str] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        self.toggle = button("Log", icon="chevron-right", kind="plain")
        self.toggle.setCheckable(True)
        self.copy = button("Copy log", self._on_copy, kind="plain", icon="copy")
        head.addWidget(self.toggle)
        head.addWidget(self.copy)
        head.addStretch(1)
        column.addLayout(head)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(theme.font("mono"))
        self.text.setFixedHeight(theme.px(180))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Log")
        column.addWidget(self.text)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.refresh)
        self.toggle.toggled.connect(self._on_toggled)
        self._on_toggled(False)

    def show_log(self, read: Callable[[], str] | None) -> None:
        """Show another log; `read` is called in a thread and gives its end."""
        self._read = read
        self._work = None
        self.text.clear()
        if self.toggle.isChecked():
            self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        read = self._read
        if read is None or self._work is not None:
            return

        def run(_report: Callable[[object], None], _cancelled: Callable[[], bool]) -> str:
            return read()

        self._work = Work(run, name="run-log", parent=self)
        self._work.succeeded.connect(self._on_read)
        self._work.failed.connect(self._on_failed)
        self._work.ended.connect(self._on_ended)
        self._work.start()

    def close_log(self) -> None:
        """Stop reading."""
        self._timer.stop()
        self._read = self._work = None
        for reader in self.findChildren(Work):
            reader.wait(2.0)

    def _on_toggled(self, on: bool) -> None:
        self.toggle.setIcon(icons.icon("chevron-down" if on else "chevron-right", "muted"))
        self.text.setVisible(on)
        self.copy.setVisible(on)
        if on:
            self.refresh()
            self.unfolded.emit()
        self._set_timer()

    def _set_timer(self) -> None:
        if self.toggle.isChecked() and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def _on_read(self, text: str) -> None:
        if self.sender() is not self._work:
            return
        text = text or _EMPTY
        if text == self.text.toPlainText():
            return
        bar = self.text.verticalScrollBar()
        at_end, place = bar.value() >= bar.maximum() - 2, bar.value()
        self.text.setPlainText(text)
        bar.setValue(bar.maximum() if at_end else min(place, bar.maximum()))

    def _on_failed(self, error: VvlmError) -> None:
        if self.sender() is self._work:
            self.text.setPlainText(str(error))

    def _on_ended(self) -> None:
        sender = self.sender()
        if sender is self._work:
            self._work = None
        if isinstance(sender, Work):
            sender.deleteLater()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._set_timer()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._set_timer()
