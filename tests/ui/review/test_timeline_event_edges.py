"""The event's own edges: the answer's or the reviewer's time, moved on the timeline, is a correction of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests import clips
from tests.ui.review.conftest import NEAR_MISS
from tests.ui.review.timelines import a_mark, a_timeline
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_edges import Draft, Edge, edge_x, edges_of, moved_time
from vvlm_desktop.ui.review.timeline_model import EventMark, EventTime, Proof, TimelineModel
from vvlm_desktop.video.index import FrameIndex, read_index


@pytest.fixture(scope="module")
def index() -> FrameIndex:
    return read_index(clips.clip("h264_bframes.mp4"))


@pytest.fixture
def here(stage):
    return stage()


def placed(timeline: Timeline, kind: str):
    (found,) = [each for each in timeline._placed if each.mark.kind == kind]
    return found


def drag_edge(timeline: Timeline, kind: str, *, end: int, to: int) -> None:
    each = placed(timeline, kind)
    start = QPoint(round(edge_x(each.mark, end, timeline._view())), round(each.rect.center().y()))
    goal = QPoint(round(timeline.x_of_frame(to)), start.y())
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(timeline, goal)
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=goal)


def test_dragged_edge_of_the_answer_s_event_is_a_correction_of_its_time_and_one_undo(here, add_clip):
    here.open(add_clip().id)
    timeline = here.page.desk.timeline
    drag_edge(timeline, "model_event", end=0, to=20)
    verdict = here.stored().review.verdicts["event_time"]
    index = here.page.desk.index
    # The end that nobody moved is what it was, to the millisecond.
    assert verdict.value == {"start_ms": index.ms(20), "end_ms": 1500}
    assert verdict.verdict == "corrected"
    assert verdict.reason == "wrong_time"
    assert placed(timeline, "event").mark.start_frame == 20
    assert timeline.draft.edge.mark.kind == "event"  # still in hand, as the reviewer's now
    assert not placed(timeline, "model_event").mark.movable
    drag_edge(timeline, "event", end=1, to=61)
    assert here.stored().review.verdicts["event_time"].value == {"start_ms": index.ms(20), "end_ms": index.ms(60)}
    here.press("Ctrl+Z")
    here.press("Ctrl+Z")
    assert "event_time" not in here.stored().review.verdicts
    assert placed(timeline, "model_event").mark.movable


def test_event_lies_at_the_frame_its_time_was_taken_from(here, add_clip):
    index = read_index(clips.clip("h264_bframes.mp4"))
    # Every third frame's time is no whole millisecond and was rounded down.
    assert index.ms(31) / 1000 < index.seconds(31)
    times = {"start_ms": index.ms(31), "end_ms": index.ms(40)}
    here.open(add_clip(labels={**NEAR_MISS, "event_time": times}).id)
    mark = placed(here.page.desk.timeline, "model_event").mark
    assert (mark.start_frame, mark.end_frame) == (31, 40)


@pytest.mark.parametrize(
    ("end", "first", "last", "stored"),
    [(0, 10, 40, (333, 1345)), (1, 10, 60, (1001, 2000)), (0, 45, 45, (1500, 1500)), (1, 12, 12, (400, 400))],
)
def test_time_that_is_moved_keeps_its_other_end(index, end, first, last, stored):
    mark = replace(a_mark(index, 30, 40, "event"), time=EventTime("event_time", 1001, 1345))
    start_ms, end_ms = stored
    value = moved_time(Draft(Edge(mark, end), first, last), mark.time, index)
    assert value == {"start_ms": start_ms, "end_ms": end_ms}


def test_events_of_other_answers_have_no_edges(index):
    marks = (a_mark(index, 30, 40, "model_event"), a_mark(index, 50, 60, "candidate"))
    assert edges_of(marks) == ()


# -- stretches of evidence that overlap -------------------------------------------------------------------------------


def evidence(index: FrameIndex, first: int, last: int) -> EventMark:
    span = PtsRange(index.pts[first], index.pts[last])
    return replace(a_mark(index, first, last, "evidence", "near miss"), proof=Proof("f", None, span))


@pytest.fixture
def overlapping(qtbot, look, index) -> Timeline:
    widget = a_timeline(qtbot, index)
    model = TimelineModel(duration_s=index.duration_s, marks=(evidence(index, 10, 40), evidence(index, 20, 50)))
    widget.show_clip(index, model)
    return widget


def test_each_of_two_stretches_that_overlap_has_edges_of_its_own(overlapping):
    first, second = overlapping._placed
    assert not first.rect.intersects(second.rect)
    moved: list[tuple[int, int]] = []
    overlapping.edge_moved.connect(lambda draft: moved.append((draft.first, draft.last)))
    for each, end, to in ((first, 1, 46), (second, 0, 15)):
        start = QPoint(round(edge_x(each.mark, end, overlapping._view())), round(each.rect.center().y()))
        goal = QPoint(round(overlapping.x_of_frame(to)), start.y())
        QTest.mousePress(overlapping, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(overlapping, goal)
        QTest.mouseRelease(overlapping, Qt.MouseButton.LeftButton, pos=goal)
    assert moved == [(10, 45), (15, 50)]


def test_edge_that_was_moved_past_another_one_s_is_still_the_one_in_hand(overlapping, index):
    def store(_draft: object) -> None:
        marks = (evidence(index, 10, 65), evidence(index, 20, 50))
        overlapping.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=marks), keep_view=True)

    overlapping.edge_moved.connect(store)
    each = overlapping._placed[0]
    start = QPoint(round(edge_x(each.mark, 1, overlapping._view())), round(each.rect.center().y()))
    goal = QPoint(round(overlapping.x_of_frame(66)), start.y())
    QTest.mousePress(overlapping, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(overlapping, goal)
    QTest.mouseRelease(overlapping, Qt.MouseButton.LeftButton, pos=goal)
    assert (overlapping.draft.first, overlapping.draft.last) == (10, 65)
