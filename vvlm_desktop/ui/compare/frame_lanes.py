"""What each of them saw, and when it says something happened, under one cursor; click or drag to go there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.field_rows import is_beyond
from vvlm_desktop.ui.compare.sides import ALL_LETTERS, INKS, LETTERS
from vvlm_desktop.ui.review.form.model import frame_of_pts
from vvlm_desktop.ui.review.timeline_build import EVENT_TIME, looks_of
from vvlm_desktop.ui.review.timeline_lanes import Lane, paint_frames, paint_track
from vvlm_desktop.ui.review.timeline_model import Look, View
from vvlm_desktop.ui.review.times import span_text
from vvlm_desktop.video.index import FrameIndex

_LANE_PX, _GAP_PX = 18, 6


@dataclass(frozen=True, slots=True)
class LaneModel:
    """One side's frames.

    Attributes:
        frames: indices of the frames it was given, in its last look where there were several.
        event_s: when it says that something happened.
        beyond_end: that is after the clip's last frame.
    """

    frames: tuple[int, ...] = ()
    seen_s: tuple[float, ...] = ()
    event_s: tuple[float, float] | None = None
    looks: tuple[Look, ...] = ()
    name: str = ""
    beyond_end: bool = False

    @property
    def help(self) -> str:
        """For the tooltip."""
        parts = [f"{self.name}: {len(self.frames)} frames", *(look.text for look in self.looks)]
        if self.event_s is not None:
            beyond = ", which is after the end of the clip" if self.beyond_end else ""
            parts.append(f"event at {span_text(*self.event_s)}{beyond}")
        return "\n".join(parts)


def lane_model(analysis: Analysis | None, index: FrameIndex, *, name: str) -> LaneModel:
    """What an answer was made from, on the clip's own time line."""
    if analysis is None:
        return LaneModel(name=f"{name}, which has not answered about this clip")
    frames = tuple(frame_of_pts(index, pts) for pts in analysis.frames_pts)
    span = analysis.labels.get(EVENT_TIME)
    event = (span["start_ms"] / 1000, span["end_ms"] / 1000) if isinstance(span, dict) else None
    beyond = event is not None and is_beyond(event[1], index.duration_s)
    return LaneModel(frames, tuple(index.seconds(i) for i in frames), event, looks_of(analysis, index), name, beyond)


class FrameLanes(QWidget):
    """A lane each and a cursor; says where the user wants to go, and whose lane was clicked by its letter."""

    scrubbed = Signal(object, bool)  # frame index, still dragging
    side_pressed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._index: FrameIndex | None = None
        self._lanes: tuple[LaneModel, ...] = ()
        self._cursor = 0
        self._active: int | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Frames that each of the two saw")

    def show_clip(self, index: FrameIndex | None, lanes: Sequence[LaneModel]) -> None:
        """Show another clip."""
        self._index, self._lanes, self._cursor = index, tuple(lanes), 0
        self.setAccessibleDescription(" ".join(lane.help for lane in lanes))
        self.updateGeometry()
        self.update()

    def set_position(self, frame_index: int) -> None:
        """Move the cursor."""
        self._cursor = frame_index
        self.update()

    def set_active(self, side: int | None) -> None:
        """Mark whose frames alone are played."""
        self._active = side
        self.update()

    def _view(self) -> View:
        left = theme.MARGIN + QFontMetricsF(theme.font("small")).horizontalAdvance("A saw") + 12
        duration = self._index.duration_s if self._index is not None else 1.0
        return View(left, max(1.0, self.width() - left - theme.MARGIN), 0.0, max(duration, 1e-6))

    @property
    def _shown(self) -> int:
        """How many lanes there are; two while no clip is open."""
        return max(len(LETTERS), len(self._lanes))

    def _top(self, side: int) -> float:
        return theme.GAP + side * theme.px(_LANE_PX + _GAP_PX)

    @override
    def sizeHint(self) -> QSize:
        lanes = self._shown
        return QSize(400, 2 * theme.GAP + lanes * theme.px(_LANE_PX) + (lanes - 1) * theme.px(_GAP_PX))

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("panel"))
        view = self._view()
        for side in range(self._shown):
            self._paint_lane(painter, view, side)
        if self._index is None or not len(self._index) or not self._lanes:
            return
        x = round(view.x(self._index.seconds(min(self._cursor, len(self._index) - 1)))) - 1
        painter.fillRect(QRectF(x, theme.GAP - 4, 2, self.height() - 2 * theme.GAP + 8), theme.colour("text"))

    def _paint_lane(self, painter: QPainter, view: View, side: int) -> None:
        lane = Lane("seen", f"{ALL_LETTERS[side]} saw", self._top(side), theme.px(_LANE_PX))
        active = self._active == side
        painter.setFont(theme.font("small"))
        painter.setPen(theme.colour(INKS[side]))
        name = QRectF(theme.MARGIN, lane.top, view.left_px - theme.MARGIN, lane.height)
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, lane.name)
        paint_track(painter, lane, view)
        if side >= len(self._lanes):
            return
        model = self._lanes[side]
        painter.save()
        painter.setClipRect(QRectF(view.left_px, lane.top, view.width_px, lane.height))
        if model.event_s is not None:
            left, right = view.x(model.event_s[0]), view.x(model.event_s[1])
            area = QRectF(left, lane.top, max(3.0, right - left), lane.height)
            painter.fillRect(area, theme.colour(INKS[side], alpha=0.25))
        for look in model.looks[:-1]:
            paint_frames(painter, lane, view, look.seen_s, ink=INKS[side], alpha=0.4)
        paint_frames(painter, lane, view, model.seen_s, ink=INKS[side])
        painter.restore()
        if active:
            painter.setPen(QPen(theme.colour(INKS[side]), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(view.left_px, lane.top, view.width_px, lane.height), 3, 3)

    # -- mouse

    def _side_at(self, y: float) -> int | None:
        for side in range(self._shown):
            if self._top(side) <= y <= self._top(side) + theme.px(_LANE_PX):
                return side
        return None

    def _frame_at(self, x: float) -> int:
        assert self._index is not None
        return self._index.at_time(max(0.0, self._view().seconds(x)))

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._index is None or not len(self._index) or event.button() != Qt.MouseButton.LeftButton:
            return
        side = self._side_at(event.position().y())
        if event.position().x() < self._view().left_px and side is not None:
            self.side_pressed.emit(side)
            return
        self._dragging = True
        self.scrubbed.emit(self._frame_at(event.position().x()), True)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self.scrubbed.emit(self._frame_at(event.position().x()), True)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._dragging = False
            self.scrubbed.emit(self._frame_at(event.position().x()), False)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            side = self._side_at(QPointF(event.pos()).y())
            if side is not None and side < len(self._lanes):
                QToolTip.showText(event.globalPos(), self._lanes[side].help, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)
