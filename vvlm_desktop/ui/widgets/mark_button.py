"""A shape and a word that can be pressed: looks like a `MarkLabel` until one points at it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.marks import Mark, paint_mark
from vvlm_desktop.ui.words import plain_tip

_SIDE_PX = 4


class MarkButton(QAbstractButton):
    """Pressed with mouse, Space or Enter."""

    def __init__(
        self, mark: Mark | None = None, text: str = "", *, ink: str = "muted", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._mark: Mark | None = None
        self._ink = ink
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.show_mark(mark, text, ink=ink)

    def show_mark(self, mark: Mark | None, text: str, *, ink: str, tip: str = "") -> None:
        """Show another shape, word or colour."""
        self._mark, self._ink = mark, ink
        self.setText(text)
        self.setAccessibleName(text)
        self.setAccessibleDescription(tip)
        self.setToolTip(plain_tip(tip))
        self.updateGeometry()
        self.update()

    @property
    def mark(self) -> Mark | None:
        """The shape."""
        return self._mark

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        mark = metrics.ascent() + 4 if self._mark else 0
        return QSize(mark + metrics.horizontalAdvance(self.text()) + 2 * _SIDE_PX + 1, metrics.height() + 4)

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = theme.colour(self._ink)
        left, side = float(_SIDE_PX), self.fontMetrics().ascent()
        if self._mark:
            paint_mark(painter, QRectF(left, (self.height() - side) / 2, side, side), self._mark, colour)
            left += side + 4
        font = self.font()
        font.setUnderline(self.underMouse())
        painter.setFont(font)
        painter.setPen(colour)
        area = QRectF(left, 0, self.width() - left, self.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
