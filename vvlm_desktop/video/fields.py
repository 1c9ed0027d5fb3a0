"""Which packets of H.264 hold only a picture's second field, no frame of their own (PAFF, ITU-T H.264, 7.4.1.2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from av.packet import Packet
from av.video.stream import VideoStream

from vvlm_desktop.video.nal_units import size_bytes

_START_CODE = b"\0\0\1"
_SLICE, _BEGINNING_SLICE, _SEQUENCE, _PICTURE = 1, 5, 7, 8
_SLICES = frozenset({_SLICE, _BEGINNING_SLICE})
#: A slice's head up to its fields, and a parameter set with its scaling lists, fit in here.
_HEAD_BYTES = 64
_SET_BYTES = 1024
#: Profiles whose parameter sets tell of chroma and scaling lists (7.3.2.1.1).
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_MOST_LEADING_ZEROS = 32


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What one has to know to read the head of a slice."""

    has_fields: bool
    number_bits: int
    separate_colours: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """A picture that begins: which one, and which of its fields, None for the whole."""

    number: int
    bottom: bool | None
    begins_anew: bool

    def completes(self, first: _Part | None) -> bool:
        """Whether it is the other field of a picture."""
        if first is None or self.bottom is None or self.begins_anew:
            return False
        return self.bottom != first.bottom and self.number == first.number


class FieldPairs:
    """Told of each packet in the order of the file, says to which frame's time it belongs.

    Decoders pair fields by the same rule: one after the other, of opposite parity, with the same number.
    Of a stream that cannot have fields nothing is read.

    Attributes:
        is_second: the newest packet completes a frame that an earlier one began.
        left_alone: PTS of a frame that was begun before the newest packet, and whose other field did not come.
    """

    def __init__(self, stream: VideoStream, *, codec: str) -> None:
        self.is_second = False
        self.left_alone: int | None = None
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, int] = {}
        self._pending: _Part | None = None
        self._pending_pts: int | None = None
        extradata = stream.codec_context.extradata if codec == "h264" else None
        self._size_bytes = size_bytes(extradata, codec=codec)
        for unit in _sets_of(extradata or b"", sized=bool(self._size_bytes)):
            self._learn(unit)
        told = not self._sequences or any(sequence.has_fields for sequence in self._sequences.values())
        self.possible = codec == "h264" and told

    def restart(self) -> None:
        """What comes next does not follow on what came last."""
        self._pending, self._pending_pts, self.is_second, self.left_alone = None, None, False, None

    def time_of(self, packet: Packet[VideoStream]) -> int | None:
        """The PTS of the frame that a packet belongs to: its own, or that of the packet before it."""
        pts = packet.pts
        if not self.possible:
            return pts
        before, before_pts = self._pending, self._pending_pts
        parts = list(self._parts(bytes(packet)))
        self.is_second = len(parts) == 1 and parts[0].completes(before)
        self.left_alone = None
        if self.is_second:
            self._pending = None
            return before_pts
        if before is not None:
            self.left_alone = before_pts
        self._pending, self._pending_pts = _unpaired(parts), pts
        return pts

    @property
    def still_alone(self) -> int | None:
        """PTS of the frame whose other field would have to come next."""
        return self._pending_pts if self._pending is not None else None

    def _parts(self, data: bytes) -> Iterator[_Part]:
        for at, end in _sized_units(data, self._size_bytes) if self._size_bytes else _coded_units(data):
            kind = data[at] & 31
            if kind in _SLICES:
                part = self._part(data[at : min(end, at + _HEAD_BYTES)])
                if part is not None:
                    yield part
            elif kind in {_SEQUENCE, _PICTURE}:
                self._learn(data[at : min(end, at + _SET_BYTES)])

    def _learn(self, unit: bytes) -> None:
        """Take note of a parameter set; one that cannot be read leaves the former one in force."""
        bits = _Bits(unit[1:])
        try:
            if unit[0] & 31 == _SEQUENCE:
                key, sequence = _read_sequence(bits)
                self._sequences[key] = sequence
            elif unit[0] & 31 == _PICTURE:
                key = bits.number()
                self._pictures[key] = bits.number()
        except (IndexError, ValueError):
            return

    def _part(self, unit: bytes) -> _Part | None:
        """The picture that begins with this slice; None for a further slice, or one that cannot be read."""
        bits = _Bits(unit[1:])
        try:
            if bits.number() != 0:
                return None
            bits.number()
            sequence = self._sequences[self._pictures[bits.number()]]
            if sequence.separate_colours:
                bits.take(2)
            number = bits.take(sequence.number_bits)
            is_field = sequence.has_fields and bits.take(1)
            bottom = bool(bits.take(1)) if is_field else None
        except (KeyError, ValueError):
            return None
        return _Part(number, bottom, unit[0] & 31 == _BEGINNING_SLICE)


