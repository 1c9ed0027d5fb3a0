"""The painted frame is exactly the one named under it, after seeks, steps, drags and while playing."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests import clips
from tests.ui.review.players import pixels, player
from vvlm_desktop.errors import FrameUnreadableError
from vvlm_desktop.ui.review.play_line import Span
from vvlm_desktop.video.reader import FrameReader

__all__ = ["player"]

EXACT = (
    "h264_bframes.mp4",
    "h264_gop250.mp4",
    "h264_edit_list.mp4",
    "h264.ts",
    "h264_vfr.mp4",
)


@pytest.mark.parametrize("name", EXACT)
def test_painted_frame_is_the_wanted_one_after_random_seeks(player, name):
    here = player(name)
    numbers = clips.codes(name)
    for i in random.Random(name).sample(range(len(here.index)), 8):
        here.play.seek(i)
        here.wait_for(i)
        assert here.code() == numbers[i]
        assert here.view.picture.frame.pts == here.index.pts[i]


def test_steps_forward_and_back_show_each_neighbour(player):
    here = player("h264_bframes.mp4", at=31)
    here.wait_for(31)
    for wanted, step in ((32, 1), (33, 1), (32, -1), (31, -1), (30, -1), (29, -1)):
        here.play.step(step)
        here.wait_for(wanted)
        assert here.code() == wanted


def test_drag_ends_on_exactly_the_frame_under_the_mouse(player):
    here = player("h264_gop250.mp4")
    here.wait_for(0)
    for i in (10, 70, 30, 110, 55):
        here.play.seek(i, dragging=True)
    here.play.seek(83)
    here.wait_for(83)
    assert here.code() == 83


def test_every_picture_during_a_drag_carries_its_own_number(player, qtbot):
    here = player("h264_gop250.mp4")
    here.wait_for(0)
    seen = []
    here.play.picture_changed.connect(lambda p: seen.append((p.frame_index, p.frame.pts)))
    for i in range(5, 115, 5):
        here.play.seek(i, dragging=True)
        qtbot.wait(1)
    here.play.seek(114)
    here.wait_for(114)
    assert all(here.index.pts[i] == pts for i, pts in seen)


def test_steps_stop_at_both_ends(player):
    here = player("h264_bframes.mp4", at=1)
    here.play.step(-5)
    assert here.play.position == 0
    here.play.seek(10_000)
    assert here.play.position == len(here.index) - 1
    here.play.step(1)
    assert here.play.position == len(here.index) - 1


def test_skip_goes_by_time_also_where_frames_are_uneven(player):
    here = player("h264_vfr.mp4")
    here.play.skip(1.0)
    assert here.play.position == here.index.at_time(1.0)


def test_plays_in_real_time_and_skips_nothing(player):
    here = player("h264_bframes.mp4")
    here.wait_for(0)
    here.play.play()
    shown = here.run(1.0)
    assert shown == list(range(1, len(shown) + 1))
    assert len(shown) == pytest.approx(30, abs=1)


def test_double_speed_passes_twice_the_frames(player):
    here = player("h264_bframes.mp4")
    here.wait_for(0)
    here.play.play(2.0)
    assert here.run(1.0)[-1] == pytest.approx(60, abs=2)


def test_plays_backward(player):
    here = player("h264_bframes.mp4", at=60)
    here.wait_for(60)
    here.play.play(backward=True)
    shown = here.run(0.5)
    assert shown == list(range(59, 59 - len(shown), -1))
    assert shown[-1] == pytest.approx(45, abs=1)


def test_stays_on_the_last_frame_at_the_end(player):
    here = player("h264_bframes.mp4", at=80)
    here.wait_for(80)
    here.play.play()
    here.run(1.0)
    assert not here.play.playing
    assert here.play.position == len(here.index) - 1


def test_play_at_the_end_starts_over(player):
    here = player("h264_bframes.mp4", at=89)
    here.wait_for(89)
    here.play.play()
    assert here.play.position == 0


def test_span_plays_once_and_rests_on_its_frame(player, qtbot):
    here = player("h264_bframes.mp4")
    with qtbot.waitSignal(here.play.span_finished):
        here.play.play_span(10, 30, rest=22)
        shown = here.run(1.0)
    assert 10 not in shown or shown[0] == 10
    assert max(shown) == 30
    here.wait_for(22)
    assert not here.play.playing


def test_loop_goes_round_until_it_is_stopped(player):
    here = player("h264_bframes.mp4")
    here.play.play_span(10, 20, rest=None)
    shown = here.run(1.0)
    assert set(shown) == set(range(10, 21))
    assert shown.count(15) >= 2
    assert here.play.looping
    here.play.stop_loop()
    assert here.run(0.5)[-1] > 20


def test_only_the_models_frames_are_stepped_through_and_played(player):
    here = player("h264_bframes.mp4", at=12)
    here.wait_for(12)
    here.play.show_only((5, 25, 45, 65))
    here.wait_for(5)
    here.play.step(1)
    here.wait_for(25)
    here.play.step(-1)
    here.wait_for(5)
    here.play.play()
    assert set(here.run(2.5)) <= {5, 25, 45, 65}
    assert here.play.position == 65


def test_clock_waits_for_a_slow_decoder_instead_of_passing_over_frames(player, monkeypatch):
    here = player("h264_bframes.mp4")
    here.wait_for(0)
    here.play.play()
    monkeypatch.setattr(here.source, "cached", lambda i: None)
    monkeypatch.setattr(here.source, "left_out", lambda i: False)
    here.run(2.0)
    monkeypatch.undo()
    shown = here.run(0.2)
    assert shown[0] <= 6, "two seconds without a picture did not pass on the clip's clock"


def test_pause_stays_on_the_frame_that_is_shown(player):
    here = player("h264_bframes.mp4")
    here.wait_for(0)
    here.play.play()
    shown = here.run(0.4)
    here.play.pause()
    assert here.play.position == shown[-1]
    here.wait_for(shown[-1])


def test_unreadable_frame_shows_a_sentence_and_no_neighbour(player, qtbot, monkeypatch):
    here = player("h264_bframes.mp4")
    here.wait_for(0)

    def refuse(self, i):
        raise FrameUnreadableError(self.path, i, "the picture is damaged")

    walk = FrameReader.walk
    monkeypatch.setattr(FrameReader, "frame", refuse)
    monkeypatch.setattr(FrameReader, "walk", lambda self, start=0: (s for s in walk(self, start) if s[0] != 70))
    here.play.seek(70)
    qtbot.waitUntil(lambda: here.view.picture is not None and here.view.picture.frame_index == 70)
    assert here.view.picture.frame is None
    assert "70" in here.view.picture.problem
    here.wait_for(-1)
    assert np.median(pixels(here.view.grab().toImage())) == 0, "black, with a sentence on it"
    here.play.step(1)
    here.wait_for(71)
    assert here.code() == 71


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_clip_stands_upright_as_the_model_sees_it(player, degrees):
    here = player(f"h264_rotated_{degrees}.mp4")
    here.view.setMinimumSize(1, 1)
    here.view.resize(here.index.width, here.index.height)
    here.play.seek(7)
    here.wait_for(7)
    shown = pixels(here.view.grab().toImage())
    with FrameReader(here.source.path, here.index) as reader:
        upright = reader.rgb(7)
    assert shown.shape == upright.shape
    assert np.abs(shown.astype(int) - upright).mean() < 2


def test_wide_pixels_are_shown_wide(player):
    here = player("h264_wide_pixels.mp4")
    here.view.resize(320, 180)
    here.play.seek(3)
    here.wait_for(3)
    picture = pixels(here.view.grab().toImage())
    bar = (180 - round(180 * 3 / 4)) // 2
    assert picture[: bar - 1].max() == 0
    assert clips.read_code(picture[bar:-bar]) == 3


def test_picture_is_letterboxed_in_its_own_shape(player):
    here = player("h264_bframes.mp4", at=3)
    here.view.resize(400, 180)
    here.wait_for(3)
    picture = pixels(here.view.grab().toImage())
    assert picture[:, :38].max() == 0
    assert picture[:, -38:].max() == 0
    assert clips.read_code(picture[:, 40:360]) == 3


def test_rates_go_through_their_steps(player):
    here = player("h264_bframes.mp4")
    here.play.change_rate(1)
    assert here.play.rate == 1.5
    here.play.change_rate(-2)
    assert here.play.rate == 0.5
    for _ in range(9):
        here.play.change_rate(-1)
    assert here.play.rate == 0.1
    for _ in range(20):
        here.play.change_rate(1)
    assert here.play.rate == 4.0


def test_span_is_a_loop_when_it_rests_nowhere():
    assert Span(1, 2).rest is None
