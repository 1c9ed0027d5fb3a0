"""The frames of one look, read exactly; a clip with damaged frames is looked at where it can be, and says so."""

from __future__ import annotations

from pathlib import Path

from vvlm_desktop.backends.local.families.base import FrameBatch
from vvlm_desktop.backends.local.inputs import read_frames
from vvlm_desktop.backends.local.rounds import choose_frames
from vvlm_desktop.backends.local.tasks import Task
from vvlm_desktop.errors import ClipUnreadableError, FrameUnreadableError, JobCancelledError
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.probe import examine


def read_look(task: Task) -> None:
    """Read the frame index where that was not done, and the frames of the task's look; for the reading thread.

    Raises:
        ClipUnreadableError: the file gives no pictures.
        ClipMissingError: it is gone.
        UsageError: the marked part is not in the clip.
        JobCancelledError: the job was stopped.
    """
    request, path = task.job.request, Path(task.job.request.path)
    task.frames = task.encoded = None
    if task.job.cancelled():
        raise JobCancelledError("Cancelled.")
    task.progress(0.0, "reading frames")
    with task.timed("read_s"):
        if task.index is None:
            task.index = read_index(path, stream_index=request.stream_index, cancel=task.job.cancelled)
        try:
            task.frames = _frames(task, path, task.index)
        except FrameUnreadableError:
            if task.index.problem is not None:
                raise
            task.index = _examined(task, path)
            task.frames = _frames(task, path, task.index)
    task.progress(0.08, "waiting for the model")


def _frames(task: Task, path: Path, index: FrameIndex) -> FrameBatch:
    chosen = choose_frames(
        index,
        task.options.sampling,
        task.look,
        frames=task.level.frames,
        range_ms=task.job.request.range_ms,
    )
    size = task.family.decode_size(index.width, index.height, frames=len(chosen), side=task.level.side_px)
    return read_frames(path, index, chosen, size=size)


def _examined(task: Task, path: Path) -> FrameIndex:
    """An index of the frames that can be shown; the whole clip is decoded for it."""
    request = task.job.request
    index = examine(path, stream_index=request.stream_index, cancel=task.job.cancelled)
    problem = index.problem or "some of its frames cannot be decoded"
    if not index.pts:
        raise ClipUnreadableError(path, problem, hint="Copy it again from the camera's card.")
    task.flag(f"The clip is damaged ({problem}); only frames that can be shown were looked at.")
    return index
