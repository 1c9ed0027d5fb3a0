"""How the timeline's lanes are drawn: filmstrip, the model's frames, curves, events."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.timeline_cells import Cell
from vvlm_desktop.ui.review.timeline_model import MARK_LOOKS, CurveLane, EventMark, TimelineModel, View

LaneKind = Literal["frames", "seen", "curve", "events"]

_RADIUS = 3
#: Triangles that would be closer than this are one.
_LEAST_APART_PX = 3.0
#: A mark on a curve is so wide at least: it can be pointed at.
_LEAST_FLAG_PX = 8.0
_MARK_HEIGHT = 17
#: However short a mark is, its box can be seen; so far from its edges, where the grips are, is its name.
_LEAST_BOX_PX, _TEXT_GAP_PX = 2.0, 8.0
_LOW_HEIGHT = 16
_SCALED_HEIGHT = 24  # two lines: what it is, and from where to where it goes


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the timeline."""

    kind: LaneKind
    name: str
    top: float
    height: float
    curve: CurveLane | None = None


#: Kinds of lanes that cannot be hidden.
KEPT_LANES: frozenset[LaneKind] = frozenset({"frames", "events"})
_USUAL_CURVES = ("motion", "brightness", "sound")


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """An event mark and where it is on the widget.

    Attributes:
        rect: everything of it, where it can be clicked.
        box: from its first to behind its last frame, as long as it is.
        text: where its name stands: within the box, or beside it where that is too short.
    """

    mark: EventMark
    rect: QRectF
    box: QRectF
    text: QRectF


def lay_out(
    model: TimelineModel, *, compact: bool, top: float, rows: int = 1, hidden: frozenset[str] = frozenset()
) -> tuple[Lane, ...]:
    """The rows there are, lower where the timeline is compact.

    Args:
        model: what there is to show.
        compact: little height.
        top: where the first row starts.
        rows: how many rows overlapping events take.
        hidden: names of rows that are left out.
    """
    scale = theme.px(100) / 100
    gap = (5 if compact else 7) * scale
    lanes: list[Lane] = []

    def add(kind: LaneKind, name: str, height: float, curve: CurveLane | None = None) -> None:
        nonlocal top
        if name in hidden and kind not in KEPT_LANES:
            return
        lanes.append(Lane(kind, name, top, height * scale, curve))
        top += height * scale + gap

    add("frames", "frames", 30 if compact else 42)
    add("seen", "model saw", 14)
    # The rows are there before anything was measured: the picture must not change its size while it is looked at.
    by_name = {each.name: each for each in model.curves}
    for name in curve_names(model):
        add("curve", name, _LOW_HEIGHT if compact else _SCALED_HEIGHT, by_name.get(name))
    add("events", "events", _MARK_HEIGHT * rows + 2 * (rows - 1))
    return tuple(lanes)


def curve_names(model: TimelineModel) -> tuple[str, ...]:
    """Names of the rows of measured quantities, also of those that were not measured yet."""
    return tuple(dict.fromkeys((*_USUAL_CURVES, *(each.name for each in model.curves))))


def bottom(lanes: Sequence[Lane]) -> float:
    """Where the last row ends."""
    return max((lane.top + lane.height for lane in lanes), default=0.0)


def paint_lane_name(painter: QPainter, lane: Lane, right_px: float) -> None:
    """The word in front of a row."""
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour("muted"))
    rect = QRectF(theme.MARGIN, lane.top, right_px - theme.MARGIN - 6, lane.height)
    scale = lane.curve.scale if lane.curve is not None else ""
    # A low row has room for its name; its values are told at the pointer.
    two_lines = bool(scale) and lane.height >= 1.6 * QFontMetricsF(painter.font()).height()
    name = f"{lane.name}\n{scale}" if two_lines else lane.name
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)


