"""Zeros inside a coded picture are noticed; zeros beside it, and every whole clip, are not."""

from __future__ import annotations

import av
import pytest

from tests.clips_awkward import AWKWARD, awkward
from vvlm_desktop.video.lost_bytes import has_zeroed_block

PICTURE = {"h264": b"\x65", "hevc": b"\x26\x01"}
MESSAGE = {"h264": b"\x06", "hevc": b"\x4e\x01"}
HOLE = b"abc" + bytes(16) + b"def"


def unit(content: bytes, *, sized: bool) -> bytes:
    return (len(content).to_bytes(4, "big") if sized else b"\0\0\0\1") + content


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_zeros_in_the_picture_are_noticed_and_those_in_a_message_are_not(codec: str, sized: bool) -> None:
    picture, message = (unit(kind[codec] + HOLE, sized=sized) for kind in (PICTURE, MESSAGE))
    plain = unit(PICTURE[codec] + b"abcdef", sized=sized)
    assert has_zeroed_block(plain + picture, codec=codec, sized=sized)
    assert has_zeroed_block(message + picture, codec=codec, sized=sized)
    assert not has_zeroed_block(message + plain, codec=codec, sized=sized)


def test_zeros_instead_of_the_sizes_are_noticed() -> None:
    assert has_zeroed_block(unit(b"\x65abc", sized=True) + bytes(40), codec="h264", sized=True)


def test_padding_after_a_start_code_stream_is_no_hole() -> None:
    padded = unit(b"\x65abc", sized=False) + bytes(40)
    assert not has_zeroed_block(padded + padded, codec="h264", sized=False)


def test_other_codecs_may_hold_zeros() -> None:
    assert not has_zeroed_block(HOLE, codec="mjpeg", sized=False)


@pytest.mark.parametrize("name", [name for name in AWKWARD if name.endswith((".mp4", ".ts", ".mkv", ".flv"))])
def test_no_whole_clip_has_any(name: str) -> None:
    with av.open(str(awkward(name))) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context.codec.canonical_name
        sized = (stream.codec_context.extradata or b"\0")[0] == 1
        found = [bytes(packet) for packet in container.demux(stream) if packet.size]
    assert found
    assert not any(has_zeroed_block(content, codec=codec, sized=sized) for content in found)
