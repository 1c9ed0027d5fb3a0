"""The timeline: lanes that share one cursor with the picture; click or drag to go there, wheel to zoom."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
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
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review import timeline_lanes as lanes_of
from vvlm_desktop.ui.review.timeline_lanes import Lane, PlacedMark
from vvlm_desktop.ui.review.timeline_model import MARK_LOOKS, EventMark, TimelineModel, View
from vvlm_desktop.ui.review.times import clock_text, span_text
from vvlm_desktop.video.index import FrameIndex

_TOP_PX = 10
_EVENT_ROWS = 4
_SHORTEST_VIEW_S = 0.5


class Timeline(QWidget):
    """Shows a `TimelineModel`; says where the user wants to go."""

    scrubbed = Signal(object, bool)  # frame index, still dragging
    mark_chosen = Signal(object)  # EventMark
    view_changed = Signal()  # other frames are needed for the filmstrip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = TimelineModel()
        self._index: FrameIndex | None = None
        self._cursor = 0
        self._hover_x: float | None = None
        self._dragging = False
        self._compact = False
        self._marked: tuple[int, int] | None = None
        self._start_s, self._end_s = 0.0, 0.0
        self._pictures: dict[int, QImage] = {}
        self._ground: QPixmap | None = None
        self._ground_theme = ""
        self._lanes: tuple[Lane, ...] = ()
        self._placed: list[PlacedMark] = []
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Timeline")
        self._arrange()

    # -- what it shows -------------------------------------------------------------------------------------------

    def show_clip(self, index: FrameIndex | None, model: TimelineModel, *, keep_view: bool = False) -> None:
        """Show another clip, or the same with other marks."""
        self._index, self._model = index, model
        if not keep_view:
            self._start_s, self._end_s = 0.0, model.duration_s
            self._pictures.clear()
            self._marked = None
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
            if self._index is not None and not self._dragging:
                self._follow(self._index.seconds(frame_index))
            self.update()

    def set_marked(self, span: tuple[int, int] | None) -> None:
        """Show the stretch marked with I and O."""
        self._marked = span
        self.update()

    def set_picture(self, slot: int, picture: QImage) -> None:
        """A picture of the filmstrip has arrived."""
        self._pictures[slot] = picture
        self._ground = None
        self.update()

    def slots(self) -> tuple[float, float, int]:
        """Stretch of time that the filmstrip covers, and how many pictures it holds."""
        lane = next((lane for lane in self._lanes if lane.kind == "frames"), None)
        if lane is None or self._end_s <= self._start_s:
            return 0.0, 0.0, 0
        shape = self._index.width / max(1, self._index.height) if self._index else 16 / 9
        wanted = self._view().width_px / max(24.0, lane.height * max(0.6, min(shape, 2.0)))
        return self._start_s, self._end_s, max(1, round(wanted))

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

    # -- layout --------------------------------------------------------------------------------------------------

    @override
    def sizeHint(self) -> QSize:
        return QSize(600, int(lanes_of.bottom(self._lanes)) + _TOP_PX)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.sizeHint().height())

    def _arrange(self) -> None:
        view = self._view()
        metrics = QFontMetricsF(theme.font("small"))
        # As many rows even where fewer would do: the picture must not change its size from clip to clip.
        rows = _EVENT_ROWS - 1 if self._compact else _EVENT_ROWS
        before = self.sizeHint().height() if self._lanes else -1
        self._lanes = lanes_of.lay_out(self._model, compact=self._compact, top=_TOP_PX, rows=rows)
        events = self._lanes[-1]
        self._placed = lanes_of.place_marks(self._model.marks, view, events.top, metrics, most_rows=rows)
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
        return View(left, max(1.0, self.width() - left - theme.MARGIN), self._start_s, max(self._end_s, 1e-6))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._pictures.clear()
        self._arrange()
        self.view_changed.emit()

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
        if self._hover_x is not None and not self._dragging:
            painter.setPen(QPen(theme.colour("muted", alpha=0.7), 1))
            painter.drawLine(QPointF(self._hover_x, top), QPointF(self._hover_x, low))
        seconds = self._index.seconds(min(self._cursor, len(self._index) - 1))
        if view.start_s <= seconds <= view.end_s:
            painter.fillRect(QRectF(round(view.x(seconds)) - 1, top, 2, low - top), theme.colour("accent"))
        if self._hover_x is not None:
            self._paint_time(painter, view, self._hover_x)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -1, -1))

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
                lanes_of.paint_filmstrip(painter, lane, view, self._pictures, count=self.slots()[2])
            elif lane.kind == "seen":
                lanes_of.paint_seen(painter, lane, view, self._model)
            elif lane.kind == "curve":
                lanes_of.paint_curve(painter, lane, view)
            else:
                for placed in self._placed:
                    lanes_of.paint_mark(painter, placed, view)
            painter.restore()
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
        width, height = metrics.horizontalAdvance(text) + 10, metrics.height() + 4
        left = min(max(view.left_px, x - width / 2), view.left_px + view.width_px - width)
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

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._index is None or not len(self._index):
            event.ignore()
            return
        mark = self._mark_at(event.position())
        if mark is not None:
            self.mark_chosen.emit(mark)
            return
        self._dragging = True
        self.scrubbed.emit(self._frame_at(event.position().x()), True)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        view = self._view()
        x = event.position().x()
        self._hover_x = min(max(view.left_px, x), view.left_px + view.width_px) if self._dragging else x
        if not self._dragging and not view.left_px <= x <= view.left_px + view.width_px:
            self._hover_x = None
        if self._dragging:
            self.scrubbed.emit(self._frame_at(x), True)
        over = self._mark_at(event.position()) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        self.update()

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging and event.button() == Qt.MouseButton.LeftButton:
            self._dragging = False
            self.scrubbed.emit(self._frame_at(event.position().x()), False)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._set_view(0.0, self._model.duration_s)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._hover_x = None
        self.update()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._model.duration_s <= 0:
            return
        view = self._view()
        along, turn = event.angleDelta().x(), event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            along, turn = along or turn, 0
        if turn:
            around = min(max(view.start_s, view.seconds(event.position().x())), view.end_s)
            view = view.zoomed(
                0.8 ** (turn / 120), around, duration_s=self._model.duration_s, shortest_s=_SHORTEST_VIEW_S
            )
        elif along:
            view = view.panned(-along / 120 * 0.1 * (view.end_s - view.start_s), duration_s=self._model.duration_s)
        self._set_view(view.start_s, view.end_s)
        event.accept()

    def _set_view(self, start_s: float, end_s: float) -> None:
        if (start_s, end_s) != (self._start_s, self._end_s):
            self._start_s, self._end_s = start_s, end_s
            self._pictures.clear()
            self._arrange()
            self.view_changed.emit()

    def _follow(self, seconds: float) -> None:
        """Turn the page when the cursor leaves what is visible."""
        if not self._start_s <= seconds <= self._end_s:
            span = self._end_s - self._start_s
            start = min(max(0.0, seconds - span * 0.1), max(0.0, self._model.duration_s - span))
            self._set_view(start, start + span)

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
        lane = next((lane for lane in self._lanes if lane.top <= position.y() <= lane.top + lane.height), None)
        if lane is not None and lane.kind == "seen":
            return self._model.seen_help
        return ""

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # the page's keys do everything that can be done here
