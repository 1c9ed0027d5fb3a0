"""Blocks that a memory card gave back as zeros, found inside a coded picture: decoders take them for "as before"."""

from __future__ import annotations

#: Coded pictures by their unit's type: H.264 table 7-1, H.265 table 7-1.
_PICTURE_TYPES = {"h264": range(1, 6), "hevc": range(32)}
#: Within a unit no three zeros follow each other (H.264, 7.4.1; H.265, 7.4.2): so many are neither a size nor padding.
_ZEROS = bytes(16)
_START_CODE = b"\0\0\1"
_SIZE_BYTES = 4


def has_zeroed_block(packet: bytes, *, codec: str, sized: bool) -> bool:
    """Whether zeros stand where the coded picture cannot have any; cameras do write them into messages beside it.

    Args:
        packet: one picture as it lies in the file.
        codec: h264 or hevc; others have no such rule.
        sized: whether units come after their sizes (MP4, Matroska) or after start codes (transport streams).
    """
    types = _PICTURE_TYPES.get(codec)
    if types is None or packet.find(_ZEROS) < 0:
        return False
    return _in_sized(packet, codec, types) if sized else _after_start_codes(packet, codec, types)


def _in_sized(packet: bytes, codec: str, types: range) -> bool:
    at = 0
    while at + _SIZE_BYTES < len(packet):
        if packet.startswith(_ZEROS, at):
            return True
        unit = at + _SIZE_BYTES
        end = unit + int.from_bytes(packet[at:unit], "big")
        if unit < end and _type(packet[unit], codec) in types and packet.find(_ZEROS, unit, end) >= 0:
            return True
        at = end
    return False


def _after_start_codes(packet: bytes, codec: str, types: range) -> bool:
    at = packet.find(_START_CODE)
    while at >= 0 and at + len(_START_CODE) < len(packet):
        unit = at + len(_START_CODE)
        at = packet.find(_START_CODE, unit)
        content = packet[unit : at if at >= 0 else len(packet)].rstrip(b"\0")  # zeros between units are padding
        if content and _type(content[0], codec) in types and _ZEROS in content:
            return True
    return False


def _type(header: int, codec: str) -> int:
    return header & 0x1F if codec == "h264" else header >> 1 & 0x3F
