"""The cards of the tour over the picture, with what the last one offers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from vvlm_desktop.ui.review.overlay import HintCard
from vvlm_desktop.ui.review.tour import Card, Tour


class TourCards(QObject):
    """Shows the card that the tour has come to."""

    def __init__(
        self, tour: Tour, card: HintCard, *, offers: tuple[tuple[str, Callable[[], object]], ...], parent: QObject
    ) -> None:
        """`offers` are what the last card offers, in words and deeds."""
        super().__init__(parent)
        self._card = card
        self._offers = offers
        card.dismissed.connect(tour.stop)
        tour.card_changed.connect(self._on_card)

    def _on_card(self, card: Card | None) -> None:
        if card is None:
            self._card.hide()
            return
        shown = self._offers if card.end else ()
        # After the layout of a clip that was just opened.
        QTimer.singleShot(0, self, lambda: self._card.show_card(card.step, card.words, card.more, shown))
