"""The map and the sensors' clock by keyboard and menu; what is not known is not drawn as if it were."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from tests.ui.review.test_timeline_drive import a_drive
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.review.lane_drive import drive_lanes
from vvlm_desktop.ui.review.map_view import MapView
from vvlm_desktop.workflow import telemetry
from vvlm_desktop.workflow.telemetry import Drive

PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def tunnel(**changed) -> Drive:
    """A fix a second to the east, none from 5 to 20 s, then on."""
    at_s = np.concatenate([np.arange(0, 6), np.arange(20, 26)]).astype(float)
    return Drive(
        fix_ms=at_s * 1000,
        lat=np.full(len(at_s), 48.0),
        lon=11 + at_s * 1e-4,
        speed_mps=np.where(at_s < 10, 10.0, 20.0),
        source="test",
        clock="exact",
        **changed,
    )


@pytest.fixture
def map_view(qtbot, look) -> MapView:
    widget = MapView()
    qtbot.addWidget(widget)
    widget.resize(240, 150)
    widget.show_drive(tunnel())
    return widget


def test_in_a_tunnel_there_is_no_dot_and_no_speed(map_view):
    map_view.set_time(12.0)
    assert map_view.place(12.0) is None
    assert map_view.words() == "no position"
    assert "no position" in map_view.accessibleDescription()
    map_view.set_time(4.5)
    assert map_view.words() == "36 km/h"


def test_at_the_ends_of_a_tunnel_the_dot_stays_where_it_was_measured(map_view):
    assert map_view.place(5.8) == map_view.place(5.0)
    assert map_view.place(19.2) == map_view.place(20.0)
    assert map_view.place(19.2).x() - map_view.place(5.8).x() > 60


def test_tunnel_is_dotted(map_view):
    map_view.set_time(25.0)
    picture = map_view.grab().toImage()
    row = round(map_view.place(0.0).y())

    def inked(start: QPointF, end: QPointF) -> float:
        ground = theme.colour("raised").rgb()
        across = range(round(start.x()) + 10, round(end.x()) - 10)
        return sum(picture.pixel(x, row) != ground for x in across) / len(across)

    assert inked(map_view.place(0.0), map_view.place(5.0)) == 1.0
    assert inked(map_view.place(5.0), map_view.place(20.0)) < 0.9


def test_lane_says_no_speed_in_a_tunnel():
    (lane,) = drive_lanes(tunnel())
    assert lane.text_at(4.0) == "36 km/h"
    assert lane.text_at(22.0) == "72 km/h"
    assert {lane.text_at(seconds) for seconds in np.arange(6.2, 19.0, 0.4)} == {""}


def test_slow_receiver_has_no_tunnels(map_view):
    drive = Drive(
        fix_ms=np.arange(5) * 10_000.0, lat=np.full(5, 48.0), lon=np.linspace(11, 11.01, 5), speed_mps=np.ones(5)
    )
    map_view.show_drive(drive)
    assert map_view.place(5.0) is not None


def test_speed_is_in_the_unit_of_the_settings(map_view):
    map_view.show_drive(tunnel(speed_unit="mph"))
    map_view.set_time(4.0)
    assert map_view.words() == "22 mph"
    (lane,) = drive_lanes(tunnel(speed_unit="mph"))
    assert lane.text_at(4.0) == "22 mph"
    assert "mph" in lane.scale


def test_unknown_speed_is_said(map_view):
    drive = tunnel()
    drive.speed_mps[:] = np.nan
    map_view.show_drive(drive)
    map_view.set_time(2.0)
    assert map_view.words() == "speed unknown"


# -- on the page -----------------------------------------------------------------------------------------------------


@pytest.fixture
def here(stage, add_clip, monkeypatch, qtbot):
    monkeypatch.setattr(telemetry, "_find", lambda _path: a_drive())
    monkeypatch.setattr("vvlm_desktop.ui.review.lane_telemetry._DELAY_MS", 0)
    stage = stage()
    stage.clip = add_clip()
    stage.open(stage.clip.id)
    qtbot.waitUntil(lambda: stage.page.desk.drive.drive is not None)
    return stage


def press(here, key: Qt.Key, modifier=SHIFT) -> None:
    QTest.keyClick(here.page.desk, key, modifier)


def offset_ms(here) -> int:
    return telemetry.kept_drive(here.shell.session, here.clip).offset_ms


def test_map_hides_where_there_is_no_room_until_the_key_asks_for_it(here):
    panel = here.page.desk.drive
    assert panel.isVisible()
    panel.set_compact(True)
    assert not panel.isVisible()
    press(here, Qt.Key.Key_M)
    assert panel.isVisible()
    press(here, Qt.Key.Key_M)
    panel.set_compact(False)
    assert not panel.isVisible()
    press(here, Qt.Key.Key_M)
    assert panel.isVisible()


def test_clock_is_moved_by_keys_while_the_map_is_hidden(here):
    desk = here.page.desk
    press(here, Qt.Key.Key_M)
    press(here, Qt.Key.Key_Up)
    press(here, Qt.Key.Key_Up)
    press(here, Qt.Key.Key_Down)
    assert offset_ms(here) == 100
    assert desk.drive.clock.value() == 100
    assert "100 ms later" in desk.toast.words.text()
    assert not desk.drive.isVisible()
    assert desk.drive.set_clock(10**9) == telemetry.MOST_OFFSET_MS
    assert offset_ms(here) == telemetry.MOST_OFFSET_MS
    assert desk.drive.move_clock(100) == telemetry.MOST_OFFSET_MS


def test_menu_of_the_lanes_has_the_map_and_the_clock(here):
    panel = here.page.desk.drive
    press(here, Qt.Key.Key_M)
    menu = QMenu()
    panel.fill_menu(menu)
    entries = {entry.text(): entry for entry in menu.actions()}
    assert not entries["Map of the track"].isChecked()
    entries["Sensors 100 ms earlier"].trigger()
    assert offset_ms(here) == -100
    assert not any("as the camera" in text for text in entries)
    menu.clear()
    panel.fill_menu(menu)
    back = next(entry for entry in menu.actions() if "as the camera has them (now -100 ms)" in entry.text())
    back.trigger()
    assert offset_ms(here) == 0
    next(entry for entry in menu.actions() if entry.text() == "Map of the track").trigger()
    assert panel.isVisible()


def test_clip_without_telemetry_says_so(stage, add_clip, qtbot):
    here = stage()
    clip = add_clip()
    here.open(clip.id)
    qtbot.waitUntil(lambda: telemetry.kept_drive(here.shell.session, clip) is not None)
    for key in (Qt.Key.Key_M, Qt.Key.Key_Up):
        here.page.desk.toast.say("-")
        press(here, key)
        assert "no telemetry" in here.page.desk.toast.words.text()
    menu = QMenu()
    here.page.desk.drive.fill_menu(menu)
    assert not menu.actions()


def test_what_could_not_be_read_is_said(stage, add_clip, qtbot, monkeypatch):
    note = "40 blocks are encrypted by the camera's maker and cannot be read"
    monkeypatch.setattr(telemetry, "_find", lambda _path: Drive(notes=(note,)))
    monkeypatch.setattr("vvlm_desktop.ui.review.lane_telemetry._DELAY_MS", 0)
    here = stage()
    clip = add_clip()
    here.open(clip.id)
    qtbot.waitUntil(lambda: here.page.desk.drive.notes == (note,))
    press(here, Qt.Key.Key_M)
    assert note in here.page.desk.toast.words.text()


def test_reading_leaves_nothing_behind(here, qtbot):
    drive = here.page.acts.drive
    qtbot.waitUntil(lambda: not drive._works)
    qtbot.waitUntil(lambda: not drive.findChildren(Work))


def test_lanes_name_what_was_left_out():
    (lane,) = drive_lanes(tunnel(notes=("3 impossible speeds left out",)))
    assert "3 impossible speeds left out" in lane.help
