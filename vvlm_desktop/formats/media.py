"""Clips in an export: under names that are valid everywhere, linked or copied, and proved to be the right content."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import FormatError, JobCancelledError

#: Bytes of a file's name that every common file system takes.
_MAX_NAME_BYTES = 255
_CHUNK_BYTES = 1 << 20
_CHANGED = "its content has changed since it was added"
_FULL = {errno.ENOSPC, errno.EDQUOT}

# Refused by Windows, or by every system; spaces, emoji and # are fine everywhere.
_REFUSED = re.compile('[<>:"/\\\\|?*\x00-\x1f\x7f\ud800-\udfff\u0085\u2028\u2029]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(slots=True)
class PlacedMedia:
    """Where clips went.

    Attributes:
        files: name in the media folder, by content hash; several streams of one file share it.
        failed: why a clip could not be placed, by content hash.
    """

    files: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    linked: int = 0
    hardlinked: int = 0
    copied: int = 0


def safe_name(path: str) -> str:
    """Name of the file at `path`, changed only where some system or some reader would refuse it."""
    name = _REFUSED.sub("_", PurePath(path).name).rstrip(" .") or "clip"
    if name.startswith("."):  # hidden files are skipped by loaders
        name = f"_{name[1:]}"
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    return _shortened(name, "")


def unique_names(clips: Sequence[Clip]) -> dict[str, str]:
    """A name for each content, by hash; where names clash every one of them gets a piece of its hash.

    Names that differ only in case or in the form of an accent clash too: some file systems hold them to be equal. The
    result does not depend on the order of `clips`.
    """
    wanted = {clip.sha256: safe_name(clip.path) for clip in sorted(clips, key=lambda clip: (clip.path, clip.id))}
    names = dict(wanted)
    for digits in (8, 16, 64):
        clashing = _clashes(names)
        if not clashing:
            break
        for sha256 in clashing:
            names[sha256] = _shortened(wanted[sha256], f"-{sha256[:digits]}")
    return names


def place_media(
    clips: Sequence[Clip],
    folder: Path,
    *,
    copy: bool,
    untouched: Callable[[Clip], bool] = lambda _clip: False,
    progress: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> PlacedMedia:
    """Link or copy `clips` into `folder`. A clip whose file is missing or changed fails alone.

    Args:
        untouched: whether a clip's file is surely the one that was added; others are read and compared before they are
            linked. A copy is compared while it is made.

    Raises:
        FormatError: this file system can hold no link of any kind.
        OSError: the folder cannot be written.
        JobCancelledError: `cancelled` said so.
    """
    folder.mkdir()
    placed = PlacedMedia()
    names = unique_names(clips)
    by_content: dict[str, list[Clip]] = {}
    for clip in clips:
        by_content.setdefault(clip.sha256, []).append(clip)
    for done, (sha256, same) in enumerate(by_content.items()):
        _stop_if(cancelled)
        if progress:
            progress(done, len(by_content), names[sha256])
        problem = "it has no file"
        for clip in sorted(same, key=lambda clip: clip.stream_index):
            problem = _source_problem(clip) or ""
            if not problem and not copy and not untouched(clip):
                problem = _content_problem(clip, cancelled=cancelled) or ""
            if not problem and copy:
                problem = _copy(clip, folder / names[sha256], cancelled=cancelled) or ""
                placed.copied += not problem
            elif not problem:
                _link(Path(clip.path).resolve(), folder / names[sha256], placed=placed)
            if not problem:
                break
        if problem:
            placed.failed[sha256] = problem
        else:
            placed.files[sha256] = names[sha256]
    if progress:
        progress(len(by_content), len(by_content), "")
    return placed


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise JobCancelledError("The export was cancelled; nothing was written.")


def _source_problem(clip: Clip) -> str | None:
    path = Path(clip.path)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return f"the file is no longer at {path.parent}"
    except (OSError, ValueError) as error:
        return f"the file cannot be reached ({error})"
    if not path.is_file():
        return "there is no file of that name any more"
    if found.st_size != clip.size_bytes:
        return f"the file has changed since it was added ({clip.size_bytes} bytes then, {found.st_size} now)"
    if not os.access(path, os.R_OK):
        return "the file may not be read"
    return None


def _content_problem(clip: Clip, *, cancelled: Callable[[], bool]) -> str | None:
    """Read the whole file: another one of the same size may lie there by now."""
    digest = hashlib.sha256()
    try:
        with Path(clip.path).open("rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                _stop_if(cancelled)
                digest.update(chunk)
    except OSError as error:
        return f"the file cannot be read to its end ({error.strerror})"
    return None if digest.hexdigest() == clip.sha256 else _CHANGED


def _copy(clip: Clip, target: Path, *, cancelled: Callable[[], bool]) -> str | None:
    """Copy a clip; returns why its content is not what it was, and leaves no file then."""
    digest, size = hashlib.sha256(), 0
    try:
        source = Path(clip.path).open("rb")  # noqa: SIM115  (a failure here is the clip's, one below is the folder's)
    except OSError as error:
        return f"the file cannot be read ({error.strerror})"
    with source, target.open("xb") as written:
        while True:
            _stop_if(cancelled)
            try:
                chunk = source.read(_CHUNK_BYTES)
            except OSError as error:
                problem: str | None = f"the file cannot be read to its end ({error.strerror})"
                break
            if not chunk:
                problem = None if digest.hexdigest() == clip.sha256 else _CHANGED
                break
            digest.update(chunk)
            written.write(chunk)
            size += len(chunk)
        written.flush()
        os.fsync(written.fileno())
    if not problem and target.stat().st_size != size:
        raise OSError(errno.EIO, f"{target.name} was not written completely", str(target))
    if problem:
        target.unlink()
    return problem


def _link(source: Path, target: Path, *, placed: PlacedMedia) -> None:
    try:
        target.symlink_to(source)
        placed.linked += 1
        return
    except OSError as error:
        if error.errno in _FULL:
            raise
    try:
        os.link(source, target)
        placed.hardlinked += 1
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise FormatError(
            f"Clips cannot be linked into {target.parent.parent.parent}: {error.strerror or error}",
            hint="Use --copy to copy them instead.",
        ) from error


def _clashes(names: Mapping[str, str]) -> list[str]:
    by_folded: dict[str, list[str]] = {}
    for sha256, name in names.items():
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        by_folded.setdefault(folded, []).append(sha256)
    return [sha256 for same in by_folded.values() if len(same) > 1 for sha256 in same]


def _shortened(name: str, addition: str) -> str:
    """`name` with `addition` before its suffix, cut to what file systems take without cutting a character."""
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    if len(suffix.encode()) > 16:
        stem, suffix = name, ""
    room = _MAX_NAME_BYTES - len((addition + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + addition + suffix
