"""Our player: view, playback and timeline as on the page, with a stopwatch. `python -m tests.bench.peers.own FILM`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from tests.bench.peers import course
from vvlm_desktop.ui.review.clip_source import ClipSource
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.player_view import VideoView
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_model import TimelineModel
from vvlm_desktop.video.index import read_index

CACHE_BYTES = 450 << 20
#: As a window does between events; asking over and over would take a core from the decoder.
_SLEEP = QEventLoop.ProcessEventsFlag.WaitForMoreEvents


class OwnPlayer:
    """One open clip on its own page; `close` it."""

    def __init__(self, path: Path, *, cache_bytes: int = CACHE_BYTES) -> None:
        self.index = read_index(path)
        self.path = path
        self._cache_bytes = cache_bytes
        self.view = VideoView()
        self.view.resize(*course.SURFACE)
        self.timeline = Timeline()
        self.timeline.resize(course.SURFACE[0], 200)
        self.timeline.show_clip(self.index, TimelineModel(duration_s=self.index.duration_s))
        self._waker = QTimer()  # so that waiting for events ends some time
        self._waker.start(50)
        self.painted: list[tuple[float, int]] = []
        self.view.painted.connect(lambda _clip_id, i: self.painted.append((time.perf_counter(), i)))
        self.playback = Playback(self.view)
        self.playback.picture_changed.connect(self.view.show_picture)
        self.playback.position_changed.connect(self.timeline.set_position)
        self.view.show()
        self.timeline.show()
        self.source = self._open()

    def _open(self) -> ClipSource:
        source = ClipSource(f"clip {time.perf_counter()}", self.path, self.index, budget_bytes=self._cache_bytes)
        self.playback.open(source)
        self._wait(0)
        return source

    def forget(self) -> None:
        """As `course.Player`."""
        self.playback.open(None)
        self.source.close()
        self.painted.clear()
        self.source = self._open()
        assert self.source.wait_idle(30)
        self.source._cache.clear()
        self.pump()

    def warm(self) -> None:
        """Have in the cache what fits."""
        for i in range(0, len(self.index), 10):
            self.playback.seek(i)
            assert self.source.wait_idle(30)
        self.pump()

    def pump(self, seconds: float = 0.02) -> None:
        """Let the window live for that long."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()

    def _wait(self, i: int) -> None:
        end = time.perf_counter() + course.LIMIT_S
        while (not self.painted or self.painted[-1][1] != i) and time.perf_counter() < end:
            QApplication.processEvents(_SLEEP)

    def timed(self, go: Callable[[], object]) -> tuple[float, bool]:
        """Seconds from the order until exactly that frame is painted."""
        self.painted.clear()
        start = time.perf_counter()
        go()
        self._wait(self.playback.position)
        if not self.painted:
            return course.LIMIT_S, False
        return self.painted[-1][0] - start, self.painted[-1][1] == self.playback.position

    def seek(self, i: int, *, dragging: bool = False) -> tuple[float, bool]:
        """As `course.Player`."""
        if self.playback.position == i and self.painted and self.painted[-1][1] == i:
            return 0.0, True
        return self.timed(lambda: self.playback.seek(i, dragging=dragging))

    def step(self, by: int) -> tuple[float, bool]:
        """As `course.Player`."""
        return self.timed(lambda: self.playback.step(by))

    def drag(self, target: Callable[[float], int | None]) -> int:
        """As `course.Player`."""
        self.painted.clear()
        start = time.perf_counter()
        while (i := target(time.perf_counter() - start)) is not None:
            self.playback.seek(i, dragging=True)
            self.pump(0.008)
        return len({i for _, i in self.painted})

    def play(self, seconds: float, *, rate: float = 1.0) -> int:
        """As `course.Player`; sleeps between events, as a window does."""
        self.painted.clear()
        self.playback.play(rate)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()
            time.sleep(0.001)
        self.playback.pause()
        return len({i for _, i in self.painted})

    def process_id(self) -> int:
        """As `course.Player`."""
        return os.getpid()

    def close(self) -> None:
        """End its thread and its windows."""
        self.playback.open(None)
        self.source.close()
        self.view.close()
        self.timeline.close()


if __name__ == "__main__":
    application = QApplication([])
    player = OwnPlayer(Path(sys.argv[1]))
    course.report(course.run(player))
    player.close()
