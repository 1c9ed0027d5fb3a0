"""A clip: one video stream of one file's content, wherever that file moves."""

from __future__ import annotations

from dataclasses import dataclass


def clip_id(sha256: str, stream_index: int = 0) -> str:
    """Id of a clip: the first 16 hex digits of its content's hash, `.N` appended for a later video stream."""
    return sha256[:16] + (f".{stream_index}" if stream_index else "")


@dataclass(frozen=True, slots=True)
class Clip:
    """What is known about a clip without decoding it.

    Attributes:
        stream_index: which of the file's *video* streams, 0 for the first.
        frames: how many frames the index can reach, 0 when unreadable.
        duration_s: from the first frame's start to the last frame's end; 0.0 when unreadable.
        fps: average over the index, None when fewer than two frames.
        width, height: pixels as shown, after rotation.
        keyframes: how many frames decoding can start at.
        status: the review status, `needs_review` when nobody has looked.
        problem: a sentence for the reviewer, None when all is well; with `frames > 0` the clip plays in part.
        recording: groups clips of one drive, so that a split never separates them.
    """

    id: str
    path: str
    sha256: str
    stream_index: int
    size_bytes: int
    frames: int
    duration_s: float
    fps: float | None
    width: int
    height: int
    codec: str
    has_audio: bool
    keyframes: int
    status: str
    problem: str | None
    recording: str
    added_at: str
    is_sample: bool = False

    @property
    def readable(self) -> bool:
        """Whether there is at least one frame to look at."""
        return self.frames > 0
