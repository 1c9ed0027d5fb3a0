"""The steps of the page, as a line of words: which one is shown, and which run it is about."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme

STEPS: tuple[tuple[str, str], ...] = (("data", "Data"), ("run", "Run"), ("result", "Result"))
_CIRCLE_PX = 18


class StepButton(QAbstractButton):
    """A number in a circle, and a word."""

    def __init__(self, number: int, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number = str(number)
        self.setText(title)
        self.setCheckable(True)
        self.setAccessibleName(f"Step {number}: {title}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @override
    def sizeHint(self) -> QSize:
        self.setFont(theme.font("strong"))
        width = theme.px(_CIRCLE_PX) + theme.GAP + self.fontMetrics().horizontalAdvance(self.text()) + 2 * theme.PAD
        return QSize(width, theme.px(34))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        side = theme.px(_CIRCLE_PX)
        circle = QRectF(theme.PAD, (self.height() - side) / 2, side, side).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.colour("accent" if on else "line"), 1))
        painter.setBrush(theme.colour("accent") if on else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(circle)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.colour("on_accent" if on else "muted"))
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, self._number)
        painter.setFont(theme.font("strong" if on else "body"))
        painter.setPen(theme.colour("text" if on or self.underMouse() else "muted"))
        words = QRectF(circle.right() + theme.GAP, 0, self.width(), self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        if on:
            painter.fillRect(
                QRectF(theme.PAD, self.height() - 2, self.width() - 2 * theme.PAD, 2), theme.colour("accent")
            )
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2.5, 2.5, -2.5, -2.5), theme.RADIUS, theme.RADIUS)


class StepBar(QWidget):
    """Data, Run, Result."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Steps")
        self._group = QButtonGroup(self)
        self.buttons: dict[str, StepButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for number, (key, title) in enumerate(STEPS, start=1):
            item = StepButton(number, title)
            item.clicked.connect(partial(self.chosen.emit, key))
            self._group.addButton(item)
            self.buttons[key] = item
            row.addWidget(item)

    def show_step(self, key: str) -> None:
        """Mark a step; none where `key` is none of them."""
        self._group.setExclusive(key in self.buttons)
        for name, item in self.buttons.items():
            item.setChecked(name == key)
