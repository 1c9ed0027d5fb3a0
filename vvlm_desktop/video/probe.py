"""Does a file give the pictures that it promises? Looked at before a clip enters the library."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from vvlm_desktop.errors import FrameUnreadableError, JobCancelledError
from vvlm_desktop.video.container import open_container, video_streams_of
from vvlm_desktop.video.index import FrameIndex, scan_file
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.scan import Scan

#: A longer last group is not decoded to prove a clip that looks healthy.
_LONG_GROUP_FRAMES = 900
#: Decoding every frame of a suspicious clip ends here; what comes later is believed until it is looked at.
_PATIENCE_S = 30.0
#: A gap in time that is worth telling; no camera leaves out so much and goes on in the same file.
_JUMP_S = 60.0
#: So many pictures are lost with the packet in which a recording was cut off; more are damage.
_CUT_FRAMES = 4
_CHUNK_BYTES = 1 << 20
#: After so many decoded frames it is said how far it is.
_TELL_EVERY = 10


@dataclass(frozen=True, slots=True)
class ExamineProgress:
    """How far examining is: `share` (0..1) of the file read, or of a suspicious clip's frames `decoding`."""

    share: float
    decoding: bool = False


def examine(
    path: Path,
    *,
    stream_index: int = 0,
    cancel: Callable[[], bool] | None = None,
    progress: Callable[[ExamineProgress], None] | None = None,
) -> FrameIndex:
    """Read the frame index and prove that pictures come out.

    Healthy files cost their first frame and their last group of pictures; suspicious ones are decoded from end to end.
    The index that comes back holds only frames that can be shown, and `problem` says what is missing. It is empty when
    none can be shown.

    Raises:
        ClipUnreadableError: there is nothing to index.
        JobCancelledError: `cancel` said so.
    """
    tell = progress or (lambda _progress: None)
    index, scan = scan_file(
        path, stream_index=stream_index, cancel=cancel, progress=lambda share: tell(ExamineProgress(share))
    )
    promised = _promised_frames(index, scan)
    with FrameReader(path, index) as reader:
        kept = index.pts if _looks_healthy(reader, scan, promised) else _decodable(reader, cancel, tell)
    if not kept:
        return replace(index, pts=(), problem=_nothing(index, scan))
    shown = replace(index, pts=kept) if len(kept) < len(index) else index
    problem = "; ".join(_complaints(index, shown, scan, promised=promised)) or None
    return replace(shown, problem=problem)


def video_streams(path: Path) -> int:
    """How many clips a file holds: its video streams, cover pictures not counted.

    Raises:
        ClipUnreadableError: it cannot be opened, or holds none.
    """
    with open_container(path) as container:
        return len(video_streams_of(container))


def sha256_of(path: Path, *, progress: Callable[[int], None] | None = None) -> str:
    """SHA-256 of the whole file in hex; `progress` hears the bytes done and may stop it by raising.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done)
    return digest.hexdigest()


def _promised_frames(index: FrameIndex, scan: Scan) -> int:
    """How many frames there should be: what the header says, less what an edit list hides, or what was found."""
    found = len(index) + scan.before_first_key
    if index.declared_frames is None or "avi" in index.container:  # AVI counts ticks, not frames
        return found
    return max(found, index.declared_frames - scan.hidden - scan.repeated_times - scan.second_fields)


def _looks_healthy(reader: FrameReader, scan: Scan, promised: int) -> bool:
    index = reader.index
    if scan.faults or scan.damaged or scan.stretches.recordings or scan.encrypted or len(index) < promised:
        return False
    try:
        reader.frame(0)
    except FrameUnreadableError:
        return False
    first, end = index.gop(len(index) - 1)
    if end - first > _LONG_GROUP_FRAMES:
        return True
    return sum(1 for _ in reader.walk(first)) == end - first


def _decodable(
    reader: FrameReader, cancel: Callable[[], bool] | None, tell: Callable[[ExamineProgress], None]
) -> tuple[int, ...]:
    """PTS of the frames that come out, in one pass; after `_PATIENCE_S` the rest is believed."""
    index = reader.index
    stop_at = time.monotonic() + _PATIENCE_S
    good: list[int] = []
    for i, _ in reader.walk():
        good.append(index.pts[i])
        if cancel is not None and cancel():
            raise JobCancelledError(f"Examining {reader.path.name} was stopped.")
        if i % _TELL_EVERY == 0:
            tell(ExamineProgress(i / len(index), decoding=True))
        if time.monotonic() > stop_at:
            return (*good, *index.pts[i + 1 :])
    return tuple(good)


def _complaints(index: FrameIndex, shown: FrameIndex, scan: Scan, *, promised: int) -> list[str]:
    """What a reviewer must know about a clip that plays, each as part of a sentence."""
    said: list[str] = []
    missing_at_end = promised - len(index) - scan.before_first_key
    lost = len(index) - len(shown)
    if scan.before_first_key:
        said.append(f"the beginning is cut off: its first {_frames(scan.before_first_key)} cannot be shown")
    first_gap = next((i for i, pts in enumerate(index.pts) if i >= len(shown) or shown.pts[i] != pts), None)
    if missing_at_end or (first_gap == len(shown) and lost <= _CUT_FRAMES):
        said.append(f"cut off: {len(shown)} of {promised} frames can be shown")
    elif first_gap is not None:
        said.append(f"damaged at {index.seconds(first_gap):.1f} s: {len(shown)} of {promised} frames can be shown")
    elif _ends_early(index):
        said.append(f"cut off: {index.duration_s:.1f} of {index.declared_duration_s:.1f} s can be shown")
    if scan.without_time:
        said.append(f"{_frames(scan.without_time)} without a time left out")
    if scan.repeated_times and index.recordings:
        said.append(
            f"{_frames(scan.repeated_times)} of a later recording left out, which have the times of an earlier one"
        )
    elif scan.repeated_times:
        said.append(f"{_frames(scan.repeated_times)} with the time of another left out")
    if index.recordings:
        said.append(
            f"{len(index.recordings)} recordings in one file, whose clock goes back: shown in the order of their times"
        )
    for i, (early, late) in enumerate(pairwise(shown.pts)):
        gap_s = float((late - early) * shown.time_base)
        if gap_s > _JUMP_S:
            said.append(f"its clock jumps by {gap_s:.0f} s after frame {i}")
            break
    return said


def _ends_early(index: FrameIndex) -> bool:
    """Whether much less film came than the header claims; a sound track may be a little longer."""
    declared = index.declared_duration_s
    return declared is not None and index.duration_s < 0.9 * declared - 2.0


def _nothing(index: FrameIndex, scan: Scan) -> str:
    if scan.encrypted:
        return "the pictures are encrypted"
    claimed = index.declared_duration_s
    return "no picture can be decoded" + (f", although the file claims {claimed:.0f} s" if claimed else "")


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
