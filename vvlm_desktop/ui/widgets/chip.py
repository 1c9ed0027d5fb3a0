"""Chips: short labels as pills; doubtful ones have a dashed edge and their confidence's shape."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.marks import Mark, paint_mark

ChipKind = Literal["plain", "doubtful", "model", "good", "bad"]


def chip_size(metrics: QFontMetrics, text: str, *, mark: bool = False) -> QSize:
    """Room that a chip with `text` takes."""
    height = metrics.height() + 6
    return QSize(metrics.horizontalAdvance(text) + 18 + (metrics.ascent() + 3 if mark else 0), height)


def paint_chip(
    painter: QPainter, rect: QRectF, text: str, *, kind: ChipKind = "plain", mark: Mark | None = None
) -> None:
    """Draw a chip that fills `rect`, in the painter's font."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = theme.colour("text" if kind == "plain" else kind)
    edge = QPen(theme.colour("line" if kind == "plain" else kind), 1)
    if kind == "doubtful":
        edge.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(edge)
    painter.setBrush(theme.colour("raised"))
    radius = rect.height() / 2 - 0.5
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    metrics = painter.fontMetrics()
    inner = rect.adjusted(9, 0, -9, 0)
    if mark:
        side = metrics.ascent() - 2
        paint_mark(painter, QRectF(inner.right() - side, rect.center().y() - side / 2, side, side), mark, colour)
        inner.setRight(inner.right() - side - 4)
    painter.setPen(colour)
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    painter.drawText(inner, flags, metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(inner.width()) + 2))
    painter.restore()


class Chip(QAbstractButton):
    """A pill with a label; a click is a `clicked`, so it works by keyboard as well once it may take focus."""

    def __init__(
        self,
        text: str,
        *,
        kind: ChipKind = "plain",
        mark: Mark | None = None,
        clickable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._kind: ChipKind = kind
        self._mark = mark
        self._clickable = clickable
        self.setText(text)
        self.setAccessibleName(text if kind == "plain" else f"{text}, {kind}")
        self.setFont(theme.font("small"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if clickable else Qt.FocusPolicy.NoFocus)
        if clickable:
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_kind(self, kind: ChipKind, mark: Mark | None = None) -> None:
        """Show it as another kind, with or without a shape."""
        self._kind, self._mark = kind, mark
        self.setAccessibleName(self.text() if kind == "plain" else f"{self.text()}, {kind}")
        self.updateGeometry()
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return chip_size(self.fontMetrics(), self.text(), mark=self._mark is not None)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        paint_chip(painter, QRectF(self.rect()), self.text(), kind=self._kind, mark=self._mark)
        if self.hasFocus() or (self._clickable and self.underMouse()):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.colour("accent" if self.hasFocus() else "muted"), 1))
            radius = self.height() / 2 - 0.5
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
