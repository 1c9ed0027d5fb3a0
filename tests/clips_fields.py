"""H.264 whose pictures are coded as two fields, each in a packet of its own (PAFF), as broadcast cameras record it.

No encoder at hand makes it, so it is written here, sample by sample (ITU-T H.264, 7.3): what comes out of a decoder is
what was drawn, to the last row.

    write_fields(path, frames=48, fps=25, size=(160, 96))
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.clips import draw

#: One group of pictures: in which order it is coded, and on which of it others build.
_ORDER = (0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 11, 10)
_REFERENCES = frozenset({0, 3, 6, 9, 11})
_RAW = b"\x0d\x00"  # a macroblock of samples (I_PCM), from a whole byte on
_RAW_BITS = "000011010"


def planes(number: int, *, size: tuple[int, int]) -> list[np.ndarray]:
    """Y, U and V of the picture that carries this number."""
    width, height = size
    frame = av.VideoFrame.from_ndarray(draw(number, width=width, height=height), format="rgb24")
    flat = frame.reformat(format="yuv420p").to_ndarray()
    chroma = flat[height:].reshape(2, height // 2, width // 2)
    return [flat[:height], chroma[0], chroma[1]]


def write_fields(
    path: Path,
    *,
    frames: int,
    fps: int,
    size: tuple[int, int],
    whole: Collection[int] = (),
    left_out: Collection[int] = (),
) -> Path:
    """Write such a clip.

    Args:
        whole: pictures coded as one, not as two fields.
        left_out: fields that are missing in the file, counted as they are coded, whole pictures too.
    """
    coded = list(_coded(frames, size=size, whole=whole))
    bare = b"".join(data for data, _, _ in coded)
    with av.open(io.BytesIO(bare), format="h264") as old, av.open(str(path), "w") as new:
        copy = new.add_stream_from_template(old.streams.video[0])
        decoded_at = -2
        for place, (data, shown_at, fields) in enumerate(coded):
            packet = av.Packet(data)
            packet.stream, packet.time_base = copy, Fraction(1, 2 * fps)
            packet.pts, packet.dts, packet.duration = shown_at, decoded_at, fields
            packet.is_keyframe = data[4] & 31 == 7
            decoded_at += fields
            if place not in left_out:
                new.mux(packet)
    return path


def _coded(frames: int, *, size: tuple[int, int], whole: Collection[int]) -> Iterator[tuple[bytes, int, int]]:
    """(packet, when it is shown, how long it is), in fields, in the order of decoding."""
    for first in range(0, frames, len(_ORDER)):
        references = 0
        for place in _ORDER:
            number, is_reference = first + place, place in _REFERENCES
            head = _parameters(size) if place == 0 else b""
            picture = planes(number, size=size)
            for bottom in (None,) if number in whole else (0, 1):
                rows = picture if bottom is None else [plane[bottom::2] for plane in picture]
                bits = _slice_head(place, bottom, references=references, is_reference=is_reference, group=first)
                kind = 5 if place == 0 and not bottom else 1
                yield (
                    head + _unit(kind, bits, _samples(rows), rank=int(is_reference)),
                    2 * number + (bottom or 0),
                    (2 if bottom is None else 1),
                )
                head = b""
            references += is_reference


def _slice_head(place: int, bottom: int | None, *, references: int, is_reference: bool, group: int) -> str:
    bits = _ue(0) + _ue(7) + _ue(0) + f"{references:04b}"
    bits += "0" if bottom is None else f"1{bottom}"
    begins = place == 0 and not bottom
    bits += _ue(group // len(_ORDER) % 2) if begins else ""
    bits += f"{2 * place + (bottom or 0):08b}"
    bits += ("00" if begins else "0") if is_reference else ""
    return bits + _ue(0) + _ue(1)


def _samples(rows: list[np.ndarray]) -> list[bytes]:
    height, width = rows[0].shape
    found = []
    for top in range(0, height, 16):
        for left in range(0, width, 16):
            luma = rows[0][top : top + 16, left : left + 16].tobytes()
            chroma = [plane[top // 2 : top // 2 + 8, left // 2 : left // 2 + 8].tobytes() for plane in rows[1:]]
            found.append(luma + b"".join(chroma))
    return found


def _parameters(size: tuple[int, int]) -> bytes:
    width, height = size
    sequence = f"{77:08b}{0:08b}{30:08b}" + _ue(0) * 3 + _ue(4) + _ue(4) + "0"
    sequence += _ue(width // 16 - 1) + _ue(height // 32 - 1) + "0010"  # fields may be coded
    sequence += "1" + "0" * 8 + "11" + _ue(0) * 4 + _ue(1) + _ue(4)  # one picture is shown late
    picture = _ue(0) * 2 + "00" + _ue(0) * 3 + "000" + _ue(0) * 3 + "100"
    return _unit(7, sequence + "1", []) + _unit(8, picture + "1", [])


def _unit(kind: int, bits: str, blocks: list[bytes], *, rank: int = 3) -> bytes:
    if blocks:
        bits += _RAW_BITS
    bits += "0" * (-len(bits) % 8)
    content = int(bits, 2).to_bytes(len(bits) // 8, "big") + _RAW.join(blocks) + (b"\x80" if blocks else b"")
    guarded = re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", content)
    return b"\0\0\0\1" + bytes([rank << 5 | kind]) + guarded


def _ue(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits
