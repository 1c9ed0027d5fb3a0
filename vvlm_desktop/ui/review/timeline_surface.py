"""What the timeline shows: lanes that share one cursor with the picture, and where everything on it is."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review import timeline_edges as edges_of
from vvlm_desktop.ui.review import timeline_lanes as lanes_of
from vvlm_desktop.ui.review import timeline_paint as paint
from vvlm_desktop.ui.review import timeline_words as words
from vvlm_desktop.ui.review.timeline_axis import axis_of
from vvlm_desktop.ui.review.timeline_cells import Cell, cells_of, shown_shape
from vvlm_desktop.ui.review.timeline_choice import LaneChoice
from vvlm_desktop.ui.review.timeline_damage import Damage
from vvlm_desktop.ui.review.timeline_edges import Draft, Edges
from vvlm_desktop.ui.review.timeline_lanes import Lane, PlacedMark
from vvlm_desktop.ui.review.timeline_model import CurveLane, EventMark, Sensed, TimelineModel, View
from vvlm_desktop.ui.review.timeline_zoom import Viewport
from vvlm_desktop.video.index import FrameIndex

_RULER_PX = 16
_WHOLE_PX = 8
#: More pictures than these are not kept while one zooms and pans.
_MOST_PICTURES = 400


class TimelineSurface(QAbstractSlider):
    """Shows a `TimelineModel`; the hand on it is `Timeline`.

    It is a slider to whoever cannot see it: its value is the frame that the cursor is on.
    """

    view_changed = Signal()  # other frames are needed for the filmstrip
    edge_changed = Signal(object)  # Draft of what is being moved, None for nothing
    edge_moved = Signal(object)  # Draft: store it
    edge_lost = Signal(str)  # why a move was not stored

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._given = self._model = TimelineModel()
        self._drive_lanes: tuple[CurveLane, ...] = ()
        self._sensed: tuple[Sensed, ...] = ()
        self._index: FrameIndex | None = None
        self._port = Viewport()
        self._damage = Damage()
        self._cursor = 0
        self._hover_x: float | None = None
        self._playing = self._elsewhere = False
        self._busy = False  # the hand is on it: the page does not turn under it
        self._choice = LaneChoice()
        self._marked: tuple[int, int] | None = None
        self._pictures: dict[int, QImage] = {}
        self._ground: QPixmap | None = None
        self._ground_theme = ""
        self._lanes: tuple[Lane, ...] = ()
        self._placed: list[PlacedMark] = []
        self._edges = Edges(self)
        self._edges.changed.connect(self._on_edge_changed)
        self._edges.moved.connect(self.edge_moved)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(words.spoken_name(None))
        self._arrange()

    # -- what it shows -------------------------------------------------------------------------------------------

    def show_clip(self, index: FrameIndex | None, model: TimelineModel, *, keep_view: bool = False) -> None:
        """Show another clip, or the same with other marks."""
        if index is not self._index or not keep_view:
            self._port.open(axis_of(index), model.duration_s, keep=keep_view)
            self._damage = Damage(index)
        self._index, self._given = index, model
        self._model = self._with_drive()
        if keep_view:
            if self._edges.follow(model.marks):
                self.edge_lost.emit("The move of the edge is not stored: what it belonged to has changed meanwhile.")
        else:
            self._pictures.clear()
            self._marked = None
            self._elsewhere = False
            if self._edges.drop():
                self.edge_lost.emit("The edge that was moved last is not stored: another clip is shown.")
        with QSignalBlocker(self):  # a shorter clip is no wish to go to its end
            self.setRange(0, max(0, len(index) - 1) if index is not None else 0)
        self._on_edge_changed()
        self._arrange()

    def set_compact(self, compact: bool) -> None:
        """Show fewer and lower lanes."""
        self.choose(replace(self._choice, compact=compact))

    def set_hidden(self, names: frozenset[str]) -> None:
        """Leave these lanes out."""
        self.choose(replace(self._choice, hidden=names))

    def choose(self, choice: LaneChoice) -> None:
        """Show other lanes."""
        if choice != self._choice:
            self._choice = choice
            self._arrange()

    def set_drive(self, lanes: tuple[CurveLane, ...], sensed: tuple[Sensed, ...] = ()) -> None:
        """What was measured of the drive of this clip, or of the one that is about to be shown."""
        self._drive_lanes, self._sensed = lanes, sensed
        self._model = self._with_drive()
        self._arrange()

    def _with_drive(self) -> TimelineModel:
        index, given = self._index, self._given
        known = index is not None and len(index) > 0
        inside = [each for each in self._sensed if known and each.end_s >= 0 and each.start_s < given.duration_s]
        marks = tuple(each.mark(index) for each in inside if index is not None)
        return replace(given, curves=(*given.curves, *self._drive_lanes), marks=(*given.marks, *marks))

    @property
    def choice(self) -> LaneChoice:
        """Which lanes are shown."""
        return self._choice

    def set_position(self, frame_index: int) -> None:
        """Move the cursor."""
        if frame_index != self._cursor:
            self._cursor = frame_index
            if self._index is not None and not self._busy:
                self._follow(self._index.seconds(frame_index))
            self._describe()
            self.update()

    def set_playing(self, playing: bool) -> None:
        """Whether the cursor moves by itself."""
        self._playing = playing

    def _follow(self, seconds: float) -> None:
        """Turn the page with the cursor; not while it plays and somebody has gone to look elsewhere."""
        if self._elsewhere and self._playing:
            self._elsewhere = not self._port.start_s <= seconds <= self._port.end_s
            return
        self._elsewhere = False
        if self._port.follow(seconds):
            self._show_view()

    def _shown_by_hand(self) -> None:
        """Another stretch is visible because the hand wanted it."""
        index = self._index
        if index is not None and len(index):
            cursor_s = index.seconds(min(self._cursor, len(index) - 1))
            self._elsewhere = not self._port.start_s <= cursor_s <= self._port.end_s
        self._show_view()

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

    def picture_near(self, frame_index: int) -> tuple[int, QImage | None]:
        """The picture at hand that is closest to a frame, with its number."""
        near = min(self._pictures, key=lambda i: abs(i - frame_index), default=-1)
        return near, self._pictures.get(near)

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
        cell_px = max(24.0, lane.height * max(0.6, min(shown_shape(self._index), 2.0)))
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
        """What is shown, without what was measured of the drive."""
        return self._given

    @property
    def marks(self) -> tuple[EventMark, ...]:
        """The events that are shown."""
        return self._model.marks

    @property
    def draft(self) -> Draft | None:
        """The edge in hand, and where it would go."""
        return self._edges.draft

    def x_of_frame(self, frame_index: int) -> float:
        """Where a frame is on the widget."""
        return self._view().x(self._index.seconds(frame_index)) if self._index is not None else 0.0

    def zoom(self, steps: int) -> None:
        """Closer (positive) around the cursor, or further; 0 shows the whole clip."""
        if self._index is None or not len(self._index):
            return
        at_s = self._index.seconds(min(self._cursor, len(self._index) - 1))
        if self._port.step(steps, at_s) if steps else self._port.show_all():
            self._show_view()

    # -- layout --------------------------------------------------------------------------------------------------

    @override
    def sizeHint(self) -> QSize:
        return QSize(600, int(self._strip_rect().bottom()) + theme.GAP)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.sizeHint().height())

    def _arrange(self) -> None:
        metrics = QFontMetricsF(theme.font("small"))
        rows = self._choice.event_rows(self._model.marks, self._whole(), metrics)
        before = self.sizeHint().height() if self._lanes else -1
        top = theme.px(_RULER_PX) + 3
        left_out, low = self._choice.left_out(self._model), self._choice.compact
        self._lanes = lanes_of.lay_out(self._model, compact=low, top=top, rows=rows, hidden=left_out)
        events = self._lanes[-1]
        flags, others = lanes_of.place_on_curves(self._model.marks, self._lanes, self._view())
        self._placed = flags + lanes_of.place_marks(others, self._view(), events.top, metrics, most_rows=rows)
        self._ground = None
        if self.sizeHint().height() != before:
            self.updateGeometry()
        self.update()

    def _show_view(self) -> None:
        self._arrange()
        self.view_changed.emit()

    def _gutter_px(self) -> float:
        metrics = QFontMetricsF(theme.font("small"))
        curves = self._model.curves
        # Low rows have their names alone.
        scales = () if self._choice.compact else tuple(curve.scale for curve in curves)
        names = ("model saw", "brightness", *(curve.name for curve in curves), *scales)
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

    def _strip_rect(self) -> QRectF:
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
        index = self._index
        if index is None or not len(index):
            return
        view = self._view()
        top, low = self._lanes[0].top - 5, lanes_of.bottom(self._lanes) + 4
        if self._marked is not None:
            span_s = index.seconds(self._marked[0]), index.seconds(self._marked[1])
            paint.paint_marked(painter, view, span_s, top=top, low=low)
        edges_of.paint_edges(painter, self._placed, view, self._edges.held)
        draft = self._edges.draft
        if draft is not None and (draft.moved or self._edges.dragging):
            edges_of.paint_draft(painter, draft, view, top=top, low=low)
        if self._hover_x is not None and not self._busy:
            painter.setPen(QPen(theme.colour("muted", alpha=0.7), 1))
            painter.drawLine(QPointF(self._hover_x, top), QPointF(self._hover_x, low))
        seconds = index.seconds(min(self._cursor, len(index) - 1))
        paint.paint_cursor(painter, view, self._whole(), seconds, low=low, strip=self._strip_rect())
        if self._hover_x is not None:
            paint.paint_pointer(
                painter, view, self._hover_x, self._lanes, ruler=self._ruler_rect(), values=not self._busy
            )
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -1, -1))

    def _paint_ground(self) -> QPixmap:
        ground = paint.Ground(
            self._model,
            self._lanes,
            self._placed,
            self.cells(),
            self._pictures,
            self._damage,
            self._view(),
            self._whole(),
            self._ruler_rect(),
            self._strip_rect(),
            self._port.zoomed,
        )
        return ground.paint(self.size(), self.devicePixelRatioF())

    # -- help ----------------------------------------------------------------------------------------------------

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self._help_at(QPointF(event.pos()))
            if text:
                on_mark = self._mark_at(QPointF(event.pos())) is not None
                aside = QPoint() if on_mark else paint.beside_values(text, QFontMetricsF(QToolTip.font()))
                QToolTip.showText(event.globalPos() + aside, text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def _mark_at(self, position: QPointF) -> EventMark | None:
        return next((placed.mark for placed in self._placed if placed.rect.contains(position)), None)

    def _all_lanes(self) -> tuple[Lane, ...]:
        """Also those that are hidden."""
        return lanes_of.lay_out(self._model, compact=self._choice.compact, top=0)

    def _lane_at(self, position: QPointF) -> Lane | None:
        return next((lane for lane in self._lanes if lane.top <= position.y() <= lane.top + lane.height), None)

    def _help_at(self, position: QPointF) -> str:
        mark = self._mark_at(position)
        if mark is not None:
            return words.mark_help(mark)
        view, lane = self._view(), self._lane_at(position)
        if lane is not None and lane.curve is not None and position.x() < view.left_px:
            return lane.curve.help
        seconds = view.seconds(position.x())
        return words.place_help(seconds, lane, axis=self._port.axis, model=self._model, damage=self._damage)

    def _describe(self) -> None:
        """What a screen reader says: the slider's value is the frame of the cursor, or of the edge in hand."""
        index, draft = self._index, self._edges.draft
        self.setAccessibleName(words.spoken_name(draft))
        if index is None or not len(index):
            self.setAccessibleDescription("")
            return
        i = draft.frame_index if draft is not None else min(self._cursor, len(index) - 1)
        with QSignalBlocker(self):  # it is told where it is; it does not go there
            self.setValue(i)
        self.setAccessibleDescription(words.spoken_place(index, i, marks=self._model.marks, draft=draft))

    def _on_edge_changed(self) -> None:
        self._describe()
        self.edge_changed.emit(self._edges.draft)
        self.update()
