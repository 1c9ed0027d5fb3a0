"""The panel with brightness, contrast and gamma, over the lower corner of the picture."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.picture_look import GAMMA_LIMITS, LIMIT, Look
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.labels import label

_WIDTH_PX = 300
_NOTE = "Only for your eyes: saved frames, evidence and what models see stay as recorded."


class LookPanel(QWidget):
    """Three sliders; says each change at once."""

    changed = Signal(object)  # Look
    closed = Signal()

    def __init__(self, on: QWidget) -> None:
        super().__init__(on)
        self._on = on
        self.brightness, self._brightness_text = self._slider("Brightness", -LIMIT, LIMIT)
        self.contrast, self._contrast_text = self._slider("Contrast", -LIMIT, LIMIT)
        low, high = (round(100 * limit) for limit in GAMMA_LIMITS)
        self.gamma, self._gamma_text = self._slider("Gamma", low, high)
        self.as_recorded = button("As recorded", self._on_reset, kind="link")
        self.close_button = IconButton("close", "Close the panel", self.closed.emit)
        for each in (self.as_recorded, self.close_button):
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lay_out()
        self.setAccessibleName("Brightness, contrast and gamma, view only")
        self.show_look(Look())
        on.installEventFilter(self)
        self.hide()

    def _slider(self, name: str, low: int, high: int) -> tuple[QSlider, QLabel]:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(low, high)
        slider.setPageStep(10)
        slider.setAccessibleName(f"{name}, view only")
        slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click must not take the keys from the page
        slider.valueChanged.connect(self._on_moved)
        return slider, label("", "small")

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(label("View only", "strong"), 1)
        head.addWidget(self.as_recorded)
        head.addWidget(self.close_button)
        grid = QGridLayout()
        rows = (
            ("Brightness", self.brightness, self._brightness_text),
            ("Contrast", self.contrast, self._contrast_text),
            ("Gamma", self.gamma, self._gamma_text),
        )
        for line, (name, slider, value) in enumerate(rows):
            value.setMinimumWidth(self.fontMetrics().horizontalAdvance("-100 "))
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(label(name, "small"), line, 0)
            grid.addWidget(slider, line, 1)
            grid.addWidget(value, line, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PAD, theme.GAP, theme.GAP, theme.PAD)
        column.setSpacing(4)
        column.addLayout(head)
        column.addLayout(grid)
        column.addWidget(label(_NOTE, "small", wrap=True))

    def show_look(self, look: Look) -> None:
        """Put the sliders where `look` is, without saying so."""
        pairs = ((self.brightness, look.brightness), (self.contrast, look.contrast), (self.gamma, look.gamma * 100))
        for slider, value in pairs:
            blocker = QSignalBlocker(slider)
            slider.setValue(round(value))
            blocker.unblock()
        self._show_values()

    def look(self) -> Look:
        """What the sliders say."""
        return Look(self.brightness.value(), self.contrast.value(), self.gamma.value() / 100)

    def ask(self) -> None:
        """Show the panel."""
        self.place()
        self.show()
        self.raise_()

    def place(self) -> None:
        """Go to the lower right corner."""
        width = min(theme.px(_WIDTH_PX), self._on.width() - 2 * theme.GAP)
        layout = self.layout()
        height = layout.totalHeightForWidth(width) if layout is not None else 0
        self.resize(width, max(height, self.minimumSizeHint().height()))
        self.move(self._on.width() - width - theme.GAP, self._on.height() - self.height() - theme.GAP)

    def _show_values(self) -> None:
        self._brightness_text.setText(f"{self.brightness.value():+d}")
        self._contrast_text.setText(f"{self.contrast.value():+d}")
        self._gamma_text.setText(f"{self.gamma.value() / 100:.2f}")

    def _on_moved(self, _value: int) -> None:
        self._show_values()
        self.changed.emit(self.look())

    def _on_reset(self) -> None:
        self.show_look(Look())
        self.changed.emit(Look())

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self.place()
        return False

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("panel", alpha=0.96))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
