"""The timeline's zoom: down to single frames, over gaps and damage, with the whole clip always in sight."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest

from tests import clips
from tests.ui.review.timelines import a_timeline, at_frame, scrubs, wheel
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_axis import axis_of
from vvlm_desktop.ui.review.timeline_cells import cells_of
from vvlm_desktop.ui.review.timeline_damage import Damage
from vvlm_desktop.ui.review.timeline_model import TimelineModel, View, curve
from vvlm_desktop.video.index import FrameIndex, read_index


@pytest.fixture(scope="module")
def index() -> FrameIndex:
    return read_index(clips.clip("h264_bframes.mp4"))


@pytest.fixture
def timeline(qtbot, look, index) -> Timeline:
    return a_timeline(qtbot, index)


# -- zoom ------------------------------------------------------------------------------------------------------------


def test_wheel_goes_down_to_single_frames_each_with_a_cell_of_its_own(timeline, index):
    for _ in range(40):
        wheel(timeline, timeline.x_of_frame(45), 120)
    cells = timeline.cells()
    assert 6 <= len(cells) <= 8
    assert 45 in [cell.frame_index for cell in cells]
    assert [cell.frame_index for cell in cells] == list(range(cells[0].first, cells[0].first + len(cells)))
    for cell in cells:
        assert cell.single
        assert cell.left_px == pytest.approx(timeline.x_of_frame(cell.frame_index))
        assert cell.right_px == pytest.approx(timeline.x_of_frame(cell.frame_index + 1))


def test_cell_of_one_frame_shows_no_other_frame(timeline):
    for _ in range(40):
        wheel(timeline, timeline.x_of_frame(45), 120)
    plain = timeline._paint_ground().toImage()
    red = QImage(60, 40, QImage.Format.Format_RGB888)
    red.fill(Qt.GlobalColor.red)
    lane = timeline._lanes[0]
    place = QPoint(round((timeline.cells()[3].left_px + timeline.cells()[3].right_px) / 2), round(lane.top + 5))
    timeline.set_picture(timeline.cells()[0].frame_index, red)
    assert timeline._paint_ground().toImage().pixel(place) == plain.pixel(place)
    timeline.set_picture(timeline.cells()[3].frame_index, red)
    assert timeline._paint_ground().toImage().pixelColor(place).red() > 240


def test_keys_zoom_around_the_cursor_and_back_to_the_whole(timeline, index):
    timeline.set_position(45)
    timeline.zoom(1)
    start_s, end_s = timeline.visible_s()
    assert end_s - start_s == pytest.approx(index.duration_s / 2)
    assert start_s < index.seconds(45) < end_s
    timeline.zoom(-1)
    assert timeline.visible_s() == pytest.approx((0, index.duration_s))
    timeline.zoom(3)
    timeline.zoom(0)
    assert timeline.visible_s() == pytest.approx((0, index.duration_s))


def test_another_frame_under_a_pointer_that_stands_still_is_told(timeline):
    hovered: list[object] = []
    timeline.hovered.connect(hovered.append)
    QTest.mouseMove(timeline, at_frame(timeline, 20, y=40))
    timeline.set_position(80)
    timeline.zoom(2)
    assert len(hovered) == 2
    assert timeline.x_of_frame(hovered[1]) <= timeline._hover_x < timeline.x_of_frame(hovered[1] + 1)


def test_drag_on_the_ruler_pans_and_a_click_there_goes_there(timeline):
    found = scrubs(timeline)
    timeline.set_position(45)
    timeline.zoom(2)
    before = timeline.visible_s()
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=QPoint(400, 8))
    QTest.mouseMove(timeline, QPoint(350, 8))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=QPoint(350, 8))
    after = timeline.visible_s()
    assert after[0] > before[0]
    assert after[1] - after[0] == pytest.approx(before[1] - before[0])
    assert found == []
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at_frame(timeline, 50, y=8))
    assert found[-1] == (50, False)


def test_strip_of_the_whole_clip_brings_what_is_pressed_there_into_view(timeline, index):
    timeline.zoom(2)
    strip = timeline._strip_rect()
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=strip.center().toPoint())
    start_s, end_s = timeline.visible_s()
    assert (start_s + end_s) / 2 == pytest.approx(index.duration_s / 2, rel=0.02)


def test_panning_keeps_the_pictures_that_are_there(timeline):
    timeline.set_position(45)
    timeline.zoom(1)
    before = {cell.frame_index for cell in timeline.cells()}
    wheel(timeline, 400, -120, Qt.KeyboardModifier.ShiftModifier)
    after = {cell.frame_index for cell in timeline.cells()}
    assert len(after & before) >= len(after) - 3
    assert after != before


def test_slider_tells_those_who_cannot_see_it_which_frame_it_is_on(timeline):
    timeline.set_position(45)
    told = QAccessible.queryAccessibleInterface(timeline)
    assert told.role() == QAccessible.Role.Slider
    assert told.valueInterface().currentValue() == 45
    assert told.valueInterface().maximumValue() == 89
    found = scrubs(timeline)
    told.valueInterface().setCurrentValue(50)
    assert found == [(50, False)]


def test_shorter_clip_is_no_wish_to_go_to_its_end(timeline, index):
    timeline.set_position(80)
    found = scrubs(timeline)
    short = replace(index, pts=index.pts[:20], keys=index.keys[:1])
    timeline.show_clip(short, TimelineModel(duration_s=short.duration_s))
    assert found == []


# -- gaps ------------------------------------------------------------------------------------------------------------


def with_jump(index: FrameIndex, *, after: int, jump_s: float) -> FrameIndex:
    ticks = round(jump_s / float(index.time_base))
    pts = tuple(p + (ticks if i > after else 0) for i, p in enumerate(index.pts))
    return replace(index, pts=pts, keys=tuple((pts[index.pts.index(p)], d) for p, d in index.keys))


def test_jump_of_an_hour_takes_a_sliver_of_the_axis(index):
    jumped = with_jump(index, after=44, jump_s=3600)
    axis = axis_of(jumped)
    assert [gap.broken for gap in axis.gaps] == [True]
    assert axis.gaps[0].length_s == pytest.approx(3600, abs=0.1)
    assert axis.length < 1.15 * index.duration_s
    for i in (0, 44, 45, 89):
        place = axis.place(jumped.seconds(i))
        assert axis.seconds(place) == pytest.approx(jumped.seconds(i), abs=1e-6)
    assert axis.place(jumped.seconds(45)) - axis.place(jumped.seconds(44)) < 0.4


def test_gap_that_leaves_room_is_drawn_to_scale_and_has_no_pictures(index):
    with_gap = with_jump(index, after=44, jump_s=1.0)
    axis = axis_of(with_gap)
    (gap,) = axis.gaps
    assert not gap.broken
    assert axis.length == pytest.approx(with_gap.duration_s)
    view = View(0, 800, 0.0, with_gap.duration_s, axis)
    for cell in cells_of(with_gap, axis, view, cell_px=60):
        middle = view.seconds((cell.left_px + cell.right_px) / 2)
        assert not gap.start_s < middle < gap.end_s
    close = View(0, 8000, with_gap.seconds(43), with_gap.seconds(46), axis)
    last = next(cell for cell in cells_of(with_gap, axis, close, cell_px=60) if cell.frame_index == 44)
    assert last.right_px - last.left_px == pytest.approx(close.px_per_s * axis.frame_s, rel=0.01)


def test_only_half_a_second_without_a_frame_is_a_gap(index):
    assert axis_of(index).gaps == ()
    varying = read_index(clips.clip("h264_vfr.mp4"))
    waits = [b - a for a, b in pairwise(map(varying.seconds, range(len(varying))))]
    assert 0.1 < sorted(waits)[-2] < 0.5 < max(waits)
    (gap,) = axis_of(varying).gaps
    assert gap.end_s - gap.start_s == pytest.approx(max(waits) - min(waits), abs=0.01)


def test_gap_says_how_long_nothing_comes(qtbot, look, index):
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(800, 240)
    jumped = with_jump(index, after=44, jump_s=3600)
    widget.show_clip(jumped, TimelineModel(duration_s=jumped.duration_s))
    middle = (widget.x_of_frame(44) + widget.x_of_frame(45)) / 2 + 5
    assert "1:00:0" in widget._help_at(QPointF(middle, 40))
    assert "not drawn to scale" in widget._help_at(QPointF(middle, 40))
    widget.show()
    hovered: list[object] = []
    widget.hovered.connect(hovered.append)
    QTest.mouseMove(widget, at_frame(widget, 20, y=40))
    QTest.mouseMove(widget, QPoint(round(middle), 40))
    assert hovered == [20, None]  # no frame lies there, and none is shown


def test_damage_reaches_to_the_next_keyframe(index):
    assert len(index.keyframe_indices) > 1
    first, end = index.gop(index.keyframe_indices[1])
    broken = replace(index, breaks=(index.pts[first + 3],))
    damage = Damage(broken)
    assert damage.spans_s[0][0] == pytest.approx(index.seconds(first + 3))
    assert damage.spans_s[0][1] == pytest.approx(index.seconds(end) if end < len(index) else index.duration_s)
    assert damage.covers(index.seconds(first + 4))
    assert not damage.covers(index.seconds(first))
    assert damage.add(0)
    assert not damage.add(0)
    assert len(damage.spans_s) == 2


def test_the_hole_that_damaged_frames_left_is_marked_and_nothing_of_what_follows(index):
    first, end = index.gop(index.keyframe_indices[1])
    left = index.pts[: first + 3] + index.pts[end:]
    assert len(left) > first + 4
    shown = replace(index, pts=left, breaks=(index.pts[first + 3],))
    damage = Damage(shown)
    assert damage.spans_s == (pytest.approx((shown.seconds(first + 2) + shown.usual_s, shown.seconds(first + 3))),)
    assert not damage.covers(shown.seconds(first + 2))
    assert not damage.covers(shown.seconds(first + 4))


def test_lost_end_of_a_file_that_was_cut_off_is_told_at_its_end(timeline, index):
    whole = replace(index, declared_frames=len(index) + 60, declared_duration_s=index.duration_s + 2.0)
    cut = replace(whole, problem="Damaged at 3.0 s.")
    assert Damage(cut).lost_rest_s == pytest.approx(2.0)
    assert Damage(whole).lost_rest_s == 0.0  # a header alone proves no loss
    assert Damage(replace(cut, declared_frames=len(index))).lost_rest_s == 0.0
    model = TimelineModel(duration_s=index.duration_s)
    timeline.show_clip(cut, model)
    lane = timeline._lanes[0]
    place = QPoint(round(timeline._view().right_px) - 2, round(lane.top + 4))
    assert timeline.grab().toImage().pixel(place) == theme.colour("bad").rgb()
    timeline.show_clip(whole, model)
    assert timeline.grab().toImage().pixel(place) != theme.colour("bad").rgb()


def test_frame_that_cannot_be_read_is_marked(timeline):
    before = timeline.grab().toImage()
    timeline.set_damaged(45)
    lane = timeline._lanes[0]
    place = QPoint(round(timeline.x_of_frame(45)) + 1, round(lane.top + lane.height - 1))
    assert timeline.grab().toImage().pixel(place) != before.pixel(place)
    assert "damaged" in timeline._help_at(QPointF(place))


def test_value_within_a_gap_is_not_made_up(qtbot, look, index):
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(800, 240)
    holed = with_jump(index, after=44, jump_s=1.0)
    t_s = np.array([0.0, 1.4, 2.6, 4.0])
    lane = curve("brightness", t_s, np.array([10.0, 10, 90, 90]), ink="accent", bounds=(0, 100), unit="%")
    widget.show_clip(holed, TimelineModel(duration_s=holed.duration_s, curves=(lane,)))
    widget.show()
    row = next(lane for lane in widget._lanes if lane.name == "brightness")

    def plate(seconds: float) -> bool:
        x = round(widget._view().x(seconds))
        QTest.mouseMove(widget, QPoint(x, 40))
        place = QPoint(x + 9, round(row.top + row.height / 2))
        return widget.grab().toImage().pixelColor(place) == theme.colour("background")

    assert plate(0.5)
    assert not plate(2.0)


def test_place_beside_a_gap_shows_what_there_is_of_it(index):
    holed = with_jump(index, after=44, jump_s=1.0)
    axis = axis_of(holed)
    (gap,) = axis.gaps
    view = View(0, 800, 0.0, holed.duration_s, axis)
    cells = cells_of(holed, axis, view, cell_px=130)
    shown = [(c.left_px, c.right_px) for c in cells]
    assert min(abs(right - view.x(gap.start_s)) for _, right in shown) < 1
    assert min(abs(left - view.x(gap.end_s)) for left, _ in shown) < 1
    for cell in cells:
        assert (holed.seconds(cell.frame_index) < gap.start_s) == (cell.right_px <= view.x(gap.start_s) + 1)


def test_clip_that_plays_does_not_pull_away_what_somebody_looks_at(timeline, index):
    timeline.set_position(10)
    timeline.set_playing(True)
    for _ in range(8):
        wheel(timeline, timeline.x_of_frame(70), 120)
    looked_at = timeline.visible_s()
    for i in range(11, 30):
        timeline.set_position(i)
    assert timeline.visible_s() == looked_at
    # The cursor comes by and is followed again.
    for i in range(30, 90):
        timeline.set_position(i)
    start_s, end_s = timeline.visible_s()
    assert start_s <= index.seconds(89) <= end_s
    assert start_s > looked_at[0]


def test_step_is_followed_also_where_somebody_looked_elsewhere(timeline, index):
    timeline.set_position(10)
    for _ in range(8):
        wheel(timeline, timeline.x_of_frame(70), 120)
    timeline.set_position(11)
    start_s, end_s = timeline.visible_s()
    assert start_s <= index.seconds(11) <= end_s