def paint_track(painter: QPainter, lane: Lane, view: View) -> None:
    """The ground of a row."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("raised"))
    painter.drawRoundedRect(QRectF(view.left_px, lane.top, view.width_px, lane.height), _RADIUS, _RADIUS)


def paint_absent(painter: QPainter, lane: Lane, view: View, text: str) -> None:
    """In place of a curve: why there is none."""
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour("muted"))
    rect = QRectF(view.left_px + _TEXT_GAP_PX, lane.top, view.width_px, lane.height)
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


def paint_filmstrip(painter: QPainter, lane: Lane, cells: Sequence[Cell], pictures: Mapping[int, QImage]) -> None:
    """Pictures side by side, each cropped to its share of the row; a place stays plain until its picture is there.

    A frame with a cell of its own shows itself and nothing else; a cell for many shows any of them that is at hand.
    """
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    at_hand = sorted(pictures)
    for cell in cells:
        left = round(cell.left_px)
        rect = QRectF(left, lane.top, max(1, round(cell.right_px) - left - 1), lane.height)
        place = bisect_left(at_hand, cell.first)
        other = at_hand[place] if place < len(at_hand) and at_hand[place] <= cell.last else -1
        picture = pictures.get(cell.frame_index) or pictures.get(other)
        if picture is not None and not picture.isNull():
            _paint_cropped(painter, rect, picture)
        if cell.single:
            _paint_number(painter, rect, cell.frame_index)


def _paint_cropped(painter: QPainter, rect: QRectF, picture: QImage) -> None:
    zoom = max(rect.width() / picture.width(), rect.height() / picture.height())
    if rect.width() > picture.width() * rect.height() / picture.height():  # a wide cell shows all of it
        zoom = rect.height() / picture.height()
        rect = QRectF(rect.left(), rect.top(), picture.width() * zoom, rect.height())
    width, height = rect.width() / zoom, rect.height() / zoom
    source = QRectF((picture.width() - width) / 2, (picture.height() - height) / 2, width, height)
    painter.drawImage(rect, picture, source)


def _paint_number(painter: QPainter, rect: QRectF, number: int) -> None:
    """A frame's number in the corner of its cell, on a plate that any picture leaves readable."""
    painter.setFont(theme.font("small"))
    metrics = QFontMetricsF(painter.font())
    text = str(number)
    width = metrics.horizontalAdvance(text) + 6
    if width > rect.width():
        return
    plate = QRectF(rect.left(), rect.bottom() - metrics.height(), width, metrics.height())
    painter.fillRect(plate, theme.colour("background", alpha=0.85))
    painter.setPen(theme.colour("text"))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


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
    """A triangle for each time, as wide as leaves it apart from its neighbour; one where several share a pixel."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(ink, alpha=alpha))
    # An hour that was looked at ten times a second has 36,000 of them, of which few are visible or apart.
    visible = seen_s[bisect_left(seen_s, view.start_s) : bisect_right(seen_s, view.end_s)]
    xs = view.xs(np.asarray(visible, np.float64))
    apart = np.diff(xs)
    spacing = float(apart[apart > 0].min()) if (apart > 0).any() else view.width_px
    half = max(1.5, min(4.5, spacing * 0.4))
    if spacing < _LEAST_APART_PX:
        xs = xs[np.unique(xs // _LEAST_APART_PX, return_index=True)[1]]
    high, low = lane.top + 3, lane.top + lane.height - 2.5
    for x in xs.tolist():
        painter.drawPolygon(QPolygonF([QPointF(x, high), QPointF(x + half, low), QPointF(x - half, low)]))


def mark_end_s(mark: EventMark, view: View) -> float:
    """When a mark's last frame ceases to be shown: the frame belongs to it."""
    return max(mark.end_s, view.axis.frame_end_s(mark.end_frame))


