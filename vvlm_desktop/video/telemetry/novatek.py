"""Where films of cameras with a Novatek chip keep their `freeGPS ` blocks, and when each was written.

MP4: `moov/gps ` lists offset and size of the blocks; older and cut films have none, then the blocks lie in `free` and
`skip` boxes or within `mdat`. MPEG-TS: a stream of its own that the programme map does not always name.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import median_low
from typing import BinaryIO

import numpy as np

from vvlm_desktop.video.telemetry.boxes import Box, boxes, file_size, find_boxes, is_boxed, open_clip, read_box
from vvlm_desktop.video.telemetry.clock import ClipClock, utc_at
from vvlm_desktop.video.telemetry.freegps import BLOCK_BYTES, MAGIC, SHIFTING_FIRMWARE, Block, read_block
from vvlm_desktop.video.telemetry.freegps_numbers import may_be_shifted
from vvlm_desktop.video.telemetry.track import Fix, Motion, Positions, Track

#: Twelve hours of a block a second.
_MAX_BLOCKS = 50_000
_CHUNK_BYTES = 4 << 20
#: In `mdat` the first block comes within the first seconds of film; without one there, the film has none.
_FIRST_BLOCK_WITHIN = 32 << 20
#: Streams in which dashcams put positions.
_GPS_PIDS = (0x0300, 0x01E4, 0x0E1B)
_PACKET_SIZES = (188, 192)
_TS_RECORD = re.compile(rb"(?:.{164})?(.{24}[AV][NS\0][EW\0].{21,57})", re.DOTALL)
#: A block a second, give or take the ends.
_ENDS_S = 3
_SHIFTED_NOTE = (
    "some cameras (Rexing V1-4K) move their positions, and then they look like these: if the drive was not in Central "
    "Africa, the places are wrong or left out"
)


def read_novatek(path: Path, clock: ClipClock) -> Track | None:
    """The positions that a Novatek camera put into its film, None when it put none.

    Raises:
        ClipUnreadableError: it cannot be opened.
    """
    with open_clip(path) as file:
        if is_boxed(file):
            raw, source = _listed(file), "Novatek freeGPS (gps box)"
            if not raw:
                raw, source = list(_scattered(file)), "Novatek freeGPS (found in the film)"
            firmware = _firmware(file)
        else:
            raw, source = _in_transport_stream(file), "Novatek freeGPS (transport stream)"
            firmware = ""
    track = track_of_blocks([read_block(block, firmware=firmware) for block in raw], clock, source=source)
    if firmware != SHIFTING_FIRMWARE and may_be_shifted(raw):
        track = track if track is not None else Track(source=source, clock="")
        return replace(track, notes=(*track.notes, _SHIFTED_NOTE))
    return track


def _firmware(file: BinaryIO) -> str:
    """What a film of Rexing's or Kodak's says of its camera's firmware; empty where there is nothing."""
    for box in find_boxes(file, (b"frea", b"ver ")):
        return read_box(file, box, limit=64).rstrip(b"\0 ").decode("latin-1")
    return ""


def track_of_blocks(
    blocks: Sequence[Block], clock: ClipClock, *, source: str, times_ms: Sequence[float] | None = None
) -> Track | None:
    """Blocks, one for each second of film, as a track; None if none of them says anything.

    Args:
        times_ms: when in the film each block is, where the film says so.
    """
    states = Counter(block.state for block in blocks)
    times, words = (list(times_ms), "") if times_ms is not None else _times(blocks, clock)
    fixes: list[Fix] = []
    rows: list[tuple[float, float, float, float]] = []
    starts: dict[bool, list[float]] = {False: [], True: []}
    for block, time_ms in zip(blocks, times, strict=True):
        if block.acceleration is not None:
            rows.append((time_ms, *block.acceleration))
        if block.fix is not None:
            if np.isfinite(block.fix.time_ms):
                starts[block.local].append(block.fix.time_ms - time_ms)
            fixes.append(replace(block.fix, time_ms=time_ms))
    if not fixes and not rows and not states["encrypted"]:
        return None
    said = {
        "no fix": "blocks without a fix left out",
        "encrypted": "blocks are encrypted by the camera's maker and cannot be read",
        "unknown": "blocks of an unknown or damaged kind skipped",
    }
    notes = tuple(f"{states[state]} {words}" for state, words in said.items() if states[state])
    return Track(
        source=source,
        clock=words,
        positions=Positions.of(fixes),
        accelerometer=Motion.of(rows),
        started_at=_started_at(starts[False], starts[True]),
        notes=notes,
    )


def _started_at(utc_ms: list[float], local_ms: list[float]) -> datetime | None:
    """The time at the first frame as most blocks have it: in UTC, or without a zone where only that is known."""
    if utc_ms:
        return utc_at(median_low(utc_ms) / 1000)
    at = utc_at(median_low(local_ms) / 1000) if local_ms else None
    return at.replace(tzinfo=None) if at else None


