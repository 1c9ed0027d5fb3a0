"""Pictures for the clip table: made in one thread beside the window, kept as files beside the library."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.store.library import ClipRow
from vvlm_desktop.workflow.session import Session

WIDTH_PX = 160
_KEPT = 300
#: What has scrolled by is not worth making.
_WAITING = 60


class Thumbnails(QObject):
    """Gives a clip's picture when it is at hand, else makes it; the newest request is served first."""

    made = Signal(object)  # row id

    _ready = Signal(object)  # (row id, clip id, picture or None)

    def __init__(self, session: Session, *, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pictures: OrderedDict[str, QImage | None] = OrderedDict()
        self._waiting: deque[tuple[int, Clip]] = deque(maxlen=_WAITING)
        self._asked: set[str] = set()
        self._condition = threading.Condition()
        self._open = True
        self._thread: threading.Thread | None = None
        self._ready.connect(self._on_ready, Qt.ConnectionType.QueuedConnection)

    def picture(self, row: ClipRow) -> QImage | None:
        """The picture of a row's clip, None while there is none."""
        clip = row.clip
        if clip.id in self._pictures:
            self._pictures.move_to_end(clip.id)
            return self._pictures[clip.id]
        if clip.readable:
            self._ask(row.rowid, clip)
        return None

    def close(self) -> None:
        """End the thread."""
        with self._condition:
            self._open = False
            self._waiting.clear()
            self._condition.notify()
        if self._thread is not None:
            self._thread.join(10.0)

    def _ask(self, rowid: int, clip: Clip) -> None:
        with self._condition:
            if clip.id in self._asked or not self._open:
                return
            if len(self._waiting) == _WAITING:
                self._asked.discard(self._waiting[0][1].id)
            self._waiting.append((rowid, clip))
            self._asked.add(clip.id)
            self._condition.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="thumbnails", daemon=True)
            self._thread.start()

    def _on_ready(self, ready: tuple[int, str, QImage | None]) -> None:
        rowid, clip_id, picture = ready
        with self._condition:
            self._asked.discard(clip_id)
        self._pictures[clip_id] = picture
        while len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)
        self.made.emit(rowid)

    def _serve(self) -> None:
        while True:
            with self._condition:
                while self._open and not self._waiting:
                    self._condition.wait()
                if not self._open:
                    return
                rowid, clip = self._waiting.pop()
            picture = self._make(clip)
            if self._open:
                self._ready.emit((rowid, clip.id, picture))

    def _make(self, clip: Clip) -> QImage | None:
        try:
            file = self._session.library.thumbnail_file(clip)
            if not file.is_file():
                _write(file, _jpeg(self._session, clip, cancelled=lambda: not self._open))
        except (VvlmError, OSError):
            # The reason is in the clip's problem, or comes when it is opened; here only the picture is missing.
            return None
        picture = QImage(str(file))
        if picture.isNull():
            with contextlib.suppress(OSError):
                file.unlink()
            return None
        if picture.width() > WIDTH_PX:
            size = QSize(WIDTH_PX, WIDTH_PX)
            picture = picture.scaled(
                size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        return picture


def _jpeg(session: Session, clip: Clip, *, cancelled: Callable[[], bool]) -> bytes:
    from vvlm_desktop.video.reader import FrameReader
    from vvlm_desktop.video.thumbnails import thumbnail
    from vvlm_desktop.workflow.clip_files import existing_path
    from vvlm_desktop.workflow.frame_index import index_of

    index = index_of(session, clip, cancelled=cancelled)
    with FrameReader(existing_path(session, clip), index, threads=("SLICE", 1)) as reader:
        return thumbnail(reader, len(index) // 2, width=WIDTH_PX)


def _write(file: Path, content: bytes) -> None:
    """All or nothing: a half-written picture would be taken for a whole one at the next start."""
    draft = file.with_suffix(f".{os.getpid()}.part")
    draft.write_bytes(content)
    draft.replace(file)
