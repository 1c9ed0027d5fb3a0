"""What an empty page shows: what is missing, what to do first, and the button that does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label


@dataclass(frozen=True, slots=True)
class Offer:
    """A button of an empty state; the first one is the primary."""

    text: str
    on_click: Callable[[], object]
    icon: str | None = None


class IconView(QWidget):
    """An icon by itself."""

    def __init__(self, name: str, *, ink: str = "muted", size_px: int = 18, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._ink = name, ink
        side = theme.px(size_px)
        self.setFixedSize(QSize(side, side))

    def show_icon(self, name: str, ink: str) -> None:
        """Show another icon."""
        self._name, self._ink = name, ink
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        icons.paint(QPainter(self), QRectF(self.rect()), self._name, self._ink)


class EmptyState(QWidget):
    """An icon, a headline, one sentence and at most three buttons, in the middle of the room there is."""

    def __init__(
        self, icon: str, title: str, sentence: str, offers: Sequence[Offer] = (), *, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.GAP)
        column.addStretch(2)
        column.addWidget(IconView(icon, size_px=36), alignment=Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(theme.GAP)
        self.title = label(title, "title")
        self.sentence = label(sentence, "muted", wrap=True)
        for text in (self.title, self.sentence):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.sentence.setFixedWidth(theme.px(420))
        column.addWidget(self.title, alignment=Qt.AlignmentFlag.AlignHCenter)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self.sentence)
        middle.addStretch(1)
        column.addLayout(middle)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        row.addStretch(1)
        self.buttons = [
            button(offer.text, offer.on_click, kind="primary" if first else "normal", icon=offer.icon)
            for first, offer in zip([True] + [False] * len(offers), offers, strict=False)
        ]
        for item in self.buttons:
            row.addWidget(item)
        row.addStretch(1)
        column.addSpacing(theme.GAP)
        column.addLayout(row)
        column.addStretch(3)
        self.show_words(title, sentence)

    def show_words(self, title: str, sentence: str, *, enabled: bool = True) -> None:
        """Say something else, with the buttons enabled or not."""
        self.title.setText(title)
        self.sentence.setText(sentence)
        self.setAccessibleName(title)
        self.setAccessibleDescription(sentence)
        for item in self.buttons:
            item.setEnabled(enabled)
