"""The hand on the timeline: presses, drags, the wheel, and the keys of an edge that is held."""

from __future__ import annotations

from bisect import bisect_left
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from typing_extensions import override

from vvlm_desktop.ui.review.timeline_edges import Edge, edge_at, edges_of, next_edge
from vvlm_desktop.ui.review.timeline_lanes import KEPT_LANES
from vvlm_desktop.ui.review.timeline_surface import TimelineSurface

#: A press on the ruler or on an edge that moves no further is a click.
_CLICK_PX = 3
#: So far from a frame that a model saw, a click in that lane still means it.
_SNAP_PX = 12.0
#: Shift makes a nudge so many frames.
_FAR_FRAMES = 10

Drag = Literal["", "scrub", "pan", "whole", "edge"]
_MODIFIERS = frozenset({Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr})
_PLAIN = Qt.KeyboardModifier.NoModifier
_NUDGES = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_DONE = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class Timeline(TimelineSurface):
    """Says where the user wants to go, and which edges shall be where."""

    scrubbed = Signal(object, bool)  # frame index, still dragging
    mark_chosen = Signal(object)  # EventMark
    hovered = Signal(object)  # frame index under the pointer, None for none
    lanes_chosen = Signal()  # others are hidden, or shown where there is little room
    menu_opened = Signal(object)  # QMenu of the lanes, before it is seen: others add what concerns theirs

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drag: Drag = ""
        self._button = Qt.MouseButton.NoButton  # that drags
        self._pressed_at = QPointF()
        self._dragged_from_x = 0.0
        self._hovered: int | None = None
        self._menu = QMenu("Lanes that are shown", self)
        self._menu.setAccessibleName(self._menu.title())
        self._hears_presses = False
        self.edge_changed.connect(self._hear_presses)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.valueChanged.connect(self._on_value)

    def _frame_at(self, x: float) -> int:
        assert self._index is not None
        return self._index.at_time(max(0.0, self._view().seconds(x)))

    def _drag_at(self, position: QPointF, button: Qt.MouseButton, *, modifiers: Qt.KeyboardModifier = _PLAIN) -> Drag:
        """What a press there begins; where everything is visible, there is nothing to pan."""
        if button == Qt.MouseButton.MiddleButton:
            return "pan" if self._port.zoomed else ""
        if button != Qt.MouseButton.LeftButton:
            return ""
        if self._port.zoomed and modifiers & Qt.KeyboardModifier.ShiftModifier:
            return "pan"
        if edge_at(self._placed, position, self._view()) is not None:
            return "edge"
        if self._port.zoomed and position.y() >= self._strip_rect().top() - 2:
            return "whole"
        return "pan" if self._port.zoomed and self._ruler_rect().contains(position) else "scrub"

    # -- mouse ---------------------------------------------------------------------------------------------------

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        drag = self._drag_at(event.position(), event.button(), modifiers=event.modifiers())
        if not drag or self._drag or self._index is None or not len(self._index):
            event.ignore()
            return
        x = event.position().x()
        self._pressed_at, self._dragged_from_x = event.position(), x
        edge = edge_at(self._placed, event.position(), self._view()) if drag == "edge" else None
        self._edges.hold(edge, dragging=edge is not None)
        mark = self._mark_at(event.position())
        if mark is not None and drag == "scrub":
            self.mark_chosen.emit(mark)
            return
        self._set_drag(drag)
        self._button = event.button()
        if drag == "edge":
            self.setFocus(Qt.FocusReason.MouseFocusReason)  # for Escape, and the arrows afterwards
        elif drag == "scrub":
            self.scrubbed.emit(self._meant_at(event.position()), True)
        elif drag == "whole":
            self._pan(x)

    def _set_drag(self, drag: Drag) -> None:
        self._drag, self._busy = drag, bool(drag)
        if drag and drag != "edge":
            self._hover(None)

    def _meant_at(self, position: QPointF) -> int:
        """The frame that a press means: in the lane of a model's frames the one of them that is close."""
        assert self._index is not None
        lane = self._lane_at(position)
        if lane is not None and lane.kind == "seen" and self._model.seen_s:
            view, seen_s = self._view(), self._model.seen_s
            after = bisect_left(seen_s, view.seconds(position.x()))
            near = min(seen_s[max(0, after - 1) : after + 1], key=lambda s: abs(view.x(s) - position.x()))
            if abs(view.x(near) - position.x()) <= _SNAP_PX:
                return self._index.at_time(near + self._port.axis.frame_s * 0.01)
        return self._frame_at(position.x())

    def _pan(self, x: float) -> None:
        """The view follows the pointer: by its movement, or in the strip of the whole clip to where it is."""
        view, duration_s = self._view(), self._port.duration_s
        if self._drag == "whole":
            view = view.centred(self._whole().seconds(x), duration_s=duration_s)
        else:
            view = view.dragged(x - self._dragged_from_x, duration_s=duration_s)
        self._dragged_from_x = x
        if self._port.show(view):
            self._shown_by_hand()

    def _move_edge(self, position: QPointF) -> None:
        """An edge goes between two frames: the start before the frame nearest to the pointer, the end behind it."""
        held = self._edges.held
        if held is None or (position - self._pressed_at).manhattanLength() <= _CLICK_PX:
            return
        half_s = self._port.axis.frame_s / 2
        seconds = self._view().seconds(position.x()) + (-half_s if held.end else half_s)
        assert self._index is not None
        self._edges.move(self._index.at_time(max(0.0, seconds)))

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        view, x = self._view(), event.position().x()
        inside = view.left_px <= x <= view.right_px
        self._hover_x = min(max(view.left_px, x), view.right_px) if self._drag in {"scrub", "edge"} or inside else None
        if self._drag == "scrub":
            self.scrubbed.emit(self._frame_at(x), True)
        elif self._drag == "edge":
            self._move_edge(event.position())
        elif self._drag:
            self._pan(x)
        else:
            on_strip = event.position().y() >= self._strip_rect().top() - 2
            self._hover(self._frame_under(x) if inside and not on_strip else None)
        self.setCursor(self._cursor_at(event.position(), event.modifiers()))
        self.update()

    def _frame_under(self, x: float) -> int | None:
        """The frame that lies there; none within a gap."""
        if self._index is None or not len(self._index):
            return None
        return self._frame_at(x) if self._port.axis.gap_at(self._view().seconds(x)) is None else None

    @override
    def _show_view(self) -> None:
        super()._show_view()
        # The pointer stands still, and another frame is under it now.
        if self._hovered is not None and self._hover_x is not None:
            self._hover(self._frame_under(self._hover_x))

    def _hover(self, frame_index: int | None) -> None:
        if frame_index != self._hovered:
            self._hovered = frame_index
            self.hovered.emit(frame_index)

    def _cursor_at(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> Qt.CursorShape:
        if self._drag in {"pan", "whole"}:
            return Qt.CursorShape.ClosedHandCursor
        grips = self._drag or self._drag_at(position, Qt.MouseButton.LeftButton, modifiers=modifiers)
        if grips == "edge":
            return Qt.CursorShape.SplitHCursor
        if self._mark_at(position) is not None:
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.OpenHandCursor if grips in {"pan", "whole"} else Qt.CursorShape.ArrowCursor

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag = self._drag
        if drag and event.button() != self._button:  # another one, pressed by mistake: the hand goes on
            event.ignore()
            return
        self._set_drag("")
        if self._index is None or not len(self._index):
            return
        x = event.position().x()
        clicked = (event.position() - self._pressed_at).manhattanLength() <= _CLICK_PX
        if drag == "edge":
            if clicked and self._edges.draft is not None:
                self.scrubbed.emit(self._edges.draft.frame_index, False)
            self._edges.finish()
        elif drag == "scrub":
            self.scrubbed.emit(self._meant_at(event.position()) if clicked else self._frame_at(x), False)
        elif drag == "pan" and clicked and event.button() == Qt.MouseButton.LeftButton:
            self.scrubbed.emit(self._frame_at(x), False)
        self.update()

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._port.show_all():
            self._show_view()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._hover_x = None
        self._hover(None)
        self.update()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._port.wheel(event, self._view()):
            self._shown_by_hand()
        event.accept()

    # -- lanes ---------------------------------------------------------------------------------------------------

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self._drag:  # a menu would take the release of the button that drags
            self._show_menu(event.globalPos())

    def choose_lanes(self) -> None:
        """Ask which lanes are shown, at the timeline's corner; its first entry can be chosen at once."""
        menu = self._show_menu(self.mapToGlobal(QPoint(round(self._view().left_px), round(self._lanes[0].top))))
        menu.setActiveAction(menu.actions()[0])

    def _show_menu(self, at: QPoint) -> QMenu:
        menu = self._menu
        menu.clear()
        for name in dict.fromkeys(lane.name for lane in self._all_lanes() if lane.kind not in KEPT_LANES):
            entry = menu.addAction(name)
            entry.setCheckable(True)
            entry.setChecked(name not in self._choice.left_out(self._model))
            entry.toggled.connect(lambda shown, name=name: self._choose_lane(name, shown=shown))
        self.menu_opened.emit(menu)
        menu.popup(at)
        return menu

    def _choose_lane(self, name: str, *, shown: bool) -> None:
        self.choose(self._choice.choose(name, shown=shown, model=self._model))
        self.lanes_chosen.emit()

    # -- keys ----------------------------------------------------------------------------------------------------

    def hold_nearest_edge(self) -> None:
        """Take the edge that is nearest to the cursor in hand, for the arrow keys."""
        edges, index = edges_of(self._model.marks), self._index
        if not edges or index is None:
            self.edge_lost.emit("There is no evidence and no event time here whose edge could be moved.")
            return
        near = min(edges, key=lambda edge: abs(edge.frame_index - self._cursor))
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._hold(near)

    def _hold(self, edge: Edge) -> None:
        """In hand, and in sight."""
        self._edges.hold(edge)
        assert self._index is not None
        if self._port.follow(self._index.seconds(edge.frame_index)):
            self._show_view()

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            if self._port.pinch(event.value(), self._view().seconds(event.position().x())):
                self._shown_by_hand()
            return True
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._edges.held:
            if event.key() in _NUDGES or event.key() in _DONE or event.key() == Qt.Key.Key_Escape:
                event.accept()  # for the edge, before they are the page's
                return True
            if event.key() not in _MODIFIERS:
                self._edges.finish()  # whatever the key does, it comes after the move
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The page's keys do everything else that can be done here."""
        held, index = self._edges.held, self._index
        if held is None or index is None:
            event.ignore()
        elif event.key() in _NUDGES:
            far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._edges.nudge(_NUDGES[Qt.Key(event.key())] * (_FAR_FRAMES if far else 1), last=len(index) - 1)
        elif event.key() in _DONE:
            self._let_go()
        elif event.key() == Qt.Key.Key_Escape:
            if self._edges.cancel():
                self.edge_lost.emit(f"The {held.words} is back where it was. Nothing was stored.")
            self._let_go()
        else:
            event.ignore()

    def _let_go(self) -> None:
        """What was moved is stored, and the keys are the page's again."""
        self._set_drag("")
        self._edges.hold(None)
        self.clearFocus()

    def _hear_presses(self) -> None:
        """While an edge is in hand: a press on anything else, which may have no use for the focus, ends the move."""
        app, wanted = QApplication.instance(), self._edges.held is not None
        if app is None or wanted == self._hears_presses:
            return
        self._hears_presses = wanted
        if wanted:
            app.installEventFilter(self)
        else:
            app.removeEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(watched, QWidget) and watched is not self:
            self._edges.finish()
        return False

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        self._edges.finish()
        super().hideEvent(event)

    @override
    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab goes from edge to edge before it leaves."""
        edges: tuple[Edge, ...] = edges_of(self._model.marks)
        following = next_edge(edges, self._edges.held, forward=next)
        if following is not None:
            self._hold(following)
            return True
        self._edges.hold(None)
        return super().focusNextPrevChild(next)

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        if event.reason() not in {Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason}:
            self._edges.hold(None)
        else:
            self._edges.finish()
        super().focusOutEvent(event)

    def _on_value(self, frame_index: int) -> None:
        """Something other than the picture moved the slider: a screen reader; the edge in hand, or the cursor."""
        if self._edges.draft is not None and self._index is not None:
            self._edges.nudge(frame_index - self._edges.draft.frame_index, last=len(self._index) - 1)
        elif frame_index != self._cursor:
            self.scrubbed.emit(frame_index, False)
