"""The line over the cards: the graphics processor, its free memory, and who is using it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.words import shown

#: Memory is bought in these, and called GB by everybody.
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class GpuView:
    """The graphics processor as it is now.

    Attributes:
        name: empty where there is none that models can use.
        reason: why there is none, in a sentence.
        holder: who uses it, in words; empty where nobody does.
    """

    name: str = ""
    total_bytes: int = 0
    free_bytes: int = 0
    reason: str = "No NVIDIA GPU was found: models run on the processor, slowly."
    holder: str = ""

    @property
    def in_words(self) -> str:
        """The line for whoever cannot see it."""
        if not self.name:
            return self.reason
        return f"{self.name}, {self.memory}. {self.use}"

    @property
    def memory(self) -> str:
        """Free memory, as in 7.2 of 24.0 GB free."""
        free, total = (size / _GIB for size in (self.free_bytes, self.total_bytes))
        return f"{free:.1f} of {total:.1f} GB free"

    @property
    def use(self) -> str:
        """Who uses it, as a sentence."""
        return f"In use: {self.holder}" if self.holder else "No model of this program is on it now"


class GpuLine(QWidget):
    """Shows a `GpuView`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP)
        self.name = ElidedLabel("", "strong")
        self.name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(theme.px(120))
        self.memory = label("")
        self.use = ElidedLabel("", "muted")
        row.addWidget(IconView("chip", size_px=18))
        row.addWidget(self.name)
        row.addWidget(self.bar)
        row.addWidget(self.memory)
        row.addWidget(self.use, 1)
        self.show_view(None)

    def show_view(self, view: GpuView | None) -> None:
        """Show the GPU; None while it is being asked."""
        there = view is not None and bool(view.name)
        for item in (self.bar, self.memory, self.use):
            item.setVisible(there)
        if view is None:
            self.name.setText("Looking for a GPU…")
        elif not there:
            self.name.setText(view.reason)
        else:
            self.name.setText(shown(view.name))
            used = view.total_bytes - view.free_bytes
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(1000 * used / view.total_bytes) if view.total_bytes else 0)
            self.bar.setAccessibleName(f"GPU memory: {view.memory}")
            self.memory.setText(view.memory)
            self.use.setText(shown(view.use))
        self.setAccessibleName(self.name.text() if view is None else shown(view.in_words))
