"""Painting of a plot: axes, grid, curves, and the read-out beside the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.plot_scale import Floats, Unit, as_arrays, number_words, thinned, tick_words, ticks
from vvlm_desktop.ui.training.plot_style import CurveStyle, paint_sample, paint_shape

#: Shapes are drawn on a curve's points only where they do not touch.
_SHAPE_EVERY_PX = 9
_SAMPLE_PX = 22


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve: `xs` are steps and rise."""

    key: str
    title: str
    xs: Floats
    ys: Floats
    style: CurveStyle


def curve(key: str, title: str, points: Sequence[tuple[int, float]], style: CurveStyle) -> Curve:
    """A curve of points as runs tell them; those that are no numbers are left out."""
    return Curve(key, title, *as_arrays(points), style)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where numbers lie on the screen."""

    area: QRectF
    steps: tuple[float, float]
    values: tuple[float, float]

    def x(self, step: float) -> float:
        """Across."""
        low, high = self.steps
        return self.area.left() + (step - low) / max(1e-12, high - low) * self.area.width()

    def y(self, value: float) -> float:
        """Down."""
        low, high = self.values
        return self.area.bottom() - (value - low) / max(1e-300, high - low) * self.area.height()

    def step(self, x: float) -> float:
        """The step at a place."""
        low, high = self.steps
        return low + (x - self.area.left()) / max(1.0, self.area.width()) * (high - low)


def frame_for(rect: QRectF, *, steps: tuple[float, float], values: tuple[float, float], unit: Unit) -> Frame:
    """The frame that leaves room for the numbers beside it."""
    metrics = QFontMetricsF(theme.font("small"))
    words = tick_words(_value_ticks(rect.height(), values), unit)
    left = max((metrics.horizontalAdvance(word) for word in words), default=20.0) + 10
    area = QRectF(rect.left() + left, rect.top() + 7, rect.width() - left - 10, rect.height() - metrics.height() - 15)
    return Frame(area, steps, values)


def _value_ticks(height: float, values: tuple[float, float]) -> list[float]:
    return ticks(*values, most=max(2, int(height / theme.px(34))))


def paint_axes(painter: QPainter, frame: Frame, unit: Unit) -> None:
    """Draw grid and numbers."""
    painter.setFont(theme.font("small"))
    metrics = QFontMetricsF(painter.font())
    area = frame.area
    values = _value_ticks(area.height() + 15 + metrics.height(), frame.values)
    for value, words in zip(values, tick_words(values, unit), strict=True):
        y = round(frame.y(value)) + 0.5
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(theme.colour("muted"))
        room = QRectF(0, y - metrics.height() / 2, area.left() - 6, metrics.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
    steps = ticks(*frame.steps, most=max(2, int(area.width() / theme.px(70))), whole=True)
    for step, words in zip(steps, tick_words(steps, "steps"), strict=True):
        x = round(frame.x(step)) + 0.5
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
        width = metrics.horizontalAdvance(words)
        left = min(max(area.left() - 4, x - width / 2), area.right() + 10 - width)
        painter.setPen(theme.colour("muted"))
        painter.drawText(QPointF(left, area.bottom() + 5 + metrics.ascent()), words)


def paint_curve(painter: QPainter, frame: Frame, of: Curve) -> None:
    """Draw a curve within its frame."""
    columns = max(1, int(frame.area.width()))
    xs, ys = thinned(of.xs, of.ys, low=frame.steps[0], high=frame.steps[1], columns=columns)
    if not len(xs):
        return
    # Far outside the frame, as after zooming in, coordinates would overflow the painter's own.
    down = np.clip([frame.y(0.0) + (frame.y(1.0) - frame.y(0.0)) * ys], -1e5, 1e5)[0]
    across = np.clip([frame.x(0.0) + (frame.x(1.0) - frame.x(0.0)) * xs], -1e5, 1e5)[0]
    points = [QPointF(x, y) for x, y in zip(across.tolist(), down.tolist(), strict=True)]
    painter.save()
    painter.setClipRect(frame.area.adjusted(-5, -5, 5, 5))
    painter.setPen(of.style.pen())
    painter.drawPolyline(QPolygonF(points))
    apart = frame.area.width() / max(1, len(points))
    if of.style.shape != "none" and (apart >= _SHAPE_EVERY_PX or len(points) == 1):
        for point in points:
            paint_shape(painter, point, of.style)
    elif of.style.shape != "none":
        for point in points[:: max(1, round(theme.px(40) / apart))]:
            paint_shape(painter, point, of.style)
    elif len(points) == 1:
        painter.setBrush(theme.colour(of.style.ink))
        painter.drawEllipse(points[0], 2.5, 2.5)
    painter.restore()


@dataclass(frozen=True, slots=True)
class Reading:
    """A line of the read-out: which curve, and its value there; `step` where that is an earlier one."""

    of: Curve
    step: int
    value: float


def paint_cursor(painter: QPainter, frame: Frame, step: int, readings: Sequence[Reading]) -> None:
    """Draw a line at `step` and mark the values on it."""
    x = round(frame.x(step)) + 0.5
    painter.setPen(QPen(theme.colour("muted"), 1))
    painter.drawLine(QPointF(x, frame.area.top()), QPointF(x, frame.area.bottom()))
    for reading in readings:
        at = QPointF(frame.x(reading.step), frame.y(reading.value))
        if not reading.of.style.faint and frame.area.adjusted(-2, -2, 2, 2).contains(at):
            painter.setPen(QPen(theme.colour("panel"), 1.5))
            painter.setBrush(theme.colour(reading.of.style.ink))
            painter.drawEllipse(at, 4, 4)


def paint_read_out(painter: QPainter, frame: Frame, step: int, readings: Sequence[Reading], *, unit: Unit) -> None:
    """Draw a box beside the cursor with what the curves say there; as many lines as fit."""
    painter.setFont(theme.font("small"))
    metrics = QFontMetricsF(painter.font())
    line = metrics.height() + 3
    fitting = max(1, int((frame.area.height() - 8) / line) - 1)
    left_out = len(readings) - fitting
    shown = readings if left_out <= 0 else readings[: fitting - 1]
    rows = [(reading, number_words(reading.value, unit)) for reading in shown]
    more = f"and {len(readings) - len(shown)} more" if left_out > 0 else ""
    titles = [reading.of.title for reading, _ in rows]
    head = f"Step {step:,}"
    names = max([metrics.horizontalAdvance(title) for title in titles], default=0.0)
    numbers = max([metrics.horizontalAdvance(words) for _, words in rows], default=0.0)
    width = max(metrics.horizontalAdvance(head), _SAMPLE_PX + 6 + names + 14 + numbers) + 16
    height = line * (1 + len(rows) + bool(more)) + 8
    x = frame.x(step)
    left = x + 12 if x + 12 + width <= frame.area.right() + 8 else x - 12 - width
    box = QRectF(max(frame.area.left() - 8, left), frame.area.top() + 2, width, height)
    painter.setPen(QPen(theme.colour("line"), 1))
    painter.setBrush(theme.colour("raised", alpha=0.95))
    painter.drawRoundedRect(box, theme.RADIUS, theme.RADIUS)
    inner = box.adjusted(8, 4, -8, -4)
    painter.setPen(theme.colour("muted"))
    painter.drawText(QPointF(inner.left(), inner.top() + metrics.ascent()), head)
    for number, (reading, words) in enumerate(rows, start=1):
        top = inner.top() + number * line
        paint_sample(painter, QRectF(inner.left(), top, _SAMPLE_PX, metrics.height()), reading.of.style)
        painter.setPen(theme.colour("text"))
        room = QRectF(inner.left() + _SAMPLE_PX + 6, top, inner.width() - _SAMPLE_PX - 6, metrics.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft, reading.of.title)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight, words)
    if more:
        painter.setPen(theme.colour("muted"))
        painter.drawText(QPointF(inner.left(), inner.top() + (len(rows) + 1) * line + metrics.ascent()), more)
