"""The first picture before anything is known about the rest: the one that the clip shows first, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import pytest
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tests.clips import ORIGIN, UNREADABLE, WHOLE, clip, codes, damage, read_code, remux
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video import first_picture as module
from vvlm_desktop.video.container import packets
from vvlm_desktop.video.first_picture import FirstPicture, first_picture
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.probe import examine
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.rgb import RgbConverter


def number_in(picture: FirstPicture | None, index: FrameIndex) -> int:
    assert picture is not None
    assert (picture.rotation, picture.sample_aspect) == (index.rotation, index.sample_aspect)
    return read_code(RgbConverter(index).upright(picture.frame))


@pytest.mark.parametrize("name", [name for name in WHOLE if not name.startswith("tiny")])
def test_it_is_the_frame_that_the_index_puts_first(name: str) -> None:
    picture = first_picture(clip(name))
    assert number_in(picture, read_index(clip(name))) == codes(name)[0]


def test_hidden_beginning_of_an_edit_list_is_not_given() -> None:
    assert codes("h264_edit_list.mp4")[0] > 0
    picture = first_picture(clip("h264_edit_list.mp4"))
    assert number_in(picture, read_index(clip("h264_edit_list.mp4"))) == codes("h264_edit_list.mp4")[0]


@pytest.mark.parametrize("name", ["h264_open_gop.mp4", "hevc_open_gop.mkv", "h264_bframes.mp4"])
@pytest.mark.parametrize("first_packet", [7, 30, 31, 45])
def test_cut_without_what_its_first_pictures_build_on(tmp_path: Path, name: str, first_packet: int) -> None:
    """Open groups: the pictures before the entry point in time come after it in the file, and cannot be decoded."""
    path = remux(clip(name), tmp_path / f"cut{Path(name).suffix}", first_packet=first_packet)
    index = examine(path)
    with FrameReader(path, index) as reader:
        first = read_code(reader.rgb(0))
    picture = first_picture(path)
    assert picture is None or number_in(picture, index) == first


@pytest.mark.parametrize("name", ["h264_open_gop.ts", "h264.ts", "h264_intra_refresh.ts", "mpeg2_interlaced.ts"])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_recording_that_begins_in_the_middle_of_a_group(tmp_path: Path, name: str, share: float) -> None:
    path = damage(clip(name), tmp_path / name, lambda data: data[int(len(data) * share) :])
    picture = first_picture(path)
    if picture is not None:
        index = examine(path)
        with FrameReader(path, index) as reader:
            assert number_in(picture, index) == read_code(reader.rgb(0))


@pytest.mark.parametrize("name", sorted(ORIGIN))
def test_damaged_clip_gives_its_first_frame_or_nothing(name: str) -> None:
    index = examine(clip(name))
    with FrameReader(clip(name), index) as reader:
        first = read_code(reader.rgb(0))
    picture = first_picture(clip(name))
    assert picture is None or number_in(picture, index) == first


def zero(data: bytearray, at: int) -> bytearray:
    data[at : at + 188 * 8] = bytes(188 * 8)
    return data


def lose(data: bytearray, at: int) -> bytearray:
    del data[at : at + 188 * 2]
    return data


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("h264_large.mp4", zero),
        ("h264_large.ts", zero),
        ("h264_large.ts", lose),
        ("hevc_large.mp4", zero),
        ("mpeg2_interlaced.ts", zero),
        ("mpeg2_interlaced.ts", lose),
        ("mjpeg.avi", zero),
        ("mpeg4.mp4", zero),
    ],
)
def test_damage_near_the_beginning_gives_a_whole_picture_or_none(
    tmp_path: Path, name: str, harm: Callable[[bytearray, int], bytearray]
) -> None:
    with FrameReader(clip(name), read_index(clip(name))) as whole:
        size_bytes, given = clip(name).stat().st_size, 0
        for number in range(12):
            at = int(size_bytes * 0.012 * number) // 188 * 188
            path = damage(clip(name), tmp_path / f"{number}{name}", lambda data, at=at: harm(data, at))  # type: ignore[misc]
            try:
                picture = first_picture(path)
            except ClipUnreadableError:
                continue
            if picture is not None:
                given += 1
                shown = RgbConverter(whole.index).upright(picture.frame)
                assert (shown == whole.rgb(read_code(shown))).all(), f"damaged at {at}"
        assert given, "damage further on leaves the first picture as it is"


def frame_at(pts: int) -> av.VideoFrame:
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.pts = pts
    return frame


class FakePacket(bytes):
    """What a demuxer says about a packet; a real one takes no word for it."""

    pts = 0
    pos = 0
    is_keyframe = is_discard = is_corrupt = False

    def has_sidedata(self, _kind: str) -> bool:
        return False


def packet_at(pts: int, *, hidden: bool = False) -> av.Packet[VideoStream]:
    packet = FakePacket(b"picture")
    packet.pts, packet.is_keyframe, packet.is_discard = pts, pts == 100, hidden
    return cast("av.Packet[VideoStream]", packet)


def test_picture_shown_before_the_entry_point_is_passed_over_whatever_the_decoder_makes_of_it() -> None:
    head = module._Head()
    assert not head.is_usable(packet_at(80)), "nothing can be decoded before the first entry point"
    assert all(head.is_usable(packet_at(pts)) for pts in (100, 90, 110))
    found = head.first_shown([frame_at(90), frame_at(100), frame_at(110)])
    assert found is not None
    assert found.pts == 100


def test_picture_that_an_edit_list_hides_is_passed_over_whatever_the_decoder_makes_of_it() -> None:
    head = module._Head()
    assert all(head.is_usable(packet_at(pts, hidden=pts < 120)) for pts in (100, 110, 120))
    found = head.first_shown([frame_at(100), frame_at(110), frame_at(120)])
    assert found is not None
    assert found.pts == 120


def test_counters_of_a_transport_stream_tell_what_its_decoder_may_not(tmp_path: Path) -> None:
    path = clip("h264_large.ts")
    pid = 0x100
    module._check_counters(path, pid, [0], end=None)
    lost = damage(path, tmp_path / "lost.ts", lambda data: lose(data, 188 * 40))
    module._check_counters(lost, pid, [0], end=188 * 40)  # further on it does not matter
    with pytest.raises(module._DoubtError):
        module._check_counters(lost, pid, [0], end=188 * 60)


@pytest.mark.parametrize("name", UNREADABLE)
def test_clip_without_pictures_gives_none(name: str) -> None:
    try:
        assert first_picture(clip(name)) is None
    except ClipUnreadableError:
        with pytest.raises(ClipUnreadableError):
            examine(clip(name))


def test_second_stream_has_a_first_picture_of_its_own() -> None:
    path = clip("two_streams.mp4")
    for number in (0, 1):
        index = read_index(path, stream_index=number)
        with FrameReader(path, index) as reader:
            first = read_code(reader.rgb(0))
        assert number_in(first_picture(path, stream_index=number), index) == first
    with pytest.raises(ClipUnreadableError, match="no video stream 2"):
        first_picture(path, stream_index=2)


def test_only_the_head_of_the_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(
        container: InputContainer, stream: VideoStream, faults: list[str] | None = None
    ) -> Iterator[Packet[VideoStream]]:
        for packet in packets(container, stream, faults):
            read.append(packet.size)
            yield packet

    monkeypatch.setattr(module, "packets", counted)
    assert first_picture(clip("h264_gop250.mp4")) is not None
    assert len(read) < 30


def test_long_hidden_beginning_is_given_up_and_so_is_what_nobody_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first_picture(clip("h264_bframes.mp4"), cancel=lambda: True) is None
    monkeypatch.setattr(module, "_PACKETS", 5)
    assert first_picture(clip("h264_edit_list.mp4")) is None


def test_it_stands_in_its_own_shape() -> None:
    wide = first_picture(clip("h264_wide_pixels.mp4"))
    turned = first_picture(clip("h264_rotated_270.mp4"))
    assert wide is not None
    assert turned is not None
    assert (wide.rotation, wide.sample_aspect) == (0, Fraction(4, 3))
    assert turned.rotation == 270
