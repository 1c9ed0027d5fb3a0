"""What tells where one is on the timeline: the ruler, the strip of the whole clip, gaps and damage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPen, QPolygonF

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.timeline_axis import Gap
from vvlm_desktop.ui.review.timeline_model import MARK_LOOKS, EventMark, View
from vvlm_desktop.ui.review.times import clock_text

_STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_ZIGZAG_PX = 4.0


def ruler_step_s(view: View, *, least_px: float) -> float:
    """How far labels are apart, in seconds."""
    return next((step for step in _STEPS_S if step * view.px_per_s >= least_px), _STEPS_S[-1])


@dataclass(frozen=True, slots=True)
class RulerNumber:
    """A tick of the ruler; its time in words, empty where that has no room."""

    tick_px: float
    text: str
    left_px: float
    width_px: float


def ruler_numbers(view: View, metrics: QFontMetricsF) -> Iterator[RulerNumber]:
    """Times along the top, as many as have room; none within a gap that is not drawn to scale."""
    step_s = ruler_step_s(view, least_px=metrics.horizontalAdvance("00:00:00.00") + 16)
    number, right = int(view.start_s / step_s), view.left_px
    last_s = min(view.end_s, view.axis.duration_s)
    while number * step_s <= last_s:
        seconds = number * step_s
        number += 1
        gap = view.axis.gap_at(seconds)
        if gap is not None and gap.broken:
            number = max(number, int(gap.end_s / step_s) + 1)
            continue
        x, text = view.x(seconds), _tick_text(seconds, step_s)
        if x < view.left_px:
            continue
        width = metrics.horizontalAdvance(text)
        has_room = x + 3 >= right and x + 3 + width <= view.right_px
        right = x + 3 + width + 8 if has_room else right
        yield RulerNumber(x, text if has_room else "", x + 3, width if has_room else 0.0)


def paint_ruler(painter: QPainter, rect: QRectF, view: View) -> None:
    """Ticks along the top, with their times."""
    painter.setFont(theme.font("small"))
    metrics = QFontMetricsF(painter.font())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for number in ruler_numbers(view, metrics):
        x = round(number.tick_px)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawLine(QPointF(x, rect.bottom() - 4), QPointF(x, rect.bottom()))
        painter.setPen(theme.colour("muted"))
        painter.drawText(QPointF(number.left_px, rect.bottom() - metrics.descent() - 1), number.text)


def _tick_text(seconds: float, step_s: float) -> str:
    text = clock_text(seconds)
    return text if step_s < 1 else text.rsplit(".", 1)[0]


def paint_gaps(painter: QPainter, view: View, gaps: Sequence[Gap], *, top: float, low: float) -> None:
    """Hatched where no frame is; with a torn edge where the axis is broken."""
    for gap in gaps:
        if gap.end_s < view.start_s or gap.start_s > view.end_s:
            continue
        left, right = max(view.left_px, view.x(gap.start_s)), min(view.right_px, view.x(gap.end_s))
        rect = QRectF(left, top, max(1.5, right - left), low - top)
        painter.fillRect(rect, theme.colour("panel"))
        painter.fillRect(rect, QBrush(theme.colour("muted", alpha=0.35), Qt.BrushStyle.BDiagPattern))
        if gap.broken:
            _tear(painter, rect.left(), top, low)
            _tear(painter, rect.right(), top, low)
        _paint_words(painter, rect, (gap_text(gap), gap_text(gap).partition(",")[0], clock_text(gap.length_s)))


def gap_text(gap: Gap) -> str:
    """What a gap is, in words."""
    scale = ", not drawn to scale" if gap.broken else ""
    return f"no frames for {clock_text(gap.length_s)}{scale}"


def _paint_words(painter: QPainter, rect: QRectF, texts: Sequence[str]) -> None:
    """The longest of them that has room."""
    painter.setFont(theme.font("small"))
    metrics = QFontMetricsF(painter.font())
    text = next((t for t in texts if metrics.horizontalAdvance(t) + 12 <= rect.width()), "")
    if text:
        place = QRectF(rect.left(), rect.top(), rect.width(), min(rect.height(), metrics.height() + 6))
        words = QRectF(0, 0, metrics.horizontalAdvance(text) + 10, metrics.height())
        words.moveCenter(place.center())
        painter.fillRect(words, theme.colour("panel"))
        painter.setPen(theme.colour("muted"))
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)


def _tear(painter: QPainter, x: float, top: float, low: float) -> None:
    points, y, side = [], top, 1
    while y <= low:
        points.append(QPointF(x + side * _ZIGZAG_PX / 2, y))
        y, side = y + _ZIGZAG_PX, -side
    painter.setPen(QPen(theme.colour("doubtful"), 1))
    painter.drawPolyline(QPolygonF(points))


def paint_damage(
    painter: QPainter, view: View, spans: Sequence[tuple[float, float]], *, top: float, low: float
) -> None:
    """A red bar with slanted strokes over frames that are damaged in the file."""
    for start_s, end_s in spans:
        if end_s < view.start_s or start_s > view.end_s:
            continue
        left = max(view.left_px, view.x(start_s))
        rect = QRectF(left, top, max(3.0, min(view.right_px, view.x(end_s)) - left), low - top)
        painter.fillRect(rect, theme.colour("bad", alpha=0.25))
        painter.fillRect(rect, QBrush(theme.colour("bad", alpha=0.8), Qt.BrushStyle.FDiagPattern))
        painter.fillRect(QRectF(rect.left(), low - 2, rect.width(), 2), theme.colour("bad"))


def paint_lost_rest(painter: QPainter, view: View, lost_s: float, *, top: float, low: float) -> None:
    """At the end of a file that was cut off, how much of it is missing; not to scale, since nothing of it is there."""
    right = view.x(view.axis.duration_s)
    if not lost_s or not view.left_px <= right <= view.right_px + 1:
        return
    painter.setFont(theme.font("small"))
    text = f"then {lost_s:.1f} s lost"
    width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 12
    rect = QRectF(right - width, top, width, low - top)
    painter.fillRect(rect, theme.colour("background", alpha=0.85))
    painter.fillRect(QRectF(right - 3, top, 3, low - top), theme.colour("bad"))
    painter.setPen(theme.colour("bad"))
    painter.drawText(rect.adjusted(0, 0, -3, 0), Qt.AlignmentFlag.AlignCenter, text)


def paint_whole(
    painter: QPainter, rect: QRectF, whole: View, visible: View, marks: Sequence[EventMark], *, zoomed: bool
) -> None:
    """The whole clip in little, with its events, and a frame around what is visible."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("raised"))
    painter.drawRoundedRect(rect, 2, 2)
    for gap in whole.axis.gaps:
        left = whole.x(gap.start_s)
        painter.fillRect(
            QRectF(left, rect.top(), max(1.5, whole.x(gap.end_s) - left), rect.height()),
            QBrush(theme.colour("muted", alpha=0.5), Qt.BrushStyle.BDiagPattern),
        )
    for mark in marks:
        left = whole.x(mark.start_s)
        width = max(2.0, whole.x(mark.end_s) - left)
        painter.fillRect(QRectF(left, rect.top() + 2, width, rect.height() - 4), theme.colour(MARK_LOOKS[mark.kind][0]))
    if zoomed:
        left, right = whole.x(visible.start_s), whole.x(visible.end_s)
        window = QRectF(left, rect.top(), max(6.0, right - left), rect.height())
        painter.setPen(QPen(theme.colour("accent"), 1))
        painter.setBrush(theme.colour("accent", alpha=0.25))
        painter.drawRoundedRect(window.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
