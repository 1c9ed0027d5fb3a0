"""A right click on the picture offers what is most often wanted of it."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu

from tests import clips


@pytest.fixture
def here(stage, add_clip, tmp_path):
    """Two clips of one moment, the front one open."""
    files = (("h264_bframes.mp4", "2023_0204_163814_000123F.mp4"), ("h264_gop250.mp4", "2023_0204_163814_000124R.mp4"))
    front, _rear = (
        add_clip(path=shutil.copyfile(clips.clip(clip), tmp_path / name), labels=None) for clip, name in files
    )
    here = stage()
    here.page.activate(front.id)
    here.qtbot.waitUntil(lambda: bool(here.page.desk.cameras.tiles), timeout=5000)
    return here


def entries(menu: QMenu) -> dict[str, object]:
    return {action.text().partition("\t")[0]: action for action in menu.actions() if action.text()}


def test_it_offers_copying_saving_zooming_looking_and_the_cameras_with_their_keys(here):
    menu = here.page.commands.picture_menu.make()
    texts = [action.text() for action in menu.actions() if action.text()]
    assert "Copy the frame, full size\tCtrl+Shift+C" in texts
    assert "Save the frame\tCtrl+S" in texts
    assert "Full screen\tF" in texts
    assert [*entries(menu)][4:] == [
        "Zoom: 1:1, 2:1, all of it",
        "Show all of the picture",
        "Brightness, contrast, gamma (view only), or as recorded",
        "Full screen",
        "Other cameras",
    ]
    cameras = entries(menu)["Other cameras"].menu()
    assert any(action.text().startswith("Rear · ") and action.isChecked() for action in cameras.actions())
    menu.deleteLater()


def test_what_is_chosen_is_done(here):
    menu = here.page.commands.picture_menu.make()
    entries(menu)["Zoom: 1:1, 2:1, all of it"].trigger()
    assert not here.page.desk.view.hand.zoom.fits
    entries(menu)["Show all of the picture"].trigger()
    assert here.page.desk.view.hand.zoom.fits
    menu.deleteLater()


def test_a_right_click_opens_it_and_neither_plays_nor_pauses(here):
    view = here.page.desk.view
    playing = here.page.desk.playback.playing
    place = QPoint(20, 20)
    QApplication.sendEvent(view, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, view.mapToGlobal(place)))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "Save the frame" in entries(menu)
    menu.close()
    assert here.page.desk.playback.playing == playing


def test_without_another_clip_of_the_drive_it_says_so(stage, add_clip):
    add_clip()
    here = stage()
    here.open()
    menu = here.page.commands.picture_menu.make()
    assert not entries(menu)["No other clip of this drive"].isEnabled()
    menu.deleteLater()
