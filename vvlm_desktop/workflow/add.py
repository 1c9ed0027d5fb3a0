"""Add files and folders to the library: hash, index, prove that pictures come out, record what cannot be read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vvlm_desktop.domain.clip import Clip, clip_id
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import ClipMissingError, ClipUnreadableError, JobCancelledError
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.probe import examine, sha256_of, video_streams
from vvlm_desktop.workflow.add_progress import AddProgress, Meter
from vvlm_desktop.workflow.clip_files import ends_sha256
from vvlm_desktop.workflow.recordings import Member, group
from vvlm_desktop.workflow.session import Session

#: What a folder is searched for; a file named on its own is tried whatever its name is.
VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("mp4", "mov", "m4v", "avi", "mkv", "webm", "ts", "mts", "m2ts", "mpg", "mpeg", "3gp", "3gf", "wmv", "flv"),
        *("h264", "264", "h265", "hevc", "asf", "insv", "lrv"),
    )
)


@dataclass(frozen=True, slots=True)
class AddedItem:
    """What became of one file (or one video stream of it).

    Attributes:
        outcome: `added`, `known`, `moved`, `copy` of a clip whose file is still there, or `failed` when not even its
            content could be read.
        problem: a sentence when the clip cannot be shown, or only in part.
    """

    path: Path
    clip: Clip | None
    outcome: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class AddReport:
    """Every file that was looked at, in order; `cancelled` when the rest was not."""

    items: tuple[AddedItem, ...]
    cancelled: bool = False

    def count(self, outcome: str) -> int:
        """How many items ended as `outcome`."""
        return sum(item.outcome == outcome for item in self.items)

    @property
    def problems(self) -> tuple[AddedItem, ...]:
        """Items that cannot be shown, or only in part."""
        return tuple(item for item in self.items if item.problem)


def find_videos(paths: Iterable[Path]) -> list[Path]:
    """Files to add: files as named, and videos below folders, sorted by name; links to folders are not followed."""
    found: list[Path] = []

    def note_closed_folder(error: OSError) -> None:
        found.append(Path(error.filename))

    for path in (given.expanduser() for given in paths):
        if not path.is_dir():
            found.append(path)
            continue
        for folder, folders, files in os.walk(path, onerror=note_closed_folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [
                Path(folder) / name
                for name in sorted(files)
                if Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith(".")
            ]
    # As a clip is looked up by its path: without "..", links left as they are.
    return list(dict.fromkeys(Path(os.path.abspath(path)) for path in found))  # noqa: PTH100


def add_paths(
    session: Session,
    paths: Sequence[Path],
    *,
    progress: Callable[[AddProgress], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    is_sample: bool = False,
) -> AddReport:
    """Add every video in `paths`; one bad file never stops the others, and adding twice changes nothing."""
    regroup_unfinished(session)
    files = find_videos(paths)
    items: list[AddedItem] = []
    stopped = False
    folder: Path | None = None
    for number, file in enumerate(files):
        if stopped := cancelled():
            break
        if folder is not None and folder != file.parent:
            _regroup(session, folder)
        folder = file.parent
        if progress:
            progress(AddProgress(number, len(files), file))
        meter = Meter(AddProgress(number, len(files), file), progress, cancelled=cancelled)
        try:
            items += _add_file(session, file, meter=meter, is_sample=is_sample)
        except JobCancelledError:
            stopped = True
            break
    if folder is not None:
        _regroup(session, folder)
    if progress and files and not stopped:
        progress(AddProgress(len(files), len(files), files[-1]))
    return AddReport(tuple(items), cancelled=stopped)


def _add_file(session: Session, file: Path, *, meter: Meter, is_sample: bool) -> Iterator[AddedItem]:
    library = session.library
    try:
        # Asked for before the content is read: a file that is written to meanwhile is doubtful when it is next opened.
        before = file.stat()
        mtime_ns = before.st_mtime_ns
        meter.begin(before.st_size)
        sha256, found = _read_once(file, meter)
        ends = ends_sha256(file)
        size_bytes = file.stat().st_size
    except OSError as error:
        problem = _unreadable_sentence(file, error)
        library.add_problem_file(str(file), problem)
        yield AddedItem(file, None, "failed", problem)
        return
    for stream_index, result in enumerate(found):
        clip = _describe(file, sha256, result, stream_index=stream_index, size_bytes=size_bytes, is_sample=is_sample)
        outcome = library.add_clip(clip, mtime_ns=mtime_ns, ends_sha256=ends)
        if isinstance(result, FrameIndex) and len(result):
            save_index(session, outcome.clip, result)
        is_copy = outcome.outcome == "moved" and outcome.clip.path != str(file)  # the first one is still there
        yield AddedItem(file, outcome.clip, "copy" if is_copy else outcome.outcome, outcome.clip.problem)


def _read_once(file: Path, meter: Meter) -> tuple[str, list[FrameIndex | ClipUnreadableError]]:
    """Hash of a file, and what each of its streams gives.

    Both need every byte. Side by side they take them from the disk once, also where the file is larger than the memory.

    Raises:
        OSError: it cannot be read.
        JobCancelledError: it is no longer wanted.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="hash-clip") as beside:
        hashed = beside.submit(sha256_of, file, progress=meter.hashed)
        try:
            found = _examine_streams(file, meter)
        except ClipMissingError as error:  # taken away while it was read
            raise FileNotFoundError(str(file)) from error
        return hashed.result(), found


