"""Zeros inside a coded picture are noticed; zeros beside it, and every whole clip, are not."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.clips import clip, make_clip
from tests.clips_awkward import AWKWARD, awkward
from tests.clips_reading import REFUSED, codes_by_pts
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.lost_bytes import has_zeroed_block
from vvlm_desktop.video.probe import examine

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
    picture = unit(b"\x65abc", sized=True)
    assert has_zeroed_block(picture + bytes(4096), codec="h264", sized=True)
    assert has_zeroed_block(picture + bytes(40) + picture, codec="h264", sized=True)


def test_a_picture_that_was_filled_up_at_its_end_has_lost_nothing() -> None:
    for padding in (15, 16, 60, 512):
        assert not has_zeroed_block(unit(b"\x65abc", sized=True) + bytes(padding), codec="h264", sized=True)
    # Within a unit there is no padding: its end was lost, as little as that may be.
    assert has_zeroed_block(unit(b"\x65abc" + bytes(60), sized=True), codec="h264", sized=True)
    assert has_zeroed_block(unit(b"\x65abc" + bytes(4096), sized=True), codec="h264", sized=True)
    assert has_zeroed_block(unit(b"\x65abc" + bytes(40) + b"abc" + bytes(40), sized=True), codec="h264", sized=True)


def test_padding_after_a_start_code_stream_is_no_hole() -> None:
    padded = unit(b"\x65abc", sized=False) + bytes(40)
    assert not has_zeroed_block(padded + padded, codec="h264", sized=False)


def test_other_codecs_may_hold_zeros() -> None:
    assert not has_zeroed_block(HOLE, codec="mpeg4", sized=False)


@pytest.mark.parametrize("name", [name for name in AWKWARD if name.endswith((".mp4", ".mov", ".ts", ".mkv", ".flv"))])
def test_no_whole_clip_has_any(name: str) -> None:
    with av.open(str(awkward(name))) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context.codec.canonical_name
        sized = (stream.codec_context.extradata or b"\0")[0] == 1
        found = [bytes(packet) for packet in container.demux(stream) if packet.size]
    assert found
    assert not any(has_zeroed_block(content, codec=codec, sized=sized) for content in found)


def jpegs(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def lost(data: bytes, start: int, count: int) -> bytes:
    return data[:start] + bytes(count) + data[start + count :]


@pytest.mark.parametrize("tables", ["default", "optimal"])
def test_a_jpeg_with_a_hole_or_without_an_end_is_noticed(tables: str, tmp_path: Path) -> None:
    made = make_clip(tmp_path / "a.mov", codec="mjpeg", pix_fmt="yuvj420p", frames=3, options={"huffman": tables})
    for jpeg in jpegs(made):
        assert not has_zeroed_block(jpeg, codec="mjpeg", sized=False)
        assert not has_zeroed_block(jpeg + bytes(200), codec="mjpeg", sized=False)  # padding
        assert has_zeroed_block(jpeg[: len(jpeg) * 2 // 3], codec="mjpeg", sized=False)
        assert not has_zeroed_block(jpeg + bytes(32) + jpeg, codec="mjpeg", sized=False)  # two fields
        if tables == "default":  # with others zeros may be a plain wall
            hole = lost(jpeg, len(jpeg) // 2, 512)
            assert has_zeroed_block(hole, codec="mjpeg", sized=False)
            assert has_zeroed_block(jpeg + bytes(32) + hole, codec="mjpeg", sized=False)


@pytest.mark.parametrize("tables", ["default", "optimal"])
def test_a_black_jpeg_is_whole(tables: str, tmp_path: Path) -> None:
    options = {"huffman": tables}
    made = make_clip(tmp_path / "a.mov", codec="mjpeg", pix_fmt="yuvj420p", frames=3, options=options, black=True)
    assert not any(has_zeroed_block(jpeg, codec="mjpeg", sized=False) for jpeg in jpegs(made))
    assert examine(made).problem is None


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xda", b"\xff\xd8\xff\xc4\0\0" * 9, b"\0" * 99])
def test_what_is_no_jpeg_is_left_to_the_decoder(content: bytes) -> None:
    assert not has_zeroed_block(content, codec="mjpeg", sized=False)


def largest(path: Path, *, among: slice) -> tuple[int, int]:
    """Where the largest of some pictures lies in the file, and its PTS."""
    with av.open(str(path)) as container:
        packet = max([packet for packet in container.demux(video=0) if packet.size][among], key=lambda p: p.size)
        assert packet.size > 5500
        return packet.pos or 0, packet.pts or 0


def motion_jpeg(folder: Path) -> Path:
    made = folder / "whole.mov"
    options = {"huffman": "default", "qmin": "1", "qmax": "2"}
    return make_clip(made, codec="mjpeg", pix_fmt="yuvj420p", frames=30, size=(640, 360), options=options)


@pytest.mark.parametrize("name", ["h264_large.mp4", "hevc_large.mp4", "mjpeg"])
def test_a_page_lost_within_a_picture_is_found_without_decoding(name: str, tmp_path: Path) -> None:
    whole = motion_jpeg(tmp_path) if name == "mjpeg" else clip(name)
    position, pts = largest(whole, among=slice(16, 50))
    file = tmp_path / f"lost{whole.suffix}"
    file.write_bytes(lost(whole.read_bytes(), position + 1200, 4096))
    index = read_index(file)
    assert index.breaks == (pts,)
    broken = index.number(pts)
    shown = codes_by_pts(file, index, [broken, broken - 12])
    assert list(shown.values()) == [REFUSED, broken - 12]
    assert "damaged at" in (examine(file).problem or "")
