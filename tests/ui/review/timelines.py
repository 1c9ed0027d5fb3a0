"""A timeline on its own, and the hand on it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_model import EventMark, TimelineModel, curve
from vvlm_desktop.video.index import FrameIndex


def a_mark(index: FrameIndex, first: int, last: int, kind="candidate", label="jolt", reason="why") -> EventMark:
    return EventMark(first, last, index.seconds(first), index.seconds(last), kind, label, reason)


def a_timeline(qtbot, index: FrameIndex) -> Timeline:
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(800, 240)
    t_s = np.linspace(0, 3, 50)
    curves = tuple(
        lane
        for name in ("motion", "brightness", "sound")
        if (lane := curve(name, t_s, np.abs(np.sin(t_s * 3)), ink="accent")) is not None
    )
    model = TimelineModel(
        duration_s=index.duration_s,
        seen_s=(0.5, 1.0, 1.5),
        seen_name="test-model",
        curves=curves,
        marks=(a_mark(index, 30, 45), a_mark(index, 60, 66, "evidence", "near miss")),
    )
    widget.show_clip(index, model)
    widget.show()
    return widget


def scrubs(timeline: Timeline) -> list[tuple[int, bool]]:
    found: list[tuple[int, bool]] = []
    timeline.scrubbed.connect(lambda i, dragging: found.append((i, dragging)))
    return found


def at_frame(timeline: Timeline, i: int, y: int = 20) -> QPoint:
    return QPoint(round(timeline.x_of_frame(i) + 1), y)


def wheel(timeline: Timeline, x: float, turn: int, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    event = QWheelEvent(
        QPointF(x, 30), timeline.mapToGlobal(QPointF(x, 30)), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
        modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(timeline, event)
