"""Type a time, a frame number or a PTS to go there."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget
from typing_extensions import override

from vvlm_desktop.domain.clock import parse_time
from vvlm_desktop.ui import theme
from vvlm_desktop.video.index import FrameIndex

#: The end of a clip is a little after its last frame begins.
_HALF_A_SECOND_MS = 500
_FRAME = re.compile(r"(?:#|f(?:rame)?)?\s*([0-9]{1,9})")
_PTS = re.compile(r"p(?:ts)?\s*(-?[0-9]{1,18})")


class GoToBox(QLineEdit):
    """Lies over the picture while it is asked for."""

    chosen = Signal(int)  # frame index
    refused = Signal(str)  # what can be typed
    closed = Signal()

    def __init__(self, on: QWidget) -> None:
        super().__init__(on)
        self._on = on
        self._index: FrameIndex | None = None
        self._here = 0
        self.setProperty("keepsEscape", True)
        self.setAccessibleName("Go to a time, a frame or a PTS")
        self.setPlaceholderText("0:07.84, +1.5, #235 or PTS 120320")
        self.setFixedWidth(theme.px(300))
        self.returnPressed.connect(self._on_return)
        self.hide()

    def ask(self, index: FrameIndex, *, here: int = 0) -> None:
        """Show the box with the cursor in it; `here` is the frame that `+1.5` counts from."""
        self._index, self._here = index, here
        self.clear()
        self.setProperty("invalid", False)
        self.move((self._on.width() - self.width()) // 2, theme.MARGIN)
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_return(self) -> None:
        index = self._index
        frame_index = find_frame(index, self.text(), here=self._here) if index is not None else None
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
        return f"The clip has frames 0 to {last}, that is up to {self._index.seconds(last):.2f} s."

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


def find_frame(index: FrameIndex, typed: str, *, here: int = 0) -> int | None:
    """The frame that was typed, None where there is none.

    `235`, `#235` and `f235` are frames, `PTS 120320` and `p120320` a PTS; `+1.5` and `-0.4` are seconds from the frame
    `here`, `+#3` and `-#3` frames from it; anything else with a point or a colon is a time.
    """
    text = typed.strip().lower().replace("\u2212", "-")
    if text[:1] in {"+", "-"}:
        return _find_from(index, text, here)
    if (named := _FRAME.fullmatch(text)) is not None:
        frame_index = int(named[1])
        return frame_index if frame_index < len(index) else None
    if (named := _PTS.fullmatch(text)) is not None:
        return _with_pts(index, int(named[1]))
    ms = parse_time(text)
    if ms is None or ms > index.ms(len(index) - 1) + _HALF_A_SECOND_MS:
        return None
    return index.number(index.pts_at_ms(ms))


def _find_from(index: FrameIndex, text: str, here: int) -> int | None:
    """Seconds or frames from the frame `here`; never beyond either end."""
    sign = 1 if text[0] == "+" else -1
    rest = text[1:].strip()
    if (named := _FRAME.fullmatch(rest)) is not None and not rest.isdigit():
        frame_index = here + sign * int(named[1])
        return frame_index if 0 <= frame_index < len(index) else None
    ms = parse_time(rest)
    if ms is None:
        return None
    target_ms = index.ms(here) + sign * ms
    inside = 0 <= target_ms <= index.ms(len(index) - 1) + _HALF_A_SECOND_MS
    return index.number(index.pts_at_ms(target_ms)) if inside else None


def _with_pts(index: FrameIndex, pts: int) -> int | None:
    try:
        return index.number(pts)
    except ValueError:
        return None
