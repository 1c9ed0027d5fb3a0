"""What is painted over the timeline's lanes: cursor, marked stretch, the pointer's time and values; and the ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen, QPixmap

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review import timeline_lanes as lanes_of
from vvlm_desktop.ui.review import timeline_rule as rule
from vvlm_desktop.ui.review import timeline_words as words
from vvlm_desktop.ui.review.timeline_cells import Cell
from vvlm_desktop.ui.review.timeline_curves import paint_curve
from vvlm_desktop.ui.review.timeline_damage import Damage
from vvlm_desktop.ui.review.timeline_lanes import Lane, PlacedMark
from vvlm_desktop.ui.review.timeline_model import TimelineModel, View
from vvlm_desktop.ui.review.times import clock_text


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything that changes only with the clip, the view and the theme."""

    model: TimelineModel
    lanes: Sequence[Lane]
    placed: Sequence[PlacedMark]
    cells: Sequence[Cell]
    pictures: Mapping[int, QImage]
    damage: Damage
    view: View
    whole: View
    ruler: QRectF
    strip: QRectF
    zoomed: bool

    def paint(self, size: QSize, scale: float) -> QPixmap:
        """As a picture of `size`, at `scale` device pixels to one."""
        ground = QPixmap(size * scale)
        ground.setDevicePixelRatio(scale)
        ground.fill(theme.colour("panel"))
        painter = QPainter(ground)
        for lane in self.lanes:
            lanes_of.paint_lane_name(painter, lane, self.view.left_px)
            lanes_of.paint_track(painter, lane, self.view)
            painter.save()
            painter.setClipRect(QRectF(self.view.left_px, lane.top - 1, self.view.width_px, lane.height + 2))
            self._paint_lane(painter, lane)
            painter.restore()
        if self.cells:
            rule.paint_ruler(painter, self.ruler, self.view)
            # The events' names lie over a gap; nothing that was measured does.
            low = self.lanes[-1].top - 4
            rule.paint_gaps(painter, self.view, self.view.axis.gaps, top=self.lanes[0].top, low=low)
            rule.paint_whole(painter, self.strip, self.whole, self.view, self.model.marks, zoomed=self.zoomed)
        painter.end()
        return ground

    def _paint_lane(self, painter: QPainter, lane: Lane) -> None:
        low = lane.top + lane.height
        if lane.kind == "frames":
            lanes_of.paint_filmstrip(painter, lane, self.cells, self.pictures)
            rule.paint_damage(painter, self.view, self.damage.spans_s, top=lane.top, low=low)
            rule.paint_lost_rest(painter, self.view, self.damage.lost_rest_s, top=lane.top, low=low)
        elif lane.kind == "seen":
            lanes_of.paint_seen(painter, lane, self.view, self.model)
        elif lane.kind == "curve" and lane.curve is None:
            lanes_of.paint_absent(painter, lane, self.view, words.absent_text(lane, self.model))
        elif lane.kind == "curve" and lane.curve is not None:
            rect = QRectF(self.view.left_px, lane.top, self.view.width_px, lane.height)
            paint_curve(painter, rect, lane.curve, self.view)
            for placed in self.placed:
                if placed.mark.lane == lane.name:
                    lanes_of.paint_on_curve(painter, placed)
        elif lane.kind == "events":
            for placed in self.placed:
                if placed.rect.top() >= lane.top:
                    lanes_of.paint_mark(painter, placed)


def paint_marked(painter: QPainter, view: View, span_s: tuple[float, float], *, top: float, low: float) -> None:
    """The stretch marked with I and O."""
    left = view.x(span_s[0])
    right = max(left + 2, view.x(span_s[1]))
    painter.fillRect(QRectF(left, top, right - left, low - top), theme.colour("accent", alpha=0.18))
    painter.setPen(QPen(theme.colour("accent"), 1))
    painter.drawLine(QPointF(left, top), QPointF(left, low))
    painter.drawLine(QPointF(right, top), QPointF(right, low))


def paint_cursor(painter: QPainter, view: View, whole: View, seconds: float, *, low: float, strip: QRectF) -> None:
    """Where the picture is, in what is visible and in the strip of the whole clip."""
    if view.start_s <= seconds <= view.end_s:
        painter.fillRect(QRectF(round(view.x(seconds)) - 1, 6, 2, low - 6), theme.colour("accent"))
    on_strip = QRectF(round(whole.x(seconds)) - 1, strip.top() - 1, 2, strip.height() + 2)
    painter.fillRect(on_strip, theme.colour("text"))


def paint_pointer(
    painter: QPainter, view: View, x: float, lanes: Sequence[Lane], *, ruler: QRectF, values: bool
) -> None:
    """The time of the frame under the pointer above, and beside it what was measured there."""
    seconds = max(0.0, min(view.seconds(x), view.axis.duration_s))
    painter.setFont(theme.font("small"))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    height = QFontMetricsF(painter.font()).height() + 2
    plate = _plate(painter, view, x, clock_text(view.axis.shown_s(seconds)), top=1.0, height=height, beside=False)
    for number in rule.ruler_numbers(view, QFontMetricsF(painter.font())):
        # Half a number beside the plate would be read as another one.
        place = QRectF(number.left_px - 1, ruler.top(), number.width_px + 2, ruler.height())
        if place.intersects(plate.adjusted(-2, 0, 2, 0)):
            painter.fillRect(place, theme.colour("panel"))
    _paint_plate(painter, plate, clock_text(view.axis.shown_s(seconds)))
    # Within a gap nothing was measured; a line between its ends would be made up.
    measured = values and view.axis.gap_at(seconds) is None
    for lane in lanes if measured else ():
        text = lane.curve.text_at(seconds) if lane.curve is not None else ""
        if text:
            top = lane.top + (lane.height - height) / 2
            _paint_plate(painter, _plate(painter, view, x, text, top=top, height=height, beside=True), text)


def beside_values(text: str, metrics: QFontMetricsF) -> QPoint:
    """From the pointer to where help about a lane goes: to the left, since the values stand at its right."""
    return QPoint(-round(max(metrics.horizontalAdvance(line) for line in text.split("\n"))) - 26, -8)


def _plate(painter: QPainter, view: View, x: float, text: str, *, top: float, height: float, beside: bool) -> QRectF:
    """Where a text at the pointer goes."""
    width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 10
    left = x + 6 if beside else x - width / 2
    if beside and left + width > view.right_px:
        left = x - 6 - width
    left = min(max(view.left_px, left), view.right_px - width)
    return QRectF(left, top, width, height)


def _paint_plate(painter: QPainter, rect: QRectF, text: str) -> None:
    painter.setPen(QPen(theme.colour("line"), 1))
    painter.setBrush(theme.colour("background"))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    painter.setPen(theme.colour("text"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
