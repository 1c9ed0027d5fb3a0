"""Marks that are made while the clip plays: earlier by the reviewer's reaction time, if one is set."""

from __future__ import annotations

import pytest

from tests import clips
from tests.ui.review.conftest import watch
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.review.clip_source import ClipSource
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.reaction import reacted
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
    play_through(here, 35)
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


def test_reaction_counts_at_the_speed_and_in_the_direction_that_it_plays(qtbot):
    index = read_index(clips.clip("h264_bframes.mp4"))
    source = ClipSource("clip", clips.clip("h264_bframes.mp4"), index, budget_bytes=32 << 20)
    playback = Playback()
    playback.open(source, at=45)
    assert reacted(playback, 45, 0.5) == 30
    playback.set_rate(2.0)
    assert reacted(playback, 45, 0.5) == 15
    assert reacted(playback, 5, 0.5) == 0
    playback.play(1.0, backward=True)
    assert reacted(playback, 45, 0.5) == 60
    playback.pause()
    playback.open(None)
    source.close()


def test_nothing_is_taken_off_unless_it_is_asked_for():
    assert Settings().reaction_time_s == 0.0
