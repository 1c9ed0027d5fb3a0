"""Changes to the bytes of a film that no encoder makes: edit lists, times of a transport stream, lost packets."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

_TS_BYTES = 188
_SYNC = 0x47
_WRAP = 1 << 33
_CONTAINERS = (b"moov", b"trak", b"edts")


# --- MP4 ------------------------------------------------------------------------------------------------------------


def with_edits(data: bytes, edits: Sequence[tuple[int, int]]) -> bytes:
    """Replace the edit list of the only track of an MP4 whose header lies at its end.

    Args:
        edits: (duration in the film's time scale, first media time in the track's; -1 for nothing shown).
    """
    entries = b"".join(
        duration.to_bytes(4, "big") + media.to_bytes(4, "big", signed=True) + (1 << 16).to_bytes(4, "big")
        for duration, media in edits
    )
    elst = _box(b"elst", bytes(4) + len(edits).to_bytes(4, "big") + entries)
    start = data.index(b"moov") - 4
    head = data[start + 8 :]
    return data[:start] + _box(b"moov", _replaced(head, _box(b"edts", elst)))


def time_scales(data: bytes) -> tuple[int, int]:
    """Ticks a second of an MP4's film and of its first track."""
    film, track = data.index(b"mvhd") + 16, data.index(b"mdhd") + 16
    return int.from_bytes(data[film : film + 4], "big"), int.from_bytes(data[track : track + 4], "big")


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def _replaced(content: bytes, edts: bytes) -> bytes:
    """The boxes in `content` with another `edts` in each track, behind its header."""
    parts = []
    while content:
        size, kind = int.from_bytes(content[:4], "big"), content[4:8]
        inner, content = content[8:size], content[size:]
        if kind == b"trak":
            parts.append(_box(kind, _replaced(inner, edts)))
        elif kind != b"edts":
            parts.append(_box(kind, inner))
        if kind == b"tkhd":
            parts.append(edts)
    return b"".join(parts)


# --- MPEG transport stream ------------------------------------------------------------------------------------------


def with_times(data: bytes, change: Callable[[int, int], int | None]) -> bytes:
    """A transport stream whose pictures have other times.

    Args:
        change: (number of the picture in the file's order, time in ticks of 1/90000 s) → time; None for a picture
            that tells none.
    """
    changed = bytearray(data)
    for number, place in enumerate(_picture_heads(data)):
        flags, field = changed[place + 7] >> 6, place + 9
        times = [_read_time(changed[field + 5 * k : field + 5 * k + 5]) for k in range((0, 0, 1, 2)[flags])]
        moved = [change(number, time) for time in times]
        if None in moved:
            changed[place + 7] &= 0x3F
            changed[field : field + 5 * len(times)] = b"\xff" * 5 * len(times)
            continue
        for k, time in enumerate(moved):
            assert time is not None
            changed[field + 5 * k : field + 5 * k + 5] = _time_field(time % _WRAP, changed[field + 5 * k] >> 4)
    return bytes(changed)


def _picture_heads(data: bytes) -> Iterator[int]:
    """Where the head of each picture's own packet (PES) begins."""
    for start in range(0, len(data) - _TS_BYTES + 1, _TS_BYTES):
        if not data[start + 1] & 0x40:
            continue
        place = start + 4 + (1 + data[start + 4] if data[start + 3] & 0x20 else 0)
        if data[place : place + 3] == b"\0\0\1" and data[place + 3] & 0xF0 == 0xE0:
            yield place


def _read_time(field: bytes | bytearray) -> int:
    return (field[0] >> 1 & 7) << 30 | field[1] << 22 | field[2] >> 1 << 15 | field[3] << 7 | field[4] >> 1


def _time_field(time: int, prefix: int) -> bytes:
    high, middle, low = time >> 30, time >> 15 & 0x7FFF, time & 0x7FFF
    return bytes((prefix << 4 | high << 1 | 1, middle >> 7, (middle & 127) << 1 | 1, low >> 7, (low & 127) << 1 | 1))


def lost_packets(data: bytearray, rng: random.Random) -> bytes:
    """A transport stream of which the receiver missed some packets."""
    starts = range(0, len(data), _TS_BYTES)
    lost = set(rng.sample(starts, max(1, len(starts) // 100)))
    return b"".join(data[start : start + _TS_BYTES] for start in starts if start < 10 * _TS_BYTES or start not in lost)


# --- MPEG-4 part 2 --------------------------------------------------------------------------------------------------


def packed(packets: Sequence[bytes], *, are_b: Sequence[bool]) -> list[bytes]:
    """As DivX and XviD write into AVI: each B-frame in one packet with the frame before it, then an empty one.

    Every anchor may have one B-frame after it.
    """
    out: list[bytes] = []
    for place, packet in enumerate(packets):
        if are_b[place]:
            out.append(_NOT_CODED)
        elif place + 1 < len(packets) and are_b[place + 1]:
            out.append(packet + packets[place + 1])
        else:
            out.append(packet)
    return out


#: A predicted picture that says that it is not coded.
_NOT_CODED = b"\0\0\1\xb6\x54\x80\0"
#: By this the decoder knows that pictures are packed.
PACKED_MARK = b"\0\0\1\xb2DivX503b1393p"


# --- damage of any file ---------------------------------------------------------------------------------------------


def truncated(data: bytearray, rng: random.Random) -> bytes:
    """The file ends early."""
    return bytes(data[: rng.randrange(len(data) // 4, len(data))])


def beginning_lost(data: bytearray, rng: random.Random) -> bytes:
    """The file begins late, in the middle of something."""
    return bytes(data[rng.randrange(1, len(data) * 3 // 4) :])


def zeroed(data: bytearray, rng: random.Random) -> bytes:
    """A few blocks of a memory card read as zeros."""
    for _ in range(rng.randrange(1, 4)):
        start, end = _block(data, rng)
        data[start:end] = bytes(end - start)
    return bytes(data)


def overwritten(data: bytearray, rng: random.Random) -> bytes:
    """A block holds something else."""
    start, end = _block(data, rng)
    data[start:end] = rng.randbytes(end - start)
    return bytes(data)


def cut_out(data: bytearray, rng: random.Random) -> bytes:
    """A stretch is missing."""
    start, end = _pictures(data)
    start = rng.randrange(start, end)
    del data[start : start + rng.randrange(1, 3000)]
    return bytes(data)


def flipped(data: bytearray, rng: random.Random) -> bytes:
    """Some bits are wrong."""
    for _ in range(rng.randrange(1, 40)):
        data[rng.randrange(*_pictures(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _block(data: bytearray, rng: random.Random) -> tuple[int, int]:
    first, last = _pictures(data)
    start = rng.randrange(first, last)
    return start, min(last, start + rng.choice((64, 512, 4096)))


def _pictures(data: bytearray) -> tuple[int, int]:
    """Where the pictures are: a changed header is another film, with times of its own."""
    start, end = data.find(b"mdat"), data.find(b"moov")
    if start < 0 or end < 0:
        return len(data) // 8, len(data) * 31 // 32
    return start + 4, end - 4 if end > start else len(data)
