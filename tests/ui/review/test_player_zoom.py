"""Zoom and pan: where the picture lies, that each pixel of the file is one of the screen's, and what the mouse does."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui.review.players import pixels, player
from vvlm_desktop.ui.review.zoom import Place, Zoom, scale_text
from vvlm_desktop.video.reader import FrameReader

__all__ = ["player"]

ROOM, SHAPE = (800.0, 450.0), (1600.0, 900.0)


def test_all_of_it_is_letterboxed_in_the_middle():
    assert Zoom().place((800, 600), SHAPE) == Place(0, 75, 800, 450)


def test_steps_are_one_to_one_then_two_to_one_then_all_of_it():
    zoom, scales = Zoom(), []
    for _ in range(3):
        zoom.cycle(ROOM, SHAPE, (0, 0))
        scales.append(zoom.scale(ROOM, SHAPE))
    assert scales == [1.0, 2.0, 0.5]
    assert zoom.fits


def test_a_small_picture_is_never_made_smaller_by_zooming():
    zoom = Zoom()
    zoom.cycle((960, 540), (320, 180), (0, 0))
    assert zoom.scale((960, 540), (320, 180)) == 4.0
    zoom.cycle((960, 540), (320, 180), (0, 0))
    assert zoom.fits


@pytest.mark.parametrize("at", [(0.0, 0.0), (200.0, 100.0), (790.0, 440.0)])
def test_what_lies_under_the_pointer_stays_there(at):
    zoom = Zoom()

    def share() -> tuple[float, float]:
        place = zoom.place(ROOM, SHAPE)
        return (at[0] - place.left) / place.width, (at[1] - place.top) / place.height

    before = share()
    for notches in (1, 3, 2, -2):
        zoom.turn(notches, ROOM, SHAPE, at)
        assert share() == pytest.approx(before, abs=0.002)


def test_wheel_stops_at_all_of_it_and_at_the_largest():
    zoom = Zoom()
    zoom.turn(100, ROOM, SHAPE, (0, 0))
    assert zoom.scale(ROOM, SHAPE) == 16
    zoom.turn(-100, ROOM, SHAPE, (0, 0))
    assert zoom.fits


def test_pulling_stops_at_the_edges():
    zoom = Zoom()
    zoom.cycle(ROOM, SHAPE, (0, 0))
    zoom.pan(-100, -50, ROOM, SHAPE)
    assert zoom.place(ROOM, SHAPE) == Place(-100, -50, 1600, 900)
    zoom.pan(5000, -5000, ROOM, SHAPE)
    assert zoom.place(ROOM, SHAPE) == Place(0, -450, 1600, 900)
    zoom.pan(-10, 10, ROOM, SHAPE)
    assert zoom.place(ROOM, SHAPE) == Place(-10, -440, 1600, 900), "no slack is left over from pulling too far"


def test_scale_is_told_as_people_say_it():
    assert [scale_text(s) for s in (1.0, 2.0, 1.25, 0.5)] == ["1:1", "2:1", "125 %", "50 %"]


# -- painted


def shown_and_true(here, i: int) -> tuple[np.ndarray, np.ndarray]:
    with FrameReader(here.source.path, here.index) as reader:
        return pixels(here.view.grab().toImage()).astype(int), reader.rgb(i).astype(int)


@pytest.fixture
def small(player):
    """A 320 × 180 clip in a window of 240 × 135, so that not all of it fits at 1:1."""
    here = player("h264_bframes.mp4", at=7)
    here.view.resize(240, 135)
    here.wait_for(7)
    return here


def test_one_to_one_paints_the_pixels_of_the_file(small):
    small.view.hand.zoom.cycle(small.view.hand.room, (320, 180), (0, 0))
    shown, true = shown_and_true(small, 7)
    assert small.view.hand.scale == 1
    assert np.abs(shown - true[:135, :240]).mean() < 2


def test_two_to_one_paints_each_pixel_as_a_square(small):
    for _ in range(2):
        small.view.hand.zoom.cycle(small.view.hand.room, (320, 180), (0, 0))
    small.view.update()
    shown, true = shown_and_true(small, 7)
    assert (shown[0:134:2, 0:240:2] == shown[1:135:2, 1:240:2]).all(), "crisp"
    assert np.abs(shown[0:134:2, 0:240:2] - true[:67, :120]).mean() < 2


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_clip_is_zoomed_upright(player, degrees):
    here = player(f"h264_rotated_{degrees}.mp4", at=7)
    here.view.setMinimumSize(1, 1)
    here.view.resize(here.index.width // 2, here.index.height // 2)
    here.wait_for(7)
    here.view.hand.zoom.cycle(here.view.hand.room, (here.index.width, here.index.height), (0, 0))
    shown, true = shown_and_true(here, 7)
    assert np.abs(shown - true[: shown.shape[0], : shown.shape[1]]).mean() < 2


def test_the_scale_stands_over_the_picture_while_zoomed(small):
    assert small.view.badges.isHidden()
    small.view.hand.cycle()
    assert small.view.badges.texts == ("Zoom 1:1",)
    assert small.view.badges.accessibleName() == "Zoom 1:1"
    small.view.hand.fit()
    assert small.view.badges.isHidden()


# -- the mouse


def wheel(view, at: QPointF, notches: int, modifiers=Qt.KeyboardModifier.ControlModifier) -> None:
    event = QWheelEvent(
        at,
        view.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def drag(view, start: QPoint, end: QPoint) -> None:
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, pos=start)
    for share in (0.3, 0.6, 1.0):
        at = QPointF(start) + (QPointF(end) - QPointF(start)) * share
        event = QMouseEvent(
            QMouseEvent.Type.MouseMove, at, view.mapToGlobal(at), left, left, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(view, event)
    QTest.mouseRelease(view, left, pos=end)


def test_ctrl_and_wheel_zoom_and_the_wheel_alone_does_not(small):
    wheel(small.view, QPointF(60, 40), 2, Qt.KeyboardModifier.NoModifier)
    assert small.view.hand.zoom.fits
    wheel(small.view, QPointF(60, 40), 2)
    assert small.view.hand.scale == pytest.approx(0.75 * 1.25**2)


def test_dragging_pans_and_is_no_click(small):
    clicks = []
    small.view.clicked.connect(lambda: clicks.append(1))
    small.view.hand.zoom.cycle(small.view.hand.room, (320, 180), (0, 0))
    drag(small.view, QPoint(100, 100), QPoint(70, 80))
    place = small.view.hand.zoom.place(small.view.hand.room, (320, 180))
    assert (place.left, place.top) == (-30, -20)
    assert clicks == []
    QTest.mouseClick(small.view, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    assert clicks == [1]


def test_dragging_all_of_the_picture_pulls_nothing_and_is_no_click(small):
    clicks = []
    small.view.clicked.connect(lambda: clicks.append(1))
    drag(small.view, QPoint(100, 100), QPoint(110, 100))
    assert (clicks, small.view.hand.zoom.fits) == ([], True)
    drag(small.view, QPoint(100, 100), QPoint(101, 100))
    assert clicks == [1]


def test_double_click_shows_all_of_it_again(small):
    small.view.hand.cycle()
    QTest.mouseDClick(small.view, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    assert small.view.hand.zoom.fits


def test_right_button_does_nothing(small):
    clicks = []
    small.view.clicked.connect(lambda: clicks.append(1))
    QTest.mouseClick(small.view, Qt.MouseButton.RightButton, pos=QPoint(50, 50))
    assert clicks == []


def test_side_buttons_go_back_and_forward(small):
    pressed = []
    small.view.hand.back_pressed.connect(lambda: pressed.append("back"))
    small.view.hand.forward_pressed.connect(lambda: pressed.append("forward"))
    QTest.mouseClick(small.view, Qt.MouseButton.BackButton, pos=QPoint(50, 50))
    QTest.mouseClick(small.view, Qt.MouseButton.ForwardButton, pos=QPoint(50, 50))
    assert pressed == ["back", "forward"]
