"""Sound on the page: muted until somebody unmutes, silent where it would be noise, in step with the picture."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from vvlm_desktop.ui.review.sound import Sound
from vvlm_desktop.video.audio_output import NoSoundOutput


class FakeDevice:
    """Plays for nobody."""

    rate_hz = 48_000
    alive = True

    def __init__(self) -> None:
        self.fill = None
        self.opened = 0

    def open(self, make_fill):
        self.fill = make_fill(self.rate_hz)
        self.opened += 1
        return self

    def close(self) -> None:
        self.fill = None

    def play(self) -> np.ndarray:
        out = np.zeros((480, 2), dtype=np.float32)
        if self.fill is not None:
            self.fill(out, 0.0)
        return out


@pytest.fixture
def device(monkeypatch) -> FakeDevice:
    fake = FakeDevice()
    monkeypatch.setattr("vvlm_desktop.video.audio_output.open_output", fake.open)
    return fake


@pytest.fixture
def desk(stage, add_clip):
    add_clip()
    here = stage()
    here.open()
    return here, here.page.desk


def is_heard(sound: Sound) -> bool:
    return sound._heard


def test_a_clip_opens_muted_and_plays_without_a_device(desk, device):
    here, desk = desk
    assert desk.sound.muted
    here.press("Space")
    assert desk.playback.playing
    assert not is_heard(desk.sound)
    assert not device.opened
    assert "sound" not in {thread.name for thread in threading.enumerate()}


def test_m_lets_it_be_heard_and_is_remembered(desk, device, qtbot):
    here, desk = desk
    here.press("M Space")
    assert not desk.sound.muted
    assert is_heard(desk.sound)
    qtbot.waitUntil(lambda: bool(device.play().any()))
    assert not Sound().muted
    here.press("M")
    assert not is_heard(desk.sound)
    device.play()
    assert not device.play().any()
    assert Sound().muted


@pytest.mark.parametrize("keys", ["J", "Space Space", "S Space"])
def test_it_is_silent_backward_paused_and_on_single_frames(desk, device, keys):
    here, desk = desk
    here.press("M Space")
    assert is_heard(desk.sound)
    here.press("Space")
    here.press(keys)
    assert not is_heard(desk.sound)


@pytest.mark.parametrize(("rate", "heard"), [(0.1, False), (0.5, True), (1.5, True), (2.0, True), (4.0, False)])
def test_it_is_heard_at_speeds_at_which_it_is_still_itself(desk, device, rate, heard):
    here, desk = desk
    here.press("M Space")
    desk.playback.set_rate(rate)
    assert is_heard(desk.sound) == heard


def test_dragging_is_silent(desk, device):
    here, desk = desk
    here.press("M Space")
    desk.timeline.scrubbed.emit(20, True)
    assert not is_heard(desk.sound)


def test_the_volume_is_remembered_and_nothing_is_muted(desk, device):
    here, desk = desk
    here.press("M Ctrl+Up")
    assert desk.sound.volume == pytest.approx(0.8)
    assert here.toast == "Volume 80 %"
    assert Sound().volume == pytest.approx(0.8)
    for _ in range(9):
        here.press("Ctrl+Down")
    assert desk.sound.muted
    here.press("M")
    assert desk.sound.volume == pytest.approx(0.1)


def test_the_button_says_what_is_so(desk, device, monkeypatch, qtbot):
    _here, desk = desk
    control = desk.transport.sound
    control.set_compact(False)
    assert control.button.toolTip() == "Sound on (M)"
    assert control.slider.isHidden()
    QTest.mouseClick(control.button, Qt.MouseButton.LeftButton)
    assert control.button.toolTip() == "Mute (M)"
    assert not control.slider.isHidden()
    control.slider.setValue(30)
    assert desk.sound.volume == pytest.approx(0.3)


def test_a_speed_at_which_nothing_is_heard_is_said(desk, device, qtbot):
    _here, page_desk = desk
    page_desk.sound.set_muted(False)
    qtbot.waitUntil(lambda: page_desk.sound.available)
    button = page_desk.transport.sound.button
    page_desk.playback.set_rate(4.0)
    assert button.toolTip() == "Silent at this speed; heard from 0.5× to 2×."
    page_desk.playback.set_rate(2.0)
    assert "Silent" not in button.toolTip()


def test_no_device_is_said_in_the_tooltip_and_nowhere_else(desk, monkeypatch, qtbot):
    here, desk = desk
    monkeypatch.setattr(
        "vvlm_desktop.video.audio_output.open_output", lambda _fill: NoSoundOutput("Silent: no device.")
    )
    here.press("M Space")
    button = desk.transport.sound.button
    qtbot.waitUntil(lambda: "Silent: no device." in button.toolTip())
    assert desk.playback.playing
    assert not here.shell.problems
    assert here.toast == ""


def test_a_clip_without_sound_says_so(stage, add_clip):
    add_clip("h264.mkv")
    here = stage()
    here.open()
    button = here.page.desk.transport.sound.button
    assert not button.isEnabled()
    assert button.toolTip() == "This clip has no sound"


def test_the_numbers_of_the_frame_come_before_the_volume(desk, device):
    here, desk = desk
    here.press("M")
    control = desk.transport.sound
    here.page.resize(2000, 860)
    here.qtbot.waitUntil(lambda: not control.slider.isHidden())
    here.page.resize(1300, 860)
    here.qtbot.waitUntil(control.slider.isHidden)
    assert not control.button.isHidden()
