"""Marks that are made while the clip plays: earlier by the reviewer's reaction time, if one is set."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Signal

from tests import clips
from tests.ui.review.conftest import watch
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.review.player_view import Picture
from vvlm_desktop.ui.review.reaction import Trail
from vvlm_desktop.video.index import read_index


@pytest.fixture
def settings() -> Settings:
    return Settings(autoplay="paused", reviewer="Ann", frame_cache_mb=64, reaction_time_s=0.5)


@pytest.fixture
def here(stage):
    return stage()


def play_through(here, frame: int) -> None:
    here.page.desk.toggle()
    here.qtbot.waitUntil(lambda: here.page.desk.playback.position >= frame)


def test_mark_while_it_plays_is_earlier_by_the_reaction_time_and_says_so(here, add_clip):
    here.open(add_clip().id)
    desk = here.page.desk
    watch(here, 1.0)
    play_through(here, 50)
    here.press("I")
    first = desk.marked_frames()[0]
    assert desk.playback.position - 20 <= first <= desk.playback.position - 14
    assert f"Marked frame {first}" in here.toast
    assert "0.5 s of reaction time" in here.toast


def test_mark_of_a_clip_that_stands_is_the_frame_on_screen(here, add_clip):
    here.open(add_clip().id)
    watch(here, 1.0)
    here.press("I")
    assert here.page.desk.marked_frames() == (30, 30)
    assert "reaction" not in here.toast


class Plays(QObject):
    """What plays, as far as the trail asks it."""

    picture_changed = Signal(object)
    playing_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.playing = self.backward = False
        self.only: tuple[int, ...] = ()
        self.position = 0
        self.source = SimpleNamespace(index=read_index(clips.clip("h264_bframes.mp4")))
        self.trail = Trail(self, clock=lambda: self.now)

    def start(self, at: int, *, backward: bool = False) -> None:
        self.playing, self.backward, self.position = True, backward, at
        self.playing_changed.emit(True)

    def show(self, *frames: int, every_s: float = 1 / 30) -> None:
        for i in frames:
            self.now += every_s
            self.position = i
            self.picture_changed.emit(Picture("clip", i, None))


@pytest.fixture
def plays() -> Plays:
    return Plays()


@pytest.mark.parametrize(
    ("frames", "meant"),
    [
        (range(1, 46), 30),  # 1×
        (range(2, 89, 2), 58),  # 2×: every other frame
        (range(4, 89, 4), 28),  # 4×
    ],
)
def test_reaction_counts_at_the_speed_that_it_plays(plays, frames, meant):
    plays.start(0)
    plays.show(*frames)
    assert plays.trail.before(0.5 - 1e-6) == meant


def test_slowly_played_it_is_fewer_frames(plays):
    plays.start(0)
    plays.show(*range(1, 20), every_s=1 / 3)  # 0.1×
    assert plays.trail.before(0.5) == 17


def test_backward_it_is_a_later_frame(plays):
    plays.start(89, backward=True)
    plays.show(*range(88, 44, -1))
    assert plays.trail.before(0.5 - 1e-6) == 60


def test_picture_that_stood_before_a_gap_is_the_one_that_was_seen(plays):
    plays.start(10)
    plays.show(*range(11, 30))
    plays.show(30, every_s=1.0)  # the gap was passed over after a second
    plays.show(31, 32)
    assert plays.trail.before(0.5) == 29


def test_change_of_speed_counts_each_part_at_its_own(plays):
    plays.start(0)
    plays.show(*range(4, 41, 4))  # 4× until frame 40
    plays.show(*range(41, 47), every_s=1 / 15)  # then half as fast as recorded, for 0.4 s
    assert plays.trail.before(0.48) == 28


def test_only_what_played_from_here_on_is_meant(plays):
    plays.start(30)
    plays.show(31, 32, 33)
    assert plays.trail.before(0.5) == 30  # it had stood there
    plays.show(70, 71, 72)  # two seconds on, by a key
    assert plays.trail.before(0.5) == 70
    plays.show(40, 41)  # a loop begins anew
    assert plays.trail.before(0.5) == 40


def test_among_the_frames_of_a_model_it_is_the_one_that_was_shown(plays):
    plays.only = (0, 40, 80)
    plays.start(0)
    plays.show(40, 80, every_s=0.25)
    assert plays.trail.before(0.2) == 40


def test_clip_that_stands_has_no_trail(plays):
    plays.start(0)
    plays.show(1, 2)
    plays.playing = False
    plays.playing_changed.emit(False)
    plays.show(50)
    assert plays.trail.before(0.5) is None


def test_memory_of_an_hour_is_that_of_seconds(plays):
    plays.start(0)
    for _ in range(40):
        plays.show(*range(1, 89))
    assert len(plays.trail._shown) < 200


def test_nothing_is_taken_off_unless_it_is_asked_for():
    assert Settings().reaction_time_s == 0.0
