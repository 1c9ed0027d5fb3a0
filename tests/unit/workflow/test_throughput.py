"""Clips a minute and time left, from what was done lately."""

from __future__ import annotations

import pytest

from tests.unit.store.builders import make_clip
from vvlm_desktop.backends.catalogue import backend_info
from vvlm_desktop.workflow.throughput import Throughput, work_in


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_nothing_is_said_before_something_is_done(clock: Clock) -> None:
    pace = Throughput(clock=clock)
    pace.begin()
    assert pace.clips_per_minute() is None
    assert pace.seconds_for([1.0]) is None


def test_loading_is_not_counted_once_work_has_begun(clock: Clock) -> None:
    pace = Throughput(clock=clock)
    pace.begin()
    clock.now_s = 100.0
    pace.begin()
    clock.now_s = 110.0
    pace.add(2.0)
    pace.begin()  # of the next one; the first is done, so it says nothing
    assert pace.clips_per_minute() == pytest.approx(6.0)
    assert pace.seconds_for([1.0, 3.0]) == pytest.approx(20.0)


def test_answers_that_come_together_are_not_taken_for_speed(clock: Clock) -> None:
    pace = Throughput(clock=clock)
    pace.begin()
    for end_s in range(10, 210, 10):
        for number in range(8):
            clock.now_s = end_s + number * 0.01
            pace.add(1.0)
    assert pace.clips_per_minute() == pytest.approx(48.0, rel=0.02)


def test_pace_follows_a_change(clock: Clock) -> None:
    pace = Throughput(clock=clock)
    pace.begin()
    for step_s in (1.0, 10.0):
        for _ in range(100):
            clock.now_s += step_s
            pace.add(1.0)
    assert pace.clips_per_minute() == pytest.approx(6.0, rel=0.01)


def test_length_counts_where_every_frame_is_looked_at_and_not_for_a_model() -> None:
    clip = make_clip(duration_s=40.0)
    assert work_in(clip, backend_info("signals")) == 40.0
    assert work_in(clip, backend_info("local")) == 1.0
