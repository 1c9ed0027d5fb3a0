"""Beside the timeline: the map of the track, and the correction of the sensors' clock."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QCloseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSpinBox, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.map_view import MapView
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.workflow.telemetry import MOST_OFFSET_MS, Drive

#: By so much one press moves the sensors.
STEP_MS = 100


class DrivePanel(QWidget):
    """Shown only where there are positions, and where there is room."""

    drive_changed = Signal(object)  # Drive, None for none
    closed = Signal()
    clock_chosen = Signal(int)  # ms by which the sensors were later than the pictures

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drive: Drive | None = None
        self._notes: tuple[str, ...] = ()
        self._compact = self._alone = False
        #: What the user chose; None: shown where there is room.
        self._wanted: bool | None = None
        self.map = MapView()
        self.clock = QSpinBox()
        self.clock.setRange(-MOST_OFFSET_MS, MOST_OFFSET_MS)
        self.clock.setSingleStep(STEP_MS)
        self.clock.setSuffix(" ms")
        self.clock.setKeyboardTracking(False)
        self.clock.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clock.setAccessibleName("Correction of the sensors' clock in milliseconds")
        self.clock.setToolTip("Move speed, forces and track against the pictures, where the camera's clocks differ.")
        self.clock.valueChanged.connect(self._on_clock)
        row = QHBoxLayout()
        row.addWidget(label("Sensors' clock", "small"))
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
        self._notes = drive.notes if drive is not None else ()
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

    @property
    def has_map(self) -> bool:
        """Whether this clip has positions."""
        return self._drive is not None and len(self._drive.fix_ms) > 1

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the telemetry could not be read, also where nothing could."""
        return self._notes

    def toggle(self) -> None:
        """Hide the map, or show it also where there is little room, until it is asked for again."""
        self._wanted = self.isHidden()
        self._place()

    def move_clock(self, ms: int) -> int:
        """Sensors so much later than they are shown; what the correction is then."""
        at = self._drive.offset_ms if self._drive is not None else 0
        return self.set_clock(at + ms)

    def set_clock(self, offset_ms: int) -> int:
        """Sensors so much later than the camera says; beyond what any camera is wrong by, the most."""
        offset_ms = max(-MOST_OFFSET_MS, min(MOST_OFFSET_MS, offset_ms))
        self._on_clock(offset_ms)
        return offset_ms

    def fill_menu(self, menu: QMenu) -> None:
        """What concerns the drive in the menu of the timeline's lanes."""
        if self._drive is None:
            return
        menu.addSeparator()
        shown = menu.addAction("Map of the track")
        shown.setCheckable(True)
        shown.setChecked(not self.isHidden())
        shown.setEnabled(self.has_map)
        shown.triggered.connect(self.toggle)
        later = menu.addAction(f"Sensors {STEP_MS} ms later")
        later.triggered.connect(self._on_later)
        earlier = menu.addAction(f"Sensors {STEP_MS} ms earlier")
        earlier.triggered.connect(self._on_earlier)
        if self._drive.offset_ms:
            back = menu.addAction(f"Sensors as the camera has them (now {self._drive.offset_ms:+} ms)")
            back.triggered.connect(self._on_as_recorded)

    def _on_later(self) -> None:
        self.move_clock(STEP_MS)

    def _on_earlier(self) -> None:
        self.move_clock(-STEP_MS)

    def _on_as_recorded(self) -> None:
        self.set_clock(0)

    def _place(self) -> None:
        room = not self._compact if self._wanted is None else self._wanted
        self.setVisible(self.has_map and room and not self._alone)

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