def _examine_streams(file: Path, meter: Meter) -> list[FrameIndex | ClipUnreadableError]:
    try:
        streams = max(1, video_streams(file))
    except ClipUnreadableError:
        streams = 1
    found: list[FrameIndex | ClipUnreadableError] = []
    for stream_index in range(streams):
        try:
            tell = partial(meter.examined, stream_index=stream_index, streams=streams)
            found.append(examine(file, stream_index=stream_index, cancel=meter.cancelled, progress=tell))
        except ClipUnreadableError as error:
            found.append(error)
    return found


def _describe(
    file: Path,
    sha256: str,
    result: FrameIndex | ClipUnreadableError,
    *,
    stream_index: int,
    size_bytes: int,
    is_sample: bool,
) -> Clip:
    clip = Clip(
        id=clip_id(sha256, stream_index),
        path=str(file),
        sha256=sha256,
        stream_index=stream_index,
        size_bytes=size_bytes,
        frames=0,
        duration_s=0.0,
        fps=None,
        width=0,
        height=0,
        codec="",
        has_audio=False,
        keyframes=0,
        status="needs_review",
        problem=None,
        recording="",
        added_at=utc_now(),
        is_sample=is_sample,
    )
    if isinstance(result, ClipUnreadableError):
        return replace(clip, problem=_sentence(result))
    return _with_index(clip, result)


def _with_index(clip: Clip, index: FrameIndex) -> Clip:
    readable = len(index) > 0
    return replace(
        clip,
        frames=len(index),
        duration_s=round(index.duration_s, 3) if readable else 0.0,
        fps=round(index.fps, 3) if readable and index.fps else None,
        width=index.width,
        height=index.height,
        codec=index.codec,
        has_audio=index.has_audio,
        keyframes=len(index.keyframe_indices) if readable else 0,
        problem=_as_sentence(index.problem) if index.problem else None,
    )


def save_index(session: Session, clip: Clip, index: FrameIndex) -> None:
    """Keep the frame index beside the library, so that opening the clip needs no demuxing."""
    target = session.library.index_file(clip)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}.part")
    temporary.write_text(json.dumps(index.to_json(), separators=(",", ":")), encoding="utf-8")
    temporary.replace(target)


def regroup_unfinished(session: Session) -> None:
    """Give clips their recording where adding them was interrupted; without it a split could separate a drive."""
    for folder in session.library.folders_without_recording():
        _regroup(session, Path(folder))


def _regroup(session: Session, folder: Path) -> None:
    """Give new clips of a folder their recording; what they connect becomes one recording, in other folders too."""
    clips = session.library.clips_in_folder(folder)
    recordings = group([Member(c.id, c.path, c.duration_s, c.recording) for c in clips])
    changed = [clip for clip in clips if recordings[clip.id] != clip.recording]
    if changed:
        session.library.set_recordings(
            {clip.id: recordings[clip.id] for clip in changed},
            joined={clip.recording: recordings[clip.id] for clip in changed if clip.recording},
        )


def _sentence(error: ClipUnreadableError) -> str:
    """The reason as a sentence, then what can be done."""
    return f"{_as_sentence(error.reason)} {error.hint}".strip()


def _as_sentence(reason: str) -> str:
    text = reason[:1].upper() + reason[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _unreadable_sentence(file: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file."
    if isinstance(error, PermissionError):
        return f"No permission to read {'this folder' if file.is_dir() else 'this file'}."
    return f"The file cannot be read: {error.strerror or error}."
