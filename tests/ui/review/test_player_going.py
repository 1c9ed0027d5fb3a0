"""Going somewhere: back to where a jump began, typed places, loops, and no drift at any speed."""

from __future__ import annotations

import itertools

import pytest

from tests import clips
from tests.ui.review.players import player
from vvlm_desktop.ui.review.go_to import find_frame
from vvlm_desktop.ui.review.playback import RATES
from vvlm_desktop.ui.review.seek_history import SeekHistory
from vvlm_desktop.video.index import read_index

__all__ = ["player"]


# -- where jumps began


def test_history_goes_back_and_forward_like_a_browser():
    history = SeekHistory()
    history.jumped(0, 50)
    history.jumped(50, 20)
    assert history.back(20) == 50
    assert history.back(50) == 0
    assert history.back(0) is None
    assert history.forward(0) == 50
    assert history.forward(50) == 20
    assert history.forward(20) is None


def test_a_new_jump_forgets_what_lay_ahead():
    history = SeekHistory()
    history.jumped(0, 50)
    history.back(50)
    history.jumped(0, 30)
    assert history.forward(30) is None
    assert history.back(30) == 0


def test_a_nudge_is_no_jump():
    history = SeekHistory()
    history.jumped(10, 11)
    history.jumped(11, 8)
    assert history.back(8) is None


def test_going_back_from_where_playing_led_skips_the_place_itself():
    history = SeekHistory()
    history.jumped(10, 40)
    assert history.back(10) is None, "already there"


def test_jumps_count_and_playing_and_steps_do_not(player):
    here = player("h264_bframes.mp4")
    here.wait_for(0)
    here.play.jump(40)
    here.wait_for(40)
    here.play.play()
    here.run(0.3)
    here.play.pause()
    reached = here.play.position
    assert reached > 44
    here.play.step(1)
    assert here.play.go_back()
    assert here.play.position == 0
    assert here.play.go_back(forward=True)
    assert here.play.position == reached + 1


def test_a_whole_drag_is_one_jump(player):
    here = player("h264_bframes.mp4", at=5)
    here.wait_for(5)
    for i in (12, 30, 55, 70):
        here.play.jump(i, dragging=True)
    here.play.jump(72)
    here.wait_for(72)
    assert here.play.go_back()
    assert here.play.position == 5
    assert not here.play.go_back()


def test_another_clip_has_no_past(player):
    here = player("h264_bframes.mp4")
    here.play.jump(40)
    here.play.open(here.source, at=3)
    assert not here.play.go_back()


# -- typed places


@pytest.fixture(scope="module")
def index():
    return read_index(clips.clip("h264_bframes.mp4"))


@pytest.mark.parametrize("typed", ["#35", "35", "f35", "frame 35", " # 35 "])
def test_a_frame_is_typed_in_several_ways(index, typed):
    assert find_frame(index, typed) == 35


@pytest.mark.parametrize("form", ["PTS {}", "pts{}", "p{}", "P {}"])
def test_a_pts_is_the_frame_that_has_it(index, form):
    assert find_frame(index, form.format(index.pts[35])) == 35
    assert find_frame(index, form.format(index.pts[35] + 1)) is None


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("00:01.50", 45), ("1.5 s", 45), ("+1.5", 75), ("-0.5", 15), ("+#3", 33), ("-#3", 27), ("\u22120.5", 15)],
)
def test_times_and_distances(index, typed, wanted):
    assert find_frame(index, typed, here=30) == wanted


@pytest.mark.parametrize("typed", ["", "#", "#90", "90", "+9", "-9", "-#31", "p", "pts x", "+", "#-1", "1:99", "abc"])
def test_what_is_not_there_is_refused(index, typed):
    assert find_frame(index, typed, here=30) is None


# -- loops


def test_moving_a_mark_moves_the_loop(player):
    here = player("h264_bframes.mp4")
    here.play.play_span(10, 20, rest=None)
    here.run(0.5)
    here.play.change_loop(40, 48)
    assert here.play.position == 40
    assert set(here.run(1.0)[1:]) == set(range(40, 49))


def test_changing_a_loop_where_none_runs_does_nothing(player):
    here = player("h264_bframes.mp4", at=5)
    here.wait_for(5)
    here.play.change_loop(40, 48)
    assert here.play.position == 5
    assert not here.play.looping


def test_loop_goes_round_backward_too(player):
    here = player("h264_bframes.mp4")
    here.play.play_span(10, 20, rest=None)
    here.play.play(backward=True)
    shown = here.run(1.0)
    assert set(shown[1:]) == set(range(10, 21))
    assert shown.count(15) >= 2


# -- no drift


@pytest.mark.parametrize(("rate", "backward"), list(itertools.product(RATES, [False, True])))
def test_no_drift_at_any_speed_in_either_direction(player, rate, backward):
    here = player("h264_bframes.mp4", at=89 if backward else 0)
    here.wait_for(89 if backward else 0)
    assert here.source.wait_idle(5)
    here.play.play(rate, backward=backward)
    assert here.source.wait_idle(5)  # what comes first is decoded once it is known in which direction it plays
    shown: list[int] = []
    here.play.picture_changed.connect(lambda picture: shown.append(picture.frame_index))
    media_s = 0.6 * min(1.0, rate * 2)
    ticks = round(media_s / rate * 60)
    for tick in range(1, ticks + 1):
        here.clock.now += 1 / 60
        here.play.tick()
        gone_s = tick / 60 * rate
        wanted_s = here.index.seconds(89) - gone_s if backward else gone_s
        behind_s = wanted_s - here.index.seconds(here.play.position)
        assert -1e-6 <= behind_s < 1 / 30 + 1e-6, "the frame on screen is the one whose turn it is"
        assert here.source.wait_idle(5)
    assert shown == sorted(set(shown), reverse=backward), "each once, in order"
    if rate <= 2:
        assert all(abs(late - early) == 1 for early, late in itertools.pairwise(shown)), "none passed over"
