"""The track of a drive as a small map: drawn here from the positions alone, nothing is fetched and nothing leaves."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.workflow.telemetry import NEAR_S, Drive, gaps

_METRES_PER_DEGREE = 111_320.0
_EDGE_PX = 14.0
#: So much of the world at least, or a parked car's noise would fill the map.
_LEAST_M = 20.0
_BARS_M = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


class MapView(QWidget):
    """North is up. A click goes to when the car was nearest to there."""

    time_chosen = Signal(float)  # seconds

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seconds = np.empty(0)
        self._east = self._north = np.empty(0)  # metres
        self._speeds = np.empty(0)
        self._unit = ""
        self._holes: list[int] = []  # positions after which none comes for a while
        self._at_s = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Map of the track, north is up")

    @override
    def sizeHint(self) -> QSize:
        return QSize(theme.px(190), theme.px(140))

    def show_drive(self, drive: Drive | None) -> None:
        """Show another track."""
        if drive is None or not len(drive.fix_ms):
            self._seconds = self._east = self._north = self._speeds = np.empty(0)
        else:
            middle = float(np.mean(drive.lat))
            # From the middle of the track on, so that one that crosses the date line stays in one piece.
            east = (drive.lon - drive.lon[0] + 180) % 360 - 180
            self._seconds = drive.fix_s
            self._east = east * _METRES_PER_DEGREE * math.cos(math.radians(middle))
            self._north = (drive.lat - drive.lat[0]) * _METRES_PER_DEGREE
            self._speeds, self._unit = drive.speeds, drive.unit
        self._holes = gaps(self._seconds)
        self._describe()
        self.update()

    def set_time(self, seconds: float) -> None:
        """Where the picture is."""
        if seconds != self._at_s:
            self._at_s = seconds
            self._describe()
            self.update()

    def place(self, seconds: float) -> QPointF | None:
        """Where the car was at a time; None before the first and after the last position, and in a gap between two."""
        at_s = self._measured(seconds)
        if at_s is None:
            return None
        east = float(np.interp(at_s, self._seconds, self._east))
        north = float(np.interp(at_s, self._seconds, self._north))
        return self._points(np.array([east]), np.array([north]))[0]

    def _measured(self, seconds: float) -> float | None:
        """The time itself, in a gap that of the position next to it; None where none is within a second."""
        if not len(self._seconds) or not self._seconds[0] - NEAR_S <= seconds <= self._seconds[-1] + NEAR_S:
            return None
        before = int(np.searchsorted(self._seconds, seconds, side="right")) - 1
        if before not in self._holes:
            return seconds
        nearest = min(self._seconds[before : before + 2].tolist(), key=lambda at: abs(at - seconds))
        return float(nearest) if abs(nearest - seconds) <= NEAR_S else None

    def words(self) -> str:
        """The speed where the picture is, or that it is not known."""
        if not len(self._seconds):
            return ""
        at_s = self._measured(self._at_s)
        if at_s is None:
            return "no position"
        speed = float(np.interp(at_s, self._seconds, self._speeds))
        return f"{speed:.0f} {self._unit}" if math.isfinite(speed) else "speed unknown"

    def _scale(self) -> float:
        """Pixels a metre."""
        wide, high = np.ptp(self._east), np.ptp(self._north)
        across = max(1.0, self.width() - 2 * _EDGE_PX), max(1.0, self.height() - 2 * _EDGE_PX - theme.px(12))
        return float(min(across[0] / max(wide, _LEAST_M), across[1] / max(high, _LEAST_M)))

    def _points(self, east: np.ndarray, north: np.ndarray) -> list[QPointF]:
        scale = self._scale()
        middle_e = (self._east.max() + self._east.min()) / 2
        middle_n = (self._north.max() + self._north.min()) / 2
        x = self.width() / 2 + (east - middle_e) * scale
        y = (self.height() - theme.px(12)) / 2 - (north - middle_n) * scale
        return [QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]

    def _describe(self) -> None:
        if not len(self._seconds):
            self.setAccessibleDescription("")
            return
        self.setAccessibleDescription(f"{len(self._seconds)} positions, {self.words()}")

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("raised"))
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        if not len(self._seconds):
            return
        points = self._points(self._east, self._north)
        here = self.place(self._at_s)
        self._paint_track(painter, points, here)
        painter.setPen(QPen(theme.colour("muted"), 1))
        painter.setBrush(theme.colour("panel"))
        painter.drawEllipse(points[0], 3, 3)
        if here is not None:
            painter.setPen(QPen(theme.colour("panel"), 2))
            painter.setBrush(theme.colour("accent"))
            painter.drawEllipse(here, 6, 6)
        self._paint_scale(painter)

    def _paint_track(self, painter: QPainter, points: list[QPointF], here: QPointF | None) -> None:
        """What was driven so far in another ink; dots where nothing was measured."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        driven = int(np.searchsorted(self._seconds, self._at_s, side="right"))
        first = 0
        for last in [*self._holes, len(points) - 1]:
            painter.setPen(QPen(theme.colour("muted"), 2))
            painter.drawPolyline(QPolygonF(points[first : last + 1]))
            done = points[first : min(driven, last + 1)]
            if here is not None and first < driven <= last:
                done = [*done, here]
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawPolyline(QPolygonF(done))
            if last + 1 < len(points):
                painter.setPen(QPen(theme.colour("muted"), 1, Qt.PenStyle.DotLine))
                painter.drawLine(points[last], points[last + 1])
            first = last + 1

    def _paint_scale(self, painter: QPainter) -> None:
        scale = self._scale()
        metres = next((m for m in reversed(_BARS_M) if m * scale <= self.width() * 0.4), _BARS_M[0])
        text = f"{metres} m" if metres < 1000 else f"{metres // 1000} km"
        painter.setFont(theme.font("small"))
        metrics = QFontMetricsF(painter.font())
        left, low = 8.0, self.height() - 7.0
        painter.setPen(QPen(theme.colour("muted"), 1))
        painter.drawLine(QPointF(left, low), QPointF(left + metres * scale, low))
        painter.drawText(QPointF(left + metres * scale + 5, low + 3), text)
        speed = self.words()
        painter.setPen(theme.colour("text"))
        painter.drawText(QPointF(8, metrics.ascent() + 5), speed)
        painter.setPen(QPen(theme.colour("muted"), 1))
        painter.drawText(QPointF(self.width() - metrics.horizontalAdvance("N") - 8, metrics.ascent() + 5), "N")
        x = self.width() - metrics.horizontalAdvance("N") / 2 - 8
        painter.drawLine(QPointF(x, metrics.height() + 16), QPointF(x, metrics.height() + 6))

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not len(self._seconds):
            event.ignore()
            return
        at = event.position()
        away = [(p.x() - at.x()) ** 2 + (p.y() - at.y()) ** 2 for p in self._points(self._east, self._north)]
        self.time_chosen.emit(float(self._seconds[int(np.argmin(away))]))
