"""Each wanted frame is right or an error, never a neighbour: in every container, codec and kind of damage."""

from __future__ import annotations

import random
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import av
import pytest

from tests.clips import CLIPS, ORIGIN, OTHERS, UNREADABLE, WHOLE, clip, codes, read_code
from tests.clips_reading import open_reader
from vvlm_desktop.errors import FrameUnreadableError
from vvlm_desktop.video.index import FrameIndex, read_index

#: Frames that must come out of a damaged clip at the least, so that refusing everything does not pass.
LEAST_RIGHT = {
    "cut_faststart.mp4": 39,
    "cut_fragmented.mp4": 45,
    "cut_mid_packet.ts": 44,
    "cut_beginning.ts": 30,
    "zeroed.mp4": 60,
    "zeroed.ts": 60,
    "zeroed_hevc.mp4": 60,
    "flipped.mp4": 5,
    "flipped.ts": 5,
}


def digest(frame: av.VideoFrame) -> bytes:
    return blake2b(frame.to_ndarray().tobytes(), digest_size=8).digest()


def decode_everything(
    path: Path, *, stream_index: int = 0, only: Container[int | None] | None = None
) -> list[tuple[int | None, bytes]]:
    """(PTS, digest) of every frame, or of those PTS, decoded from the beginning to the end without any seeking."""
    frames: list[tuple[int | None, bytes]] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[stream_index]
        stream.codec_context.thread_count = 1  # with several, patched-up pictures differ from run to run
        packets = [packet for packet in _demux(container, stream) if packet.size]
        for packet in [*packets, None]:
            with suppress(av.FFmpegError):
                decoded = stream.codec_context.decode(packet)
                frames += [(frame.pts, digest(frame)) for frame in decoded if only is None or frame.pts in only]
    return frames


def _demux(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.Packet[av.VideoStream]]:
    with suppress(IndexError):  # PyAV's, at the end of a file in which a stream turned up late
        yield from container.demux(stream)


def some_frames(index: FrameIndex, count: int, *, seed: str) -> list[int]:
    rng = random.Random(seed)
    last = len(index) - 1
    return [*{0, min(1, last), min(2, last), last}, *(rng.randrange(len(index)) for _ in range(count))]


def expected_codes(name: str, index: FrameIndex) -> dict[int, int]:
    """PTS → number in the pixels, from how the clip was made."""
    if name not in ORIGIN:
        return dict(zip(index.pts, codes(name), strict=True))
    origin = read_index(clip(ORIGIN[name]))
    return dict(zip(origin.pts, codes(ORIGIN[name]), strict=True))


def check_frames(name: str, count: int) -> None:
    path = clip(name)
    index = read_index(path)
    wanted = some_frames(index, count, seed=name)
    everything = decode_everything(path, only=None if index.in_decode_order else {index.pts[i] for i in wanted})
    if index.in_decode_order:
        everything = [(pts, shown) for pts, (_, shown) in zip(index.pts, everything, strict=True)]
    reference = dict(reversed(everything))  # of two frames with one PTS the first counts
    numbers = expected_codes(name, index)
    refused = 0
    with open_reader(path, index) as reader:
        for i in wanted:
            try:
                frame = reader.frame(i)
            except FrameUnreadableError:
                assert name in ORIGIN, f"frame {i} of a whole clip was refused"
                refused += 1
                continue
            assert frame.pts == index.pts[i]
            assert digest(frame) == reference[frame.pts], f"frame {i} differs from the full decode"
            if frame.pts in numbers and not name.startswith("flipped"):  # flips garble pictures without any error
                assert read_code(reader.rgb(i)) == numbers[frame.pts], f"frame {i} shows another"
            elif name.startswith("flipped"):
                assert read_code(reader.rgb(i)) in {numbers.get(frame.pts), -1}, f"frame {i} shows another"
    assert refused < len(wanted)


@pytest.mark.parametrize("name", [*WHOLE, *ORIGIN])
def test_random_access_equals_full_decode_and_the_number_in_the_pixels(name: str) -> None:
    check_frames(name, 14)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*WHOLE, *ORIGIN, "uhd.mp4"])
def test_a_hundred_frames_equal_the_full_decode(name: str) -> None:
    check_frames(name, 100)


@pytest.mark.parametrize("name", [*WHOLE, *ORIGIN])
def test_walk_gives_every_decodable_frame_once_ascending(name: str) -> None:
    path = clip(name)
    index = read_index(path)
    with open_reader(path, index) as reader:
        given = [(i, frame.pts) for i, frame in reader.walk()]
    numbers = [i for i, _ in given]
    assert numbers == sorted(set(numbers))
    assert [pts for _, pts in given] == [index.pts[i] for i in numbers]
    if name in WHOLE:
        assert numbers == list(range(len(index)))
    else:
        assert len(numbers) >= LEAST_RIGHT[name]


def test_every_order_of_requests_gives_the_same_frames() -> None:
    path = clip("h264_open_gop.ts")
    index = read_index(path)
    numbers = codes("h264_open_gop.ts")
    orders: Sequence[Sequence[int]] = (
        range(len(index)),
        range(len(index) - 1, -1, -1),
        [i for pair in zip(range(45), range(45, 90), strict=True) for i in pair],
        [29, 30, 31, 30, 29, 28, 59, 60, 89, 0, 0, 89],
    )
    for order in orders:
        with open_reader(path, index) as reader:
            assert [read_code(reader.rgb(i)) for i in order] == [numbers[i] for i in order]


def test_second_stream_gives_its_own_frames() -> None:
    path = clip("two_streams.mp4")
    index = read_index(path, stream_index=1)
    assert (index.width, index.height, len(index)) == (240, 136, 30)
    with open_reader(path, index) as reader:
        assert [read_code(reader.rgb(i)) for i in (0, 29, 7, 15)] == [1000, 1029, 1007, 1015]


def test_index_of_another_file_gives_errors_not_its_frames(tmp_path: Path) -> None:
    index = read_index(clip("h264_jump.mp4"))
    with open_reader(clip("mpeg2_interlaced.ts"), index) as reader:
        for i in (1, 20, 60):
            with pytest.raises(FrameUnreadableError):
                reader.frame(i)


def test_damaged_pictures_are_given_on_request_only() -> None:
    path = clip("zeroed.mp4")
    index = read_index(path)
    with open_reader(path, index) as strict, open_reader(path, index, damaged=True) as lenient:
        shown, patched = len(list(strict.walk())), len(list(lenient.walk()))
    assert shown < patched


def test_every_clip_of_the_collection_is_in_one_of_the_lists() -> None:
    assert sorted(CLIPS) == sorted([*WHOLE, *ORIGIN, *UNREADABLE, *OTHERS])
