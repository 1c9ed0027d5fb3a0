"""How the timeline's lanes are drawn: filmstrip, the model's frames, curves, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.timeline_model import MARK_LOOKS, CurveLane, EventMark, TimelineModel, View

LaneKind = Literal["frames", "seen", "curve", "events"]

_RADIUS = 3
_MARK_HEIGHT = 17


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the timeline."""

    kind: LaneKind
    name: str
    top: float
    height: float
    curve: CurveLane | None = None


_USUAL_CURVES = ("motion", "brightness", "sound")


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """An event mark and the rectangle it has on the widget."""

    mark: EventMark
    rect: QRectF


def lay_out(model: TimelineModel, *, compact: bool, top: float, rows: int = 1) -> tuple[Lane, ...]:
    """The rows there are; a compact timeline keeps the frames, one activity curve and the events.

    Args:
        model: what there is to show.
        compact: little height.
        top: where the first row starts.
        rows: how many rows overlapping events take.
    """
    scale = theme.px(100) / 100
    gap = (5 if compact else 7) * scale
    lanes: list[Lane] = []

    def add(kind: LaneKind, name: str, height: float, curve: CurveLane | None = None) -> None:
        nonlocal top
        lanes.append(Lane(kind, name, top, height * scale, curve))
        top += height * scale + gap

    add("frames", "frames", 30 if compact else 42)
    add("seen", "model saw", 14)
    # The rows are there before anything was measured: the picture must not change its size while it is looked at.
    by_name = {each.name: each for each in model.curves}
    if compact:
        add("curve", "activity", 16, next(iter(model.curves), None))
    else:
        for name in dict.fromkeys((*_USUAL_CURVES, *by_name)):
            add("curve", name, 18, by_name.get(name))
    add("events", "events", _MARK_HEIGHT * rows + 2 * (rows - 1))
    return tuple(lanes)


def bottom(lanes: Sequence[Lane]) -> float:
    """Where the last row ends."""
    return max((lane.top + lane.height for lane in lanes), default=0.0)


def paint_lane_name(painter: QPainter, lane: Lane, right_px: float) -> None:
    """The word in front of a row."""
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour("muted"))
    rect = QRectF(theme.MARGIN, lane.top, right_px - theme.MARGIN - 6, lane.height)
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, lane.name)


def paint_track(painter: QPainter, lane: Lane, view: View) -> None:
    """The ground of a row."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("raised"))
    painter.drawRoundedRect(QRectF(view.left_px, lane.top, view.width_px, lane.height), _RADIUS, _RADIUS)


def paint_filmstrip(painter: QPainter, lane: Lane, view: View, slots: Mapping[int, QImage], *, count: int) -> None:
    """Pictures side by side, each cropped to its share of the row; a place stays plain until its picture is there."""
    step = view.width_px / max(1, count)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for number in range(count):
        picture = slots.get(number)
        left = round(view.left_px + number * step)
        rect = QRectF(left, lane.top, round(view.left_px + (number + 1) * step) - left - 1, lane.height)
        if picture is None or picture.isNull():
            continue
        zoom = max(rect.width() / picture.width(), rect.height() / picture.height())
        width, height = rect.width() / zoom, rect.height() / zoom
        source = QRectF((picture.width() - width) / 2, (picture.height() - height) / 2, width, height)
        painter.drawImage(rect, picture, source)


def paint_seen(painter: QPainter, lane: Lane, view: View, model: TimelineModel) -> None:
    """A triangle for each frame that the analysis was given; lighter for earlier looks, a bar for what they led to."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    if model.looks:
        painter.setBrush(theme.colour("model", alpha=0.22))
        for start_s, end_s in model.looks[-1].spans_s:
            left, right = view.x(start_s), max(view.x(end_s), view.x(start_s) + 2)
            painter.drawRect(QRectF(left, lane.top, right - left, lane.height))
        for look in model.looks[:-1]:
            paint_frames(painter, lane, view, look.seen_s, alpha=0.4)
    paint_frames(painter, lane, view, model.seen_s)


