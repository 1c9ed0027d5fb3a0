"""What the head of a HEVC picture says about who may build on it."""

from __future__ import annotations

#: Types below this carry a coded picture (ITU-T H.265, table 7-1).
_FIRST_NON_PICTURE = 32
_START_CODE = b"\0\0\1"
#: Bytes of hvcC before its arrays (ISO/IEC 14496-15, 8.3.3.1); the last but one tells how long the sizes are.
_HVCC_BYTES, _SIZE_FIELD = 23, 21
#: Parameter sets and messages before the picture itself; more is not looked through.
_MOST_UNITS = 64


def in_higher_sublayer(packet: memoryview, extradata: bytes | None) -> bool:
    """Whether a packet's picture has a temporal sublayer above the lowest, or none can be found in it.

    A picture that is not used for reference within its own sublayer may still be used by a higher one (H.265, 7.4.2.2).

    Args:
        packet: one coded picture, units after start codes or after their sizes.
        extradata: the stream's; hvcC tells that sizes are used, and how long they are.
    """
    sized = extradata is not None and len(extradata) >= _HVCC_BYTES and extradata[0] == 1
    header = _after_sizes(packet, (extradata[_SIZE_FIELD] & 3) + 1) if sized and extradata else _after_codes(packet)
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
