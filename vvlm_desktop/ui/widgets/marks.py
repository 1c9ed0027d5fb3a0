"""Shapes that carry meaning beside a word: confidence, verdicts and statuses, drawn, never glyphs of a font."""

from __future__ import annotations

import math
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme

Mark = Literal[
    "dot", "half", "ring", "check", "pencil", "cross", "dash", "warning", "diamond", "flag", "star", "up", "play"
]
ConfidenceLevel = Literal["sure", "unsure", "guess"]

CONFIDENCE_MARKS: dict[ConfidenceLevel, Mark] = {"sure": "dot", "unsure": "half", "guess": "ring"}
VERDICT_MARKS: dict[str, tuple[Mark, str]] = {
    "accepted": ("check", "good"),
    "corrected": ("pencil", "good"),
    "rejected": ("cross", "bad"),
}
#: status → word, shape, colour
STATUS_MARKS: dict[str, tuple[str, Mark, str]] = {
    "needs_review": ("Needs review", "ring", "muted"),
    "in_review": ("In review", "half", "accent"),
    "reviewed": ("Reviewed", "check", "good"),
    "needs_coaching": ("Needs coaching", "flag", "doubtful"),
    "coached": ("Coached", "check", "good"),
    "needs_recognition": ("Needs recognition", "star", "doubtful"),
    "recognized": ("Recognised", "star", "good"),
    "escalated": ("Escalated", "up", "bad"),
    "contested": ("Contested", "diamond", "doubtful"),
    "dismissed": ("Dismissed", "dash", "muted"),
}


def paint_mark(painter: QPainter, rect: QRectF, mark: Mark, colour: QColor) -> None:
    """Draw `mark` as large as fits into the square in the middle of `rect`."""
    side = min(rect.width(), rect.height())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.center().x() - side / 2, rect.center().y() - side / 2)
    painter.scale(side / 12, side / 12)
    pen = QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _DRAW[mark](painter, colour)
    painter.restore()


def _dot(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(1.5, 1.5, 9, 9))


def _ring(painter: QPainter, _colour: QColor) -> None:
    painter.drawEllipse(QRectF(1.5, 1.5, 9, 9))


def _half(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(QRectF(1.5, 1.5, 9, 9))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPie(QRectF(1.5, 1.5, 9, 9), 90 * 16, 180 * 16)


def _lines(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points])


def _check(painter: QPainter, _colour: QColor) -> None:
    painter.drawPolyline(_lines((1.8, 6.4), (4.6, 9.2), (10.2, 3)))


def _pencil(painter: QPainter, _colour: QColor) -> None:
    painter.drawPolygon(_lines((1.8, 10.2), (2.4, 7.6), (8.4, 1.6), (10.4, 3.6), (4.4, 9.6)))


def _cross(painter: QPainter, _colour: QColor) -> None:
    painter.drawLine(QPointF(2.4, 2.4), QPointF(9.6, 9.6))
    painter.drawLine(QPointF(9.6, 2.4), QPointF(2.4, 9.6))


def _dash(painter: QPainter, _colour: QColor) -> None:
    painter.drawLine(QPointF(2.5, 6), QPointF(9.5, 6))


def _warning(painter: QPainter, _colour: QColor) -> None:
    painter.drawPolygon(_lines((6, 1.4), (11.2, 10.6), (0.8, 10.6)))
    painter.drawLine(QPointF(6, 5), QPointF(6, 7.2))
    painter.drawPoint(QPointF(6, 9))


def _diamond(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawPolygon(_lines((6, 1.5), (10.5, 6), (6, 10.5), (1.5, 6)))


def _flag(painter: QPainter, _colour: QColor) -> None:
    painter.drawPolyline(_lines((2.8, 11), (2.8, 1.6), (10, 1.6), (8, 4.2), (10, 6.8), (2.8, 6.8)))


def _star(painter: QPainter, _colour: QColor) -> None:
    path = QPainterPath()
    for corner in range(10):
        radius = 5.2 if corner % 2 == 0 else 2.2
        angle = math.pi * corner / 5 - math.pi / 2
        point = QPointF(6 + radius * math.cos(angle), 6.3 + radius * math.sin(angle))
        path.lineTo(point) if corner else path.moveTo(point)
    path.closeSubpath()
    painter.drawPath(path)


def _up(painter: QPainter, _colour: QColor) -> None:
    painter.drawLine(QPointF(6, 10.5), QPointF(6, 2))
    painter.drawPolyline(_lines((2.4, 5.4), (6, 1.8), (9.6, 5.4)))


def _play(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawPolygon(_lines((3, 2), (10, 6), (3, 10)))


_DRAW = {
    "dot": _dot,
    "half": _half,
    "ring": _ring,
    "check": _check,
    "pencil": _pencil,
    "cross": _cross,
    "dash": _dash,
    "warning": _warning,
    "diamond": _diamond,
    "flag": _flag,
    "star": _star,
    "up": _up,
    "play": _play,
}


def status_mark(status: str, *, readable: bool = True) -> tuple[str, Mark, str]:
    """Word, shape and colour of a clip's status; a clip that nobody can look at does not wait for a review."""
    if not readable and status == "needs_review":
        return "Unreadable", "dash", "muted"
    return STATUS_MARKS[status]


class MarkLabel(QWidget):
    """A shape and its word, in one colour: "● sure", "✓ Reviewed", "⚠ cut off after 7 s"."""

    def __init__(
        self, mark: Mark | None = None, text: str = "", *, ink: str = "muted", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._mark: Mark | None = None
        self._text = ""
        self._ink = ink
        self.show_mark(mark, text, ink=ink)

    def show_mark(self, mark: Mark | None, text: str = "", *, ink: str | None = None) -> None:
        """Show another shape, word or colour; nothing at all where `mark` is None and `text` empty."""
        self._mark, self._text, self._ink = mark, text, ink or self._ink
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        """The word."""
        return self._text

    @property
    def mark(self) -> Mark | None:
        """The shape."""
        return self._mark

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        mark = metrics.ascent() + (4 if self._text else 0) if self._mark else 0
        return QSize(mark + metrics.horizontalAdvance(self._text) + 1, metrics.height())

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = theme.colour(self._ink)
        metrics = self.fontMetrics()
        left = 0.0
        if self._mark:
            side = metrics.ascent()
            paint_mark(painter, QRectF(0, (self.height() - side) / 2, side, side), self._mark, colour)
            left = side + 4
        painter.setPen(colour)
        area = QRectF(left, 0, self.width() - left, self.height())
        elided = metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, int(area.width()) + 1)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)
