"""Evidence whose edges are moved on the timeline, and the small pictures that go with it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from tests import clips
from tests.ui.review.conftest import watch
from tests.ui.review.timelines import a_mark, a_timeline
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_edges import edge_x
from vvlm_desktop.ui.review.timeline_model import EventMark, Proof, TimelineModel
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.workflow import review


@pytest.fixture(scope="module")
def index() -> FrameIndex:
    return read_index(clips.clip("h264_bframes.mp4"))


def evidence(index: FrameIndex, first: int, last: int) -> EventMark:
    span = PtsRange(index.pts[first], index.pts[last])
    mark = a_mark(index, first, last, "evidence", "near miss")
    return EventMark(
        mark.start_frame, mark.end_frame, mark.start_s, mark.end_s, "evidence", "near miss", "", Proof("f", None, span)
    )


@pytest.fixture
def timeline(qtbot, look, index) -> Timeline:
    widget = a_timeline(qtbot, index)
    widget.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=(evidence(index, 30, 60),)))
    widget.show()
    widget.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is widget)
    return widget


def grip(timeline: Timeline, end: int) -> QPoint:
    placed = timeline._placed[0]
    return QPoint(round(edge_x(placed.mark, end, timeline._view())), round(placed.rect.center().y()))


def moves(timeline: Timeline) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    timeline.edge_moved.connect(lambda draft: found.append((draft.first, draft.last)))
    return found


def x_before(timeline: Timeline, i: int, y: int) -> QPoint:
    return QPoint(round(timeline.x_of_frame(i)), y)


def test_end_that_is_dragged_goes_behind_a_whole_frame_and_is_told_once(timeline):
    found, edges = moves(timeline), []
    timeline.edge_changed.connect(edges.append)
    start = grip(timeline, 1)
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(timeline, x_before(timeline, 66, start.y()))
    QTest.mouseMove(timeline, x_before(timeline, 71, start.y()))
    assert found == []
    assert (timeline.draft.first, timeline.draft.last) == (30, 70)
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=x_before(timeline, 71, start.y()))
    assert found == [(30, 70)]
    assert any(each.last == 65 for each in edges if each is not None)


def test_start_does_not_pass_the_end(timeline):
    found = moves(timeline)
    start = grip(timeline, 0)
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(timeline, x_before(timeline, 80, start.y()))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=x_before(timeline, 80, start.y()))
    assert found == [(60, 60)]


def test_escape_while_dragging_leaves_everything_as_it_was(timeline):
    found, said = moves(timeline), []
    timeline.edge_lost.connect(said.append)
    start = grip(timeline, 0)
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(timeline, x_before(timeline, 10, start.y()))
    QTest.keyClick(timeline, Qt.Key.Key_Escape)
    assert timeline.draft is None
    assert said == ["The start of near miss is back where it was. Nothing was stored."]
    QTest.mouseMove(timeline, x_before(timeline, 5, start.y()))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=x_before(timeline, 5, start.y()))
    assert found == []


@pytest.mark.parametrize("done", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_arrows_nudge_the_edge_in_hand_and_enter_stores_all_of_them_as_one_move(timeline, done):
    found = moves(timeline)
    timeline.setFocus()
    QTest.keyClick(timeline, Qt.Key.Key_Tab)
    QTest.keyClick(timeline, Qt.Key.Key_Tab)
    assert timeline.draft.edge.end == 1
    for _ in range(3):
        QTest.keyClick(timeline, Qt.Key.Key_Right)
    QTest.keyClick(timeline, Qt.Key.Key_Left)
    QTest.keyClick(timeline, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert found == []
    assert "frame 72" in timeline.accessibleDescription()
    QTest.keyClick(timeline, done)
    assert found == [(30, 72)]
    assert timeline.draft is None


def test_escape_puts_back_all_that_was_moved_since_the_edge_was_taken(timeline):
    found, said = moves(timeline), []
    timeline.edge_lost.connect(said.append)
    timeline.set_position(58)
    timeline.hold_nearest_edge()
    for _ in range(3):
        QTest.keyClick(timeline, Qt.Key.Key_Right)
    QTest.keyClick(timeline, Qt.Key.Key_Escape)
    assert (found, timeline.draft) == ([], None)
    assert said == ["The end of near miss is back where it was. Nothing was stored."]
    timeline.hold_nearest_edge()
    assert timeline.draft.frame_index == 60
    QTest.keyClick(timeline, Qt.Key.Key_Escape)
    assert len(said) == 1  # nothing was moved, nothing to say


def test_press_on_anything_else_stores_the_move_first(timeline, qtbot):
    found = moves(timeline)
    other = QPushButton("Accept")
    other.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    qtbot.addWidget(other)
    other.clicked.connect(lambda: found.append("clicked"))
    timeline.hold_nearest_edge()
    QTest.keyClick(timeline, Qt.Key.Key_Left)
    QTest.mouseClick(other, Qt.MouseButton.LeftButton)
    assert found == [(29, 60), "clicked"]


def test_move_in_the_middle_goes_on_when_other_marks_come(timeline, index):
    found = moves(timeline)
    timeline.hold_nearest_edge()
    QTest.keyClick(timeline, Qt.Key.Key_Left)
    same = evidence(index, 30, 60)
    marks = (a_mark(index, 5, 9), same)
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=marks), keep_view=True)
    assert (timeline.draft.first, timeline.draft.last) == (29, 60)
    QTest.keyClick(timeline, Qt.Key.Key_Return)
    assert found == [(29, 60)]


def test_move_of_what_has_changed_meanwhile_is_not_stored_and_that_is_said(timeline, index):
    found, said = moves(timeline), []
    timeline.edge_lost.connect(said.append)
    timeline.hold_nearest_edge()
    QTest.keyClick(timeline, Qt.Key.Key_Left)
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s), keep_view=True)
    assert timeline.draft is None
    assert found == []
    assert "not stored" in said[0]


def test_move_is_stored_before_any_other_key_does_its_work(timeline):
    found = moves(timeline)
    timeline.setFocus()
    QTest.keyClick(timeline, Qt.Key.Key_Tab)
    QTest.keyClick(timeline, Qt.Key.Key_Left)
    QTest.keyClick(timeline, Qt.Key.Key_N)
    assert found == [(29, 60)]


def test_click_on_an_edge_goes_to_its_frame_and_moves_nothing(timeline):
    found, went = moves(timeline), []
    timeline.scrubbed.connect(lambda i, dragging: went.append((i, dragging)))
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=grip(timeline, 1))
    assert found == []
    assert went == [(60, False)]


def test_what_a_model_says_has_no_edges(qtbot, look, index):
    widget = a_timeline(qtbot, index)
    chosen = []
    widget.mark_chosen.connect(chosen.append)
    placed = widget._placed[0]
    edge = QPoint(round(placed.rect.left()) + 1, round(placed.rect.center().y()))
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=edge)
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=placed.rect.center().toPoint())
    assert widget.draft is None
    assert len(chosen) == 2


@pytest.fixture
def here(stage):
    return stage()


# -- on the page -----------------------------------------------------------------------------------------------------


def test_moved_edge_is_stored_as_one_action_and_one_undo(here, add_clip, session):
    clip = add_clip()
    here.open(clip.id)
    here.press("2")
    watch(here, 1.0)
    here.press("E")
    desk = here.page.desk
    stored = review.open_review(session, clip.id).review.evidence["event_type"][None]
    pts = desk.index.pts
    timeline = desk.timeline
    timeline.setFocus()
    QTest.keyClick(timeline, Qt.Key.Key_Tab)
    QTest.keyClick(timeline, Qt.Key.Key_Tab)
    for _ in range(4):
        QTest.keyClick(timeline, Qt.Key.Key_Right)
    timeline._edges.finish()  # as any other key does, and the edge stays in hand
    moved = review.open_review(session, clip.id).review.evidence["event_type"][None]
    at = pts.index(stored[0].start_pts)
    assert moved == (PtsRange(pts[at], pts[at + 4]),)
    assert timeline.draft.edge.mark.end_frame == at + 4
    here.press("Ctrl+Z")
    assert review.open_review(session, clip.id).review.evidence["event_type"][None] == stored


def test_pointer_shows_the_frame_under_it_and_names_it(here, add_clip, qtbot):
    here.open(add_clip().id)
    desk = here.page.desk
    x = round(desk.timeline.x_of_frame(62)) + 1
    QTest.mouseMove(desk.timeline, QPoint(x, 40))
    peek = desk.peek._peek
    assert peek.isVisible()
    assert "frame 62" in peek.accessibleName()
    assert f"PTS {desk.index.pts[62]}" in peek.accessibleName()
    assert peek.geometry().bottom() < desk.transport.geometry().top()  # the caption stays readable
    qtbot.waitUntil(lambda: peek.shown[0].image_of == 62)
    image = peek.shown[0].image
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    assert clips.read_code(rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3)) == 62
    QTest.mouseMove(desk.timeline, QPoint(2, 40))
    assert not peek.isVisible()


def test_both_ends_are_shown_while_one_is_moved(here, add_clip, index):
    here.open(add_clip().id)
    desk = here.page.desk
    mark = evidence(desk.index, 30, 60)
    desk.timeline.show_clip(desk.index, TimelineModel(duration_s=desk.index.duration_s, marks=(mark,)))
    QTest.mousePress(desk.timeline, Qt.MouseButton.LeftButton, pos=grip(desk.timeline, 0))
    QTest.mouseMove(desk.timeline, x_before(desk.timeline, 20, grip(desk.timeline, 0).y()))
    peek = desk.peek._peek
    assert [each.frame_index for each in peek.shown] == [20, 60]
    assert [each.title for each in peek.shown] == ["start", "end"]
    QTest.keyClick(desk.timeline, Qt.Key.Key_Escape)
