"""A plot of curves over the steps of a run: read with mouse or arrow keys, zoomed by dragging or with + and -."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.plot_paint import (
    Curve,
    Frame,
    Reading,
    frame_for,
    paint_axes,
    paint_cursor,
    paint_curve,
    paint_read_out,
)
from vvlm_desktop.ui.training.plot_scale import Unit, number_words, value_at, value_range

_Key = Qt.Key
_OWN_KEYS = frozenset(
    {
        _Key.Key_Left,
        _Key.Key_Right,
        _Key.Key_Home,
        _Key.Key_End,
        _Key.Key_Plus,
        _Key.Key_Equal,
        _Key.Key_Minus,
        _Key.Key_0,
        _Key.Key_Escape,
    }
)
_DRAG_PX = 6
_FEWEST_STEPS = 4.0

Range = tuple[float, float]


class Curves(QWidget):
    """Curves over steps with a cursor; several plots can share range and cursor through their signals."""

    range_changed = Signal(object)  # (first, last) step or None for the whole run
    cursor_moved = Signal(object)  # step or None

    def __init__(
        self, title: str, *, unit: Unit = "number", nothing: str = "Nothing yet", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._title, self._unit, self._nothing = title, unit, nothing
        self._curves: list[Curve] = []
        self._steps = np.empty(0)
        self._range: Range | None = None
        self._last_step = 0.0
        self._cursor: int | None = None
        self._pressed_x: float | None = None
        self._drag_x: float | None = None
        self._picture: tuple[object, QPixmap] | None = None
        self._version = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(theme.px(96))
        self.setAccessibleName(title)
        self._describe()

    # -- what is shown

    @property
    def shown(self) -> tuple[Curve, ...]:
        """The curves."""
        return tuple(self._curves)

    @property
    def cursor_step(self) -> int | None:
        """Where the cursor is."""
        return self._cursor

    @property
    def range(self) -> Range | None:
        """The steps that are zoomed into; None for all."""
        return self._range

    def show_curves(self, curves: Sequence[Curve], *, last_step: float = 0.0) -> None:
        """Show other curves, or more of them; the axis reaches to `last_step` where that is known."""
        self._curves = list(curves)
        self._last_step = last_step
        steps = [each.xs for each in curves if len(each.xs)]
        self._steps = np.unique(np.concatenate(steps)) if steps else np.empty(0)
        self._changed()
        self._describe()

    def zoom(self, steps: Range | None) -> None:
        """Show only these steps; told to nobody."""
        if steps == self._range:
            return
        self._range = steps
        self._changed()

    def point_at(self, step: int | None) -> None:
        """Put the cursor there; told to nobody."""
        if step == self._cursor:
            return
        self._cursor = step
        self._describe()
        self.update()

    def readings(self, step: int | None = None) -> list[Reading]:
        """What each curve says at a step, or last said before it; at the end where no step is given."""
        if step is None:
            step = int(self._steps[-1]) if len(self._steps) else 0
        found = ((each, value_at(each.xs, each.ys, step)) for each in self._curves)
        return [Reading(each, *point) for each, point in found if point is not None]

    def as_csv(self) -> str:
        """All numbers, a line for each step."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["step", *(each.title for each in self._curves)])
        columns = [dict(zip(each.xs.tolist(), each.ys.tolist(), strict=True)) for each in self._curves]
        for step in self._steps.tolist():
            writer.writerow([int(step), *(column.get(step, "") for column in columns)])
        return out.getvalue()

    def copy_numbers(self) -> None:
        """Put all numbers on the clipboard, as CSV."""
        QGuiApplication.clipboard().setText(self.as_csv())

    def _describe(self) -> None:
        where = self._cursor
        rows = self.readings(where)
        if not rows:
            self.setAccessibleDescription(self._nothing)
            return
        step = where if where is not None else int(self._steps[-1])
        said = []
        for row in rows:
            late = f" (of step {row.step:,})" if row.step != step else ""
            said.append(f"{row.of.title} {number_words(row.value, self._unit)}{late}")
        self.setAccessibleDescription(f"Step {step:,}: {', '.join(said)}")

    def _changed(self) -> None:
        self._version += 1
        self.update()

    # -- geometry

    @property
    def whole(self) -> Range:
        """From the first to the last step there is, or will be."""
        if not len(self._steps):
            return 0.0, max(1.0, self._last_step)
        first, last = float(self._steps[0]), max(float(self._steps[-1]), self._last_step)
        return min(first, last - 1), last

    def frame(self) -> Frame:
        """Where numbers lie now."""
        steps = self._range or self.whole
        if self._unit == "share":
            values = (0.0, 1.0)
        else:
            seen = []
            for each in self._curves:
                inside = each.ys[(each.xs >= steps[0]) & (each.xs <= steps[1])]
                seen.append(_without_outliers(inside) if each.style.faint else inside)
            values = value_range(seen)
        return frame_for(QRectF(self.rect()), steps=steps, values=values, unit=self._unit)

    def _nearest(self, x: float) -> int | None:
        if not len(self._steps):
            return None
        step = self.frame().step(x)
        place = int(np.searchsorted(self._steps, step))
        near = self._steps[max(0, place - 1) : place + 1]
        return int(near[np.argmin(np.abs(near - step))])

    def _set_cursor(self, step: int | None) -> None:
        if step != self._cursor:
            self.point_at(step)
            self.cursor_moved.emit(step)

    def _set_range(self, steps: Range | None) -> None:
        whole = self.whole
        if steps is not None:
            steps = (max(whole[0], steps[0]), min(whole[1], steps[1]))
            if steps[1] - steps[0] < min(_FEWEST_STEPS, whole[1] - whole[0]):
                return
            if steps == whole:
                steps = None
        if steps != self._range:
            self.zoom(steps)
            self.range_changed.emit(steps)

    def _zoom_by(self, factor: float, *, around: float) -> None:
        low, high = self._range or self.whole
        self._set_range((around - (around - low) * factor, around + (high - around) * factor))

    # -- Qt

    @override
    def sizeHint(self) -> QSize:
        return QSize(theme.px(360), theme.px(96))  # grows where there is room

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not len(self._steps):
            painter.setPen(theme.colour("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._nothing)
        else:
            frame = self.frame()
            painter.drawPixmap(0, 0, self._drawn(frame))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_drag(painter, frame)
            if self._cursor is not None and frame.steps[0] <= self._cursor <= frame.steps[1]:
                rows = self.readings(self._cursor)
                paint_cursor(painter, frame, self._cursor, rows)
                paint_read_out(painter, frame, self._cursor, rows, unit=self._unit)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)

    def _drawn(self, frame: Frame) -> QPixmap:
        """Axes and curves as a picture: the cursor moves over it without drawing thousands of points again."""
        ratio = self.devicePixelRatioF()
        key = (self._version, self.size().toTuple(), ratio, theme.tokens().name)
        if self._picture is not None and self._picture[0] == key:
            return self._picture[1]
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        paint_axes(painter, frame, self._unit)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for each in sorted(self._curves, key=lambda one: not one.style.faint):
            paint_curve(painter, frame, each)
        painter.end()
        self._picture = (key, picture)
        return picture

    def _paint_drag(self, painter: QPainter, frame: Frame) -> None:
        if self._pressed_x is None or self._drag_x is None:
            return
        left, right = sorted((self._pressed_x, self._drag_x))
        band = QRectF(QPointF(left, frame.area.top()), QPointF(right, frame.area.bottom())) & frame.area
        painter.fillRect(band, theme.colour("accent", alpha=0.18))

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._pressed_x is not None and abs(x - self._pressed_x) >= _DRAG_PX:
            self._drag_x = x
            self.update()
        self._set_cursor(self._nearest(x))

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_x = event.position().x()

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, dragged = self._pressed_x, self._drag_x
        self._pressed_x = self._drag_x = None
        if pressed is not None and dragged is not None:
            frame = self.frame()
            first, last = sorted((frame.step(pressed), frame.step(dragged)))
            self._set_range((first, last))
        self.update()

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._set_range(None)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        # Without Ctrl the page scrolls.
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and len(self._steps):
            around = self.frame().step(event.position().x())
            self._zoom_by(0.8 if event.angleDelta().y() > 0 else 1.25, around=around)
            event.accept()
        else:
            event.ignore()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._set_cursor(None)

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._set_cursor(None)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not len(self._steps) or event.key() not in _OWN_KEYS:
            super().keyPressEvent(event)
            return
        key = event.key()
        if key in {_Key.Key_Left, _Key.Key_Right, _Key.Key_Home, _Key.Key_End}:
            far = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._walk(Qt.Key(key), far)
        elif key in {_Key.Key_0, _Key.Key_Escape}:
            self._set_range(None)
        else:
            low, high = self._range or self.whole
            around = self._cursor if self._cursor is not None else (low + high) / 2
            self._zoom_by(1.6 if key == _Key.Key_Minus else 0.625, around=around)

    def _walk(self, key: Qt.Key, far: int) -> None:
        low, high = self._range or self.whole
        inside = self._steps[(self._steps >= low) & (self._steps <= high)]
        if not len(inside):
            return
        if key in {_Key.Key_Home, _Key.Key_End} or self._cursor is None:
            place = 0 if key in {_Key.Key_Home, _Key.Key_Right} else len(inside) - 1
        else:
            here = int(np.searchsorted(inside, self._cursor))
            place = max(0, min(len(inside) - 1, here + (far if key == _Key.Key_Right else -far)))
        self._set_cursor(int(inside[place]))

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy numbers", self.copy_numbers)
        menu.addAction("Show the whole run", self.show_whole).setEnabled(self._range is not None)
        menu.popup(event.globalPos())

    def show_whole(self) -> None:
        """Show all steps again."""
        self._set_range(None)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _OWN_KEYS:
            chord = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
            if not event.modifiers() & chord:
                event.accept()  # or the page would take them
                return True
        return super().event(event)


def _without_outliers(values: np.ndarray) -> np.ndarray:
    """What raw curves are scaled by: a single wild step must not press all others flat."""
    if len(values) < 50:
        return values
    low, high = np.percentile(values, (0.5, 99.5))
    inside: np.ndarray = values[(values >= low) & (values <= high)]
    return inside
