"""Opening clips: index, curves and decoder together; the next one is made ready while this one is looked at."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.review.clip_source import ClipSource
from vvlm_desktop.ui.review.reading import ReadClip, Reading
from vvlm_desktop.video.curves import Curves, load_npz
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.frame_index import index_of, kept_index
from vvlm_desktop.workflow.session import Session

_log = logging.getLogger(__name__)
_MB = 1 << 20
#: Share of the cache that the clip which is only made ready may take.
_READY_SHARE = 4


@dataclass(slots=True)
class OpenClip:
    """A clip that can be looked at."""

    clip: Clip
    path: Path
    index: FrameIndex
    source: ClipSource


class ClipOpener(QObject):
    """Opens clips of a session, one to look at and one to come."""

    #: clip id: what `read` was asked for is known now, or why it cannot be
    read_ended = Signal(str)
    #: a `ReadSoFar` of a clip that is being read
    progressed = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._reading = Reading(session, self)
        self._reading.progressed.connect(self.progressed)
        self._reading.ended.connect(self._on_read)
        self._read: dict[str, FrameIndex | VvlmError | OSError] = {}
        self._open: OpenClip | None = None
        self._ready: OpenClip | None = None

    def at_hand(self, clip: Clip) -> bool:
        """Whether the clip can be opened, or refused, at once; otherwise its frames have to be found by `read`."""
        known = {each.clip.id for each in (self._open, self._ready) if each is not None}
        if clip.id in known or clip.id in self._read or not clip.readable:
            return True
        # One that an older version wrote is there as well, and is of no use.
        index = kept_index(self._session, clip)
        if index is not None:
            self._read[clip.id] = index
        return index is not None

    def read(self, clip: Clip) -> None:
        """Find a clip's frames in the background, which takes as long as reading its file; `read_ended` says when.

        `progressed` tells its first picture, and how far it is. No other clip is read any more.
        """
        self._reading.stop_others(clip.id)
        so_far = self._reading.so_far(clip.id)
        if so_far is not None:
            self.progressed.emit(so_far)
        self._reading.start(clip)

    def _on_read(self, read: ReadClip) -> None:
        if read.result is not None:
            self._read[read.clip_id] = read.result
            self.read_ended.emit(read.clip_id)

    def open(self, clip: Clip) -> OpenClip:
        """Open a clip; the one before is closed, also where this one cannot be opened.

        Raises:
            VvlmError, OSError: its file is gone, or gives no pictures.
        """
        self._reading.stop_others(clip.id)
        if self._open is not None and self._open.clip.id == clip.id:
            return self._open
        ready, self._ready = self._ready, None
        if ready is not None and ready.clip.id != clip.id:
            ready.source.close()
            ready = None
        before, self._open = self._open, None
        if before is not None:
            before.source.close()
        self._open = ready or self._make(clip)
        self.share_out()
        self._open.source.make_previews(self._session.library.folder / "previews")
        return self._open

    def make_ready(self, clip: Clip, *, look_at: Callable[[FrameIndex], int]) -> None:
        """Find the frames of the clip that comes next and decode the one at which it will open, which `look_at` tells.

        Where the clip is ready already but will open at another frame, that one is decoded too.
        """
        if self._ready is not None and self._ready.clip.id == clip.id:
            self._ready.source.request(look_at(self._ready.index))
            return
        if self._open is not None and self._open.clip.id == clip.id:
            return
        if self._ready is not None:
            self._ready.source.close()
            self._ready = None
            self.share_out()
        if not self.at_hand(clip):
            if not self._reading.busy:
                self._reading.start(clip)
            return
        try:
            self._ready = self._make(clip)
        except (VvlmError, OSError):
            return  # said when it is opened
        self.share_out()
        self._ready.source.request(look_at(self._ready.index))

    def share_out(self) -> None:
        """Both clips together keep to the budget that is set."""
        ready_bytes = self._ready_bytes if self._ready is not None else 0
        if self._ready is not None:
            self._ready.source.resize_cache(ready_bytes)
        if self._open is not None:
            self._open.source.resize_cache(self._budget_bytes - ready_bytes)

    @property
    def _budget_bytes(self) -> int:
        return self._session.settings.frame_cache_mb * _MB

    @property
    def _ready_bytes(self) -> int:
        return max(1, self._budget_bytes // _READY_SHARE)

    @property
    def ready_id(self) -> str | None:
        """Id of the clip that is made ready."""
        return self._ready.clip.id if self._ready is not None else None

    def curves(self, clip: Clip) -> Curves | None:
        """What was measured along the clip; None before its analysis."""
        file = self._session.library.curves_file(clip.id)
        try:
            return load_npz(file) if file.exists() else None
        except (OSError, ValueError, VvlmError, zipfile.BadZipFile) as error:
            _log.warning("The curves %s cannot be read: %s", file, error)
            return None

    def close(self) -> None:
        """Let go of every file and thread."""
        self._reading.close()
        for each in (self._open, self._ready):
            if each is not None:
                each.source.close()
        self._open = self._ready = None

    def _make(self, clip: Clip) -> OpenClip:
        index = self._read.pop(clip.id, None) or index_of(self._session, clip)
        if isinstance(index, Exception):
            raise index
        path = existing_path(self._session, clip)
        source = ClipSource(clip.id, path, index, budget_bytes=self._ready_bytes)
        return OpenClip(clip, path, index, source)
