"""Starting a trainer or an evaluation for a folder, and telling later whether it still works there.

Beside what the process itself writes lies a note of who was started when (`launched`): by it one that dies before its
first word is told from one that is still on its way.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from vvlm_desktop.backends.atomic_file import write_atomically
from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.backends.run_folder import LAUNCHED_FILE, RunFiles, Trainer
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import StorageFullError, UsageError
from vvlm_desktop.jobs.argv import training_argv, training_environment
from vvlm_desktop.jobs.detached import start_detached

_LOCK_FILE = ".launch.lock"
#: Two windows that start the same run within this time: the second one waits for the first to have done so.
_LOCK_PATIENCE_S = 5.0
_RETRY_S = 0.01
#: Events after which nothing more is to come.
_ENDS = frozenset({"checked", "finished", "stopped", "failed", "interrupted"})
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that was started for a folder.

    Attributes:
        began_s: when the process began, 0 where it had ended before anybody could look.
        events_bytes, log_bytes: how long both files were then; what it said is behind that.
    """

    pid: int
    began_s: float
    at: str
    events_bytes: int
    log_bytes: int

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return Trainer(self.pid, self.began_s).alive


def launch(files: RunFiles, arguments: Sequence[str], *, busy: str) -> None:
    """Start `python -m training` with `arguments` for a folder, unless somebody works there.

    Args:
        busy: what is said where somebody does.

    Raises:
        UsageError: somebody does.
        StorageFullError: the folder cannot be written.
        JobError: it cannot be started.
    """
    try:
        with GpuSlot(files.path / _LOCK_FILE) as lock:
            free = lock.acquire("start", timeout_s=_LOCK_PATIENCE_S)
            if not free or _stays(files):
                raise UsageError(busy, hint="Wait until it has ended, or stop it.")
            files.stop_file.unlink(missing_ok=True)
            _start(files, arguments)
    except OSError as error:
        raise cannot_write(files.path, error) from error


def launched(files: RunFiles) -> Launched | None:
    """Who was started last for a folder; None where nobody was from here."""
    try:
        data = json.loads((files.path / LAUNCHED_FILE).read_text(encoding="utf-8"))
        return Launched(
            pid=int(data["pid"]),
            began_s=float(data["began_s"]),
            at=str(data["at"]),
            events_bytes=int(data["events_bytes"]),
            log_bytes=int(data["log_bytes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def working(files: RunFiles) -> bool:
    """Whether a process works in a folder, or is on its way there; not one that has told its end and tidies up."""
    begun = launched(files)
    return files.trainer() is not None or (begun is not None and begun.alive and not _told_end(files, begun))


def ask_to_stop(files: RunFiles) -> None:
    """Ask who works there to end at the next step; nothing happens where nobody does.

    Raises:
        StorageFullError: the folder cannot be written.
    """
    if not working(files):
        return
    try:
        files.ask_to_stop()
    except OSError as error:
        raise cannot_write(files.path, error) from error


def cannot_write(folder: Path, error: OSError) -> StorageFullError:
    """The failure of a write in a run's folder, in words."""
    reason = "the disk is full" if error.errno in _FULL else error.strerror or str(error)
    return StorageFullError(
        f"The run's folder cannot be written to: {reason} ({folder}).", hint="Make room there, or mend its rights."
    )


def _stays(files: RunFiles) -> bool:
    """Whether somebody works there, and is not about to go: between its last word and its end lies a moment."""
    deadline_s = time.monotonic() + _LOCK_PATIENCE_S
    while working(files):
        begun = launched(files)
        if time.monotonic() > deadline_s or begun is None or not _told_end(files, begun):
            return True
        time.sleep(_RETRY_S)
    return False


def _told_end(files: RunFiles, begun: Launched) -> bool:
    events, position = files.events_after(begun.events_bytes)
    last = ""
    while events:
        last = str(events[-1].get("kind"))
        events, position = files.events_after(position)
    return last in _ENDS


def _start(files: RunFiles, arguments: Sequence[str]) -> None:
    events_bytes, log_bytes = _size(files.events_file), _size(files.log_file)
    # First of all: where this cannot be written nothing may be started that nobody could find again.
    _note(files, Launched(0, 0.0, utc_now(), events_bytes, log_bytes))
    pid = start_detached(
        training_argv(*arguments), log=files.log_file, environment=training_environment(), folder=files.path
    )
    began_s = 0.0
    with contextlib.suppress(psutil.Error):
        began_s = psutil.Process(pid).create_time()
    _note(files, Launched(pid, began_s, utc_now(), events_bytes, log_bytes))


def _note(files: RunFiles, note: Launched) -> None:
    write_atomically(files.path / LAUNCHED_FILE, json.dumps(asdict(note)) + "\n")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


class Watch:
    """Whether anybody works in a folder; asked often, looked up twice a second or when a note of it changes."""

    def __init__(self, files: RunFiles, *, every_s: float = 0.5) -> None:
        self._files = files
        self._every_s = every_s
        self._looked_s = -every_s
        self._seen: tuple[int, int] | None = None
        self.launched: Launched | None = None
        self.alive = False

    def look(self) -> None:
        """Renew `alive` and `launched` where it is time."""
        seen = (_changed_ns(self._files.path / LAUNCHED_FILE), _changed_ns(self._files.pid_file))
        now_s = time.monotonic()
        if seen == self._seen and now_s - self._looked_s < self._every_s:
            return
        self._seen, self._looked_s = seen, now_s
        self.launched = launched(self._files)
        self.alive = self._files.trainer() is not None or (self.launched is not None and self.launched.alive)


def _changed_ns(file: Path) -> int:
    try:
        return os.stat(file).st_mtime_ns  # noqa: PTH116 - five times as fast, and asked ten times a second
    except OSError:
        return 0
