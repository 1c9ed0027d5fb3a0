"""How curves are told apart: by colour, by dashes and by the shape of their points, so that none is needed alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from vvlm_desktop.ui import theme

Shape: TypeAlias = Literal["none", "disc", "square", "up", "diamond", "down", "cross", "ring"]

_INKS = ("accent", "doubtful", "model", "good", "bad", "text")
_SHAPES: tuple[Shape, ...] = ("disc", "square", "up", "diamond", "down", "cross", "ring")
#: In units of the line's width.
_DASHES: tuple[tuple[float, ...], ...] = ((), (6, 3), (1.5, 3), (7, 3, 1.5, 3), (3, 2))
_CORNERS: dict[str, tuple[tuple[float, float], ...]] = {
    "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "up": ((0, -1.1), (1.05, 0.85), (-1.05, 0.85)),
    "down": ((0, 1.1), (1.05, -0.85), (-1.05, -0.85)),
    "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
}


@dataclass(frozen=True, slots=True)
class CurveStyle:
    """Colour token, dashes and shape of a curve; a faint one lies behind the others."""

    ink: str = "accent"
    dash: tuple[float, ...] = ()
    shape: Shape = "none"
    faint: bool = False

    def pen(self) -> QPen:
        """To draw its line with."""
        pen = QPen(theme.colour(self.ink, alpha=0.35 if self.faint else 1.0), 1.0 if self.faint else 1.6)
        pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)  # round ones cost several times as much on jagged curves
        if self.dash:
            pen.setDashPattern(self.dash)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        return pen


def style_of(number: int) -> CurveStyle:
    """The style of the `number`-th of many curves; 7 shapes and 6 colours repeat together only after 42."""
    return CurveStyle(
        _INKS[number % len(_INKS)], _DASHES[number % len(_DASHES)], _SHAPES[number % len(_SHAPES)], faint=False
    )


def paint_shape(painter: QPainter, at: QPointF, style: CurveStyle, *, size_px: float = 3.2) -> None:
    """Draw a curve's shape around `at`."""
    ink = theme.colour(style.ink)
    painter.setPen(QPen(ink, 1.4))
    painter.setBrush(ink if style.shape not in {"ring", "cross"} else theme.colour("panel"))
    if style.shape in {"disc", "ring"}:
        painter.drawEllipse(at, size_px, size_px)
    elif style.shape == "cross":
        for sign in (1, -1):
            painter.drawLine(at + QPointF(-size_px, -sign * size_px), at + QPointF(size_px, sign * size_px))
    elif style.shape in _CORNERS:
        corners = [at + QPointF(x * size_px, y * size_px) for x, y in _CORNERS[style.shape]]
        painter.drawPolygon(QPolygonF(corners))


def paint_sample(painter: QPainter, rect: QRectF, style: CurveStyle) -> None:
    """Draw a piece of line with its shape, for a legend."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = math.floor(rect.center().y()) + 0.5
    painter.setPen(style.pen())
    painter.drawLine(QPointF(rect.left(), middle), QPointF(rect.right(), middle))
    paint_shape(painter, QPointF(rect.center().x(), middle), style)
    painter.restore()
