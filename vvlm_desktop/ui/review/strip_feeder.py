"""Brings the timeline the small pictures that it has room for."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from vvlm_desktop.ui.review.filmstrip import FilmstripLoader
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
        self._loader = FilmstripLoader(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self._load)
        timeline.view_changed.connect(self._timer.start)
        self._loader.ready.connect(self._on_ready)
        self._loader.unreadable.connect(timeline.set_damaged)

    def show_clip(self, opened: OpenClip | None) -> None:
        """Another clip is on the timeline."""
        self._opened = opened
        if opened is not None:
            self._timer.start()

    def close(self) -> None:
        """End the thread."""
        self._timer.stop()
        self._loader.close()

    def _load(self) -> None:
        frames = tuple(cell.frame_index for cell in self._timeline.cells())
        if self._opened is None or not frames:
            return
        height_px = self._timeline.filmstrip_height_px()
        clip_id, path, index = self._opened.clip.id, self._opened.path, self._opened.index
        self._loader.load(clip_id, path, index, frames, height_px=height_px)
        for frame in dict.fromkeys(frames):
            self._on_ready(frame)

    def _on_ready(self, frame: int) -> None:
        picture = self._loader.picture(frame)
        if picture is not None:
            self._timeline.set_picture(frame, picture)
