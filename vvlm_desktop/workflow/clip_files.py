"""Where a clip's file is now, and whether it is still the clip's: another file may lie at the same path by now."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ClipMissingError, ClipReplacedError, ClipUnreadableError, LibraryError
from vvlm_desktop.store.records import ClipPlace
from vvlm_desktop.video.probe import sha256_of
from vvlm_desktop.workflow.session import Session

_log = logging.getLogger(__name__)
_END_BYTES = 1 << 20
#: Up to here a doubtful file is read whole (50 ms with the SHA instructions of a processor, 250 ms without). Beyond,
#: its two ends decide: a clip is opened in the window's own thread, and the header and first pictures of two
#: recordings always differ. An export, which nobody waits for, compares the whole.
_WHOLE_BYTES = 50_000_000


def existing_path(session: Session, clip: Clip) -> Path:
    """Where the clip's file is now; the first of its known paths that still holds its content.

    Size and time of change are compared, the content only where these leave a doubt.

    Raises:
        ClipReplacedError: another file lies where it was.
        ClipMissingError: there is no file at any of its paths.
        ClipUnreadableError: there is one, and it cannot be read.
    """
    replaced: Path | None = None
    closed: OSError | None = None
    for place in _places(session, clip):
        path = Path(place.path)
        try:
            found = _regular_file(path)
            if found is None:
                continue
            if _still_the_clip(session, clip, place, found=found):
                return path
        except OSError as error:
            closed = closed or error
            continue
        replaced = replaced or path
    if replaced is not None:
        raise ClipReplacedError(replaced)
    if closed is not None:
        raise ClipUnreadableError(
            Path(clip.path), "the file or its folder may not be read", hint="Check the rights of the file and folder."
        ) from closed
    raise ClipMissingError(Path(clip.path))


def likely_path(session: Session, clip: Clip) -> Path:
    """Where the clip's file most likely is, without reading it; for callers that compare the content themselves."""
    fitting = []
    for place in _places(session, clip):
        try:
            found = _regular_file(Path(place.path))
        except OSError:
            continue
        if found is not None and place.is_latest and found.st_size == clip.size_bytes:
            if found.st_mtime_ns == place.mtime_ns:
                return Path(place.path)
            fitting.append(Path(place.path))
    return fitting[0] if fitting else Path(clip.path)


def is_untouched(session: Session, clip: Clip) -> bool:
    """Whether the file at `clip.path` is, by size and time of change, the one whose content was compared last."""
    try:
        found = _regular_file(Path(clip.path))
    except OSError:
        return False
    if found is None or found.st_size != clip.size_bytes:
        return False
    return any(
        place.path == clip.path and place.is_latest and place.mtime_ns == found.st_mtime_ns
        for place in session.library.places_of(clip.id)
    )


def ends_sha256(path: Path) -> str:
    """Hash of the first and the last MiB of a file, and of its size.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(str(size_bytes).encode() + b"\n" + file.read(_END_BYTES))
        file.seek(max(0, size_bytes - _END_BYTES))
        digest.update(file.read(_END_BYTES))
    return digest.hexdigest()


def _places(session: Session, clip: Clip) -> Iterator[ClipPlace]:
    """The clip's own path first, then where it was seen last."""
    places = session.library.places_of(clip.id)
    yield from (place for place in places if place.path == clip.path)
    yield from (place for place in places if place.path != clip.path)


def _regular_file(path: Path) -> os.stat_result | None:
    """The file's facts, None where there is none; raises OSError where that cannot be known."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _still_the_clip(session: Session, clip: Clip, place: ClipPlace, *, found: os.stat_result) -> bool:
    if not place.is_latest or found.st_size != clip.size_bytes:
        return False
    return found.st_mtime_ns == place.mtime_ns or _same_content(session, clip, place, found=found)


def _same_content(session: Session, clip: Clip, place: ClipPlace, *, found: os.stat_result) -> bool:
    path = Path(place.path)
    if found.st_size > _WHOLE_BYTES and place.ends_sha256 is not None:
        return ends_sha256(path) == place.ends_sha256
    if sha256_of(path) != clip.sha256:
        return False
    try:
        session.library.note_unchanged(clip, path, mtime_ns=found.st_mtime_ns)
    except LibraryError as error:
        _log.warning("That %s is unchanged could not be noted and is found out again: %s", path, error)
    return True
