"""One open clip as the player sees it: its frame index, its cache and its decode thread, as Qt signals."""

from __future__ import annotations

from pathlib import Path

import av
from PySide6.QtCore import QObject, Signal

from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.ui.review.player_view import Picture
from vvlm_desktop.video.decode_thread import DecodeThread
from vvlm_desktop.video.deinterlace import is_interlaced
from vvlm_desktop.video.frame_cache import FrameCache
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.proxy import frames_to_copy
from vvlm_desktop.video.proxy_thread import ProxyThread
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.wall_clock import clock_of_header, clock_of_name

#: Small copies are made behind everything else: on one thread.
_ONE = ("SLICE", 1)


class ClipSource(QObject):
    """Gives pictures of one clip; `close` it before letting go."""

    #: a `Picture`: the frame asked for, a preview on the way to it, or why it cannot be shown
    decoded = Signal(object)
    cache_resized = Signal()  # it has been given more memory, or less

    def __init__(self, clip_id: str, path: Path, index: FrameIndex, *, budget_bytes: int) -> None:
        super().__init__()
        self.clip_id = clip_id
        self.path = path
        self.index = index
        self.wall_clock = clock_of_name(path)
        self._given_bytes, self._lent_bytes = budget_bytes, 0
        self._cache = FrameCache(budget_bytes)
        self._proxy: ProxyThread | None = None
        self._thread = DecodeThread(
            self._open_reader, self._cache, on_frame=self._frame_came, on_error=self._error_came
        )

    def _open_reader(self) -> FrameReader:
        """On the decode thread."""
        reader = FrameReader(self.path, self.index)
        self.wall_clock = self.wall_clock or clock_of_header(reader.creation_time)
        return reader

    def cached(self, i: int) -> Picture | None:
        """Frame `i` if it can be shown at once, or is known not to be readable."""
        frame = self._cache.get(i)
        if frame is not None:
            return self._picture(i, frame, exact=True)
        error = self._thread.unreadable(i)
        return self._problem(i, error) if error is not None else None

    def make_previews(self, folder: Path) -> None:
        """Have small copies made for dragging, where the clip has so few keyframes that they are needed."""
        if self._proxy is None and frames_to_copy(self.index):
            file = folder / f"{self.clip_id}.zip"
            self._proxy = ProxyThread(lambda: FrameReader(self.path, self.index, threads=_ONE), self.index, file)

    def preview(self, i: int) -> Picture | None:
        """The small copy nearest to frame `i`, by its own number; None where there is none."""
        near = self._proxy.pictures.nearest(i) if self._proxy is not None else None
        frame = self._proxy.pictures.frame(near) if self._proxy is not None and near is not None else None
        if near is None or frame is None:
            return None
        turned = self.index.rotation in {90, 270}
        size = (self.index.height, self.index.width) if turned else (self.index.width, self.index.height)
        return Picture(self.clip_id, near, frame, exact=False, reduced_from=size)

    @property
    def has_previews(self) -> bool:
        """Whether there is a small copy of anything."""
        return self._proxy is not None and len(self._proxy.pictures) > 0

    @property
    def used_bytes(self) -> int:
        """Bytes that decoded frames take."""
        return self._cache.used_bytes

    @property
    def budget_bytes(self) -> int:
        """Bytes that decoded frames may take."""
        return self._cache.budget_bytes

    def left_out(self, i: int) -> bool:
        """Whether decoding went past frame `i` without getting it; only `request` can tell why."""
        return self._thread.left_out(i)

    def request(self, i: int) -> None:
        """Have frame `i` decoded and announced; a later request takes its place."""
        self._thread.request(i)

    def keep_ahead(self, i: int, *, frames: int, backward: bool) -> None:
        """Have what is going to be played after frame `i` in the cache."""
        self._thread.keep_ahead(i, frames=frames, backward=backward)

    def resize_cache(self, budget_bytes: int) -> None:
        """Change how much memory the decoded frames may take."""
        before_bytes, self._given_bytes = self._given_bytes, budget_bytes
        self._cache.resize(max(1, budget_bytes - self._lent_bytes))
        if budget_bytes != before_bytes:
            self.cache_resized.emit()

    def lend(self, lent_bytes: int) -> None:
        """Leave a part of that memory to others; 0 takes it back."""
        self._lent_bytes = lent_bytes
        self.resize_cache(self._given_bytes)

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether everything foreseen was decoded within `timeout_s`."""
        return self._thread.wait_idle(timeout_s)

    def close(self) -> None:
        """End the thread and let go of the frames; nothing is announced afterwards."""
        if self._proxy is not None:
            self._proxy.close(timeout_s=2.0)
        self._thread.close(timeout_s=2.0)
        self._cache.clear()

    def _frame_came(self, i: int, frame: av.VideoFrame, exact: bool) -> None:
        self.decoded.emit(self._picture(i, frame, exact=exact))

    def _picture(self, i: int, frame: av.VideoFrame, *, exact: bool) -> Picture:
        if not is_interlaced(frame):
            return Picture(self.clip_id, i, frame, exact=exact)
        before, after = self._cache.get(i - 1), self._cache.get(i + 1)
        return Picture(self.clip_id, i, frame, exact=exact, before=before, after=after)

    def _error_came(self, i: int, error: ClipUnreadableError) -> None:
        self.decoded.emit(self._problem(i, error))

    def _problem(self, i: int, error: ClipUnreadableError) -> Picture:
        return Picture(
            self.clip_id,
            i,
            None,
            problem=f"Frame {i} cannot be shown: {error.reason}",
            hint=error.hint or "No neighbouring frame is shown in its place.",
        )
