"""Small pictures for the timeline, decoded on a thread of their own; the newest wish wins."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from vvlm_desktop.errors import ClipMissingError, ClipUnreadableError, FrameUnreadableError
from vvlm_desktop.ui.review.timeline_cells import shown_shape
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.reader import FrameReader

#: Beyond this many kept pictures the oldest are forgotten; each takes some 20 kB.
_KEPT = 600


@dataclass(frozen=True, slots=True)
class _Wish:
    clip_id: str
    path: Path
    index: FrameIndex | None
    frames: tuple[int, ...]
    height_px: int


_NOTHING = _Wish("", Path(), None, (), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """One small picture and the frame that it shows."""

    clip_id: str
    frame_index: int
    image: QImage | None  # None where it cannot be read


class FilmstripLoader(QObject):
    """Loads thumbnails of one clip at a time; `close` it before letting go.

    Args:
        kept: how many pictures at most; the oldest are forgotten.
        keep_open: keep the file open for the next wish, until `let_go`.
    """

    _loaded = Signal(object)
    #: frame index, when its picture is at hand
    ready = Signal(object)
    #: frame index, when it has turned out to be damaged
    unreadable = Signal(object)

    def __init__(self, parent: QObject | None = None, *, kept: int = _KEPT, keep_open: bool = False) -> None:
        super().__init__(parent)
        self._kept, self._keep_open = kept, keep_open
        self._pictures: dict[int, QImage] = {}
        self._clip_id = ""
        self._wake = threading.Condition()
        self._wish: _Wish | None = None
        self._closing = False
        self._thread: threading.Thread | None = None
        self._loaded.connect(self._on_loaded, Qt.ConnectionType.QueuedConnection)

    def picture(self, frame_index: int) -> QImage | None:
        """The thumbnail of that frame if it is at hand."""
        return self._pictures.get(frame_index)

    def load(self, clip_id: str, path: Path, index: FrameIndex, frames: Sequence[int], *, height_px: int) -> None:
        """Load these frames; what was asked for before and is not there yet is forgotten."""
        if clip_id != self._clip_id:
            self._pictures.clear()
            self._clip_id = clip_id
        absent = tuple(i for i in frames if i not in self._pictures)
        with self._wake:
            self._wish = _Wish(clip_id, path, index, absent, height_px)
            self._wake.notify()
        if self._thread is None and absent:
            self._thread = threading.Thread(target=self._run, name="filmstrip", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(5)

    def _on_loaded(self, thumbnail: Thumbnail) -> None:
        if thumbnail.clip_id != self._clip_id:
            return
        if thumbnail.image is None:
            self.unreadable.emit(thumbnail.frame_index)
            return
        while len(self._pictures) >= self._kept:
            self._pictures.pop(next(iter(self._pictures)))
        self._pictures[thumbnail.frame_index] = thumbnail.image
        self.ready.emit(thumbnail.frame_index)

    def let_go(self) -> None:
        """Close the file, if one is kept open."""
        with self._wake:
            self._wish = _NOTHING
            self._wake.notify()

    def _run(self) -> None:
        with ExitStack() as files:
            reader: FrameReader | None = None
            while True:
                with self._wake:
                    while self._wish is None and not self._closing:
                        self._wake.wait()
                    if self._closing or self._wish is None:
                        return
                    wish, self._wish = self._wish, None
                try:
                    if reader is None or reader.index is not wish.index or not self._keep_open:
                        files.close()
                        reader = None
                        if wish.frames and wish.index is not None:
                            reader = files.enter_context(FrameReader(wish.path, wish.index, threads=("SLICE", 1)))
                    if reader is not None:
                        self._serve(wish, reader)
                except (ClipUnreadableError, ClipMissingError):
                    continue  # the player says so where it matters; the strip stays plain
                finally:
                    if not self._keep_open:
                        files.close()
                        reader = None

    def _serve(self, wish: _Wish, reader: FrameReader) -> None:
        for i in wish.frames if self._keep_open else sorted(wish.frames):
            if self._closing or self._wish is not None:
                return
            try:
                width_px = max(1, round(wish.height_px * shown_shape(reader.index)))
                pixels = reader.rgb(i, width=width_px, height=wish.height_px)
            except FrameUnreadableError:
                self._loaded.emit(Thumbnail(wish.clip_id, i, None))
                continue
            self._loaded.emit(Thumbnail(wish.clip_id, i, as_image(pixels)))


def as_image(pixels: np.ndarray) -> QImage:
    """RGB pixels as an image of their own."""
    height, width = pixels.shape[:2]
    # A QImage borrows the array's memory; the copy owns its own.
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
