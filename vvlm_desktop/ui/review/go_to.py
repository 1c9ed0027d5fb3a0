"""Type a time, a frame number or a PTS to go there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget
from typing_extensions import override

from vvlm_desktop.domain.clock import parse_time
from vvlm_desktop.ui import theme
from vvlm_desktop.video.index import FrameIndex

#: The end of a clip is a little after its last frame begins.
_HALF_A_SECOND_MS = 500


class GoToBox(QLineEdit):
    """Lies over the picture while it is asked for."""

    chosen = Signal(int)  # frame index
    refused = Signal(str)  # what can be typed
    closed = Signal()

    def __init__(self, on: QWidget) -> None:
        super().__init__(on)
        self._on = on
        self._index: FrameIndex | None = None
        self.setProperty("keepsEscape", True)
        self.setAccessibleName("Go to time or frame")
        self.setPlaceholderText("Time 0:07.84, frame 235, or PTS p120320")
        self.setFixedWidth(theme.px(300))
        self.returnPressed.connect(self._on_return)
        self.hide()

    def ask(self, index: FrameIndex) -> None:
        """Show the box with the cursor in it."""
        self._index = index
        self.clear()
        self.setProperty("invalid", False)
        self.move((self._on.width() - self.width()) // 2, theme.MARGIN)
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_return(self) -> None:
        frame_index = find_frame(self._index, self.text()) if self._index is not None else None
        if frame_index is None:
            self.setProperty("invalid", True)
            self.style().unpolish(self)
            self.style().polish(self)
            self.selectAll()
            self.refused.emit(self._what_there_is())
            return
        self.closed.emit()
        self.chosen.emit(frame_index)

    def _what_there_is(self) -> str:
        if self._index is None or not len(self._index):
            return "There is no frame to go to."
        last = len(self._index) - 1
        return f"The clip has frames 0 to {last:,}, that is up to {self._index.seconds(last):.2f} s."

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            # The page takes the focus before the box goes, or Qt gives it to the next button.
            self.closed.emit()
            return
        super().keyPressEvent(event)

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.hide()


def find_frame(index: FrameIndex, typed: str) -> int | None:
    """The frame that was typed: a whole number is a frame, `p…` a PTS, anything with a point or colon a time."""
    text = typed.strip().lower()
    if text[:1] in {"p", "f"}:
        kind, number = text[0], text.lstrip("ptsframe ")
    else:
        kind, number = "f" if text.isdigit() else "t", text
    if kind == "t":
        ms = parse_time(text)
        if ms is None or ms > index.ms(len(index) - 1) + _HALF_A_SECOND_MS:
            return None
        return index.number(index.pts_at_ms(ms))
    try:
        value = int(number)
        return index.number(value) if kind == "p" else value if 0 <= value < len(index) else None
    except ValueError:
        return None
