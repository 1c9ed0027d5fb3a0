"""Marks over a corner of the picture: its scale, and everything in which it differs from what was recorded."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme

_GAP = 6


class Badges(QWidget):
    """Short texts in the upper left corner; gone where there are none."""

    def __init__(self, on: QWidget) -> None:
        super().__init__(on)
        self._marks: dict[str, str] = {}
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """What is marked, in the order of painting."""
        return tuple(self._marks.values())

    def mark(self, name: str, text: str) -> None:
        """Set the mark called `name`; take it away when the text is empty."""
        if self._marks.get(name, "") == text:
            return
        self._marks.pop(name, None)
        if text:
            self._marks[name] = text
        self.setAccessibleName(". ".join(self.texts))
        self.setVisible(bool(self._marks))
        self.resize(self.sizeHint())
        self.move(theme.GAP, theme.GAP)
        self.raise_()
        self.update()

    @override
    def sizeHint(self) -> QSize:
        widths = [self._width(text) for text in self.texts]
        return QSize(sum(widths) + _GAP * max(0, len(widths) - 1), self.fontMetrics().height() + 8)

    def _width(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text) + 2 * theme.GAP

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = 0
        for name, text in self._marks.items():
            box = QRectF(left, 0, self._width(text), self.height())
            painter.setPen(QPen(theme.colour("doubtful" if name == "look" else "line"), 1))
            painter.setBrush(theme.colour("panel", alpha=0.92))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.setPen(theme.colour("text"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            left += self._width(text) + _GAP
