"""The before/after table: a row for each measure, numbers with their 95 % interval drawn beside them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.result_rows import (
    BASE,
    ResultRow,
    ResultTable,
    Verdict,
    difference_words,
    interval_words,
    p_words,
    value_words,
)
from vvlm_desktop.ui.widgets.line_table import as_line_table
from vvlm_desktop.ui.widgets.marks import Mark, paint_mark
from vvlm_desktop.ui.words import plain_tip, shown

#: verdict → shape, colour, words
VERDICTS: dict[Verdict, tuple[Mark, str, str]] = {
    "better": ("check", "good", "better"),
    "worse": ("cross", "bad", "worse"),
    "unclear": ("ring", "muted", "not clear"),
}
_ROW_PX = 28
_CELL = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex


class IntervalDelegate(QStyledItemDelegate):
    """Draws a number, and for shares its interval on a scale from 0 to 100 %."""

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(theme.px(170), theme.px(_ROW_PX))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        kept = index.data(_CELL)
        if kept is None:
            super().paint(painter, option, index)
            return
        row, column = kept
        measured = row.cells[column]
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("body"))
        words = value_words(measured, row.unit)
        number_px = painter.fontMetrics().horizontalAdvance("100.0 %") + 6
        inner = rect.adjusted(8, 0, -10, 0)
        painter.setPen(theme.colour("text" if measured is not None else "muted"))
        number = QRectF(inner.left(), inner.top(), number_px, inner.height())
        painter.drawText(number, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        beside = QRectF(number.right() + 10, inner.top(), inner.right() - number.right() - 10, inner.height())
        if row.unit == "share" and measured is not None:
            _paint_bar(painter, beside, row, column)
        else:
            painter.setFont(theme.font("small"))
            painter.setPen(theme.colour("muted"))
            painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter, interval_words(measured, row.unit))
        painter.restore()


def _paint_bar(painter: QPainter, rect: QRectF, row: ResultRow, column: int) -> None:
    measured = row.cells[column]
    if measured is None or rect.width() < 20:
        return
    middle = round(rect.center().y()) + 0.5
    ink = theme.colour("muted" if column == 0 else "model")

    def x(share: float) -> float:
        return rect.left() + share * rect.width()

    painter.setPen(QPen(theme.colour("line"), 1))
    painter.drawLine(QPointF(rect.left(), middle), QPointF(rect.right(), middle))
    if measured.commonest is not None:
        painter.setPen(QPen(theme.colour("muted"), 1, Qt.PenStyle.DotLine))
        at = round(x(measured.commonest)) + 0.5
        painter.drawLine(QPointF(at, middle - 8), QPointF(at, middle + 8))
    if measured.low is not None and measured.high is not None:
        painter.setPen(QPen(ink, 2))
        painter.drawLine(QPointF(x(measured.low), middle), QPointF(x(measured.high), middle))
        painter.setPen(QPen(ink, 1.4))
        for end in (measured.low, measured.high):
            painter.drawLine(QPointF(x(end), middle - 4), QPointF(x(end), middle + 4))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    at_value = QPointF(x(measured.value), middle)
    if column == 0:
        painter.drawEllipse(at_value, 3.6, 3.6)
    else:
        painter.drawRect(QRectF(at_value.x() - 3.6, middle - 3.6, 7.2, 7.2))


class VerdictDelegate(QStyledItemDelegate):
    """Draws "✓ better" with a shape, in its colour."""

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        verdict = index.data(_CELL)
        if verdict not in VERDICTS:
            return
        mark, ink, words = VERDICTS[verdict]
        rect = QRectF(option.rect).adjusted(8, 0, -2, 0)
        painter.save()
        painter.setFont(theme.font("body"))
        side = painter.fontMetrics().ascent()
        paint_mark(painter, QRectF(rect.left(), rect.center().y() - side / 2, side, side), mark, theme.colour(ink))
        painter.setPen(theme.colour(ink))
        painter.drawText(rect.adjusted(side + 5, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()


class ResultTableView(QTableWidget):
    """Shows a `ResultTable`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        as_line_table(self, "Before and after", row_px=_ROW_PX)
        self.table: ResultTable | None = None

    def show_table(self, table: ResultTable) -> None:
        """Show other numbers."""
        self.table = table
        names = [shown(table.title_of(name)) for name in table.answerers]
        self.clear()
        self.setColumnCount(len(names) + 5)
        self.setRowCount(len(table.rows))
        self.setHorizontalHeaderLabels(["Measure", "Clips", *names, "Against base", "p", ""])
        self._set_delegates(len(names))
        for place, row in enumerate(table.rows):
            self._fill(place, row, table)
        across = self.horizontalHeader()
        across.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in range(2, 2 + len(names)):
            across.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        across.setSectionResizeMode(len(names) + 4, QHeaderView.ResizeMode.Fixed)
        self.setColumnWidth(len(names) + 4, theme.px(96))

    def _set_delegates(self, answerers: int) -> None:
        for column in range(self.columnCount()):
            if 2 <= column < 2 + answerers:
                self.setItemDelegateForColumn(column, IntervalDelegate(self))
            elif column == answerers + 4:
                self.setItemDelegateForColumn(column, VerdictDelegate(self))
            else:
                self.setItemDelegateForColumn(column, QStyledItemDelegate(self))

    def _fill(self, place: int, row: ResultRow, table: ResultTable) -> None:
        self.setItem(place, 0, _item(shown(row.title), row.detail))
        self.setItem(place, 1, _item(f"{row.clips:,}", row.detail))
        for column, name in enumerate(table.answerers):
            words = value_words(row.cells[column], row.unit)
            interval = interval_words(row.cells[column], row.unit)
            said = f"{words}, 95 % interval {interval}" if interval else words
            item = _item("", f"{table.title_of(name)}: {said}. {row.detail}")
            item.setData(_CELL, (row, column))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
            self.setItem(place, 2 + column, item)
        after = 2 + len(table.answerers)
        compared = f"{table.candidate} against {BASE}. {row.detail}"
        self.setItem(place, after, _item(difference_words(row), compared))
        self.setItem(place, after + 1, _item(p_words(row.p), f"McNemar's exact test. {compared}"))
        verdict = _item("", compared)
        verdict.setData(_CELL, row.verdict)
        words = VERDICTS[row.verdict][2] if row.verdict else ""
        verdict.setData(Qt.ItemDataRole.AccessibleTextRole, words)
        self.setItem(place, after + 2, verdict)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.viewport().update()


def _item(text: str, tip: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(plain_tip(tip))
    return item
