"""Only the frames that the model saw: switched on and off, how fast they play, and which of them is shown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from PySide6.QtCore import QObject

from vvlm_desktop.ui.review.overlay import Toast
from vvlm_desktop.ui.review.play_line import seen_per_s
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.transport import TransportBar


class OnlySeen(QObject):
    """Limits a `Playback` to them, and says so."""

    def __init__(self, playback: Playback, *, transport: TransportBar, toast: Toast, parent: QObject) -> None:
        super().__init__(parent)
        self._playback, self._transport, self._toast = playback, transport, toast
        playback.position_changed.connect(self._show_place)
        playback.mode_changed.connect(self._show_place)

    def toggle(self, frames: Sequence[int]) -> None:
        """Only these, or all again."""
        if self._playback.only:
            self._playback.show_only(())
        elif frames:
            self._playback.pause()
            self._playback.show_only(frames)
            speed = f"{seen_per_s(len(frames)):.3g} a second"
            self._toast.say(f"Only the {len(frames)} frames the model saw; they play {speed}, - and + change that.")
        else:
            self._toast.say("No analysis says which frames it was given.")

    def _show_place(self) -> None:
        only = self._playback.only
        self._transport.show_place(bisect_right(only, self._playback.position), len(only))
