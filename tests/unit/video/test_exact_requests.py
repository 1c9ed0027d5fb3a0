"""Whatever is asked of the decode thread, in whatever order: each exact frame that it delivers is the one it names."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clips import ORIGIN, clip, codes, read_code
from tests.clips_awkward import AWKWARD, awkward
from tests.clips_reading import open_reader
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.decode_thread import DecodeThread
from vvlm_desktop.video.frame_cache import FrameCache
from vvlm_desktop.video.index import FrameIndex, read_index

Act = tuple[Literal["seek", "step", "drag", "ahead", "back", "settle"], int]
WAIT_S = 20.0
#: Some 30 pictures of the small clips: little enough that frames are decoded, forgotten and decoded again.
BUDGET_BYTES = 30 * 160 * 96 * 3 // 2
ACTS = st.lists(
    st.tuples(st.sampled_from(["seek", "step", "drag", "ahead", "back", "settle"]), st.integers(0, 47)),
    min_size=1,
    max_size=14,
)
NAMES = (
    "plain.ts",
    "open_gop.mkv",
    "hevc_open.mp4",
    "long_gop.ts",
    "mpeg4_packed.avi",
    "mbaff.mp4",
    "jump_back_a_little.ts",
    "joined.mkv",
)


class Hand:
    """Asks as the player does, and keeps what comes."""

    def __init__(self, path: Path, index: FrameIndex, *, budget_bytes: int = BUDGET_BYTES) -> None:
        self.index = index
        self.exact: list[tuple[int, av.VideoFrame]] = []
        self.previews: list[tuple[int, av.VideoFrame]] = []
        self.refused: list[int] = []
        self._came = threading.Condition()
        self._cache = FrameCache(budget_bytes)
        self._thread = DecodeThread(
            lambda: open_reader(path, index), self._cache, on_frame=self._frame_came, on_error=self._error_came
        )
        self.wanted = 0

    def do(self, act: Act) -> None:
        kind, number = act
        last = len(self.index) - 1
        if kind == "seek":
            self._go(number)
        elif kind == "step":
            self._go(self.wanted + (1 if number % 2 else -1))
        elif kind == "drag":
            for i in range(self.wanted, min(number, last), 5 if number > self.wanted else -5):
                self._go(i)
            self._go(number)
        elif kind == "settle":
            assert self._thread.wait_idle(WAIT_S)
        else:
            self._thread.keep_ahead(min(number, last), frames=12, backward=kind == "back")

    def _go(self, i: int) -> None:
        self.wanted = max(0, min(i, len(self.index) - 1))
        self._thread.request(self.wanted)

    def settle(self) -> None:
        """Wait until the frame wanted last is there, or was refused."""
        with self._came:
            assert self._came.wait_for(self._is_answered, WAIT_S)

    def cached(self) -> list[tuple[int, av.VideoFrame]]:
        assert self._thread.wait_idle(WAIT_S)
        found = [(i, self._cache.get(i)) for i in range(len(self.index))]
        return [(i, frame) for i, frame in found if frame is not None]

    def close(self) -> None:
        self._thread.close(WAIT_S)

    def _is_answered(self) -> bool:
        return bool(self.exact and self.exact[-1][0] == self.wanted) or self.wanted in self.refused[-1:]

    def _frame_came(self, i: int, frame: av.VideoFrame, exact: bool) -> None:
        with self._came:
            (self.exact if exact else self.previews).append((i, frame))
            self._came.notify_all()

    def _error_came(self, i: int, _error: ClipUnreadableError) -> None:
        with self._came:
            self.refused.append(i)
            self._came.notify_all()


def number_in(frame: av.VideoFrame) -> int:
    return read_code(frame.to_ndarray(format="rgb24"))


def check(hand: Hand, numbers: list[int]) -> None:
    for i, frame in (*hand.exact, *hand.previews, *hand.cached()):
        assert frame.pts == hand.index.pts[i]
        assert number_in(frame) == numbers[i]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
def test_every_order_of_requests_delivers_the_named_frames(name: str, acts: list[Act]) -> None:
    run(name, acts)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
def test_very_many_orders_of_requests_deliver_the_named_frames(name: str, acts: list[Act]) -> None:
    run(name, acts)


def run(name: str, acts: list[Act]) -> None:
    index = read_index(awkward(name))
    hand = Hand(awkward(name), index)
    try:
        for act in acts:
            hand.do(act)
        hand._go(acts[-1][1])
        hand.settle()
        assert hand.refused == []
        check(hand, list(AWKWARD[name].codes))
    finally:
        hand.close()


def test_closing_at_any_moment_ends_the_thread() -> None:
    index = read_index(awkward("long_gop.ts"))
    for count in range(6):
        hand = Hand(awkward("long_gop.ts"), index)
        for i in range(count):
            hand.do(("drag", 40 - 7 * i))
        hand.close()
        assert not hand._thread._thread.is_alive()


@pytest.mark.parametrize("name", ["zeroed.mp4", "cut_beginning.ts"])
def test_of_a_damaged_clip_too_each_frame_is_the_named_one_or_refused(name: str) -> None:
    origin = read_index(clip(ORIGIN[name]))
    recorded = dict(zip(origin.pts, codes(ORIGIN[name]), strict=True))
    index = read_index(clip(name))
    hand = Hand(clip(name), index, budget_bytes=64 << 20)
    try:
        for i in (len(index) // 2, 3, len(index) - 1, len(index) // 2 - 5, len(index) // 2 + 6, 20):
            hand.do(("seek", i))
            hand.settle()
        for i, frame in (*hand.exact, *hand.cached()):
            assert number_in(frame) == recorded[index.pts[i]]
        assert hand.exact
    finally:
        hand.close()
