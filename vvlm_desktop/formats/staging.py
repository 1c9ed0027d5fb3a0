"""A folder that appears complete or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vvlm_desktop.errors import FormatError, StorageFullError, VvlmError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def staged_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out` that takes its name when the block ends well, and is removed when it does not.

    Raises:
        FormatError: `out` already holds something, or cannot be written.
        StorageFullError: the disk is full, or the folder is read-only.
    """
    out = require_empty(out)
    staging = out.parent / f".vvlm-{uuid.uuid4().hex}.part"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
        yield staging
        for folder, _, _ in os.walk(staging):
            sync_folder(Path(folder))
        if out.exists():
            out.rmdir()  # empty; Windows does not rename over a folder
        staging.rename(out)
        sync_folder(out.parent)
    except OSError as error:
        raise storage_error(out, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def require_empty(out: Path) -> Path:
    """`out` as an absolute path, when an export may be written there.

    Raises:
        FormatError: it is a file, or a folder that holds something.
    """
    try:
        out = out.expanduser().resolve()
        if out.is_dir() and next(out.iterdir(), None) is None:
            return out
        taken = out.exists()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, or no home folder
        raise FormatError(f"{out} cannot be used for an export: {error}", hint="Choose another folder.") from error
    if taken:
        what = "is not empty" if out.is_dir() else "is a file"
        raise FormatError(
            f"{out} {what}, and an export never overwrites.", hint="Name a folder that does not exist yet."
        )
    return out


def storage_error(folder: Path, error: OSError) -> VvlmError:
    """The failure of a write below `folder`, in words."""
    if error.errno in _NO_SPACE:
        return StorageFullError(
            f"The disk is full: the export to {folder} was not made.",
            hint="Free some space, or export to another disk; without --copy clips are linked and take no space.",
        )
    if error.errno in _NO_RIGHTS:
        return StorageFullError(
            f"{folder} may not be written to: the export was not made.", hint="Choose a folder that you may write to."
        )
    return FormatError(
        f"The export to {folder} was not made: {error.strerror or error}", hint="Choose another folder and try again."
    )


def write_text(file: Path, lines: Iterable[str]) -> None:
    """Write pieces of text as UTF-8, nothing added, on disk when it returns."""
    with file.open("xb") as handle:
        for line in lines:
            handle.write(line.encode("utf-8"))
        handle.flush()
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make names in `folder` survive a power loss, where the system has a way to."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)
