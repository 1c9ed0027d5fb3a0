"""The frame cache and the decode thread, on a reader that hands out small made-up frames."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from vvlm_desktop.errors import ClipUnreadableError, FrameUnreadableError
from vvlm_desktop.video.decode_thread import DecodeThread
from vvlm_desktop.video.frame_cache import FrameCache

WAIT_S = 5.0


def a_frame(number: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.pts = number
    return frame


FRAME_BYTES = sum(plane.buffer_size for plane in a_frame().planes)


def cache_of(frames: int) -> FrameCache:
    return FrameCache(FRAME_BYTES * frames)


class MadeUpIndex:
    def __init__(self, count: int, gop: int) -> None:
        self.count, self.length = count, gop

    def __len__(self) -> int:
        return self.count

    def gop(self, i: int) -> tuple[int, int]:
        start = i // self.length * self.length
        return start, min(start + self.length, self.count)


class MadeUpReader:
    """Hands out frames; `gates` stops before a frame until the test lets it go on."""

    def __init__(
        self, count: int = 90, gop: int = 30, *, skips: frozenset[int] = frozenset(), lost=frozenset()
    ) -> None:
        self.index = MadeUpIndex(count, gop)
        self.skips, self.lost = skips, lost
        self.walks: list[int] = []
        self.approached: list[int] = []
        self.decoded: list[int] = []
        self.closed = False
        self.gates: dict[int, threading.Event] = {}
        self.reached: dict[int, threading.Event] = {}

    def gate(self, i: int) -> threading.Event:
        self.reached[i] = threading.Event()
        self.gates[i] = threading.Event()
        return self.gates[i]

    def walk(self, start: int = 0) -> Iterator[tuple[int, av.VideoFrame]]:
        self.walks.append(start)
        for i in range(start, len(self.index)):
            if i in self.gates:
                self.reached[i].set()
                assert self.gates[i].wait(WAIT_S)
            if i not in self.skips | self.lost:
                self.decoded.append(i)
                yield i, a_frame(i)

    has_short_ways = True

    def approach(self, i: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Every third frame, and the wanted one."""
        self.target, self.passed = i, -1
        self.approached.append(i)
        for passing, frame in self.walk(self.index.gop(i)[0]):
            self.passed = passing
            if passing == self.target or (passing < self.target and passing % 3 == 0):
                yield passing, frame
            if passing >= self.target:
                return

    def redirect(self, i: int) -> bool:
        if i <= self.passed or self.index.gop(i) != self.index.gop(self.target):
            return False
        self.target = i
        return True

    def frame(self, i: int) -> av.VideoFrame:
        if i in self.lost:
            raise FrameUnreadableError(Path("clip.mp4"), i, "damaged")
        return a_frame(i)

    def close(self) -> None:
        self.closed = True


