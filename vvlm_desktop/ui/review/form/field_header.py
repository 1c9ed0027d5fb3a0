"""The line of a field: its name, its value, and how sure or how judged it is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.form.model import FieldView
from vvlm_desktop.ui.review.sureness import look_of, note_of, short_text, spoken_text
from vvlm_desktop.ui.widgets.marks import VERDICT_MARKS, Mark, paint_mark
from vvlm_desktop.ui.words import plain_tip


class FieldHeader(QAbstractButton):
    """A click opens the field. Closed it shows the value, open only where the value came from."""

    def __init__(self, view: FieldView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._source = "model"
        self._open = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_view(self, view: FieldView, *, source: str, is_open: bool) -> None:
        """Show another state."""
        self._view, self._source, self._open = view, source, is_open
        verdict = view.verdict.verdict if view.verdict else "untouched"
        sure = view.sureness
        parts = [view.field.label, view.text, verdict, f"{source} {spoken_text(sure)}" if sure is not None else ""]
        self.setAccessibleName(", ".join(part for part in parts if part))
        note = note_of(sure) if sure is not None else ""
        self.setToolTip(plain_tip("\n".join(part for part in ("" if is_open else view.field.help, note) if part)))
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(theme.px(220), theme.px(28 if not self._open else 32))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(theme.MARGIN, 0, -theme.MARGIN, 0)
        if self.underMouse() and not self._open:
            painter.fillRect(self.rect(), theme.colour("raised", alpha=0.6))
        flags = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font("strong" if self._open else "body"))
        painter.setPen(theme.colour("text" if self._open else "muted"))
        label_width = QFontMetricsF(painter.font()).horizontalAdvance(self._view.field.label)
        painter.drawText(rect, flags, self._view.field.label)
        right = self._paint_mark(painter, rect)
        if not self._open:
            self._paint_value(painter, QRectF(rect.left() + label_width + 12, 0, 0, rect.height()), right)
        if self.hasFocus():
            painter.setPen(theme.colour("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(4.5, 2.5, -4.5, -2.5), 4, 4)

    def _paint_value(self, painter: QPainter, area: QRectF, right: float) -> None:
        view = self._view
        given = view.answered and not view.rejected
        painter.setFont(theme.font("body"))
        painter.setPen(theme.colour("text" if given else "muted"))
        area.setRight(right)
        text = painter.fontMetrics().elidedText(view.text, Qt.TextElideMode.ElideRight, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)

    def _paint_mark(self, painter: QPainter, rect: QRectF) -> float:
        """The mark at the right end with its word; gives where the value has to end."""
        view = self._view
        mark: Mark | None = None
        word, token = "", "muted"
        if view.verdict is not None and not self._open:
            mark, token = VERDICT_MARKS[view.verdict.verdict]
        elif view.by_rule:
            word = "by rule"
        elif view.sureness is not None:
            (mark, token), word = look_of(view.sureness), short_text(view.sureness)
        right = rect.right()
        painter.setFont(theme.font("small"))
        metrics = QFontMetricsF(painter.font())
        if word:
            width = metrics.horizontalAdvance(word) + 1
            painter.setPen(theme.colour(token))
            area = QRectF(right - width, 0, width, rect.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, word)
            right -= width + 5
        if mark is not None:
            side = theme.px(10)
            paint_mark(painter, QRectF(right - side, (rect.height() - side) / 2, side, side), mark, theme.colour(token))
            right -= side + 7
        if self._open and view.said:
            painter.setPen(theme.colour("model"))
            width = metrics.horizontalAdvance(self._source) + 1
            area = QRectF(right - width, 0, width, rect.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._source)
            right -= width + 5
        return right
