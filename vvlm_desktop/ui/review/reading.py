"""Clips whose frames are not known yet: their first picture at once, their index in the background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError, VvlmError
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.video.first_picture import FirstPicture, first_picture
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.probe import ExamineProgress
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session

#: How long closing waits for a thread that hangs on a slow disk.
_CLOSE_S = 2.0


@dataclass(frozen=True, slots=True)
class ReadSoFar:
    """What is known of a clip that is being read.

    Attributes:
        first: its first picture, None while there is none, or where its head leaves a doubt.
        progress: how far its index is; None before that has begun.
    """

    clip_id: str
    first: FirstPicture | None = None
    progress: ExamineProgress | None = None


@dataclass(frozen=True, slots=True)
class ReadClip:
    """A clip that has been read; `result` is None where nobody wanted it any more."""

    clip_id: str
    result: FrameIndex | VvlmError | OSError | None


class Reading(QObject):
    """Reads clips of a session, each in a thread of its own; what is left behind is told to stop, and not heard."""

    #: `ReadSoFar`, each time that there is more to tell
    progressed = Signal(object)
    #: `ReadClip`, whose result is never None
    ended = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._works: dict[str, _ReadWork] = {}
        self._left: set[_ReadWork] = set()

    @property
    def busy(self) -> bool:
        """Whether anything is being read that is wanted."""
        return bool(self._works)

    def so_far(self, clip_id: str) -> ReadSoFar | None:
        """What is known of a clip that is being read; None where it is not."""
        work = self._works.get(clip_id)
        return work.so_far if work is not None else None

    def start(self, clip: Clip) -> None:
        """Read a clip, unless it is being read already."""
        if clip.id in self._works:
            return
        work = self._works[clip.id] = _ReadWork(self._session, clip, parent=self)
        work.told.connect(self._on_told)
        work.done.connect(self._on_done)
        work.start()

    def stop_others(self, clip_id: str) -> None:
        """Stop reading every clip but this one: it should have the disk for itself."""
        for other in [each for each in self._works if each != clip_id]:
            work = self._works.pop(other)
            work.cancel()
            self._left.add(work)

    def close(self) -> None:
        """Stop everything and wait for the threads."""
        self.stop_others("")
        for work in self._left:
            work.wait(_CLOSE_S)

    def _on_told(self, work: _ReadWork) -> None:
        if self._works.get(work.so_far.clip_id) is work:
            self.progressed.emit(work.so_far)

    def _on_done(self, work: _ReadWork, read: ReadClip) -> None:
        wanted = self._works.get(read.clip_id) is work
        self._left.discard(work)
        if wanted:
            del self._works[read.clip_id]
        if wanted and read.result is not None:
            self.ended.emit(read)


class _ReadWork(QObject):
    """One clip being read."""

    told = Signal(object)  # itself
    done = Signal(object, object)  # itself, ReadClip

    def __init__(self, session: Session, clip: Clip, *, parent: QObject) -> None:
        super().__init__(parent)
        self.so_far = ReadSoFar(clip.id)
        self._clip = clip
        self._told_result = False
        self._work = Work(
            lambda report, cancelled: _read(session, clip, report=report, cancelled=cancelled),
            name="read-clip",
            parent=self,
        )
        self._work.progressed.connect(self._on_progressed)
        self._work.succeeded.connect(self._on_succeeded)
        # Not before: its thread still speaks through it, and a signal of what is deleted ends the program.
        self._work.ended.connect(self._on_ended)
        self.start, self.cancel, self.wait = self._work.start, self._work.cancel, self._work.wait

    def _on_progressed(self, more: FirstPicture | ExamineProgress) -> None:
        before = self.so_far
        if isinstance(more, FirstPicture):
            self.so_far = ReadSoFar(before.clip_id, more, before.progress)
        else:
            self.so_far = ReadSoFar(before.clip_id, before.first, more)
        self.told.emit(self)

    def _on_succeeded(self, read: ReadClip) -> None:
        self._told_result = True
        self.done.emit(self, read)

    def _on_ended(self) -> None:
        if not self._told_result:  # a bug, which is told as such; the page must not wait for ever
            hint = "Open it again. If it happens again, copy the details of the message into a report."
            error = ClipUnreadableError(Path(self._clip.path), "the program failed while reading it", hint=hint)
            self.done.emit(self, ReadClip(self._clip.id, error))
        self.deleteLater()


def _read(session: Session, clip: Clip, *, report: Callable[[object], None], cancelled: Callable[[], bool]) -> ReadClip:
    """In a thread: one after the other, so that on a slow disk the index does not hold up the first picture."""
    try:
        path = existing_path(session, clip)
        first = first_picture(path, stream_index=clip.stream_index, cancel=cancelled)
        if first is not None:
            report(first)
        return ReadClip(clip.id, index_of(session, clip, cancelled=cancelled, progress=report))
    except JobCancelledError:
        return ReadClip(clip.id, None)
    except (VvlmError, OSError) as error:
        return ReadClip(clip.id, error)
