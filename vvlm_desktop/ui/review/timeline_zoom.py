"""What part of the clip the timeline shows, and how that changes: wheel, keys, drags, and the cursor that leaves it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent

from vvlm_desktop.ui.review.timeline_axis import Axis
from vvlm_desktop.ui.review.timeline_model import View

#: At the closest, so many usual frames are visible.
_FEWEST_FRAMES = 6.0
#: What a notch of the wheel, and a key, leave of what is visible.
_NOTCH, _KEY = 0.8, 0.5
#: Where the cursor is put when the page turns.
_TURNED_SHARE = 0.1


class Viewport:
    """The visible stretch of one clip."""

    def __init__(self) -> None:
        self.axis = Axis()
        self.duration_s = 0.0
        self.start_s, self.end_s = 0.0, 0.0

    def open(self, axis: Axis, duration_s: float, *, keep: bool) -> None:
        """Another clip, as a whole; or (`keep`) the same one, at the same place."""
        self.axis, self.duration_s = axis, duration_s
        if not keep:
            self.start_s, self.end_s = 0.0, duration_s

    @property
    def zoomed(self) -> bool:
        """Whether only a part is visible."""
        return self.end_s - self.start_s < self.duration_s * (1 - 1e-6)

    def view(self, left_px: float, width_px: float) -> View:
        """The visible stretch on so many pixels."""
        return View(left_px, max(1.0, width_px), self.start_s, max(self.end_s, self.start_s + 1e-6), self.axis)

    def whole(self, left_px: float, width_px: float) -> View:
        """The whole clip on so many pixels."""
        return View(left_px, max(1.0, width_px), 0.0, max(self.duration_s, 1e-6), self.axis)

    def show(self, view: View) -> bool:
        """Show this stretch; whether that is another one."""
        before = self.start_s, self.end_s
        self.start_s, self.end_s = view.start_s, min(view.end_s, self.duration_s)
        return before != (self.start_s, self.end_s)

    def show_all(self) -> bool:
        """Show the whole clip; whether that is more than before."""
        before = self.start_s, self.end_s
        self.start_s, self.end_s = 0.0, self.duration_s
        return before != (self.start_s, self.end_s)

    def zoom(self, factor: float, around_s: float) -> bool:
        """Show less (factor < 1) or more around a time."""
        shortest_s = self.axis.frame_s * _FEWEST_FRAMES
        return self.show(
            self.view(0, 1).zoomed(factor, around_s, duration_s=self.duration_s, shortest_s=max(shortest_s, 1e-3))
        )

    def step(self, steps: int, cursor_s: float) -> bool:
        """Closer (positive) or further by keys: around the cursor where it is visible, else around the middle."""
        visible = self.start_s <= cursor_s <= self.end_s
        return self.zoom(_KEY**steps, cursor_s if visible else (self.start_s + self.end_s) / 2)

    def wheel(self, event: QWheelEvent, view: View) -> bool:
        """Zoom at the pointer, or pan where the wheel goes sideways or Shift is held."""
        if self.duration_s <= 0:
            return False
        along, turn = event.angleDelta().x(), event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            along, turn = along or turn, 0
        # Two fingers never go quite straight: what they do more of is meant.
        if abs(turn) >= abs(along) and turn:
            x = min(max(view.left_px, event.position().x()), view.right_px)
            return self.zoom(_NOTCH ** (turn / 120), view.seconds(x))
        return bool(along) and self.show(view.dragged(along / 120 * 0.1 * view.width_px, duration_s=self.duration_s))

    def pinch(self, spread: float, around_s: float) -> bool:
        """Two fingers spread by a share of their distance, or (negative) closed."""
        return self.duration_s > 0 and self.zoom(1 / max(0.1, 1 + spread), around_s)

    def follow(self, seconds: float) -> bool:
        """Turn the page when the cursor leaves what is visible."""
        if self.start_s <= seconds <= self.end_s:
            return False
        view = self.view(0, 1)
        centred = view.centred(seconds, duration_s=self.duration_s)
        return self.show(centred.dragged(_TURNED_SHARE - 0.5, duration_s=self.duration_s))
