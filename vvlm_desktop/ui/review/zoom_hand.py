"""The mouse on the picture: Ctrl and wheel zoom, dragging pans, a click plays, the side buttons go back and forward."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QCursor, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.ui.review.zoom import Point, Size, Zoom

#: A press that moves less than this is a click.
_STILL_PX = 4.0
_WHEEL_NOTCH = 120.0


class ZoomHand(QObject):
    """Turns what the mouse does on `view` into zoom, and says what else was meant."""

    changed = Signal()  # the zoom is another
    clicked = Signal()
    double_clicked = Signal()
    back_pressed = Signal()
    forward_pressed = Signal()

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self.zoom = Zoom()
        self._shape: Size = (16.0, 9.0)
        self._pressed: QPointF | None = None
        self._panned = False
        view.installEventFilter(self)

    @property
    def room(self) -> Size:
        """The view in device pixels."""
        scale = self._view.devicePixelRatioF()
        return max(1, round(self._view.width() * scale)), max(1, round(self._view.height() * scale))

    @property
    def scale(self) -> float:
        """Device pixels for one pixel of the file."""
        return self.zoom.scale(self.room, self._shape)

    def set_shape(self, shape: Size) -> None:
        """Upright size of the picture in square pixels."""
        self._shape = shape

    def cycle(self) -> None:
        """One size larger, around the pointer where it is over the picture; after the largest, all of it."""
        self.zoom.cycle(self.room, self._shape, self._pointer())
        self._say()

    def fit(self) -> None:
        """All of the picture."""
        if not self.zoom.fits:
            self.zoom.fit()
            self._say()

    def pan(self, across: float, down: float) -> None:
        """Look further to a side, by a share of the window."""
        if not self.zoom.fits:
            width, height = self.room
            self.zoom.pan(-across * width, -down * height, self.room, self._shape)
            self._say()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QWheelEvent):
            return self._on_wheel(event)
        if not isinstance(event, QMouseEvent):
            return False
        if kind == QEvent.Type.MouseButtonPress:
            return self._on_press(event)
        if kind == QEvent.Type.MouseMove and self._pressed is not None:
            return self._on_move(event)
        if kind == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
            return self._on_release()
        if kind == QEvent.Type.MouseButtonDblClick and event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._panned = event.position(), False
            self.fit()
            self.double_clicked.emit()
            return True
        return False

    def _on_wheel(self, event: QWheelEvent) -> bool:
        notches = event.angleDelta().y() / _WHEEL_NOTCH
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier or not notches:
            return False
        self.zoom.turn(notches, self.room, self._shape, self._device(event.position()))
        self._say()
        return True

    def _on_press(self, event: QMouseEvent) -> bool:
        if event.button() == Qt.MouseButton.BackButton:
            self.back_pressed.emit()
        elif event.button() == Qt.MouseButton.ForwardButton:
            self.forward_pressed.emit()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._panned = event.position(), False
        else:
            return False
        return True

    def _on_move(self, event: QMouseEvent) -> bool:
        assert self._pressed is not None
        way = event.position() - self._pressed
        if not self._panned and way.manhattanLength() < _STILL_PX:
            return True
        if self.zoom.fits:  # there is nothing to pull, and whoever tried did not mean to play
            self._panned = True
            return True
        if not self._panned:
            self._panned = True
            self._view.setCursor(Qt.CursorShape.ClosedHandCursor)
        scale = self._view.devicePixelRatioF()
        self.zoom.pan(way.x() * scale, way.y() * scale, self.room, self._shape)
        self._pressed = event.position()
        self.changed.emit()
        return True

    def _on_release(self) -> bool:
        was_click = self._pressed is not None and not self._panned
        self._pressed, self._panned = None, False
        self._show_cursor()
        if was_click:
            self.clicked.emit()
        return True

    def _say(self) -> None:
        self._show_cursor()
        self.changed.emit()

    def _show_cursor(self) -> None:
        if self.zoom.fits:
            self._view.unsetCursor()
        else:
            self._view.setCursor(Qt.CursorShape.OpenHandCursor)

    def _pointer(self) -> Point:
        here = self._view.mapFromGlobal(QCursor.pos())
        if self._view.isVisible() and self._view.underMouse() and self._view.rect().contains(here):
            return self._device(QPointF(here))
        width, height = self.room
        return width / 2, height / 2

    def _device(self, point: QPointF) -> Point:
        scale = self._view.devicePixelRatioF()
        return point.x() * scale, point.y() * scale
