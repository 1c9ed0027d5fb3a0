"""The axes of what was measured in picture and sound: from where to where, in which unit."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from tests import clips
from tests.ui.review.timelines import a_timeline
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_build import curve_lanes
from vvlm_desktop.ui.review.timeline_model import TimelineModel, curve
from vvlm_desktop.ui.review.timeline_words import absent_text
from vvlm_desktop.video.curves import Curves
from vvlm_desktop.video.index import FrameIndex, read_index


def measured(**changed) -> Curves:
    flat = np.full(4, 0.25, np.float32)
    fields = dict.fromkeys(("brightness", "contrast", "sharpness", "motion", "forward", "yaw", "jolt"), flat)
    return Curves(**{"pts": np.arange(4), "t_s": np.arange(4, dtype=np.float32), **fields, **changed})


def lanes(curves: Curves):
    return {lane.name: lane for lane in curve_lanes(curves)}


def test_every_lane_has_an_axis_a_unit_and_says_what_it_is():
    sound = np.array([-60, -58, -40, -20.6], np.float32)
    found = lanes(measured(motion=np.array([0, 0.02, 0.084, 0.01], np.float32), sound=sound))
    assert found["motion"].scale == "0–8 %"
    assert found["brightness"].scale == "0–100 %"
    assert found["sound"].scale == "−63…−21 dBFS"
    assert all(lane.help for lane in found.values())


def test_value_under_the_pointer_has_the_unit_of_the_axis():
    found = lanes(measured(motion=np.array([0, 0.02, 0.084, 0.01], np.float32)))
    assert found["motion"].text_at(2.0) == "8.40 %"
    assert found["brightness"].text_at(1.0) == "25 %"
    assert "sound" not in found


def test_noise_of_a_car_that_stands_does_not_fill_the_row():
    still = lanes(measured(motion=np.array([0, 0.001, 0.002, 0.001], np.float32)))["motion"]
    assert still.scale == "0.0–1.0 %"
    assert still.level.max() < 0.25
    nothing = lanes(measured(motion=np.full(4, np.nan, np.float32)))
    assert "motion" not in nothing


# -- on the timeline -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index() -> FrameIndex:
    return read_index(clips.clip("h264_bframes.mp4"))


@pytest.fixture
def timeline(qtbot, look, index) -> Timeline:
    return a_timeline(qtbot, index)


def test_lane_with_nothing_in_it_says_why(timeline, index):
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s))
    lane = next(lane for lane in timeline._lanes if lane.name == "sound")
    assert "not analysed yet" in timeline._help_at(QPointF(400, lane.top + 4))


def test_clip_without_sound_says_so_in_its_lane_once_it_is_measured(timeline, index):
    motion = timeline.model.curves[0]
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s))
    silent = next(lane for lane in timeline._lanes if lane.name == "sound")
    assert absent_text(silent, timeline.model) == ""
    empty = timeline._paint_ground().toImage()
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s, curves=(motion,)))
    assert absent_text(silent, timeline.model) == "no sound"
    assert "no sound" in timeline._help_at(QPointF(400, silent.top + 4))
    rect = QRectF(timeline._view().left_px, silent.top, 120, silent.height).toAlignedRect()
    assert timeline._paint_ground().toImage().copy(rect) != empty.copy(rect)


def test_help_of_a_curve_is_at_its_name_and_never_over_its_values(timeline, index):
    lane = curve("motion", np.array([0.0, 1.0]), np.array([0.0, 5.0]), ink="accent", unit="%", source="what it is")
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s, curves=(lane,)))
    row = next(each for each in timeline._lanes if each.name == "motion")
    assert timeline._help_at(QPointF(20, row.top + 4)) == "what it is"
    assert timeline._help_at(QPointF(timeline.x_of_frame(10), row.top + 4)) == ""


def inked(timeline: Timeline) -> list[int]:
    """Where something is drawn in the row of the model's frames, at the triangles' feet."""
    lane = next(lane for lane in timeline._lanes if lane.kind == "seen")
    image, view = timeline._paint_ground().toImage(), timeline._view()
    plain, y = theme.colour("raised"), round(lane.top + lane.height - 4)
    found = []
    for x in range(round(view.left_px), round(view.right_px)):
        colour = image.pixelColor(x, y)
        if abs(colour.red() - plain.red()) + abs(colour.blue() - plain.blue()) > 40:
            found.append(x)
    return found


def test_thousands_of_model_frames_leave_no_place_empty_and_a_single_one_is_where_it_is(timeline, index):
    every = tuple(np.linspace(0, index.duration_s, 20_000).tolist())
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s, seen_s=every))
    columns = inked(timeline)
    view = timeline._view()
    assert columns[0] <= view.left_px + 3
    assert columns[-1] >= view.right_px - 4
    assert max(np.diff(columns)) <= 4
    timeline.show_clip(index, TimelineModel(duration_s=index.duration_s, seen_s=(1.0,)))
    columns = inked(timeline)
    assert abs(np.mean(columns) - timeline._view().x(1.0)) < 1
    assert columns[-1] - columns[0] <= 10
