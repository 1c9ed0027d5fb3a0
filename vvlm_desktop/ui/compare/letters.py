"""The letter of a side in its colour."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.sides import ALL_LETTERS, INKS


class SideLetter(QWidget):
    """A letter that stands before what it names."""

    def __init__(self, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self.setFixedSize(QSize(theme.px(14), theme.px(20)))
        self.setAccessibleName(ALL_LETTERS[side])

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.colour(INKS[self._side]))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, ALL_LETTERS[self._side])
