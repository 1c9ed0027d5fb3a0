"""Frames of one batch as small pictures in a row; pressed, one is shown as large as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.check_batch import SeenFrame, time_words
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout

THUMB_PX = 104


class FrameButton(QAbstractButton):
    """A small picture with its number and time."""

    def __init__(self, number: int, frame: SeenFrame, picture: QImage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number = number
        self._pixmap = QPixmap.fromImage(picture)
        self._missing = picture.isNull()
        words = f"Frame {number}, {time_words(frame)}"
        self.setAccessibleName(words)
        self.setToolTip(f"{words}; press to enlarge")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._caption = f"{number} · {frame.time_s:.2f} s"

    @override
    def sizeHint(self) -> QSize:
        side = theme.px(THUMB_PX)
        ratio = self._pixmap.height() / self._pixmap.width() if not self._missing else 0.75
        return QSize(side, round(side * ratio) + theme.px(16))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        foot = theme.px(16)
        area = QRectF(self.rect()).adjusted(0, 0, 0, -foot)
        painter.fillRect(area, theme.colour("picture"))
        if not self._missing:
            painter.drawPixmap(area, self._pixmap, QRectF(self._pixmap.rect()))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.colour("muted"))
        below = QRectF(0, area.bottom(), area.width(), foot)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._caption)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawRect(area.adjusted(1, 1, -1, -1))


class FrameRow(QWidget):
    """All frames of a clip."""

    enlarged = Signal(int)  # place

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = FlowLayout(self, gap=6)
        self.buttons: list[FrameButton] = []

    def show_frames(self, frames: Sequence[SeenFrame], pictures: Sequence[QImage]) -> None:
        """Show other frames."""
        while (item := self._flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.buttons = []
        for place, (frame, picture) in enumerate(zip(frames, pictures, strict=True)):
            made = FrameButton(place + 1, frame, picture)
            made.clicked.connect(partial(self.enlarged.emit, place))
            self._flow.addWidget(made)
            made.show()
            self.buttons.append(made)
        self.updateGeometry()


class LargeFrame(QWidget):
    """Covers its parent with one frame; arrows go on, Esc or a click goes back."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("keepsEscape", True)
        self._frames: Sequence[SeenFrame] = ()
        self._place = 0
        self._picture = QPixmap()
        self._before: QWidget | None = None
        self.hide()

    def open(self, frames: Sequence[SeenFrame], place: int) -> None:
        """Show a frame over the page."""
        self._frames = frames
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self._before = self.window().focusWidget()
        self._show(place)
        self.raise_()
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def place(self) -> int:
        """Which frame is shown."""
        return self._place

    def _show(self, place: int) -> None:
        self._place = max(0, min(len(self._frames) - 1, place))
        frame = self._frames[self._place]
        self._picture = QPixmap(str(frame.file))
        words = f"Frame {self._place + 1} of {len(self._frames)} · {time_words(frame)}"
        size = f" · {self._picture.width()} × {self._picture.height()}" if not self._picture.isNull() else ""
        self.setAccessibleName(words + size)
        self.update()

    def leave(self) -> None:
        """Go back to the page."""
        self.hide()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Space):
            self._show(self._place + 1)
        elif event.key() == Qt.Key.Key_Left:
            self._show(self._place - 1)
        elif event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.leave()
        else:
            super().keyPressEvent(event)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.leave()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), theme.colour("picture", alpha=0.92))
        foot = theme.px(40)
        area = QRectF(self.rect()).adjusted(24, 24, -24, -foot - 12)
        if not self._picture.isNull() and area.width() > 0:
            scale = min(area.width() / self._picture.width(), area.height() / self._picture.height(), 4.0)
            width, height = self._picture.width() * scale, self._picture.height() * scale
            target = QRectF(area.center().x() - width / 2, area.center().y() - height / 2, width, height)
            painter.drawPixmap(target, self._picture, QRectF(self._picture.rect()))
        painter.setPen(QColor(theme.DARK.text))  # on the black behind pictures, whatever the theme
        below = QRectF(0, self.height() - foot - 8, self.width(), foot)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self.accessibleName())
