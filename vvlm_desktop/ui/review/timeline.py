"""The timeline: lanes that share one cursor with the picture; click or drag to go there, wheel to zoom."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review import timeline_lanes as lanes_of
from vvlm_desktop.ui.review import timeline_rule as rule
from vvlm_desktop.ui.review.timeline_axis import axis_of
from vvlm_desktop.ui.review.timeline_cells import Cell, cells_of
from vvlm_desktop.ui.review.timeline_curves import paint_curve
from vvlm_desktop.ui.review.timeline_damage import Damage
from vvlm_desktop.ui.review.timeline_lanes import Lane, PlacedMark
from vvlm_desktop.ui.review.timeline_model import MARK_LOOKS, EventMark, TimelineModel, View
from vvlm_desktop.ui.review.timeline_zoom import Viewport
from vvlm_desktop.ui.review.times import clock_text, span_text
from vvlm_desktop.video.index import FrameIndex

_RULER_PX = 16
_WHOLE_PX = 8
_EVENT_ROWS = 4
#: A press on the ruler that moves no further is a click.
_CLICK_PX = 3
#: More pictures than these are not kept while one zooms and pans.
_MOST_PICTURES = 400

Drag = Literal["", "scrub", "pan", "whole"]


class Timeline(QAbstractSlider):
    """Shows a `TimelineModel`; says where the user wants to go.

    It is a slider to whoever cannot see it: its value is the frame that the cursor is on.
    """

    scrubbed = Signal(object, bool)  # frame index, still dragging
    mark_chosen = Signal(object)  # EventMark
    view_changed = Signal()  # other frames are needed for the filmstrip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = TimelineModel()
        self._index: FrameIndex | None = None
        self._port = Viewport()
        self._damage = Damage()
        self._cursor = 0
        self._hover_x: float | None = None
        self._drag: Drag = ""
        self._pressed_at = QPointF()
        self._dragged_from_x = 0.0
        self._compact = False
        self._marked: tuple[int, int] | None = None
        self._pictures: dict[int, QImage] = {}
        self._ground: QPixmap | None = None
        self._ground_theme = ""
        self._lanes: tuple[Lane, ...] = ()
        self._placed: list[PlacedMark] = []
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Timeline")
        self.valueChanged.connect(self._on_value)
        self._arrange()

    # -- what it shows -------------------------------------------------------------------------------------------

    def show_clip(self, index: FrameIndex | None, model: TimelineModel, *, keep_view: bool = False) -> None:
        """Show another clip, or the same with other marks."""
        if index is not self._index or not keep_view:
            self._port.open(axis_of(index), model.duration_s, keep=keep_view)
            self._damage = Damage(index)
        self._index, self._model = index, model
        if not keep_view:
            self._pictures.clear()
            self._marked = None
        with QSignalBlocker(self):  # a shorter clip is no wish to go to its end
            self.setRange(0, max(0, len(index) - 1) if index is not None else 0)
        self._arrange()

    def set_compact(self, compact: bool) -> None:
        """Show fewer and lower lanes."""
        if compact != self._compact:
            self._compact = compact
            self._arrange()

    def set_position(self, frame_index: int) -> None:
        """Move the cursor."""
        if frame_index != self._cursor:
            self._cursor = frame_index
            self.setValue(frame_index)
            if self._index is not None and not self._drag and self._port.follow(self._index.seconds(frame_index)):
                self._show_view()
            self.update()

    def set_marked(self, span: tuple[int, int] | None) -> None:
        """Show the stretch marked with I and O."""
        self._marked = span
        self.update()

    def set_picture(self, frame_index: int, picture: QImage) -> None:
        """A picture of the filmstrip has arrived."""
        while len(self._pictures) >= _MOST_PICTURES:
            self._pictures.pop(next(iter(self._pictures)))
        self._pictures[frame_index] = picture
        self._ground = None
        self.update()

    def set_damaged(self, frame_index: int) -> None:
        """A frame has turned out to be unreadable."""
        if self._damage.add(frame_index):
            self._ground = None
            self.update()

    def cells(self) -> tuple[Cell, ...]:
        """The filmstrip's places, each with the frame that is to be seen there."""
        lane = next((lane for lane in self._lanes if lane.kind == "frames"), None)
        if lane is None or self._index is None or not self._port.duration_s:
            return ()
        shape = self._index.width / max(1, self._index.height)
        cell_px = max(24.0, lane.height * max(0.6, min(shape, 2.0)))
        return cells_of(self._index, self._port.axis, self._view(), cell_px=cell_px)

    def visible_s(self) -> tuple[float, float]:
        """The stretch that is visible."""
        return self._port.start_s, self._port.end_s

    def filmstrip_height_px(self) -> int:
        """Height of the filmstrip's pictures, in device pixels."""
        lane = next((lane for lane in self._lanes if lane.kind == "frames"), None)
        return max(16, round((lane.height if lane else 40) * self.devicePixelRatioF()))

    @property
    def model(self) -> TimelineModel:
        """What is shown."""
        return self._model

    @property
    def marks(self) -> tuple[EventMark, ...]:
        """The events that are shown."""
        return self._model.marks

    def x_of_frame(self, frame_index: int) -> float:
        """Where a frame is on the widget."""
        return self._view().x(self._index.seconds(frame_index)) if self._index is not None else 0.0

    # -- zoom ----------------------------------------------------------------------------------------------------

    def zoom(self, steps: int) -> None:
        """Closer (positive) around the cursor, or further; 0 shows the whole clip."""
        if self._index is None or not len(self._index):
            return
        at_s = self._index.seconds(min(self._cursor, len(self._index) - 1))
        if self._port.step(steps, at_s) if steps else self._port.show_all():
            self._show_view()

    def _show_view(self) -> None:
        self._arrange()
        self.view_changed.emit()

    # -- layout --------------------------------------------------------------------------------------------------

    @override
    def sizeHint(self) -> QSize:
        return QSize(600, int(self._whole_rect().bottom()) + theme.GAP)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.sizeHint().height())

    def _arrange(self) -> None:
        metrics = QFontMetricsF(theme.font("small"))
        # As many rows even where fewer would do: the picture must not change its size from clip to clip.
        rows = _EVENT_ROWS - 1 if self._compact else _EVENT_ROWS
        before = self.sizeHint().height() if self._lanes else -1
        self._lanes = lanes_of.lay_out(self._model, compact=self._compact, top=theme.px(_RULER_PX) + 3, rows=rows)
        events = self._lanes[-1]
        self._placed = lanes_of.place_marks(self._model.marks, self._view(), events.top, metrics, most_rows=rows)
        self._ground = None
        if self.sizeHint().height() != before:
            self.updateGeometry()
        self.update()

    def _gutter_px(self) -> float:
        metrics = QFontMetricsF(theme.font("small"))
        names = ("model saw", "brightness", *(curve.name for curve in self._model.curves))
        return theme.MARGIN + max(metrics.horizontalAdvance(name) for name in names) + 12

    def _view(self) -> View:
        left = self._gutter_px()
        return self._port.view(left, self.width() - left - theme.MARGIN)

    def _whole(self) -> View:
        left = self._gutter_px()
        return self._port.whole(left, self.width() - left - theme.MARGIN)

    def _ruler_rect(self) -> QRectF:
        view = self._view()
        return QRectF(view.left_px, 0, view.width_px, theme.px(_RULER_PX))

    def _whole_rect(self) -> QRectF:
        view = self._view()
        return QRectF(view.left_px, lanes_of.bottom(self._lanes) + 5, view.width_px, theme.px(_WHOLE_PX))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._show_view()

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.PaletteChange}:
            self._arrange()
        super().changeEvent(event)

    # -- painting ------------------------------------------------------------------------------------------------

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._ground is None or self._ground_theme != theme.tokens().name:
            self._ground = self._paint_ground()
            self._ground_theme = theme.tokens().name
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._ground)
        if self._index is None or not len(self._index):
            return
        view = self._view()
        top, low = self._lanes[0].top - 5, lanes_of.bottom(self._lanes) + 4
        if self._marked is not None:
            self._paint_marked(painter, view, top, low)
        if self._hover_x is not None and not self._drag:
            painter.setPen(QPen(theme.colour("muted", alpha=0.7), 1))
            painter.drawLine(QPointF(self._hover_x, top), QPointF(self._hover_x, low))
        self._paint_cursor(painter, view, low)
        if self._hover_x is not None:
            self._paint_time(painter, view, self._hover_x)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -1, -1))

    def _paint_cursor(self, painter: QPainter, view: View, low: float) -> None:
        assert self._index is not None
        seconds = self._index.seconds(min(self._cursor, len(self._index) - 1))
        if view.start_s <= seconds <= view.end_s:
            painter.fillRect(QRectF(round(view.x(seconds)) - 1, 6, 2, low - 6), theme.colour("accent"))
        strip = self._whole_rect()
        painter.fillRect(
            QRectF(round(self._whole().x(seconds)) - 1, strip.top() - 1, 2, strip.height() + 2), theme.colour("text")
        )

    def _paint_ground(self) -> QPixmap:
        scale = self.devicePixelRatioF()
        ground = QPixmap(round(self.width() * scale), round(self.height() * scale))
        ground.setDevicePixelRatio(scale)
        ground.fill(theme.colour("panel"))
        painter = QPainter(ground)
        view = self._view()
        for lane in self._lanes:
            lanes_of.paint_lane_name(painter, lane, view.left_px)
            lanes_of.paint_track(painter, lane, view)
            painter.save()
            painter.setClipRect(QRectF(view.left_px, lane.top - 1, view.width_px, lane.height + 2))
            if lane.kind == "frames":
                lanes_of.paint_filmstrip(painter, lane, self.cells(), self._pictures)
                rule.paint_damage(painter, view, self._damage.spans_s, top=lane.top, low=lane.top + lane.height)
            elif lane.kind == "seen":
                lanes_of.paint_seen(painter, lane, view, self._model)
            elif lane.kind == "curve" and lane.curve is not None:
                paint_curve(painter, QRectF(view.left_px, lane.top, view.width_px, lane.height), lane.curve, view)
            elif lane.kind == "events":
                for placed in self._placed:
                    lanes_of.paint_mark(painter, placed, view)
            painter.restore()
        if self._index is not None and len(self._index):
            rule.paint_ruler(painter, self._ruler_rect(), view)
            # The events' names lie over a gap; nothing that was measured does.
            low = self._lanes[-1].top - 4
            rule.paint_gaps(painter, view, self._port.axis.gaps, top=self._lanes[0].top, low=low)
            rule.paint_whole(
                painter, self._whole_rect(), self._whole(), view, self._model.marks, zoomed=self._port.zoomed
            )
        painter.end()
        return ground

    def _paint_marked(self, painter: QPainter, view: View, top: float, low: float) -> None:
        assert self._index is not None
        assert self._marked is not None
        left = view.x(self._index.seconds(self._marked[0]))
        right = max(left + 2, view.x(self._index.seconds(self._marked[1])))
        painter.fillRect(QRectF(left, top, right - left, low - top), theme.colour("accent", alpha=0.18))
        painter.setPen(QPen(theme.colour("accent"), 1))
        painter.drawLine(QPointF(left, top), QPointF(left, low))
        painter.drawLine(QPointF(right, top), QPointF(right, low))

    def _paint_time(self, painter: QPainter, view: View, x: float) -> None:
        text = clock_text(max(0.0, min(view.seconds(x), self._model.duration_s)))
        painter.setFont(theme.font("small"))
        metrics = QFontMetricsF(painter.font())
        width, height = metrics.horizontalAdvance(text) + 10, metrics.height() + 2
        left = min(max(view.left_px, x - width / 2), view.right_px - width)
        rect = QRectF(left, 1, width, height)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("background"))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        painter.setPen(theme.colour("text"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)

    # -- mouse ---------------------------------------------------------------------------------------------------

    def _frame_at(self, x: float) -> int:
        assert self._index is not None
        return self._index.at_time(max(0.0, self._view().seconds(x)))

    def _mark_at(self, position: QPointF) -> EventMark | None:
        return next((placed.mark for placed in self._placed if placed.rect.contains(position)), None)

    def _drag_at(self, position: QPointF, button: Qt.MouseButton) -> Drag:
        """What a press there begins; where everything is visible, the ruler has nothing to pan."""
        if button == Qt.MouseButton.MiddleButton:
            return "pan" if self._port.zoomed else ""
        if button != Qt.MouseButton.LeftButton:
            return ""
        if self._port.zoomed and position.y() >= self._whole_rect().top() - 2:
            return "whole"
        return "pan" if self._port.zoomed and self._ruler_rect().contains(position) else "scrub"

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        drag = self._drag_at(event.position(), event.button())
        if not drag or self._drag or self._index is None or not len(self._index):
            event.ignore()
            return
        mark = self._mark_at(event.position())
        if mark is not None and drag == "scrub":
            self.mark_chosen.emit(mark)
            return
        self._drag, self._pressed_at = drag, event.position()
        self._dragged_from_x = event.position().x()
        if drag == "scrub":
            self.scrubbed.emit(self._frame_at(event.position().x()), True)
        elif drag == "whole":
            self._pan(event.position().x())

    def _pan(self, x: float) -> None:
        """The view follows the pointer: by its movement, or in the strip of the whole clip to where it is."""
        view, duration_s = self._view(), self._port.duration_s
        if self._drag == "whole":
            view = view.centred(self._whole().seconds(x), duration_s=duration_s)
        else:
            view = view.dragged(x - self._dragged_from_x, duration_s=duration_s)
        self._dragged_from_x = x
        if self._port.show(view):
            self._show_view()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        view = self._view()
        x = event.position().x()
        self._hover_x = min(max(view.left_px, x), view.right_px) if self._drag == "scrub" else x
        if self._drag != "scrub" and not view.left_px <= x <= view.right_px:
            self._hover_x = None
        if self._drag == "scrub":
            self.scrubbed.emit(self._frame_at(x), True)
        elif self._drag:
            self._pan(x)
        self.setCursor(self._cursor_at(event.position()))
        self.update()

    def _cursor_at(self, position: QPointF) -> Qt.CursorShape:
        if self._drag in {"pan", "whole"}:
            return Qt.CursorShape.ClosedHandCursor
        if self._mark_at(position) is not None:
            return Qt.CursorShape.PointingHandCursor
        grips = self._drag_at(position, Qt.MouseButton.LeftButton) in {"pan", "whole"}
        return Qt.CursorShape.OpenHandCursor if grips else Qt.CursorShape.ArrowCursor

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag, self._drag = self._drag, ""
        x = event.position().x()
        clicked = (event.position() - self._pressed_at).manhattanLength() <= _CLICK_PX
        if drag == "pan" and clicked and event.button() == Qt.MouseButton.LeftButton:
            self.scrubbed.emit(self._frame_at(x), True)
        if drag == "scrub" or (drag == "pan" and clicked and event.button() == Qt.MouseButton.LeftButton):
            self.scrubbed.emit(self._frame_at(x), False)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._port.show_all():
            self._show_view()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._hover_x = None
        self.update()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._port.wheel(event, self._view()):
            self._show_view()
        event.accept()

    # -- help ----------------------------------------------------------------------------------------------------

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self._help_at(QPointF(event.pos()))
            if text:
                QToolTip.showText(event.globalPos(), text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def _help_at(self, position: QPointF) -> str:
        mark = self._mark_at(position)
        if mark is not None:
            _, who = MARK_LOOKS[mark.kind]
            return f"{mark.label} · {who} · {span_text(mark.start_s, mark.end_s)}" + (
                f"\n{mark.reason}" if mark.reason else ""
            )
        seconds = self._view().seconds(position.x())
        gap = self._port.axis.gap_at(seconds)
        if gap is not None:
            return rule.gap_text(gap).capitalize()
        lane = next((lane for lane in self._lanes if lane.top <= position.y() <= lane.top + lane.height), None)
        if lane is not None and lane.kind == "seen":
            return self._model.seen_help
        if lane is not None and lane.kind == "frames" and self._damage.covers(seconds):
            return "Frames here are damaged in the file and cannot be shown."
        return ""

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # the page's keys do everything that can be done here

    def _on_value(self, frame_index: int) -> None:
        """Something other than the picture moved the slider: a screen reader."""
        if frame_index != self._cursor:
            self.scrubbed.emit(frame_index, False)
