"""Shown over the window while files are dragged above it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.ui import icons, theme


class DropHint(QWidget):
    """A frame and a sentence; it takes no part in the drag itself."""

    def __init__(self, sentence: str, *, parent: QWidget) -> None:
        super().__init__(parent)
        self._sentence = sentence
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(sentence)
        self.hide()

    def show_hint(self) -> None:
        """Cover the parent."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        painter.fillRect(area, theme.colour("background", alpha=0.85))
        painter.setPen(QPen(theme.colour("accent"), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(area.adjusted(16, 16, -16, -16), 8, 8)
        side = theme.px(36)
        middle = area.center()
        icons.paint(painter, QRectF(middle.x() - side / 2, middle.y() - side, side, side), "add-folder", "accent")
        painter.setFont(theme.font("title"))
        painter.setPen(theme.colour("text"))
        below = QRectF(0, middle.y() + theme.GAP, area.width(), theme.px(30))
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, self._sentence)
