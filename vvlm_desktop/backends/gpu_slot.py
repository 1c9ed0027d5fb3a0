"""One GPU, one user at a time: an operating-system file lock shared by windows, command line and trainer.

The lock belongs to an open file, so the operating system lets go of it when its process dies, however it dies; who
holds it and since when is written into the file for people to read. Who waits for it leaves a wish in a file beside it,
so that a holder that has nothing to do can let go.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from vvlm_desktop.domain.values import utc_now

_RETRY_S = 0.01
#: Idle holders look once a second, and freeing a large model takes a moment.
PATIENCE_S = 4.0
#: A wish that is older is of somebody who has given up, or died.
_WISH_S = 10.0
#: Windows locks are mandatory: locking a byte far behind the text leaves the text readable.
_LOCKED_BYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the GPU."""

    pid: int
    since: str
    purpose: str


class GpuSlot:
    """The lock in `file`; as a context manager it is let go of at the end of the block."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._descriptor: int | None = None
        self._wish = file.with_name(f"{file.name}.wanted")

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for it just now; for holders that do not need it."""
        try:
            return abs(time.time() - self._wish.stat().st_mtime) < _WISH_S
        except OSError:
            return False

    @property
    def held(self) -> bool:
        """Whether this object has the GPU."""
        return self._descriptor is not None

    def acquire(self, purpose: str, *, timeout_s: float = 0.1) -> bool:
        """Take the GPU; False when somebody else still has it after `timeout_s`.

        Args:
            purpose: what for, in words for people ("fine-tune run 7").
            timeout_s: even "at once" tries for a moment, because `holder` takes the lock for an instant to look.
        """
        if self._descriptor is not None:
            raise ValueError("this slot is held already")
        descriptor = self._lock(timeout_s)
        if descriptor is None:
            return False
        text = json.dumps(asdict(Holder(os.getpid(), utc_now(), purpose))).encode()
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text)
        self._descriptor = descriptor
        return True

    def acquire_asking(self, purpose: str, *, patience_s: float = PATIENCE_S) -> bool:
        """As `acquire`, but a holder that has nothing to do is asked to let go, and waited for `patience_s` at most."""
        if self.acquire(purpose):
            return True
        self._wish.write_text(purpose, encoding="utf-8")
        try:
            return self.acquire(purpose, timeout_s=patience_s)
        finally:
            self._wish.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the GPU; harmless when it is not held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> Holder | None:
        """Who has the GPU now, None when nobody has."""
        if self._descriptor is None:
            free = self._lock(0.0)
            if free is not None:
                _unlock(free)
                os.close(free)
                return None
        try:
            data = json.loads(self.file.read_text(encoding="utf-8"))
            return Holder(int(data["pid"]), str(data["since"]), str(data["purpose"]))
        except (OSError, ValueError, KeyError, TypeError):
            # Taken this very moment, and not signed yet.
            return Holder(0, utc_now(), "unknown")

    def __enter__(self) -> GpuSlot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _lock(self, timeout_s: float) -> int | None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + timeout_s
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(_RETRY_S)
        return descriptor


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