def paint_frames(
    painter: QPainter, lane: Lane, view: View, seen_s: Sequence[float], *, ink: str = "model", alpha: float = 1.0
) -> None:
    """A triangle for each time, as wide as leaves it apart from its neighbour."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(ink, alpha=alpha))
    apart_s = min((b - a for a, b in pairwise(seen_s) if b > a), default=view.end_s - view.start_s)
    spacing = view.x(view.start_s + apart_s) - view.left_px
    half = max(1.5, min(4.5, spacing * 0.4))
    high, low = lane.top + 3, lane.top + lane.height - 2.5
    for seconds in seen_s:
        if view.start_s <= seconds <= view.end_s:
            x = view.x(seconds)
            painter.drawPolygon(QPolygonF([QPointF(x, high), QPointF(x + half, low), QPointF(x - half, low)]))


def paint_curve(painter: QPainter, lane: Lane, view: View) -> None:
    """A quantity as a filled shape or a line, reduced to one point a pixel."""
    if lane.curve is None:
        return
    points = _points(lane, view, lane.curve)
    if len(points) < 2:
        return
    base = lane.top + lane.height - 1
    ink = theme.colour(lane.curve.ink)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if lane.curve.filled:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(lane.curve.ink, alpha=0.6))
        closed = [QPointF(points[0].x(), base), *points, QPointF(points[-1].x(), base)]
        painter.drawPolygon(QPolygonF(closed))
    # Width 1 on purpose: Qt's raster engine is twenty times slower for 1.2.
    painter.setPen(QPen(ink, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(points))


def _points(lane: Lane, view: View, curve: CurveLane) -> list[QPointF]:
    inside = (curve.t_s >= view.start_s) & (curve.t_s <= view.end_s)
    places = np.flatnonzero(inside)
    if len(places) == 0:
        return []
    first, last = max(0, places[0] - 1), min(len(curve.t_s), places[-1] + 2)
    t_s, level = curve.t_s[first:last], curve.level[first:last]
    columns = max(1, int(view.width_px))
    if len(t_s) > 2 * columns:  # the highest of each column: a peak must not vanish
        edges = np.linspace(0, len(t_s), columns + 1, dtype=int)[:-1]
        level = np.maximum.reduceat(level, edges)
        t_s = t_s[edges]
    base, reach = lane.top + lane.height - 1, lane.height - 3
    left, right = view.left_px, view.left_px + view.width_px
    return [
        QPointF(min(max(view.x(float(t)), left), right), base - float(value) * reach)
        for t, value in zip(t_s, level, strict=True)
    ]


def place_marks(
    marks: Sequence[EventMark], view: View, top: float, metrics: QFontMetricsF, *, most_rows: int
) -> list[PlacedMark]:
    """Where each event goes: in the first row in which it covers no other, else in the last."""
    rows: list[float] = []
    placed = []
    for mark in sorted(marks, key=lambda m: (m.start_s, m.end_s)):
        if mark.end_s < view.start_s or mark.start_s > view.end_s:
            continue
        left = max(view.left_px, view.x(mark.start_s))
        width = max(view.x(mark.end_s) - left, metrics.horizontalAdvance(mark.label) + 14)
        left = max(view.left_px, min(left, view.left_px + view.width_px - width))
        row = next((n for n, end in enumerate(rows) if end <= left + 1), len(rows))
        if row == len(rows) and row < most_rows:
            rows.append(0.0)
        row = min(row, most_rows - 1)
        rows[row] = left + width
        scale = theme.px(100) / 100
        height = _MARK_HEIGHT * scale
        placed.append(PlacedMark(mark, QRectF(left, top + row * (height + 2), width, height)))
    return placed


def paint_mark(painter: QPainter, placed: PlacedMark, view: View) -> None:
    """An event with its name; its exact stretch is underlined, since the name may be wider."""
    token, _ = MARK_LOOKS[placed.mark.kind]
    rect = placed.rect.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(
        QPen(theme.colour(token), 1, Qt.PenStyle.DashLine if placed.mark.kind == "candidate" else Qt.PenStyle.SolidLine)
    )
    painter.setBrush(theme.colour(token, alpha=0.16))
    painter.drawRoundedRect(rect, _RADIUS, _RADIUS)
    left = max(rect.left(), view.x(placed.mark.start_s))
    right = min(rect.right(), max(left + 2, view.x(placed.mark.end_s)))
    painter.fillRect(QRectF(left, rect.bottom() - 1.5, right - left, 2), theme.colour(token))
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour(token))
    text = rect.adjusted(6, 0, -6, 0)
    painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, placed.mark.label)
