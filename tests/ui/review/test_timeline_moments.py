"""What the camera's sensors found worth a look: marks on the lane of the forces, or of the speed."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests import clips
from tests.ui.review.test_timeline_drive import a_drive
from tests.ui.review.timelines import a_timeline
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.lane_drive import drive_lanes, drive_moments
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.workflow import telemetry
from vvlm_desktop.workflow.telemetry import Drive, Moment

BRAKING = Moment(1000, 1600, "hard_braking", 0.62)
JOLT = Moment(2500, 2520, "jolt", 1.4)


@pytest.fixture(scope="module")
def index() -> FrameIndex:
    return read_index(clips.clip("h264_bframes.mp4"))


@pytest.fixture
def timeline(qtbot, look, index) -> Timeline:
    widget = a_timeline(qtbot, index)
    drive = a_drive(moments=(BRAKING, JOLT))
    widget.set_drive(drive_lanes(drive), drive_moments(drive))
    widget.resize(800, widget.sizeHint().height())
    return widget


def flags(timeline: Timeline):
    return [each for each in timeline._placed if each.mark.kind == "sensed"]


def test_moment_stands_on_the_lane_of_the_forces_with_its_name_and_how_strong_it_was(timeline, index):
    braking, jolt = flags(timeline)
    lane = next(lane for lane in timeline._lanes if lane.name == "G-force")
    assert (braking.rect.top(), braking.rect.height()) == (lane.top, lane.height)
    assert (braking.mark.start_frame, braking.mark.end_frame) == (index.at_time(1.0), index.at_time(1.6))
    assert jolt.rect.width() >= 8  # a fraction of a pixel could not be pointed at
    text = timeline._help_at(braking.rect.center())
    assert "hard braking" in text
    assert "0.62 g" in text
    assert "00:01.00" in text
    image = timeline._paint_ground().toImage()
    flag = jolt.rect.center().toPoint()
    assert image.pixelColor(flag.x(), round(lane.top) + 2) == theme.colour("text")


def test_click_on_a_moment_goes_there(timeline):
    chosen = []
    timeline.mark_chosen.connect(chosen.append)
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=flags(timeline)[1].rect.center().toPoint())
    assert [mark.label for mark in chosen] == ["jolt"]


def test_moment_whose_lane_is_not_shown_is_among_the_events(timeline):
    timeline.set_hidden(frozenset({"G-force"}))
    events = timeline._lanes[-1]
    assert all(each.rect.top() >= events.top for each in flags(timeline))
    timeline.set_hidden(frozenset())
    timeline.set_compact(True)
    assert len(flags(timeline)) == 2
    assert all(each.rect.top() >= timeline._lanes[-1].top for each in flags(timeline))


def test_corrected_clock_moves_the_moments_and_those_before_the_clip_are_gone(timeline, index):
    drive = a_drive(moments=(BRAKING, JOLT), offset_ms=-2000)
    timeline.set_drive(drive_lanes(drive), drive_moments(drive))
    assert [(each.mark.label, each.mark.start_frame) for each in flags(timeline)] == [("jolt", index.at_time(0.5))]


def test_without_an_accelerometer_they_stand_on_the_speed():
    drive = a_drive(moments=(BRAKING,))
    without = Drive(fix_ms=drive.fix_ms, lat=drive.lat, lon=drive.lon, speed_mps=drive.speed_mps, moments=(BRAKING,))
    assert [each.lane for each in drive_moments(drive)] == ["G-force"]
    assert [each.lane for each in drive_moments(without)] == ["speed"]


def test_of_very_many_the_strongest_stay_in_order_of_time():
    strengths = np.random.default_rng(1).permutation(40) / 10 + 0.7
    moments = tuple(Moment(i * 10, i * 10 + 5, "jolt", g) for i, g in enumerate(strengths.tolist()))
    shown = drive_moments(a_drive(moments=moments))
    assert len(shown) == 12
    assert [each.start_s for each in shown] == sorted(each.start_s for each in shown)
    assert {round(each.start_s * 100) for each in shown} == {i for i in range(40) if strengths[i] >= 3.5 - 0.05}


# -- on the page -----------------------------------------------------------------------------------------------------


def test_keys_go_from_moment_to_moment_and_the_event_that_one_looks_at_first_stays(stage, add_clip, qtbot, monkeypatch):
    monkeypatch.setattr(telemetry, "_find", lambda _path: a_drive(moments=(BRAKING, JOLT)))
    monkeypatch.setattr("vvlm_desktop.ui.review.lane_telemetry._DELAY_MS", 0)
    here = stage()
    clip = add_clip(labels={"event_type": "no_incident"})
    here.open(clip.id)
    desk = here.page.desk
    qtbot.waitUntil(lambda: desk.drive.drive is not None)
    assert telemetry.kept_drive(here.shell.session, clip).moments == (BRAKING, JOLT)
    assert desk.looking.focus is None
    found = []
    for _ in range(4):
        here.press("PgDown")
        found.append(desk.playback.position)
    middle = (desk.index.at_time(1.0) + desk.index.at_time(1.6)) // 2
    assert found[:3] == [desk.index.at_time(1.0), middle, desk.index.at_time(2.5)]
    here.press("PgUp")
    assert desk.playback.position == middle
