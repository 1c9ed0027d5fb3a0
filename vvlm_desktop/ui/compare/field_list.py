"""The fields of the answers about a clip: differences first, each value, and what the reviewer holds to be true."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.field_rows import FieldRow, SideView, footing, side_words, truth_words
from vvlm_desktop.ui.compare.lists import ITEM_ROLE, AnyIndex, Rows, RowView
from vvlm_desktop.ui.compare.sides import ALL_LETTERS, INKS
from vvlm_desktop.ui.review.sureness import look_of, short_text
from vvlm_desktop.ui.widgets.labels import label, rule, set_role
from vvlm_desktop.ui.widgets.marks import Mark, paint_mark
from vvlm_desktop.ui.words import breakable, shown
from vvlm_desktop.workflow.comparing import Comparison

_LINE_PX, _HEAD_PX = 21, 24


class _Fields(Rows[FieldRow]):
    @override
    def spoken(self, item: FieldRow) -> str:
        return item.spoken()

    @override
    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.items[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole and item.sides:
            named = zip(ALL_LETTERS, item.sides, strict=False)
            return "\n".join([*(f"{letter}: {side_words(side)}" for letter, side in named), item.truth]).strip()
        return super().data(index, role)


class _Delegate(QStyledItemDelegate):
    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        row = index.data(ITEM_ROLE)
        lines = row.lines if isinstance(row, FieldRow) else 0
        return QSize(theme.px(200), theme.px(_HEAD_PX + 6 + lines * _LINE_PX + (4 if lines else 0)))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row = index.data(ITEM_ROLE)
        if not isinstance(row, FieldRow):
            return
        painter.save()
        rect = QRectF(option.rect)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.colour("raised", alpha=0.6))
            painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), theme.colour("accent"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.colour("raised", alpha=0.4))
        area = rect.adjusted(theme.MARGIN, 3, -theme.MARGIN, 0)
        painter.setFont(theme.font("body" if row.fold else "strong"))
        painter.setPen(theme.colour("accent" if row.fold and index.row() else "muted" if row.fold else "text"))
        head = QRectF(area.left(), area.top(), area.width(), theme.px(_HEAD_PX))
        text = painter.fontMetrics().elidedText(row.label, Qt.TextElideMode.ElideRight, int(head.width()))
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, text)
        line = QRectF(area.left(), head.bottom(), area.width(), theme.px(_LINE_PX))
        for number, side in enumerate(row.sides):
            _paint_side(painter, line, number, side)
            line.translate(0, theme.px(_LINE_PX))
        if row.truth:
            _paint_truth(painter, line, row.truth)
        painter.fillRect(QRectF(rect.left(), rect.bottom(), rect.width(), 1), theme.colour("line"))
        painter.restore()


def _paint_side(painter: QPainter, line: QRectF, number: int, side: SideView) -> None:
    right = line.right()
    if side.right is not None:
        right = _paint_end(
            painter,
            line,
            right,
            "check" if side.right else "cross",
            "right" if side.right else "wrong",
            ink="good" if side.right else "bad",
        )
    if side.flaw:
        right = _paint_end(painter, line, right, "warning", side.flaw, ink="bad")
    elif side.shown is not None:
        mark, ink = look_of(side.shown)
        right = _paint_end(painter, line, right, mark, short_text(side.shown), ink=ink)
    left = paint_letter(painter, line, number)
    painter.setFont(theme.font("body"))
    painter.setPen(theme.colour("muted" if side.text == "not answered" else "text"))
    text = painter.fontMetrics().elidedText(side.text, Qt.TextElideMode.ElideRight, int(right - left - 4))
    painter.drawText(QRectF(left, line.top(), right - left, line.height()), Qt.AlignmentFlag.AlignVCenter, text)


def paint_letter(painter: QPainter, line: QRectF, number: int) -> float:
    """A or B in its colour; gives where the text goes on."""
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour(INKS[number]))
    width = theme.px(16)
    painter.drawText(
        QRectF(line.left(), line.top(), width, line.height()), Qt.AlignmentFlag.AlignVCenter, ALL_LETTERS[number]
    )
    return line.left() + width


def _paint_end(painter: QPainter, line: QRectF, right: float, mark: Mark, word: str, *, ink: str) -> float:
    """A shape and its word at the right end; gives where the rest has to end."""
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour(ink))
    width = QFontMetricsF(painter.font()).horizontalAdvance(word) + 1
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
    painter.drawText(QRectF(right - width, line.top(), width, line.height()), flags, word)
    side = theme.px(9)
    place = QRectF(right - width - 4 - side, line.center().y() - side / 2, side, side)
    paint_mark(painter, place, mark, theme.colour(ink))
    return place.left() - 9


def _paint_truth(painter: QPainter, line: QRectF, text: str) -> None:
    side = theme.px(10)
    paint_mark(painter, QRectF(line.left(), line.center().y() - side / 2, side, side), "check", theme.colour("good"))
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour("good"))
    left = line.left() + theme.px(16)
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(line.right() - left))
    painter.drawText(QRectF(left, line.top(), line.right() - left, line.height()), Qt.AlignmentFlag.AlignVCenter, shown)


class FieldList(QWidget):
    """The fields of one clip; which field is marked, and whether the others are unfolded, is all it holds."""

    field_marked = Signal(str)  # field key

    def __init__(self, rows_of: Callable[[bool], Sequence[FieldRow]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._rows_of = rows_of
        self._unfolded = False
        self._rows: _Fields = _Fields(self)
        self.view = RowView(self._rows, name="Fields, differences first", row_px=None)
        self.view.setItemDelegate(_Delegate(self.view))
        self.view.clicked.connect(self._on_clicked)
        self.view.selectionModel().currentRowChanged.connect(self._on_marked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.truth = label("", "muted", wrap=True)
        self.truth.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        column.addWidget(self.truth)
        column.addWidget(rule())
        column.addWidget(self.view, 1)
        column.addWidget(rule())
        self.footing = label("", "small", wrap=True)
        self.footing.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        column.addWidget(self.footing)

    @property
    def rows(self) -> Sequence[FieldRow]:
        """What is listed."""
        return self._rows.items

    def show_truth(self, pair: Comparison | None) -> None:
        """Say who has settled what is true of the clip."""
        known = pair is not None and pair.truth_by is not None
        self.truth.setText(breakable(shown(truth_words(pair))))
        set_role(self.truth, "good" if known else "muted")
        self.truth.setVisible(pair is not None)

    def refresh(self) -> None:
        """Show another clip, or the same as it now stands; the first field is marked."""
        self._rows.put(list(self._rows_of(self._unfolded)))
        self.footing.setText(footing(self._rows.items))
        if self._rows.items:
            self.view.select(0)

    def mark(self, field_key: str) -> None:
        """Mark a field, where it is shown."""
        row = next((n for n, each in enumerate(self._rows.items) if each.key == field_key), None)
        if row is not None:
            self.view.select(row)

    def step(self, steps: int) -> None:
        """Mark the next or the previous row."""
        row = max(0, min(self.view.currentIndex().row() + steps, len(self._rows.items) - 1))
        self.view.select(row)

    def unfold(self) -> None:
        """Show or hide the fields that do not differ."""
        row = self.view.currentIndex().row()
        self._unfolded = not self._unfolded
        self._rows.put(list(self._rows_of(self._unfolded)))
        self.view.select(min(max(0, row), len(self._rows.items) - 1))

    def _on_clicked(self, index: AnyIndex) -> None:
        row = index.data(ITEM_ROLE)
        if isinstance(row, FieldRow) and row.fold and index.row():
            self.unfold()

    def _on_marked(self, current: AnyIndex) -> None:
        row = current.data(ITEM_ROLE) if current.isValid() else None
        if isinstance(row, FieldRow) and not row.fold:
            self.field_marked.emit(row.key)
