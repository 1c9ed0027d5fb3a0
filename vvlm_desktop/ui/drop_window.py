"""A window on which files can be dropped, wherever."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QWidget
from typing_extensions import override

from vvlm_desktop.ui.widgets.drop_hint import DropHint


class DropWindow(QMainWindow):
    """Says what a drop would do while something is dragged over it."""

    _drop_hint: DropHint

    def add_paths(self, given: Sequence[Path]) -> None:
        """Take what was dropped."""
        raise NotImplementedError

    def _take_drops(self, over: QWidget) -> None:
        self._drop_hint = DropHint("Drop to add to the library", parent=over)
        self.setAcceptDrops(True)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._drop_hint.isVisible():
            self._drop_hint.show_hint()

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._drop_hint.show_hint()

    @override
    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop_hint.hide()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        self._drop_hint.hide()
        event.acceptProposedAction()
        self.add_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self._drop_hint.hide()
