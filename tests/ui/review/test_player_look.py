"""Brightness, contrast and gamma change what is seen, say so, and change nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.review.players import pixels, player
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.overlay import Toast
from vvlm_desktop.ui.review.picture_look import Look
from vvlm_desktop.ui.review.picture_tools import PictureTools

__all__ = ["player"]


@pytest.fixture
def here(player):
    made = player("h264_bframes.mp4", at=7)
    made.wait_for(7)
    made.tools = PictureTools(made.view, Toast(made.view))
    return made


def seen(here) -> np.ndarray:
    for child in (here.tools.panel, here.view.badges):
        child.hide()
    return pixels(here.view.grab().toImage()).astype(int)


def test_a_plain_look_changes_no_level():
    assert Look().table() == bytes(range(256))


@pytest.mark.parametrize("look", [Look(60), Look(-60), Look(0, 50), Look(0, -50), Look(gamma=2.5), Look(30, 30, 0.5)])
def test_darker_stays_darker_and_the_ends_stay_in_range(look):
    table = look.table()
    assert list(table) == sorted(table)
    assert table != bytes(range(256))


def test_gamma_lifts_the_dark_and_keeps_black_and_white():
    table = Look(gamma=2.0).table()
    assert (table[0], table[255]) == (0, 255)
    assert table[64] == pytest.approx(128, abs=1)


def test_every_pixel_goes_through_the_table(here):
    before = seen(here)
    look = Look(20, 30, 1.4)
    here.view.set_look(look)
    assert (seen(here) == np.frombuffer(look.table(), np.uint8)[before]).all()
    here.view.set_look(Look())
    assert (seen(here) == before).all()


def test_the_decoded_frame_is_left_as_it_was(here):
    frame = here.view.picture.frame
    before = frame.to_ndarray().copy()
    here.view.set_look(Look(80, 50, 2.0))
    seen(here)
    assert (frame.to_ndarray() == before).all()


def test_it_is_marked_over_the_picture_as_long_as_it_is_on(here):
    here.tools.toggle_look()
    assert here.view.look.plain, "opening the sliders changes nothing yet"
    assert here.view.badges.texts == ("View only: nothing changed yet",)
    here.tools.panel.brightness.setValue(25)
    here.tools.panel.gamma.setValue(160)
    assert here.view.badges.texts == ("View only: brightness +25, gamma 1.60",)
    here.tools.panel.close_button.click()
    assert here.tools.panel.isHidden()
    assert here.view.badges.texts, "closing the panel does not hide that the picture is changed"
    here.tools.toggle_look()
    assert here.view.badges.texts == ()
    assert here.view.look == Look()


def test_switching_on_again_takes_what_was_set_last(here):
    here.tools.toggle_look()
    here.tools.panel.contrast.setValue(40)
    here.tools.toggle_look()
    here.tools.toggle_look()
    assert here.view.look == Look(0, 40)


def test_as_recorded_leaves_the_mark_as_long_as_the_panel_is_open(here):
    here.tools.toggle_look()
    here.tools.panel.as_recorded.click()
    assert here.view.look.plain
    assert here.view.badges.texts == ("View only: nothing changed yet",)


def test_zoom_and_look_end_with_the_clip_unless_they_are_kept(here):
    here.view.resize(240, 135)
    here.tools.zoom()
    here.tools.toggle_look()
    here.tools.panel.gamma.setValue(160)
    here.tools.toggle_kept()
    here.tools.new_clip()
    assert here.view.badges.texts == ("Zoom 1:1, kept", "View only: gamma 1.60, kept")
    here.tools.toggle_kept()
    here.tools.new_clip()
    assert here.view.badges.texts == ()
    assert here.view.hand.zoom.fits
    assert here.view.look.plain


def test_sliders_have_names_and_a_click_does_not_take_the_keys(here):
    panel = here.tools.panel
    for slider in (panel.brightness, panel.contrast, panel.gamma):
        assert "view only" in slider.accessibleName()
        assert not slider.focusPolicy() & slider.focusPolicy().ClickFocus


@pytest.mark.parametrize("width", [1400, 700, 420])
def test_a_sentence_lies_over_no_mark(here, width):
    toast = here.tools._toast
    here.view.resize(width, 400)
    here.view.badges.mark("look", "Brightness +20, contrast +30, gamma 1.4: view only")
    toast.say("Zoom and brightness stay for the next clips.")
    assert toast.isVisible()
    assert not toast.geometry().intersects(here.view.badges.geometry())
    assert here.view.rect().contains(toast.geometry())
    for name in ("zoom", "keep"):  # more of them while it stands
        here.view.badges.mark(name, "Zoom 200 %, kept for the next clips")
    assert not toast.geometry().intersects(here.view.badges.geometry())
    for name in ("zoom", "keep", "look"):
        here.view.badges.mark(name, "")
    assert toast.y() == theme.MARGIN
