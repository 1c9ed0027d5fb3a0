"""What is read of a folder in which somebody else works: events as they come, values that may be anything."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from vvlm_desktop.backends.run_folder import RunFiles

Event: TypeAlias = Mapping[str, Any]

#: Enough of the first event to tell one file from another: its time is in it.
_HEAD_BYTES = 200
_LONGEST_TEXT = 2000
_LARGEST = 1 << 53
_TAIL_BYTES = 256 << 10
#: How the last line of a traceback begins, and what is left of crashes.
_ERROR = re.compile(r"(?:[A-Za-z_][\w.]*)?(?:Error|Exception|Interrupt)\b(?::|$)|Fatal Python error|terminate called")
#: Colours and cursor movements of terminals.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


class EventTail:
    """Events of a folder, each told once; `begun_anew` says that another file took the place of the one so far."""

    def __init__(self, files: RunFiles) -> None:
        self._files = files
        self.position = 0
        self.begun_anew = False
        self._seen: tuple[int, int, int] | None = None
        self._head = b""

    def new_events(self) -> list[Event]:
        """What was told since; all of it again where `begun_anew`."""
        self.begun_anew = False
        now = _identity(self._files.events_file)
        if now == self._seen:
            return []
        self._seen = now
        head = _head_of(self._files.events_file)
        if (now is None or now[0] < self.position or not head.startswith(self._head)) and self.position:
            self.position, self.begun_anew = 0, True
        self._head = head
        found: list[Event] = []
        try:
            events, self.position = self._files.events_after(self.position)
            while events:
                found += events
                events, self.position = self._files.events_after(self.position)
        except OSError:
            self._seen = None  # rights, a network drive that went away: looked at again next time
        return found


def whole(value: Any) -> int:
    """A count out of an event, 0 where it is none."""
    found = number(value)
    return min(int(found), _LARGEST) if found is not None and found > 0 else 0


def number(value: Any) -> float | None:
    """A number that can be drawn; None for what is none, also for what is told as a word because it is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def text(value: Any) -> str:
    """A text that can be shown: one line, nothing that moves a cursor or turns the direction of writing."""
    if not isinstance(value, str):
        return ""
    cut = value[:_LONGEST_TEXT]
    return "".join(letter if letter.isprintable() else " " for letter in cut).strip()


def table(value: Any) -> dict[str, Any]:
    """An object out of an event, empty where it is none."""
    return {text(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def plain_log(file: Path, *, after: int = 0, most_bytes: int = _TAIL_BYTES) -> list[str]:
    """The last lines of a log, without what is meant for terminals; of a progress bar only its last state."""
    try:
        with file.open("rb") as log:
            size = log.seek(0, 2)
            begin = max(min(after, size), size - most_bytes)
            log.seek(begin)
            data = log.read(most_bytes)
    except OSError:
        return []
    lines = _ESCAPES.sub("", data.decode("utf-8", "replace")).split("\n")
    if begin > after:
        lines = lines[1:]  # cut in its middle
    return ["".join(c for c in _settled(line) if c.isprintable() or c == "\t").rstrip() for line in lines]


def last_words(file: Path, *, after: int = 0) -> str:
    """Why a process ended, as it wrote that itself: its last line, or the two that a plain failure has."""
    lines = [line for line in plain_log(file, after=after) if line.strip()]
    if not lines:
        return ""
    return last_error(file, after=after) or text(" ".join(lines[-2:]))


def last_error(file: Path, *, after: int = 0) -> str:
    """The last error in a log, empty where it holds none: libraries write much that is none."""
    lines = plain_log(file, after=after)
    found = [line for line in lines if _ERROR.match(line)]
    return text(found[-1]) if found else ""


def _settled(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


def _identity(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _head_of(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return handle.read(_HEAD_BYTES)
    except OSError:
        return b""
