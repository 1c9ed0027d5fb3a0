"""What lies over the picture for a moment: a short message, and the cards of the sample tour."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.labels import label

_SHOWN_MS = 2600
#: What may change where there is room.
_MOVED = frozenset({QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide})


class _OverPicture(QWidget):
    """A panel that keeps its place over the widget it lies on."""

    _width_px = 400
    _at_top = False

    def __init__(self, on: QWidget) -> None:
        super().__init__(on)
        self._on = on
        self._kept_clear: QWidget | None = None
        on.installEventFilter(self)
        self.hide()

    def keep_clear_of(self, other: QWidget) -> None:
        """Go below `other`, which is somewhere within the same widget, where the two would meet at the top."""
        self._kept_clear = other
        other.installEventFilter(self)

    def place(self) -> None:
        """Go to the top or the bottom, in the middle."""
        layout = self.layout()
        if layout is None:
            return
        room = max(120, min(self._on.width() - 2 * theme.MARGIN, theme.px(self._width_px)))
        layout.activate()
        hint = layout.sizeHint()
        width = room if layout.hasHeightForWidth() else min(room, hint.width())
        # A floating panel has nobody who would ask it for its height at this width.
        self.resize(width, layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else hint.height())
        left = (self._on.width() - self.width()) // 2
        low = self._on.height() - self.height() - theme.MARGIN
        self.move(left, self._top(left) if self._at_top else low)

    def _top(self, left: int) -> int:
        other, top = self._kept_clear, theme.MARGIN
        if other is None or other.isHidden():
            return top
        taken = QRect(other.mapTo(self._on, QPoint(0, 0)), other.size())
        around = taken.adjusted(-theme.GAP, -theme.GAP, theme.GAP, theme.GAP)
        meet = around.intersects(QRect(QPoint(left, top), self.size()))
        return taken.bottom() + 1 + theme.GAP if meet else top

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVED and not self.isHidden():
            self.place()
        return False

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("panel", alpha=0.96))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


class Toast(_OverPicture):
    """A sentence that goes away by itself."""

    _at_top = True  # the cards of the tour are at the bottom

    def __init__(self, on: QWidget) -> None:
        super().__init__(on)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.words = label("")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.GAP)
        row.addWidget(self.words)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SHOWN_MS)
        self._timer.timeout.connect(self.hide)

    def say(self, sentence: str) -> None:
        """Show a sentence."""
        self.words.setText(sentence)
        room = min(self._on.width() - 2 * theme.MARGIN, theme.px(self._width_px)) - 2 * theme.PAD
        self.words.setWordWrap(self.words.fontMetrics().horizontalAdvance(sentence) > room)
        self.setAccessibleName(sentence)
        self.place()
        self.show()
        self.raise_()
        # New texts and buttons have their true size only after the layout has been asked again.
        QTimer.singleShot(0, self, self.place)
        self._timer.start()


class HintCard(_OverPicture):
    """One step of the tour: a sentence, and buttons where there is something to choose."""

    dismissed = Signal()

    def __init__(self, on: QWidget) -> None:
        super().__init__(on)
        self.step = label("", "small")
        self.words = label("", "title", wrap=True)
        self.more = label("", "muted", wrap=True)
        self.close_button = IconButton("close", "End the tour", self.dismissed.emit)
        self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        head = QHBoxLayout()
        head.addWidget(self.step, 1)
        head.addWidget(self.close_button)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(theme.GAP)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.GAP, theme.GAP, theme.PAD)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.more)
        column.addLayout(self._buttons)

    def show_card(
        self, step: str, words: str, more: str = "", offers: Sequence[tuple[str, Callable[[], object]]] = ()
    ) -> None:
        """Show a step; nothing of it takes the keys from the page."""
        self.step.setText(step)
        self.words.setText(words)
        self.more.setText(more)
        self.more.setVisible(bool(more))
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for number, (text, run) in enumerate(offers):
            made = button(text, run, kind="primary" if number == 0 else "normal")
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._buttons.addWidget(made)
        if offers:
            self._buttons.addStretch(1)
        self.setAccessibleName(f"{words} {more}".strip())
        self.place()
        self.show()
        self.raise_()
        # New texts and buttons have their true size only after the layout has been asked again.
        QTimer.singleShot(0, self, self.place)