def place_marks(
    marks: Sequence[EventMark], view: View, top: float, metrics: QFontMetricsF, *, most_rows: int
) -> list[PlacedMark]:
    """Where each event goes: in the first row in which it covers no other, else in the last."""
    rows: list[float] = []
    placed = []
    for mark in sorted(marks, key=lambda m: (m.start_s, m.end_s)):
        if mark.end_s < view.start_s or mark.start_s > view.end_s:
            continue
        box, text = _box_and_text(mark, view, metrics.horizontalAdvance(mark.label) + 2)
        both = box.united(text)
        row = next((n for n, end in enumerate(rows) if end <= both.left() + 1), len(rows))
        if row == len(rows) and row < most_rows:
            rows.append(0.0)
        row = min(row, most_rows - 1)
        rows[row] = max(rows[row], both.right())
        down = top + row * (box.height() + 2)
        placed.append(PlacedMark(mark, *(each.translated(0, down) for each in (both, box, text))))
    return placed


def _box_and_text(mark: EventMark, view: View, text_px: float) -> tuple[QRectF, QRectF]:
    """A mark as long as it is, and its name: never where the grips are, which stand outside of its edges."""
    height = _MARK_HEIGHT * theme.px(100) / 100
    left = max(view.left_px, view.x(mark.start_s))
    right = max(left + _LEAST_BOX_PX, view.x(mark_end_s(mark, view)))
    box = QRectF(left, 0, right - left, height)
    if text_px + 2 * _TEXT_GAP_PX <= box.width():
        return box, QRectF(left + _TEXT_GAP_PX, 0, text_px, height)
    beside = right + _TEXT_GAP_PX
    if beside + text_px > view.right_px:
        beside = max(view.left_px, left - _TEXT_GAP_PX - text_px)
    return box, QRectF(beside, 0, text_px, height)


def place_on_curves(
    marks: Sequence[EventMark], lanes: Sequence[Lane], view: View
) -> tuple[list[PlacedMark], list[EventMark]]:
    """The marks that lie on a curve of their own which is shown; and all others."""
    by_name = {lane.name: lane for lane in lanes if lane.kind == "curve" and lane.curve is not None}
    placed, others = [], []
    for mark in marks:
        lane = by_name.get(mark.lane)
        if lane is None:
            others.append(mark)
        elif mark.end_s >= view.start_s and mark.start_s <= view.end_s:
            middle = (view.x(mark.start_s) + view.x(mark_end_s(mark, view))) / 2
            width = max(_LEAST_FLAG_PX, view.x(mark_end_s(mark, view)) - view.x(mark.start_s))
            rect = QRectF(middle - width / 2, lane.top, width, lane.height)
            placed.append(PlacedMark(mark, rect, rect, rect))
    return placed, others


def paint_on_curve(painter: QPainter, placed: PlacedMark) -> None:
    """A moment on a curve: tinted, under a flag; its name is in its help, and beside it where there is room."""
    token, _ = MARK_LOOKS[placed.mark.kind]
    rect, middle = placed.rect, placed.rect.center().x()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(rect, theme.colour(token, alpha=0.3))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("text"))
    flag = [QPointF(middle - 4, rect.top()), QPointF(middle + 4, rect.top()), QPointF(middle, rect.top() + 6)]
    painter.drawPolygon(QPolygonF(flag))
    painter.setFont(theme.font("small"))
    if QFontMetricsF(painter.font()).horizontalAdvance(placed.mark.label) + 8 <= rect.width():
        painter.setPen(theme.colour("text"))
        painter.drawText(rect.adjusted(4, 0, -4, 0), Qt.AlignmentFlag.AlignBottom, placed.mark.label)


def paint_mark(painter: QPainter, placed: PlacedMark) -> None:
    """An event as long as it is, with its name."""
    token, _ = MARK_LOOKS[placed.mark.kind]
    rect = placed.box.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(
        QPen(
            theme.colour(token),
            1,
            Qt.PenStyle.DashLine if placed.mark.kind in {"candidate", "sensed"} else Qt.PenStyle.SolidLine,
        )
    )
    painter.setBrush(theme.colour(token, alpha=0.16))
    radius = min(_RADIUS, rect.width() / 3)
    painter.drawRoundedRect(rect, radius, radius)
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour(token))
    painter.drawText(placed.text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, placed.mark.label)
