"""Decoded frames for the eye, kept within a budget of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Container

import av

from vvlm_desktop.video.freed_memory import freed_memory

#: Less than this is not worth telling the system about.
_MUCH_BYTES = 16 << 20


class FrameCache:
    """Decoded frames by frame index, least recently used out first; safe for several threads.

    Frames stay in the decoder's own pixel format (yuv420p: 1.4 MB at 720p, against 3.7 MB as BGRA) and are converted
    when they are painted.
    """

    def __init__(self, budget_bytes: int) -> None:
        if budget_bytes <= 0:
            raise ValueError(f"budget_bytes must be positive, not {budget_bytes}")
        self._budget_bytes = budget_bytes
        self._used_bytes = 0
        self._frame_bytes = 0
        self._frames: OrderedDict[int, tuple[av.VideoFrame, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, i: int) -> bool:
        with self._lock:
            return i in self._frames

    def __len__(self) -> int:
        with self._lock:
            return len(self._frames)

    @property
    def used_bytes(self) -> int:
        """Bytes that the frames take."""
        return self._used_bytes

    @property
    def budget_bytes(self) -> int:
        """Bytes that the frames may take; one frame is always kept, however large."""
        return self._budget_bytes

    @property
    def room_frames(self) -> int | None:
        """How many frames of the size seen last fit into the budget; None before the first."""
        return max(1, self._budget_bytes // self._frame_bytes) if self._frame_bytes else None

    def get(self, i: int) -> av.VideoFrame | None:
        """Frame `i` if it is here; counts as a use."""
        with self._lock:
            entry = self._frames.get(i)
            if entry is None:
                return None
            self._frames.move_to_end(i)
            return entry[0]

    def put(self, i: int, frame: av.VideoFrame) -> None:
        """Keep frame `i`, and let go of those unused for longest."""
        cost_bytes = sum(plane.buffer_size for plane in frame.planes)
        with self._lock:
            self._frame_bytes = cost_bytes
            if i in self._frames:
                self._frames.move_to_end(i)
                return
            self._frames[i] = (frame, cost_bytes)
            self._used_bytes += cost_bytes
            self._trim()

    def resize(self, budget_bytes: int) -> None:
        """Change the budget; takes effect at once."""
        with self._lock:
            self._budget_bytes = budget_bytes
            before_bytes = self._used_bytes
            self._trim()
            freed_bytes = before_bytes - self._used_bytes
        _give_back(freed_bytes)

    def clear(self) -> None:
        """Let go of every frame."""
        with self._lock:
            self._frames.clear()
            freed_bytes, self._used_bytes = self._used_bytes, 0
        _give_back(freed_bytes)

    def missing(self, start: int, end: int, *, ignoring: Container[int] = ()) -> tuple[int, int] | None:
        """First and last frame of [start, end) that are not here; None when all are."""
        with self._lock:
            absent = [i for i in range(start, end) if i not in self._frames and i not in ignoring]
        return (absent[0], absent[-1]) if absent else None

    def _trim(self) -> None:
        while self._used_bytes > self._budget_bytes and len(self._frames) > 1:
            _, (_, cost_bytes) = self._frames.popitem(last=False)
            self._used_bytes -= cost_bytes


def _give_back(freed_bytes: int) -> None:
    if freed_bytes >= _MUCH_BYTES:
        freed_memory.give_back()