class Heard:
    """What the thread delivered."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bool]] = []
        self.errors: list[tuple[int, ClipUnreadableError]] = []

    def frame(self, i: int, frame: av.VideoFrame, exact: bool) -> None:
        assert frame.pts == i
        self.frames.append((i, exact))

    def error(self, i: int, error: ClipUnreadableError) -> None:
        self.errors.append((i, error))

    @property
    def exact(self) -> list[int]:
        return [i for i, exact in self.frames if exact]


@pytest.fixture
def start():
    threads: list[DecodeThread] = []

    def make(reader: MadeUpReader, cache: FrameCache) -> tuple[DecodeThread, Heard]:
        heard = Heard()
        threads.append(DecodeThread(lambda: reader, cache, on_frame=heard.frame, on_error=heard.error))
        return threads[-1], heard

    yield make
    for thread in threads:
        thread.close()


def test_least_recently_used_frame_goes_first():
    cache = cache_of(3)
    for i in range(3):
        cache.put(i, a_frame(i))
    cache.get(0)
    cache.put(3, a_frame(3))
    assert [i in cache for i in range(4)] == [True, False, True, True]
    assert cache.used_bytes == 3 * FRAME_BYTES


def test_a_frame_larger_than_the_budget_is_still_kept():
    cache = FrameCache(1)
    cache.put(5, a_frame())
    assert cache.get(5) is not None
    cache.put(6, a_frame())
    assert 5 not in cache
    assert 6 in cache


def test_putting_a_frame_twice_counts_its_bytes_once():
    cache = cache_of(3)
    cache.put(1, a_frame())
    cache.put(1, a_frame())
    assert cache.used_bytes == FRAME_BYTES


def test_smaller_budget_takes_effect_at_once():
    cache = cache_of(10)
    for i in range(10):
        cache.put(i, a_frame())
    cache.resize(2 * FRAME_BYTES)
    assert len(cache) == 2
    assert 9 in cache


def test_missing_names_the_outer_gaps():
    cache = cache_of(10)
    for i in (0, 1, 4, 9):
        cache.put(i, a_frame())
    assert cache.missing(0, 10) == (2, 8)
    assert cache.missing(0, 10, ignoring={2, 8}) == (3, 7)
    assert cache.missing(0, 2) is None


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="budget_bytes"):
        FrameCache(0)


def test_request_delivers_exactly_that_frame_and_prefetches_its_group(start):
    reader, cache = MadeUpReader(count=180, gop=60), cache_of(400)
    thread, heard = start(reader, cache)
    thread.request(85)
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [85]
    assert cache.missing(60, 120) is None
    assert 120 not in cache, "the middle of a group does not fetch its neighbours"
    assert 59 not in cache


def test_request_near_the_start_of_a_group_prefetches_the_one_before(start):
    cache = cache_of(200)
    thread, _ = start(MadeUpReader(), cache)
    thread.request(33)
    assert thread.wait_idle(WAIT_S)
    assert cache.missing(0, 60) is None


def test_request_near_the_end_of_a_group_prefetches_the_next(start):
    reader, cache = MadeUpReader(count=180, gop=60), cache_of(400)
    thread, _ = start(reader, cache)
    thread.request(110)
    assert thread.wait_idle(WAIT_S)
    assert cache.missing(60, 180) is None
    assert reader.walks == [60, 60], "the shortest way first, then everything without a seek in between"


def test_cached_frame_is_delivered_without_decoding(start):
    reader = MadeUpReader()
    thread, heard = start(reader, cache_of(200))
    thread.request(50)
    assert thread.wait_idle(WAIT_S)
    decoded = list(reader.decoded)
    thread.request(45)
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [50, 45]
    assert [i for i in reader.decoded[len(decoded) :] if 30 <= i < 60] == []


def test_newest_of_several_waiting_requests_wins(start):
    reader = MadeUpReader()
    gate = reader.gate(10)
    thread, heard = start(reader, cache_of(200))
    thread.request(10)
    assert reader.reached[10].wait(WAIT_S)
    for i in (40, 41, 70):
        thread.request(i)
    gate.set()
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [10, 70], "a short group is finished, then only the newest counts"


def test_long_group_is_left_for_a_newer_request_elsewhere(start):
    reader = MadeUpReader(count=600, gop=300)
    gate = reader.gate(100)
    thread, heard = start(reader, cache_of(700))
    thread.request(250)
    assert reader.reached[100].wait(WAIT_S)
    thread.request(310)
    gate.set()
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [310]
    assert reader.walks[:2] == [0, 300]


def test_long_group_goes_on_without_seeking_to_a_newer_request_ahead(start):
    reader = MadeUpReader(count=300, gop=300)
    gate = reader.gate(100)
    thread, heard = start(reader, cache_of(700))
    thread.request(250)
    assert reader.reached[100].wait(WAIT_S)
    thread.request(270)
    gate.set()
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [270]
    assert reader.walks[0] == 0
    assert reader.decoded[:271] == list(range(271)), "each frame was decoded once on the way"


def test_previews_of_a_long_group_are_not_called_exact(start, monkeypatch):
    monkeypatch.setattr("vvlm_desktop.video.decode_thread.PREVIEW_S", 0.0)
    thread, heard = start(MadeUpReader(count=100, gop=100), cache_of(200))
    thread.request(80)
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [80]
    assert [i for i, exact in heard.frames if not exact] == list(range(0, 80, 3))


def test_what_the_shortest_way_left_out_is_decoded_when_nobody_waits(start):
    reader, cache = MadeUpReader(count=60, gop=60), cache_of(100)
    thread, heard = start(reader, cache)
    thread.request(50)
    assert thread.wait_idle(WAIT_S)
    assert reader.approached == [50]
    assert heard.exact == [50]
    assert cache.missing(0, 60) is None


def test_a_reader_without_short_ways_is_walked(start):
    reader = MadeUpReader(count=60, gop=60)
    reader.has_short_ways = False
    thread, heard = start(reader, cache_of(100))
    thread.request(50)
    assert thread.wait_idle(WAIT_S)
    assert (reader.approached, reader.walks, heard.exact) == ([], [0], [50])


def test_short_group_shows_no_previews(start, monkeypatch):
    monkeypatch.setattr("vvlm_desktop.video.decode_thread.PREVIEW_S", 0.0)
    thread, heard = start(MadeUpReader(gop=30), cache_of(200))
    thread.request(29)
    assert thread.wait_idle(WAIT_S)
    assert heard.frames == [(29, True)]


def test_unreadable_frame_is_an_error_and_never_a_neighbour(start):
    thread, heard = start(MadeUpReader(lost=frozenset({12})), cache_of(200))
    thread.request(12)
    assert thread.wait_idle(WAIT_S)
    assert heard.frames == []
    assert [i for i, _ in heard.errors] == [12]
    assert isinstance(thread.unreadable(12), FrameUnreadableError)
    assert thread.unreadable(13) is None


def test_frames_behind_an_unreadable_one_still_come(start):
    thread, heard = start(MadeUpReader(lost=frozenset({12})), cache_of(200))
    thread.request(12)
    assert thread.wait_idle(WAIT_S)
    thread.request(13)
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [13]


def test_frame_left_out_by_a_walk_is_asked_of_the_reader_itself(start):
    thread, heard = start(MadeUpReader(skips=frozenset({12})), cache_of(200))
    thread.request(12)
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [12]


def test_damaged_group_is_not_walked_again_and_again_while_playing(start):
    reader = MadeUpReader(lost=frozenset({5, 6}))
    thread, _ = start(reader, cache_of(200))
    for i in range(10):
        thread.keep_ahead(i, frames=12)
        assert thread.wait_idle(WAIT_S)
    assert reader.walks == [0]


def test_playing_fills_the_cache_across_groups_without_delivering(start):
    cache = cache_of(200)
    thread, heard = start(MadeUpReader(), cache)
    thread.keep_ahead(20, frames=30)
    assert thread.wait_idle(WAIT_S)
    assert cache.missing(20, 50) is None
    assert heard.frames == []


def test_playing_backward_fills_the_group_before(start):
    cache = cache_of(200)
    thread, _ = start(MadeUpReader(), cache)
    thread.keep_ahead(35, frames=24, backward=True)
    assert thread.wait_idle(WAIT_S)
    assert cache.missing(0, 36) is None


def test_a_waiting_picture_is_not_forgotten_for_playing_ahead(start):
    reader = MadeUpReader()
    gate = reader.gate(5)
    thread, heard = start(reader, cache_of(200))
    thread.request(5)
    assert reader.reached[5].wait(WAIT_S)
    thread.request(70)
    thread.keep_ahead(6, frames=10)
    gate.set()
    assert thread.wait_idle(WAIT_S)
    assert heard.exact == [5, 70]


def test_prefetch_in_a_small_cache_does_not_push_out_the_wanted_frame(start):
    cache = cache_of(8)
    thread, heard = start(MadeUpReader(count=300, gop=300), cache)
    thread.request(150)
    assert thread.wait_idle(WAIT_S)
    assert heard.exact[-1] == 150
    assert 150 in cache


def test_a_file_that_does_not_open_is_reported_for_each_request(start):
    def refuse() -> MadeUpReader:
        raise ClipUnreadableError(Path("clip.mp4"), "no such file")

    heard = Heard()
    thread = DecodeThread(refuse, cache_of(5), on_frame=heard.frame, on_error=heard.error)
    for i in (3, 4):
        thread.request(i)
        assert thread.wait_idle(WAIT_S)
    thread.close()
    assert [i for i, _ in heard.errors] == [3, 4]


def test_close_ends_the_thread_in_the_middle_of_a_group_and_closes_the_reader(start):
    reader = MadeUpReader(count=300, gop=300)
    gate = reader.gate(100)
    thread, heard = start(reader, cache_of(400))
    thread.request(299)
    assert reader.reached[100].wait(WAIT_S)
    closer = threading.Thread(target=thread.close)
    closer.start()
    gate.set()
    closer.join(WAIT_S)
    assert reader.closed
    assert heard.exact == []
    assert not any(other.name == "decode" and other.is_alive() for other in threading.enumerate())


def test_a_closed_thread_lets_go_of_its_reader_at_once():
    """The reader's decoder holds hundreds of megabytes of frames; they must not wait for a full collection."""
    opened: list[weakref.ref[MadeUpReader]] = []

    def open_reader() -> MadeUpReader:
        reader = MadeUpReader(count=30)
        opened.append(weakref.ref(reader))
        return reader

    heard = Heard()
    thread = DecodeThread(open_reader, cache_of(40), on_frame=heard.frame, on_error=heard.error)
    thread.request(3)
    assert thread.wait_idle(WAIT_S)
    thread.close()
    assert opened[0]() is None
