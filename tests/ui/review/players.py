"""A player without its page: view, playback and source on a generated clip, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from tests import clips
from vvlm_desktop.ui.review.clip_source import ClipSource
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.player_view import VideoView
from vvlm_desktop.video.index import read_index

MB = 1 << 20


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Player:
    """View, playback and source, wired as the page wires them."""

    def __init__(self, qtbot, path: Path) -> None:
        self.qtbot = qtbot
        self.clock = Clock()
        self.index = read_index(path)
        self.source = ClipSource("clip", path, self.index, budget_bytes=64 * MB)
        self.view = VideoView()
        self.view.resize(320, 180)
        self.view.set_shape(rotation=self.index.rotation, sample_aspect=self.index.sample_aspect)
        self.play = Playback(self.view, clock=self.clock)
        self.play.picture_changed.connect(self.view.show_picture)
        self.painted: list[int] = []
        self.view.painted.connect(lambda _clip_id, i: self.painted.append(i))
        qtbot.addWidget(self.view)
        self.view.show()

    def wait_for(self, i: int) -> None:
        self.qtbot.waitUntil(lambda: bool(self.painted) and self.painted[-1] == i)

    def code(self) -> int:
        return clips.read_code(pixels(self.view.grab().toImage()))

    def run(self, seconds: float, *, step_s: float = 1 / 60) -> list[int]:
        """Let the clock run and give the frames that were shown."""
        shown: list[int] = []
        self.play.picture_changed.connect(lambda picture: shown.append(picture.frame_index))
        for _ in range(round(seconds / step_s)):
            assert self.source.wait_idle(5)
            self.clock.now += step_s
            self.play.tick()
        return shown


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


@pytest.fixture
def player(qtbot) -> Iterator[Callable[..., Player]]:
    made: list[Player] = []

    def make(name: str, *, at: int = 0) -> Player:
        made.append(Player(qtbot, clips.clip(name)))
        made[-1].play.open(made[-1].source, at=at)
        return made[-1]

    yield make
    for each in made:
        each.play.open(None)
        each.source.close()
