"""Brings the timeline the small pictures that it has room for."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from vvlm_desktop.ui.review.filmstrip import FilmstripLoader, frames_for_slots
from vvlm_desktop.ui.review.open_clip import OpenClip
from vvlm_desktop.ui.review.timeline import Timeline

#: The event frame is decoded first, and a zoom is over, before the strip is asked for.
_DELAY_MS = 120


class StripFeeder(QObject):
    """Follows what the timeline shows; `close` it before letting go."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self._timeline = timeline
        self._opened: OpenClip | None = None
        self._slots: dict[int, list[int]] = {}  # frame → the places that show it
        self._loader = FilmstripLoader(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self._load)
        timeline.view_changed.connect(self._timer.start)
        self._loader.ready.connect(self._on_ready)

    def show_clip(self, opened: OpenClip | None) -> None:
        """Another clip is on the timeline."""
        self._opened = opened
        self._slots = {}
        if opened is not None:
            self._timer.start()

    def close(self) -> None:
        """End the thread."""
        self._timer.stop()
        self._loader.close()

    def _load(self) -> None:
        start_s, end_s, count = self._timeline.slots()
        if self._opened is None or not count:
            return
        frames = frames_for_slots(self._opened.index, start_s, end_s, count)
        self._slots = {}
        for slot, frame in enumerate(frames):
            self._slots.setdefault(frame, []).append(slot)
        height_px = self._timeline.filmstrip_height_px()
        clip_id, path, index = self._opened.clip.id, self._opened.path, self._opened.index
        self._loader.load(clip_id, path, index, frames, height_px=height_px)
        for frame in self._slots:
            self._on_ready(frame)

    def _on_ready(self, frame: int) -> None:
        picture = self._loader.picture(frame)
        if picture is not None:
            for slot in self._slots.get(frame, ()):
                self._timeline.set_picture(slot, picture)
