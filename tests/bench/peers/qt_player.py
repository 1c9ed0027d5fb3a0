"""Qt's QMediaPlayer, painted by its own means into a plain widget: `python -m tests.bench.peers.qt_player FILM`.

Needs PySide6-Addons, which the program does not: it runs in an environment of its own.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer, QUrl
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtMultimedia import QMediaPlayer, QVideoFrame, QVideoSink
from PySide6.QtWidgets import QApplication, QWidget

from tests.bench.peers import course

#: As a window does between events; asking over and over would take a core from the decoder.
_SLEEP = QEventLoop.ProcessEventsFlag.WaitForMoreEvents


class Surface(QWidget):
    """Paints the newest frame and notes when."""

    def __init__(self) -> None:
        super().__init__()
        self.resize(*course.SURFACE)
        self.frame: QVideoFrame | None = None
        self.painted: list[tuple[float, int]] = []

    def show_frame(self, frame: QVideoFrame) -> None:
        """Take it; painted when Qt says so."""
        self.frame = frame
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.frame is not None and self.frame.isValid():
            self.frame.paint(painter, self.rect().toRectF(), QVideoFrame.PaintOptions())
            self.painted.append((time.perf_counter(), round(self.frame.startTime() * course.FPS / 1e6)))
        painter.end()


class QtPlayer:
    """See `course.Player`."""

    def __init__(self, path: Path) -> None:
        self._surface = Surface()
        self._sink = QVideoSink()
        self._sink.videoFrameChanged.connect(self._surface.show_frame)
        self._player = QMediaPlayer()
        self._player.setVideoSink(self._sink)
        self._player.setSource(QUrl.fromLocalFile(str(path)))
        self._surface.show()
        self._player.pause()
        self._waker = QTimer()  # so that waiting for events ends some time
        self._waker.start(50)
        self._at = 0
        self._wait(0, time.perf_counter())

    def seek(self, i: int) -> tuple[float, bool]:
        if self._at == i and self._surface.painted and self._surface.painted[-1][1] == i:
            return 0.0, True
        self._surface.painted.clear()
        start = time.perf_counter()
        self._go(i)
        return self._wait(i, start)

    def step(self, by: int) -> tuple[float, bool]:
        return self.seek(self._at + by)

    def forget(self) -> None:
        self.seek(0)

    def drag(self, target: Callable[[float], int | None]) -> int:
        self._surface.painted.clear()
        start = time.perf_counter()
        while (i := target(time.perf_counter() - start)) is not None:
            self._go(i)
            self._pump(0.008)
        return len({i for _, i in self._surface.painted})

    def play(self, seconds: float) -> int:
        self._surface.painted.clear()
        self._player.play()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()
            time.sleep(0.001)
        self._player.pause()
        return len({i for _, i in self._surface.painted})

    def process_id(self) -> int:
        return os.getpid()

    def _go(self, i: int) -> None:
        self._at = i
        self._player.setPosition(int((i + 0.5) * 1000 / course.FPS))

    def _pump(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()

    def _wait(self, i: int, start: float) -> tuple[float, bool]:
        painted = self._surface.painted
        while (now := time.perf_counter()) < start + course.LIMIT_S:
            if painted and painted[-1][1] == i:
                return painted[-1][0] - start, True
            if painted and now > painted[-1][0] + course.SETTLED_S:
                return painted[-1][0] - start, False
            QApplication.processEvents(_SLEEP)
        return course.LIMIT_S, False


if __name__ == "__main__":
    application = QApplication([])
    course.report(course.run(QtPlayer(Path(sys.argv[1]))))
