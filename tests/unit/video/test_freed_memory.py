"""What decoded frames took goes back to the system when their clip is left."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import av
import pytest

from vvlm_desktop.video import frame_cache
from vvlm_desktop.video.frame_cache import FrameCache
from vvlm_desktop.video.freed_memory import FreedMemory, freed_memory

WAIT_S = 5.0
MB = 1 << 20


class Trim:
    """Counts how often memory was given back; the first time waits for `go`."""

    def __init__(self) -> None:
        self.count = 0
        self.begun, self.go = threading.Event(), threading.Event()
        self.go.set()

    def __call__(self) -> None:
        self.count += 1
        self.begun.set()
        assert self.go.wait(WAIT_S)


def test_clips_left_one_after_the_other_are_given_back_once() -> None:
    trim = Trim()
    memory = FreedMemory(trim, delay_s=0.02)
    for _ in range(5):
        memory.give_back()
    assert memory.wait(WAIT_S)
    assert trim.count == 1


def test_what_is_freed_meanwhile_is_given_back_as_well() -> None:
    trim = Trim()
    trim.go.clear()
    memory = FreedMemory(trim, delay_s=0.0)
    memory.give_back()
    assert trim.begun.wait(WAIT_S)
    memory.give_back()
    trim.go.set()
    assert memory.wait(WAIT_S)
    assert trim.count == 2


def test_after_a_rest_it_is_given_back_again() -> None:
    trim = Trim()
    memory = FreedMemory(trim, delay_s=0.0)
    for _ in range(2):
        memory.give_back()
        assert memory.wait(WAIT_S)
    assert trim.count == 2


def test_a_system_that_needs_no_telling_gets_no_thread() -> None:
    memory = FreedMemory(None)
    before = threading.active_count()
    memory.give_back()
    assert threading.active_count() == before
    assert memory.wait(0)


def test_a_cache_tells_only_of_much(monkeypatch: pytest.MonkeyPatch) -> None:
    trim = Trim()
    memory = FreedMemory(trim, delay_s=0.0)
    monkeypatch.setattr(frame_cache, "freed_memory", memory)
    for side_px, told in ((64, 0), (4096, 1)):
        cache = FrameCache(100 * MB)
        cache.put(0, av.VideoFrame(side_px, side_px, "yuv420p"))
        cache.clear()
        assert memory.wait(WAIT_S)
        assert trim.count == told


def test_a_cache_that_has_to_shrink_tells_of_what_it_gave_up(monkeypatch: pytest.MonkeyPatch) -> None:
    trim = Trim()
    memory = FreedMemory(trim, delay_s=0.0)
    monkeypatch.setattr(frame_cache, "freed_memory", memory)
    cache = FrameCache(100 * MB)
    for i in range(3):
        cache.put(i, av.VideoFrame(4096, 4096, "yuv420p"))
    for budget_mb, told in ((80, 0), (50, 1), (90, 1)):
        cache.resize(budget_mb * MB)
        assert memory.wait(WAIT_S)
        assert trim.count == told


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux' account of the process")
def test_the_process_is_as_small_as_before_its_frames() -> None:
    freed_memory.give_back()
    assert freed_memory.wait(WAIT_S)
    before_mb = _resident_mb()
    cache = FrameCache(400 * MB)
    pins = []
    for i in range(100):
        frame = av.VideoFrame(1280, 720, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        cache.put(i, frame)
        pins.append(av.VideoFrame(160, 90, "yuv420p"))  # small ones in between keep the heap from shrinking by itself
    del frame, plane
    held_mb = _resident_mb()
    assert held_mb > before_mb + 100
    cache.clear()
    assert freed_memory.wait(WAIT_S)
    assert _resident_mb() < before_mb + 40


def _resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 // MB
