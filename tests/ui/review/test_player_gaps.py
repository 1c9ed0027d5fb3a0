"""Playing over what a file leaves out, and for ten minutes on end: by the clock alone, nothing is decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest
from PySide6.QtCore import QObject, Signal

from tests.ui.review.players import Clock
from vvlm_desktop.ui.review.play_line import gap_after, gap_sentence
from vvlm_desktop.ui.review.playback import RATES, Playback
from vvlm_desktop.ui.review.player_view import Picture
from vvlm_desktop.video.index import FrameIndex

TICK_S = 1 / 50


class Source(QObject):
    """Has every frame at hand, or those that a test allows."""

    decoded = Signal(object)

    def __init__(self, index: FrameIndex) -> None:
        super().__init__()
        self.index = index
        self.clip_id = "clip"
        self.there: Callable[[int], bool] = lambda _i: True

    def cached(self, i: int) -> Picture | None:
        return Picture(self.clip_id, i, None) if self.there(i) else None

    def preview(self, _i: int) -> None: ...

    def left_out(self, _i: int) -> bool:
        return False

    def request(self, _i: int) -> None: ...

    def keep_ahead(self, _i: int, *, frames: int, backward: bool) -> None: ...


def an_index(pts: list[int], *, time_base: Fraction = Fraction(1, 1000)) -> FrameIndex:
    size = (640, 360, 0, Fraction(1))
    return FrameIndex(0, "mov", "h264", *size, time_base, tuple(pts), ((pts[0], pts[0]),), has_audio=True)


class Going:
    """A playback on such a source, with a list of what it has shown."""

    def __init__(self, index: FrameIndex) -> None:
        self.clock = Clock()
        self.index = index
        self.source = Source(index)
        self.play = Playback(clock=self.clock)
        self.gaps: list[float] = []
        self.bases: list[float] = []
        self.shown: list[int] = []
        self.play.gap_passed.connect(self.gaps.append)
        self.play.timing_changed.connect(self._on_timing)
        self.play.open(self.source)
        self.play.picture_changed.connect(lambda picture: self.shown.append(picture.frame_index))

    def _on_timing(self) -> None:
        if self.play.timing is not None:
            self.bases.append(self.play.timing.base_s)

    def run(self, seconds: float, *, tick_s: float = TICK_S) -> None:
        for _ in range(round(seconds / tick_s)):
            self.clock.now += tick_s
            self.play.tick()


@pytest.fixture
def going(qtbot) -> Iterator[Callable[[list[int]], Going]]:
    made: list[Going] = []

    def make(pts: list[int]) -> Going:
        made.append(Going(an_index(pts)))
        return made[-1]

    yield make
    for each in made:
        each.play.open(None)


#: Ten frames, nothing for 5,000 s, ten frames; 40 ms each.
JUMP = [*range(0, 400, 40), *range(5_000_360, 5_000_760, 40)]


@pytest.mark.parametrize("rate", [0.5, 1.0, 4.0])
def test_a_gap_of_hours_is_passed_after_a_second(going, rate):
    here = going(JUMP)
    here.play.play(rate)
    here.run(0.36 / rate + 0.9)
    assert here.play.position == 9
    assert not here.gaps
    here.run(0.16 + 0.36 / rate)
    assert here.gaps == [pytest.approx(5000.0)]
    assert here.shown == [*range(1, 20)] if rate <= 1 else here.shown[-1] >= 18
    assert here.bases[-1] == pytest.approx(5000.36), "the sound goes on where the pictures do"


def test_backward_too_it_is_passed(going):
    here = going(JUMP)
    here.play.seek(19)
    here.shown.clear()
    here.play.play(backward=True)
    here.run(0.36 + 0.1)
    assert here.play.position == 9, "the last picture before the gap"
    here.run(1.0)
    assert here.play.position < 9
    here.run(0.5)
    assert here.shown == [*range(18, -1, -1)]
    assert here.gaps == [pytest.approx(5000.0)]


def test_after_the_gap_the_clock_waits_for_the_decoder_there(going):
    here = going(JUMP)
    here.source.there = lambda i: i < 10
    here.play.play()
    here.run(5.0)
    assert here.gaps == [pytest.approx(5000.0)], "it is passed once"
    assert here.play.position == 9
    here.source.there = lambda _i: True
    here.run(0.04)
    assert 10 <= here.play.position <= 12, "what is decoded late is caught up with by a tenth of a second at most"
    here.run(1.0)
    assert here.play.position == 19


def test_a_late_picture_of_uneven_times_is_waited_for_once(going):
    here = going([0, 40, 80, 600, 1100, 1600, 1640])
    here.source.there = lambda i: i < 4
    here.play.play()
    here.run(1.3)
    assert here.play.position == 3
    here.source.there = lambda _i: True
    here.run(0.02)
    assert here.play.position == 4, "not half a second after it was there"


def test_a_loop_before_the_gap_does_not_wait_for_its_end(going):
    here = going(JUMP)
    here.play.play_span(5, 9, rest=None)
    here.run(1.0)
    assert here.shown.count(9) >= 4
    assert set(here.shown) == set(range(5, 10))


def test_a_time_lapse_and_short_holes_have_no_gaps(going):
    lapse = an_index([i * 4000 for i in range(20)])
    assert not any(gap_after(lapse, i) for i in range(20))
    hole = going([0, 40, 80, 2_080, 2_120, 2_160])
    hole.play.play()
    hole.run(1.5)
    assert hole.play.position == 2
    hole.run(0.7)
    assert hole.play.position >= 4
    assert not hole.gaps


def test_stepping_and_skipping_cross_a_gap(going):
    here = going(JUMP)
    here.play.seek(9)
    here.play.skip(1.0)
    assert here.play.position == 10
    here.play.skip(-1.0)
    assert here.play.position == 9
    here.play.step(1)
    assert here.play.position == 10


@pytest.mark.parametrize(
    ("length_s", "said"), [(5.04, "5.0 s"), (59.4, "59.4 s"), (59.7, "1 min 0 s"), (75, "1 min 15 s"), (5000, "1 h 23")]
)
def test_the_gap_is_told_as_people_say_it(length_s, said):
    assert f"for {said}" in gap_sentence(length_s)


def test_another_speed_goes_on_from_the_moment_and_not_from_the_frame(going):
    here = going([i * 1000 for i in range(20)])
    here.play.play()
    for _ in range(10):
        here.run(0.5)
        here.play.set_rate(2.0)
        here.play.set_rate(1.0)
    here.run(TICK_S)
    assert here.play.position == 5


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_no_drift_in_ten_minutes(going, rate, backward):
    ticks = [round(i * 1001 / 30) for i in range(18_100)]  # ten minutes and some at 29.97
    here = going(ticks)
    begin = len(ticks) - 1 if backward else 0
    here.play.seek(begin)
    here.play.play(rate, backward=backward)
    seconds = min(600.0, 600.0 / rate)
    here.run(seconds, tick_s=0.25)
    gone_s = abs(here.index.seconds(here.play.position) - here.index.seconds(begin))
    assert gone_s == pytest.approx(seconds * rate, abs=0.034)
    assert len(here.bases) <= 1, "the clock was never set anew"
