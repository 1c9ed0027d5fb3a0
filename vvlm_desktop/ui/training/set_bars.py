"""How often each value of a field occurs in the three parts of a set: small bars, each beside its number."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.set_facts import PARTS, Balance

_LINE_PX = 20
_WORD_SHARE = 0.34
_NUMBER_PX = 44


class BalanceBars(QWidget):
    """One field: a headline, then a line for each value. A part's bars are as long as their share of that part."""

    def __init__(self, balance: Balance, *, headed: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._balance = balance
        self._headed = headed
        self.setFont(theme.font("body"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(balance.label)
        self.setAccessibleDescription(balance.in_words)

    @property
    def balance(self) -> Balance:
        """What is shown."""
        return self._balance

    @override
    def sizeHint(self) -> QSize:
        return QSize(theme.px(360), theme.px(_LINE_PX) * (1 + len(self._balance.rows)))

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(240), self.sizeHint().height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = theme.px(_LINE_PX)
        words = self.width() * _WORD_SHARE
        column = (self.width() - words) / len(PARTS)
        self._paint_head(painter, line=line, words=words, column=column)
        totals = [max(1, sum(numbers[place] for _, numbers in self._balance.rows)) for place in range(len(PARTS))]
        for number, (word, numbers) in enumerate(self._balance.rows, start=1):
            self._text(painter, QRectF(0, number * line, words - theme.GAP, line), word, "text")
            for place, each in enumerate(numbers):
                area = QRectF(words + place * column, number * line, column, line)
                self._paint_bar(painter, area, each, share=each / totals[place])

    def _paint_head(self, painter: QPainter, *, line: int, words: float, column: float) -> None:
        painter.setFont(theme.font("strong"))
        self._text(painter, QRectF(0, 0, words - theme.GAP, line), self._balance.label, "text")
        painter.setFont(theme.font("small"))
        if self._headed:
            for place, part in enumerate(PARTS.values()):
                self._text(painter, QRectF(words + place * column, 0, column, line), part, "muted")
        painter.setFont(self.font())

    @staticmethod
    def _text(painter: QPainter, area: QRectF, text: str, ink: str) -> None:
        painter.setPen(theme.colour(ink))
        shortened = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shortened)

    def _paint_bar(self, painter: QPainter, area: QRectF, number: int, *, share: float) -> None:
        room = max(8.0, area.width() - theme.px(_NUMBER_PX))
        groove = QRectF(area.left(), area.center().y() - 3, room, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("raised"))
        painter.drawRoundedRect(groove, 3, 3)
        if number:
            painter.setBrush(theme.colour("accent"))
            painter.drawRoundedRect(QRectF(groove.left(), groove.top(), max(4.0, room * share), 6), 3, 3)
        beside = QRectF(groove.right() + 6, area.top(), theme.px(_NUMBER_PX) - 8, area.height())
        self._text(painter, beside, f"{number:,}" if number else "–", "text" if number else "muted")
