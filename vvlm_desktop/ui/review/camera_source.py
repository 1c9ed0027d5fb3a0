"""One more camera of the open clip's moment: its frames at the open clip's time, small and without haste."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from PySide6.QtCore import QObject, Qt, Signal

from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.decode_thread import DecodeThread
from vvlm_desktop.video.frame_cache import FrameCache
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.small_frames import SmallFrames
from vvlm_desktop.workflow.cameras import OtherCamera

#: The nearest picture is shown: no camera is further off than half of its frames.
_TOLERANCE_FRAMES = 0.5
#: Longer without a picture, and by so many times the usual, is a hole, as on the timeline: nothing stands for it.
_LEAST_HOLE_S, _HOLE_FRAMES = 0.5, 5
#: Further than this from its moment, a picture must say so; two pictures side by side would be taken for one moment.
_LAG_S = 0.1
#: Further behind, there is no catching up frame by frame as fast as the clip plays.
_FAR_BEHIND_S = 0.3


@dataclass(frozen=True, slots=True)
class CameraClip:
    """Another camera's clip, ready to be opened."""

    camera: OtherCamera
    path: Path
    index: FrameIndex


@dataclass(frozen=True, slots=True)
class CameraPicture:
    """What another camera shows: a frame, or the word that stands for it."""

    frame_index: int
    frame: av.VideoFrame | None
    word: str = ""


class CameraSource(QObject):
    """Follows the open clip's time; `close` it before letting go."""

    picture_came = Signal(object)  # CameraPicture
    lag_changed = Signal()  # `lags`
    _decoded = Signal(object)

    def __init__(self, clip: CameraClip, *, budget_bytes: int, offset_ms: float) -> None:
        super().__init__()
        self.clip = clip
        self.offset_ms = offset_ms
        self._tolerance_s = _TOLERANCE_FRAMES * clip.index.usual_s
        self._wanted = -1
        self._shown = -1
        self._word = ""
        self.lags = False  # what is shown is plainly of another moment, as its decoder has yet to get there
        self._cache = FrameCache(budget_bytes)
        self._thread = DecodeThread(
            lambda: SmallFrames(clip.path, clip.index),
            self._cache,
            on_frame=self._frame_came,
            on_error=self._error_came,
        )
        self._decoded.connect(self._on_decoded, Qt.ConnectionType.QueuedConnection)

    @property
    def index(self) -> FrameIndex:
        """Its frames."""
        return self.clip.index

    @property
    def used_bytes(self) -> int:
        """What its frames take."""
        return self._cache.used_bytes

    def show_moment(self, master_s: float, *, playing: bool) -> None:
        """Show what this camera saw when the open clip was at `master_s`."""
        # Offsets are whole milliseconds and seconds are rounded: without this, half of the pictures were one late.
        own_s = master_s + self.offset_ms / 1000 + self._tolerance_s
        word = self._no_picture(own_s)
        if word:
            self._wanted = self._shown = -1
            self._note_lag()
            if word != self._word:
                self._word = word
                self.picture_came.emit(CameraPicture(-1, None, word))
            return
        self._word = ""
        i = self.index.at_time(own_s)
        if i == self._wanted == self._shown:
            return
        self._wanted = i
        self._note_lag()
        frame = self._cache.get(i)
        if frame is not None and self._shown != i:
            self._show(CameraPicture(i, frame))
        elif frame is None and (error := self._thread.unreadable(i)) is not None:
            self._show(CameraPicture(i, None, f"frame {i} cannot be shown: {error.reason}"))
            return
        if frame is None or not playing:
            self._thread.request(self._within_reach(i) if playing else i)

    def _within_reach(self, i: int) -> int:
        """Frame `i`, or where that is far ahead, the frame with which its group begins: the soonest to be had."""
        start = self.index.gop(i)[0]
        if not 0 <= self._shown < start or self._thread.unreadable(start) is not None:
            return i
        return start if self.index.seconds(i) - self.index.seconds(self._shown) > _FAR_BEHIND_S else i

    def shift(self, offset_ms: float) -> None:
        """Another difference of the clocks; shown with the next moment."""
        self.offset_ms = offset_ms
        self._wanted = -1

    def resize_cache(self, budget_bytes: int) -> None:
        """Change how much memory its frames may take."""
        self._cache.resize(max(1, budget_bytes))

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether everything foreseen was decoded within `timeout_s`."""
        return self._thread.wait_idle(timeout_s)

    def close(self) -> None:
        """End the thread and let go of the frames."""
        self._thread.close(timeout_s=2.0)
        self._cache.clear()
        self._wanted = -1

    def _no_picture(self, own_s: float) -> str:
        if own_s < 0:
            return f"not recording yet, begins in {-own_s:.1f} s"
        if own_s >= self.index.duration_s:
            return "recording has ended"
        i = self.index.at_time(own_s)
        hole_s = self.index.seconds(min(i + 1, len(self.index) - 1)) - self.index.seconds(i)
        frame_s = self.index.usual_s
        in_hole = hole_s > max(_LEAST_HOLE_S, _HOLE_FRAMES * frame_s) and own_s - self.index.seconds(i) > 1.5 * frame_s
        return "no picture of this moment in its file" if in_hole else ""

    def _show(self, picture: CameraPicture) -> None:
        self._shown = picture.frame_index
        self._note_lag()
        self.picture_came.emit(picture)

    def _note_lag(self) -> None:
        apart_s = 0.0
        if self._shown >= 0 and self._wanted >= 0:
            apart_s = abs(self.index.seconds(self._shown) - self.index.seconds(self._wanted))
        if self.lags != (apart_s > _LAG_S):
            self.lags = not self.lags
            self.lag_changed.emit()

    def _frame_came(self, i: int, frame: av.VideoFrame, exact: bool) -> None:
        if exact or abs(i - self._wanted) < abs(self._shown - self._wanted):
            self._decoded.emit(CameraPicture(i, frame))

    def _error_came(self, i: int, error: ClipUnreadableError) -> None:
        self._decoded.emit(CameraPicture(i, None, f"frame {i} cannot be shown: {error.reason}"))

    def _on_decoded(self, picture: CameraPicture) -> None:
        nearer = abs(picture.frame_index - self._wanted) < abs(self._shown - self._wanted)
        if self._wanted >= 0 and (picture.frame_index == self._wanted or (nearer and picture.frame is not None)):
            self._show(picture)
