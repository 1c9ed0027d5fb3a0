"""Boxes of an MP4 or MOV file, found without trusting a single size in it; nothing of the film is read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from vvlm_desktop.errors import ClipUnreadableError

#: More boxes on one level than any camera writes; fragments of a film of many hours stay below.
_MAX_BOXES = 100_000
#: A list of positions is never longer: an hour of BlackVue's NMEA is 3 MB.
MAX_BOX_BYTES = 64 << 20
#: Times of these files are counted from here.
_EPOCH = datetime(1904, 1, 1)
_EARLIEST_YEAR = 2000  # cameras without a battery write 1904 or 1970


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box's content lies in the file."""

    kind: bytes
    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.end - self.start


def file_size(file: BinaryIO) -> int:
    """Length of an open file; its position is left at the end."""
    return file.seek(0, 2)


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes that follow each other between two positions; a box that cannot be ends the list.

    A box that claims more than there is (a recording that was cut off) is given as far as it goes.
    """
    position = start
    for _ in range(_MAX_BOXES):
        if position + 8 > end:
            return
        file.seek(position)
        head = file.read(16)
        if len(head) < 8:
            return
        size, kind = struct.unpack_from(">I4s", head)
        header = 8
        if size == 1:
            if len(head) < 16:
                return
            size, header = struct.unpack_from(">Q", head, 8)[0], 16
        elif size == 0:
            size = end - position
        if size < header:
            return
        yield Box(kind, position + header, min(position + size, end))
        position += size


def find_boxes(file: BinaryIO, path: tuple[bytes, ...]) -> Iterator[Box]:
    """Every box at a path such as `(b"moov", b"gps ")`."""
    levels: list[Iterator[Box]] = [boxes(file, 0, file_size(file))]
    while levels:  # depth is bounded by the path: no recursion on what the file says
        box = next(levels[-1], None)
        if box is None:
            levels.pop()
        elif box.kind == path[len(levels) - 1]:
            if len(levels) == len(path):
                yield box
            else:
                levels.append(boxes(file, box.start, box.end))


def read_box(file: BinaryIO, box: Box, *, limit: int = MAX_BOX_BYTES) -> bytes:
    """A box's content, at most `limit` bytes of it."""
    file.seek(box.start)
    return file.read(min(box.size, limit))


def is_boxed(file: BinaryIO) -> bool:
    """Whether the file begins as MP4 and MOV files do."""
    file.seek(0)
    head = file.read(8)
    return len(head) == 8 and head[4:] in {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"}


def movie_duration_ms(file: BinaryIO) -> float | None:
    """What the header claims to be the film's length."""
    for box in find_boxes(file, (b"moov", b"mvhd")):
        data = read_box(file, box, limit=32)
        try:
            if data[0] == 1:
                scale, ticks = struct.unpack_from(">IQ", data, 20)
            else:
                scale, ticks = struct.unpack_from(">II", data, 12)
        except (IndexError, struct.error):
            return None
        return ticks * 1000 / scale if scale and ticks not in {0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF} else None
    return None


def movie_created(file: BinaryIO) -> datetime | None:
    """When the header claims that the film was made, on whatever clock the camera has; None where that is unset."""
    for box in find_boxes(file, (b"moov", b"mvhd")):
        data = read_box(file, box, limit=12)
        try:
            seconds = struct.unpack_from(">Q" if data[0] == 1 else ">I", data, 4)[0]
            created = _EPOCH + timedelta(seconds=seconds)
        except (IndexError, struct.error, OverflowError):
            return None
        return created if created.year >= _EARLIEST_YEAR else None
    return None


def open_clip(path: Path) -> BinaryIO:
    """Open a clip for reading bytes.

    Raises:
        ClipUnreadableError: it cannot be opened.
    """
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClipUnreadableError(
            path, f"the file cannot be read ({reason})", hint="Check the name and the folder."
        ) from error
