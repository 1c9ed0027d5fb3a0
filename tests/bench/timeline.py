"""How long the timeline takes to paint: `pytest tests/bench/timeline.py -m bench -s`.

At 1440 px, each time from nothing (as after a notch of the wheel): a short clip, an hour at 30 fps, an hour whose rate
changes, and one whose clock jumps by an hour. The goal is 8 ms; the figures depend on what else the machine does and
are asserted only when VVLM_BENCH_ASSERT is set. What a hand would feel as lag fails always: a wheel that goes from the
whole hour to single frames and back, a drag along the strip of the whole clip, and the pointer moving over the lanes
must take less of the processor than a picture's time at 60 a second for all but one in twenty of their steps, painting
included.
"""

from __future__ import annotations

import os
import statistics
import time
from fractions import Fraction

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from tests.ui.review.timelines import wheel
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_model import EventMark, TimelineModel, curve
from vvlm_desktop.video.index import FrameIndex

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

GOAL_MS = 8.0
LAG_MS = 16.0
#: The built-in measurements look at ten frames a second.
SEEN = 36_000


def an_index(pts: np.ndarray) -> FrameIndex:
    frames = tuple(pts.tolist())
    keys = tuple((p, p) for p in frames[::30])
    return FrameIndex(0, "mov,mp4", "h264", 1920, 1080, 0, Fraction(1), Fraction(1, 90_000), frames, keys, False)


def clips_to_paint() -> dict[str, FrameIndex]:
    random = np.random.default_rng(1)
    hour = np.arange(108_000) * 3000
    varying = np.cumsum(random.choice([1500, 3000, 6000, 9000], 108_000))
    jumped = np.arange(900) * 3000
    jumped[450:] += 3600 * 90_000
    return {"30 s": np.arange(900) * 3000, "1 h": hour, "1 h VFR": varying, "jump of 1 h": jumped}


def a_model(index: FrameIndex) -> TimelineModel:
    t_s = np.linspace(0, index.duration_s, 20_000)
    lanes = [
        curve(name, t_s, np.abs(np.sin(t_s * 3) * np.sin(t_s / 40)), ink="accent", filled=name != "brightness")
        for name in ("motion", "brightness", "sound", "speed", "G-force")
    ]
    places = np.linspace(0, len(index) - 40, 12).astype(int)
    marks = [
        EventMark(i, i + 30, index.seconds(i), index.seconds(i + 30), "candidate", "hard braking")
        for i in places.tolist()
    ]
    seen = tuple(
        index.seconds(i) for i in np.linspace(0, len(index) - 1, min(SEEN, len(index) // 3)).astype(int).tolist()
    )
    return TimelineModel(
        duration_s=index.duration_s, seen_s=seen, curves=tuple(lane for lane in lanes if lane), marks=tuple(marks)
    )


@pytest.mark.parametrize("name", ["30 s", "1 h", "1 h VFR", "jump of 1 h"])
def test_painting_from_nothing(qtbot, name):
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(1440, 260)
    index = an_index(clips_to_paint()[name])
    start = time.perf_counter()
    timeline.show_clip(index, a_model(index))
    shown_ms = (time.perf_counter() - start) * 1000
    timeline.show()
    timeline.set_position(len(index) // 3)
    surface = QImage(1440, 260, QImage.Format.Format_RGB32)
    worst_ms = 0.0
    while True:
        for cell in timeline.cells():
            picture = QImage(96, 54, QImage.Format.Format_RGB888)
            picture.fill(QColor(cell.frame_index % 255, 80, 80))
            timeline.set_picture(cell.frame_index, picture)
        times_ms = []
        for _ in range(9):
            start = time.perf_counter()
            timeline._arrange()
            timeline.render(surface)
            times_ms.append((time.perf_counter() - start) * 1000)
        start_s, end_s = timeline.visible_s()
        figures = f"median {statistics.median(times_ms):5.2f} ms, least {min(times_ms):5.2f}, opened {shown_ms:.0f}"
        print(f"{name}, {end_s - start_s:9.3f} s visible: {figures}")
        worst_ms = max(worst_ms, statistics.median(times_ms))
        timeline.zoom(2)
        if timeline.visible_s() == (start_s, end_s):
            break
    if os.environ.get("VVLM_BENCH_ASSERT"):
        assert worst_ms < GOAL_MS


def a_timeline_of_an_hour(qtbot, name: str) -> Timeline:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(1440, 320)
    index = an_index(clips_to_paint()[name])
    timeline.show_clip(index, a_model(index))
    timeline.show()
    return timeline


@pytest.mark.parametrize("name", ["1 h", "1 h VFR"])
def test_hand_on_an_hour_feels_no_lag(qtbot, name):
    timeline = a_timeline_of_an_hour(qtbot, name)
    surface = QImage(1440, 320, QImage.Format.Format_RGB32)
    times_ms: dict[str, list[float]] = {}

    def timed(what: str, step) -> None:
        start = time.thread_time()
        step()
        timeline.cells()
        timeline.render(surface)
        times_ms.setdefault(what, []).append((time.thread_time() - start) * 1000)

    for _ in range(60):
        timed("wheel in", lambda: wheel(timeline, 700, 120))
    start_s, end_s = timeline.visible_s()
    assert end_s - start_s < 1.0
    for i in range(200):
        timed("steps", lambda i=i: timeline.set_position(40_000 + i))
    strip = timeline._strip_rect()
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=strip.center().toPoint())
    for x in range(round(strip.left()), round(strip.right()), 12):
        timed("drag along the whole", lambda x=x: QTest.mouseMove(timeline, QPoint(x, round(strip.center().y()))))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=strip.center().toPoint())
    for _ in range(60):
        timed("wheel out", lambda: wheel(timeline, 700, -120))
    assert timeline.visible_s() == pytest.approx((0.0, timeline._model.duration_s))
    for x in range(200, 1400, 6):
        timed("pointer", lambda x=x: QTest.mouseMove(timeline, QPoint(x, 60)))
    for what, each_ms in times_ms.items():
        p95_ms = statistics.quantiles(each_ms, n=20)[-1]
        print(
            f"{name}, {what}: median {statistics.median(each_ms):5.2f} ms, p95 {p95_ms:5.2f}, most {max(each_ms):5.2f}"
        )
        assert p95_ms < LAG_MS, what
