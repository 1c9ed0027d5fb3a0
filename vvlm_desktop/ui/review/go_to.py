"""Type a time, a frame number or a PTS to go there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget
from typing_extensions import override

from vvlm_desktop.domain.clock import parse_time
from vvlm_desktop.ui import theme
from vvlm_desktop.video.index import FrameIndex


class GoToBox(QLineEdit):
    """Lies over the picture while it is asked for."""

    chosen = Signal(int)  # frame index

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
            return
        self.hide()
        self.chosen.emit(frame_index)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
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
        return index.number(index.pts_at_ms(ms)) if ms is not None else None
    try:
        value = int(number)
        return index.number(value) if kind == "p" else value if 0 <= value < len(index) else None
    except ValueError:
        return None
