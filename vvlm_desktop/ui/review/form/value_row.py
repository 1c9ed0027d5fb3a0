"""One value that can be chosen: its key, its label, and whether it was chosen and said."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.labels import paint_key_cap
from vvlm_desktop.ui.widgets.marks import VERDICT_MARKS, paint_mark


class ValueRow(QAbstractButton):
    """A row of a field's card; `value_key` is what it stands for."""

    hovered = Signal(object)  # value key, None when the mouse leaves

    def __init__(self, value_key: str, label: str, key: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.value_key = value_key
        self._key = key
        self._chosen = False
        self._said = ""
        self._verdict = ""
        self.setText(label)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._name()

    @property
    def chosen(self) -> bool:
        """Whether the value holds."""
        return self._chosen

    def show_state(self, *, chosen: bool, said: str, verdict: str) -> None:
        """Show whether it holds, who said it (a word, empty for nobody), and the reviewer's verdict on the field."""
        if (chosen, said, verdict) != (self._chosen, self._said, self._verdict):
            self._chosen, self._said, self._verdict = chosen, said, verdict
            self._name()
            self.update()

    def _name(self) -> None:
        parts = [f"{self._key} {self.text()}", "chosen" if self._chosen else "", self._said]
        self.setAccessibleName(", ".join(part for part in parts if part))

    @override
    def sizeHint(self) -> QSize:
        return QSize(theme.px(200), theme.px(28))

    @override
    def enterEvent(self, event: QEnterEvent) -> None:
        self.hovered.emit(self.value_key)
        self.update()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self._chosen:
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(theme.colour("selected"))
            painter.drawRoundedRect(rect, 4, 4)
        elif self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("line", alpha=0.5))
            painter.drawRoundedRect(rect, 4, 4)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("text"), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(2, 2, -2, -2), 3, 3)
        painter.setFont(theme.font("small"))
        side = QFontMetricsF(painter.font()).height() + 4
        cap = QRectF(8, (self.height() - side) / 2, side, side)
        paint_key_cap(painter, cap, self._key)
        right = self._paint_right(painter, rect.right() - 8)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.colour("text"))
        left = cap.right() + 9
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(right - left))
        painter.drawText(QRectF(left, 0, right - left, self.height()), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_right(self, painter: QPainter, right: float) -> float:
        """The marks at the end of the row; gives where the label has to end."""
        if self._chosen and self._verdict in VERDICT_MARKS:
            mark, token = VERDICT_MARKS[self._verdict]
            side = theme.px(11)
            paint_mark(painter, QRectF(right - side, (self.height() - side) / 2, side, side), mark, theme.colour(token))
            right -= side + 8
        if self._said:
            painter.setFont(theme.font("small"))
            painter.setPen(theme.colour("model"))
            width = QFontMetricsF(painter.font()).horizontalAdvance(self._said) + 1
            area = QRectF(right - width, 0, width, self.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._said)
            right -= width + 8
        return right
