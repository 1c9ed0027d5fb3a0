"""A sound device that can be opened and stops at once: it is tried a few times, and then there is silence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import clips
from vvlm_desktop.video import audio_mixer
from vvlm_desktop.video.audio_clock import SoundClock, Timing
from vvlm_desktop.video.audio_output import Fill
from vvlm_desktop.video.audio_thread import SoundThread
from vvlm_desktop.video.index import read_index

WAIT_S = 10.0


class _Stopped:
    """Asks for nothing."""

    rate_hz = 48_000
    alive = False

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class _Stage:
    """A thread whose devices all stop; `silent` is set when it has given up."""

    def __init__(self) -> None:
        self.devices: list[_Stopped] = []
        self.said: list[str | None] = []
        self.silent = threading.Event()
        self.clock = SoundClock()
        self.thread = SoundThread(self.clock, on_output=self._tell, open_device=self._open)

    def play(self, path: Path, *, from_s: float) -> None:
        self.silent.clear()
        self.thread.play(path, read_index(path), Timing(from_s, self.clock(), 1.0))
        assert self.silent.wait(WAIT_S), "it goes on opening devices"

    def _open(self, make_fill: Callable[[int], Fill]) -> _Stopped:
        make_fill(_Stopped.rate_hz)
        self.devices.append(_Stopped())
        return self.devices[-1]

    def _tell(self, trouble: str | None) -> None:
        self.said.append(trouble)
        if trouble is not None or len(self.devices) > 100:
            self.silent.set()


def test_it_is_given_up_and_said_until_something_else_is_to_be_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_mixer, "_STALLED_S", 0.005)
    path = clips.clip("h264.ts")
    stage = _Stage()
    for round_ in (1, 2):
        stage.play(path, from_s=0.0)
        assert 1 < len(stage.devices) / round_ < 10
        assert stage.said[-1] == "Silent: the sound device stops again and again."
        assert all(device.closed == 1 for device in stage.devices)
    stage.thread.close()
