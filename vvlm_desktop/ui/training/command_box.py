"""The exact command for a terminal, to be read and copied."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import shown

_HEIGHT_PX = 300


class CommandBox(QFrame):
    """Does what the buttons do, elsewhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.addWidget(label("The same in a terminal", "strong"))
        row.addStretch(1)
        self.copy = button("Copy", self.copy_command, icon="copy")
        self.copy.setAccessibleName("Copy the command")
        row.addWidget(self.copy)
        column.addLayout(row)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFont(theme.font("mono"))
        self.text.setAccessibleName("Command")
        self.text.setFixedHeight(theme.px(_HEIGHT_PX))
        column.addWidget(self.text)
        self.show_command("")

    def show_command(self, command: str) -> None:
        """Show a command; none where the run cannot be planned."""
        if self.text.toPlainText() != shown(command):
            self.text.setPlainText(shown(command))
        self.text.setPlaceholderText("Appears when a set and a model are chosen and every value is allowed.")
        self.copy.setEnabled(bool(command))
        self.copy.setText("Copy")

    def copy_command(self) -> None:
        """Put it on the clipboard."""
        if self.copy.isEnabled():
            QGuiApplication.clipboard().setText(self.text.toPlainText())
            self.copy.setText("Copied")
