"""Evidence times of a field: a click jumps there, the small cross removes one."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.labels import paint_key_cap
from vvlm_desktop.ui.widgets.marks import Mark, paint_mark


class TimeChip(QAbstractButton):
    """A time that can be jumped to."""

    removed = Signal()

    def __init__(
        self,
        text: str,
        *,
        ink: str = "text",
        mark: Mark = "play",
        key: str = "",
        removable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._ink, self._mark, self._key, self._removable = ink, mark, key, removable
        self.setText(text)
        self.setFont(theme.font("body"))
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Go to {text}" if mark == "play" else text)
        if removable:
            self.setToolTip("Click goes there; the cross, or Delete, removes it")

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        width = metrics.horizontalAdvance(self.text()) + 18 + theme.px(15)
        extra = theme.px(20) if self._removable else 0
        extra += theme.px(22) if self._key else 0
        return QSize(width + extra, metrics.height() + 8)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        edge = "accent" if self.hasFocus() else "muted" if self.underMouse() else "line"
        painter.setPen(QPen(theme.colour(edge), 1))
        painter.setBrush(theme.colour("raised"))
        painter.drawRoundedRect(rect, 4, 4)
        side = theme.px(9)
        paint_mark(painter, QRectF(9, (self.height() - side) / 2, side, side), self._mark, theme.colour(self._ink))
        painter.setFont(self.font())
        painter.setPen(theme.colour(self._ink))
        left = 9 + side + 6
        painter.drawText(
            QRectF(left, 0, self.width() - left, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text()
        )
        if self._key:
            painter.setFont(theme.font("small"))
            cap = QFontMetricsF(painter.font()).height() + 3
            paint_key_cap(painter, QRectF(self.width() - cap - 7, (self.height() - cap) / 2, cap, cap), self._key)
        if self._removable:
            area = self._cross()
            token = "text" if self.underMouse() else "muted"
            paint_mark(painter, area.adjusted(2, 2, -2, -2), "cross", theme.colour(token))

    def _cross(self) -> QRectF:
        side = theme.px(12)
        return QRectF(self.width() - side - 7, (self.height() - side) / 2, side, side)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._removable and self._cross().adjusted(-3, -3, 3, 3).contains(QPointF(event.position())):
            self.setDown(False)
            self.removed.emit()
            return
        super().mouseReleaseEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._removable and event.key() == Qt.Key.Key_Delete:
            self.removed.emit()
            return
        super().keyPressEvent(event)


class ChipRow(QWidget):
    """Chips that flow; rebuilt when what they show changes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.flow = FlowLayout(self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def clear(self) -> None:
        """Remove every chip."""
        while (item := self.flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()

    def add(self, chip: QWidget) -> None:
        """Append a chip."""
        self.flow.addWidget(chip)
        chip.show()
