"""The drive beside the picture: lanes of speed and force, the map, the correction of the clock."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.lane_drive import drive_lanes
from vvlm_desktop.ui.review.map_view import MapView
from vvlm_desktop.workflow import telemetry
from vvlm_desktop.workflow.telemetry import Drive


def a_drive(**changed) -> Drive:
    """Three seconds to the east, then the same way north; braking hard at 2 s."""
    t_ms = np.arange(0, 3001, 250.0)
    east = np.minimum(t_ms, 1500) / 1500 * 0.002
    north = np.maximum(t_ms - 1500, 0) / 1500 * 0.0013
    force_ms = np.arange(0, 3000, 10.0)
    return Drive(
        fix_ms=t_ms,
        lat=48 + north,
        lon=11 + east,
        speed_mps=np.linspace(20, 5, len(t_ms)),
        force_ms=force_ms,
        force_g=1.0 + 2.5 * (np.abs(force_ms - 2000) < 30),
        source="test",
        clock="exact",
        **changed,
    )


def test_lanes_have_axis_unit_and_value():
    speed, force = drive_lanes(a_drive())
    assert (speed.name, speed.scale) == ("speed", "0–80 km/h")
    assert speed.text_at(0.0) == "72 km/h"
    assert speed.text_at(1.5) == "45 km/h"
    assert speed.text_at(9.0) == ""
    assert (force.name, force.scale) == ("G-force", "0–4 g")
    assert force.text_at(2.0) == "3.50 g"
    assert "test" in force.help


def test_corrected_clock_moves_the_lanes_and_is_said():
    speed, _ = drive_lanes(a_drive(offset_ms=500))
    assert speed.text_at(0.5) == "72 km/h"
    assert speed.text_at(0.2) == ""
    assert "+500 ms" in speed.help


def test_unknown_speed_is_no_standstill():
    drive = a_drive()
    drive.speed_mps[4:8] = np.nan
    speed, _ = drive_lanes(drive)
    assert speed.text_at(1.25) == ""
    assert speed.text_at(0.0) == "72 km/h"
    assert drive_lanes(Drive()) == drive_lanes(None) == ()


@pytest.fixture
def map_view(qtbot, look) -> MapView:
    widget = MapView()
    qtbot.addWidget(widget)
    widget.resize(200, 150)
    widget.show_drive(a_drive())
    return widget


def test_north_is_up_east_is_right_and_the_dot_follows(map_view):
    start, corner, end = (map_view.place(s) for s in (0.0, 1.5, 3.0))
    assert corner.x() - start.x() > 60
    assert corner.y() == pytest.approx(start.y(), abs=0.5)
    assert start.y() - end.y() > 60
    # As long on the ground, as long on the map.
    assert corner.x() - start.x() == pytest.approx(corner.y() - end.y(), rel=0.05)
    map_view.set_time(1.5)
    dot = map_view.grab().toImage()
    assert dot.pixel(corner.toPoint()) == theme.colour("accent").rgb()
    assert "45 km/h" not in map_view.accessibleName()
    assert "km/h" in map_view.accessibleDescription()
    assert map_view.place(30.0) is None


def test_click_on_the_track_chooses_when_the_car_was_there(map_view):
    chosen: list[float] = []
    map_view.time_chosen.connect(chosen.append)
    place = map_view.place(2.25).toPoint()
    QTest.mouseClick(map_view, Qt.MouseButton.LeftButton, pos=place + QPoint(4, 0))
    assert chosen == [2.25]


# -- on the page -----------------------------------------------------------------------------------------------------


@pytest.fixture
def here(stage):
    return stage()


@pytest.fixture
def drive_found(monkeypatch):
    monkeypatch.setattr(telemetry, "_find", lambda _path: a_drive())
    monkeypatch.setattr("vvlm_desktop.ui.review.lane_telemetry._DELAY_MS", 0)


def test_drive_comes_in_the_background_and_is_at_hand_the_next_time(here, add_clip, qtbot, drive_found):
    clip = add_clip()
    here.open(clip.id)
    desk = here.page.desk
    qtbot.waitUntil(lambda: desk.drive.drive is not None)
    assert {"speed", "G-force"} <= {lane.name for lane in desk.timeline._lanes}
    assert desk.drive.isVisible()
    assert telemetry.kept_drive(here.shell.session, clip)
    desk.seek(60)
    assert desk.drive.map._at_s == pytest.approx(desk.index.seconds(60))
    place = desk.drive.map.place(0.5).toPoint()
    QTest.mouseClick(desk.drive.map, Qt.MouseButton.LeftButton, pos=place)
    assert desk.playback.position == desk.index.at_time(0.5)


def test_chosen_clock_is_stored_and_moves_the_lanes(here, add_clip, qtbot, drive_found):
    clip = add_clip()
    here.open(clip.id)
    desk = here.page.desk
    qtbot.waitUntil(lambda: desk.drive.drive is not None)
    desk.drive.clock.setValue(300)
    assert telemetry.kept_drive(here.shell.session, clip).offset_ms == 300
    assert desk.drive.drive.offset_ms == 300
    speed = next(lane for lane in desk.timeline._lanes if lane.name == "speed")
    assert speed.curve.t_s[0] == pytest.approx(0.3)


def test_clip_without_telemetry_has_no_map(here, add_clip, qtbot):
    clip = add_clip()
    here.open(clip.id)
    desk, acts = here.page.desk, here.page.acts
    qtbot.waitUntil(lambda: telemetry.kept_drive(here.shell.session, clip) is not None)
    assert not desk.drive.isVisible()
    assert "speed" not in [lane.name for lane in desk.timeline._lanes]
    assert clip.id in acts.drive._looked
