"""Beside the timeline: the map of the track, and the correction of the sensors' clock."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QCloseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.map_view import MapView
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.workflow.telemetry import MOST_OFFSET_MS, Drive


class DrivePanel(QWidget):
    """Shown only where there are positions, and where there is room."""

    drive_changed = Signal(object)  # Drive, None for none
    closed = Signal()
    clock_chosen = Signal(int)  # ms by which the sensors were later than the pictures

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drive: Drive | None = None
        self._compact = self._alone = False
        self.map = MapView()
        self.clock = QSpinBox()
        self.clock.setRange(-MOST_OFFSET_MS, MOST_OFFSET_MS)
        self.clock.setSingleStep(100)
        self.clock.setSuffix(" ms")
        self.clock.setKeyboardTracking(False)
        self.clock.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clock.setAccessibleName("Correction of the sensors' clock in milliseconds")
        self.clock.setToolTip("Move speed, forces and track against the pictures, where the camera's clocks differ.")
        self.clock.valueChanged.connect(self._on_clock)
        row = QHBoxLayout()
        row.addWidget(label("GPS clock", "small"))
        row.addWidget(self.clock, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.GAP, theme.PAD, theme.GAP)
        column.setSpacing(theme.GAP)
        column.addWidget(self.map, 1)
        column.addLayout(row)
        self.setFixedWidth(theme.px(200))
        self.hide()

    @property
    def drive(self) -> Drive | None:
        """What is shown."""
        return self._drive

    def show_drive(self, drive: Drive | None) -> None:
        """Another clip's, or the same with another clock."""
        self._drive = drive if drive else None
        self.map.show_drive(self._drive)
        with QSignalBlocker(self.clock):
            self.clock.setValue(self._drive.offset_ms if self._drive is not None else 0)
        self._place()
        self.drive_changed.emit(self._drive)

    def set_compact(self, compact: bool) -> None:
        """No room for a map."""
        self._compact = compact
        self._place()

    def set_alone(self, alone: bool) -> None:
        """Only the picture is shown, or everything again."""
        self._alone = alone
        self._place()

    def _place(self) -> None:
        there = self._drive is not None and len(self._drive.fix_ms) > 1
        self.setVisible(there and not self._compact and not self._alone)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.colour("panel"))

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        self.closed.emit()
        super().closeEvent(event)

    def _on_clock(self, offset_ms: int) -> None:
        if self._drive is not None and offset_ms != self._drive.offset_ms:
            self.clock_chosen.emit(offset_ms)
