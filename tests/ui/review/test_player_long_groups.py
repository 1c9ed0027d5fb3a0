"""Dragging through a clip with one keyframe: small copies at once, marked as such, and the exact frame on release."""

from __future__ import annotations

import pytest

from tests import clips
from tests.ui.review.players import pixels, player
from vvlm_desktop.video import proxy

__all__ = ["player"]

LONG = "h264_one_key_30s.mp4"


@pytest.fixture
def here(player, tmp_path, monkeypatch):
    monkeypatch.setattr(proxy, "LONG_GOP_FRAMES", 60)
    made = player(LONG)
    made.wait_for(0)
    made.source.make_previews(tmp_path)
    assert made.source._proxy.wait(10)
    made.hold = monkeypatch
    return made


def hold_decoding(here) -> list[int]:
    """From now on nothing decoded arrives, as in a clip that takes seconds; what was asked for."""
    asked: list[int] = []
    here.hold.setattr(here.source, "cached", lambda i: None)
    here.hold.setattr(here.source, "request", asked.append)
    return asked


def test_each_place_of_a_drag_shows_its_picture_at_once(here):
    asked = hold_decoding(here)
    for i in (20, 90, 55, 110):
        here.play.seek(i, dragging=True)
        assert here.view.picture.frame_index == i
        assert clips.read_code(shown(here)) == i
    assert asked == [20, 90, 55, 110], "the exact frame is wanted all the same"


def shown(here):
    here.view.badges.hide()
    return pixels(here.view.grab().toImage())


def test_a_copy_is_marked_and_proves_nothing(here):
    hold_decoding(here)
    here.play.seek(70, dragging=True)
    assert here.view.badges.texts == ("Preview, the exact frame follows",)
    here.view.repaint()
    assert here.painted[-1] == -1, "it does not count as looked at"
    assert here.view.on_screen is None


def test_the_exact_frame_takes_the_place_of_its_copy(here):
    here.play.seek(70, dragging=True)
    here.play.seek(71)
    here.wait_for(71)
    assert here.view.picture.exact
    assert here.view.on_screen.frame.width == here.index.width
    assert here.view.badges.texts == ()
    assert here.code() == 71


def test_the_exact_frame_replaces_a_copy_of_the_same_number(here):
    request = here.source.request
    hold_decoding(here)
    here.play.seek(70)
    assert here.view.picture.reduced_from == (here.index.width, here.index.height)
    request(70)
    here.wait_for(70)
    assert here.view.picture.reduced_from is None


def test_frames_met_on_the_way_do_not_push_out_a_nearer_copy(here):
    frame = here.source.cached(0).frame
    hold_decoding(here)
    here.play.seek(90, dragging=True)
    from vvlm_desktop.ui.review.player_view import Picture

    here.play._on_decoded(Picture("clip", 15, frame, exact=False))
    assert here.view.picture.frame_index == 90


def test_a_copy_lies_where_the_frame_lies_also_while_zoomed(here):
    here.view.resize(240, 135)
    here.play.seek(40)
    here.wait_for(40)
    here.view.hand.cycle()
    place = here.view.hand.zoom.place(here.view.hand.room, (320, 180))
    hold_decoding(here)
    here.play.seek(80, dragging=True)
    here.view.repaint()
    assert here.view.hand.zoom.place(here.view.hand.room, (320, 180)) == place
    assert here.view.hand._shape == (320.0, 180.0)


def test_a_clip_with_enough_keyframes_has_no_copies(player, tmp_path):
    made = player("h264_bframes.mp4")
    made.source.make_previews(tmp_path)
    assert not made.source.has_previews
    assert made.source.preview(5) is None
    assert list(tmp_path.iterdir()) == []
