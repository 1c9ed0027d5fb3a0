"""Blocks that a memory card gave back as zeros, found inside a coded picture: decoders take them for "as before"."""

from __future__ import annotations

#: Coded pictures by their unit's type: H.264 table 7-1, H.265 table 7-1.
_PICTURE_TYPES = {"h264": range(1, 6), "hevc": range(32)}
#: Within a unit no three zeros follow each other (H.264, 7.4.1; H.265, 7.4.2): so many are neither a size nor padding.
_ZEROS = bytes(16)
#: Encoders of a constant rate fill pictures up at their end; what a card loses is larger.
_PADDING_BYTES = 512
_START_CODE = b"\0\0\1"
#: How long the sizes before units are; no camera uses another length.
USUAL_SIZE_BYTES = 4
#: In which zeros tell of lost data.
CODECS_WITHOUT_ZEROS = frozenset({*_PICTURE_TYPES, "mjpeg"})
#: A card loses pages of 4 kB and more; several looks in a row fall into each.
_LOOK_EVERY_BYTES = 1024
#: Less than this is not worth a look: what is lost within it, the decoder notices.
LOOK_FROM_BYTES = 2 * _LOOK_EVERY_BYTES
_JPEG_START, _JPEG_SCAN, _JPEG_TABLES, _JPEG_END = b"\xff\xd8", 0xDA, 0xC4, b"\xff\xd9"
#: Cameras pad pictures; where the end lies further in front than this, all of it is looked through.
_JPEG_TAIL_BYTES = 64


def may_have_lost(data: memoryview, *, codec: str) -> bool:
    """A quick look that finds each lost page, and now and then one that is none; `has_zeroed_block` then settles."""
    if b"\0\0" in bytes(data[::_LOOK_EVERY_BYTES]):
        return True
    return codec == "mjpeg" and _JPEG_END not in bytes(data[-_JPEG_TAIL_BYTES:])


def has_zeroed_block(packet: bytes, *, codec: str, sized: bool) -> bool:
    """Whether zeros stand where the coded picture cannot have any; cameras do write them into messages beside it.

    Args:
        packet: one picture as it lies in the file.
        codec: h264, hevc or mjpeg; others have no such rule.
        sized: whether units come after their sizes (MP4, Matroska) or after start codes (transport streams).
    """
    if codec == "mjpeg":
        return _in_jpeg(packet)
    types = _PICTURE_TYPES.get(codec)
    if types is None or packet.find(_ZEROS) < 0:
        return False
    return _in_sized(packet, codec, types) if sized else _after_start_codes(packet, codec, types)


def _in_sized(packet: bytes, codec: str, types: range) -> bool:
    at = 0
    while at + USUAL_SIZE_BYTES < len(packet):
        if packet.startswith(_ZEROS, at):
            return len(packet) - at > _PADDING_BYTES or bool(packet[at:].strip(b"\0"))
        unit = at + USUAL_SIZE_BYTES
        end = unit + int.from_bytes(packet[at:unit], "big")
        # Padding lies behind a unit: within, its last byte is never zero (H.264, 7.4.1; H.265, 7.4.2).
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


def _in_jpeg(packet: bytes) -> bool:
    """A JPEG has lost data when it does not end, or where zeros stand that its own code tables give no sense."""
    start, zeros_are_plain = _jpeg_scan(packet)
    if start < 0:  # no JPEG as it is known; the decoder will tell
        return False
    end = packet.rfind(_JPEG_END)
    if end < start:
        return True
    at = packet.find(_ZEROS, start, end)
    while at >= 0:
        if not packet.endswith(_JPEG_END, start, at):  # between two fields there may be padding
            return not zeros_are_plain
        at = packet.find(_ZEROS, end - len(packet[at:end].lstrip(b"\0")), end)
    return False


def _jpeg_scan(packet: bytes) -> tuple[int, bool]:
    """Where the coded picture begins, −1 for nowhere; and whether zeros may be a picture without any detail."""
    at, plain = packet.find(_JPEG_START) + 2, True
    told = False
    while 2 <= at < len(packet) - 4 and packet[at] == 0xFF:
        size = int.from_bytes(packet[at + 2 : at + 4], "big")
        if packet[at + 1] == _JPEG_SCAN:
            return at, plain and told
        if packet[at + 1] == _JPEG_TABLES:
            told = True
            plain = plain and _zero_is_plain(packet[at + 4 : at + 2 + size])
        at += 2 + size
    return -1, False


def _zero_is_plain(tables: bytes) -> bool:
    """Whether in all of these Huffman tables the code of nothing but zeros is "no change" or "end of block"."""
    at = 0
    while at + 17 < len(tables):
        if tables[at + 17]:
            return False
        at += 17 + sum(tables[at + 1 : at + 17])
    return True


def _type(header: int, codec: str) -> int:
    return header & 0x1F if codec == "h264" else header >> 1 & 0x3F
