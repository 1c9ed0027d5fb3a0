"""How clips want to be seen: turned, with wide pixels, in the full range of levels, interlaced."""

from __future__ import annotations

import numpy as np
import pytest

from tests import clips
from tests.ui.review.players import pixels, player
from tests.unit.video.test_deinterlace import woven
from vvlm_desktop.video.reader import FrameReader

__all__ = ["player"]


def shown(here, i: int) -> np.ndarray:
    here.view.badges.hide()
    return pixels(here.view.grab().toImage()).astype(int)


def stored(here, i: int) -> np.ndarray:
    with FrameReader(here.source.path, here.index) as reader:
        return reader.rgb(i).astype(int)


@pytest.mark.parametrize(
    "name", ["h264_full_range.mp4", "h264_bframes.mp4", "h264_odd_444.mp4", "hevc_10bit.mp4", "h264_rotated_90.mp4"]
)
def test_levels_and_shape_are_those_that_a_model_is_given(player, name):
    here = player(name, at=3)
    here.view.setMinimumSize(1, 1)
    here.view.resize(here.index.width, here.index.height)
    here.wait_for(3)
    assert np.abs(shown(here, 3) - stored(here, 3)).mean() < 2


def test_full_range_keeps_what_limited_range_would_cut_off(player):
    full, limited = player("h264_full_range.mp4", at=3), player("h264_bframes.mp4", at=3)
    for here in (full, limited):
        here.view.resize(320, 180)
        here.wait_for(3)
    assert np.abs(shown(full, 3) - shown(limited, 3)).mean() < 3, "the same picture, coded in two ways"


def test_wide_pixels_stay_wide_while_zoomed(player):
    here = player("h264_wide_pixels.mp4", at=3)
    here.view.resize(240, 135)
    here.wait_for(3)
    here.view.hand.cycle()
    assert here.view.hand.scale == 1
    place = here.view.hand.zoom.place(here.view.hand.room, (320 * 4 / 3, 180))
    assert (place.width, place.height) == (427, 180)


@pytest.fixture
def interlaced(player, tmp_path, monkeypatch):
    path = woven(tmp_path / "woven.mp4")
    monkeypatch.setattr(clips, "clip", lambda name: path)
    here = player("woven.mp4", at=4)
    here.view.resize(320, 176)
    here.wait_for(4)
    return here


def comb(picture: np.ndarray) -> float:
    return float(np.abs(2 * picture[1:-1] - picture[:-2] - picture[2:]).mean())


def test_interlaced_frames_are_shown_as_one_picture_and_say_so(interlaced):
    assert interlaced.view.badges.texts == ("Deinterlaced, view only",)
    assert comb(shown(interlaced, 4)) < 1
    assert interlaced.view.on_screen.frame.pts == interlaced.index.pts[4], "the frame itself stays the painted one"


def test_fields_can_be_seen_as_recorded(interlaced):
    assert not interlaced.view.toggle_fields()
    assert interlaced.view.badges.texts == ()
    assert comb(shown(interlaced, 4)) > 10


def test_models_and_saved_frames_get_the_frame_as_it_was_decoded(interlaced):
    assert comb(stored(interlaced, 4)) > 10


def test_progressive_frames_are_not_touched(player):
    here = player("h264_bframes.mp4", at=4)
    here.wait_for(4)
    assert here.view.badges.texts == ()
    assert here.view.picture.before is None
