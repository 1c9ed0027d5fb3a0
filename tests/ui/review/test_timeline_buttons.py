"""A second button that is pressed during a drag ends nothing and stores nothing."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests import clips
from tests.ui.review.timelines import a_timeline, at_frame, scrubs
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.video.index import read_index


@pytest.fixture
def timeline(qtbot: QtBot, look: object) -> Timeline:
    return a_timeline(qtbot, read_index(clips.clip("h264_bframes.mp4")))


def click_beside(timeline: Timeline, place: QPoint, button: Qt.MouseButton) -> None:
    QTest.mousePress(timeline, button, Qt.KeyboardModifier.NoModifier, place)
    asked = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, timeline.mapToGlobal(place))
    QApplication.sendEvent(timeline, asked)
    QTest.mouseRelease(timeline, button, Qt.KeyboardModifier.NoModifier, place)


@pytest.mark.parametrize("button", [Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton])
def test_the_hand_goes_on_until_the_button_that_drags_is_let_go(timeline: Timeline, button: Qt.MouseButton) -> None:
    said = scrubs(timeline)
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(timeline, left, Qt.KeyboardModifier.NoModifier, at_frame(timeline, 10))
    QTest.mouseMove(timeline, at_frame(timeline, 20))
    click_beside(timeline, at_frame(timeline, 20), button)
    assert not timeline._menu.isVisible()
    QTest.mouseMove(timeline, at_frame(timeline, 30))
    QTest.mouseRelease(timeline, left, Qt.KeyboardModifier.NoModifier, at_frame(timeline, 40))
    assert [dragging for _, dragging in said] == [True, True, True, False]
    assert [i for i, _ in said] == [10, 20, 30, 40]


def test_the_menu_comes_where_nothing_is_dragged(timeline: Timeline) -> None:
    click_beside(timeline, at_frame(timeline, 20), Qt.MouseButton.RightButton)
    assert timeline._menu.isVisible()
    timeline._menu.close()
