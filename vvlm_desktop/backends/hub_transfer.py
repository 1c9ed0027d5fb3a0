"""One file from the hub to the disk: goes on where an earlier try stopped, and is checked while it is written.

huggingface_hub 2 throws away what it has of a file when a download is stopped, so the bytes are moved here; its client
is used (proxies, redirects, offline switch), and its errors are translated by the caller.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import httpx2
from huggingface_hub import get_session, hf_raise_for_status

from vvlm_desktop.backends.model_record import PART_SUFFIX
from vvlm_desktop.errors import DownloadError, JobCancelledError

_READ_BYTES = 1 << 20
_TIMEOUT = httpx2.Timeout(connect=10.0, read=15.0, write=10.0, pool=10.0)
#: Tries in a row that bring nothing.
_TRIES = 6
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_RANGE_START = re.compile(r"bytes (\d+)-")


class PartFile:
    """What is here of a file, hashed as it grows; becomes the file itself by `finish`.

    Args:
        path: of the finished file; what is here so far lies beside it.
        size_bytes: of the finished file.
        checksum: `sha256:HEX`, or `git:HEX` for the id that git has for a file.
    """

    def __init__(self, path: Path, *, size_bytes: int, checksum: str) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self._kind, _, self._wanted = checksum.partition(":")
        self._part = path.with_name(path.name + PART_SUFFIX)
        self._hash = self._new_hash()
        self.have_bytes = 0
        # Without a buffer of ours: what is counted as here is in the system's hands, also when this process is killed.
        self._file = self._part.open("r+b" if self._part.exists() else "w+b", buffering=0)

    def __enter__(self) -> PartFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def take_up(self, *, cancelled: Callable[[], bool]) -> None:
        """Hash what an earlier try left."""
        while chunk := self._file.read(_READ_BYTES):
            _stop_if(cancelled)
            self._hash.update(chunk)
            self.have_bytes += len(chunk)
        if self.have_bytes > self.size_bytes:
            self.restart()

    def write(self, chunk: bytes) -> None:
        """Append `chunk`; of a disk that is full, as much as it takes."""
        rest = memoryview(chunk)
        while rest:
            written = self._file.write(rest)
            self._hash.update(rest[:written])
            self.have_bytes += written
            rest = rest[written:]

    def restart(self) -> None:
        """Forget what is here."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = self._new_hash()
        self.have_bytes = 0

    @property
    def complete(self) -> bool:
        """Whether all bytes are here; whether they are the right ones is for `right`."""
        return self.have_bytes == self.size_bytes

    @property
    def right(self) -> bool:
        """Whether what is here is what the hub describes."""
        return self.complete and self._hash.hexdigest() == self._wanted

    def finish(self) -> None:
        """Make sure that it is on the disk, and give it its name."""
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self.path)

    def throw_away(self) -> None:
        """Delete what is here."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _new_hash(self) -> hashlib._Hash:
        if self._kind == "git":
            # What git calls a file by; a checksum here, not a signature.
            return hashlib.sha1(b"blob %d\0" % self.size_bytes, usedforsecurity=False)
        return hashlib.sha256()


def fetch_file(
    part: PartFile,
    url: str,
    *,
    headers: Mapping[str, str],
    on_bytes: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Fetch what is missing of `part`; returns when all bytes are here.

    Args:
        part: taken up already.
        url: of the file.
        headers: with the token, where there is one.
        on_bytes: called with how many came; negative when some had to be given up.
        cancelled: looked at with every piece.

    Raises:
        JobCancelledError: `cancelled` said so; what is here stays.
        DownloadError: the file is longer than the hub says.
        httpx2.TransportError: the connection was lost, again and again.
        HfHubHTTPError: the hub refuses.
        OSError: the disk refuses.
    """
    failed, lost = 0, None
    while not part.complete:
        before = part.have_bytes
        try:
            _fetch_on(part, url, headers=headers, on_bytes=on_bytes, cancelled=cancelled)
            lost = None
        except httpx2.TransportError as error:
            lost = error
        if part.complete:
            return
        failed = failed + 1 if part.have_bytes <= before else 1
        if failed >= _TRIES:
            raise lost or httpx2.RemoteProtocolError("the file ends too early")
        _pause(min(_FIRST_PAUSE_S * 2 ** (failed - 1), _LONGEST_PAUSE_S), cancelled=cancelled)


def _fetch_on(
    part: PartFile,
    url: str,
    *,
    headers: Mapping[str, str],
    on_bytes: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> None:
    _stop_if(cancelled)
    # Compressed on the way, a range would be one of other bytes.
    asked = {**headers, "Accept-Encoding": "identity"}
    if part.have_bytes:
        asked["Range"] = f"bytes={part.have_bytes}-"
    with get_session().stream("GET", url, headers=asked, timeout=_TIMEOUT, follow_redirects=True) as response:
        if response.status_code >= 400:
            response.read()
        hf_raise_for_status(response)
        if part.have_bytes and not _continues(response, part.have_bytes):
            on_bytes(-part.have_bytes)
            part.restart()
            if response.status_code != 200:
                return
        for chunk in response.iter_raw():
            _stop_if(cancelled)
            if part.have_bytes + len(chunk) > part.size_bytes:
                part.throw_away()
                raise DownloadError(
                    f"{part.path.name} is longer than the hub says; it was deleted.",
                    hint="Try again; if it goes on, the model's page or a proxy on the way is broken.",
                )
            part.write(chunk)
            on_bytes(len(chunk))


def _continues(response: httpx2.Response, have_bytes: int) -> bool:
    """Whether the answer begins where we stopped; servers may ignore the wish and send everything."""
    start = _RANGE_START.match(response.headers.get("Content-Range", ""))
    return response.status_code == 206 and start is not None and int(start[1]) == have_bytes


def _pause(seconds: float, *, cancelled: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _stop_if(cancelled)
        time.sleep(0.05)


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise JobCancelledError("The download was stopped; it goes on from here when it is started again.")
