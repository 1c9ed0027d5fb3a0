"""Told over the cards where the packages of local models are not installed: the command, and a button that runs it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPlainTextEdit, QProgressBar, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.labels import label

_MOST_LINES = 2000


class InstallCard(QFrame):
    """Says what is missing and what to do; what the installation prints folds out."""

    install_pressed = Signal()
    stop_pressed = Signal()

    def __init__(self, command: str, *, can_install: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._can_install = can_install
        self.setProperty("surface", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(theme.GAP)
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        self.icon = IconView("info", ink="doubtful", size_px=20)
        self.title = label("The packages for local models are not installed", "strong")
        head.addWidget(self.icon)
        head.addWidget(self.title, 1)
        column.addLayout(head)
        self.sentence = label("", "muted", wrap=True)
        column.addWidget(self.sentence)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        self.command = QLineEdit(command)
        self.command.setReadOnly(True)
        self.command.setFont(theme.font("mono"))
        self.command.setAccessibleName("Command that installs them")
        self.command.setCursorPosition(0)
        self.copy = IconButton("copy", "Copy the command", self._on_copy)
        self.install = button("Install now", self.install_pressed.emit, kind="primary", icon="download")
        self.install.setVisible(can_install)
        self.stop = button("Stop", self.stop_pressed.emit)
        self.stop.setAccessibleName("Stop the installation")
        row.addWidget(self.command, 1)
        row.addWidget(self.copy)
        row.addWidget(self.install)
        row.addWidget(self.stop)
        column.addLayout(row)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName("Installing")
        column.addWidget(self.bar)
        self.last = label("", "small", wrap=True)
        self.toggle = button("Show what it says", kind="plain")
        self.toggle.setCheckable(True)
        foot = QHBoxLayout()
        foot.addWidget(self.last, 1)
        foot.addWidget(self.toggle, alignment=Qt.AlignmentFlag.AlignRight)
        column.addLayout(foot)
        self.output = QPlainTextEdit()
        self.output.setReadOnly(True)
        self.output.setFont(theme.font("mono"))
        self.output.setMaximumBlockCount(_MOST_LINES)
        self.output.setFixedHeight(theme.px(160))
        self.output.setAccessibleName("What the installation says")
        self.toggle.toggled.connect(self.output.setVisible)
        column.addWidget(self.output)
        self.output.hide()
        self.show_idle(())

    def show_idle(self, missing: tuple[str, ...], *, failed: str = "") -> None:
        """Nothing is being installed; `missing` packages by name, and why the last try failed."""
        names = ", ".join(missing) or "the packages"
        self.sentence.setText(
            f"Missing: {names}. They take about 2 GB, with an NVIDIA GPU several more, and"
            " come from the internet. The built-in analysis works without them."
        )
        self._show_running(False)
        self.last.setText(failed)
        self.last.setVisible(bool(failed))

    def show_running(self) -> None:
        """An installation has begun."""
        self.output.clear()
        self.sentence.setText("Installing in the background. You can go on reviewing; this page says when it is done.")
        self._show_running(True)
        self.last.setText("")
        self.last.show()

    def add_line(self, line: str) -> None:
        """One line of what the installation prints."""
        self.output.appendPlainText(line)
        if line.strip():
            self.last.setText(line.strip()[:200])

    def _show_running(self, running: bool) -> None:
        had_focus = self.window().focusWidget() in {self.install, self.stop}
        self.bar.setVisible(running)
        self.stop.setVisible(running)
        self.install.setVisible(self._can_install and not running)
        self.toggle.setVisible(running or bool(self.output.toPlainText()))
        self.setAccessibleName(f"{self.title.text()}. {self.sentence.text()}")
        if had_focus:
            (self.stop if running else self.install).setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command.text())
