"""The timeline without a mouse, with a touchpad, and for those who cannot see it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from tests import clips
from tests.ui.review.conftest import watch
from tests.ui.review.timelines import a_mark, a_timeline, scrubs
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_model import Proof, TimelineModel
from vvlm_desktop.video.index import FrameIndex, read_index


@pytest.fixture(scope="module")
def index() -> FrameIndex:
    return read_index(clips.clip("h264_bframes.mp4"))


@pytest.fixture
def timeline(qtbot, look, index) -> Timeline:
    widget = a_timeline(qtbot, index)
    mark = a_mark(index, 30, 60, "evidence", "near miss")
    mark = replace(mark, proof=Proof("f", None, PtsRange(index.pts[30], index.pts[60])))
    widget.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=(a_mark(index, 5, 9), mark)))
    widget.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is widget)
    return widget


def two_fingers(timeline: Timeline, along: int, turn: int) -> None:
    """What a touchpad sends: small steps, never quite straight."""
    at = QPoint(400, 30)
    event = QWheelEvent(
        QPointF(at), timeline.mapToGlobal(QPointF(at)), QPoint(along // 8, turn // 8), QPoint(along, turn),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.ScrollUpdate, False,
    )  # fmt: skip
    QApplication.sendEvent(timeline, event)


def span_s(timeline: Timeline) -> float:
    start_s, end_s = timeline.visible_s()
    return end_s - start_s


# -- touchpad and mouse ----------------------------------------------------------------------------------------------


def test_two_fingers_up_zoom_as_far_as_a_notch_in_small_steps(timeline, index):
    for _ in range(15):
        two_fingers(timeline, 0, 8)
    assert span_s(timeline) == pytest.approx(index.duration_s * 0.8)


def test_two_fingers_aside_pan_and_do_not_zoom_although_they_are_not_quite_straight(timeline):
    timeline.set_position(45)
    timeline.zoom(2)
    before, start_s = span_s(timeline), timeline.visible_s()[0]
    for _ in range(10):
        two_fingers(timeline, -12, 3)
    assert span_s(timeline) == pytest.approx(before)
    assert timeline.visible_s()[0] > start_s


def test_pinch_zooms_at_the_pointer(timeline, index):
    x = timeline.x_of_frame(60)
    at = QPointF(x, 30)
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture, QPointingDevice.primaryPointingDevice(), 2, at, at,
        timeline.mapToGlobal(at), 0.25, QPointF(),
    )  # fmt: skip
    QApplication.sendEvent(timeline, pinch)
    assert span_s(timeline) == pytest.approx(index.duration_s / 1.25)
    assert timeline.x_of_frame(60) == pytest.approx(x, abs=1)


def test_drag_with_shift_pans_wherever_it_begins_and_moves_no_edge(timeline):
    found, moved = scrubs(timeline), []
    timeline.edge_moved.connect(moved.append)
    timeline.set_position(45)
    timeline.zoom(1)
    before = timeline.visible_s()
    for y in (40, round(timeline._placed[-1].rect.center().y())):
        start = QPoint(round(timeline.x_of_frame(30)), y)
        QTest.mousePress(timeline, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, start)
        QTest.mouseMove(timeline, start - QPoint(60, 0))
        QTest.mouseRelease(
            timeline, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, start - QPoint(60, 0)
        )
        assert timeline.visible_s()[0] > before[0]
        before = timeline.visible_s()
    assert (found, moved) == ([], [])


# -- keys ------------------------------------------------------------------------------------------------------------


def test_key_takes_the_edge_nearest_to_the_cursor_and_arrows_move_it_by_a_frame(timeline):
    moved: list[tuple[int, int]] = []
    timeline.edge_moved.connect(lambda draft: moved.append((draft.first, draft.last)))
    timeline.set_position(58)
    timeline.hold_nearest_edge()
    assert timeline.hasFocus()
    QTest.keyClick(timeline, Qt.Key.Key_Right)
    QTest.keyClick(timeline, Qt.Key.Key_Right)
    QTest.keyClick(timeline, Qt.Key.Key_Left)
    assert (timeline.draft.first, timeline.draft.last) == (30, 61)
    QTest.keyClick(timeline, Qt.Key.Key_N)  # any other key: the run is over
    assert moved == [(30, 61)]
    timeline.set_position(12)
    timeline.hold_nearest_edge()
    assert timeline.draft.edge.end == 0


def test_edge_in_hand_is_brought_into_sight(timeline, index):
    timeline.set_position(5)
    timeline.zoom(3)
    timeline.setFocus()
    QTest.keyClick(timeline, Qt.Key.Key_Tab)
    QTest.keyClick(timeline, Qt.Key.Key_Tab)
    start_s, end_s = timeline.visible_s()
    assert start_s <= index.seconds(60) <= end_s


def test_without_an_edge_the_key_says_so(qtbot, look, index):
    widget = a_timeline(qtbot, index)
    said: list[str] = []
    widget.edge_lost.connect(said.append)
    widget.hold_nearest_edge()
    assert widget.draft is None
    assert "no evidence" in said[0]


def open_menu(timeline: Timeline) -> QMenu:
    timeline.choose_lanes()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def test_lanes_are_chosen_by_keys_alone(qtbot, look, index):
    widget = a_timeline(qtbot, index)
    menu = open_menu(widget)
    assert menu.accessibleName() == "Lanes that are shown"
    first = menu.activeAction()
    assert first.text() == "model saw"
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert widget.choice.hidden == {"motion"}
    menu = open_menu(widget)
    (entry,) = [each for each in menu.actions() if each.text() == "motion"]
    assert not entry.isChecked()
    entry.trigger()
    menu.close()
    assert widget.choice.hidden == frozenset()


def test_others_add_to_the_menu_what_concerns_their_lanes(qtbot, look, index):
    widget = a_timeline(qtbot, index)
    widget.menu_opened.connect(lambda menu: menu.addAction("Move the sensors' clock"))
    menu = open_menu(widget)
    assert menu.actions()[-1].text() == "Move the sensors' clock"
    menu.close()


def test_keys_of_the_timeline_work_on_the_page(stage, add_clip):
    here, clip = stage(), add_clip()
    here.open(clip.id)
    watch(here, 1.0)
    here.press("Shift+E")
    timeline = here.page.desk.timeline
    assert timeline.draft.edge.words == "start of near miss"
    assert [each.frame_index for each in here.page.desk.peek._peek.shown] == [30, 45]
    here.press("Right")
    here.press("Return")
    assert timeline.draft is None
    assert here.page.acts.state.clip.id == clip.id  # it was the edge's, and accepted nothing
    assert here.stored().review.verdicts["event_time"].value["start_ms"] == here.page.desk.index.ms(31)
    assert set(here.stored().review.verdicts) == {"event_time"}
    assert here.page.desk.playback.position == 30  # the arrow was the edge's
    here.press("Shift+L")
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.close()


# -- what a screen reader is told ------------------------------------------------------------------------------------


def test_place_is_told_with_the_marks_that_it_lies_in(timeline, index):
    timeline.set_position(7)
    told = QAccessible.queryAccessibleInterface(timeline)
    assert told.text(QAccessible.Text.Name) == "Timeline"
    words = told.text(QAccessible.Text.Description)
    assert f"frame 7 of {len(index)}" in words
    assert "jolt, measured" in words
    timeline.set_position(20)
    assert "jolt" not in told.text(QAccessible.Text.Description)


def test_edge_in_hand_is_the_slider_s_value_and_can_be_set(timeline):
    timeline.set_position(10)
    found = scrubs(timeline)
    timeline.hold_nearest_edge()
    told = QAccessible.queryAccessibleInterface(timeline)
    assert told.text(QAccessible.Text.Name) == "Timeline, start of near miss"
    assert told.valueInterface().currentValue() == 30
    told.valueInterface().setCurrentValue(28)
    assert timeline.draft.frame_index == 28
    assert told.valueInterface().currentValue() == 28
    timeline._edges.cancel()
    QTest.keyClick(timeline, Qt.Key.Key_Escape)
    assert told.text(QAccessible.Text.Name) == "Timeline"
    assert told.valueInterface().currentValue() == 10
    assert found == []