def _times(blocks: Sequence[Block], clock: ClipClock) -> tuple[list[float], str]:
    """Times of the blocks in ms: one a second by their number, unless the film's length says otherwise."""
    by_number = [i * 1000.0 for i in range(len(blocks))]
    words = "a block for each second of film, good to about a second"
    if clock.duration_ms is None or abs(len(blocks) - clock.duration_ms / 1000) <= _ENDS_S:
        return by_number, words
    known = [(i, block.fix.time_ms) for i, block in enumerate(blocks) if block.fix is not None]
    if len(known) < 2:
        return by_number, words
    numbers, at_ms = zip(*known, strict=True)
    between = np.interp(np.arange(len(blocks)), numbers, np.array(at_ms) - at_ms[0] + numbers[0] * 1000)
    return [float(time) for time in between], "by the satellites' time from the first fix on, good to about a second"


def _listed(file: BinaryIO) -> list[bytes]:
    """Blocks at the offsets in `moov/gps `."""
    found: list[bytes] = []
    for box in find_boxes(file, (b"moov", b"gps ")):
        table = read_box(file, box, limit=8 + 8 * _MAX_BLOCKS)
        count = struct.unpack_from(">I", table, 4)[0] if len(table) >= 8 else 0
        for offset, size in struct.iter_unpack(">II", table[8 : 8 + min(count, (len(table) - 8) // 8) * 8]):
            file.seek(offset)
            block = file.read(min(size, BLOCK_BYTES))
            if block[4:12] == MAGIC:
                found.append(block)
        break
    return found


def _scattered(file: BinaryIO) -> Iterator[bytes]:
    """Blocks found by their name: in `free` and `skip` boxes, else in `mdat`."""
    top = list(boxes(file, 0, file_size(file)))
    spare = [box for box in top if box.kind in {b"free", b"skip"}]
    found = 0
    for block in _named(file, spare, limit=None):
        found += 1
        yield block
    if not found:
        yield from _named(file, [box for box in top if box.kind == b"mdat"], limit=_FIRST_BLOCK_WITHIN)


def _named(file: BinaryIO, within: Iterable[Box], *, limit: int | None) -> Iterator[bytes]:
    """Blocks in these boxes; with a limit, a box whose first block is not within so many bytes is given up."""
    found = 0
    for box in within:
        position = box.start - 4  # the block's size precedes its name and may be that of the box
        seen = False
        while position < box.end and found < _MAX_BLOCKS:
            if limit is not None and not seen and position - box.start > limit:
                break
            file.seek(max(0, position))
            chunk = file.read(min(_CHUNK_BYTES, box.end - position))
            for match in re.finditer(re.escape(MAGIC), chunk):
                seen = True
                found += 1
                file.seek(max(0, position) + match.start() - 4)
                yield file.read(BLOCK_BYTES)
            position += max(1, len(chunk) - len(MAGIC) + 1) if len(chunk) == _CHUNK_BYTES else _CHUNK_BYTES


def _in_transport_stream(file: BinaryIO) -> list[bytes]:
    """Records of the position streams, each with the header that an MP4's block would have."""
    parts: dict[int, list[bytearray]] = {pid: [] for pid in _GPS_PIDS}
    for pid, starts, payload in _packets(file):
        if starts and len(parts[pid]) < _MAX_BLOCKS:
            parts[pid].append(bytearray(payload))
        elif parts[pid] and len(parts[pid][-1]) < BLOCK_BYTES:
            parts[pid][-1] += payload
    found = []
    for pid in _GPS_PIDS:
        for part in parts[pid]:
            match = _TS_RECORD.match(_without_header(bytes(part)))
            if match is not None:
                found.append(bytes(4) + MAGIC + bytes(4) + match[1])
        if found:
            break
    return found


def _without_header(data: bytes) -> bytes:
    """What a PES packet carries."""
    if data[:3] != b"\0\0\1":
        return data
    if len(data) > 8 and data[6] & 0xC0 == 0x80:
        return data[9 + data[8] :]
    return data[6:]


def _packets(file: BinaryIO) -> Iterator[tuple[int, bool, bytes]]:
    """(stream, whether a unit starts, payload) of the packets in position streams; none if it is no such file."""
    file.seek(0)
    head = file.read(_PACKET_SIZES[-1] * 4)
    fits = [
        (size, lead)
        for size, lead in ((188, 0), (192, 4))
        if len(head) > size + lead and head[lead] == 0x47 and head[size + lead] == 0x47
    ]
    if not fits:
        return
    size, lead = fits[0]
    file.seek(0)
    while len(chunk := file.read(size * (_CHUNK_BYTES // size))) >= size:
        table = np.frombuffer(chunk[: len(chunk) // size * size], np.uint8).reshape(-1, size)[:, lead : lead + 188]
        pids = (table[:, 1].astype(np.uint16) & 0x1F) << 8 | table[:, 2]
        for row in np.flatnonzero(np.isin(pids, _GPS_PIDS) & (table[:, 0] == 0x47)):
            packet = table[row].tobytes()
            begin = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
            if packet[3] & 0x10 and begin < 188:
                yield int(pids[row]), bool(packet[1] & 0x40), packet[begin:]