class _Bits:
    """Reads a unit bit by bit."""

    def __init__(self, unit: bytes) -> None:
        content = unit.replace(b"\0\0\3", b"\0\0")
        self._bits = f"{int.from_bytes(content, 'big'):0{8 * len(content)}b}" if content else ""
        self._at = 0

    def take(self, count: int) -> int:
        """That many bits as a number.

        Raises:
            ValueError: there are not so many.
        """
        end = self._at + count
        if end > len(self._bits):
            raise ValueError("the unit ends here")
        value = int(self._bits[self._at : end], 2)
        self._at = end
        return value

    def number(self) -> int:
        """A number as long as it needs to be (9.1).

        Raises:
            ValueError: it does not end.
        """
        zeros = self._bits.find("1", self._at) - self._at
        if not 0 <= zeros <= _MOST_LEADING_ZEROS:
            raise ValueError("not a number")
        self._at += zeros
        return self.take(zeros + 1) - 1

    def signed(self) -> int:
        """Likewise, below zero too (9.1.1)."""
        value = self.number()
        return (value + 1) // 2 if value % 2 else -(value // 2)


def _unpaired(parts: list[_Part]) -> _Part | None:
    """The field of a packet that the next one may complete."""
    pending: _Part | None = None
    for part in parts:
        pending = None if part.bottom is None or part.completes(pending) else part
    return pending


def _read_sequence(bits: _Bits) -> tuple[int, _Sequence]:
    """A sequence parameter set as far as the fields (7.3.2.1.1)."""
    profile = bits.take(8)
    bits.take(16)
    key = bits.number()
    separate_colours = profile in _HIGH_PROFILES and _read_high(bits)
    number_bits = bits.number() + 4
    kind = bits.number()
    if kind == 0:
        bits.number()
    elif kind == 1:
        bits.take(1)
        bits.number(), bits.number()
        for _ in range(bits.number()):
            bits.number()
    bits.number()
    bits.take(1)
    bits.number(), bits.number()
    return key, _Sequence(not bits.take(1), number_bits, separate_colours)


def _read_high(bits: _Bits) -> bool:
    """What high profiles say in between; whether each colour is coded like a picture of its own."""
    chroma = bits.number()
    separate_colours = chroma == 3 and bool(bits.take(1))
    bits.number(), bits.number()
    bits.take(1)
    if bits.take(1):
        for i in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling(bits, 16 if i < 6 else 64)
    return separate_colours


def _skip_scaling(bits: _Bits, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _sets_of(extradata: bytes, *, sized: bool) -> Iterator[bytes]:
    """The parameter sets beside a stream: in avcC (ISO/IEC 14496-15, 5.3.3.1), or after start codes."""
    if not sized:
        yield from (extradata[at:end] for at, end in _coded_units(extradata))
        return
    at = 5
    for mask in (31, 255):
        if at >= len(extradata):
            return
        count, at = extradata[at] & mask, at + 1
        for _ in range(count):
            end = at + 2 + int.from_bytes(extradata[at : at + 2], "big")
            if at + 2 < end <= len(extradata):
                yield extradata[at + 2 : end]
            at = end


def _sized_units(data: bytes, size: int) -> Iterator[tuple[int, int]]:
    at = 0
    while at + size < len(data):
        unit = at + size
        at = unit + int.from_bytes(data[at:unit], "big")
        if at > unit:
            yield unit, min(at, len(data))


def _coded_units(data: bytes) -> Iterator[tuple[int, int]]:
    at = data.find(_START_CODE)
    while 0 <= at < len(data) - len(_START_CODE):
        following = data.find(_START_CODE, at + 3)
        yield at + 3, following if following >= 0 else len(data)
        at = following
