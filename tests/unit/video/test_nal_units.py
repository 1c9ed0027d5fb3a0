"""Temporal sublayers in the heads of HEVC pictures, after start codes and after sizes."""

from __future__ import annotations

import pytest

from vvlm_desktop.video.nal_units import in_higher_sublayer, size_bytes

HVCC = bytes([1, *([0] * 20), 3, 0])  # sizes of four bytes
PREFIX_MESSAGE, TRAILING = 39, 1


def unit(kind: int, sublayer: int = 0) -> bytes:
    return bytes([kind << 1, sublayer + 1]) + b"\xaa" * 9


def sized(*units: bytes) -> bytes:
    return b"".join(len(each).to_bytes(4, "big") + each for each in units)


def coded(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + each for each in units)


@pytest.mark.parametrize(("pack", "sizes"), [(sized, 4), (coded, 0)])
def test_the_first_picture_tells_whatever_stands_before_it(pack, sizes):
    for sublayer, higher in ((0, False), (1, True), (2, True)):
        packet = pack(unit(PREFIX_MESSAGE, 3), unit(TRAILING, sublayer))
        assert in_higher_sublayer(memoryview(packet), sizes=sizes) is higher


@pytest.mark.parametrize("packet", [b"", b"\0\0\1", b"\0\0\0\1\x4e\x01", b"\xff" * 40, sized(unit(PREFIX_MESSAGE))])
@pytest.mark.parametrize("sizes", [0, 4])
def test_a_packet_without_a_picture_counts_as_higher(packet, sizes):
    assert in_higher_sublayer(memoryview(packet), sizes=sizes)


def test_the_header_tells_how_long_sizes_are():
    assert size_bytes(HVCC, codec="hevc") == 4
    assert size_bytes(bytes([1, 100, 0, 31, 0xFD, 0xE1]), codec="h264") == 2
    for nothing in (None, b"", b"\1", b"\0\0\0\1\x40\x01", b"\0\0\0\1\x67" + bytes(30)):
        assert size_bytes(nothing, codec="hevc") == size_bytes(nothing, codec="h264") == 0
    assert size_bytes(HVCC, codec="mpeg4") == 0
