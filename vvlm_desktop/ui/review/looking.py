"""Whether the open clip is being looked at: counts what is painted of it, and says when Enter may be trusted."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from vvlm_desktop.ui.review.player_view import Picture, VideoView
from vvlm_desktop.ui.review.seen import Attention
from vvlm_desktop.ui.review.timeline_build import window_around
from vvlm_desktop.ui.review.timeline_model import EventMark
from vvlm_desktop.video.index import FrameIndex


class Looking(QObject):
    """Follows what the view paints; pictures of another clip than the open one count for nothing."""

    ready_changed = Signal(bool)  # the event frame has been looked at long enough
    settled = Signal()  # nothing is in a hurry: what comes next can be made ready
    reached = Signal()  # the event frame is on screen and has not been looked at long enough

    def __init__(self, view: VideoView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._clip_id = ""
        self._index: FrameIndex | None = None
        self._event: EventMark | None = None
        self._attention: Attention | None = None
        self._aside = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.check)
        view.painted.connect(self._on_painted)

    @property
    def attention(self) -> Attention | None:
        """What has been looked at; None where there is no picture."""
        return self._attention

    @property
    def focus(self) -> EventMark | None:
        """The event that has to be looked at."""
        return self._event

    @property
    def look_at(self) -> int:
        """The frame that has to be looked at."""
        return self._event.look_frame if self._event is not None else 0

    def begin(self, clip_id: str, index: FrameIndex, event: EventMark | None) -> None:
        """Another clip is open; nothing of it has been looked at."""
        self._timer.stop()
        self._clip_id, self._index, self._event = clip_id, index, event
        self._attention = Attention(index, look_at=self.look_at, window=window_around(index, event))
        self.ready_changed.emit(False)

    def end(self) -> None:
        """No clip is open, or one without a picture."""
        self._timer.stop()
        self._clip_id = ""
        self._index = self._event = self._attention = None

    def follow(self, event: EventMark | None, *, afresh: bool) -> bool:
        """The same clip has another event, or (`afresh`) another reviewer or answer; whether anything is different."""
        attention, index = self._attention, self._index
        if attention is None or index is None:
            return False
        before = (attention.look_at, attention.window)
        self._event = event
        window = window_around(index, event)
        if not afresh and before == (self.look_at, window):
            return False
        if afresh:
            self._attention = Attention(index, look_at=self.look_at, window=window)
            self._count(self._view.on_screen)
        else:
            attention.aim(look_at=self.look_at, window=window)
        self.picture_came(self._view.picture)
        self.check()
        return True

    def set_aside(self, aside: bool) -> None:
        """Another camera's picture is the large one: what is painted small in its corner is not looked at."""
        if aside == self._aside:
            return
        self._aside = aside
        if aside:
            self.leave()
        else:
            self._count(self._view.on_screen)

    def leave(self) -> None:
        """Nothing is looked at while another page is shown."""
        if self._attention is not None:
            self._attention.painted(-1)

    def picture_came(self, picture: Picture | None) -> None:
        """A picture is about to be painted; one that cannot be shown has been told instead."""
        attention = self._attention
        if attention is None or picture is None or picture.frame is not None or picture.clip_id != self._clip_id:
            return
        attention.told(picture.frame_index)
        self.check()

    def check(self) -> None:
        """Say whether the event frame has been looked at long enough, or ask again when it will have been."""
        attention = self._attention
        if attention is None:
            return
        wait_s = attention.wait_s  # asked once: time goes on between two questions
        self.ready_changed.emit(wait_s <= 0)
        if wait_s <= 0:
            self.settled.emit()
            return
        shown = self._view.on_screen
        if shown is not None and shown.clip_id == self._clip_id and shown.frame_index == attention.look_at:
            self._timer.start(int(wait_s * 1000) + 2)

    def _count(self, picture: Picture | None) -> None:
        if picture is not None:
            self._on_painted(picture.clip_id, picture.frame_index)

    def _on_painted(self, clip_id: str, frame_index: int) -> None:
        attention = self._attention
        if attention is None:
            return
        if clip_id != self._clip_id or self._aside:
            attention.painted(-1)
            return
        attention.painted(frame_index)
        if frame_index == attention.look_at and not attention.ready and not self._timer.isActive():
            self._timer.start(int(attention.wait_s * 1000) + 2)
            self.reached.emit()
