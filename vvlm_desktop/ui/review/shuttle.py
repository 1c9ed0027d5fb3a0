"""J, K and L as on an editing desk: play backward, pause, play; K held makes them single frames, or slow while held."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from vvlm_desktop.ui.review.playback import Playback

ShuttleKey = Literal["J", "K", "L"]

_FASTER = (1.0, 2.0, 4.0)
_SLOW = 0.25
_HOLD_MS = 280


class Shuttle(QObject):
    """Turns presses and releases of the three keys into orders to the playback."""

    used = Signal()

    def __init__(self, playback: Playback, parent: QObject | None = None) -> None:
        super().__init__(parent or playback)
        self._playback = playback
        self._held: set[ShuttleKey] = set()
        self._direction = 0
        self._slow = False
        self._hold = QTimer(self)
        self._hold.setSingleShot(True)
        self._hold.setInterval(_HOLD_MS)
        self._hold.timeout.connect(self._on_held)

    def press(self, key: ShuttleKey) -> None:
        """A key went down; auto-repeats are to be left out."""
        self._held.add(key)
        self.used.emit()
        if key == "K":
            self._playback.pause()
            return
        direction = 1 if key == "L" else -1
        if "K" in self._held:
            self._direction = direction
            self._playback.step(direction)
            self._hold.start()
            return
        playing_this_way = self._playback.playing and self._playback.backward == (direction < 0)
        rate = next((r for r in _FASTER if r > self._playback.rate), _FASTER[-1]) if playing_this_way else 1.0
        self._playback.play(rate, backward=direction < 0)

    def release(self, key: ShuttleKey) -> None:
        """A key came up."""
        self._held.discard(key)
        if key == "K" or (key in {"J", "L"} and "K" in self._held):
            self._end_hold()

    def let_go(self) -> None:
        """The window lost the keyboard: no release will come."""
        self._held.clear()
        self._end_hold()

    def _end_hold(self) -> None:
        self._hold.stop()
        if self._slow:
            self._slow = False
            self._playback.pause()
            self._playback.set_rate(1.0)

    def _on_held(self) -> None:
        if "K" in self._held and self._held & {"J", "L"}:
            self._slow = True
            self._playback.play(_SLOW, backward=self._direction < 0)
