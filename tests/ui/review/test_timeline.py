"""The timeline: where things are, what a click, a drag and the wheel ask for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests import clips
from tests.ui.review.timelines import a_mark, a_timeline, at_frame, scrubs, wheel
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.filmstrip import FilmstripLoader
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_axis import Axis, axis_of
from vvlm_desktop.ui.review.timeline_cells import Cell, cells_of
from vvlm_desktop.ui.review.timeline_model import Proof, TimelineModel, View, curve
from vvlm_desktop.ui.review.timeline_rule import ruler_numbers
from vvlm_desktop.video.index import FrameIndex, read_index


@pytest.fixture(scope="module")
def index() -> FrameIndex:
    return read_index(clips.clip("h264_bframes.mp4"))


@pytest.fixture
def timeline(qtbot, look, index) -> Timeline:
    return a_timeline(qtbot, index)


def test_click_goes_to_the_frame_under_it_and_ends_exactly(timeline):
    found = scrubs(timeline)
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at_frame(timeline, 40))
    assert found == [(40, True), (40, False)]


def test_drag_asks_for_pictures_on_the_way_and_an_exact_one_at_the_end(timeline):
    found = scrubs(timeline)
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=at_frame(timeline, 10))
    for i in (20, 50, 35):
        QTest.mouseMove(timeline, at_frame(timeline, i))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=at_frame(timeline, 35))
    assert [i for i, _ in found] == [10, 20, 50, 35, 35]
    assert [dragging for _, dragging in found] == [True] * 4 + [False]


def test_drag_beyond_the_ends_stays_within_the_clip(timeline, index):
    found = scrubs(timeline)
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=at_frame(timeline, 10))
    QTest.mouseMove(timeline, QPoint(0, 20))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=QPoint(5000, 20))
    assert [i for i, _ in found[1:]] == [0, len(index) - 1]


def test_click_on_an_event_names_the_event(timeline):
    chosen = []
    timeline.mark_chosen.connect(chosen.append)
    found = scrubs(timeline)
    place = timeline._placed[0].rect.center().toPoint()
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place)
    assert [mark.label for mark in chosen] == ["jolt"]
    assert found == []


def test_help_says_what_an_event_is_and_why(timeline):
    text = timeline._help_at(timeline._placed[0].rect.center())
    assert "jolt" in text
    assert "why" in text
    assert "00:01.00–00:01.50" in text
    seen = next(lane for lane in timeline._lanes if lane.kind == "seen")
    assert "3 frames" in timeline._help_at(QPointF(400, seen.top + 2))


def test_wheel_zooms_and_keeps_what_is_under_the_mouse(timeline, qtbot):
    x = timeline.x_of_frame(45)
    with qtbot.waitSignal(timeline.view_changed):
        wheel(timeline, x, 480)
    assert timeline.x_of_frame(45) == pytest.approx(x, abs=1)
    assert timeline.x_of_frame(50) - x > 5 * (800 / 90)


def test_shift_and_wheel_pans_and_a_double_click_shows_all_again(timeline):
    wheel(timeline, timeline.x_of_frame(45), 960)
    before = timeline.x_of_frame(45)
    wheel(timeline, 400, -120, Qt.KeyboardModifier.ShiftModifier)
    assert timeline.x_of_frame(45) < before
    QTest.mouseDClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(400, 30))
    assert timeline.visible_s() == pytest.approx((0.0, timeline._model.duration_s))


def test_zoomed_view_follows_the_cursor(timeline, index):
    wheel(timeline, timeline.x_of_frame(10), 1200)
    timeline.set_position(80)
    start_s, end_s = timeline.visible_s()
    assert start_s <= index.seconds(80) <= end_s


def test_cursor_is_painted_at_the_frame(timeline):
    timeline.set_position(45)
    image = timeline.grab().toImage()
    x = round(timeline.x_of_frame(45))
    accent = theme.colour("accent").rgb()
    assert image.pixel(x, 12) == accent
    assert image.pixel(x + 30, 12) != accent


def test_overlapping_events_take_rows_of_their_own(qtbot, look, index):
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(800, 300)
    marks = tuple(a_mark(index, first, first + 20) for first in (10, 15, 20))
    widget.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=marks))
    rects = [placed.rect for placed in widget._placed]
    assert rects[0].right() == pytest.approx(widget.x_of_frame(31), abs=1)  # its last frame is part of it
    assert not any(a.intersects(b) for n, a in enumerate(rects) for b in rects[n + 1 :])
    assert all(rect.bottom() <= widget.sizeHint().height() for rect in rects)


def test_mark_of_one_frame_is_one_frame_long_and_its_name_is_beside_it(timeline, index):
    for frame in (30, len(index) - 1):
        mark = replace(a_mark(index, frame, frame, "evidence", "near miss"), proof=Proof("f", None, PtsRange(0, 0)))
        timeline.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=(mark,)))
        placed = timeline._placed[0]
        assert placed.box.left() == pytest.approx(timeline.x_of_frame(frame))
        assert placed.box.width() == pytest.approx(800 / len(index), abs=2)
        # Beyond the grips, in sight, and to be clicked.
        assert placed.text.left() >= placed.box.right() + 4 or placed.text.right() <= placed.box.left() - 4
        assert placed.text.left() >= timeline._view().left_px
        assert placed.text.right() <= timeline._view().right_px
        assert placed.rect.contains(placed.text)
        beside = round(placed.box.right() + 5 if frame == 30 else placed.box.left() - 5)
        image = timeline._paint_ground().toImage()
        track = theme.colour("raised").rgb()
        assert image.pixel(round(placed.box.center().x()), round(placed.box.center().y())) != track
        assert image.pixel(beside, round(placed.box.center().y())) == track


def test_time_at_the_pointer_is_that_of_the_frame_under_it(index):
    axis = axis_of(index)
    for frame in (7, 41):
        late_s = index.seconds(frame + 1) - 0.001
        assert axis.shown_s(late_s) == pytest.approx(index.seconds(frame))
        assert axis.shown_s(index.seconds(frame)) == pytest.approx(index.seconds(frame))
    assert Axis().shown_s(1.5) == 1.5


def test_time_at_the_pointer_leaves_no_half_of_a_ruler_s_number(timeline):
    metrics = QFontMetricsF(theme.font("small"))
    number = [n for n in ruler_numbers(timeline._view(), metrics) if n.text][1]

    def first_digit() -> set[int]:
        image = timeline.grab().toImage()
        return {image.pixel(round(number.left_px) + x, y) for x in range(5) for y in range(4, 16)}

    panel = {theme.colour("panel").rgb()}
    assert first_digit() != panel
    # The plate would begin behind the first digit.
    timeline._hover_x = number.left_px + 12 + metrics.horizontalAdvance("00:00.00") / 2 + 5
    assert first_digit() == panel


def test_compact_timeline_keeps_frames_one_activity_curve_and_events(timeline):
    tall = timeline.sizeHint().height()
    timeline.set_compact(True)
    assert [lane.name for lane in timeline._lanes] == ["frames", "model saw", "motion", "events"]
    assert timeline.sizeHint().height() < tall


def test_compact_timeline_offers_every_lane_and_shows_what_is_chosen(timeline):
    timeline.set_compact(True)
    timeline.choose_lanes()
    menu = QApplication.activePopupWidget()
    entries = {each.text(): each for each in menu.actions()}
    assert {name: each.isChecked() for name, each in entries.items()} == {
        "model saw": True, "motion": True, "brightness": False, "sound": False
    }  # fmt: skip
    entries["sound"].trigger()
    entries["motion"].trigger()
    menu.close()
    assert [lane.name for lane in timeline._lanes] == ["frames", "model saw", "sound", "events"]
    timeline.set_compact(False)  # where there is room, nothing was hidden
    assert [lane.name for lane in timeline._lanes][2:-1] == ["motion", "brightness", "sound"]


def test_compact_timeline_keeps_two_rows_for_events_and_takes_a_third_when_needed(timeline, index):
    timeline.set_compact(True)
    tall = timeline.sizeHint().height()
    marks = tuple(a_mark(index, first, first + 20) for first in (10, 15, 20))
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=marks[:1]))
    assert timeline.sizeHint().height() == tall
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=marks))
    assert timeline.sizeHint().height() > tall
    higher = timeline.sizeHint().height()
    timeline.zoom(3)
    assert timeline.sizeHint().height() == higher


def test_both_themes_paint_their_own_colours(timeline, look):
    dark = timeline.grab().toImage()
    look.choose("light")
    light = timeline.grab().toImage()
    assert dark.pixel(2, 2) == int(theme.DARK.panel[1:], 16) | 0xFF000000
    assert light.pixel(2, 2) == int(theme.LIGHT.panel[1:], 16) | 0xFF000000


def test_zoom_never_leaves_the_clip():
    view = View(0, 100, 0.0, 10.0)
    close = view.zoomed(0.001, 9.9, duration_s=10.0, shortest_s=0.5)
    assert close.end_s - close.start_s == pytest.approx(0.5)
    assert 0 <= close.start_s <= close.end_s <= 10.0
    wide = close.zoomed(1000, 5.0, duration_s=10.0, shortest_s=0.5)
    assert (wide.start_s, wide.end_s) == pytest.approx((0.0, 10.0))
    assert wide.panned(5, duration_s=10.0).start_s == 0.0


def test_peak_of_one_sample_among_thousands_is_drawn(qtbot, look, index):
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(800, 240)
    t_s = np.linspace(0, index.duration_s, 20_000)
    level = np.zeros(20_000)
    level[10_000] = 1.0
    lane = curve("motion", t_s, level, ink="accent", filled=False)
    widget.show_clip(index, TimelineModel(duration_s=index.duration_s, curves=(lane,)))
    row = next(lane for lane in widget._lanes if lane.name == "motion")
    image = widget._paint_ground().toImage()
    x, y = round(widget._view().x(index.duration_s / 2)), round(row.top + 4)
    raised = theme.colour("raised").rgb()
    columns = [image.pixel(x + d, y) != raised for d in (-20, -1, 0, 1, 20)]
    assert any(columns[1:4])
    assert not columns[0]
    assert not columns[4]


def test_curve_is_scaled_and_gaps_are_no_peaks():
    lane = curve("sound", np.array([0.0, 1, 2]), np.array([-50.0, np.nan, -10]), ink="muted")
    assert lane.level.tolist() == [0.0, 0.0, 1.0]
    assert curve("sound", np.array([0.0]), None, ink="muted") is None
    assert curve("sound", np.array([0.0]), np.array([np.nan]), ink="muted") is None


def test_filmstrip_pictures_show_their_own_frames(qtbot, index):
    loader = FilmstripLoader()
    frames = (0, 17, 30, 45, 62, 89)
    got: list[int] = []
    loader.ready.connect(got.append)
    loader.load("clip", clips.clip("h264_bframes.mp4"), index, frames, height_px=90)
    qtbot.waitUntil(lambda: set(got) == set(frames))
    for frame in frames:
        image = loader.picture(frame)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        assert clips.read_code(rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3)) == frame
    loader.close()


def test_filmstrip_takes_a_keyframe_only_where_it_is_close(index):
    axis = axis_of(index)
    view = View(0, 900, 0.0, index.duration_s, axis)
    cells = cells_of(index, axis, view, cell_px=60)
    assert len(cells) == 15
    for cell in cells:
        assert abs(view.x(index.seconds(cell.frame_index)) - (cell.left_px + cell.right_px) / 2) <= 30
        assert cell.first <= cell.frame_index <= cell.last
        near = [k for k in index.keyframe_indices if abs(index.seconds(k) - _middle_s(view, cell)) <= 0.06]
        assert not near or cell.frame_index in near


def _middle_s(view: View, cell: Cell) -> float:
    return view.seconds((cell.left_px + cell.right_px) / 2)


def test_height_is_the_same_from_clip_to_clip(qtbot, look, index):
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(800, 300)
    heights = set()
    for count in (0, 1, 6):
        marks = tuple(a_mark(index, 10 + number, 30 + number) for number in range(count))
        widget.show_clip(index, TimelineModel(duration_s=index.duration_s, marks=marks))
        heights.add(widget.sizeHint().height())
        events = widget._lanes[-1]
        assert all(placed.rect.bottom() <= events.top + events.height + 3 for placed in widget._placed)
    assert len(heights) == 1


def test_hidden_lane_makes_room_and_is_still_hidden_in_the_next_window(stage, add_clip):
    clip = add_clip()
    here = stage()
    here.open(clip.id)
    timeline = here.page.desk.timeline
    tall = timeline.sizeHint().height()
    timeline._choose_lane("brightness", shown=False)
    assert "brightness" not in [lane.name for lane in timeline._lanes]
    assert timeline.sizeHint().height() < tall
    again = stage().page.desk.timeline
    assert again.choice.hidden == {"brightness"}
    again._choose_lane("brightness", shown=True)
    assert "brightness" in [lane.name for lane in again._lanes]
    again.set_compact(True)
    again._choose_lane("sound", shown=True)
    later = stage().page.desk.timeline
    assert later.choice.hidden == frozenset()
    assert later.choice.low == {"motion", "sound"}


def test_click_in_the_lane_of_a_model_s_frames_shows_the_one_that_is_close(timeline, index):
    found = scrubs(timeline)
    seen = next(lane for lane in timeline._lanes if lane.kind == "seen")
    place = QPoint(round(timeline._view().x(1.0)) + 6, round(seen.top + 5))
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place)
    assert found[-1] == (index.at_time(1.0001), False)
    far = QPoint(round(timeline._view().x(1.25)), round(seen.top + 5))
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=far)
    assert abs(index.seconds(found[-1][0]) - 1.25) < 0.05
