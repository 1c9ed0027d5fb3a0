"""Pictures coded as two fields, each in a packet of its own: one frame each, whole on every way to it, or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clips_awkward import FPS, FRAMES, SIZE, awkward
from tests.clips_bytes import with_times
from tests.clips_fields import planes, write_fields
from tests.clips_reading import open_reader
from vvlm_desktop.errors import FrameUnreadableError
from vvlm_desktop.video.fields import FieldPairs
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.probe import examine

NAMES = ["paff.mp4", "paff.mkv", "paff.ts", "paff_and_whole.ts", "paff_first_times.ts"]
#: The first field of frame 14 is the 31st that is coded: its second is the next.
BROKEN_FRAME, ITS_SECOND_FIELD = 14, 31


def assert_whole(given: Iterable[tuple[int, av.VideoFrame]]) -> list[int]:
    """Both fields are those that were drawn, to the last row."""
    found = []
    for i, frame in given:
        assert np.array_equal(frame.to_ndarray()[: SIZE[1]], planes(i, size=SIZE)[0]), f"frame {i}"
        found.append(i)
    return found


def fields_of(path: Path) -> list[bool]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        fields = FieldPairs(stream, codec="h264")
        found = []
        for packet in container.demux(stream):
            if packet.size:
                fields.time_of(packet)
                found.append(fields.is_second)
        return found


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_is_counted_once_and_nothing_is_called_damaged(name: str) -> None:
    index = examine(awkward(name))
    assert (len(index), index.problem, index.breaks) == (FRAMES, None, ())
    assert index.fps == pytest.approx(FPS, rel=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_a_walk_gives_both_fields_of_each_frame(name: str) -> None:
    with open_reader(awkward(name), read_index(awkward(name))) as reader:
        assert assert_whole(reader.walk()) == list(range(FRAMES))


@pytest.mark.parametrize("name", NAMES)
def test_the_shortest_way_to_a_frame_does_not_leave_out_its_second_field(name: str) -> None:
    index = read_index(awkward(name))
    for i in range(12, 24):
        with open_reader(awkward(name), index) as reader:
            assert assert_whole(reader.frames([i])) == [i]
        with open_reader(awkward(name), index) as reader:
            ways = assert_whole(reader.approach(i))
            assert ways[-1] == i
            assert not reader.has_short_ways or len(ways) <= i - 12 + 1


def test_the_way_to_several_frames_gives_whole_ones_and_leaves_others_out() -> None:
    with open_reader(awkward("paff.mp4"), read_index(awkward("paff.mp4"))) as reader:
        assert assert_whole(reader.frames([13, 14, 16, 22, 25, 46])) == [13, 14, 16, 22, 25, 46]
        assert assert_whole(reader.approach(8)) == [0, 3, 6, 8], "frames on which no other builds are left out"


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_a_frame_whose_second_field_is_missing_is_refused_and_told(suffix: str, tmp_path: Path) -> None:
    path = write_fields(tmp_path / f"x{suffix}", frames=24, fps=FPS, size=SIZE, left_out=[ITS_SECOND_FIELD])
    assert "damaged at 0.6 s" in (examine(path).problem or "")
    index = read_index(path)
    assert index.breaks == (index.pts[BROKEN_FRAME],)
    with open_reader(path, index) as reader:
        with pytest.raises(FrameUnreadableError):
            reader.frame(BROKEN_FRAME)
        fed_before = [*range(BROKEN_FRAME), BROKEN_FRAME + 1]
        assert assert_whole(reader.walk()) == fed_before, "what was coded after it may build on the lost field"


def zeroed(data: bytearray, middle: int) -> None:
    data[middle : middle + 4096] = bytes(4096)


def lost(data: bytearray, middle: int) -> None:
    """One packet of a transport stream."""
    del data[middle : middle + 188]


@pytest.mark.parametrize(("name", "damage"), [("paff.mp4", zeroed), ("paff.ts", lost), ("paff_first_times.ts", lost)])
def test_damage_in_a_second_field_spoils_the_frame_that_it_completes(
    name: str, damage: Callable[[bytearray, int], None], tmp_path: Path
) -> None:
    path = tmp_path / name
    data = bytearray(awkward(name).read_bytes())
    with av.open(str(awkward(name))) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][ITS_SECOND_FIELD]
        damage(data, (packet.pos or 0) + 30 * 188)  # it has about sixty of them
    path.write_bytes(data)
    index = read_index(path)
    assert index.pts[BROKEN_FRAME] in index.breaks
    assert len(index) == FRAMES
    with open_reader(path, index) as reader, pytest.raises(FrameUnreadableError):
        reader.frame(BROKEN_FRAME)
    with open_reader(path, index) as reader:
        assert BROKEN_FRAME not in assert_whole(reader.walk())


@pytest.mark.parametrize("later_fields", [-450, 0, 1, 2])
def test_a_second_recording_with_times_between_those_of_the_first_is_left_out(
    later_fields: int, tmp_path: Path
) -> None:
    content = awkward("paff.ts").read_bytes()
    first = with_times(content, lambda _, time: time + 20 * 90_000)
    second = with_times(content, lambda _, time: time + 20 * 90_000 + later_fields * 1800)
    path = tmp_path / "x.ts"
    path.write_bytes(first + second)
    index = read_index(path)
    beyond = {-450: FRAMES, 1: 1, 2: 1}.get(later_fields, 0)  # reaching past the first one, or all before it
    assert len(index) == FRAMES + beyond
    assert len(index.recordings) == 2


def test_a_recording_that_ends_between_two_fields_lacks_just_the_frame_coded_last(tmp_path: Path) -> None:
    path = write_fields(tmp_path / "x.ts", frames=24, fps=FPS, size=SIZE, left_out=[47])
    index = examine(path)
    assert index.problem == "damaged at 0.9 s: 23 of 24 frames can be shown"
    with open_reader(path, index) as reader:
        assert assert_whole((i + (i > 21), frame) for i, frame in reader.walk()) == [*range(22), 23]


def test_whole_pictures_and_frames_of_macroblock_pairs_have_no_second_packet() -> None:
    assert not any(fields_of(awkward("mbaff.ts")))
    assert not any(fields_of(awkward("plain.mp4")))
    assert sum(fields_of(awkward("paff_and_whole.ts"))) == FRAMES - len(range(4, FRAMES, 5))


def test_a_camera_that_keeps_one_field_of_each_picture_has_lost_nothing(tmp_path: Path) -> None:
    path = write_fields(tmp_path / "x.mp4", frames=24, fps=FPS, size=SIZE, left_out=range(1, 48, 2))
    assert not any(fields_of(path))
    assert read_index(path).breaks == ()


def test_what_is_left_of_two_pictures_makes_no_frame_together(tmp_path: Path) -> None:
    """The second field of one and the first of the next, which has another number, are missing."""
    path = write_fields(tmp_path / "x.mkv", frames=24, fps=FPS, size=SIZE, left_out=[25, 26])
    assert sum(fields_of(path)) == 24 - 2
    index = read_index(path)
    with open_reader(path, index) as reader:
        assert assert_whole(reader.walk()) == list(range(12)), "up to the next keyframe all may build on what is lost"
