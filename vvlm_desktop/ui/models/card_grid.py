"""Cards side by side, as many as fit, all of a row equally high; arrows go from one to the next."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.card import ModelCard
from vvlm_desktop.ui.models.card_view import CardView

_LEAST_PX = 330
_MOST_COLUMNS = 4


class CardGrid(QWidget):
    """Shows `CardView`s in their order; a card that is still there keeps its widget, so that its focus stays."""

    pressed = Signal(str, str)  # key, verb
    card_focused = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, ModelCard] = {}
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.PAD)

    def show_views(self, views: Sequence[CardView]) -> None:
        """Show these."""
        wanted = [view.key for view in views]
        for key in [key for key in self.cards if key not in wanted]:
            gone = self.cards.pop(key)
            self._grid.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for view in views:
            card = self.cards.get(view.key)
            if card is None:
                self.cards[view.key] = card = ModelCard(view)
                card.pressed.connect(self.pressed)
                card.arrow_pressed.connect(self._on_arrow)
            else:
                card.show_view(view)
        ordered = {key: self.cards[key] for key in wanted}
        if list(ordered) != list(self.cards) or self._grid.count() != len(wanted):
            self.cards = ordered
            self._place()

    def _place(self) -> None:
        columns = self._columns = self._columns_for(self.width())
        for number, card in enumerate(self.cards.values()):
            self._grid.addWidget(card, number // columns, number % columns)
        for column in range(_MOST_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    @staticmethod
    def _columns_for(width: int) -> int:
        least = theme.px(_LEAST_PX)
        return max(1, min(_MOST_COLUMNS, (width + theme.PAD) // (least + theme.PAD)))

    def _on_arrow(self, columns: int, rows: int) -> None:
        cards = list(self.cards.values())
        card = self.sender()
        if isinstance(card, ModelCard) and card in cards:
            place = cards.index(card) + columns + rows * self._columns
            if 0 <= place < len(cards):
                cards[place].setFocus(Qt.FocusReason.TabFocusReason)
                self.card_focused.emit(cards[place])

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._columns_for(self.width()) != self._columns and self.cards:
            self._place()
