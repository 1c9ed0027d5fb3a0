"""Lost data in an MPEG transport stream, found in its packet counters: the demuxer passes over holes in silence."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_SYNC = 0x47
#: Plain, and with a time code before each packet (M2TS).
_SIZES = (188, 192)
_BLOCK_PACKETS = 1 << 15
#: So many packets in a row must fit before a place counts as the beginning of one.
_PACKETS_TO_TRUST = 3


def damaged_packets(path: Path, pid: int, positions: Sequence[int], *, end: int | None = None) -> list[int]:
    """Which of the video's packets lost data.

    Args:
        path: of the transport stream.
        pid: of the video in it.
        positions: where in the file each packet begins, ascending.
        end: how much of the file is looked at, in bytes; None for all of it.

    Returns:
        Indices into `positions`.

    Raises:
        OSError: the file cannot be read.
    """
    if not positions:
        return []
    with path.open("rb") as file:
        holes = set(_holes(_Content(file, end), pid))
    return sorted({max(0, bisect_right(positions, hole) - 1) for hole in holes})


class _Content:
    """The bytes of a file. They are read, not mapped: where a mapped card is pulled out, the whole program ends."""

    def __init__(self, file: BinaryIO, end: int | None) -> None:
        self._file = file
        size_bytes = os.fstat(file.fileno()).st_size
        self.size_bytes = size_bytes if end is None else min(size_bytes, end)

    def part(self, start: int, count: int) -> NDArray[np.uint8]:
        """Up to `count` bytes from `start` on; fewer at the end, or where the file has become shorter meanwhile."""
        wanted = max(0, min(count, self.size_bytes - start))
        self._file.seek(start)
        return np.frombuffer(self._file.read(wanted), np.uint8)


def _holes(data: _Content, pid: int) -> Iterator[int]:
    """File positions at which packets of this PID are missing or damaged, or nothing fits."""
    size, position = _find_packets(data, 0)
    last_counter: int | None = None
    while size:
        content = data.part(position, _BLOCK_PACKETS * size)
        count = len(content) // size
        block = content[: count * size].reshape(count, size)
        fits = block[:, 0] == _SYNC
        good = count if fits.all() else int(np.argmin(fits))
        ours = np.flatnonzero(((block[:good, 1] & 0x1F).astype(np.uint16) << 8 | block[:good, 2]) == pid)
        found, last_counter = _gaps(block[ours, :6], last_counter)
        for i, is_itself_damaged in found:
            yield position + int(ours[i]) * size - (not is_itself_damaged)
        position += good * size
        if good == count and count < _BLOCK_PACKETS:
            return
        if good < count:
            yield position
            size, position = _find_packets(data, position)
            last_counter = None


def _gaps(heads: NDArray[np.uint8], last_counter: int | None) -> tuple[list[tuple[int, bool]], int | None]:
    """Packets with damage, and the counter to go on with.

    Returns:
        (packet, whether its own picture is damaged): what is missing before the first packet of a picture belonged to
        the pictures before it, and this one may be whole.
    """
    flags, control = heads[:, 1], heads[:, 3]
    carries = (control & 0x10) != 0
    # An adaptation field may announce a break of the counter; a packet may be sent twice.
    announced = ((control & 0x20) != 0) & (heads[:, 4] > 0) & ((heads[:, 5] & 0x80) != 0)
    chosen = np.flatnonzero(carries)
    if not len(chosen):
        return [(int(i), True) for i in np.flatnonzero(flags & 0x80)], last_counter
    counters = (control[chosen] & 0x0F).astype(np.int16)
    before = np.concatenate([[counters[0] - 1 if last_counter is None else last_counter], counters[:-1]])
    steps = (counters - before) % 16
    broken = (steps > 1) & ~announced[chosen]
    marked = (flags[chosen] & 0x80) != 0
    begins = (flags[chosen] & 0x40) != 0
    found = [(int(chosen[k]), bool(marked[k] or not begins[k])) for k in np.flatnonzero(broken | marked)]
    return found, int(counters[-1])


def _find_packets(data: _Content, start: int) -> tuple[int, int]:
    """Size and position of the next packets that fit; size 0 at the end of the data."""
    window = 1 << 16
    while start < data.size_bytes:
        content = data.part(start, window + _SIZES[-1] * _PACKETS_TO_TRUST)
        for candidate in np.flatnonzero(content[:window] == _SYNC):
            for size in _SIZES:
                ahead = content[candidate : candidate + size * _PACKETS_TO_TRUST : size]
                if len(ahead) == _PACKETS_TO_TRUST and (ahead == _SYNC).all():
                    return size, start + int(candidate)
        start += window
    return 0, data.size_bytes
