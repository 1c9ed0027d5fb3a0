"""Several frames decoded at once give nothing that one after the other would not give: seeded damage, every way in."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path

import av
import pytest

from tests.clips import clip
from vvlm_desktop.errors import ClipUnreadableError, FrameUnreadableError
from vvlm_desktop.video.decoder import careful_threads
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.reader import FrameReader

SWIFT, ONE, SLICES = ("FRAME", 3), ("SLICE", 1), ("SLICE", 0)
CLIPS = ("h264_bframes.mp4", "h264_open_gop.ts", "hevc_open_gop.mkv")
Way = Callable[[FrameReader, random.Random], Iterator[tuple[int, av.VideoFrame]]]


def digest(frame: av.VideoFrame) -> bytes:
    return blake2b(frame.to_ndarray().tobytes(), digest_size=8).digest()


def damaged(name: str, seed: int, folder: Path) -> Path:
    """A copy in which a few bytes are flipped, or a stretch is zeros or missing."""
    rng = random.Random(f"{name} {seed}")
    data = bytearray(clip(name).read_bytes())
    first, last = len(data) // 10, len(data) * 95 // 100  # heads and tables are for `test_refusals`
    kind = seed % 3
    at = rng.randrange(first, last)
    if kind == 0:
        for _ in range(rng.choice((1, 1, 2, 20))):
            data[rng.randrange(first, last)] ^= 1 << rng.randrange(8)
    elif kind == 1:
        length = rng.choice((16, 300, 3000))
        data[at : at + length] = bytes(len(data[at : at + length]))
    else:
        data[at : at + 188] = data[first : first + len(data[at : at + 188])]
    path = folder / f"{seed}_{name}"
    path.write_bytes(data)
    return path


def by_walk(reader: FrameReader, _rng: random.Random) -> Iterator[tuple[int, av.VideoFrame]]:
    yield from reader.walk()


def by_number(reader: FrameReader, rng: random.Random) -> Iterator[tuple[int, av.VideoFrame]]:
    for i in rng.sample(range(len(reader.index)), min(12, len(reader.index))):
        try:
            yield i, reader.frame(i)
        except FrameUnreadableError:
            continue


def by_shortest_way(reader: FrameReader, rng: random.Random) -> Iterator[tuple[int, av.VideoFrame]]:
    for i in rng.sample(range(len(reader.index)), min(12, len(reader.index))):
        yield from reader.approach(i)


def several(reader: FrameReader, rng: random.Random) -> Iterator[tuple[int, av.VideoFrame]]:
    wanted = sorted(rng.sample(range(len(reader.index)), min(12, len(reader.index))))
    try:
        yield from reader.frames(wanted)
    except FrameUnreadableError:
        return


WAYS = (by_walk, by_number, by_shortest_way, several)


def check(name: str, seed: int, folder: Path) -> int:
    """How many frames came out swiftly; each as it was before the damage, unless one thread is deceived too.

    Of some damage no decoder knows: the bits are a picture, only another one. Whether the pictures that build on it are
    refused then depends on where decoding began.
    """
    path = damaged(name, seed, folder)
    try:
        index = read_index(path)
    except ClipUnreadableError:
        return 0
    whole = everything(clip(name), ONE)
    wrong = {
        pts for threads in (ONE, SLICES) for pts, shown in everything(path, threads).items() if shown != whole.get(pts)
    }
    deceived = {index.gop(index.pts.index(pts))[0] for pts in wrong}
    given = 0
    for way in WAYS:
        with FrameReader(path, index, threads=SWIFT) as reader:
            for i, frame in way(reader, random.Random(seed)):
                assert frame.pts == index.pts[i]
                right = digest(frame) == whole.get(frame.pts)
                assert right or index.gop(i)[0] in deceived, f"{way.__name__}, seed {seed}: frame {i}"
                given += right
    return given


def everything(path: Path, threads: tuple[str, int]) -> dict[int, bytes]:
    """PTS → picture, one after the other."""
    index = read_index(path)
    with FrameReader(path, index, threads=threads) as reader:
        return {index.pts[i]: digest(frame) for i, frame in reader.walk()}


def carefully(path: Path, index: FrameIndex) -> list[int]:
    with FrameReader(path, index, threads=careful_threads(index)) as reader:
        return [i for i, _ in reader.walk()]


@pytest.mark.parametrize("name", CLIPS)
def test_what_comes_out_of_a_damaged_clip_is_what_one_thread_gives(name: str, tmp_path: Path) -> None:
    assert sum(check(name, seed, tmp_path) for seed in range(6)) > 100


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_so_it_is_for_many_damages(name: str, tmp_path: Path) -> None:
    assert sum(check(name, seed, tmp_path) for seed in range(200)) > 5000


@pytest.mark.parametrize("name", CLIPS)
def test_nothing_is_lost_by_decoding_several_at_once(name: str, tmp_path: Path) -> None:
    path = damaged(name, 1, tmp_path)
    index = read_index(path)
    with FrameReader(path, index, threads=SWIFT) as reader:
        assert [i for i, _ in reader.walk()] == carefully(path, index)
