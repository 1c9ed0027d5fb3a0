"""How the units of a coded picture are told apart, and what the head of a HEVC one says about who may build on it."""

from __future__ import annotations

#: Types below this carry a coded picture (ITU-T H.265, table 7-1).
_FIRST_NON_PICTURE = 32
_START_CODE = b"\0\0\1"
#: Where avcC and hvcC tell how long the sizes are (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1), by codec.
_SIZE_FIELD = {"h264": 4, "hevc": 21}
#: Parameter sets and messages before the picture itself; more is not looked through.
_MOST_UNITS = 64


def size_bytes(extradata: bytes | None, *, codec: str) -> int:
    """How long the sizes before a stream's units are; 0 where units come after start codes."""
    field = _SIZE_FIELD.get(codec)
    if field is None or not extradata or extradata[0] != 1 or len(extradata) <= field:
        return 0
    return (extradata[field] & 3) + 1


def in_higher_sublayer(packet: memoryview, *, sizes: int) -> bool:
    """Whether a packet's picture has a temporal sublayer above the lowest, or none can be found in it.

    A picture that is not used for reference within its own sublayer may still be used by a higher one (H.265, 7.4.2.2).

    Args:
        packet: one coded picture.
        sizes: as `size_bytes`.
    """
    header = _after_sizes(packet, sizes) if sizes else _after_codes(packet)
    return header is None or header & 7 != 1


def _after_sizes(packet: memoryview, size_bytes: int) -> int | None:
    """Second byte of the first picture's header."""
    at = 0
    for _ in range(_MOST_UNITS):
        if at + size_bytes + 2 > len(packet):
            return None
        unit = at + size_bytes
        if packet[unit] >> 1 & 0x3F < _FIRST_NON_PICTURE:
            return packet[unit + 1]
        at = unit + int.from_bytes(packet[at:unit], "big")
    return None


def _after_codes(packet: memoryview) -> int | None:
    data, at = bytes(packet), 0
    for _ in range(_MOST_UNITS):
        at = data.find(_START_CODE, at)
        if at < 0 or at + 5 > len(data):
            return None
        at += 3
        if data[at] >> 1 & 0x3F < _FIRST_NON_PICTURE:
            return data[at + 1]
    return None
