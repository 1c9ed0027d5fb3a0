"""Holes in a transport stream are found by its own counters."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.clips import clip
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.transport import damaged_packets

PID = 0x100


def places(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [packet.pos for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("name", ["h264.ts", "h264_vfr.ts", "h264_jump.ts", "mpeg2_interlaced.ts", "h264_large.ts"])
def test_whole_stream_has_no_holes(name: str) -> None:
    assert damaged_packets(clip(name), PID, places(clip(name))) == []
    assert read_index(clip(name)).breaks == ()


def test_one_missing_packet_is_found_where_it_is(tmp_path: Path) -> None:
    data = bytearray(clip("h264_large.ts").read_bytes())
    positions = places(clip("h264_large.ts"))
    target = positions[40] + 188 * 3  # inside the 40th picture
    assert (data[target + 1] & 0x1F) << 8 | data[target + 2] == PID
    del data[target : target + 188]
    file = tmp_path / "hole.ts"
    file.write_bytes(data)
    assert damaged_packets(file, PID, places(file)) == [40]
    assert len(read_index(file).breaks) == 1


def test_what_is_missing_before_a_picture_belongs_to_the_one_before_it(tmp_path: Path) -> None:
    data = bytearray(clip("h264_large.ts").read_bytes())
    positions = places(clip("h264_large.ts"))
    last = next(at for at in range(positions[40] - 188, 0, -188) if (data[at + 1] & 0x1F) << 8 | data[at + 2] == PID)
    del data[last : last + 188]
    file = tmp_path / "tail.ts"
    file.write_bytes(data)
    assert damaged_packets(file, PID, places(file)) == [39]


def test_overwritten_stretch_is_found() -> None:
    broken = damaged_packets(clip("zeroed.ts"), PID, places(clip("zeroed.ts")))
    assert len(broken) == 1


def test_marked_packet_counts_as_damaged(tmp_path: Path) -> None:
    data = bytearray(clip("h264_large.ts").read_bytes())
    positions = places(clip("h264_large.ts"))
    data[positions[20] + 188 * 2 + 1] |= 0x80  # the receiver's mark of an uncorrectable error
    file = tmp_path / "marked.ts"
    file.write_bytes(data)
    assert damaged_packets(file, PID, positions) == [20]


def test_packets_with_time_codes_are_understood(tmp_path: Path) -> None:
    data = clip("h264_large.ts").read_bytes()
    packets = [data[i : i + 188] for i in range(0, len(data), 188)]
    file = tmp_path / "camera.m2ts"
    file.write_bytes(b"".join(b"\0\0\0\0" + packet for packet in packets))
    index = read_index(file)
    assert (len(index), index.breaks) == (90, ())
    del packets[len(packets) // 2 : len(packets) // 2 + 5]
    file.write_bytes(b"".join(b"\0\0\0\0" + packet for packet in packets))
    assert read_index(file).breaks


def test_what_is_no_transport_stream_has_nothing_to_find(tmp_path: Path) -> None:
    file = tmp_path / "noise.ts"
    file.write_bytes(bytes(100_000))
    assert damaged_packets(file, PID, [0, 10]) == []
    assert damaged_packets(file, PID, []) == []
