"""Mute and volume in the bar under the picture."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import IconButton

_KEY = "M"


class SoundControl(QWidget):
    """A button that mutes and a short slider; the wheel over either changes the volume."""

    mute_pressed = Signal()
    volume_moved = Signal(float)  # 0 to 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compact = self._available = False
        self._volume = 0.0
        self.button = IconButton("sound-off", "Sound on", self.mute_pressed.emit, key=_KEY)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(10)
        self.slider.setFixedWidth(theme.px(56))
        self.slider.setAccessibleName("Volume")
        self.slider.valueChanged.connect(self._on_moved)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for each in (self.button, self.slider):
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(each)
        self.show_sound(available=False, muted=True, volume=0.0)

    def show_sound(self, *, available: bool, muted: bool, volume: float, trouble: str = "") -> None:
        """Show what is so; `trouble` says why nothing is heard although it should be."""
        self._available, self._volume = available, volume
        self.button.setEnabled(available)
        silent = muted or not available or bool(trouble)
        name = "This clip has no sound" if not available else "Sound on" if muted else "Mute"
        self.button.show_icon("sound-off" if silent else "sound", name, key=_KEY if available else "")
        if available and trouble and not muted:
            self.button.setToolTip(trouble)
            self.button.setAccessibleName(f"{name}. {trouble}")
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(volume * 100))
        self.slider.setEnabled(available)
        self.slider.setToolTip(f"Volume {round(volume * 100)} %")
        self._muted = muted
        self._fit()

    def set_compact(self, compact: bool) -> None:
        """Leave the slider out where there is little width; the wheel over the button does the same."""
        self._compact = compact
        self._fit()

    def _fit(self) -> None:
        self.slider.setVisible(self._available and not self._muted and not self._compact)

    def _on_moved(self, value: int) -> None:
        self.volume_moved.emit(value / 100)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._available and event.angleDelta().y():
            self.volume_moved.emit(max(0.0, min(1.0, self._volume + (0.05 if event.angleDelta().y() > 0 else -0.05))))
        event.accept()
