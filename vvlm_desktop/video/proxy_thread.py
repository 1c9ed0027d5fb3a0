"""The thread that makes the small copies of one clip, behind everything else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from av.video.reformatter import VideoReformatter

from vvlm_desktop.errors import ClipMissingError, ClipUnreadableError
from vvlm_desktop.video.decode_thread import FrameSource
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.proxy import SmallPictures, copy_of, frames_to_copy, trim

_NICER_BY = 10


class ProxyThread:
    """Fills `pictures` of a clip that needs them: from disk, or by decoding it once from end to end.

    Args:
        open_source: opens the reader; called on the thread.
        file: where the copies are kept.
    """

    def __init__(self, open_source: Callable[[], FrameSource], index: FrameIndex, file: Path) -> None:
        self.pictures = SmallPictures()
        self._open_source = open_source
        self._index = index
        self._file = file
        self._stop = threading.Event()
        self._wanted = frames_to_copy(index)
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        if self._wanted:
            self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Whether all copies were there within `timeout_s`."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self, timeout_s: float = 5.0) -> None:
        """End the thread; what it has made so far of an unfinished clip is not kept."""
        self._stop.set()
        self.wait(timeout_s)

    def _run(self) -> None:
        if sys.platform == "linux":  # elsewhere a priority is a whole process's
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICER_BY)
        if self.pictures.load(self._file, self._index):
            return
        try:
            source = self._open_source()
        except (ClipMissingError, ClipUnreadableError):
            return  # said where its frames are asked for
        try:
            if self._make(source):
                self.pictures.save(self._file, self._index)
                trim(self._file.parent)
        except ClipUnreadableError:
            return
        finally:
            source.close()

    def _make(self, source: FrameSource) -> bool:
        """Decode the long groups one after the other; False when it was stopped on the way."""
        reformatter = VideoReformatter()
        wanted = set(self._wanted)
        start = 0
        while wanted:
            start, end = self._index.gop(min(wanted))
            for i, frame in source.walk(start):
                if self._stop.is_set():
                    return False
                if i >= end:
                    break
                if i in wanted:
                    self.pictures.put(i, copy_of(frame, reformatter))
            wanted = {i for i in wanted if i >= end}
        return True
